"""labkit.doctor: each trouble is provoked, found, and mended by the remedy that it names."""

import ast
import functools
import hashlib
import inspect
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from importlib import metadata
from pathlib import Path

import psutil
import pytest
from conftest import copy_lab, git
from jupyter_client.manager import start_new_kernel
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from labkit import ROOT, doctor, lab
from labkit import set_up as set_up_module
from labkit.service import free_port, start

LOCK = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
ENTRIES = [
    entry for category in ("default", "train", "develop") for entry in LOCK[category].items()
]
SYSTEMS = [("linux", "posix", "Linux"), ("darwin", "posix", "Darwin"), ("win32", "nt", "Windows")]
LOCKED = not any(doctor.differing_packages())
NEEDS_THE_LOCK = pytest.mark.skipif(not LOCKED, reason="this environment is not that of the lock")


def copy_of_the_lab(folder: Path) -> Path:
    """Copy what the doctor looks at into a folder."""
    for name in ["labkit", "data"]:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ["Pipfile", "Pipfile.lock"]:
        shutil.copy(ROOT / name, folder)
    for name in ["notebooks", "labs", "solutions"]:
        (folder / name).mkdir()
    return folder


def run(lab=ROOT, *arguments, python=sys.executable, **environment):
    return subprocess.run(
        [python, lab / "labkit" / "doctor.py", *arguments],
        env=os.environ | {"PYTHONIOENCODING": "utf-8"} | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
    )


def line(text, words):
    """Return the one line that contains the words."""
    (found,) = [line for line in text.splitlines() if words in line]
    return found


# --- A healthy machine ---


@NEEDS_THE_LOCK
@pytest.mark.xdist_group("port9696")
def test_a_healthy_machine_is_all_fine_and_soon_told_so():
    began = time.monotonic()
    result = run(NO_PROXY="*")
    assert time.monotonic() - began < 5
    marks = [line[0] for line in result.stdout.splitlines()]
    assert marks == ["✔"] * 10, result.stdout
    assert (result.returncode, result.stderr) == (0, "")


def test_it_runs_offline_and_knocks_at_this_machine_only():
    spy = (
        "import sys; sys.addaudithook(lambda event, arguments: "
        "print(event, arguments[1:]) if event.startswith('socket.') else None)\n"
        "from labkit import doctor; doctor.report()"
    )
    result = subprocess.run([sys.executable, "-c", spy], capture_output=True, encoding="utf-8")
    events = [line for line in result.stdout.splitlines() if line.startswith("socket.")]
    allowed = ("socket.__new__", "socket.connect (('127.0.0.1', 9696),)", "socket.gethostname ()")
    assert [event for event in events if not event.startswith(allowed)] == []
    assert "socket.connect (('127.0.0.1', 9696),)" in events
    assert "Port 9696" in result.stdout


def test_a_console_without_the_marks_gets_others():
    result = run(PYTHONIOENCODING="cp1252")
    assert result.stderr == ""
    assert line(result.stdout, "is supported").startswith("OK: Python 3")


def test_importing_it_needs_the_standard_library_only():
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import labkit.doctor"
    bare = [sys.executable, "-I", "-S", "-c", code]  # -S: without site-packages
    assert subprocess.run(bare, capture_output=True, encoding="utf-8").stderr == ""


# --- Python ---


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10"])
def test_an_old_python_is_told_so_in_a_sentence(version):
    python = old_python(version)
    if not python:
        pytest.skip(f"this machine has no Python {version}")
    result = run(python=python)
    assert re.fullmatch(rf"✘ Python {version}\.\d+ is not supported: .*\n", result.stdout)
    assert (result.returncode, result.stderr) == (1, "")
    assert "Folder: " in run(ROOT, "--report", python=python).stdout


def old_python(version):
    pythons = [
        *Path.home().glob(f".pyenv/versions/{version}.*/bin/python"),
        *filter(None, [shutil.which(f"python{version}")]),
    ]
    return pythons[0] if pythons else None


@pytest.mark.parametrize(
    ("version", "fine"),
    [
        ((3, 11, 1), False),
        ((3, 11, 2), True),
        ((3, 14, 9), True),
        ((3, 15, 0), False),
    ],
)
def test_the_supported_pythons_are_those_of_pyproject(monkeypatch, version, fine):
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    supported = SpecifierSet(tomllib.loads(text)["project"]["requires-python"])
    assert (".".join(map(str, version)) in supported) == fine
    monkeypatch.setattr(sys, "version_info", version)
    assert doctor.python_version()[0] == fine


# --- Packages ---


@NEEDS_THE_LOCK
def test_a_package_that_is_not_there_is_missed(monkeypatch):
    def version(name):
        if name == "pandas":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    real = metadata.version
    monkeypatch.setattr(metadata, "version", version)
    fine, text = doctor.packages()
    assert not fine
    assert text.startswith("1 package differs from Pipfile.lock (pandas is missing): run ")


@NEEDS_THE_LOCK
def test_conda_may_choose_versions_but_no_package_may_be_missing(monkeypatch, tmp_path):
    (tmp_path / "conda-meta").mkdir()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: real(name) + ".9")
    assert doctor.packages() == (True, "The packages are all there.")


@pytest.mark.parametrize(("platform", "name", "system"), SYSTEMS)
@pytest.mark.parametrize("python", ["3.11.2", "3.14.2"])
@pytest.mark.parametrize("machine", ["x86_64", "arm64"])
def test_each_system_misses_only_the_packages_made_for_it(
    monkeypatch, platform, name, system, python, machine
):
    here = {
        "sys_platform": platform,
        "os_name": name,
        "platform_system": system,
        "platform_machine": machine,
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
    }
    all_markers = [entry["markers"] for _, entry in ENTRIES if "markers" in entry]
    expected = [
        Marker(markers).evaluate(here) for markers in all_markers
    ]  # it remembers this system
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(os, "name", name)
    assert [doctor.meant_for_this_system(markers) for markers in all_markers] == expected
    assert doctor.meant_for_this_system("")


def test_some_packages_are_made_for_some_systems_only():
    assert {name for name, entry in ENTRIES if "sys_platform" in entry.get("markers", "")} >= {
        "appnope",
        "colorama",
    }


# --- The environment ---


def test_the_labkit_of_another_copy_does_not_count(tmp_path):
    result = run(copy_of_the_lab(tmp_path))
    assert line(result.stdout, "This Python").startswith("✘")
    assert result.returncode == 1


@pytest.mark.parametrize(
    ("makes", "kind"),
    [
        (["conda-meta", "condabin"], "Anaconda's (base)"),
        (["conda-meta"], "a conda environment"),
        ([".project"], "a Pipenv environment"),
        ([], "a venv"),
    ],
)
def test_the_kinds_of_environments_are_told_apart(monkeypatch, tmp_path, makes, kind):
    for name in makes:
        (tmp_path / name).touch() if name == ".project" else (tmp_path / name).mkdir()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert doctor.kind() == kind


def test_a_python_outside_of_environments_is_called_so(monkeypatch):
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.setattr(doctor.metadata, "distributions", lambda name: [])
    fine, text = doctor.environment()
    assert not fine
    assert ("Anaconda's (base)" if doctor.in_conda() else "outside of any environment") in text


def output_of_kernel(code, path):
    manager, client = start_new_kernel(env=os.environ | {"PATH": path}, kernel_name="python3")
    try:
        printed = []
        reply = client.execute_interactive(
            code,
            timeout=30,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(printed)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_notebook_and_its_terminal_are_on_the_labs_environment():
    path = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    text = output_of_kernel("from labkit import doctor; well = doctor.check()", path)
    assert line(text, "The notebook's kernel").startswith("✔ The notebook's kernel is the lab's: ")
    assert line(text, "in a terminal").startswith("✔ `python` in a terminal is the same as")


def test_a_kernel_and_a_terminal_of_other_environments_are_found(tmp_path):
    lab = copy_of_the_lab(tmp_path / "lab")
    name = "python.exe" if os.name == "nt" else "python"
    (tmp_path / name).touch()
    (tmp_path / name).chmod(0o755)
    code = (
        f"import sys; sys.path.insert(0, {str(lab)!r})\n"
        "from labkit import doctor; print(doctor.ROOT, doctor.check())"
    )
    text = output_of_kernel(code, str(tmp_path))
    assert line(text, "The notebook's kernel").startswith(
        "✘ The notebook's kernel is not the lab's"
    )
    assert "Select Kernel" in line(text, "The notebook's kernel")
    assert line(text, "in a terminal").startswith("✘ `python` in a terminal is " + str(tmp_path))
    assert f"{lab} False" in text


# --- Data, port, folders ---


def test_the_data_card_names_the_sum_of_the_data_file():
    digest = hashlib.sha256((ROOT / doctor.DATA_FILE).read_bytes()).hexdigest()
    assert digest == "6ff58dad1ff4b0a5adf6e44ec6b221c9561f6c5b2a2130a8a5634c6ef75387be"
    assert digest in (ROOT / "data" / "README.md").read_text(encoding="utf-8")


@pytest.mark.xdist_group("port9696")
def test_who_holds_port_9696_is_named():
    with start("flask_test.py") as service:
        text = line(run().stdout, "Port 9696")
        family = psutil.Process(service.process.pid).children(recursive=True)
        pids = [service.process.pid, *(child.pid for child in family)]
    assert re.match(r"✘ Port 9696 is taken by python\S* flask_test\.py \(process \d+\): stop", text)
    assert int(re.search(r"process (\d+)", text)[1]) in pids


def taken(monkeypatch, server):
    """Make the port of a server the learner's."""
    number = server.getsockname()[1]
    monkeypatch.setenv("LAB_PORT", str(number))
    return number


def test_without_psutil_the_holder_of_a_port_is_another_program(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = taken(monkeypatch, server)
        assert str(os.getpid()) in doctor.port()[1]
        monkeypatch.setitem(sys.modules, "labkit.service", None)  # importing it fails
        fine, text = doctor.port()
    assert not fine
    assert text.startswith(f"Port {number} is taken by another program: stop it")


def test_it_looks_at_the_learners_own_port(tmp_path):
    folder = copy_of_the_lab(tmp_path / "lab")
    assert "Port 9696 " in line(run(folder, LAB_PORT="").stdout, "Port")
    (folder / "my").mkdir()
    (folder / "my" / "port.txt").write_text("9797\n", encoding="utf-8")
    assert "Port 9797 " in line(run(folder, LAB_PORT="").stdout, "Port")
    assert "Port 9898 " in line(run(folder, LAB_PORT="9898").stdout, "Port")


@pytest.mark.skipif(os.name == "nt", reason="permissions by chmod are POSIX's")
@pytest.mark.parametrize("name", ["notebooks", "labs", "solutions"])
def test_a_folder_without_write_permission_is_found(monkeypatch, name):
    with tempfile.TemporaryDirectory() as folder:  # root must give up its powers, and then reach it
        lab = Path(folder).resolve()
        lab.chmod(0o755)
        for each in ["notebooks", "labs", "solutions"]:
            (lab / each).mkdir()
            (lab / each).chmod(0o555 if each == name else 0o777)
        monkeypatch.setattr(doctor, "ROOT", lab)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            fine, text = doctor.folders()
        finally:
            os.seteuid(user)
    assert not fine
    assert text.startswith(f"Nothing can be written to {name} (Permission denied): copy the lab")


@pytest.mark.parametrize("part", ["OneDrive - School", "Mobile Documents", "Dropbox"])
def test_a_synchronised_folder_is_found(monkeypatch, tmp_path, part):
    monkeypatch.setattr(doctor, "ROOT", tmp_path / part / "lab")
    fine, text = doctor.place()
    assert not fine
    assert text.startswith(f"The folder {part} is synchronised")


# --- Each trouble, and its remedy ---

TROUBLES = []
PYTHON = sys._base_executable  # not an environment's
START = doctor.START


def trouble(sentence, *marks_given):
    """Register a function that makes a trouble and mends it as the sentence says.

    It yields what the doctor says in between and after it: (fine, text). In the sentence … stands
    for anything. Those that set a lab up are slow.
    """

    def register(function):
        slow = "small" in inspect.signature(function).parameters
        marks = [*marks_given, *[pytest.mark.slow] * slow]
        TROUBLES.append(pytest.param(sentence, function, id=function.__name__, marks=marks))
        return function

    return register


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Return a function that gives a lab with few packages, set up by start.py."""

    @functools.cache
    def make():
        folder = with_few_packages(tmp_path_factory.mktemp("small") / "lab")
        folder_before = says(folder, "This Python", python=PYTHON)
        set_up(folder)
        return folder, folder_before

    return make


def with_few_packages(folder):
    """Copy the lab, and lock only what a set-up needs, and six."""
    copy_lab(folder)
    path = folder / "Pipfile.lock"
    lock = json.loads(path.read_text(encoding="utf-8"))
    everything = lock["default"] | lock["train"] | lock["develop"]
    few = ["labkit", "packaging", "pip", "setuptools", "six", "uv"]
    lock |= {"default": {name: everything[name] for name in few}, "train": {}, "develop": {}}
    path.write_text(json.dumps(lock), encoding="utf-8")
    return folder


def set_up(folder):
    child = subprocess.run(
        [PYTHON, folder / "start.py", "setup"], capture_output=True, encoding="utf-8", timeout=300
    )
    if "Getting the installer failed" in child.stderr:
        pytest.skip(f"NOT TESTED, the package index can't be reached: {child.stderr[-200:]}")
    assert child.returncode == 0, child


def python_of(environment):
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def says(folder, words, python=None, **environment):
    """Return whether something is fine and the sentence about it, from the doctor of a folder."""
    python = python or python_of(folder / ".venv")
    text = line(run(folder, python=python, **environment).stdout, words)
    return text[0] == "✔", text[2:]


def metadata_of_six(environment):
    return next(environment.glob("**/site-packages/six-*.dist-info/METADATA"))


def spoil(environment):
    """Give six another version, as `pip install` would."""
    folder = metadata_of_six(environment).parent
    version = folder.name.removeprefix("six-").removesuffix(".dist-info")
    folder = folder.rename(folder.with_name("six-0.1.dist-info"))
    for name in ("METADATA", "RECORD"):
        text = (folder / name).read_text(encoding="utf-8").replace(version, "0.1")
        (folder / name).unlink()  # it may be linked to a cache
        (folder / name).write_text(text, encoding="utf-8")


@trouble(f"This Python is not the lab's but one outside of any environment, …: run {START} setup, "
         "which makes an environment of its own.")  # fmt: skip
def no_environment(small, **_):
    folder, before = small()
    yield before
    yield says(folder, "This Python")


@trouble(f"This Python is not the lab's but …: run {START} doctor, which asks the lab's own.")
def another_python(small, **_):
    folder, _ = small()
    yield says(folder, "This Python", python=PYTHON)
    command = [PYTHON, folder / "start.py", "doctor"]
    child = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8")
    text = line(child.stdout, "This Python")
    yield text[0] == "✔", text


@trouble(f"1 package differs from Pipfile.lock (six is 0.1 instead of …): run {START} setup.")
def another_version(small, **_):
    folder, _ = small()
    spoil(folder / ".venv")
    yield says(folder, "Pipfile.lock")
    set_up(folder)
    yield says(folder, "Pipfile.lock")


@trouble(f"2 packages differ from Pipfile.lock (packaging is damaged, six is missing): run {START} "
         "setup.")  # fmt: skip
def lost_files(small, **_):
    folder, _ = small()
    shutil.rmtree(metadata_of_six(folder / ".venv").parent)
    next((folder / ".venv").glob("**/site-packages/packaging/version.py")).unlink()
    yield says(folder, "Pipfile.lock")
    set_up(folder)
    yield says(folder, "Pipfile.lock")


@trouble(f"1 package differs from Pipfile.lock (…): close JupyterLab, then run {START} setup.")
def another_version_seen_from_a_notebook(monkeypatch, small, **_):
    folder, _ = small()
    monkeypatch.setattr(doctor, "ROOT", folder)
    monkeypatch.setattr(doctor, "in_notebook", lambda: True)
    monkeypatch.setattr(doctor, "differing_packages", lambda: (["six is missing"], []))
    yield doctor.packages()
    set_up(folder)
    yield says(folder, "Pipfile.lock")


@trouble(f"This Python is not the lab's but a venv, .venv: run {START} setup.")
def a_folder_that_was_moved(small, **_):
    folder, _ = small()
    moved = folder.rename(folder.with_name("moved"))
    try:
        yield says(moved, "This Python")
        set_up(moved)
        yield says(moved, "This Python")
    finally:
        moved.rename(folder)
        set_up(folder)


@trouble("1 package differs from Pipfile.lock (…): rename the folder .venv, which start.py did not "
         f"make, then run {START} setup.")  # fmt: skip
def an_environment_of_ones_own(small, **_):
    folder, _ = small()
    (folder / ".venv" / doctor.STAMP).unlink()
    spoil(folder / ".venv")
    yield says(folder, "Pipfile.lock")
    (folder / ".venv").rename(folder / "mine")
    set_up(folder)
    yield says(folder, "Pipfile.lock")


@trouble(
    "1 package differs from Pipfile.lock (six is …): run `python -m pipenv sync --dev`, and "
    "if that changes nothing, `python -m pipenv --rm` before it.",
    pytest.mark.slow,
)
def pipenv(tmp_path, **_):
    folder = with_few_packages(tmp_path / "lab")
    variables = os.environ | {"WORKON_HOME": str(tmp_path / "environments"),
                              "PIPENV_IGNORE_VIRTUALENVS": "1"}  # fmt: skip

    def call(*words):
        command = [sys.executable, "-m", "pipenv", *words]
        return subprocess.check_output(command, cwd=folder, env=variables, encoding="utf-8")

    call("sync", "--dev")
    environment = Path(call("--venv").strip())
    python = python_of(environment)
    spoil(environment)
    yield says(folder, "Pipfile.lock", python=python)
    call("sync", "--dev")
    assert says(folder, "Pipfile.lock", python=python)[0]
    next(environment.glob("**/site-packages/six.py")).unlink()
    call("sync", "--dev")
    assert not says(folder, "Pipfile.lock", python=python)[0]  # it changes nothing
    call("--rm")
    call("sync", "--dev")
    yield says(folder, "Pipfile.lock", python=python)


@trouble('1 package differs from Pipfile.lock (pandas is missing): run `conda env update --prefix '
         '"…" --file environment.yml`.')  # fmt: skip
def conda(monkeypatch, tmp_path, **_):
    (tmp_path / "conda-meta").mkdir()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    lacking = ["pandas is missing", "six is missing"]  # six is conda's own choice
    monkeypatch.setattr(doctor, "differing_packages", lambda: (lacking, []))
    yield doctor.packages()
    lacking.remove("pandas is missing")  # there is no conda here to do it
    yield doctor.packages()


@trouble(f"The notebook's kernel is not the lab's but a venv, …: close JupyterLab and open the lab "
         f"with {START} (in VS Code: {START} setup, then Select Kernel, .venv).")  # fmt: skip
def another_kernel(monkeypatch, tmp_path, **_):
    monkeypatch.setattr(doctor, "in_notebook", lambda: True)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(doctor, "ROOT", copy_of_the_lab(tmp_path))
        yield doctor.environment()
    yield doctor.environment()


@trouble(
    f"`python` in a terminal is …, not this notebook's: close JupyterLab and open it with {START}."
)
def another_terminal(monkeypatch, tmp_path, **_):
    name = "python.exe" if os.name == "nt" else "python"
    (tmp_path / name).touch()
    (tmp_path / name).chmod(0o755)
    monkeypatch.setattr("labkit.TERMINAL_PATH", str(tmp_path))  # PATH as labkit found it
    yield doctor.terminal()
    monkeypatch.setattr("labkit.TERMINAL_PATH", lab.terminal_variables()["PATH"])
    yield doctor.terminal()


@trouble(f"`python` in a terminal is not found: close JupyterLab and open it with {START}.")
def no_python_in_a_terminal(monkeypatch, tmp_path, **_):
    monkeypatch.setattr("labkit.TERMINAL_PATH", str(tmp_path))
    yield doctor.terminal()
    monkeypatch.setattr("labkit.TERMINAL_PATH", lab.terminal_variables()["PATH"])
    yield doctor.terminal()


@trouble("Python … is not supported: install one from 3.11.2 to 3.14 (README.md says how, at From "
         f"zero), then run {START}.")  # fmt: skip
def an_old_python(monkeypatch, **_):
    if python := old_python("3.8"):
        yield says(ROOT, "Python", python=python)
    else:
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(sys, "version_info", (3, 8, 18))
            yield doctor.python_version()
    yield says(ROOT, "is supported", python=PYTHON)


def in_git(tmp_path):
    """Return a copy of what the doctor looks at, as a clone would have it."""
    folder = copy_of_the_lab(tmp_path / "lab")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "the lab")
    return folder


@trouble("data/telco-customer-churn.csv is not the file that data/README.md describes: restore it "
         "with `git restore data Pipfile Pipfile.lock`, or get the lab anew.")  # fmt: skip
def altered_data(tmp_path, **_):
    folder = in_git(tmp_path)
    path = folder / doctor.DATA_FILE
    path.write_bytes(path.read_bytes().replace(b"Month-to-month", b"month-to-month", 1))
    yield says(folder, "data/README.md", python=PYTHON)
    git(folder, "restore", "data", "Pipfile", "Pipfile.lock")
    yield says(folder, "data/README.md", python=PYTHON)


@trouble("A file of the lab is missing or damaged (…): restore it with `git restore data Pipfile "
         "Pipfile.lock`, or get the lab anew.")  # fmt: skip
def damaged_files(monkeypatch, tmp_path, **_):
    folder = in_git(tmp_path)
    (folder / doctor.DATA_FILE).unlink()
    (folder / "Pipfile.lock").write_text("{", encoding="utf-8")
    monkeypatch.setattr(doctor, "ROOT", folder)
    assert not doctor.attempt(doctor.packages)[0]
    yield doctor.attempt(doctor.data)
    git(folder, "restore", "data", "Pipfile", "Pipfile.lock")
    assert "damaged (" not in doctor.attempt(doctor.packages)[1]
    yield doctor.attempt(doctor.data)


@trouble("Port … is taken by …: stop it (Ctrl+C in its terminal, or shut down the notebook that "
         "started it), then try again.")  # fmt: skip
def a_busy_port(monkeypatch, **_):
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken(monkeypatch, server)
        yield doctor.port()
    yield doctor.port()


@trouble("Port … is taken by another user's program, or one that the lab can't look into (a "
         "container, say): if it is a container of yours, stop that; if not, take a port of your "
         "own: stop JupyterLab, and start it with …LAB_PORT=….")  # fmt: skip
def another_users_port(monkeypatch, **_):
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken(monkeypatch, server)
        monkeypatch.setattr("labkit.service.is_mine", lambda process: False)
        troubled = doctor.port()
        monkeypatch.setenv("LAB_PORT", re.search(r"LAB_PORT=(\d+)", troubled[1])[1])
        mended = doctor.port()
    yield troubled
    yield mended


@trouble("LAB_PORT is …, and a port is a number from 1024 to 65535, as 9696.")
def a_port_that_is_none(monkeypatch, **_):
    monkeypatch.setenv("LAB_PORT", "80")
    yield doctor.port()
    monkeypatch.setenv("LAB_PORT", str(free_port()))
    yield doctor.port()


@trouble("Port … is taken by another program: stop it (Ctrl+C in its terminal, or shut down the "
         "notebook that started it); if it is another user's, set the variable LAB_PORT to another "
         "number, such as 9707, and start the lab anew.")  # fmt: skip
def a_port_and_a_python_without_psutil(monkeypatch, **_):
    monkeypatch.setitem(sys.modules, "labkit.service", None)  # importing it fails
    yield from a_busy_port(monkeypatch)


@trouble("1.0 GB of the disk are free, and the lab needs 1 GB: empty the trash, or remove what you "
         "don't need.")  # fmt: skip
def a_full_disk(monkeypatch, tmp_path, **_):
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / doctor.STAMP).touch()
    yield from disk_before_and_after(monkeypatch, tmp_path, 10**9)


@trouble("1.5 GB of the disk are free, and setting up needs 1.5 GB: empty the trash, or remove "
         "what you don't need.")  # fmt: skip
def a_full_disk_before_the_set_up(monkeypatch, tmp_path, **_):
    yield from disk_before_and_after(monkeypatch, tmp_path, set_up_module.NEEDED_MB * 10**6)


def disk_before_and_after(monkeypatch, folder, needed):
    monkeypatch.setattr(doctor, "ROOT", folder)
    usage = shutil.disk_usage(ROOT)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=needed - 1))
    yield doctor.disk()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=needed))
    yield doctor.disk()


@trouble("Nothing can be written to notebooks (…): copy the lab to a folder of your own, for "
         "example in your home folder.")  # fmt: skip
def a_foreign_folder(monkeypatch, tmp_path, **_):
    monkeypatch.setattr(doctor, "ROOT", tmp_path / "nowhere")
    yield doctor.folders()
    monkeypatch.setattr(doctor, "ROOT", copy_of_the_lab(tmp_path / "mine"))
    yield doctor.folders()


@trouble(
    "Nothing can be written to the home folder … (…), where programs keep settings; the lab "
    "runs all the same, and forgets those of JupyterLab: set … to a folder of your own."
)
def a_foreign_home(tmp_path, **_):
    name = "USERPROFILE" if os.name == "nt" else "HOME"
    yield says(ROOT, "home folder", **{name: str(tmp_path / "nowhere")})
    yield says(ROOT, "home folder", **{name: str(tmp_path)})


@trouble(
    "In a terminal outside JupyterLab, curl asks your proxy for http://localhost:9696: type "
    "`… no_proxy=.corp,localhost,127.0.0.1` there, or put it where the proxy is set."
)
def a_proxy(monkeypatch, **_):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name in ("http_proxy", "all_proxy"):
        proxy = {name: "http://proxy.example:3128"}
        troubled = says(ROOT, "proxy", NO_PROXY=".corp", **proxy)
        value = re.search(r"(?:export|set) no_proxy=(\S+)`", troubled[1])[1]
        mended = says(ROOT, "proxy", **proxy, no_proxy=value)
        assert mended[0]
        command = [sys.executable, "-m", "labkit.doctor"]  # labkit sets NO_PROXY itself
        environment = os.environ | proxy | {"NO_PROXY": ".corp", "PYTHONIOENCODING": "utf-8"}
        text = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, encoding="utf-8"
        ).stdout
        assert troubled[1] in text
    yield troubled
    yield mended


REMEDY_OF_PLACE = "move the lab, for example to your home folder."


def moved(monkeypatch, *places):
    for place in places:
        monkeypatch.setattr(doctor, "ROOT", place)
        yield doctor.place()


@trouble("The folder Dropbox is synchronised, which breaks environments: " + REMEDY_OF_PLACE)
def a_synchronised_folder(monkeypatch, tmp_path, **_):
    yield from moved(monkeypatch, tmp_path / "Dropbox" / "lab", tmp_path / "lab")


@trouble("`…` in the lab's path … separates folders in PATH, so no environment can be in it: "
         "rename that folder.")  # fmt: skip
def a_colon_in_the_path(monkeypatch, tmp_path, **_):
    yield from moved(monkeypatch, tmp_path / f"a{os.pathsep}b" / "lab", tmp_path / "a" / "lab")


@trouble("The lab's path is … characters long, 100 at most: " + REMEDY_OF_PLACE)
def a_long_path_on_windows(monkeypatch, tmp_path, **_):
    long, short = Path("x" * 101), Path("lab")
    monkeypatch.setattr(doctor.os, "pathsep", ";")
    places = moved(monkeypatch, long, long, short)
    assert next(places)[0], "elsewhere it is no trouble"
    monkeypatch.setattr(doctor.os, "name", "nt")
    said = list(places)
    monkeypatch.setattr(doctor.os, "name", "posix")
    yield from said


@pytest.mark.xdist_group("doctor")  # one worker: they share what was set up
@pytest.mark.parametrize(("sentence", "provoke"), TROUBLES)
def test_each_trouble_is_named_and_its_remedy_helps(
    sentence, provoke, monkeypatch, tmp_path, small
):
    troubled, mended = provoke(monkeypatch=monkeypatch, tmp_path=tmp_path, small=small)
    assert not troubled[0]
    assert re.fullmatch(".+".join(map(re.escape, sentence.split("…"))), troubled[1]), troubled[1]
    assert mended[0], mended


def pieces(source):
    """Return all pieces of sentences about trouble in the doctor's source."""
    found = set()
    for node in ast.parse(source).body:
        returned = [n.value for n in ast.walk(node) if isinstance(n, ast.Return)]
        fine = [value for value in returned if said(value) is True]
        if isinstance(node, ast.FunctionDef):
            if "remedy" not in node.name and not any(said(value) is False for value in returned):
                continue
            parts = node.body[1:] if ast.get_docstring(node) else node.body
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            parts = [node.value]
        else:
            continue
        others = [n for part in parts for n in ast.walk(part) if is_no_sentence(n)]
        unwanted = {id(n) for value in [*fine, *others] for n in ast.walk(value)}
        for n in (n for part in parts for n in ast.walk(part) if id(n) not in unwanted):
            if isinstance(n, ast.Constant) and isinstance(n.value, str) and " " in n.value.strip():
                found.add(n.value.strip())
    return found


def is_no_sentence(node):
    """Say whether a node is a comparison, a tuple of names or a regular expression's call."""
    return (
        isinstance(node, ast.Compare)
        or (isinstance(node, ast.Tuple) and all(isinstance(name_of(n), str) for n in node.elts))
        or (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re."))
    )


def name_of(node):
    return getattr(node, "value", None)  # of a constant


def said(value):
    """Return True or False of `return True, "text"`; None of any other value."""
    if isinstance(value, ast.Tuple) and isinstance(value.elts[0], ast.Constant):
        return value.elts[0].value
    return None


def without_test(source):
    sentences = [parameters.values[0] for parameters in TROUBLES]
    return {piece for piece in pieces(source) if not any(piece in each for each in sentences)}


def test_each_sentence_of_the_doctor_has_a_test():
    source = Path(doctor.__file__).read_text(encoding="utf-8")
    assert len(pieces(source)) > 30
    assert without_test(source) == set()


def test_a_sentence_without_a_test_is_noticed():
    made_up = "def moon():\n    return False, f'The {moon} is full: wait until it is new.'\n"
    assert without_test(made_up) == {"is full: wait until it is new."}
    made_up = "def moon():\n    return False, 'The moon is full.'\n"
    assert without_test(made_up) == {"The moon is full."}
    made_up = "def remedy_of_night():\n    return 'sleep' if tired else 'read on a while'\n"
    assert without_test(made_up) == {"read on a while"}


# --- The report ---

ANNA = {
    "HOME": "/home/anna",
    "USERPROFILE": "/home/anna",
    "USER": "anna",
    "USERNAME": "anna",
    "LOGNAME": "anna",
    "HOSTNAME": "annas-laptop",
    "COMPUTERNAME": "annas-laptop",
    "HTTPS_PROXY": "http://anna:secret@proxy.example:8080",
}


def test_the_report_says_what_a_helper_needs_to_know():
    result = run(ROOT, "--report")
    assert result.stderr == ""
    starts = [line.split(":")[0] for line in result.stdout.splitlines()[:6]]
    assert starts == [
        "System", "Python", "Folder", "Packages", "Pythons of a terminal", "Proxy settings",
    ]  # fmt: skip
    assert f"Python: {sys.version.split()[0]}, {doctor.kind()}" in result.stdout
    assert f"pandas {metadata.version('pandas')}" in result.stdout
    assert "✔ Python" in result.stdout
    assert result.returncode == (1 if "✘" in result.stdout else 0)


@pytest.mark.skipif(os.name == "nt", reason="its paths are POSIX's")
def test_the_report_names_no_user_no_host_and_no_home(tmp_path):
    homes = [
        tmp_path / "home" / "anna" / "bin",
        tmp_path / "Users" / "Anna" / "bin",
        tmp_path / "home" / "berta" / "bin",
        tmp_path / "disk_of_anna" / "bin",
        tmp_path / "annas-laptop" / "bin",
    ]
    for folder in homes:
        folder.mkdir(parents=True)
        (folder / "python").symlink_to(sys.executable)
    path = os.pathsep.join(map(str, homes))
    lab = copy_of_the_lab(homes[0].parent / "churn")
    text = run(lab, "--report", **ANNA | {"HOME": str(homes[0].parent), "PATH": path}).stdout
    assert "Folder: ~/churn\n" in text
    assert "~/bin/python, " in text
    assert "Proxy settings: HTTPS_PROXY" in text
    for name in ["anna", "berta", "laptop", "secret", "proxy.example", platform.node()]:
        assert name not in text.lower(), name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/anna/churn", "~/churn"),
        ("/home/anna", "~"),
        ("/home/anna-old/x", "/home/USER/x"),
        ("/disk/home/anna/x", "/disk/home/USER/x"),
        ("/Users/Berta Maria/x", "/Users/USER/x"),
        (r"C:\Users\BERTAM~1\AppData", r"C:\Users\USER\AppData"),
        ("/mnt/c/Users/berta/x", "/mnt/c/Users/USER/x"),
        ("/media/anna/stick", "/media/USER/stick"),
        ("/srv/Anna_2/x", "/srv/USER_2/x"),
        ("annas-laptop.local", "HOST.local"),
        ("berlin7.example and Berlin7", "HOST and HOST"),
        ("Python 3.12, hannah's annaconda", "Python 3.12, hannah's annaconda"),
    ],
)
def test_names_are_taken_out_of_a_line(monkeypatch, text, expected):
    monkeypatch.setattr(platform, "node", lambda: "berlin7.example")
    for name, value in ANNA.items():
        monkeypatch.setenv(name, value)
    assert doctor.private(text) == expected
