"""start.py refuses in a sentence what can't work, finds the lab, and opens it."""

import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib

import pytest
from conftest import copy_lab
from packaging.specifiers import SpecifierSet
from starting import PYTHON, VARIABLES, VERSION, WINDOWS, Lab, find_python, says, start

from labkit import ROOT, lab
from labkit import set_up as module

posix_only = pytest.mark.skipif(WINDOWS, reason="Windows has no such signals and terminals")


# --- Refusals: one line, exit code 1, nothing made ---


@pytest.fixture
def fresh(tmp_path):
    return copy_lab(tmp_path / "lab")


def listing(folder):
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


def assert_refused(child, folder, before):
    lines = child.stderr.splitlines()
    assert (child.returncode, child.stdout, len(lines)) == (1, "", 1), child
    assert listing(folder) == before


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10"])
def test_an_older_python_says_which_command_to_use(version, fresh, tmp_path):
    python = find_python(version)
    before = listing(fresh)
    (tmp_path / "bin").mkdir()
    child = start(fresh, "setup", python=python, PATH=str(tmp_path / "bin"))
    assert_refused(child, fresh, before)
    says(child, f"This is Python {version}.", ", and the lab needs 3.11.2 to 3.14: ")
    says(child, "install Python 3.13 (README.md says how, at From zero), then run")
    assert child.stderr.endswith(f" python3.13 {fresh / 'start.py'} setup\n")


@posix_only
def test_an_older_python_finds_the_supported_one(fresh, tmp_path):
    python = find_python("3.10")
    (tmp_path / "bin").mkdir()
    for name, line in {
        "python3.14": "exit 127",
        "python3.13": "exit 127",
        "python3.12": "exit 127",
        "python3.11": "exit 127",
        f"python{VERSION}": f'exec "{PYTHON}" "$@"',
    }.items():
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        program.chmod(0o755)
    child = start(fresh, "test", "-x", python=python, PATH=str(tmp_path / "bin"))
    assert child.stderr.endswith(f": run python{VERSION} {fresh / 'start.py'} test -x\n"), child
    # What it says is what helps: the remedy gets as far as the set-up's own checks.
    (fresh / ".venv").write_text("mine", encoding="utf-8")
    command = child.stderr.split(": run ")[1].split()
    remedy = subprocess.run(
        [tmp_path / "bin" / command[0], *command[1:]], capture_output=True, encoding="utf-8"
    )
    assert ".venv is in the way" in remedy.stderr


def test_the_supported_versions_are_those_of_pyproject():
    spec = importlib.util.spec_from_file_location("start", ROOT / "start.py")
    start_py = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(start_py)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = SpecifierSet(project["requires-python"])
    for version in [(3, 8, 18), (3, 11, 1), (3, 11, 2), (3, 12, 0), (3, 14, 9), (3, 15, 0)]:
        text = ".".join(map(str, version))
        assert start_py.supported(version) == (text in supported), text


def test_alone_it_asks_for_the_rest_of_the_lab(fresh, tmp_path):
    alone = tmp_path / "downloads"
    (alone / ".venv").mkdir(parents=True)
    (alone / ".venv/mine").touch()
    shutil.copy(fresh / "start.py", alone)
    before = listing(alone)
    for command in ("setup", "lab", "test", "doctor"):
        child = start(alone, command)
        assert_refused(child, alone, before)
        says(child, f"start.py lies in {alone}", "get the whole folder of the lab, and run")
    (fresh / ".venv").write_text("mine", encoding="utf-8")  # in the lab it goes on
    assert ".venv is in the way" in start(fresh, "setup").stderr


def test_a_python_without_ensurepip_names_the_package_to_install(fresh, tmp_path):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/ensurepip.py").write_text("raise ImportError", encoding="utf-8")
    before = listing(fresh)
    child = start(fresh, "setup", PYTHONPATH=str(tmp_path / "modules"))
    assert_refused(child, fresh, before)
    says(child, "This Python lacks its modules venv and ensurepip: ")
    says(child, f"sudo apt install python{VERSION}-venv")


def test_an_environment_that_cannot_be_made_is_no_question_of_the_network(fresh, tmp_path):
    (tmp_path / "modules").mkdir()
    python = tmp_path / "python"
    # As a Python whose venv module is there and fails.
    python.write_text(
        f'#!/bin/sh\ncase "$2" in venv) echo broken; exit 1;; esac\nexec {PYTHON} "$@"\n',
        encoding="utf-8",
    )
    python.chmod(0o755)
    (tmp_path / "modules/sitecustomize.py").write_text(
        f"import sys; sys._base_executable = {str(python)!r}", encoding="utf-8"
    )
    child = start(fresh, "setup", PYTHONPATH=str(tmp_path / "modules"))
    assert child.returncode == 1
    says(child, "broken\nMaking the environment failed, the lines above say why: ")
    says(child, "install another Python (README.md says how, at From zero), then run this again.")


@posix_only
def test_a_folder_that_cannot_be_written_in_is_refused(fresh):
    before = listing(fresh)
    python = [PYTHON]
    if os.geteuid() == 0:  # the rights of root's that ignore a folder's rights must go
        if not shutil.which("setpriv"):
            pytest.skip("root can write everywhere, and there is no setpriv to change that")
        python = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", PYTHON]
    fresh.chmod(0o555)
    try:
        child = start(fresh, "setup", python=python)
    finally:
        fresh.chmod(0o755)
    assert_refused(child, fresh, before)
    says(child, "can't be written in (", "copy the lab to a folder of your own")


@posix_only
def test_a_colon_in_the_path_is_refused(tmp_path):
    folder = copy_lab(tmp_path / "a:b" / "lab")
    before = listing(folder)
    child = start(folder, "setup")
    assert_refused(child, folder, before)
    says(child, "which separates folders in PATH", "rename that folder, then run this again.")


WRONG = [
    *(["fly"], ["--no-browser"], ["setup", "now"], ["pack"], ["pack", "--into"], ["pack", ""]),
    *(["setup", "--from"], ["setup", "--from="], ["setup", "--from", "a", "b"]),
    *(["reset"], ["reset", ""], ["reset", "--all"], ["reset", "a", "b"], ["minutes", "x"]),
]


@pytest.mark.parametrize("options", WRONG)
def test_an_unknown_command_ends_with_a_sentence(options, fresh):
    before = listing(fresh)
    child = start(fresh, *options)
    assert (child.returncode, child.stdout) == (2, "")
    assert child.stderr.startswith(f"start.py can't do `{' '.join(options)}`")
    says(child, "start.py can't do `", "start.py --help shows the commands and how")
    assert listing(fresh) == before


@pytest.mark.parametrize("options", [["--help"], ["setup", "--help"], ["reset", "-h"]])
def test_help_names_every_command(options, fresh):
    child = start(fresh, *options)
    assert (child.returncode, child.stderr) == (0, "")
    commands = re.findall(r"^  (?:\(none\), )?([a-z]+)\b", child.stdout, re.M)
    assert commands == ["lab", "setup", "test", "pack", "doctor", "reset", "minutes"]


def test_the_doctor_sets_nothing_up(fresh):
    before = listing(fresh)
    child = start(fresh, "doctor")
    assert child.returncode == 1 and listing(fresh) == before
    says(child, f"No environment runs here yet: run {module.START} setup.\n")
    assert " Python " in child.stdout and child.stderr == ""


# --- What is the learner's own: it needs no environment ---


def test_reset_gives_a_fresh_copy_and_keeps_the_old_one(fresh):
    child = start(fresh, "reset", "03_ping_pong_lab")
    assert (child.returncode, child.stderr) == (0, "")
    copy = fresh / "my/03_ping_pong_lab.ipynb"
    text = copy.read_text(encoding="utf-8")
    copy.write_text("mine", encoding="utf-8")
    child = start(fresh, "reset", "lab_03_ping_pong", PYTHONIOENCODING="ascii")
    assert child.returncode == 0 and copy.read_text(encoding="utf-8") == text
    says(child, "is fresh now.", " The old one is ", "my/before/03_ping_pong_lab.ipynb.")
    says(child, "If it is open, close its tab and open it again.")
    assert (fresh / "my/before" / copy.name).read_text(encoding="utf-8") == "mine"
    assert not (fresh / ".venv").exists()


def test_reset_of_an_unknown_name_lists_the_names(fresh):
    before = listing(fresh)
    child = start(fresh, "reset", "03_pingpong")
    assert_refused(child, fresh, before)
    says(child, "There is no lesson or lab ", "03_pingpong: write one of 00_start_here, 01_")
    name = child.stderr.rpartition(", ")[2].strip().removesuffix(".")
    assert start(fresh, "reset", name).returncode == 0


def test_minutes_says_how_long_exercises_took(fresh):
    child = start(fresh, "minutes")
    assert (child.returncode, child.stderr) == (0, "") and child.stdout.strip()


@pytest.mark.parametrize("no_proxy", ["", "localhost,127.0.0.1"])
def test_the_doctor_knows_what_a_terminal_asks_a_proxy(no_proxy, fresh):
    proxy = {"http_proxy": "http://proxy.example:3128", "no_proxy": no_proxy, "NO_PROXY": ""}
    child = start(fresh, "doctor", **proxy)
    assert ("curl asks your proxy for http://localhost:9696" in child.stdout) == (not no_proxy)


# --- Set up ---


@pytest.mark.parametrize("command, name", [("test", "tests"), ("doctor", "labkit.doctor")])
def test_a_command_runs_in_the_environment_and_its_exit_code_counts(command, name, built, tmp_path):
    code = "import sys, os; print(sys.prefix, os.getcwd(), sys.argv[1:]); sys.exit(7)"
    file = built / ("tests/__main__.py" if command == "test" else "labkit/doctor.py")
    before = file.read_bytes()
    file.write_text(code, encoding="utf-8")
    line = (
        f"import sys; sys.path.insert(0, {str(built)!r}); from labkit import set_up; "
        f"sys.exit(set_up.replace_with(['-m', {name!r}, '-k', 'a b']))"
    )
    try:
        child = subprocess.run(
            [PYTHON, "-c", line],
            cwd=tmp_path,
            env=VARIABLES | {"PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            encoding="utf-8",
        )
    finally:
        file.write_bytes(before)
    expected = f"{built / '.venv'} {built} ['-k', 'a b']\n"
    assert (child.returncode, child.stdout, child.stderr) == (7, expected, "")


# --- JupyterLab ---


@posix_only
def test_ctrl_c_in_the_terminal_asks_and_stops(built, cache):
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        command = [PYTHON, str(built / "start.py"), "lab", "--no-browser"]
        os.execve(PYTHON, command, VARIABLES | {"UV_CACHE_DIR": cache})

    def read_until(words):
        text = ""
        while words not in text:
            text += os.read(terminal, 10_000).decode("utf-8")  # raises when the process ends

    read_until("?token=")
    os.write(terminal, b"\x03")
    read_until("Shut down this Jupyter server (y/[n])?")
    os.write(terminal, b"y\n")
    read_until("Shutdown confirmed")
    assert os.waitpid(pid, 0)[1] == 0
    os.close(terminal)


@pytest.fixture(scope="module")
def hostile_home(tmp_path_factory):
    """A home folder whose start-up files put another Python first, as conda and pyenv do."""
    home = tmp_path_factory.mktemp("home of a learner")
    (home / "bin").mkdir()
    for name in ("python", "python3"):
        (home / "bin" / name).write_text("#!/bin/sh\necho hostile\n", encoding="utf-8")
        (home / "bin" / name).chmod(0o755)
    lines = f'export PATH="{home}/bin:$PATH" PYTHONHOME=/nowhere READ=yes\nalias python=false\n'
    (home / ".bashrc").write_text(lines, encoding="utf-8")
    (home / ".zshrc").write_text(lines, encoding="utf-8")
    (home / ".config/fish").mkdir(parents=True)
    lines = f'set -gx PATH "{home}/bin" $PATH\nset -gx PYTHONHOME /nowhere\nset -gx READ yes\n'
    (home / ".config/fish/config.fish").write_text(lines, encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def running(built, hostile_home):
    """JupyterLab, asked for a port that is taken."""
    command = (PYTHON, built / "start.py", "lab")
    home = {"HOME": str(hostile_home), "SHELL": shutil.which("bash") or ""}
    with socket.create_server(("127.0.0.1", 0)) as server:
        port, begun = server.getsockname()[1], time.monotonic()
        running = Lab(f"--port={port}", command=command, **home)
    running.taken, running.seconds = f"127.0.0.1:{port}", time.monotonic() - begun
    with running:
        yield running
    host, port = running.host.split(":")
    with pytest.raises(ConnectionRefusedError):  # nobody goes on behind start.py's back
        socket.create_connection((host, int(port)), timeout=5)


def test_the_users_options_take_the_place_of_ours():
    ours = ["--ServerApp.ip=127.0.0.1", "--ServerApp.root_dir=lab", "--allow-root"]
    users = ["--ip=127.0.0.2", "--ServerApp.root_dir=elsewhere", "--no-browser"]
    assert lab.without_repeated(ours, users) == ["--allow-root"]
    assert lab.without_repeated(ours, ["--no-browser"]) == ours


def test_a_second_start_answers_within_seconds(running):
    assert running.seconds < 30  # under 5 on a machine that does nothing else


def test_jupyterlab_opens_the_first_page_on_a_free_port_of_this_machine(running, built):
    assert running.page == "/lab/tree/my/00_start_here.ipynb"
    assert running.host != running.taken
    assert "press Ctrl+C here" in running.output
    assert (built / running.page.removeprefix("/lab/tree/")).exists()


def test_jupyterlab_asks_for_no_news(running):
    settings = running.ask("/lab/api/settings/@jupyterlab/apputils-extension:notification")
    properties = settings["schema"]["properties"]
    assert properties["fetchNews"]["default"] == "false"
    assert properties["checkForUpdates"]["default"] is False


def test_jupyterlab_leaves_the_users_settings_alone(running, hostile_home):
    assert not list(hostile_home.glob(".jupyter/lab*"))


@posix_only
@pytest.mark.skipif(not shutil.which("bash"), reason="no bash on this machine")
def test_a_terminal_in_jupyterlab_runs_the_environments_python(running, built):
    name = running.ask("/api/terminals", "POST", json={"cwd": "notebooks"})["name"]
    terminal = running.connect(f"/terminals/websocket/{name}")
    line = (
        "python -c \"import os, sys; print('>' + sys.prefix, os.getcwd(), os.environ['READ'])\"\r"
    )
    terminal.send(json.dumps(["stdin", line]))
    output = ""
    while not re.search(r">/.*yes\r\n", output):  # raises at the time limit
        kind, text = json.loads(terminal.recv())[:2]
        output += text if kind == "stdout" else ""
    terminal.close()
    assert f">{built / '.venv'} {built} yes" in output


@posix_only
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_ends_up_with_this_python_first(shell, hostile_home, tmp_path):
    program = shutil.which(shell)
    if not program:
        pytest.skip(f"no {shell} on this machine")
    line = "python -c \"import os, sys; print(sys.prefix, os.getcwd(), os.environ['READ'])\"\n"
    child = subprocess.run(
        [*lab.terminal_command(program, tmp_path / "a b"), "-i"],
        input=line,
        env=os.environ | {"HOME": str(hostile_home), "TERM": "dumb"} | lab.terminal_variables(),
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
    )
    assert f"{sys.prefix} {ROOT} yes\n" in child.stdout, child


def test_a_python_without_jupyterlab_is_told_what_to_run():
    # -S: as if this Python had no packages at all.
    command = [PYTHON, "-S", "-m", "labkit.lab"]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert (child.returncode, child.stdout) == (1, "")
    assert re.fullmatch(r".* has no JupyterLab: run start.py, which sets it up.\n", child.stderr)
