"""labkit.service: a service is ours, answers, and never outlives its notebook."""

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests
from jupyter_client.manager import start_new_kernel

from labkit import ROOT, LabError, service
from labkit.service import free_port, has_ended, is_open, start, wait_until

# The services of the lessons: with Flask's reloader, which is two processes, and on PORT.
RELOADING = """
import os
from flask import Flask

app = Flask("ping")


@app.route("/ping", methods=["GET"])
def ping():
    return "PONG"


if __name__ == "__main__":
    app.run(debug=True, host="127.0.0.1", port=int(os.environ["PORT"]))
"""
# A quick one, without Flask: answers GET with the name that it was started under.
QUICK = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(" ".join(sys.argv[1:] + [os.environ.get("NAME", "")]).encode())


print("\\x1b[31mhello\\x1b[0m in red")
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Return a function that writes a script into the current folder and returns its name."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="script.py"):
        Path(name).write_text(text, encoding="utf-8")
        return name

    return write


def have_ended(processes, seconds=10):
    return wait_until(lambda: all(map(has_ended, processes)), seconds)


def family(pid):
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def get(port, path="/ping"):
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"http://127.0.0.1:{port}{path}", timeout=5)


# --- Whatever ends the kernel or interrupts it ---


class Kernel:
    """A notebook's kernel, and the folder in which it runs."""

    def __init__(self, folder):
        self.folder = folder
        self.manager, self.client = start_new_kernel(kernel_name="python3", cwd=str(folder))

    def run(self, code, seconds=60):
        """Run a cell; return what a notebook shows below it."""
        texts = []

        def collect(message):
            content = message["content"]
            texts.append(content.get("text") or "\n".join(content.get("traceback", [])))

        self.client.execute_interactive(code, timeout=seconds, output_hook=collect)
        return "".join(texts)

    def start_two(self, second, **environment):
        """Start two services, one with Flask's reloader; return the processes and the ports."""
        (self.folder / "reloading.py").write_text(RELOADING, encoding="utf-8")
        (self.folder / "quick.py").write_text(QUICK, encoding="utf-8")
        ports = free_port(), free_port()
        printed = self.run(
            "from labkit.service import start\n"
            f"one = start('reloading.py', port={ports[0]})\n"
            f"two = start({second!r}, port={ports[1]}, **{environment})\n"
            "print('pids', one.process.pid, two.process.pid)"
        )
        assert printed.startswith("pids "), printed
        processes = [p for pid in map(int, printed.split()[1:]) for p in family(pid)]
        assert len(processes) >= 3  # the reloader has two
        assert [get(port).status_code for port in ports] == [200, 200]
        return processes, ports


@contextmanager
def kernel(folder):
    running = Kernel(folder)
    try:
        yield running
    finally:
        running.client.stop_channels()
        running.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    """A kernel for the tests that don't end it."""
    with kernel(tmp_path_factory.mktemp("kernel")) as running:
        yield running


one_kernel = pytest.mark.xdist_group("lasting kernel")

ENDINGS = {
    "shutdown": lambda manager, _: manager.shutdown_kernel(),
    "restart": lambda manager, _: manager.restart_kernel(),
    "terminate": lambda _, process: process.terminate(),  # SIGTERM; on Windows the same as kill
    "kill": lambda _, process: process.kill(),  # SIGKILL
}


def assert_ended(processes, ports):
    assert have_ended(processes), [process for process in processes if not has_ended(process)]
    # On a busy machine, threads of an ended process still hold its port for a moment.
    assert wait_until(lambda: not any(map(is_open, ports)), 10)


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_service_outlives_its_notebook(tmp_path, model_file, ending):
    second = "churn_serving.py" if ending == "kill" else "quick.py"  # the large one takes seconds
    with kernel(tmp_path) as running:
        processes, ports = running.start_two(second, CHURN_MODEL=str(model_file))
        kernel_pid = int(running.run("import os; print(os.getpid())"))
        ENDINGS[ending](running.manager, psutil.Process(kernel_pid))
        assert_ended(processes, ports)


@one_kernel
def test_interrupting_a_cell_leaves_the_services_alone_and_stop_ends_them(lasting, model_file):
    processes, ports = lasting.start_two("churn_serving.py", CHURN_MODEL=str(model_file))
    lasting.client.execute(
        "import time, requests\n"
        "try:\n"
        "    print('sleeping', flush=True); time.sleep(30)\n"
        "except KeyboardInterrupt:\n"
        "    session = requests.Session(); session.trust_env = False\n"
        "    print('interrupted', *(session.get(s.url + '/ping').text for s in (one, two)))"
    )
    wait_for_output(lasting, "sleeping")
    lasting.manager.interrupt_kernel()
    assert wait_for_output(lasting, "interrupted") == "interrupted PONG PONG\n"
    time.sleep(0.5)  # a service that was interrupted, too, would have ended by then
    assert not any(map(has_ended, processes))
    assert lasting.run("print(one.process.poll(), two.process.poll())") == "None None\n"
    assert lasting.run("one.stop(); two.stop()") == ""
    assert_ended(processes, ports)


def wait_for_output(running, word):
    while True:  # until nothing has come for half a minute: then get_iopub_msg raises
        text = running.client.get_iopub_msg(timeout=30)["content"].get("text", "")
        if word in text:
            return text


@one_kernel
def test_interrupting_a_start_ends_what_was_started(lasting):
    code = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid()))"
    (lasting.folder / "silent.py").write_text(code + "; time.sleep(60)", encoding="utf-8")
    code = "from labkit.service import start; start('silent.py', port=1)"
    lasting.client.execute(code, stop_on_error=False)
    pid = lasting.folder / "pid"
    assert wait_until(lambda: pid.exists() and pid.read_text(), 30)
    processes = family(int(pid.read_text()))
    lasting.manager.interrupt_kernel()
    assert have_ended(processes)
    assert lasting.run("print('alive')") == "alive\n"


def test_on_windows_the_guard_looks_at_the_pipe_until_it_breaks():
    code = """
import sys, types
looks = []
def look(handle):
    looks.append(handle)
    if len(looks) == 3:
        raise BrokenPipeError
sys.modules["_winapi"] = types.SimpleNamespace(PeekNamedPipe=look)
sys.modules["msvcrt"] = types.SimpleNamespace(get_osfhandle=lambda number: ("handle", number))
sys.path.insert(0, sys.argv[1])
import guard
guard.wait_on_windows()
print(looks)
"""
    result = subprocess.run(
        [sys.executable, "-c", code, ROOT / "labkit"], capture_output=True, encoding="utf-8"
    )
    assert (result.stdout, result.stderr) == ("[('handle', 0), ('handle', 0), ('handle', 0)]\n", "")


# --- The port ---


def test_a_busy_port_is_named_with_its_holder_and_nothing_is_started(script):
    script("raise SystemExit('must not run')", "late.py")
    with start(script(QUICK), port=free_port()) as other:
        before = psutil.Process().children()
        service._started.pop(other.port)  # as if another notebook had started it
        with pytest.raises(LabError) as error:
            start("late.py", port=other.port)
        assert psutil.Process().children() == before
        assert re.fullmatch(
            rf"Port {other.port} is taken by python\S* script\.py "
            rf"\(process {other.process.pid}\): stop it \(Ctrl\+C .*\), then try again\.",
            str(error.value),
        )
        assert get(other.port).status_code == 200


def test_an_old_server_that_answers_is_not_mistaken_for_ours(script, monkeypatch):
    script(RELOADING, "late.py")
    port = free_port()
    with start(script(QUICK), port=port) as other:
        service._started.pop(port)
        monkeypatch.setattr(service, "is_open", lambda port: False)  # taken right after the look
        with pytest.raises(LabError, match=r"^late\.py ended by itself\. It said: .*port"):
            start("late.py", port=port)
        assert port not in service._started
        assert other.process.poll() is None


@pytest.mark.parametrize(
    ("system", "command"),
    [
        ("linux", r"`LAB_PORT=(\d+) python3 start\.py`"),
        (
            "win32",
            r"`\$env:LAB_PORT=(\d+); py start\.py` \(in cmd: `set LAB_PORT=\1& py start\.py`\)",
        ),
    ],
)
def test_another_users_port_can_only_be_left_to_them(system, command, script, monkeypatch):
    script("raise SystemExit('must not run')", "late.py")
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(service, "is_mine", lambda process: False)
        monkeypatch.setattr(sys, "platform", system)
        with pytest.raises(LabError) as error:
            start("late.py", port=server.getsockname()[1])
    found = re.fullmatch(
        rf"Port \d+ is taken by {re.escape(service.STRANGER)}: if it is a container of yours, stop "
        rf"that; if not, take a port of your own: stop JupyterLab, and start it with {command}\.",
        str(error.value),
    )
    assert found and 9700 <= int(found[1]) < 10_000 and not is_open(int(found[1]))


def test_a_holder_that_may_not_be_looked_into_is_a_stranger(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert str(os.getpid()) in service.holder(port)
        monkeypatch.setattr(service, "ports", lambda process: {})
        assert service.holder(port) == service.STRANGER


def test_a_process_is_mine_by_its_user(monkeypatch):
    mine, other = psutil.Process(), psutil.Process(os.getppid())
    assert service.is_mine(mine)
    names = {mine.pid: "me", other.pid: "you"}
    monkeypatch.setattr(psutil.Process, "username", lambda process: names[process.pid])
    assert service.is_mine(mine) and not service.is_mine(other)


def test_a_service_on_another_address_of_the_port_does_not_count():
    """127.0.0.1 does not lead there."""
    if sys.platform == "darwin":
        pytest.skip("NOT TESTED, macOS has no other address without being asked")
    with socket.create_server(("127.0.0.2", 0)) as server:
        port = server.getsockname()[1]
        assert service.listens(psutil.Process(), port) and service.listeners(port) == []


def test_a_spare_port_is_free_and_another_one_for_each_of_a_class(monkeypatch):
    monkeypatch.setattr(service, "is_open", lambda port: False)
    monkeypatch.setattr(os, "getuid", lambda: next(users), raising=False)
    users = iter(range(1000, 1030))
    found = [service.spare_port() for _ in range(30)]
    assert len(set(found)) == 30 and all(9700 <= port < 10_000 for port in found)
    users = iter([1000, 1000])
    assert service.spare_port() == found[0], "the same for the same user"
    monkeypatch.setattr(service, "PORT", found[0])  # where that is another's by now
    assert service.spare_port() != found[0]


def test_a_spare_port_is_found_where_something_answers_on_all_of_them(monkeypatch):
    monkeypatch.setattr(service, "is_open", lambda port: True)
    assert service.spare_port() > 1023


def test_a_spare_port_is_free_and_without_user_numbers_mostly_another_one(monkeypatch):
    monkeypatch.delattr(os, "getuid", raising=False)  # Windows
    found = {service.spare_port() for _ in range(20)}
    assert len(found) > 5 and not any(map(is_open, found))
    free = found.pop()
    monkeypatch.setattr(service, "is_open", lambda port: port != free)
    assert service.spare_port() == free


def test_a_free_port_is_free_and_a_taken_one_is_open():
    assert not is_open(free_port())
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert is_open(server.getsockname()[1])


# --- Scripts that don't serve ---


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("print('bye')", "bye"),
        ("import sys; sys.exit('No model: run train.py')", "No model: run train.py"),
        ("import not_there", "ModuleNotFoundError: No module named 'not_there'"),
        ("", "nothing."),
    ],
)
def test_a_script_that_ends_at_once_is_quoted(script, text, said):
    with pytest.raises(LabError) as error:
        start(script(text), port=free_port())
    assert str(error.value) == f"script.py ended by itself. It said: {said}"


def test_a_script_that_is_not_there_is_named(script):
    with pytest.raises(LabError, match=r"^There is no script nothing\.py here or in solutions/\.$"):
        start("nothing.py")


@pytest.mark.parametrize(
    "text",
    [
        "import time; print('thinking'); time.sleep(60)",
        # listens, and speaks another language than HTTP
        "import os, socket\n"
        "server = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))\n"
        "print('thinking')\n"
        "while True: server.accept()[0].sendall(b'220 mail\\n')",
    ],
)
def test_a_script_that_does_not_answer_is_ended_after_the_time_limit(script, text, monkeypatch):
    wait_until_ready = service.Service.wait_until_ready

    def wait_from_its_first_words(self, seconds):
        assert wait_until(lambda: self._lines, 30)
        wait_until_ready(self, seconds)

    monkeypatch.setattr(service.Service, "wait_until_ready", wait_from_its_first_words)
    port = free_port()
    before = psutil.Process().children()
    began = time.monotonic()
    with pytest.raises(LabError) as error:
        start(script(text), port=port, wait=0.3)
    assert time.monotonic() - began < 10
    assert str(error.value) == (
        f"script.py does not answer on port {port} after 0.3 s. It said: thinking"
    )
    assert psutil.Process().children() == before
    assert not is_open(port)


def test_a_script_that_listens_elsewhere_is_told_so_soon(script):
    """As a learner's does who has written down the usual port, and has another one."""
    other, port = free_port(), free_port()
    began = time.monotonic()
    with pytest.raises(LabError) as error:
        start(script(RELOADING.replace('int(os.environ["PORT"])', str(other))), port=port)
    assert time.monotonic() - began < 20
    assert str(error.value) == (
        f"script.py listens on port {other}, and not on {port}: change the port in it, and run "
        "this cell again."
    )
    assert wait_until(lambda: not is_open(other), 10)


def test_a_script_that_listens_on_another_address_is_told_so_soon(script):
    if sys.platform == "darwin":
        pytest.skip("NOT TESTED, macOS has no other address without being asked")
    port, began = free_port(), time.monotonic()
    with pytest.raises(LabError) as error:
        start(script(QUICK.replace('"127.0.0.1"', '"127.0.0.2"')), port=port)
    assert time.monotonic() - began < 20
    assert str(error.value) == (
        f"script.py listens on port {port} of another address than 127.0.0.1: write "
        'host="127.0.0.1" in it, and run this cell again.'
    )


@one_kernel
def test_an_error_is_one_line_in_a_notebook(lasting):
    shown = lasting.run("import labkit.service\nlabkit.service.start('nothing.py')")
    assert shown == "✘ There is no script nothing.py here or in solutions/."


# --- Ordinary use ---


def test_starting_again_replaces_the_old_service(script):
    script(QUICK)
    port = free_port()
    first = start("script.py", port=port, NAME="first")
    second = start("script.py", "argument", port=port, NAME="second")
    try:
        assert first.process.poll() is not None
        assert get(port).text == "argument second"
    finally:
        second.stop()
    assert not is_open(port)


def test_stopping_twice_is_harmless_and_touches_nobody_else(script, monkeypatch):
    running = start(script(QUICK), port=free_port())
    running.stop()
    pipe = subprocess.PIPE
    bystander = subprocess.Popen(
        [sys.executable, "-c", "print(input())"], stdin=pipe, stdout=pipe, encoding="utf-8"
    )
    try:  # the system gives the number of the ended service to another program
        monkeypatch.setattr(running.process, "pid", os.getpid())
        running.stop()
    finally:
        said = bystander.communicate("alive")[0]
    assert said == "alive\n"


def test_a_service_that_ended_by_itself_can_be_stopped(script):
    running = start(script(QUICK), port=free_port())
    running.process.kill()
    running.process.wait()
    running.stop()
    assert not is_open(running.port)


def test_a_child_that_ignores_the_end_is_killed(script):
    stubborn = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    )
    running = start(script(stubborn + QUICK), port=free_port())
    processes = family(running.process.pid)
    assert len(processes) == 2
    running.stop()
    assert have_ended(processes, seconds=1)


def test_the_log_is_without_colours_and_without_our_own_question(script):
    with start(script(QUICK), port=free_port()) as running:
        get(running.port, "/seen")
        log = running.log()
    assert log.startswith("hello in red\n")
    assert "GET /seen" in log
    assert "labkit" not in log


def test_the_log_of_a_talkative_service_comes_too(script):
    chatter = (
        "import threading, time\n"
        "def talk():\n"
        "    while True: print('still here'); time.sleep(0.02)\n"
        "threading.Thread(target=talk, daemon=True).start()\n"
    )
    with start(script(chatter + QUICK), port=free_port()) as running:
        began = time.monotonic()
        assert "still here" in running.log()
        assert time.monotonic() - began < 5


def test_a_script_of_this_folder_comes_before_one_of_solutions(script):
    with start(script(QUICK, "flask_test.py"), port=free_port(), NAME="mine") as running:
        assert get(running.port).text == "mine"


def test_a_script_runs_as_a_terminal_would_run_it(script, tmp_path):
    script("SECRET = 'from the script's folder'".replace("'s", ""), "neighbour.py")
    script(
        "import __main__, sys, neighbour; print(__name__, sys.argv[1:], neighbour.SECRET)\n" + QUICK
    )
    with start("script.py", "--flag", port=free_port()) as running:
        assert "__main__ ['--flag'] from the script folder\n" in running.log()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_does_not_come_between(script, name):
    environment = {key: value for key, value in os.environ.items() if key.lower() != "no_proxy"}
    proxy = f"http://127.0.0.1:{free_port()}"  # where nothing answers
    code = (
        "from labkit.service import free_port, start\n"
        f"start({script(QUICK)!r}, port=free_port(), wait=20).stop(); print('answered')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {name: proxy},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert result.stdout == "answered\n", result.stderr
