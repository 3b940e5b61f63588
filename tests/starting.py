"""How the tests run start.py, and see what it left."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

PYTHON = sys._base_executable  # not an environment's: start.py makes its own
VERSION = "{}.{}".format(*sys.version_info)
WINDOWS = os.name == "nt"
FIRST = {}  # what the first set-up of the whole lab said, and how many seconds it took
CACHES = ("UV_CACHE_DIR", "PIP_CACHE_DIR")  # where downloads are kept is what these tests decide
VARIABLES = {name: text for name, text in os.environ.items() if name not in CACHES}
NOWHERE = {  # an index that does not answer, and nothing beside it
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_FIND_LINKS": "",
    "PIP_RETRIES": "1",
    "UV_HTTP_RETRIES": "0",
}


def start(folder, *options, python=PYTHON, cwd=None, before=(), **variables):
    """Run start.py to its end and return what it said."""
    command = [*([python] if isinstance(python, str) else python), folder / "start.py", *options]
    return subprocess.run(
        [*before, *command],
        cwd=cwd,
        env=VARIABLES | variables,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def says(child, *texts):
    """Hold that a run said something; test_sentences reads these texts."""
    for text in texts:
        assert text in child.stdout + child.stderr, (text, child)
    assert "Traceback" not in child.stderr, child


def python_of(folder):
    return folder / ".venv" / ("Scripts/python.exe" if WINDOWS else "bin/python")


def site_packages(folder):
    return next((folder / ".venv").glob("Lib/site-packages" if WINDOWS else "lib/*/site-packages"))


def installed(folder):
    """Return the packages of an environment, with their versions: "six-1.17.0"."""
    files = site_packages(folder).glob("*.dist-info")
    return {file.name.removesuffix(".dist-info") for file in files}


def assert_whole(folder, modules="sklearn, pandas, jupyterlab"):
    """The environment works, start.py knows it, and nothing else is left."""
    code = f"import {modules}, labkit, sys; print(sys.prefix, labkit.__file__)"
    child = subprocess.run(
        [python_of(folder), "-c", code],
        cwd=folder.parent,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
    )
    expected = f"{folder / '.venv'} {folder / 'labkit' / '__init__.py'}\n"
    assert (child.stdout, child.stderr) == (expected, "")
    child = start(folder, "setup", **NOWHERE)
    assert (child.returncode, child.stdout, child.stderr) == (0, "", "")
    assert not os.path.lexists(folder / ".set-up")


def set_up(folder, cache, **options):
    """Set a lab up with all its packages; return what was said."""
    child = start(folder, "setup", UV_CACHE_DIR=cache, **options)
    assert (child.returncode, child.stderr) == (0, ""), child
    assert_whole(folder)
    return child.stdout


def first_set_up(folder, cache, hostile):
    """Set a lab up from nothing, among whatever could be in the way, and measure it.

    An active environment, another working folder with modules of our modules' names, and a
    console that can't write the folder's name must not matter.
    """
    for name in ("pip", "uv", "setuptools", "sklearn"):
        (hostile / f"{name}.py").write_text("raise ImportError('hostile')", encoding="utf-8")
    begun = time.monotonic()
    foreign = dict.fromkeys(("PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX"), str(hostile))
    FIRST["said"] = set_up(folder, cache, cwd=hostile, PYTHONIOENCODING="ascii", **foreign)
    FIRST["seconds"] = time.monotonic() - begun


def contents(folder):
    """Return the hashes of a folder's files, but bytecode and what JupyterLab's start writes."""
    return {
        str(path.relative_to(folder)): hashlib.sha1(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not {"__pycache__", "labkit"} & set(path.parts)
    }


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
