"""start.py sets up the lab from nothing, mends what is broken, and opens it; or says why not."""

import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests
import websocket
from conftest import copy_lab

from labkit import ROOT, lab, service

PYTHON = sys._base_executable  # not an environment's: start.py makes its own
VERSION = "{}.{}".format(*sys.version_info)
WINDOWS = os.name == "nt"
FIRST = {}  # megabytes and seconds of the first set-up here
CACHES = ("UV_CACHE_DIR", "PIP_CACHE_DIR")  # where downloads are kept is what these tests decide
VARIABLES = {name: text for name, text in os.environ.items() if name not in CACHES}
pytestmark = pytest.mark.xdist_group("start")  # one worker: they share what was built
posix_only = pytest.mark.skipif(WINDOWS, reason="Windows has no such signals and terminals")


def start(folder, *options, python=PYTHON, cwd=None, **variables):
    """Run start.py to its end and return what it said."""
    command = [*([python] if isinstance(python, str) else python), folder / "start.py", *options]
    return subprocess.run(
        command,
        cwd=cwd,
        env=VARIABLES | variables,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def python_of(folder):
    return folder / ".venv" / ("Scripts/python.exe" if WINDOWS else "bin/python")


def site_packages(folder):
    return next((folder / ".venv").glob("Lib/site-packages" if WINDOWS else "lib/*/site-packages"))


def assert_whole(folder):
    """The environment works, and start.py knows it."""
    code = "import sklearn, pandas, jupyterlab, labkit, sys; print(sys.prefix, labkit.__file__)"
    child = subprocess.run(
        [python_of(folder), "-c", code],
        cwd=folder.parent,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
    )
    expected = f"{folder / '.venv'} {folder / 'labkit' / '__init__.py'}\n"
    assert (child.stdout, child.stderr) == (expected, "")
    assert (folder / ".venv/complete.json").exists()


def find_python(version):
    """Return a Python of this minor version from the PATH or pyenv's folder; skip without one."""
    on_path = shutil.which(f"python{version}")
    candidates = [on_path] if on_path else []
    candidates += sorted(map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python")))
    for python in reversed(candidates):
        child = subprocess.run([python, "--version"], capture_output=True, encoding="utf-8")
        if f"Python {version}." in child.stdout + child.stderr:  # 2.7 says it on stderr
            return python
    pytest.skip(f"no Python {version} on this machine")


# --- Refusals: one line, exit code 1, nothing made ---


@pytest.fixture
def fresh(tmp_path):
    return copy_lab(tmp_path / "lab")


def listing(folder):
    return {path.relative_to(folder) for path in folder.rglob("*")}


def assert_refused(child, folder, before):
    lines = child.stderr.splitlines()
    assert (child.returncode, child.stdout, len(lines)) == (1, "", 1), child
    assert listing(folder) == before
    return lines[0]


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10"])
def test_an_old_python_is_refused_with_the_command_to_use(version, fresh, tmp_path):
    python = find_python(version)
    before = listing(fresh)
    (tmp_path / "bin").mkdir()
    child = start(fresh, "test", "-x", python=python, PATH=str(tmp_path / "bin"))
    line = assert_refused(child, fresh, before)
    assert line.startswith(f"This is Python {version}.")
    assert "install Python 3.13" in line and line.endswith("start.py test -x")


@posix_only
def test_an_old_python_names_the_newest_supported_one_that_runs(fresh, tmp_path):
    python = find_python("3.9")
    (tmp_path / "bin").mkdir()
    for name, line in {
        "python3.14": "exit 127",
        f"python{VERSION}": f'exec "{PYTHON}" "$@"',
    }.items():
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        program.chmod(0o755)
    child = start(fresh, "test", "-x", python=python, PATH=str(tmp_path / "bin"))
    assert child.stderr.endswith(f": run python{VERSION} {fresh / 'start.py'} test -x\n"), child


@pytest.fixture
def module(tmp_path, monkeypatch):
    """start.py as a module that works in an empty folder."""
    spec = importlib.util.spec_from_file_location("start", ROOT / "start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", str(tmp_path))
    monkeypatch.setattr(module, "VENV", str(tmp_path / ".venv"))
    return module


def test_the_supported_versions_are_those_of_pyproject(module):
    import tomllib

    from packaging.specifiers import SpecifierSet

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = SpecifierSet(project["requires-python"])
    for version in [(2, 7, 18), (3, 11, 4), (3, 11, 5), (3, 12, 0), (3, 14, 9), (3, 15, 0)]:
        text = ".".join(map(str, version))
        assert module.supported(version) == (text in supported), text


def test_a_full_disk_is_refused(module, monkeypatch):
    class Usage:
        free = 1_999 * 10**6

    monkeypatch.setattr(module.shutil, "disk_usage", lambda folder: Usage)
    with pytest.raises(module.Refusal, match=r"1999 MB free.*needs 2000 MB"):
        module.check_machine()
    Usage.free = 2_000 * 10**6
    module.check_machine()


def test_a_python_without_ensurepip_names_the_package_to_install(fresh, tmp_path):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/ensurepip.py").write_text("raise ImportError", encoding="utf-8")
    before = listing(fresh)
    child = start(fresh, "setup", PYTHONPATH=str(tmp_path / "modules"))
    assert f"sudo apt install python{VERSION}-venv" in assert_refused(child, fresh, before)


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
    assert "can't be written in" in assert_refused(child, fresh, before)


def test_a_file_in_the_place_of_the_environment_is_refused(fresh):
    (fresh / ".venv").write_text("mine", encoding="utf-8")
    before = listing(fresh)
    assert ".venv is a file" in assert_refused(start(fresh, "setup"), fresh, before)
    assert (fresh / ".venv").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("options", [["fly"], ["--no-browser"], ["setup", "now"]])
def test_an_unknown_command_ends_with_a_sentence(options, fresh):
    before = listing(fresh)
    child = start(fresh, *options)
    assert (child.returncode, child.stdout) == (2, "")
    assert child.stderr.startswith(f"start.py can't do `{' '.join(options)}`")
    assert listing(fresh) == before


def test_help_names_every_command(fresh):
    child = start(fresh, "--help")
    assert (child.returncode, child.stderr) == (0, "")
    assert re.findall(r"^  .*?(lab|setup|test|doctor)\b", child.stdout, re.M) == [
        "lab",
        "setup",
        "test",
        "doctor",
    ]


def test_the_doctor_sets_nothing_up(fresh):
    before = listing(fresh)
    child = start(fresh, "doctor")
    assert child.returncode == 1 and listing(fresh) == before
    assert child.stderr == "The environment is not complete: run start.py setup.\n"
    assert " Python " in child.stdout and "Traceback" not in child.stdout


# --- Setting up (with internet) ---


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """The downloads that these tests share; skips where no package can be had."""
    folder = tmp_path_factory.getbasetemp() / "uv cache"
    command = [sys.executable, "-m", "uv", "pip", "compile", "--no-deps", "--no-cache", "-q", "-"]
    child = subprocess.run(command, input="six", capture_output=True, encoding="utf-8", timeout=120)
    if child.returncode:
        pytest.skip(
            f"NOT TESTED, the package index can't be reached: {child.stderr.strip()[-200:]}"
        )
    return str(folder)


def set_up(folder, cache, **options):
    child = start(folder, "setup", UV_CACHE_DIR=cache, **options)
    assert (child.returncode, child.stderr) == (0, ""), child
    assert_whole(folder)
    return child.stdout


def received():
    """Return the megabytes that came from other machines since this one was started."""
    counters = psutil.net_io_counters(pernic=True).items()
    return sum(card.bytes_recv for name, card in counters if not name.startswith("lo")) / 10**6


@pytest.fixture(scope="module")
def built(tmp_path_factory, cache):
    """A lab that was set up; a test may break it, if it mends it."""
    folder = copy_lab(tmp_path_factory.mktemp("built") / "Café mit Umlaut ü")
    hostile = tmp_path_factory.mktemp("hostile")
    for name in ("pip", "uv", "setuptools", "sklearn"):
        (hostile / f"{name}.py").write_text("raise ImportError('hostile')", encoding="utf-8")
    # An active conda or other environment, another working directory, and a console that can't
    # write the folder's name must not matter.
    before, begun = received(), time.monotonic()
    output = set_up(
        folder,
        cache,
        cwd=hostile,
        PYTHONIOENCODING="ascii",
        PYTHONPATH=str(hostile),
        VIRTUAL_ENV=str(hostile),
        CONDA_PREFIX=str(hostile),
    )
    assert "about 350 MB to download" in output
    FIRST.update(megabytes=received() - before, seconds=time.monotonic() - begun)
    return folder


def test_the_environment_has_what_the_lock_names_and_nothing_else(built):
    freeze = uv_pip(built, "freeze")
    lock = json.loads((built / "Pipfile.lock").read_text(encoding="utf-8"))
    packages = {**lock["default"], **lock["train"], **lock["develop"]}
    installed = dict(line.split("==") for line in freeze.splitlines() if "==" in line)
    installed.pop("pip", None)
    assert "scikit-learn" in installed and "jupyterlab" in installed and "pandas" in installed
    assert {name: packages[name]["version"][2:] for name in installed} == installed


@pytest.mark.skipif(sys.platform != "linux", reason="the sizes that are announced are Linux's")
def test_sizes_are_those_that_start_and_readme_announce(built, module):
    files = {file.stat().st_ino: file.stat().st_size for file in built.rglob(".venv/**/*")}
    assert sum(files.values()) / 10**6 == pytest.approx(module.INSTALLED_MB, rel=0.1)
    assert FIRST["megabytes"] == pytest.approx(module.DOWNLOAD_MB, rel=0.3)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"downloads about {module.DOWNLOAD_MB} MB" in readme
    assert f"{module.NEEDED_MB // 1000} GB of disk" in readme.replace("\n", " ")


def test_first_set_up_takes_a_minute_at_the_most(built):
    assert FIRST["seconds"] < 150  # more than a minute, as two other tests share two cores


def test_a_second_set_up_says_and_changes_nothing(built):
    stamp = built / ".venv/complete.json"
    before = stamp.stat().st_mtime_ns
    # Without internet: this index does not exist.
    child = start(built, "setup", UV_DEFAULT_INDEX="http://127.0.0.1:9/", PIP_NO_INDEX="1")
    assert (child.returncode, child.stdout, child.stderr) == (0, "", "")
    assert stamp.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "command, module", [("test", "tests/__main__"), ("doctor", "labkit/doctor")]
)
def test_a_command_runs_in_the_environment_and_its_exit_code_counts(
    command, module, built, tmp_path
):
    file = built / f"{module}.py"
    before = file.read_bytes() if file.exists() else None
    code = "import sys, os; print(sys.prefix, os.getcwd(), sys.argv[1:]); sys.exit(7)"
    file.write_text(code, encoding="utf-8")
    try:
        child = start(built, command, "-k", "a b", cwd=tmp_path, PYTHONIOENCODING="utf-8")
    finally:
        file.write_bytes(before) if before is not None else file.unlink()
    expected = f"{built / '.venv'} {built} ['-k', 'a b']\n"
    assert (child.returncode, child.stdout, child.stderr) == (7, expected, "")


# --- What is broken is mended ---


def interrupt(folder, send, **variables):
    """Set up, send a signal while uv installs the packages, and return what start.py said."""
    (folder / ".venv/lock.txt").unlink(missing_ok=True)
    child = subprocess.Popen(
        [PYTHON, folder / "start.py", "setup"],
        env=VARIABLES | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    deadline = time.monotonic() + 200
    # start.py writes lock.txt, then uv starts; pip, setuptools and uv were there before.
    while not (folder / ".venv/lock.txt").exists() or installed(folder) < 10:
        assert child.poll() is None and time.monotonic() < deadline, child.communicate()
        time.sleep(0.005)
    send(child.pid)
    child.wait(30)
    assert not (folder / ".venv/complete.json").exists()
    assert installed(folder) < 150
    return child.returncode, child.stdout.read(), child.stderr.read()


def installed(folder):
    return len(list(site_packages(folder).glob("*.dist-info")))


def make_outdated(folder):
    """Make a whole environment look as if it came from another lock."""
    stamp = {
        "folder": str(folder),
        "python": sys.version_info[:3],
        "hashes": {"Pipfile.lock": "another", "pyproject.toml": "another"},
    }
    (folder / ".venv/complete.json").write_text(json.dumps(stamp), encoding="utf-8")


def uv_pip(folder, command, *options):
    command = [sys.executable, "-m", "uv", "pip", command, "--python", python_of(folder), *options]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def test_an_older_environment_is_brought_up_to_date_in_place(built, cache):
    uv_pip(built, "install", "six==1.16.0")
    make_outdated(built)
    (built / ".venv/not cleared").touch()
    assert "bringing the environment up to date" in set_up(built, cache)
    assert (built / ".venv/not cleared").exists()
    assert [path.name for path in site_packages(built).glob("six-*")] == ["six-1.17.0.dist-info"]


def test_what_makes_an_environment_complete(built, cache, module, monkeypatch, tmp_path):
    set_up(built, cache)
    monkeypatch.setattr(module, "ROOT", str(built))
    monkeypatch.setattr(module, "PYTHON", str(python_of(built)))
    monkeypatch.setattr(module, "STAMP", str(built / ".venv/complete.json"))
    assert module.state() == "complete"
    content = json.loads((built / ".venv/complete.json").read_text(encoding="utf-8"))
    cases = [
        ("folder", str(tmp_path), "missing"),  # copied
        ("folder", str(tmp_path / "gone"), "missing"),  # moved
        ("python", [3, 11, 4], "missing"),  # the Python below it has changed
        ("hashes", {}, "outdated"),
    ]
    for key, value, expected in cases:
        stamp = tmp_path / "complete.json"
        stamp.write_text(json.dumps(content | {key: value}), encoding="utf-8")
        monkeypatch.setattr(module, "STAMP", str(stamp))
        assert module.state() == expected, (key, value)
    for text in ["", "{}", "[]", '{"folder": 1}']:
        stamp.write_text(text, encoding="utf-8")
        assert module.state() == "missing", text
    stamp.write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setattr(module, "PYTHON", str(built / ".venv/no python"))
    assert module.state() == "missing"


@pytest.mark.parametrize("package", ["uv", "six"])  # the first comes with pip, the rest with uv
def test_a_package_with_another_hash_is_refused(package, built, cache):
    uv_pip(built, "uninstall", package)
    make_outdated(built)
    path = built / "Pipfile.lock"
    text = path.read_text(encoding="utf-8")
    lock = json.loads(text)
    lock["develop"][package]["hashes"] = ["sha256:" + "0" * 64]
    path.write_text(json.dumps(lock), encoding="utf-8")
    try:
        child = start(built, "setup", UV_CACHE_DIR=cache)
    finally:
        path.write_text(text, encoding="utf-8")
    assert child.returncode == 1
    assert "what came is not the file that Pipfile.lock names" in child.stderr.splitlines()[-1]
    assert package in child.stderr and "Traceback" not in child.stderr
    assert not (built / ".venv/complete.json").exists()


def test_without_internet_the_remedy_is_named(built):
    uv_pip(built, "uninstall", "uv")
    make_outdated(built)
    nowhere = "http://127.0.0.1:9/simple"
    child = start(built, "setup", PIP_INDEX_URL=nowhere, PIP_RETRIES="0")
    assert child.returncode == 1
    assert "check the internet connection" in child.stderr.splitlines()[-1]
    assert "Traceback" not in child.stderr
    assert not (built / ".venv/complete.json").exists()


def test_uv_asks_the_index_that_pip_is_set_up_for(module, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ROOT", str(ROOT))
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\nindex-url = http://mirror.invalid/simple\n", encoding="utf-8")
    variables = {name: text for name, text in os.environ.items() if name != "PIP_INDEX_URL"}
    variables["PIP_CONFIG_FILE"] = str(settings)
    module.use_index_of_pip([PYTHON, "-m", "pip"], variables)
    assert variables["UV_DEFAULT_INDEX"] == "http://mirror.invalid/simple"
    variables["UV_DEFAULT_INDEX"] = "the user's"
    module.use_index_of_pip([PYTHON, "-m", "pip"], variables)
    assert variables["UV_DEFAULT_INDEX"] == "the user's"


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_other_supported_pythons_build_it_too(version, fresh, cache):
    if version == VERSION:
        pytest.skip(f"Python {VERSION} builds the lab of all other tests")
    set_up(fresh, cache, python=find_python(version))
    assert site_packages(fresh).parent.name in (f"python{version}", "Lib")
    # The lessons that need no port: a traceback, for one, looks different on each Python.
    strictness = (
        "--nbval" if sys.platform == "linux" and os.uname().machine == "x86_64" else "--nbval-lax"
    )
    lessons = ["notebooks/00_start_here.ipynb", "notebooks/01_train_the_model.ipynb"]
    child = subprocess.run(
        [python_of(fresh), "-m", "pytest", "-q", strictness, "--nbval-current-env", *lessons],
        cwd=fresh,
        capture_output=True,
        encoding="utf-8",
    )
    assert child.returncode == 0, child.stdout


@pytest.mark.slow
@posix_only
def test_a_moved_lab_is_built_anew_and_ctrl_c_does_no_harm(built, cache):
    # A package that is there in part looks complete to uv: nothing old may stay.
    shutil.rmtree(site_packages(built) / "sklearn/linear_model")
    moved = built.with_name("moved")
    built.rename(moved)
    try:
        code, _, errors = interrupt(
            moved, lambda pid: os.killpg(pid, signal.SIGINT), UV_CACHE_DIR=cache
        )
        assert (code, errors) == (130, "\nInterrupted; run it again, it goes on.\n")
        set_up(moved, cache)
    finally:
        moved.rename(built)
        (built / ".venv/complete.json").unlink(missing_ok=True)


@pytest.mark.slow
@posix_only
def test_a_lab_without_its_python_is_built_anew_even_when_it_was_killed(built, cache):
    python_of(built).unlink(missing_ok=True)
    # The default place of the downloads; moved there, so that they need not come again.
    Path(cache).rename(built / ".uv-cache")
    code, _, errors = interrupt(built, lambda pid: os.kill(pid, signal.SIGKILL))
    assert (code, errors) == (-signal.SIGKILL, "")
    assert (built / ".uv-cache").exists()
    child = start(built, "setup")
    assert (child.returncode, child.stderr) == (0, ""), child
    assert_whole(built)
    assert not (built / ".uv-cache").exists()


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


class Lab:
    """JupyterLab, started by start.py: its process, its address, and the seconds to an answer."""

    def __init__(self, folder, home, *options):
        started = time.monotonic()
        self.process = subprocess.Popen(
            [PYTHON, folder / "start.py", "lab", "--no-browser", *options],
            env=os.environ | {"HOME": str(home), "SHELL": shutil.which("bash") or ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.output = ""
        for line in self.process.stdout:
            self.output += line
            if found := re.search(r"http://(127\.0\.0\.1:(\d+))(/lab\S*)\?token=(\w+)", line):
                self.host, self.port, self.page, self.token = found.groups()
                break
        else:
            raise AssertionError(self.output)
        # The address is printed a moment before.
        assert service.wait_until(self.answers, 60), self.output
        self.seconds = time.monotonic() - started

    def answers(self):
        try:
            return self.get("/api/status")
        except requests.ConnectionError:
            return False

    def get(self, path, method="GET", **options):
        response = requests.request(
            method, f"http://{self.host}{path}", params={"token": self.token}, timeout=30, **options
        )
        response.raise_for_status()
        return response.json()


@pytest.fixture(scope="module")
def running(built, hostile_home):
    """JupyterLab, asked for a port that is taken."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        running = Lab(built, hostile_home, f"--port={port}")
    running.taken = port
    yield running
    running.process.terminate()
    running.process.communicate(timeout=30)
    with pytest.raises(ConnectionRefusedError):  # nobody goes on behind start.py's back
        socket.create_connection(("127.0.0.1", int(running.port)), timeout=5)


def test_the_users_options_take_the_place_of_ours():
    ours = ["--ServerApp.ip=127.0.0.1", "--ServerApp.root_dir=lab", "--allow-root"]
    users = ["--ip=127.0.0.2", "--ServerApp.root_dir=elsewhere", "--no-browser"]
    assert lab.without_repeated(ours, users) == ["--allow-root"]
    assert lab.without_repeated(ours, ["--no-browser"]) == ours


def test_a_second_start_answers_within_seconds(running):
    assert running.seconds < 30  # under 5 on a machine that does nothing else


def test_jupyterlab_opens_the_first_page_on_a_free_port_of_this_machine(running):
    assert running.page == "/lab/tree/notebooks/00_start_here.ipynb"
    assert int(running.port) != running.taken
    assert "press Ctrl+C here" in running.output
    assert (ROOT / running.page.removeprefix("/lab/tree/")).exists()


def test_jupyterlab_asks_for_no_news(running):
    settings = running.get("/lab/api/settings/@jupyterlab/apputils-extension:notification")
    properties = settings["schema"]["properties"]
    assert properties["fetchNews"]["default"] == "false"
    assert properties["checkForUpdates"]["default"] is False


def test_jupyterlab_leaves_the_users_settings_alone(running, hostile_home):
    assert not list(hostile_home.glob(".jupyter/lab*"))


@posix_only
@pytest.mark.skipif(not shutil.which("bash"), reason="no bash on this machine")
def test_a_terminal_in_jupyterlab_runs_the_environments_python(running, built):
    name = running.get("/api/terminals", "POST", json={"cwd": "notebooks"})["name"]
    address = f"ws://{running.host}/terminals/websocket/{name}?token={running.token}"
    terminal = websocket.create_connection(address, timeout=20)
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
