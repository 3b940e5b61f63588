"""The campaign, disturbed in every way: nobody is lost, nobody gets two e-mails."""

import json
import os
import pickle
import random
import runpy
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import Request

import pandas as pd
import pytest
from conftest import assert_one_sentence

from labkit import DATA, SOLUTIONS
from labkit.service import free_port, no_proxy, start

SCRIPT = SOLUTIONS / "marketing_service.py"
CSV = DATA / "telco-customer-churn.csv"
KILLER = """
import os, runpy, signal, sqlite3, sys
statement, number, *sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(sys.argv[0])
connect, seen = sqlite3.connect, []

def watch(sql):  # called before the statement runs
    if sql.startswith(statement):
        seen.append(sql)
        if len(seen) == int(number):
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

def connect_and_watch(*arguments, **options):
    db = connect(*arguments, **options)
    db.set_trace_callback(watch)
    return db

sqlite3.connect = connect_and_watch
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def command(db, url, *options):
    return [str(word) for word in (sys.executable, SCRIPT, "--db", db, "--url", url, *options)]


def begin(words, **environment):
    return subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"} | environment,
    )


def end(process, code):
    """Wait for the process; check its exit code and that it shows nobody a stack trace."""
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert "Traceback" not in err, err
    assert process.returncode == code, err
    return out, err


def campaign(db, url, *options, code=0, **environment):
    """Run the campaign to its end and return what it printed to stdout and stderr."""
    return end(begin(command(db, url, *options), **environment), code)


def campaign_here(monkeypatch, db, url, *options):
    """Run the campaign in this process, which is quicker; return what sys.exit() is given, or 0."""
    monkeypatch.setattr(sys, "argv", command(db, url, *options)[1:])
    monkeypatch.setattr(sys, "path", [*sys.path])
    umask = os.umask(0o022)
    try:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    except SystemExit as stop:
        return stop.code
    finally:
        os.umask(umask)
    return 0


@pytest.fixture
def waits(monkeypatch):
    """The waits of campaigns in this process: they are written down here, and not waited for."""
    seconds = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


def refusal(err):
    """Return the last line of stderr, the progress bar left out."""
    return err.splitlines()[-1]


def query(path, sql, *parameters):
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        return db.execute(sql, parameters).fetchall()


def contents(path):
    """Return all that a database holds, but for times, e-mail numbers and the 13th digit."""
    return {
        "customer": [
            (*row[:3], row[3] and round(row[3], 12), row[4])
            for row in query(path, "SELECT * FROM customer ORDER BY id")
        ],
        "campaign": query(path, "SELECT * FROM campaign"),
        "email": query(path, "SELECT campaign, customer, text, sent FROM email ORDER BY customer"),
    }


def check_consistency(path, threshold=0.5):
    """Check that those who are scored at or above the threshold have their e-mail: now."""
    due = query(path, "SELECT id FROM customer WHERE churn_probability >= ? ORDER BY id", threshold)
    assert query(path, "SELECT customer FROM email ORDER BY customer") == due
    assert query(path, "PRAGMA integrity_check") == [("ok",)]


def waiting(path):
    return query(path, "SELECT count(*) FROM customer WHERE state = 'waiting'")[0][0]


class Cut(Exception):
    """Close the connection without an answer."""


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))

        def forward(url=self.server.url):
            request = Request(url + self.path, body, {"Content-Type": "application/json"})
            try:
                response = no_proxy.open(request, timeout=30)
            except HTTPError as error:
                response = error
            with response:
                model = {"Churn-Model": response.headers["Churn-Model"]}
                return response.status, response.read(), model

        with self.server.lock:
            self.server.asked.append((self.path, json.loads(body)))
            number = len(self.server.asked)
        try:
            status, answer, headers = self.server.plan(number, forward)
            if status is None:  # each piece as it comes, head and all
                for piece in answer:
                    self.wfile.write(piece)
                raise Cut
            self.send_response(status)
            for name, value in ({"Content-Length": len(answer)} | headers).items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(answer)
        except (Cut, OSError):
            self.close_connection = True

    def log_message(self, *_):
        pass


@contextmanager
def between(url, plan):
    """Stand between campaign and service; plan(number, forward) gives each answer.

    That is status, body and headers; forward() asks the service and returns these three.
    `asked` has the path and the customers of each request.
    """
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.url, proxy.plan, proxy.asked, proxy.lock = url, plan, [], threading.Lock()
    proxy.address = f"http://127.0.0.1:{proxy.server_port}"
    threading.Thread(target=proxy.serve_forever, args=[0.05], daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    """A database with all customers waiting, as two first runs at once leave it, unanswered."""
    db = tmp_path_factory.mktemp("campaign") / "filled.db"
    words = command(db, f"http://127.0.0.1:{free_port()}", "--patience", 1)
    for process in [begin(words), begin(words, PYTHONSAFEPATH="1")]:
        out, err = end(process, 1)
        assert err.count("next try") == 5
        assert "churn_serving.py" in refusal(err)
        assert "1,409 waiting" in out
    assert os.name == "nt" or db.stat().st_mode & 0o777 == 0o600
    return db


@pytest.fixture
def db(filled, tmp_path):
    return shutil.copy(filled, tmp_path / "campaign.db")


@pytest.fixture(scope="session")
def undisturbed(filled, churn_service, tmp_path_factory):
    """The database of a campaign that nothing disturbed."""
    db = shutil.copy(filled, tmp_path_factory.mktemp("undisturbed") / "campaign.db")
    out, _ = campaign(db, churn_service.url)
    assert "1,409 scored" in out
    assert "0 rejected, 0 waiting" in out
    assert "never sent" in out
    return db


@pytest.fixture(scope="session")
def other_service(tmp_path_factory):
    """A churn service with another model."""
    path = tmp_path_factory.mktemp("other") / "churn-model.bin"
    train = runpy.run_path(str(SOLUTIONS / "train.py"))
    df = train["read_customers"](CSV)
    card = {"trained": "2001-01-01", "auc": 0.5, "features": train["allowed_values"](df)}
    dv, model = train["train"](train["split"](df)[0], C=0.01)
    train["save"](path, dv, model, train["to_dicts"](df)[0], **card)
    with start("churn_serving.py", port=free_port(), CHURN_MODEL=str(path)) as service:
        yield service


def test_the_test_customers_are_scored_as_pandas_and_the_pickle_say(undisturbed, model_file):
    df = pd.read_csv(CSV)
    df.columns = df.columns.str.lower()
    df["totalcharges"] = pd.to_numeric(df["totalcharges"], errors="coerce").fillna(0)
    for name in df.select_dtypes(exclude="number"):
        df[name] = df[name].str.lower().str.replace(" ", "_")
    ids = [number for (number,) in query(undisturbed, "SELECT id FROM customer ORDER BY id")]
    customers = df.loc[[number - 2 for number in ids]].drop(columns="churn")
    dv, model = pickle.loads(model_file.read_bytes())
    expected = model.predict_proba(dv.transform(customers.to_dict(orient="records")))[:, 1]

    probabilities = query(undisturbed, "SELECT churn_probability FROM customer ORDER BY id")
    assert [p for (p,) in probabilities] == pytest.approx(list(expected), abs=1e-12)
    emails = [number for number, p in zip(ids, expected, strict=True) if p >= 0.5]
    assert 250 < len(emails) < 400
    assert [row[1] for row in contents(undisturbed)["email"]] == emails

    from sklearn.model_selection import train_test_split

    assert ids == sorted(train_test_split(df, test_size=0.2, random_state=1)[1].index + 2)
    sent = query(undisturbed, "SELECT features FROM customer")
    assert [features for (features,) in sent if "churn" in json.loads(features)] == []


@pytest.mark.slow
def test_service_not_up_yet_and_killed_during_the_run(db, undisturbed, model_file):
    port, services = free_port(), []
    url = f"http://127.0.0.1:{port}"
    process = begin(command(db, url, "--batch-size", 10, "--patience", 60))
    try:
        for left in (1409, 1100, 600):
            while waiting(db) > left:
                assert process.poll() is None
                time.sleep(0.02)
            # start() first kills the service that it started on this port before.
            services.append(start("churn_serving.py", port=port, CHURN_MODEL=str(model_file)))
            assert process.poll() is None
            assert waiting(db) > 0
        _, err = end(process, 0)
    finally:
        process.kill()
        for service in services:
            service.stop()
    assert err.count("next try") >= 3
    assert contents(db) == contents(undisturbed)


def test_slow_service(db, undisturbed, churn_service):
    asked_again = threading.Event()

    def plan(number, forward):
        if number == 2:
            asked_again.set()
        if number == 1:  # too slow
            assert asked_again.wait(20)
        return forward()

    with between(churn_service.url, plan) as proxy:
        _, err = campaign(db, proxy.address, "--batch-size", 1000, "--patience", 1)
    assert err.count("TimeoutError") == 1
    assert contents(db) == contents(undisturbed)


def test_dripped_and_endless_answers(db, undisturbed, churn_service):
    over, sent = threading.Event(), []

    def drip(*head):
        yield from head
        while not over.wait(0.1):
            yield b"1\r\n \r\n" if b"chunked" in head[-1] else b" "

    def flood():
        yield b"HTTP/1.1 200 OK\r\n\r\n["
        while not over.is_set():
            sent.append(1)
            yield b" " * 2**16

    answers = [
        drip(b"HTTP/1.1 200 OK\r\nServer: slow"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        flood(),
    ]

    def plan(number, forward):
        return (None, answers[number - 1], {}) if number <= 4 else forward()

    with between(churn_service.url, plan) as proxy:
        began = time.monotonic()
        _, err = campaign(db, proxy.address, "--patience", 0.5)
        over.set()
    assert time.monotonic() - began < 20
    assert err.count("TimeoutError") == 3
    assert err.count("answers 200 without JSON") == 1
    assert len(sent) < 500, "32 MiB were taken"
    assert contents(db) == contents(undisturbed)


def test_misbehaving_service(db, undisturbed, churn_service):
    def cut_off(forward):
        status, answer, headers = forward()
        return status, answer, headers | {"Content-Length": len(answer) + 10}

    def lose(forward):
        forward()
        raise Cut

    faults = [
        lambda forward: (200, b"<html>Welcome to the hotel</html>", {}),
        lambda forward: (502, b"<html>Bad gateway</html>", {}),
        lambda forward: (404, b"<html>Not here yet</html>", {}),
        lambda forward: (500, b'{"error": "a bug"}', {}),
        lambda forward: (503, b"[]", {}),
        lambda forward: (408, b"{}", {}),
        lambda forward: (425, b"{}", {}),
        lambda forward: (429, b"{}", {"Retry-After": 0}),
        lambda forward: (200, forward()[1].rstrip()[:-1], {}),
        lambda forward: (200, b"", {}),
        lambda forward: (200, b"[" * 100_000, {}),
        lambda forward: (200, b"1" * 5000, {}),
        cut_off,
        lose,
    ]

    def plan(number, forward):
        return forward() if number % 2 else faults[number // 2 % len(faults)](forward)

    with between(churn_service.url, plan) as proxy:
        _, err = campaign(db, proxy.address, "--patience", 0.5)
    assert err.count("next try") == len(faults)
    assert contents(db) == contents(undisturbed)


def test_waits_grow_and_differ_from_run_to_run(monkeypatch, db, waits):
    for _ in range(2):
        with between("", lambda number, forward: (500, b"{}", {})) as proxy:
            message = campaign_here(monkeypatch, db, proxy.address, "--patience", 32)
            assert len(proxy.asked) == 6
        assert "answers 500, tried six times" in message
    for wait, planned in zip(waits, [1, 2, 4, 8, 16] * 2, strict=True):
        assert planned / 2 <= wait <= planned
    assert waits[:5] != waits[5:]


@pytest.mark.parametrize("status", [408, 425, 429, 503])
def test_retry_after_is_kept(monkeypatch, db, churn_service, undisturbed, waits, status):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    asked = ["7", date, "next week", "-3"]

    def plan(number, forward):
        retry_after = {"Retry-After": asked[number - 1]} if number <= len(asked) else {}
        return (status, b"{}", retry_after) if retry_after else forward()

    with between(churn_service.url, plan) as proxy:
        assert campaign_here(monkeypatch, db, proxy.address) == 0
    assert waits[0] == 7
    assert 5 <= waits[1] <= 9
    assert all(wait < 8 for wait in waits[2:])
    assert contents(db) == contents(undisturbed)


@pytest.mark.parametrize(("seconds", "requests"), [("12", 3), ("3600", 1), ("9" * 400, 1)])
def test_who_asks_to_wait_longer_than_the_patience_is_left_alone(
    monkeypatch, db, waits, seconds, requests
):
    with between("", lambda number, forward: (429, b"{}", {"Retry-After": seconds})) as proxy:
        message = campaign_here(monkeypatch, db, proxy.address, "--patience", 30)
        assert len(proxy.asked) == requests
    assert_one_sentence(message, f"answers 429 and asks to wait {min(int(seconds), 10**9)} s")
    assert sum(waits) <= 30
    assert waiting(db) == 1409


def kill_at_request(db, url, fatal, when):
    """Kill the campaign before or after an answer, or so many seconds after it."""

    def plan(number, forward):
        if number == fatal and when == "before":
            process.kill()
        answer = forward()
        if number == fatal and when == "after":
            process.kill()
        elif number == fatal and when != "before":
            threading.Timer(when, process.kill).start()
        return answer

    with between(url, plan) as proxy:
        process = begin(command(db, proxy.address, "--batch-size", 20))
        process.communicate(timeout=60)
    assert process.returncode == (1 if os.name == "nt" else -signal.SIGKILL)


def test_killed_at_any_request(db, undisturbed, churn_service):
    for number in range(1, 6):
        for when in ("before", "after"):
            kill_at_request(db, churn_service.url, number, when)
            check_consistency(db)
    for seconds in (0.001, 0.002, 0.004, 0.008, 0.016):  # it writes a batch now
        kill_at_request(db, churn_service.url, 3, seconds)
        check_consistency(db)
    assert 0 < waiting(db) < 1409
    campaign(db, churn_service.url)
    assert contents(db) == contents(undisturbed)


def test_killed_at_any_statement(db, undisturbed, churn_service):
    moments = {
        "BEGIN": (1, 2, 3),
        "COMMIT": (1, 2, 3, 5),
        "INSERT INTO campaign": (1,),
        "UPDATE": (1, 30, 40, 41, 79),
        "INSERT INTO email": (1, 2, 11),
        "SELECT id, features": (2, 3),  # from the 2nd on: right after a batch's COMMIT
    }
    for statement, numbers in moments.items():
        for number in numbers:
            words = command(db, churn_service.url, "--batch-size", 40)
            words[1:1] = ["-c", KILLER, statement, str(number)]
            process = begin(words)
            process.communicate(timeout=60)
            assert process.returncode == (15 if os.name == "nt" else -signal.SIGKILL)
            check_consistency(db)
    assert 0 < waiting(db) < 1409
    campaign(db, churn_service.url)
    assert contents(db) == contents(undisturbed)


def test_killed_while_the_database_is_filled(tmp_path):
    db = tmp_path / "campaign.db"
    words = command(db, "http://127.0.0.1:1")
    words[1:1] = ["-c", KILLER, "INSERT INTO customer", "700"]
    process = begin(words)
    process.communicate(timeout=60)
    assert process.returncode == (15 if os.name == "nt" else -signal.SIGKILL)
    assert query(db, "SELECT * FROM sqlite_master") == []  # as new


def test_two_campaigns_at_once(db, undisturbed, churn_service):
    alone = threading.Barrier(2)

    def plan(number, forward):
        answer = forward()
        if number <= 24:  # each waits for the other: both score the same customers
            alone.wait(20)
        return answer

    with between(churn_service.url, plan) as proxy:
        both = [begin(command(db, proxy.address)) for _ in range(2)]
        for process in both:
            end(process, 0)
    assert contents(db) == contents(undisturbed)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_interrupted(db, undisturbed, churn_service):
    def plan(number, forward):
        if number == 3:
            process.send_signal(signal.SIGINT)
            process.wait(20)  # with an answer under way
        return forward()

    with between(churn_service.url, plan) as proxy:
        process = begin(command(db, proxy.address))
        out, err = end(process, 130)
    assert "200 scored" in out
    assert "1,209 waiting" in out
    assert "run this again" in refusal(err)
    check_consistency(db)
    campaign(db, churn_service.url)
    assert contents(db) == contents(undisturbed)


def test_the_database_is_free_while_the_service_is_asked(db, churn_service):
    free = []

    def plan(number, forward):
        with closing(sqlite3.connect(db, isolation_level=None, timeout=0)) as mine:
            mine.execute("BEGIN IMMEDIATE")
            mine.execute("ROLLBACK")
        free.append(number)
        return forward()

    with between(churn_service.url, plan) as proxy:
        campaign(db, proxy.address, "--batch-size", 500, "--patience", 1)
        assert len(proxy.asked) == len(free) == 3


def test_who_opts_out_while_the_service_is_asked_stays_out(db, churn_service, undisturbed):
    ((out_of_it,),) = query(undisturbed, "SELECT min(customer) FROM email")

    def plan(number, forward):
        if number == 1:
            query(db, "UPDATE customer SET state = 'opted out' WHERE id = ?", out_of_it)
        return forward()

    with between(churn_service.url, plan) as proxy:
        campaign(db, proxy.address)
    after, before = contents(db), contents(undisturbed)
    assert [row[2:] for row in after["customer"] if row[0] == out_of_it] == [
        ("opted out", None, None)
    ]
    assert after["email"] == [row for row in before["email"] if row[1] != out_of_it]


def spoil(db, how_many):
    """Give the first customers a gender that the service does not know; return their ids."""
    bad = query(db, "SELECT id FROM customer ORDER BY id LIMIT ?", how_many)
    query(
        db,
        "UPDATE customer SET features = json_set(features, '$.gender', 'robot') WHERE id <= ?",
        bad[-1][0],
    )
    return [number for (number,) in bad]


@pytest.mark.parametrize(("how_many", "posts"), [(3, 3), (250, 5)])
def test_refused_customers_are_rejected_and_the_rest_is_scored(
    db, undisturbed, churn_service, how_many, posts
):
    bad = spoil(db, how_many)
    with between(churn_service.url, lambda number, forward: forward()) as proxy:
        out, err = campaign(db, proxy.address, "--batch-size", 1000)
        # A refusal, or three (a hundred names each at most); then 1,000 and the remainder.
        assert len(proxy.asked) == posts
    assert f"{1409 - how_many:,} scored" in out
    assert f"{how_many} rejected, 0 waiting" in out
    assert "next try" not in err

    after, before = contents(db), contents(undisturbed)
    rejected = [row for row in after["customer"] if row[2] == "rejected"]
    assert [row[0] for row in rejected] == bad
    assert all(row[3] is None for row in rejected)
    assert all("gender" in row[4] and "robot" in row[4] for row in rejected)
    rest = [row for row in before["customer"] if row[0] not in bad]
    assert [row for row in after["customer"] if row[2] != "rejected"] == rest
    assert after["email"] == [row for row in before["email"] if row[1] not in bad]


def test_a_customer_with_two_problems_and_one_without_fields(db, churn_service):
    first, second = (row[0] for row in query(db, "SELECT id FROM customer ORDER BY id LIMIT 2"))
    sql = "UPDATE customer SET features = {} WHERE id = ?"
    query(db, sql.format("json_set(features, '$.tenure', '41', '$.shoe', 44)"), first)
    query(db, sql.format("'[]'"), second)
    campaign(db, churn_service.url)
    (one,), (two,) = query(db, "SELECT reason FROM customer WHERE state = 'rejected' ORDER BY id")
    assert "tenure" in one
    assert "'41'" in one
    assert "shoe" in one
    assert "JSON object" in two


SOME_MODEL = {"Churn-Model": 64 * "0"}


def edited(change):
    """Return a plan that changes the last prediction of each batch."""

    def plan(number, forward):
        status, body, headers = forward()
        answers = json.loads(body)
        change(answers)
        return status, json.dumps(answers).encode(), headers

    return plan


def instead(status, answer, headers=SOME_MODEL):
    """Return a plan that answers something else."""
    return lambda number, forward: (status, json.dumps(answer).encode(), headers)


def by(headers):
    """Return a plan that gives the right answers with other headers."""
    return lambda number, forward: (*forward()[:2], headers)


REFUSAL = {"field": "shoe", "problem": "Field required", "given": "{'gender': 'robot'"}
NAMES_NOBODY = {"error": "1 problem", "problems": [{"problem": "too long", "given": "[]"}]}
NAMES_TRUE = {"problems": [{"customer": True, "field": "x", "problem": "y", "given": "z"}]}
NAMES_A_STRANGER = {"problems": [{"customer": 2000, "field": "x", "problem": "y", "given": "z"}]}
WRONG_ANSWERS = {
    "404": instead(404, {"error": "not found"}),
    "405": instead(405, {"error": "method"}),
    "413": instead(413, {"error": "too large"}),
    "415": instead(415, {"error": "media type"}),
    "400 that names nobody": instead(400, NAMES_NOBODY),
    "400 that names a stranger": instead(400, NAMES_A_STRANGER),
    "400 that names customer true": instead(400, NAMES_TRUE),
    "400 without problems": instead(400, []),
    "no list": instead(200, {"churn": False, "churn_probability": 0.1}),
    "one too few": edited(lambda answers: answers.pop()),
    "one too many": edited(lambda answers: answers.append(answers[0])),
    "no object": edited(lambda answers: answers.append([answers.pop()])),
    "no probability": edited(lambda answers: answers[-1].pop("churn_probability")),
    "another key": edited(lambda answers: answers[-1].update(model="new")),
    "probability 1.7": edited(lambda answers: answers[-1].update(churn_probability=1.7)),
    "probability -0.1": edited(lambda answers: answers[-1].update(churn_probability=-0.1)),
    "probability true": edited(lambda answers: answers[-1].update(churn_probability=True)),
    "probability text": edited(lambda answers: answers[-1].update(churn_probability="0.7")),
    "probability null": edited(lambda answers: answers[-1].update(churn_probability=None)),
    "probability NaN": edited(lambda answers: answers[-1].update(churn_probability=float("nan"))),
    "churn null": edited(lambda answers: answers[-1].update(churn=None)),
    "no model": by({}),
    "a model that is none": by({"Churn-Model": "the new one"}),
    "two models": by({"Churn-Model": f"{64 * '0'}, {64 * '1'}"}),
    "refusal by no model": instead(400, {"problems": [REFUSAL | {"customer": 0}]}, {}),
}


@pytest.mark.parametrize("wrong", WRONG_ANSWERS)
def test_wrong_answers_are_refused_at_once_and_nothing_is_written(
    monkeypatch, db, churn_service, wrong
):
    before = contents(db)
    with between(churn_service.url, WRONG_ANSWERS[wrong]) as proxy:
        message = campaign_here(monkeypatch, db, proxy.address, "--batch-size", 1000)
        assert len(proxy.asked) == 1
    assert ("--batch-size" if wrong == "413" else "churn_serving.py") in message
    after = contents(db)
    assert (after["customer"], after["email"]) == (before["customer"], [])


@pytest.mark.parametrize("answer", [(500, b'{"error": "bug"}', {}), (200, b"<html>", {}), None])
def test_a_service_that_stays_broken_is_asked_six_times(
    monkeypatch, capsys, db, churn_service, undisturbed, waits, answer
):
    def plan(number, forward):
        if number == 1:  # the first batch is written before the service breaks
            return forward()
        if answer is None:
            raise Cut
        return answer

    with between(churn_service.url, plan) as proxy:
        message = campaign_here(monkeypatch, db, proxy.address)
        assert len(proxy.asked) == 1 + 6
    out = capsys.readouterr().out
    assert "100 scored" in out
    assert "1,309 waiting" in out
    assert "six times" in message
    assert campaign_here(monkeypatch, db, churn_service.url) == 0
    assert contents(db) == contents(undisturbed)


def refuse_all(number, forward):
    """Answer as a service does whose customers must have a field more."""
    _, body, headers = forward()
    answers = json.loads(body)
    problems = [REFUSAL | {"customer": i} for i in range(len(answers))]
    return 400, json.dumps({"problems": problems[:100]}).encode(), headers


@pytest.mark.parametrize("size", [1, 100, 1000])
def test_a_service_that_refuses_everybody_rejects_nobody(
    monkeypatch, db, churn_service, undisturbed, size
):
    before = contents(db)
    with between(churn_service.url, refuse_all) as proxy:
        message = campaign_here(monkeypatch, db, proxy.address, "--batch-size", size)
        assert len(proxy.asked) == max(3, 300 / size)
    assert_one_sentence(message, "refuses everybody", "300 x 'shoe: Field required'")
    assert contents(db) == before
    if size == 100:
        assert campaign_here(monkeypatch, db, churn_service.url) == 0
        assert contents(db) == contents(undisturbed)


@pytest.mark.parametrize(("good", "requests"), [(1, 1 + 3 + 1), (14, 14 + 1 + 1)])
def test_a_service_that_begins_to_refuse_everybody_rejects_nobody(
    monkeypatch, db, churn_service, undisturbed, good, requests
):
    """In the middle, or with so few left that they might be bad: it refuses a scored one, too."""

    def plan(number, forward):
        return forward() if number <= good else refuse_all(number, forward)

    with between(churn_service.url, plan) as proxy:
        message = campaign_here(monkeypatch, db, proxy.address)
        assert len(proxy.asked) == requests
    assert "refuses everybody" in message
    assert query(db, "SELECT count(*) FROM customer WHERE state = 'rejected'") == [(0,)]
    assert waiting(db) == 1409 - 100 * good
    check_consistency(db)


def test_more_bad_customers_in_a_row_than_a_good_service_could_refuse(
    monkeypatch, db, churn_service, undisturbed
):
    shutil.copy(undisturbed, db)
    query(db, "UPDATE customer SET state = 'waiting', churn_probability = NULL WHERE id > 2000")
    query(db, "UPDATE customer SET features = '{}' WHERE id > 2000")
    assert campaign_here(monkeypatch, db, churn_service.url) == 0
    rejected = query(db, "SELECT id FROM customer WHERE state = 'rejected'")
    assert len(rejected) == len(query(db, "SELECT id FROM customer WHERE id > 2000")) > 300


def test_nobody_was_ever_scored_and_all_are_refused(monkeypatch, db, churn_service):
    query(db, "DELETE FROM customer WHERE id > 50")
    query(db, "UPDATE customer SET features = '{}'")
    message = campaign_here(monkeypatch, db, churn_service.url)
    assert_one_sentence(message, "refuses everybody", "Field required")
    assert waiting(db) == len(query(db, "SELECT * FROM customer")) > 0
    assert query(db, "SELECT * FROM campaign") == []


def test_the_rejected_are_asked_again_and_who_opted_out_never(
    monkeypatch, db, churn_service, undisturbed
):
    ids = spoil(db, 3)
    ((features,),) = query(db, "SELECT features FROM customer WHERE id > ? LIMIT 1", ids[-1])
    out_of_it = query(undisturbed, "SELECT customer FROM email ORDER BY customer DESC LIMIT 1")[0]
    query(db, "UPDATE customer SET state = 'opted out' WHERE id = ?", *out_of_it)
    assert campaign_here(monkeypatch, db, churn_service.url) == 0
    states = "SELECT id, state FROM customer WHERE state != 'scored' ORDER BY id"
    rejected = [(number, "rejected") for number in ids]
    assert query(db, states) == [*rejected, (*out_of_it, "opted out")]

    query(db, "UPDATE customer SET features = ? WHERE id = ?", features, ids[0])
    asked = []
    for options in ([], ["--again"], ["--again"]):
        with between(churn_service.url, lambda number, forward: forward()) as proxy:
            assert campaign_here(monkeypatch, db, proxy.address, *options) == 0
            asked.append([len(customers) for _, customers in proxy.asked])
    # Nobody waits; three, then the one who has been mended; two, then one who is scored.
    assert asked == [[], [3, 1], [2, 1]]
    assert query(db, states) == [*rejected[1:], (*out_of_it, "opted out")]
    assert query(db, "SELECT * FROM email WHERE customer = ?", *out_of_it) == []
    check_consistency(db)


def test_another_threshold_is_refused_before_anything_is_asked(
    monkeypatch, db, churn_service, undisturbed
):
    shutil.copy(undisturbed, db)
    query(db, "UPDATE customer SET state = 'waiting' WHERE id < 100")
    before = contents(db)
    with between(churn_service.url, lambda number, forward: forward()) as proxy:
        message = campaign_here(monkeypatch, db, proxy.address, "--threshold", 0.4)
        assert proxy.asked == []
    assert_one_sentence(message, "threshold 0.5", "0.4")
    assert contents(db) == before


@pytest.mark.parametrize(("threshold", "model"), [(0.4, None), (0.5, 64 * "0")])
def test_another_campaign_that_begins_while_the_service_is_asked(
    monkeypatch, db, churn_service, threshold, model
):
    def plan(number, forward):
        answer = forward()
        begun = threshold, model or answer[2]["Churn-Model"]
        query(db, "INSERT INTO campaign VALUES (1, ?, ?)", *begun)
        return answer

    with between(churn_service.url, plan) as proxy:
        message = campaign_here(monkeypatch, db, proxy.address)
        assert len(proxy.asked) == 1
    assert_one_sentence(message, f"The campaign was begun with {'model' if model else 'threshold'}")
    assert waiting(db) == 1409


@pytest.fixture(scope="session")
def two(churn_service, other_service):
    """Two churn services with their models."""
    answers = [no_proxy.open(f"{one.url}/health").read() for one in (churn_service, other_service)]
    models = [json.loads(answer)["model"]["sha256"] for answer in answers]
    return [(churn_service.url, models[0]), (other_service.url, models[1])]


ORDERS = {"in turn": [0, 1] * 8, "the other first": [1, 0] * 8, "at random": None}
ORDERS["late"] = [0] * 5 + [1] * 11


@pytest.mark.parametrize("order", ORDERS)
def test_a_balancer_over_two_models(monkeypatch, db, two, undisturbed, order):
    """The first answer decides; no score of the second model is written."""
    places = ORDERS[order] or random.choices([0, 1], k=16)
    same = next(i for i, place in enumerate(places) if place != places[0])
    with between("", lambda n, forward: forward(two[places[n - 1]][0])) as balancer:
        message = campaign_here(monkeypatch, db, balancer.address)
        assert len(balancer.asked) == same + 1
    old, new = two[places[0]][1], two[1 - places[0]][1]
    assert_one_sentence(message, f"begun with model {old}, now it is {new}")
    assert query(db, "SELECT model_sha256 FROM campaign") == [(old,)]
    scored = [row for row in contents(db)["customer"] if row[2] == "scored"]
    expected = contents(undisturbed)["customer"][: 100 * same]
    assert len(scored) == 100 * same
    assert (scored == expected) == (places[0] == 0)
    check_consistency(db)
    # And so it is in the next run.
    assert new in campaign_here(monkeypatch, db, two[1 - places[0]][0])
    assert waiting(db) == 1409 - 100 * same


@pytest.mark.parametrize("place", [50, 150])
def test_who_is_refused_by_another_model_is_not_rejected(monkeypatch, db, two, place):
    """Be it that the first model refuses and the second scores, or the other way round."""
    robot = "(SELECT id FROM customer ORDER BY id LIMIT 1 OFFSET ?)"
    query(db, f"UPDATE customer SET features = '{{}}' WHERE id = {robot}", place)
    with between("", lambda number, forward: forward(two[number > 1][0])) as balancer:
        assert two[1][1] in campaign_here(monkeypatch, db, balancer.address)
        assert len(balancer.asked) == 2
    assert query(db, "SELECT * FROM customer WHERE state = 'rejected'") == []
    assert waiting(db) == (1409 if place == 50 else 1309)


PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


@pytest.fixture
def proxied(monkeypatch):
    """Return a function that sets a proxy in the environment, as a company does."""

    def set_proxy(address):
        for name in PROXIES:
            monkeypatch.setenv(name, address)

    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    return set_proxy


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "127.1"])
def test_no_proxy_on_this_machine(monkeypatch, db, churn_service, proxied, host):
    with between(churn_service.url, lambda number, forward: (503, b"<html>", {})) as proxy:
        proxied(proxy.address)
        url = churn_service.url.replace("127.0.0.1", host)
        assert campaign_here(monkeypatch, db, url, "--batch-size", 1000) == 0
        assert proxy.asked == []


@pytest.mark.parametrize("status", [200, 401, 403, 407, 503])
def test_a_proxy_that_answers_is_named(monkeypatch, capsys, db, waits, proxied, status):
    with between("", lambda number, forward: (status, b"<html>", {})) as proxy:
        proxied(proxy.address.replace("//", "//me:secret@"))
        message = campaign_here(monkeypatch, db, "http://you:secret@churn.example")
        assert {path for path, _ in proxy.asked} == {"http://churn.example/predict/batch"}
    told = f"The proxy {proxy.address} (NO_PROXY avoids it) answers {status} without JSON"
    assert_one_sentence(message, told, "six times")
    assert "secret" not in message + capsys.readouterr().err


def test_a_service_behind_a_proxy(monkeypatch, db, churn_service, waits, proxied):
    def plan(number, forward):
        return instead(404, {"error": "not found"}, {})(number, forward)

    with between("", plan) as proxy:
        proxied(proxy.address)
        message = campaign_here(monkeypatch, db, "http://churn.example")
    assert f"http://churn.example (through the proxy {proxy.address}) answers" in message
    proxied(f"http://me:secret@127.0.0.1:{free_port()}")
    message = campaign_here(monkeypatch, db, "https://churn.example")
    assert message.startswith("The proxy http://127.0.0.1:")
    assert "does not answer (ProxyError)" in message and "secret" not in message


@pytest.mark.parametrize("name", ["all_proxy", "http_proxy"])
@pytest.mark.parametrize("proxy", ["socks5://me:secret@127.0.0.1:9", "http://"])
def test_a_proxy_that_cannot_be_used_is_named(monkeypatch, db, churn_service, proxied, name, proxy):
    proxied("")
    monkeypatch.setenv(name, proxy)
    message = campaign_here(monkeypatch, db, "http://churn.example")
    assert_one_sentence(message, "The proxy ", "can't be used", "name one with http://")
    assert "secret" not in message and "churn_serving.py" not in message
    assert campaign_here(monkeypatch, db, churn_service.url, "--batch-size", 1000) == 0


SECRETS = ["ftp://me:secret@host", "me:secret@host:9696", "http://me:secret@[::1",
           "http://me:sec/secret@127.0.0.1:9", "http://me:secret@127.0.0.1:9",
           "http://me:secret@host:99999", "http://me:secret@a..b",
           "http://me:secret%40127.0.0.1:1", "http://me:secret\uff20127.0.0.1:1",
           "http://me:@secret@127.0.0.1:9", "http://me:secret@",
           "http://me:secret@ho\u2100st"]  # fmt: skip


@pytest.mark.parametrize("url", SECRETS)
@pytest.mark.parametrize("option", ["--url", "--urll"])
def test_user_and_password_are_never_shown(monkeypatch, capsys, db, waits, url, option):
    code = campaign_here(monkeypatch, db, "http://127.0.0.1:9", option, url, "--patience", 0.1)
    said = "".join(capsys.readouterr())
    assert code == 2 or code.startswith("http://")
    assert code != 2 or "error: " in said
    assert "secret" not in f"{code} {said}" and "me:" not in f"{code} {said}"


@pytest.mark.parametrize(
    ("status", "location", "shown"),
    [(301, "http://me:secret@other.example/x?secret", "'http://other.example/x'"),
     (302, "/login", "'/login'"), (307, "http://[", "on to 'http://['"), (304, None, "on to ''")],
)  # fmt: skip
def test_redirections_are_not_followed(monkeypatch, db, status, location, shown):
    headers = {} if location is None else {"Location": location}
    with between("", lambda number, forward: (status, b"", headers)) as proxy:
        message = campaign_here(monkeypatch, db, proxy.address)
        assert len(proxy.asked) == 1
    assert_one_sentence(message, shown, "--url")
    assert "secret" not in message
    assert waiting(db) == 1409


def test_the_body_of_a_redirection_is_not_read(monkeypatch, db):
    over, sent = threading.Event(), []

    def flood():
        yield b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /x\r\n\r\n"
        while not over.is_set():
            sent.append(1)
            yield b" " * 2**16

    with between("", lambda number, forward: (None, flood(), {})) as proxy:
        message = campaign_here(monkeypatch, db, proxy.address, "--patience", 5)
        over.set()
    assert_one_sentence(message, "on to '/x'")
    assert len(sent) < 500, "32 MiB were taken"


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_an_older_database_becomes_its_owners_alone(monkeypatch, db, churn_service):
    db.chmod(0o644)
    assert campaign_here(monkeypatch, db, churn_service.url, "--batch-size", 1000) == 0
    assert db.stat().st_mode & 0o777 == 0o600


def test_customers_scored_again_by_hand_get_no_second_email(db, churn_service, undisturbed):
    shutil.copy(undisturbed, db)
    query(db, "UPDATE customer SET state = 'waiting', churn_probability = NULL")
    out, _ = campaign(db, churn_service.url)
    assert "1,409 scored" in out
    assert contents(db) == contents(undisturbed)


def test_a_customer_of_the_training_part_is_added_once(monkeypatch, db, churn_service, undisturbed):
    assert query(db, "SELECT * FROM customer WHERE id = 2") == []
    shutil.copy(undisturbed, db)
    for word in ("added", "is there already"):
        out, _ = campaign(db, churn_service.url, "--add", 2)
        assert f"customer 2: {word}" in out
        assert "1,410 scored" in out
    ((features, state),) = query(db, "SELECT features, state FROM customer WHERE id = 2")
    assert json.loads(features)["monthlycharges"] == 29.85
    assert state == "scored"
    for line in (1, 7045):  # the header is line 1, the last customer 7044
        message = campaign_here(monkeypatch, db, churn_service.url, "--add", line)
        assert f"line {line}" in message
    check_consistency(db)


def test_scoring_needs_neither_pandas_nor_the_labs_helpers(db, tmp_path, churn_service):
    for name in ("pandas", "numpy", "sklearn", "flask", "labkit"):
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('no {name}')", encoding="utf-8")
    without = {"PYTHONPATH": str(tmp_path)}
    campaign(db, churn_service.url, **without)
    assert waiting(db) == 0
    _, err = campaign(tmp_path / "new.db", churn_service.url, code=1, **without)
    assert "needs pandas" in refusal(err) and "--data" not in refusal(err)


def test_a_script_that_was_copied_alone_names_what_it_lacks(tmp_path, churn_service):
    script = shutil.copy(SCRIPT, tmp_path)
    words = [sys.executable, script, "--data", str(CSV), "--url", churn_service.url]
    _, err = end(begin(words), 1)
    assert "train.py beside this script (No module named 'train')" in refusal(err)


@pytest.mark.parametrize(
    "options",
    ["--threshold 1.5", "--threshold nan", "--batch-size 0", "--batch-size 1001", "--url host:9696",
     "--patience 0", "--add x", "--nonsense"],
)  # fmt: skip
def test_bad_options_are_named(tmp_path, options):
    db, name = tmp_path / "campaign.db", options.split()[0]
    _, err = campaign(db, "http://127.0.0.1:1", *options.split(), code=2)
    assert name in refusal(err)
    assert not db.exists()


def test_an_impossible_url_is_named(db):
    _, err = campaign(db, "http://[::1", code=2)
    assert "--url is http://[::1" in refusal(err)


def test_unusable_databases_are_refused_in_a_sentence(tmp_path, db):
    nowhere = "http://127.0.0.1:1"
    text, foreign = tmp_path / "letter.db", tmp_path / "foreign.db"
    text.write_text("Dear customer, this is no database at all. " * 50, encoding="utf-8")
    query(foreign, "CREATE TABLE customer (id)")
    older = shutil.copy(db, tmp_path / "older.db")
    query(older, "PRAGMA application_id = 96960001")
    for path in (tmp_path / "nowhere" / "campaign.db", text, foreign, older, tmp_path):
        _, err = campaign(path, nowhere, "--patience", 0.1, code=1)
        assert "--db" in refusal(err)
        assert "next try" not in err
    assert query(foreign, "SELECT name FROM sqlite_master") == [("customer",)]
    with closing(sqlite3.connect(db, isolation_level=None)) as mine:
        mine.execute("BEGIN EXCLUSIVE")
        _, err = campaign(db, nowhere, "--patience", 0.2, code=1)
    assert "locked" in refusal(err)
    query(db, "DROP TABLE email")
    _, err = campaign(db, nowhere, "--patience", 0.1, code=1)
    assert "--db" in refusal(err)


def test_a_csv_that_is_not_the_telco_file_is_refused(monkeypatch, tmp_path):
    wrong, db = tmp_path / "wrong.csv", tmp_path / "campaign.db"
    wrong.write_text("a,b\n1,2\n", encoding="utf-8")
    for data in (wrong, tmp_path / "missing.csv"):
        message = campaign_here(monkeypatch, db, "http://127.0.0.1:1", "--data", data)
        assert str(data) in message
        assert "--data" in message
    assert query(db, "SELECT * FROM sqlite_master") == []
