"""What several tests share: what is slow, copies and set-ups of the lab, a model, services."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# The figures in notebooks and tests are those of OpenBLAS's Haswell kernels (see lesson 01).
os.environ.setdefault("OPENBLAS_CORETYPE", "Haswell")
os.environ["LAB_DOCKER"] = "0"  # no test waits for an engine but image.py

import pytest
import starting

from labkit import ROOT, SOLUTIONS
from labkit.service import free_port, start

SET_UP = ("built", "kept", "packer")  # fixtures that set up another lab: each on one worker, once
STARTS_A_SERVICE = {"03", "04", "05", "06", "07", "09"}  # the lessons that do, on port 9696


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    """Leave out what is slow, as every set-up of another lab is.

    Keep a lesson's cells together, and apart from others on its port.
    """
    reason = "left out: takes long; .ci/run runs it (LAB_SLOW=1)"
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))  # a lesson's cell has none
        if "cache" in fixtures:
            item.add_marker("slow")
        for fixture in fixtures & set(SET_UP):
            item.add_marker(pytest.mark.xdist_group(fixture))
        if item.get_closest_marker("slow") and not os.environ.get("LAB_SLOW"):
            item.add_marker(pytest.mark.skip(reason=reason))
        if item.path.suffix == ".ipynb":
            own_service = item.path.stem[:2] in STARTS_A_SERVICE
            group = "port9696" if own_service else item.path.stem
            item.add_marker(pytest.mark.xdist_group(group))


def copy_lab(folder):
    """Copy what git would keep of this repository, without what was built or made here."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    try:
        output = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        files = [ROOT / name for name in output.decode("utf-8").split("\0") if name]
        for file in filter(Path.is_file, files):
            target = folder / file.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    except (OSError, subprocess.CalledProcessError):  # no git here
        shutil.copytree(
            ROOT,
            folder,
            ignore=shutil.ignore_patterns(".venv*", ".set-up", "my", "work", "work-*", ".git"),
        )
    return folder


def git(folder, *words):
    """Run git in a folder, as somebody, and free of this machine's settings that would matter."""
    who = ["-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "commit.gpgsign=false"]
    bare = {name: text for name, text in os.environ.items() if name[:4] != "GIT_"}
    command = ["git", *who, "-c", "core.autocrlf=false", *words]
    subprocess.run(command, cwd=folder, env=bare, check=True, capture_output=True)


def assert_one_sentence(text, *words):
    """Hold that a message is one line, no stack trace, and has the words."""
    assert isinstance(text, str)
    assert len(text.strip().splitlines()) == 1, text
    assert "Traceback" not in text
    for word in words:
        assert word in text


@pytest.fixture(scope="session")
def model_file(tmp_path_factory) -> Path:
    """A model that train.py made for this run, with its card beside it."""
    path = tmp_path_factory.mktemp("model") / "churn-model.bin"
    subprocess.run(
        [sys.executable, SOLUTIONS / "train.py", "--out", path], check=True, capture_output=True
    )
    return path


@pytest.fixture(scope="session")
def churn_service(model_file):
    """The churn service, running on a free port."""
    with start("churn_serving.py", port=free_port(), CHURN_MODEL=str(model_file)) as service:
        yield service


@pytest.fixture(scope="session")
def service_url(request) -> str:
    """Where the contract is tested: CHURN_SERVICE_URL (a container, say), else our own service."""
    url = os.environ.get("CHURN_SERVICE_URL")
    return url.rstrip("/") if url else request.getfixturevalue("churn_service").url


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> str:
    """The downloads that tests of start.py share; skips where no package can be had."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--no-deps", "--no-cache", "-q", "-"]
    child = subprocess.run(command, input="six", capture_output=True, encoding="utf-8", timeout=120)
    if child.returncode:
        reason = child.stderr.strip()[-200:]
        pytest.skip(f"NOT TESTED, the package index can't be reached: {reason}")
    return str(tmp_path_factory.getbasetemp() / "uv cache")


@pytest.fixture(scope="session")
def built(tmp_path_factory, cache) -> Path:
    """A lab that start.py has set up; a test may break it, if it mends it."""
    folder = copy_lab(tmp_path_factory.mktemp("built") / "Café mit Umlaut ü")
    starting.first_set_up(folder, cache, tmp_path_factory.mktemp("hostile"))
    return folder


@pytest.fixture(scope="session")
def eb_python(tmp_path_factory) -> Path:
    """A Python that has the EB CLI: EB_CLI_PYTHON, or one that is made as lesson 9 says."""
    if given := os.environ.get("EB_CLI_PYTHON"):
        return Path(given)
    folder = tmp_path_factory.mktemp("eb")
    python = folder / "eb" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    command = [sys.executable, "-m", "pipenv", "requirements", "--categories", "cloud", "--hash"]
    quiet = os.environ | {"PIPENV_VERBOSITY": "-1"}
    with (folder / "eb.txt").open("wb") as lines:
        subprocess.run(command, cwd=ROOT, check=True, stdout=lines, env=quiet)
    subprocess.run([sys.executable, "-m", "venv", folder / "eb"], check=True)
    command = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*command, "-r", folder / "eb.txt"], check=True)
    return python
