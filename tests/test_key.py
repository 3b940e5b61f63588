"""The key: who has none, or a wrong one, gets nothing; and nobody gets the key."""

import http.client
import json
import os
import runpy
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import requests
from conftest import assert_one_sentence

from labkit import DATA, SOLUTIONS
from labkit.service import free_port, start

CUSTOMER = json.loads((DATA / "customer.json").read_text(encoding="utf-8"))
KEY = "a-key-that-only-this-test-knows"
BEARER = f"Bearer {KEY}"


GRANIAN = """
import os
from granian import Granian

if __name__ == "__main__":
    Granian("churn_serving:app", port=int(os.environ["PORT"]), interface="wsgi").serve()
"""


@pytest.fixture(scope="module")
def settings(model_file):
    # FLASK_DEBUG may stand in somebody's profile; it must open no debugger.
    return {"CHURN_MODEL": str(model_file), "CHURN_API_KEY": KEY, "FLASK_DEBUG": "1"}


@pytest.fixture(scope="module")
def service(settings):
    with start("churn_serving.py", port=free_port(), **settings) as service:
        yield service


@pytest.fixture(scope="module")
def under_granian(settings, tmp_path_factory):
    script = tmp_path_factory.mktemp("granian") / "serve.py"
    script.write_text(GRANIAN, encoding="utf-8")
    with start(script, port=free_port(), PYTHONPATH=str(SOLUTIONS), **settings) as service:
        yield service


@pytest.fixture(params=["service", "under_granian"])
def either(request):
    return request.getfixturevalue(request.param)


def ask(service, method="POST", path="/predict", authorization=None):
    headers = {} if authorization is None else {"Authorization": authorization}
    json = CUSTOMER if method == "POST" else None
    return requests.request(
        method, service.url + path, json=json, headers=headers, timeout=30, allow_redirects=False
    )


def refused(response):
    """Say whether the answer is a 401 that keeps to the contract."""
    return (
        response.status_code == 401
        and response.headers["Content-Type"] == "application/json"
        and response.headers["WWW-Authenticate"] == "Bearer"
        and list(response.json()) == ["error"]
        and KEY not in response.text
    )


WRONG = {
    "missing": None,
    "empty": "",
    "no scheme": KEY,
    "scheme alone": "Bearer",
    "another scheme": f"Basic {KEY}",
    "another key": "Bearer a-key-that-only-this-test-knowz",
    "its beginning": BEARER[:-1],
    "longer": BEARER + "s",
    "other case": f"Bearer {KEY.upper()}",
    "in quotes": f'Bearer "{KEY}"',
    "not ASCII": "Bearer schlüssel".encode("latin-1"),
}


@pytest.mark.parametrize("authorization", WRONG.values(), ids=WRONG)
def test_nothing_is_answered_without_the_right_key(service, authorization):
    assert refused(ask(service, authorization=authorization))


@pytest.mark.parametrize("authorization", [BEARER, f"bearer {KEY}"])
def test_the_right_key_opens(service, authorization):
    response = ask(service, authorization=authorization)
    assert response.status_code == 200
    assert list(response.json()) == ["churn", "churn_probability"]
    assert not refused(response)


def knock(service, method, path, **headers):
    """Send a request as it is written here; return status, headers and what was said."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    connection.request(method, path, headers={"Content-Length": "0", **headers})
    answer = connection.getresponse()
    said = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, said


def test_exactly_get_and_head_of_ping_and_health_are_open(either):
    paths = ["/ping", "/health", "/ping/", "//ping", "///ping", "/PING", "/ping;x", "//health"]
    paths += [
        "/predict",
        "/predict/batch",
        "//predict",
        "/predict//batch",
        "/",
        "/nope",
        "/console",
    ]
    methods = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "BREW", "get", "Head", "options"]
    asked = {(method, path) for method in methods for path in paths} | {("OPTIONS", "*")}
    open_ = {ask for ask in asked if knock(either, *ask)[0] != 401}
    assert open_ == {(method, path) for method in ["GET", "HEAD"] for path in ["/ping", "/health"]}
    for method, path in open_:
        assert knock(either, method, path)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("post", "/predict", 405),
        ("Post", "/predict/batch", 405),
        ("get", "/ping", 405),
        ("HEAD", "/predict", 405),
        ("POST", "//predict", 404),
        ("POST", "/predict//batch", 404),
        ("GET", "//ping", 404),
        ("GET", "///ping?//", 404),
        ("GET", "/console", 404),
        ("GET", "/?__debugger__=yes&cmd=resource&f=style.css", 404),
        ("OPTIONS", "/predict", 200),
    ],
)
def test_small_doors_are_shut_with_the_key_too(either, method, path, status):
    answered, headers, said = knock(either, method, path, Authorization=BEARER)
    assert answered == status
    if status != 200:
        assert headers["Content-Type"] == "application/json"
        assert method == "HEAD" or list(json.loads(said)) == ["error"]
    if status == 405:
        assert ("GET" if path == "/ping" else "POST") in headers["Allow"]


def test_a_large_body_without_the_key_is_not_read(service):
    response = requests.post(service.url + "/predict", data=b"x" * 500_000, timeout=30)
    assert refused(response)


def test_neither_the_key_nor_a_wrong_one_is_logged(service):
    ask(service, authorization=BEARER)
    ask(service, authorization="Bearer somebody-elses-key")
    log = service.log()
    assert '" 401 ' in log and '" 200 ' in log
    assert KEY not in log and "somebody-elses-key" not in log


@pytest.mark.parametrize("key", ["", "fifteen-letters", "has spaces in between", "schlüssel" * 3])
def test_a_key_that_protects_nobody_is_refused_at_the_start(model_file, monkeypatch, key):
    monkeypatch.setenv("CHURN_MODEL", str(model_file))
    monkeypatch.setenv("CHURN_API_KEY", key)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SOLUTIONS / "churn_serving.py"))
    assert_one_sentence(ended.value.code, "CHURN_API_KEY must have 16 or more")
    assert not key or key not in ended.value.code


# The marketing service


def campaign(url, tmp_path, **environment):
    command = [sys.executable, SOLUTIONS / "marketing_service.py", "--url", url]
    command += ["--db", tmp_path / "campaign.db", "--patience", "1", "--batch-size", "1000"]
    environment = os.environ | {"PYTHONUTF8": "1"} | environment
    return subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", timeout=60
    )


def test_the_campaign_goes_on_once_it_has_the_key(service, tmp_path):
    for environment in [{}, {"CHURN_API_KEY": "another-key-altogether"}]:
        ended = campaign(service.url, tmp_path, **environment)
        assert ended.returncode == 1
        last = ended.stderr.strip().splitlines()[-1]
        assert_one_sentence(last, "wants its key (401): set CHURN_API_KEY")
        assert "0 scored" in ended.stdout and "1,409 waiting" in ended.stdout
        assert "another-key-altogether" not in ended.stdout + ended.stderr

    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n", encoding="utf-8")
    ended = campaign(service.url, tmp_path, CHURN_API_KEY=KEY, NETRC=str(netrc))
    assert ended.returncode == 0, ended.stderr
    assert "1,409 scored" in ended.stdout and KEY not in ended.stdout + ended.stderr


@pytest.mark.parametrize("key", ["two words", "line-end\n", "schlüssel"])
def test_the_campaign_refuses_what_can_be_no_key(tmp_path, key):
    ended = campaign("http://127.0.0.1:9", tmp_path, CHURN_API_KEY=key)
    assert ended.returncode == 2
    assert_one_sentence(ended.stderr.strip().splitlines()[-1], "CHURN_API_KEY holds")
    assert key not in ended.stderr


class Forward(BaseHTTPRequestHandler):
    """Sends each request on to another address, and notes the key that it was given."""

    def do_POST(self):
        self.server.keys.append(self.headers["Authorization"])
        self.send_response(307)
        self.send_header("Location", self.server.to + self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def test_no_other_host_gets_the_key_or_the_customers(tmp_path):
    servers = [HTTPServer(("127.0.0.1", 0), Forward) for _ in range(2)]
    ours, other = servers
    for server in servers:
        server.keys, server.to = [], f"http://localhost:{other.server_port}"
        Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    try:
        ended = campaign(f"http://127.0.0.1:{ours.server_port}", tmp_path, CHURN_API_KEY=KEY)
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
    assert ended.returncode == 1
    assert f"sends us on to '{other.server_port}" in ended.stderr.replace("http://localhost:", "")
    assert (ours.keys, other.keys) == ([BEARER], []), "the other must not be asked"
