"""labkit.doctor: healthy machines are told so, and each trouble is provoked and found."""

import hashlib
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
from jupyter_client.manager import start_new_kernel
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from labkit import ROOT, doctor
from labkit.service import start

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
    result = run()
    assert time.monotonic() - began < 5
    marks = [line[0] for line in result.stdout.splitlines()]
    assert marks == ["✔"] * 8, result.stdout
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


@pytest.mark.parametrize("version", ["3.8", "3.10"])
def test_an_old_python_is_told_so_in_a_sentence(version):
    pythons = [
        *Path.home().glob(f".pyenv/versions/{version}.*/bin/python"),
        *filter(None, [shutil.which(f"python{version}")]),
    ]
    if not pythons:
        pytest.skip(f"this machine has no Python {version}")
    result = run(python=pythons[0])
    assert re.fullmatch(
        rf"✘ Python {version}\.\d+ is not supported: install one from 3\.11\.2 to 3\.14, "
        r"then run (python3|py) start\.py\.\n",
        result.stdout,
    )
    assert (result.returncode, result.stderr) == (1, "")
    assert "Folder: " in run(ROOT, "--report", python=pythons[0]).stdout


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
def test_other_versions_and_missing_packages_are_summarised(tmp_path):
    for name in ["requests", "tqdm", "six"]:
        (original,) = Path(metadata.distribution(name).locate_file("")).glob(f"{name}-*.dist-info")
        shutil.copytree(original, tmp_path / original.name)
        path = tmp_path / original.name / "METADATA"
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"(?m)^Version: .*", "Version: 0.1", text), encoding="utf-8")
    result = run(PYTHONPATH=str(tmp_path))
    wanted = {name: entry["version"][2:] for name, entry in ENTRIES if "version" in entry}
    assert (
        "✘ 3 packages differ from Pipfile.lock (requests is 0.1 instead of "
        f"{wanted['requests']}, six is 0.1 instead of {wanted['six']}, tqdm is 0.1"
    ) in result.stdout
    assert result.returncode == 1


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
    missing = ["pandas is missing", "six is missing"]
    monkeypatch.setattr(doctor, "differing_packages", lambda: (missing, []))
    fine, text = doctor.packages()
    assert not fine
    assert text.startswith("1 package differs from Pipfile.lock (pandas is missing): run `conda ")


@pytest.mark.parametrize(("platform", "name", "system"), SYSTEMS)
@pytest.mark.parametrize("python", ["3.11.5", "3.14.2"])
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


def test_another_python_than_the_labs_is_found(tmp_path):
    environment = tmp_path / "other"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    lab = copy_of_the_lab(tmp_path)
    text = run(lab, python=python).stdout
    assert line(text, "This Python").startswith("✘ This Python is not the lab's but a venv, other:")
    assert "which sets one up." in line(text, "This Python")
    assert "Pipfile.lock" not in text  # its packages don't matter
    (lab / ".venv").mkdir()
    assert "start.py doctor, which asks the lab's own." in run(lab, python=python).stdout


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


def test_a_terminal_without_python_is_found(monkeypatch, tmp_path):
    monkeypatch.setattr("labkit.TERMINAL_PATH", str(tmp_path))  # PATH as labkit found it
    fine, text = doctor.terminal()
    assert not fine
    assert text.startswith("`python` in a terminal is not found: ")


# --- Data, port, disk, folders ---


def test_an_altered_or_missing_data_file_is_found(tmp_path):
    lab = copy_of_the_lab(tmp_path)
    path = lab / doctor.DATA_FILE
    assert line(run(lab).stdout, "data/README.md").startswith("✔ " + doctor.DATA_FILE)
    path.write_bytes(path.read_bytes().replace(b"Month-to-month", b"month-to-month", 1))
    assert line(run(lab).stdout, "data/README.md").startswith("✘ " + doctor.DATA_FILE)
    path.unlink()
    assert line(run(lab).stdout, "missing or damaged").startswith("✘ A file of the lab")


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


def test_without_psutil_the_holder_of_a_port_is_another_program(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(doctor, "PORT", server.getsockname()[1])
        assert str(os.getpid()) in doctor.port()[1]
        monkeypatch.setitem(sys.modules, "labkit.service", None)  # importing it fails
        fine, text = doctor.port()
    assert not fine
    assert text.startswith(f"Port {doctor.PORT} is taken by another program: stop it")


def test_a_full_disk_is_found(monkeypatch):
    usage = shutil.disk_usage(ROOT)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=999_999_999))
    fine, text = doctor.disk()
    assert not fine
    assert text.startswith("1.0 GB of the disk are free, and the lab needs 1 GB")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**9))
    assert doctor.disk()[0]


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


def test_a_folder_that_is_missing_is_found(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    fine, text = doctor.folders()
    assert not fine
    assert "notebooks" in text


def test_a_damaged_lock_is_found(monkeypatch, tmp_path):
    lab = copy_of_the_lab(tmp_path)
    (lab / "Pipfile.lock").write_text("{", encoding="utf-8")
    monkeypatch.setattr(doctor, "ROOT", lab)
    fine, text = doctor.attempt(doctor.packages)
    assert not fine
    assert text.startswith("A file of the lab is missing or damaged (Expecting property name")


@pytest.mark.parametrize("part", ["OneDrive - School", "Mobile Documents", "Dropbox"])
def test_a_synchronised_folder_is_found(monkeypatch, tmp_path, part):
    monkeypatch.setattr(doctor, "ROOT", tmp_path / part / "lab")
    fine, text = doctor.place()
    assert not fine
    assert text.startswith(f"The folder {part} is synchronised")


def test_a_long_path_is_a_trouble_on_windows_only(monkeypatch):
    monkeypatch.setattr(doctor, "ROOT", ROOT / ("x" * 100))
    monkeypatch.setattr(doctor.os, "name", "nt")
    fine, text = doctor.place()
    monkeypatch.setattr(doctor.os, "name", "posix")
    assert not fine
    assert "characters long, 100 at most" in text
    assert doctor.place()[0]


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
