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
from conftest import assert_one_sentence, copy_lab
from nbclient import NotebookClient
from starting import BARE, Lab

from labkit import ROOT, LabError, copies, lab, service, set_up

posix_only = pytest.mark.skipif(os.name == "nt", reason="it is about POSIX systems")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose a port is")
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
    running.type_in_terminal(line, f">{re.escape(f'{sys.prefix} {running.folder}')}")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the lab, or JupyterLab's start would bring a learner's notebooks up to date."""
    return copy_lab(tmp_path_factory.mktemp("house") / "lab")


# --- Homes and other users ---


@pytest.fixture
def as_user(house):
    """The words that run a command as somebody who can't write into what is ours."""
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("only root can start a program as another user")
    if not shutil.which("setpriv"):
        pytest.skip("there is no setpriv on this machine")
    copies.update(lambda _: None, house)  # that user can't, and needs a page to open
    return ANOTHER_USER


@pytest.fixture
def home():
    """A home folder that others can read; pytest's own folders let nobody in."""
    with tempfile.TemporaryDirectory(prefix="home of a learner ") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.slow
def test_a_home_and_an_environment_of_somebody_else(as_user, home, house):
    (home / ".ipython").mkdir()
    settings = home / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True)
    dark = json.dumps({"theme": "JupyterLab Dark"})
    (settings / "themes.jupyterlab-settings").write_text(dark, encoding="utf-8")
    foreign = {name: str(home / "x") for name in ("XDG_RUNTIME_DIR", "JUPYTER_RUNTIME_DIR")}
    begun = {str(path) for path in home.rglob("*")}
    with Lab(folder=house, as_user=as_user, HOME=str(home), **foreign) as running:
        assert_works(running)
        url = "/lab/api/settings/@jupyterlab/apputils-extension:themes"
        assert running.ask(url)["raw"] == dark
    assert {str(path) for path in home.rglob("*")} == begun
    assert "Traceback" not in running.output


@pytest.mark.parametrize("home", ["/", pytest.param("", marks=pytest.mark.slow)])
def test_a_user_without_a_home(as_user, home, house):
    with Lab(folder=house, as_user=as_user, HOME=home) as running:
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


# --- The copies ---


@pytest.fixture
def own(monkeypatch, tmp_path):
    """A learner's folder, an empty one for notes of running servers, and updates that only count.

    Nobody else has a port. Yields the folder; its `updates` are the ports that updates were told.
    """
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in ("LAB_PORT", "PORT"):
        os.environ.pop(name, None)
    os.environ["JUPYTER_RUNTIME_DIR"] = str(tmp_path / "runtime")
    (tmp_path / "runtime").mkdir()
    folder, updates = tmp_path / "house" / "my", []
    folder.mkdir(parents=True)
    monkeypatch.setattr("labkit.MY", folder)
    monkeypatch.setattr(lab, "MY", folder)
    monkeypatch.setattr(lab, "is_another_users", lambda port: False)
    monkeypatch.setattr(copies, "update", lambda _: updates.append(os.environ.get("LAB_PORT")))
    return SimpleNamespace(my=folder, updates=updates, runtime=tmp_path / "runtime")


def note_server(own, root, **changes):
    """Leave the note of a Jupyter server in the runtime folder, as jupyter_server writes it."""
    note = {"pid": os.getpid(), "root_dir": str(root), "hostname": "127.0.0.1", "sock": ""}
    file = own.runtime / f"jpserver-{len(list(own.runtime.iterdir()))}.json"
    file.write_text(json.dumps(note | changes), encoding="utf-8")


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_running_jupyterlab_is_found_by_the_folder_that_it_shows(own, listener):
    assert not lab.is_running()
    note_server(own, own.my.parent.parent / "elsewhere", port=listener)
    note_server(own, own.my / "work", port=listener)
    assert not lab.is_running()
    for root in (own.my, own.my.parent, own.my.parent / ".", own.my.parent.parent):
        note_server(own, root, port=listener)
        assert lab.is_running()
        for file in own.runtime.iterdir():
            file.unlink()


def test_what_a_dead_server_left_does_not_count(own, listener):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    note_server(own, own.my, pid=ended.pid, port=listener)
    assert not lab.is_running()
    assert not list(own.runtime.iterdir())
    note_server(own, own.my, port=service.free_port())  # its number is another process's now
    note_server(own, own.my, port=None)
    note_server(own, own.my, sock=str(own.my / "nothing"), port=0)
    note_server(own, own.my, root_dir=[], port=listener)
    (own.runtime / "jpserver-9.json").write_text("{", encoding="utf-8")
    assert not lab.is_running()
    (own.my / "nothing").touch()
    assert lab.is_running()
    note_server(own, own.my, hostname="0.0.0.0", port=listener)
    assert lab.is_running()


@pytest.mark.slow
def test_a_jupyterlab_that_we_started_is_running(own, house, monkeypatch):
    monkeypatch.setattr(lab, "MY", house / "my")
    with Lab(folder=house, JUPYTER_RUNTIME_DIR=str(own.runtime)):
        assert lab.is_running()
    assert not lab.is_running()


def test_while_a_jupyterlab_runs_the_copies_stay(own, listener, capsys):
    note_server(own, own.my.parent, port=listener)
    lab.prepare()  # there is nothing to stay
    assert own.updates == [None] and capsys.readouterr().out == ""
    (own.my / "00_start_here.ipynb").touch()
    lab.prepare()
    assert own.updates == [None]
    assert_one_sentence(capsys.readouterr().out, "A JupyterLab runs in this folder already, so")
    (own.my / "port.txt").write_text("9701\n", encoding="utf-8")
    os.environ["LAB_PORT"] = "9702"  # not what they say
    lab.prepare()
    assert (os.environ["LAB_PORT"], os.environ["PORT"]) == ("9701", "9701")
    (own.my / "port.txt").unlink()
    del os.environ["LAB_PORT"]
    capsys.readouterr()
    next(own.runtime.iterdir()).unlink()  # it says: stop it, then start again
    lab.prepare()
    assert own.updates == [None, None] and capsys.readouterr().out == ""


def test_of_two_starts_at_the_same_time_one_waits(own, capsys):
    second = Thread(target=lab.prepare, daemon=True)
    with set_up.nobody_else():
        second.start()
        assert service.wait_until(lambda: "waiting for it" in capsys.readouterr().out, 30)
        assert own.updates == []
        (own.my / "port.txt").write_text("9701\n", encoding="utf-8")  # the first settles it
    second.join(30)
    assert own.updates == ["9701"]
    assert (own.my / "port.txt").read_text(encoding="utf-8") == "9701\n"


def test_without_a_page_to_open_nothing_is_opened(own, monkeypatch, capsys):
    def fails(_):
        raise LabError("The disk is full")

    monkeypatch.setattr(copies, "update", fails)
    with pytest.raises(SystemExit, match="The disk is full"):
        lab.prepare()
    (own.my / "00_start_here.ipynb").touch()
    lab.prepare()
    assert capsys.readouterr().out == "The disk is full\n"


def test_names_are_shown_whole(tmp_path):
    from jupyterlab_server.workspaces_handler import WORKSPACE_EXTENSION, slugify

    folder = lab.write_layout(tmp_path / "workspaces")
    [file] = folder.iterdir()
    assert file.name == slugify("default") + WORKSPACE_EXTENSION
    file.write_text("the user's own", encoding="utf-8")
    lab.write_layout(folder)
    assert file.read_text(encoding="utf-8") == "the user's own"


# --- The port ---


@pytest.mark.parametrize("port", ["9702", " 9702 ", "9696"])
def test_a_port_of_ones_own_is_kept_and_handed_on(port, own):
    os.environ["LAB_PORT"] = port
    lab.prepare()
    assert (own.my / "port.txt").read_text(encoding="utf-8") == f"{port.strip()}\n"
    assert own.updates == [port.strip()]
    if port.strip() != "9696":
        assert (os.environ["LAB_PORT"], os.environ["PORT"]) == ("9702", "9702")
        for name in ("LAB_PORT", "PORT"):
            del os.environ[name]
        lab.prepare()  # the next start knows it
        assert (os.environ["LAB_PORT"], os.environ["PORT"]) == ("9702", "9702")


def test_a_port_that_the_terminal_had_for_something_else_is_not_the_services(own):
    os.environ["PORT"] = "8080"
    lab.prepare()
    assert os.environ["PORT"] == "9696"


def test_a_given_port_takes_the_place_of_a_damaged_one(own):
    (own.my / "port.txt").write_text("9701\n", encoding="utf-16")  # PowerShell's
    os.environ["LAB_PORT"] = "9702"
    lab.prepare()
    assert (own.my / "port.txt").read_bytes() == b"9702\n" and own.updates == ["9702"]


@pytest.mark.parametrize("port", ["abc", "0", "80", "70000", "9696.5", "-1", "²"])
def test_what_is_no_port_is_a_sentence(port, own):
    os.environ["LAB_PORT"] = port
    with pytest.raises(SystemExit) as ended:
        lab.prepare()
    assert_one_sentence(ended.value.code, f"LAB_PORT is {port!r}", "from 1024 to 65535")
    del os.environ["LAB_PORT"]
    (own.my / "port.txt").write_text(port, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        lab.prepare()
    assert_one_sentence(ended.value.code, f"my/port.txt is {port!r}")
    assert own.updates == []


def test_where_9696_is_another_users_a_free_one_is_taken_once(own, monkeypatch, capsys):
    monkeypatch.setattr(lab, "is_another_users", lambda port: port == 9696)
    lab.prepare()
    port = (own.my / "port.txt").read_text(encoding="utf-8").strip()
    assert port != "9696" and not service.is_open(int(port))
    assert own.updates == [port] and os.environ["PORT"] == port
    said = f"Port 9696 is another user's here, so your lab uses {port} (my/port.txt keeps it;"
    assert_one_sentence(capsys.readouterr().out, said, "LAB_PORT changes it).")
    del os.environ["LAB_PORT"]
    lab.prepare()
    assert own.updates == [port, port] and capsys.readouterr().out == ""


def test_9696_leaves_no_trace(own):
    lab.prepare()
    assert own.updates == [None]
    assert not {"LAB_PORT", "PORT"} & set(os.environ) and not list(own.my.iterdir())


def test_a_port_that_cannot_be_kept_is_a_sentence(own, capsys):
    (own.my / "00_start_here.ipynb").touch()
    (own.my / "port.txt").mkdir()
    os.environ["LAB_PORT"] = "9702"
    lab.prepare()
    assert_one_sentence(capsys.readouterr().out, "port.txt can't be written (", "folder is yours")
    assert own.updates == [] and os.environ["LAB_PORT"] == "9702"


def test_only_another_users_program_is_another_users(listener):
    assert not lab.is_another_users(listener)
    assert not lab.is_another_users(service.free_port())


def test_where_only_ones_own_programs_can_be_seen_the_others_are_another_users(
    monkeypatch, listener
):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not lab.is_another_users(listener)
    assert not lab.is_another_users(service.free_port())
    monkeypatch.setattr(service, "is_mine", lambda process: False)
    assert lab.is_another_users(listener)


@linux_only
@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_who_listens_on_an_ipv6_address_is_seen():
    with socket.create_server(("::", 0), family=socket.AF_INET6) as server:
        assert lab.listening_users(server.getsockname()[1]) == {os.getuid()}


def test_a_program_of_another_user_is_seen(as_user, tmp_path):
    code = (
        "import socket; server = socket.create_server(('127.0.0.1', 0)); "
        "print(server.getsockname()[1], flush=True)\n"
        "while True: server.accept()"  # it must not end with the first look
    )
    command = [*as_user, sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert lab.is_another_users(int(child.stdout.readline()))
        finally:
            child.kill()


@linux_only
def test_who_only_talks_on_a_port_does_not_listen(listener):
    with socket.create_connection(("127.0.0.1", listener)) as connection:
        assert lab.listening_users(listener) == {os.getuid()}
        assert lab.listening_users(connection.getsockname()[1]) == set()


@linux_only
def test_what_root_hands_on_may_be_ones_own(monkeypatch, listener):
    for users, mine, expected in [
        ({0}, 1000, False),  # Docker, say
        ({1000}, 1000, False),
        ({1001}, 1000, True),
        ({0, 1001}, 1000, True),
        ({1000, 1001}, 1000, False),
        (set(), 1000, False),
        ({1001}, 0, True),
    ]:
        monkeypatch.setattr(lab, "listening_users", lambda port, users=users: users)
        monkeypatch.setattr(os, "getuid", lambda mine=mine: mine)
        assert lab.is_another_users(listener) == expected, (users, mine)


# --- Passwords and addresses ---


def test_with_a_password_the_address_is_printed_and_the_port_is_the_real_one(home, house):
    from jupyter_server.auth import passwd

    (home / ".jupyter").mkdir()
    config = {"IdentityProvider": {"hashed_password": passwd("a secret word", "sha1")}}
    file = home / ".jupyter/jupyter_server_config.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        user = {"HOME": str(home), "USERPROFILE": str(home)}
        with Lab(f"--port={port}", folder=house, **user) as running:
            assert (running.page, running.token) == ("/lab/tree/my/00_start_here.ipynb", "")
            assert not running.host.endswith(f":{port}")
            assert "password" in requests.get(f"http://{running.host}/login", timeout=30).text
            assert "It asks for the password or token of your own" in running.output


@pytest.mark.slow
def test_a_token_of_ones_own_is_asked_for_and_not_shown(house):
    with Lab("--ip=0.0.0.0", folder=house, JUPYTER_TOKEN="my-own") as running:
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
def test_no_proxy_comes_between_a_terminal_or_a_notebook_and_this_machine(scheme, house):
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://localhost:{server.server_port}"
        proxy = f"{scheme}://127.0.0.1:9"
        names = ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"]
        with Lab(folder=house, NO_PROXY="example.org", **dict.fromkeys(names, proxy)) as running:
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
