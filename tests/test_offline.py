"""The lab without internet, from a packed folder; hostile settings; many clones on one machine.

Most of it with a lab of few packages: what comes from where does not depend on their number.
"""

import json
import os
import re
import shutil
import stat
import subprocess

import pytest
from conftest import copy_lab
from starting import NOWHERE, PYTHON, VARIABLES, VERSION, find_python, says, start
from starting import assert_whole as assert_whole_lab
from test_package_settings import (
    HOSTILE_IN_PIPS_FILE,
    HOSTILE_IN_UVS_FILE,
    HOSTILE_NAMES,
    serving,
)

from labkit import ROOT, set_up

FEW = ("itsdangerous", "pip", "setuptools", "uv")


def assert_whole(folder):
    assert_whole_lab(folder, "itsdangerous")


def small_lab(folder):
    """Copy the lab with a lock of few packages."""
    copy_lab(folder)
    path = folder / "Pipfile.lock"
    lock = json.loads(path.read_text(encoding="utf-8"))
    for section in lock.keys() - {"_meta"}:
        lock[section] = {name: lock[section][name] for name in FEW if name in lock[section]}
    path.write_text(json.dumps(lock), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def packer(tmp_path_factory, cache):
    """A small lab that was set up over the internet, to pack its packages with."""
    folder = small_lab(tmp_path_factory.mktemp("packer") / "lab")
    child = start(folder, "setup", UV_CACHE_DIR=cache)
    assert (child.returncode, child.stderr) == (0, ""), child
    return folder


@pytest.fixture(scope="module")
def packed(packer, tmp_path_factory):
    """A folder that was packed, and served as somebody's stick before."""
    folder = tmp_path_factory.mktemp("stick") / "it's packed, 100%20 ü #1 [x]"
    folder.mkdir()
    (folder / "holiday.txt").write_text("mine", encoding="utf-8")
    (folder / "itsdangerous-9.9-py3-none-any.whl").touch()  # newer
    child = pack(packer, folder.name, cwd=folder.parent)
    says(child, f'setup --from "{folder}"')
    return folder


def pack(packer, folder, **options):
    child = start(packer, "pack", folder, **options)
    assert (child.returncode, child.stderr) == (0, ""), child
    return child


@pytest.fixture
def stick(packed, tmp_path):
    """A copy of the packed folder that a test may damage."""
    return shutil.copytree(packed, tmp_path / "stick")


@pytest.fixture
def lab(tmp_path):
    return small_lab(tmp_path / "lab")


@pytest.fixture(scope="session")
def alone():
    """The words before a command that take the network away from it."""
    words = ["unshare", "--map-root-user", "--net"]
    code = "import socket; socket.create_connection(('127.0.0.1', 9))"
    if not shutil.which("unshare"):
        pytest.skip("NOT TESTED: only Linux's unshare takes the network away from a command")
    child = subprocess.run([*words, PYTHON, "-c", code], capture_output=True, encoding="utf-8")
    if "Network is unreachable" not in child.stderr:
        pytest.skip(f"NOT TESTED, the network can't be taken away here: {child.stderr[-200:]}")
    return words


def set_up_from(lab, place, **options):
    child = start(lab, "setup", "--from", str(place), **options)
    assert (child.returncode, child.stderr) == (0, ""), child
    assert_whole(lab)


# --- Packing ---


def test_packing_loses_nothing_and_mends_what_is_damaged(packer, stick):
    before = {path.name: path.read_bytes() for path in stick.iterdir()}
    damaged = next(stick.glob("itsdangerous-2*"))
    damaged.write_bytes(damaged.read_bytes()[:-10])
    next(stick.glob("setuptools*")).unlink()
    says(pack(packer, stick), "needs no internet: ")
    assert {path.name: path.read_bytes() for path in stick.iterdir()} == before
    assert len(before) == len(FEW) + 2


def test_packing_without_internet_is_refused(packer, stick):
    child = start(packer, "pack", str(stick), **NOWHERE | {"PIP_RETRIES": "1"})
    assert child.returncode == 1 and len(list(stick.iterdir())) == len(FEW) + 2
    says(child, "Downloading the packages into ", "check the internet connection (README.md")


def test_packing_where_nothing_can_be_written_is_refused(packer, tmp_path):
    (tmp_path / "a file").touch()
    child = start(packer, "pack", str(tmp_path / "a file"))
    assert child.returncode == 1
    says(child, "Nothing can be packed into ", "name another folder")


# --- Setting up from a packed folder ---


def test_setting_up_asks_nothing_of_the_network(alone, lab, packed):
    set_up_from(lab, packed.name, before=alone, cwd=packed.parent)


def test_a_packed_folder_can_be_served(lab, packed):
    dead_proxy = NOWHERE | {"UV_OFFLINE": "1", "http_proxy": "http://127.0.0.1:9"}
    asked = {"no_proxy": "", "NO_PROXY": "", "PIP_RETRIES": "0"}
    with serving(packed) as server:
        address = f"http://{server.place}"
        child = start(lab, "setup", "--from", address, **dead_proxy | asked)
        assert child.returncode == 1
        says(child, f"{address} does not answer, or lacks what this system and this Python need: ")
        says(child, "where a proxy is set, put that address into no_proxy; else ask whoever serves")
        set_up_from(lab, address, **dead_proxy | {"no_proxy": "127.0.0.1"})


@pytest.mark.parametrize("name", ["nowhere", "empty", "a file"])
def test_what_is_no_packed_folder(name, lab, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a file").touch()
    child = start(lab, "setup", "--from", name, cwd=tmp_path)
    assert child.returncode == 1 and not (lab / ".set-up").exists()
    says(child, f"{tmp_path / name} is not a folder with packages: fill one with ", "pack FOLDER")


def test_what_is_not_served(lab):
    child = start(lab, "setup", "--from", "http://127.0.0.1:9/")
    assert child.returncode == 1 and not (lab / ".set-up").exists()
    says(child, "http://127.0.0.1:9/ does not answer (", "ask whoever serves it")


def test_a_folder_that_lacks_a_package(lab, packer, stick):
    next(stick.glob("itsdangerous-2*")).unlink()  # got with uv
    child = start(lab, "setup", "--from", str(stick))
    assert child.returncode == 1
    says(child, f"{stick} lacks what this system and this Python need: fill it with ")
    pack(packer, stick)
    set_up_from(lab, stick)


def test_a_folder_with_a_damaged_package(lab, packer, stick):
    file = next(stick.glob("uv-*"))  # got with pip
    content = file.read_bytes()
    file.write_bytes(content[:1000] + b"x" + content[1001:])
    child = start(lab, "setup", "--from", str(stick))
    assert child.returncode == 1
    says(child, "what came is not the file that Pipfile.lock names")
    says(child, "run `pack` into a packed folder again")
    pack(packer, stick)
    set_up_from(lab, stick)


def test_a_folder_for_another_python(lab, packed):
    python = find_python("3.12" if VERSION != "3.12" else "3.13")
    path = lab / "Pipfile.lock"
    lock = json.loads(path.read_text(encoding="utf-8"))
    whole = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    lock["default"]["numpy"] = whole["default"]["numpy"]  # of which each Python has its own file
    path.write_text(json.dumps(lock), encoding="utf-8")
    numpy = lock["default"]["numpy"]["version"].lstrip("=")
    tag = f"cp{VERSION.replace('.', '')}"
    wheel = packed / f"numpy-{numpy}-{tag}-{tag}-manylinux_2_28_x86_64.whl"
    wheel.touch()
    try:
        child = start(lab, "setup", "--from", str(packed), python=python)
    finally:
        wheel.unlink()
    assert child.returncode == 1
    says(child, f"{packed} lacks what this system and this Python need: fill it with ")


def test_the_whole_lab_and_its_tests_need_no_internet(alone, cache, tmp_path):
    packer = copy_lab(tmp_path / "packer")
    pack(packer, str(tmp_path / "stick"), UV_CACHE_DIR=cache)
    assert_sizes_as_announced(tmp_path / "stick")
    lab = copy_lab(tmp_path / "lab")
    few = ("-n0", "-k", "test_data_card", "--ignore-glob=*/test_[!d]*.py")
    options = ("--from", str(tmp_path / "stick"), *few)
    child = start(lab, "test", *options, before=alone)
    assert child.returncode == 0 and " passed" in child.stdout, child
    assert_whole_lab(lab)


def assert_sizes_as_announced(folder):
    """Hold the megabytes that README and start.py tell against the packages of a folder."""
    lock = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    packed = dict.fromkeys(("learners", "tests"), 0)
    for file in folder.iterdir():
        name = file.name.split("-")[0].replace("_", "-").lower()
        packed["tests" if name in lock["test"] else "learners"] += file.stat().st_size / 10**6
    assert packed["learners"] == pytest.approx(set_up.DOWNLOAD_MB, rel=0.1)
    assert packed["tests"] == pytest.approx(set_up.TESTS_DOWNLOAD_MB, rel=0.1)
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"downloads about {set_up.DOWNLOAD_MB} MB" in readme
    assert f"About {set_up.DOWNLOAD_MB} MB go to each learner" in readme
    assert f"only the tests need, about {set_up.TESTS_DOWNLOAD_MB} MB more" in readme
    told = int(re.search(r"for one kind it has about (\d+) MB", readme)[1])
    assert sum(packed.values()) == pytest.approx(told, rel=0.1)
    told = int(re.search(r"For 300 of them that is (\d+) GB", readme)[1])
    assert told == 300 * set_up.DOWNLOAD_MB / 1000


# --- Many clones ---


@pytest.mark.skipif(os.name == "nt", reason="the size that README tells is Linux's")
def test_a_further_clone_takes_the_disk_that_readme_tells(built, cache, tmp_path):
    """Its packages are links to those in the cache."""
    clone = copy_lab(tmp_path / "clone")
    child = start(clone, "setup", UV_CACHE_DIR=cache)
    assert (child.returncode, child.stderr) == (0, ""), child
    entries = [path.lstat() for path in clone.rglob("*")]
    own = [entry for entry in entries if entry.st_nlink == 1 or stat.S_ISDIR(entry.st_mode)]
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    told = int(re.search(r"each further one (\d+) MB", readme)[1])
    assert sum(entry.st_blocks * 512 for entry in own) / 10**6 == pytest.approx(told, rel=0.2)


def test_a_cache_of_somebody_elses_is_refused(lab, packed, tmp_path):
    (tmp_path / "a file").touch()  # as little a folder to write in as another user's
    child = start(lab, "setup", "--from", str(packed), UV_CACHE_DIR=str(tmp_path / "a file/x"))
    assert child.returncode == 1
    says(child, "the folder in UV_CACHE_DIR, which keeps downloads, is not yours to write in")
    set_up_from(lab, packed, UV_CACHE_DIR=str(tmp_path / "own"))


# --- Settings of all kinds, all at once ---

DISTUTILS = """
[install]
prefix = /nowhere
user = 1
[bdist_wheel]
universal = 1
"""


def test_hostile_settings_do_no_harm_and_the_mirror_counts(lab, packed, tmp_path):
    """In variables, in pip's, uv's and setuptools' files, in the folders around."""
    index = tmp_path / "index" / "simple"
    for file in packed.glob("*.whl"):
        place = index / file.name.split("-")[0]
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    home = tmp_path / "home"
    outside = {"HOME": home, "USERPROFILE": home, "APPDATA": home}
    outside |= {"XDG_CONFIG_HOME": home, "XDG_CONFIG_DIRS": tmp_path / "system"}
    with serving(index.parent) as server:
        mirror = f"index-url = http://{server.place}/simple\n"
        pips = HOSTILE_IN_PIPS_FILE.replace("[global]\n", f"[global]\n{mirror}")
        for path, text in {
            home / "pip" / ("pip.ini" if os.name == "nt" else "pip.conf"): pips,
            home / "uv" / "uv.toml": HOSTILE_IN_UVS_FILE,
            tmp_path / "system" / "uv" / "uv.toml": HOSTILE_IN_UVS_FILE,
            home / (".pydistutils.cfg" if os.name == "posix" else "pydistutils.cfg"): DISTUTILS,
            tmp_path / "pyproject.toml": '[tool.uv.workspace]\nmembers = ["nowhere"]\n',
            tmp_path / "uv.toml": HOSTILE_IN_UVS_FILE,
            tmp_path / "setup.cfg": DISTUTILS,
        }.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        variables = {name: text for name, text in VARIABLES.items() if name[:4] != "PIP_"}
        # What would keep start.py's own Python from starting, or from ending.
        fatal = ("PYTHONHOME", "PYTHONPLATLIBDIR", "PYTHONINSPECT", "PYTHONVERBOSE")
        hostile = {name: "1" for name in HOSTILE_NAMES.split() if name not in fatal}
        hostile |= {"PYTHONWARNINGS": "error", "UV_LINK_MODE": "symlink"}
        hostile |= {name: str(path) for name, path in outside.items()}
        child = subprocess.run(
            [PYTHON, lab / "start.py", "setup"],
            env=variables | hostile,
            capture_output=True,
            encoding="utf-8",
        )
        assert (child.returncode, child.stderr) == (0, ""), child
        assert any(path.endswith(".whl") for path in server.requests)
    assert_whole(lab)
