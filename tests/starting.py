"""How the tests run start.py and JupyterLab, and see what they left."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
import websocket

from labkit import ROOT
from labkit.service import wait_until

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
    """Set a lab up from nothing, among whatever could be in the way, and time it.

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


BARE = {
    name: os.environ[name]
    for name in ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "USERPROFILE", "APPDATA")
    if name in os.environ
}
BY_MODULE = (sys.executable, "-m", "labkit.lab")


class Lab:
    """JupyterLab without a browser, by labkit.lab or another command: what it says, its address."""

    def __init__(
        self,
        *options,
        folder=ROOT,
        command=BY_MODULE,
        as_user=(),
        words=r"token=|asks for",
        **environment,
    ):
        self.folder = folder
        self.process = subprocess.Popen(
            [*as_user, *command, "--no-browser", *options],
            cwd=folder,
            env=BARE | {"PYTHONUNBUFFERED": "1"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.output, self.token = "", ""
        for line in self.process.stdout:
            self.output += line
            if re.search(words, line):
                break
        addresses = re.findall(r"http://(127\.0\.0\.1:\d+)(/lab\S*?)(?:\?token=(\w+))?$",
                               self.output, re.M)  # fmt: skip
        if not addresses:
            self.process.kill()
            raise AssertionError(self.output)
        self.host, self.page, self.token = addresses[-1]
        if not wait_until(self.answers, 60):
            self.process.kill()
            raise AssertionError(self.output)

    def answers(self):
        try:
            return requests.get(f"http://{self.host}/api", timeout=30).ok  # without a token, too
        except requests.ConnectionError:
            return False

    def ask(self, path, method="GET", **options):
        response = requests.request(
            method, f"http://{self.host}{path}", params={"token": self.token}, timeout=30, **options
        )
        response.raise_for_status()
        return response.json() if response.content else None

    def connect(self, path):
        address = f"ws://{self.host}{path}?token={self.token}"
        return websocket.create_connection(address, timeout=30)

    def run_in_kernel(self, code):
        """Run code in a new kernel and return what it prints."""
        kernel = self.ask("/api/kernels", "POST", json={})["id"]
        connection = self.connect(f"/api/kernels/{kernel}/channels")
        header = {"msg_id": "1", "msg_type": "execute_request", "username": "", "session": "1"}
        content = {"code": code, "silent": False}
        message = {"header": header | {"version": "5.3"}, "parent_header": {}, "metadata": {}}
        connection.send(json.dumps(message | {"content": content, "channel": "shell"}))
        printed = ""
        while True:  # raises at the time limit
            message = json.loads(connection.recv())
            if message["parent_header"].get("msg_id") != "1":
                continue
            assert message["msg_type"] != "error", message["content"]
            printed += message["content"].get("text", "")
            if message["content"].get("execution_state") == "idle":
                break
        connection.close()
        self.ask(f"/api/kernels/{kernel}", "DELETE")
        return printed

    def type_in_terminal(self, line, until):
        """Type a line into a new terminal and return its output up to a pattern."""
        name = self.ask("/api/terminals", "POST", json={})["name"]
        connection = self.connect(f"/terminals/websocket/{name}")
        connection.send(json.dumps(["stdin", line + "\r"]))
        output = ""
        while not re.search(until, output):  # raises at the time limit
            kind, text = json.loads(connection.recv())[:2]
            output += text if kind == "stdout" else ""
        connection.close()
        return output

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.output += self.process.communicate(timeout=30)[0]
