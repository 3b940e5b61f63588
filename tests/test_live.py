"""What the labs' checks use: Live with real processes on free ports, and the stand-in service."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace

import psutil
import pytest
import requests

from labkit import ROOT, SOLVED_LABS, LabError, exercises, service
from labkit.exercises import NotStarted, Wrong
from labkit.labs import lab_05, live
from labkit.labs.live import Live, check_keys, json_of, stand_in

sys.path.insert(0, str(ROOT / "tools"))
import make_labs

SMALL = """
import http.server, os, socketserver

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

socketserver.TCPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
FLASK = """
import os
from flask import Flask
app = Flask("churn")

@app.route("/fail")
def fail():
    return {"share": 1 / 0}

if __name__ == "__main__":
    app.run(debug=True, port=int(os.environ["PORT"]))
"""
SHARED = """
import os, socket, sys

server = socket.create_server((sys.argv[1], int(os.environ["PORT"])), reuse_port=True)
while True:
    server.accept()[0].close()
"""


@pytest.fixture(autouse=True)
def port(tmp_path, monkeypatch):
    """A free port in place of 9696, an empty folder in place of my/work, as in a notebook."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(service, "PORT", service.free_port())
    monkeypatch.setattr(live, "get_ipython", lambda: "a notebook's")
    return service.PORT


def write(name, text):
    with open(name, "w", encoding="utf-8") as f:  # noqa: PTH123
        f.write(text)


@contextmanager
def running(name, port, text=SMALL, command=None, **options):
    """Write a script, run it as a terminal would, or with another command, and end it."""
    write(name, text)
    command = command or [sys.executable, name]
    environment = os.environ | {"PORT": str(port)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, **options)
    try:
        assert service.wait_until(lambda: service.is_open(port), 20)
        yield process
    finally:
        for one in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.kill()
        process.wait()


def complaint(call, *arguments, **options) -> str:
    with pytest.raises(Wrong) as caught:
        call(*arguments, **options)
    return str(caught.value)


# --- Who answers ---


def test_no_script_is_not_started():
    with pytest.raises(NotStarted, match=r"no mine\.py yet: run the cell above"):
        Live("mine.py")


def test_outside_of_a_notebook_the_solution_is_asked(port, monkeypatch):
    monkeypatch.setattr(live, "get_ipython", lambda: None)
    with service.start("months_service.py", port=port):
        assert Live("months_service.py").path == SOLVED_LABS / "months_service.py"
    write("months_service.py", SMALL)
    assert "nothing answers" in complaint(Live, "months_service.py")


def test_a_gap_in_the_script_is_not_started():
    write("mine.py", "def ping():\n    return ____\n")
    with pytest.raises(NotStarted, match=r"code where ____ stands in mine\.py"):
        Live("mine.py")


def test_a_gap_in_a_comment_is_none():
    write("mine.py", "# ____ stood here\nname = '____'\n")
    assert "nothing answers" in complaint(Live, "mine.py")


def test_nothing_listens(port):
    write("mine.py", SMALL)
    assert complaint(Live, "mine.py").startswith(f"nothing answers on http://127.0.0.1:{port}: ")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (b"x = 1\ndef ping()\n    pass\n", "mine.py is not Python yet, line 2: expected ':'"),
        (b"x = '\xff'\n", "mine.py is not Python yet, line"),
        (b"x = 1\0\n", "mine.py"),
        (b"x = " + b"(" * 5000 + b")" * 5000, "mine.py"),
    ],
)
def test_what_is_not_python_is_said(tmp_path, script, words):
    (tmp_path / "mine.py").write_bytes(script)
    assert words in complaint(Live, "mine.py")


def test_notepads_mark_at_the_beginning_is_fine(tmp_path):
    (tmp_path / "mine.py").write_bytes(b"\xef\xbb\xbfprint(1)\n")
    assert "nothing answers" in complaint(Live, "mine.py")


def test_the_right_one_is_accepted_and_asked(port):
    with running("mine.py", port):
        mine = Live("mine.py")
        assert mine.status(200, "GET", "/ping", "").status_code == 200


def test_one_that_a_notebook_started_is_accepted(port):
    write("mine.py", SMALL)
    with service.start("mine.py", port=port):
        assert Live("mine.py").url == f"http://127.0.0.1:{port}"


WAYS = {  # to start my/work/mine.py, from the folder above
    "python": "work/mine.py",
    "python by a full path": "{full}/work/mine.py",
    "python by another way": "work/../work/./mine.py",
    "python through a link": "link/mine.py",
    "python with options": "-X dev -Wignore -uB work/mine.py",
    "python -m": "-m work.mine",
    "a debugger": "-m pdb -c continue work/mine.py",
    "flask": "-m flask --app work/mine run --port {port}",
    "flask, with =": "-m flask --app=work/mine.py:app run --port {port}",
    "flask, a module": "-m flask --app work.mine run --port {port}",
    "granian": "-m granian --interface wsgi --port {port} --working-dir work mine:app",
    "granian, with workers": "-m granian --interface wsgi --port {port} --workers 2 "
    "--working-dir=work mine:app",
}


@pytest.mark.parametrize("way", WAYS)
def test_however_it_was_started_it_is_the_script(way, port, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    if "link" in way:
        try:
            (tmp_path / "link").symlink_to(tmp_path / "work", target_is_directory=True)
        except OSError:
            pytest.skip("NOT TESTED, links need a right here")
    words = [word.format(full=tmp_path, port=port) for word in WAYS[way].split()]
    with running("work/mine.py", port, FLASK, [sys.executable, *words]):
        monkeypatch.chdir("work")
        Live("mine.py")
        write("yours.py", FLASK)  # a wrong answer: the neighbour does not run
        said = complaint(Live, "yours.py")
    assert "and not your yours.py: start yours" in said


MENTIONS = {  # mine.py, and run something else
    "as an argument": "other.py mine.py",
    "as an option": "other.py --log=mine.py",
    "as a module": "-m other mine",
    "behind code": "-c {code} mine.py",
    "by its starter": "starter.py mine.py",
}


@pytest.mark.parametrize("way", MENTIONS)
def test_a_command_line_that_only_mentions_the_script_does_not_run_it(way, port):
    write("mine.py", SMALL)
    write("other.py", SMALL)
    write("starter.py", "import subprocess, sys\nsubprocess.run([sys.executable, 'other.py'])\n")
    words = [SMALL if word == "{code}" else word for word in MENTIONS[way].split()]
    with running("other.py", port, command=[sys.executable, *words]):
        said = complaint(Live, "mine.py")
    assert f"on port {port} answers python" in said and "and not your mine.py: start yours" in said
    assert "import" not in said, "code is no name"


def test_a_script_that_has_changed_its_folder_is_still_the_script(port, tmp_path, monkeypatch):
    if sys.platform == "win32":
        pytest.skip("Windows' shells don't tell in PWD where they are")
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("PWD", str(tmp_path))  # as a shell does
    command = [sys.executable, "work/mine.py"]
    with running("work/mine.py", port, f"import os\nos.chdir('/')\n{SMALL}", command):
        monkeypatch.chdir("work")
        Live("mine.py")
        monkeypatch.chdir("..")
        write("mine.py", SMALL)
        assert "the mine.py of another folder, " in complaint(Live, "mine.py")


def test_a_worker_with_a_command_line_of_its_own_is_its_starters(port):
    """As those of granian are on macOS and Windows."""
    starts = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {SMALL!r}])\n"
    with running("mine.py", port, starts):
        Live("mine.py")
        write("yours.py", starts)
        assert "and not your yours.py: start yours" in complaint(Live, "yours.py")


def test_another_script_of_mine_is_named(port):
    write("mine.py", SMALL)
    with running("other.py", port) as process:
        said = complaint(Live, "mine.py")
    assert f"on port {port} answers " in said and "other.py" in said
    assert f"(process {process.pid})" in said or sys.platform == "win32"  # .venv starts another
    assert "and not your mine.py: start yours with the cell above; if" in said


@pytest.mark.parametrize("way", ["from there", "by its path", "as a module"])
def test_the_script_of_another_folder_is_not_mine(way, port, tmp_path):
    """Two copies of the lab, the same file: the one that runs is the other's."""
    write("mine.py", SMALL)
    other = tmp_path / "old lab" / "my" / "work"
    other.mkdir(parents=True)
    command = ["-m", "mine"] if way == "as a module" else ["mine.py"]
    where = {} if way == "by its path" else {"cwd": other}
    if way == "by its path":
        command = [str(other / "mine.py")]
    with running(other / "mine.py", port, SMALL, [sys.executable, *command], **where):
        said = complaint(Live, "mine.py")
    assert said == (
        f"on port {port} answers the mine.py of another folder, {other}, and not yours: start "
        "yours with the cell above; if that says that the port is taken, first stop the other "
        "(Ctrl+C in its terminal, or shut down its notebook)."
    )


def test_a_copy_in_another_folder_does_not_become_mine_by_being_the_same(port, tmp_path):
    """Also where it was started under the name that mine has, and its folder is gone."""
    write("mine.py", SMALL)
    other = tmp_path / "gone"
    other.mkdir()
    with running(other / "mine.py", port, SMALL, [sys.executable, "mine.py"], cwd=other):
        if sys.platform == "win32":
            pytest.skip("Windows keeps the folder of a running program")
        shutil.rmtree(other)
        assert "and not your mine.py: start yours" in complaint(Live, "mine.py")


def test_another_port_is_named(port):
    other = service.free_port()
    with running("mine.py", other):
        said = complaint(Live, "mine.py")
    assert (
        f"your mine.py listens on port {other}: change the port in app.run(...) to {port}" in said
    )


def test_another_address_of_the_port_is_told(port):
    if sys.platform == "darwin":
        pytest.skip("NOT TESTED, macOS has no other address without being asked")
    write("mine.py", SMALL.replace('"127.0.0.1"', '"127.0.0.2"'))
    with subprocess.Popen([sys.executable, "mine.py"], env=os.environ | {"PORT": str(port)}) as one:
        listens = lambda: any(service.listens(process, port) for process in family(one))  # noqa: E731
        try:
            assert service.wait_until(listens, 20)
            said = complaint(Live, "mine.py")
        finally:
            for process in family(one):
                process.kill()
    assert "your mine.py listens on that port of another address: write host=" in said


def family(process):
    one = psutil.Process(process.pid)
    return [*one.children(recursive=True), one]


def test_another_port_of_another_script_is_not(tmp_path):
    write("mine.py", SMALL)
    (tmp_path / "other").mkdir()
    folder = tmp_path / "other"
    command = [sys.executable, "mine.py"]
    with running(folder / "mine.py", service.free_port(), SMALL, command, cwd=folder):
        assert "start the service with the cell above" in complaint(Live, "mine.py")


def test_another_port_of_another_user_is_not(monkeypatch):
    with running("mine.py", service.free_port()):
        monkeypatch.setattr(service, "is_mine", lambda process: False)
        assert "start the service with the cell above" in complaint(Live, "mine.py")


def test_an_old_copy_is_noticed(port, tmp_path):
    with running("mine.py", port) as process:
        Live("mine.py")
        time.sleep(max(0, psutil.Process(process.pid).create_time() + 1.5 - time.time()))
        os.utime(tmp_path / "mine.py")
        said = complaint(Live, "mine.py")
    assert said.startswith("an old copy of mine.py answers") and "starts it again" in said


def test_a_file_from_the_future_says_nothing_about_age(port, tmp_path):
    """The clock was set back, say; starting it again would not help for as long."""
    with running("mine.py", port):
        later = time.time() + 3600
        os.utime(tmp_path / "mine.py", (later, later))
        Live("mine.py")


def test_a_number_that_a_process_has_from_another_is_no_matter(port):
    with running("mine.py", port) as process:
        [known] = [one for one in psutil.process_iter() if one.pid == process.pid]
        known._ident, known._create_time = (known.pid, 1.0), 1.0  # what psutil remembers
        Live("mine.py")


def test_a_copy_started_at_once_is_no_old_one(port):
    for _ in range(3):  # clocks: the file's, the process's and the second in which it began
        with running("mine.py", port):
            Live("mine.py")


def test_flasks_reloader_is_the_script_and_its_debugger_names_the_error(port):
    write("mine.py", FLASK)
    with service.start("mine.py", port=port) as started:
        mine = Live("mine.py")
        [listening] = live.listeners(port)
        assert f"process {started.process.pid})" not in listening.name, "this is its child"
        said = complaint(mine.status, 200, "GET", "/fail", "")
    assert "with 500: your code failed there (ZeroDivisionError: division by zero): the" in said


def test_what_the_reloader_started_anew_is_no_old_copy(port):
    write("mine.py", FLASK)
    with service.start("mine.py", port=port):
        [before] = live.listeners(port)
        time.sleep(max(0, before.started + 2.5 - time.time()))  # its parent is as old
        write("mine.py", FLASK + "# saved\n")

        def is_new():
            found = live.listeners(port)
            return len(found) == 1 and found[0].started > before.started + 2

        assert service.wait_until(is_new, 20)
        Live("mine.py")


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_an_open_door_is_noticed(address, port, monkeypatch, tmp_path):
    write("mine.py", SMALL)
    files = [tmp_path / "mine.py"]
    door = live.Listener("python mine.py", True, files, time.time() + 9, {address})
    monkeypatch.setattr(live, "listeners", lambda port: [door])
    monkeypatch.setattr(service, "is_open", lambda port: True)
    assert f'listens on {address}, where everybody in your network can ask it: write host="127' in (
        complaint(Live, "mine.py")
    )


def test_all_who_answer_must_be_right(port, monkeypatch, tmp_path):
    write("mine.py", SMALL)
    files = [tmp_path / "mine.py"]
    right = live.Listener("python mine.py", True, files, time.time() + 9, {"127.0.0.1"})
    monkeypatch.setattr(service, "is_open", lambda asked: asked == port)
    for wrong, words in [
        (replace(right, mine=False), "answers another user's program"),
        (replace(right, started=0), "an old copy of mine.py answers"),
    ]:
        monkeypatch.setattr(live, "listeners", lambda port, wrong=wrong: [right, wrong])
        assert words in complaint(Live, "mine.py")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets two share a port unasked")
@pytest.mark.parametrize("first", ["mine.py", "other.py"])
@pytest.mark.parametrize(
    ("mine", "other", "words"),
    [
        ("127.0.0.1", "0.0.0.0", None),
        ("0.0.0.0", "127.0.0.1", "other.py 127.0.0.1 (process"),
        ("127.0.0.1", "127.0.0.1", "other.py 127.0.0.1 (process"),  # now one answers, now the other
    ],
)
def test_of_two_listeners_the_one_that_answers_counts(mine, other, words, first, port):
    write("mine.py", SHARED)
    addresses = {"mine.py": mine, "other.py": other}
    second = "other.py" if first == "mine.py" else "mine.py"
    with (
        running(first, port, SHARED, [sys.executable, first, addresses[first]]),
        running(second, port, SHARED, [sys.executable, second, addresses[second]]),
    ):
        assert service.wait_until(lambda: len(list(all_on(port))) == 2, 10)
        if words:
            assert words in complaint(Live, "mine.py")
        else:
            Live("mine.py")


def all_on(port):
    return (process for process in psutil.process_iter() if service.listens(process, port))


# --- Another user's: test_two_users.py has a real one ---

STRANGER = (
    "another user's program, or one that the lab can't look into (a container, say), and not your "
    "mine.py: if it is a container of yours, stop that; if not, take a port of your own: stop "
    "JupyterLab, and start it with "
)


def test_whom_we_may_not_look_into_is_a_stranger(port, monkeypatch):
    def forbidden(process, kind):
        raise psutil.AccessDenied(process.pid)

    with running("mine.py", port):
        Live("mine.py")
        monkeypatch.setattr(psutil.Process, "net_connections", forbidden)
        assert complaint(Live, "mine.py").startswith(f"on port {port} answers {STRANGER}")


@pytest.mark.parametrize("secret", ["cmdline", "cwd"])
def test_of_my_own_program_that_we_may_not_look_into_is_said_what_is_known(
    secret, port, monkeypatch
):
    def forbidden(process):
        raise psutil.AccessDenied(process.pid)

    with running("mine.py", port) as process:
        monkeypatch.setattr(psutil.Process, secret, forbidden)
        said = complaint(Live, "mine.py")
    assert said.startswith(f"on port {port} answers ")
    assert f"(process {process.pid})" in said or sys.platform == "win32"
    assert ", and the lab may not see whether that is your mine.py: start yours with" in said


@pytest.mark.parametrize("came", ["somebody", psutil.AccessDenied(1)])
def test_whose_user_is_another_or_secret_is_a_stranger(came, port, monkeypatch):
    with running("mine.py", port):
        real, me = psutil.Process.username, os.getpid()

        def username(process):
            if process.pid == me:
                return real(process)
            if isinstance(came, Exception):
                raise came
            return came

        monkeypatch.setattr(psutil.Process, "username", username)
        assert complaint(Live, "mine.py").startswith(f"on port {port} answers {STRANGER}")


def test_words_that_are_no_paths_are_passed_over(monkeypatch, tmp_path):
    write("mine.py", SMALL)
    words = ["", "x" * 5000, "a\0b", "/", "--app=", ":", "mine.py\n"]
    lines = [[], ["python"], ["python", "-m"], ["python", "-X"], ["flask", "mine.py"]]
    lines += [["python", "-m", "flask", *words], *(["python", word] for word in words)]
    for line in lines:
        monkeypatch.setattr(psutil.Process, "cmdline", lambda process, line=line: line)
        files = live.files_of(psutil.Process())
        assert files and not any(live.is_same(file, tmp_path / "mine.py") for file in files)


def test_a_process_that_has_just_ended_is_passed_over(monkeypatch):
    child = subprocess.Popen([sys.executable, "-c", ""])
    process = psutil.Process(child.pid)
    child.wait()
    monkeypatch.setattr(service, "listeners", lambda port: [process])
    assert live.listeners(9696) == []


def test_a_process_without_a_folder_is_not_in_mine(monkeypatch, tmp_path):
    write("mine.py", SMALL)
    monkeypatch.setattr(psutil.Process, "cmdline", lambda process: ["python", "mine.py"])
    assert any(live.is_same(file, tmp_path / "mine.py") for file in live.files_of(psutil.Process()))
    monkeypatch.setattr(psutil.Process, "cwd", lambda process: "")
    files = live.files_of(psutil.Process())
    assert files and not any(live.is_same(file, tmp_path / "mine.py") for file in files)


# --- A service that imports another's form: lab 5's batch ---


def test_the_batch_needs_the_offer_services_file_and_not_its_answer(port, tmp_path):
    def judged():
        return exercises.judge(lab_05.lab.exercises["a-batch"], exercises.Answer({}))

    write("batch_service.py", (SOLVED_LABS / "batch_service.py").read_text(encoding="utf-8"))
    with pytest.raises(LabError, match=r"It said: .*No module named 'offer_service'"):
        service.start("batch_service.py", port=port)
    mark, said = judged()
    assert mark == "✘" and "offer_service.py, which is not there yet: run the cell that" in said
    offer = (SOLVED_LABS / "offer_service.py").read_text(encoding="utf-8")
    untouched = make_labs.without_solution(offer, "offer_service.py")
    assert untouched.count("return ____") == 3
    write("offer_service.py", untouched)
    assert judged()[1].startswith("nothing answers")
    with service.start("batch_service.py", port=port):
        assert judged() == ("✔", "Correct.")


# --- How it answers: a stand-in takes the service's place ---


@contextmanager
def asked(answer, monkeypatch):
    """Yield a Live that asks a stand-in."""
    write("mine.py", SMALL)
    with stand_in(answer) as fake:
        monkeypatch.setattr(service, "PORT", int(fake.url.rpartition(":")[2]))
        monkeypatch.setattr(Live, "_see_who_listens", lambda mine: None)
        yield Live("mine.py")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (308, "with 308: the path in @app.route(...) ends with a /"),
        (404, "with 404: your service knows no such path"),
        (405, "with 405: the path is there and allows other methods only"),
        (415, "with 415: your service did not find JSON in the request"),
        (500, "with 500: your code failed there: the service's log says where"),
        (403, "with 403: ask politely."),
        (302, "with 302: ask politely."),
    ],
)
def test_a_wrong_status_is_explained(status, words, monkeypatch):
    with asked(lambda *_: (status, "no"), monkeypatch) as mine:
        said = complaint(mine.status, 200, "GET", "/ping", "ask politely")
    assert said.startswith("GET /ping should be answered with 200, and is ") and words in said


def test_silence_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(live, "PATIENCE", 0.3)
    with asked(lambda *_: (200, "at last", 60), monkeypatch) as mine:
        begin = time.monotonic()
        assert "GET /ping got no answer within 0.3 s: is there" in complaint(
            mine.ask, "GET", "/ping"
        )
        assert time.monotonic() - begin < 5


def test_no_service_may_take_all_the_time_of_a_check(monkeypatch):
    monkeypatch.setattr(exercises, "SECONDS", 1)
    with asked(lambda *_: (200, "at last", 60), monkeypatch) as mine:
        assert "no answer within 0.25 s" in complaint(mine.ask, "GET", "/ping")


def test_what_is_no_http_is_said(monkeypatch):
    write("mine.py", SMALL)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk():
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"hello?\r\n\r\n")

        threading.Thread(target=talk, daemon=True).start()
        monkeypatch.setattr(service, "PORT", server.getsockname()[1])
        monkeypatch.setattr(Live, "_see_who_listens", lambda mine: None)
        mine = Live("mine.py")
        assert "GET /ping got no answer that is HTTP (ConnectionError)" in complaint(
            mine.ask, "GET", "/ping"
        )


def test_json_is_asked_for_and_given(monkeypatch):
    with asked(lambda *_: (201, {"n": 3}), monkeypatch) as mine:
        assert mine.json({"n": "number"}, "POST", "/n", "", status=201, json={}) == {"n": 3}
        assert "answered with 200, and is with 201: no." in complaint(
            mine.json, {"n": "number"}, "POST", "/n", "no"
        )


def test_no_password_of_the_users_goes_along(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("default login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    headers = []
    with asked(lambda asked, _: headers.append(asked.headers) or (200, ""), monkeypatch) as mine:
        mine.ask("GET", "/ping")
    assert len(headers) == 1 and "Authorization" not in headers[0]


# --- JSON ---


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("<h1>Caf&eacute;</h1>", "text/html", "is with a web page or plain text ('Café'): return"),
        ("PONG", "text/html; charset=utf-8", "is with a web page or plain text ('PONG')"),
        ("{'n': 3}", "application/json", """and "{'n': 3}" is none: return jsonify"""),
        ("", "text/plain", "and '' is none"),
        ("[" * 100_000, "application/json", "is none"),
    ],
)
def test_what_is_no_json_is_said(text, kind, words):
    response = requests.Response()
    response._content, response.encoding = text.encode(), "utf-8"
    response.headers["Content-Type"] = kind
    said = complaint(json_of, "GET /n", response)
    assert said.startswith("GET /n should be answered with JSON, and ") and words in said


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([1], "with a JSON object, and is with [1]"),
        (None, "with a JSON object, and is with None"),
        ("text", "with a JSON object, and is with 'text'"),
        ({}, "there is churn, share missing: give"),
        ({"share": 1, "churn": True, "x": 1}, "there is x not asked for: give"),
        ({"Share": 1, "churn": True}, "there is share missing and Share not asked for"),
        ({"share": "0.5", "churn": True}, 'should give share as number, and gives "0.5"'),
        ({"share": True, "churn": True}, "should give share as number, and gives true"),
        ({"share": None, "churn": True}, "should give share as number, and gives null"),
        ({"share": [0.5], "churn": True}, "should give share as number, and gives [0.5]"),
        ({"share": 0.5, "churn": 1}, "should give churn as true or false, and gives 1"),
        ({"share": 0.5, "churn": "yes"}, 'should give churn as true or false, and gives "yes"'),
    ],
)
def test_wrong_keys_and_kinds_are_said(answer, words):
    said = complaint(check_keys, "GET /n", answer, {"share": "number", "churn": "true or false"})
    assert said.startswith("GET /n should ") and words in said and said.endswith(".")


def test_right_keys_and_kinds_are_accepted():
    answer = {"a": {}, "b": [], "c": "", "d": 0.5, "e": 7, "f": False}
    kinds = ["object", "array", "text", "number", "number", "true or false"]
    assert check_keys("GET /n", answer, dict(zip(answer, kinds, strict=True))) is answer


# --- The stand-in ---


def test_stand_in_records_what_it_is_asked():
    def answer(asked, before):
        return (201, {"before": before}) if asked.method == "POST" else (404, "nothing here")

    with stand_in(answer) as fake:
        header = {"User-Agent": "me"}
        first = requests.get(f"{fake.url}/ping?a=1&b=x y", headers=header, timeout=5)
        second = requests.post(f"{fake.url}/e", json={"n": 1}, timeout=5)
    assert (first.status_code, first.text) == (404, "nothing here")
    assert first.headers["Content-Type"].startswith("text/html")
    assert (second.status_code, second.json()) == (201, {"before": 1})
    get, post = fake.requests
    assert (get.method, get.path.partition("?")[0]) == ("GET", "/ping") and "a=1" in get.path
    assert get.headers["User-Agent"] == "me" and get.body == b""
    assert (post.method, post.path, post.body) == ("POST", "/e", b'{"n": 1}')
    assert live.only_json(post) and not live.only_json(get)
    assert get.time <= post.time


def test_stand_in_waits_as_it_is_told_and_ends_at_once():
    with stand_in(lambda asked, before: (200, "", 0.2 if before else 60)) as fake:
        with pytest.raises(requests.Timeout):
            requests.get(fake.url, timeout=0.1)
        begin = time.monotonic()
        requests.get(fake.url, timeout=5)
        assert time.monotonic() - begin >= 0.2
        begin = time.monotonic()
    assert time.monotonic() - begin < 5  # the first one is still waiting
    assert not service.is_open(int(fake.url.rpartition(":")[2]))
