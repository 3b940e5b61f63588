"""The front door: whole requests go in, slow and rude clients hold up nobody, a log keeps its form.

Most tests call the door in this very process, as granian would, with an app of a few lines. What
needs sockets asks one service of the real pair; what ends a service starts that small app.
"""

import asyncio
import importlib.util
import io
import json
import os
import random
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import granian
import psutil
import pytest
import requests
from conftest import assert_one_sentence

from labkit import DATA, SOLUTIONS
from labkit.service import free_port, start

SCRIPT = SOLUTIONS / "production.py"
CUSTOMER = json.loads((DATA / "customer.json").read_text(encoding="utf-8"))
pytestmark = pytest.mark.xdist_group("production")  # one process, so one service of the real pair

spec = importlib.util.spec_from_file_location("production", SCRIPT)
production = importlib.util.module_from_spec(spec)
spec.loader.exec_module(production)


def part(body=b"", more=False):
    return {"type": "http.request", "body": body, "more_body": more}


GONE = {"type": "http.disconnect"}


def tell(environ, start_response):
    """A WSGI app that answers with what it was asked."""
    start_response("200 OK", [("Content-Type", "application/json"), ("Churn-Model", "abc")])
    told = {name: environ.get(name) for name in ("PATH_INFO", "QUERY_STRING", "CONTENT_LENGTH")}
    return [json.dumps(told | {"read": len(environ["wsgi.input"].read())}).encode()]


@pytest.fixture
def door():
    return production.FrontDoor(tell, {"Churn-Model": "abc"})


async def go_through(door, *messages, path="/predict", query=b"", method="POST", headers=None):
    """Send a request to the door, and return what it answers; a pause is a number of seconds."""
    messages, sent = list(messages or [part()]), []

    async def receive():
        while messages and isinstance(messages[0], float):
            await asyncio.sleep(messages.pop(0))
        return messages.pop(0) if messages else await asyncio.Event().wait()  # for ever

    async def send(message):
        sent.append(message)

    raw = path if isinstance(path, bytes) else path.encode()
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http",
        "path": raw.decode("utf-8", "replace"), "raw_path": raw, "query_string": query,
        "headers": [(name.encode(), value) for name, value in (headers or {}).items()],
        "server": ("127.0.0.1", "9696"), "client": ("127.0.0.1", "50000"), "root_path": "",
    }  # fmt: skip
    await door(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return SimpleNamespace(
        status=sent[0]["status"], headers=headers, body=sent[1]["body"], unread=messages
    )


def ask(door, *messages, **request):
    return asyncio.run(asyncio.wait_for(go_through(door, *messages, **request), 5))


def refused(answer, status):
    """Hold that the door itself refused as the app would: JSON, the model, a request id."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["churn-model"] == "abc" and answer.headers["x-request-id"]
    assert list(json.loads(answer.body)) == ["error"]
    return json.loads(answer.body)["error"]


def only_line(text):
    """Return what the one line of a log says: JSON in ASCII, without any control character."""
    assert text.endswith("\n") and text.isascii() and text[:-1].isprintable(), text
    return json.loads(text)


# The body


def test_the_app_is_asked_when_the_body_is_whole(door):
    parts = [part(b"{", True), 0.01, part(b"}", True), part()]
    answer = ask(door, *parts, headers={"content-length": b"2"})
    told = {"PATH_INFO": "/predict", "QUERY_STRING": "", "CONTENT_LENGTH": "2", "read": 2}
    assert (answer.status, json.loads(answer.body)) == (200, told)
    answer = ask(door, *parts, headers={"transfer-encoding": b"chunked"})
    assert json.loads(answer.body) == told


def test_a_query_may_be_any_bytes(door):
    answer = ask(door, path="/ping", query="a=ü&b=\u2028".encode())
    assert json.loads(answer.body)["QUERY_STRING"].encode("latin-1") == "a=ü&b=\u2028".encode()


@pytest.mark.parametrize("pauses", [[part(b"{", True)], [part(b"x", True), 0.01] * 1000])
def test_a_body_that_is_not_whole_in_time_gets_408(door, monkeypatch, pauses):
    monkeypatch.setattr(production, "SECONDS", 0.1)
    begin = time.monotonic()
    assert "0.1 seconds" in refused(ask(door, *pauses), 408)
    assert time.monotonic() - begin < 2  # for the whole body, however it drips
    assert door.arriving == 0


def test_a_slow_body_holds_up_nobody(door):
    async def both():
        slow = asyncio.create_task(go_through(door, part(b"{", True), 0.2, part(b"}")))
        await asyncio.sleep(0)
        quick = await go_through(door)
        assert quick.status == 200 and not slow.done()
        return await slow

    assert asyncio.run(both()).status == 200


LARGEST = production.LARGEST


@pytest.mark.parametrize("size", [LARGEST, LARGEST + 1, LARGEST + 2, 20 * LARGEST])
def test_the_app_learns_of_each_body_that_is_too_long(door, size):
    """It must see a length over the limit, or it would take the beginning for the whole."""
    parts = [part(b" " * 2**16, True)] * (size // 2**16) + [part(b" " * (size % 2**16), True)]
    for headers in {"content-length": str(size).encode()}, {"transfer-encoding": b"chunked"}:
        answer = ask(door, *parts, part(), headers=headers)
        told = json.loads(answer.body)
        assert answer.status == 200
        assert int(told["CONTENT_LENGTH"]) >= min(size, LARGEST + 1)
        assert told["read"] <= LARGEST + 2**16
        if size <= LARGEST + 1:
            assert told["read"] == int(told["CONTENT_LENGTH"]) == size
    assert door.arriving == 0


def test_nothing_is_read_of_what_is_said_to_be_too_long(door):
    answer = ask(door, part(b"x", True), headers={"content-length": b"99999999"})
    assert len(answer.unread) == 1 and json.loads(answer.body)["read"] == 0


def test_when_the_memory_is_full_large_bodies_wait_and_small_ones_go_on(door, monkeypatch):
    monkeypatch.setattr(production, "MEMORY", 100_000)

    async def crowd():
        half = [go_through(door, part(b"x" * 90_000, True), 0.2, part()) for _ in range(3)]
        half = [asyncio.create_task(one) for one in half]
        await asyncio.sleep(0.05)
        small = await go_through(door, part(b"x" * 2**14))
        return small, [await one for one in half]

    small, large = asyncio.run(crowd())
    assert small.status == 200
    assert sorted(one.status for one in large) == [200, 503, 503]
    busy = next(one for one in large if one.status == 503)
    refused(busy, 503)
    assert busy.headers["retry-after"] == "10"
    assert door.arriving == 0


def test_clients_that_vanish_leave_nothing_behind(door, monkeypatch, capsys):
    monkeypatch.setattr(production, "SECONDS", 0.2)
    monkeypatch.setattr(production, "MEMORY", 2_000_000)
    chance = random.Random(11)
    endings = [[part()], [GONE], [], [part(b"x" * 2_000_000, True)], [{"type": "http.request"}]]

    def client():
        parts = []
        for _ in range(chance.randrange(9)):
            parts += [part(b"x" * chance.randrange(100_000), True), 0.001 * chance.randrange(20)]
        return go_through(door, *parts, *chance.choice(endings))

    async def crowd():
        return await asyncio.gather(*(client() for _ in range(300)))

    answers = asyncio.run(asyncio.wait_for(crowd(), 20))
    assert {answer.status for answer in answers} == {200, 400, 408, 500, 503}
    assert door.arriving == 0
    log = capsys.readouterr().out.splitlines(keepends=True)
    assert sorted(only_line(line)["status"] for line in log) == sorted(a.status for a in answers)


# The log, and the request's id


def test_a_request_is_one_line_of_json(door, capsys):
    answer = ask(door, part(b"SECRET"), path="/ping", query=b"key=SECRET", method="GET")
    output = capsys.readouterr()
    line = only_line(output.out)
    assert list(line) == ["time", "id", "method", "path", "status", "ms", "model"]
    assert line["time"][:2] == "20" and line["time"].endswith("+00:00")
    assert line["id"] == answer.headers["x-request-id"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/ping", 200)
    assert (type(line["ms"]), line["model"]) == (float, "abc")
    assert "SECRET" not in output.out + output.err


RUDE = [
    b'/x\r\n{"time": "forged"}', b"/x%0d%0a%1b[2J", b"/\x1b[2J\x07\x00", b'/"},{"a', b"/\\u000a\\n",
    "/\u2028\u2029\x85".encode(), b"/\x80\x9b2J\xff\xfe", b"", b"*", b"/" + b"\xff" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("path", RUDE, ids=lambda path: repr(path[:20]))
def test_no_client_forges_the_log(door, capsys, path):
    name = path[:64]
    ask(door, path=path, query=path, method=path.decode("latin-1"), headers={"x-request-id": name})
    output = capsys.readouterr()
    assert len(output.out) < 1000 and only_line(output.out)["status"] == 200
    assert output.err == ""


def test_a_sane_request_id_is_given_back(door, capsys):
    for name in ["a", "A-b_c.9", "x" * 64]:
        assert ask(door, headers={"x-request-id": name.encode()}).headers["x-request-id"] == name
        assert only_line(capsys.readouterr().out)["id"] == name


@pytest.mark.parametrize(
    "name",
    [b"", b"x" * 65, b"a b", b"a\n", b"a\r\nSet-Cookie: b", "ü".encode(), b"\xfc", b"a;b", b'"'],
)
def test_another_request_id_is_replaced(door, capsys, name):
    names = [ask(door, headers={"x-request-id": name}).headers["x-request-id"] for _ in range(2)]
    assert names[0] != names[1] and all(len(bytes.fromhex(name)) == 16 for name in names)
    log = capsys.readouterr().out.splitlines(keepends=True)
    assert [only_line(line)["id"] for line in log] == names


def broken(environ, start_response):
    text = 'no\n{"time": "forged"}\x1b[2J\x85\u2028'
    environ["wsgi.errors"].write(text)
    raise ValueError(text)


def test_a_bug_is_a_500_and_its_traceback_one_line_elsewhere(capsys):
    door = production.FrontDoor(broken, {"Churn-Model": "abc"})
    answer = ask(door)
    error = refused(answer, 500)
    assert "forged" not in error and "ValueError" not in error
    output = capsys.readouterr()
    assert (only_line(output.out)["status"], "forged" in output.out) == (500, False)
    told = only_line(output.err)
    assert told["id"] == answer.headers["x-request-id"]
    assert told["errors"].count("forged") == 2 and "Traceback" in told["errors"]


class Stream(io.StringIO):
    """A log that remembers each write, or is on a full disk."""

    def __init__(self, full=False):
        super().__init__()
        self.full, self.writes = full, []

    def write(self, text):
        if self.full:
            raise OSError(28, "No space left on device")
        self.writes += [text] if text else []  # print() may write nothing, too


def test_a_line_is_written_in_one_piece(door, monkeypatch):
    """Two workers share the log while one takes over from the other."""
    monkeypatch.setattr(sys, "stdout", log := Stream())
    ask(door)
    assert len(log.writes) == 1 and only_line(log.writes[0])


@pytest.mark.parametrize("app", [tell, broken])
def test_a_log_that_cannot_be_written_costs_no_answer(monkeypatch, app):
    monkeypatch.setattr(sys, "stdout", Stream(full=True))
    monkeypatch.setattr(sys, "stderr", Stream(full=True))
    answer = ask(production.FrontDoor(app, {"Churn-Model": "abc"}))
    assert answer.status == (200 if app is tell else 500)


# The start


def test_the_door_itself_imports_no_model():
    code = "import sys, production; print({'churn_serving', 'sklearn', 'numpy'} & {*sys.modules})"
    command = [sys.executable, "-c", code]
    output = subprocess.run(command, cwd=SOLUTIONS, capture_output=True, encoding="utf-8").stdout
    assert output == "set()\n"


def begin(monkeypatch, *arguments, **environment):
    """Run the script up to where granian would serve, and return where that would be."""
    for name in ("CHURN_HOST", "PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    places = []

    class Server:
        def __init__(self, target, host, port, **options):
            places.append((host, port))
            assert options["workers_kill_timeout"] < 10  # when Docker kills

        def serve(self):
            pass

    monkeypatch.setattr(granian, "Granian", Server)
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    return places[0]


def test_it_serves_this_machine_alone_unless_told_otherwise(monkeypatch):
    port = free_port()
    for host in {}, {"CHURN_HOST": ""}, {"CHURN_HOST": "localhost"}:
        assert begin(monkeypatch, PORT=str(port), **host) == ("127.0.0.1", port)
    assert begin(monkeypatch, PORT=str(port), CHURN_HOST="0.0.0.0") == ("0.0.0.0", port)
    assert begin(monkeypatch, PORT="0")[1] > 0  # any free one, and it says which


def test_it_serves_ipv6(monkeypatch):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    port = free_port()
    assert begin(monkeypatch, PORT=str(port), CHURN_HOST="::1") == ("::1", port)


@pytest.mark.parametrize(
    "environment",
    [{"PORT": port} for port in ("abc", "-1", "70000", "1.5", "80 80")]
    + [{"CHURN_HOST": host, "PORT": "0"} for host in ("192.0.2.1", "a..b")],  # not ours; no name
    ids=str,
)
def test_a_place_that_cannot_be_used_is_one_sentence(monkeypatch, environment):
    with pytest.raises(SystemExit) as end:
        begin(monkeypatch, **environment)
    assert_one_sentence(end.value.code, environment.get("CHURN_HOST", environment["PORT"]))


def test_a_busy_port_is_one_sentence(monkeypatch):
    """Granian alone would share it: every other request would be answered by somebody else."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with pytest.raises(SystemExit) as end:
            begin(monkeypatch, PORT=port)
    assert_one_sentence(end.value.code, f"127.0.0.1:{port}")


def test_arguments_are_refused(monkeypatch):
    with pytest.raises(SystemExit) as end:
        begin(monkeypatch, "--port", "80")
    assert_one_sentence(end.value.code, "--port 80")


# Over sockets: the real pair


@pytest.fixture(scope="module")
def service(model_file):
    with start(SCRIPT.name, port=free_port(), CHURN_MODEL=str(model_file)) as service:
        yield service


def connect(service):
    return socket.create_connection(("127.0.0.1", service.port), timeout=10)


def raw(service, request):
    """Send bytes, and return all that comes back until the connection ends."""
    with connect(service) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


HALF = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\nConnection: close\r\n\r\n{"


def lines_of(service):
    """Return the log's JSON lines; each must have its form."""
    return [only_line(line + "\n") for line in service.log().splitlines() if line[:1] == "{"]


def test_the_real_pair_answers_and_logs(service):
    sha256 = requests.get(service.url + "/health", timeout=10).json()["model"]["sha256"]
    for path, body, status in [("/predict", CUSTOMER, 200), ("/predict/batch", [{}], 400)]:
        headers = {"X-Request-ID": f"mine{status}"}
        response = requests.post(service.url + path, json=body, headers=headers, timeout=10)
        assert response.status_code == status
        assert response.headers["Churn-Model"] == sha256
        assert response.headers["X-Request-ID"] == f"mine{status}"
        (line,) = [line for line in lines_of(service) if line["id"] == f"mine{status}"]
        assert (line["path"], line["status"], line["model"]) == (path, status, sha256)


def test_half_sent_and_silent_clients_hold_up_nobody(service):
    clients = [connect(service) for _ in range(100)]
    for client in clients[:50]:
        client.sendall(HALF)
    for ask in [
        lambda: requests.get(service.url + "/ping", timeout=1),
        lambda: requests.get(service.url + "/health", timeout=1),
        lambda: requests.post(service.url + "/predict", json=CUSTOMER, timeout=1),
    ]:
        assert ask().status_code == 200
    for client in clients:
        client.close()


def test_a_client_that_vanishes_is_a_line_and_no_traceback(service):
    before = len(lines_of(service))
    with connect(service) as client:
        client.sendall(HALF)
    deadline = time.monotonic() + 10
    while len(lines_of(service)) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert lines_of(service)[-1]["status"] == 400
    assert "Traceback" not in service.log() and '"errors"' not in service.log()


def test_only_http_1_is_spoken(service):
    assert b"200" not in raw(service, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    upgrade = b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    key = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    with connect(service) as client:
        client.sendall(upgrade + key)
        assert client.recv(65536).startswith(b"HTTP/1.1 400")


def test_control_characters_reach_neither_app_nor_log(service):
    for character in b"\x00\x07\x0b\x1b\x7f\x85\x9b\xff":
        request = b"GET /rude%c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % character
        assert raw(service, request)[:15] in (b"HTTP/1.1 400 Ba", b"HTTP/1.1 404 No")
    assert raw(service, b"GET /rude%1b%0a%7f HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 404")
    assert lines_of(service)[-1]["path"] == "/rude%1b%0a%7f"
    assert service.log().isascii() and service.log().replace("\n", "").isprintable()


def test_one_mebibyte_too_many_is_answered_to_ordinary_clients(service):
    for body in b" " * 20 * 2**20, iter([b" " * 2**16] * 320):
        response = requests.post(
            service.url + "/predict",
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=20,
        )
        assert (response.status_code, list(response.json())) == (413, ["error"])


# The end: of a small app behind the same door

SMALL = """
from flask import Flask, request
app, MODEL = Flask("small"), {"Churn-Model": "abc"}
app.add_url_rule("/predict", view_func=lambda: str(len(request.data)), methods=["POST"])
"""


@pytest.fixture
def small(tmp_path):
    """Return the door's script in a folder of its own, a blank in its name, with that app."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "churn_serving.py").write_text(SMALL, encoding="utf-8")
    return shutil.copy(SCRIPT, folder)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_sigterm_waits_for_a_body_and_takes_no_new_connection(small):
    with start(small, port=free_port(), PYTHONSAFEPATH="1") as service, connect(service) as client:
        client.sendall(HALF[:-3] + b"Expect: 100-continue\r\n\r\n{")
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"  # so the door reads it
        os.kill(service.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 5
        with pytest.raises(ConnectionError):  # refused, or reset in the moment of closing
            while time.monotonic() < deadline:
                connect(service).close()
        client.sendall(b"x" * 499)
        assert client.recv(65536).endswith(b"\r\n\r\n500")
        assert service.process.wait(10) == 0


def test_no_worker_outlives_its_parent(small):
    with start(small, port=free_port()) as service:
        workers = psutil.Process(service.process.pid).children(recursive=True)
        assert workers
        service.process.kill()
        left = psutil.wait_procs(workers, timeout=5)[1]
        for worker in left:
            worker.kill()
        assert left == []


def test_a_worker_that_ends_ends_the_whole(small):
    with start(small, port=free_port()) as service:
        for worker in psutil.Process(service.process.pid).children(recursive=True):
            worker.kill()
        assert service.process.wait(10) != 0


def test_an_app_that_refuses_to_start_says_so_and_ends_the_whole(small, tmp_path):
    text = "import sys\nsys.exit('That model does not fit.')\n"
    (tmp_path / "a folder" / "churn_serving.py").write_text(text, encoding="utf-8")
    result = subprocess.run(
        [sys.executable, small],
        env=os.environ | {"PORT": str(free_port())},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert result.returncode != 0 and result.stdout == ""
    assert result.stderr.count("That model does not fit.\n") == 1
    assert "Traceback" not in result.stderr
