"""What lesson 7 says of environments, Pipenv and granian, and leaves to a terminal."""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
import requests

from labkit import ROOT
from labkit.service import free_port, has_ended, start, wait_until

CELLS = [
    cell.source
    for cell in nbformat.read(ROOT / "notebooks" / "07_the_environment.ipynb", as_version=4).cells
]
GRANIAN = (
    "granian --interface wsgi --blocking-threads 2 --port 9696 --working-dir solutions "
    "churn_serving:app"
)
PRODUCTION = "python solutions/production.py"
PIPENV_RUN = "python -m pipenv run python solutions/churn_serving.py"
NEEDS_BASH = pytest.mark.skipif(
    sys.platform == "win32" or not shutil.which("bash"), reason="left out: needs bash"
)
LIMIT = '[packages]\nphone-tariff = "~=1.0.0"\n'


@pytest.fixture
def project(tmp_path):
    """The lesson's campaign, with three versions on its shelf: its folder and the settings."""
    lesson = {"Path": Path}
    for source in CELLS:
        if source.startswith(("def contents", "import hashlib", "def publish", "OLD =")):
            exec(source, lesson)
    for version in ("1.0.0", "1.0.1", "1.3.1"):
        lesson["publish"](tmp_path / "shelf", "phone-tariff", version, lesson["OLD"])
    folder = tmp_path / "campaign"
    folder.mkdir()
    source = '[[source]]\nname = "shelf"\nurl = "${SHELF}"\nverify_ssl = true\n\n'
    (folder / "Pipfile").write_text(source + LIMIT, encoding="utf-8")
    foreign = ("PIP", "VIRTUAL", "PYTHON")
    settings = {name: text for name, text in os.environ.items() if not name.startswith(foreign)}
    settings |= {"PIPENV_VENV_IN_PROJECT": "1", "PIPENV_IGNORE_VIRTUALENVS": "1"}
    settings |= {"VIRTUALENV_NO_PERIODIC_UPDATE": "1", "VIRTUALENV_NO_SEED": "1"}
    settings |= {"PIP_CONFIG_FILE": os.devnull, "TMPDIR": str(tmp_path)}
    settings |= {"PIPENV_RESOLVER_PARENT_PYTHON": "1", "NO_COLOR": "1"}
    settings |= {"SHELF": (tmp_path / "shelf").as_uri()}
    return folder, settings


def pipenv(project, *words):
    folder, settings = project
    subprocess.run(
        [sys.executable, "-m", "pipenv", *words],
        cwd=folder, env=settings, check=True, capture_output=True,
    )  # fmt: skip
    return (folder / "Pipfile").read_text(encoding="utf-8")


def locked(project):
    return (project[0] / "Pipfile.lock").read_text(encoding="utf-8")


def test_update_keeps_the_limit_that_it_is_given_and_drops_the_one_that_it_is_not(project):
    # `update` is `lock` (of one package, `upgrade`), and then `sync`
    assert LIMIT in pipenv(project, "lock")
    assert '"==1.0.1"' in locked(project)
    assert LIMIT in pipenv(project, "upgrade", "phone-tariff~=1.0.0")
    assert '"==1.0.1"' in locked(project)
    assert 'phone-tariff = "*"' in pipenv(project, "upgrade", "phone-tariff")
    assert '"==1.3.1"' in locked(project)


@NEEDS_BASH
def test_shell_says_that_it_launches_a_subshell_and_is_in_the_environment(project):
    import pty

    folder, settings = project
    command = [sys.executable, "-m", "pipenv", "shell"]
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execve(command[0], command, settings | {"PIPENV_SHELL": shutil.which("bash")})
    said, deadline = b"", time.monotonic() + 60
    try:
        while (at_home := str(folder / ".venv").encode()) not in said.splitlines():
            assert time.monotonic() < deadline, said
            if select.select([terminal], [], [], 0.5)[0]:
                said += os.read(terminal, 10_000)
            elif b"Launching" in said:  # it is quiet, so it waits for us
                os.write(terminal, b"python -c 'import sys; print(sys.prefix)'\n")
    finally:
        os.close(terminal)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert b"Launching subshell in virtual environment..." in said
    assert at_home in said.splitlines()
    assert any("`Launching subshell in virtual environment...`" in cell for cell in CELLS)


@NEEDS_BASH
def test_an_activated_environment_is_the_terminals_python(tmp_path):
    lines = ["python -m venv .venv", "source .venv/bin/activate"]
    assert any("\n".join(lines) in cell for cell in CELLS)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    lines[0] += " --without-pip"  # which takes long, and is not what is asked
    script = "\n".join([*lines, "python -c 'import sys; print(sys.prefix)'"])
    said = subprocess.check_output(
        ["bash", "-c", script], cwd=tmp_path, env=os.environ | {"PATH": path}, text=True
    )
    assert Path(said.strip()).samefile(tmp_path / ".venv")


@pytest.mark.parametrize("line", [GRANIAN, PRODUCTION, PIPENV_RUN])
def test_a_line_of_the_lesson_starts_the_service(line, model_file):
    assert any(line in cell for cell in CELLS)
    port = str(free_port())
    program, *words = line.replace("9696", port).split()
    module = [] if program == "python" else ["-m", program]
    settings = {"CHURN_MODEL": str(model_file), "PORT": port, "VIRTUAL_ENV": sys.prefix}
    process = subprocess.Popen(
        [sys.executable, *module, *words],
        cwd=ROOT, env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    answer, deadline = None, time.monotonic() + 60
    try:
        while answer is None and process.poll() is None and time.monotonic() < deadline:
            try:
                answer = requests.get(f"http://127.0.0.1:{port}/health", timeout=5)
            except requests.ConnectionError:
                time.sleep(0.2)
    finally:
        for one in [*psutil.Process(process.pid).children(recursive=True), process]:
            one.terminate()
        log = process.communicate(timeout=30)[0]
    assert answer is not None and answer.status_code == 200, log
    assert (b"WARNING" in log) == (line == PIPENV_RUN)  # the development server's


def test_the_lessons_worker_ends_with_its_parent_in_whatever_way(tmp_path, model_file, monkeypatch):
    heading, script = next(
        cell.split("\n", 1) for cell in CELLS if cell.startswith("%%writefile granian_service.py")
    )
    (tmp_path / heading.split()[1]).write_text(script + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    settings = {"CHURN_MODEL": str(model_file), "PYTHONPATH": str(ROOT / "solutions")}
    with start("granian_service.py", port=free_port(), **settings) as service:
        workers = psutil.Process(service.process.pid).children(recursive=True)
        assert workers
        service.process.kill()
        assert wait_until(lambda: all(map(has_ended, workers)), 10)
