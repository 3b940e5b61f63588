"""labkit.lab on other people's machines: homes, passwords, proxies, shells, other users."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import nbformat
import pytest
import requests
from nbclient import NotebookClient
from starting import BARE, Lab

from labkit import ROOT, lab

posix_only = pytest.mark.skipif(os.name == "nt", reason="it is about POSIX systems")
# Another user, without an entry in the system's list, who can read everything (this Python, too,
# which may lie in root's home) and write only what all may write.
ANOTHER_USER = [
    *("setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups"),
    *("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"),
]


def assert_works(running):
    """Hold that a kernel and a terminal run this environment's Python, without a complaint."""
    code = "import sys, matplotlib.pyplot as plt; print(sys.prefix)"
    assert running.run_in_kernel(code) == sys.prefix + "\n"
    line = "python -c 'import os, sys; print(\">\" + sys.prefix, os.getcwd())'"
    running.type_in_terminal(line, f">{re.escape(f'{sys.prefix} {ROOT}')}")


# --- Homes and other users ---


@pytest.fixture
def as_user():
    """The words that run a command as somebody who can't write into what is ours."""
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("only root can start a program as another user")
    if not shutil.which("setpriv"):
        pytest.skip("there is no setpriv on this machine")
    return ANOTHER_USER


@pytest.fixture
def home():
    """A home folder that others can read; pytest's own folders let nobody in."""
    with tempfile.TemporaryDirectory(prefix="home of a learner ") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.slow
def test_a_home_and_an_environment_of_somebody_else(as_user, home):
    (home / ".ipython").mkdir()
    settings = home / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True)
    dark = json.dumps({"theme": "JupyterLab Dark"})
    (settings / "themes.jupyterlab-settings").write_text(dark, encoding="utf-8")
    foreign = {name: str(home / "x") for name in ("XDG_RUNTIME_DIR", "JUPYTER_RUNTIME_DIR")}
    begun = {str(path) for path in home.rglob("*")}
    with Lab(as_user=as_user, HOME=str(home), **foreign) as running:
        assert_works(running)
        url = "/lab/api/settings/@jupyterlab/apputils-extension:themes"
        assert running.ask(url)["raw"] == dark
    assert {str(path) for path in home.rglob("*")} == begun
    assert "Traceback" not in running.output


@pytest.mark.parametrize("home", ["/", pytest.param("", marks=pytest.mark.slow)])
def test_a_user_without_a_home(as_user, home):
    with Lab(as_user=as_user, HOME=home) as running:
        assert_works(running)
    assert "Traceback" not in running.output


@posix_only
def test_folders_that_can_be_written_stay_where_they_are(monkeypatch, home, tmp_path):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in [name for name in os.environ if name.startswith(("XDG_", "JUPYTER", "MPLCONFIG"))]:
        del os.environ[name]
    os.environ |= {"HOME": str(home), "IPYTHONDIR": "/dev/null/x"}
    before = dict(os.environ)
    lab.replace_unwritable(tmp_path)
    assert {name for name in os.environ if os.environ[name] != before.get(name)} == {"IPYTHONDIR"}
    assert list(home.iterdir()) == []
    assert Path(os.environ["IPYTHONDIR"]).parent == tmp_path / "home"


# --- Passwords and addresses ---


def test_with_a_password_the_address_is_printed_and_the_port_is_the_real_one(home):
    from jupyter_server.auth import passwd

    (home / ".jupyter").mkdir()
    config = {"IdentityProvider": {"hashed_password": passwd("a secret word", "sha1")}}
    file = home / ".jupyter/jupyter_server_config.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with Lab(f"--port={port}", HOME=str(home), USERPROFILE=str(home)) as running:
            assert (running.page, running.token) == ("/lab/tree/notebooks/00_start_here.ipynb", "")
            assert not running.host.endswith(f":{port}")
            assert "password" in requests.get(f"http://{running.host}/login", timeout=30).text
            assert "It asks for the password or token of your own" in running.output


@pytest.mark.slow
def test_a_token_of_ones_own_is_asked_for_and_not_shown():
    with Lab("--ip=0.0.0.0", JUPYTER_TOKEN="my-own") as running:
        assert "It asks for the password or token of your own" in running.output
        assert requests.get(f"http://{running.host}/api/contents", timeout=30).status_code == 403
    assert "my-own" not in running.output


def test_where_nothing_is_asked_for_the_user_is_told():
    server = SimpleNamespace(
        identity_provider=SimpleNamespace(auth_enabled=False),
        ip="127.0.0.1",
        public_url="http://127.0.0.1:8888/lab",
    )
    assert "    http://127.0.0.1:8888/lab\nIt asks for no password" in lab.address(server)


# --- Proxies ---


class Refusing(BaseHTTPRequestHandler):
    """A proxy that knows nobody, or a service that says PONG."""

    def do_GET(self):
        proxy = self.path.startswith("http")
        self.send_response(503 if proxy else 200)
        self.end_headers()
        self.wfile.write(b"the proxy" if proxy else b"PONG")

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("scheme", ["http", pytest.param("socks5", marks=pytest.mark.slow)])
def test_no_proxy_comes_between_a_terminal_or_a_notebook_and_this_machine(scheme):
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://localhost:{server.server_port}"
        proxy = f"{scheme}://127.0.0.1:9"
        names = ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"]
        with Lab(NO_PROXY="example.org", **dict.fromkeys(names, proxy)) as running:
            code = f"import requests; print(requests.get('{url}').text)"
            assert running.run_in_kernel(code) == "PONG\n"
            if os.name != "nt" and shutil.which("curl"):
                running.type_in_terminal(f"curl -s {url}/; echo $no_proxy", "PONGexample.org,local")
        server.shutdown()


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "localhost,127.0.0.1"),
        ("*", "*"),
        (".corp,::1", ".corp,::1,localhost,127.0.0.1"),
        ("localhost,x", "localhost,x,127.0.0.1"),
    ],
)
def test_exceptions_of_the_user_hold_for_every_program(name, given, expected):
    code = "import os, labkit; print(os.environ.get('no_proxy'), os.environ.get('NO_PROXY'))"
    child = subprocess.run(
        [sys.executable, "-c", code], env=BARE | {name: given}, capture_output=True, text=True
    )
    assert set(child.stdout.split()) - {"None"} == {expected}


# --- Shells ---

LINE = "python -c \"import os, sys; print(sys.prefix, os.getcwd(), os.environ['READ'])\"\n"


@posix_only
@pytest.mark.parametrize("shell", ["sh", "dash", "ksh", "csh", "tcsh"])
def test_other_shells_end_up_with_this_python_first(monkeypatch, home, shell):
    program = shutil.which(shell)
    if not program:
        pytest.skip(f"no {shell} on this machine")
    (home / "python").write_text("#!/bin/sh\necho hostile\n", encoding="utf-8")
    (home / "python").chmod(0o755)
    lines = f'export PATH="{home}:$PATH" READ=yes PYTHONHOME=/nowhere\nalias python=false\n'
    (home / ".shrc").write_text(lines, encoding="utf-8")
    lines = f'setenv PATH "{home}:$PATH"\nsetenv READ yes\nalias python false\n'
    (home / ".cshrc").write_text(lines, encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("ENV", "$HOME/.shrc")
    child = subprocess.run(
        [*lab.terminal_command(program, home / "a b"), "-i"],
        input=LINE + "echo $HOME ~\n",
        env=os.environ | {"TERM": "dumb"} | lab.terminal_variables(),
        cwd=home,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
    )
    assert f"{sys.prefix} {ROOT} yes\n" in child.stdout, child
    assert f"{home} {home}\n" in child.stdout


@posix_only
def test_a_shell_that_is_missing_or_lets_nobody_in_is_replaced(monkeypatch, home):
    silent, unknown = home / "silent", home / "nu"
    silent.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    unknown.write_text('#!/bin/sh\nexec sh "$@"\n', encoding="utf-8")
    for program in (silent, unknown):
        program.chmod(0o755)
    usual = shutil.which("bash") or shutil.which("zsh") or "sh"
    for shell in ("", "/nowhere/zsh", "bash -l", "/bin/false", "/bin/true", str(silent), str(home)):
        monkeypatch.setenv("SHELL", shell)
        assert lab.find_shell() == usual, shell
    monkeypatch.delenv("SHELL")
    assert lab.find_shell() == usual
    monkeypatch.setenv("SHELL", str(unknown))
    assert lab.find_shell() == str(unknown)
    assert lab.terminal_command(str(unknown), home) == [str(unknown)]
    if shutil.which("zsh"):
        monkeypatch.setenv("SHELL", "zsh")
        assert Path(lab.find_shell()).name == "zsh"


# --- Plots ---


@pytest.mark.parametrize("backend", ["Agg", "TkAgg"])
def test_plots_are_shown_whatever_backend_is_exported(backend, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", backend)
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    assert pictures("import labkit\n" + plot) == 1
    if backend == "Agg":  # that is what labkit is for
        assert pictures(plot) == 0


def pictures(code):
    """Return how many pictures stand under a cell."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, kernel_name="python3").execute()
    outputs = [output.get("data", {}) for output in notebook.cells[0].outputs]
    return sum("image/png" in data for data in outputs)
