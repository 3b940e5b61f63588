"""The campaign, disturbed in every way: nobody is lost, nobody gets two e-mails."""

import json
import os
import pickle
import runpy
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import Request

import pandas as pd
import pytest

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
    monkeypatch.syspath_prepend(SOLUTIONS)
    try:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    except SystemExit as stop:
        return stop.code
    return 0


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
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def forward(url=self.server.url):
            request = Request(url + self.path, body or None, {"Content-Type": "application/json"})
            try:
                with no_proxy.open(request, timeout=30) as response:
                    return response.status, response.read()
            except HTTPError as error:
                return error.code, error.read()

        with self.server.lock:
            self.server.asked.append(self.path)
            number = len(self.server.asked)
        try:
            status, answer, *lost = self.server.plan(number, self.path, forward)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer) + sum(lost)))
            self.end_headers()
            self.wfile.write(answer)
        except (Cut, OSError):
            pass  # the connection is closed

    do_POST = do_GET

    def log_message(self, *_):
        pass


@contextmanager
def between(url, plan):
    """Stand between campaign and service; plan(number, path, forward) gives each answer.

    forward() asks the service and returns status and body. A third number in the plan's answer
    is how many bytes are missing at its end.
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
    for process in [begin(words), begin(words)]:
        out, err = end(process, 1)
        assert err.count("next try") == 5
        assert "churn_serving.py" in refusal(err)
        assert "1,409 waiting" in out
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
    df_train, _ = train["split"](train["read_customers"](CSV))
    train["save"](path, *train["train"](df_train, C=0.01), trained="2001-01-01", auc=0.5)
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
    def plan(number, path, forward):
        time.sleep(1.3 if number in (1, 4) else 0.3)  # too slow twice
        return forward()

    with between(churn_service.url, plan) as proxy:
        _, err = campaign(db, proxy.address, "--batch-size", 1000, "--patience", 1)
    assert err.count("ReadTimeout") == 2
    assert contents(db) == contents(undisturbed)


def test_misbehaving_service(db, undisturbed, churn_service):
    def cut_off(forward):
        status, answer = forward()
        return status, answer, 10

    def lose(forward):
        forward()
        raise Cut

    faults = [
        lambda forward: (200, b"<html>Welcome to the hotel</html>"),
        lambda forward: (502, b"<html>Bad gateway</html>"),
        lambda forward: (404, b"<html>Not here yet</html>"),
        lambda forward: (500, b'{"error": "a bug"}'),
        lambda forward: (503, b"[]"),
        lambda forward: (200, forward()[1][:-1]),
        lambda forward: (200, b""),
        lambda forward: (200, b"[" * 100_000),
        cut_off,
        lose,
    ]

    def plan(number, path, forward):
        return forward() if number % 2 else faults[number // 2 % len(faults)](forward)

    with between(churn_service.url, plan) as proxy:
        _, err = campaign(db, proxy.address, "--patience", 0.5)
    assert err.count("next try") >= 2 * len(faults)
    assert contents(db) == contents(undisturbed)


def kill_at_request(db, url, fatal, when):
    """Kill the campaign before or after an answer, or so many seconds after it."""

    def plan(number, path, forward):
        if number == fatal and when == "before":
            process.kill()
        answer = forward()
        if number == fatal and when == "after":
            process.kill()
        elif number == fatal and when != "before":
            threading.Timer(when, process.kill).start()
        return answer

    with between(url, plan) as proxy:
        process = begin(command(db, proxy.address, "--batch-size", 40))
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

    def plan(number, path, forward):
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
    def plan(number, path, forward):
        if number == 6:
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
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

    def plan(number, path, forward):
        with closing(sqlite3.connect(db, isolation_level=None, timeout=0)) as mine:
            mine.execute("BEGIN IMMEDIATE")
            mine.execute("ROLLBACK")
        free.append(number)
        return forward()

    with between(churn_service.url, plan) as proxy:
        campaign(db, proxy.address, "--batch-size", 500, "--patience", 1)
        assert len(proxy.asked) == len(free) == 7


def test_who_opts_out_while_the_service_is_asked_stays_out(db, churn_service, undisturbed):
    ((out_of_it,),) = query(undisturbed, "SELECT min(customer) FROM email")

    def plan(number, path, forward):
        if number == 2:
            sql = "UPDATE customer SET state = 'rejected', reason = 'opted out' WHERE id = ?"
            query(db, sql, out_of_it)
        return forward()

    with between(churn_service.url, plan) as proxy:
        campaign(db, proxy.address)
    after, before = contents(db), contents(undisturbed)
    assert [row[2:] for row in after["customer"] if row[0] == out_of_it] == [
        ("rejected", None, "opted out")
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
    with between(churn_service.url, lambda number, path, forward: forward()) as proxy:
        out, err = campaign(db, proxy.address, "--batch-size", 1000)
        # A refusal, or three (a hundred names each at most); then 1,000 and the remainder.
        assert proxy.asked.count("/predict/batch") == posts
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


def edited(change):
    """Return a plan that changes the last prediction of each batch."""

    def plan(number, path, forward):
        status, body = forward()
        answers = json.loads(body)
        if path == "/predict/batch":
            change(answers)
        return status, json.dumps(answers).encode()

    return plan


def instead(wrong_path, status, answer):
    """Return a plan that answers one path with something else."""

    def plan(number, path, forward):
        return (status, json.dumps(answer).encode()) if path == wrong_path else forward()

    return plan


NAMES_NOBODY = {"error": "1 problem", "problems": [{"problem": "too long", "given": "[]"}]}
NAMES_A_STRANGER = {"problems": [{"customer": 2000, "field": "x", "problem": "y", "given": "z"}]}
WRONG_ANSWERS = {
    "404": instead("/predict/batch", 404, {"error": "not found"}),
    "405": instead("/predict/batch", 405, {"error": "method"}),
    "413": instead("/predict/batch", 413, {"error": "too large"}),
    "415": instead("/predict/batch", 415, {"error": "media type"}),
    "400 that names nobody": instead("/predict/batch", 400, NAMES_NOBODY),
    "400 that names a stranger": instead("/predict/batch", 400, NAMES_A_STRANGER),
    "400 without problems": instead("/predict/batch", 400, []),
    "no list": instead("/predict/batch", 200, {"churn": False, "churn_probability": 0.1}),
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
    "health 404": instead("/health", 404, {"error": "not found"}),
    "health without a model": instead("/health", 200, {"status": "ok"}),
    "health with a number": instead("/health", 200, {"model": {"sha256": 7}}),
}


@pytest.mark.parametrize("wrong", WRONG_ANSWERS)
def test_wrong_answers_are_refused_at_once_and_nothing_is_written(
    monkeypatch, db, churn_service, wrong
):
    before = contents(db)
    with between(churn_service.url, WRONG_ANSWERS[wrong]) as proxy:
        message = campaign_here(monkeypatch, db, proxy.address, "--batch-size", 1000)
        assert len(proxy.asked) == (1 if "health" in wrong else 2)
    assert ("--batch-size" if wrong == "413" else "churn_serving.py") in message
    after = contents(db)
    assert (after["customer"], after["email"]) == (before["customer"], [])


@pytest.mark.parametrize("answer", [(500, b'{"error": "bug"}'), (200, b"<html>"), None])
def test_a_service_that_stays_broken_is_asked_six_times(db, churn_service, undisturbed, answer):
    def plan(number, path, forward):
        if number <= 4:  # the first batch is written before the service breaks
            return forward()
        if answer is None:
            raise Cut
        return answer

    with between(churn_service.url, plan) as proxy:
        out, err = campaign(db, proxy.address, "--patience", 0.3, code=1)
        assert len(proxy.asked) == 4 + 6
    assert "100 scored" in out
    assert "1,309 waiting" in out
    assert "six times" in refusal(err)
    campaign(db, churn_service.url)
    assert contents(db) == contents(undisturbed)


def test_another_threshold_is_refused(db, churn_service, undisturbed):
    shutil.copy(undisturbed, db)
    _, err = campaign(db, churn_service.url, "--threshold", 0.4, code=1)
    assert "threshold 0.5" in refusal(err)
    assert "0.4" in refusal(err)
    assert contents(db) == contents(undisturbed)


def test_the_threshold_itself_gets_an_email(db, churn_service, undisturbed):
    sql = "SELECT churn_probability FROM customer ORDER BY churn_probability LIMIT 1 OFFSET 700"
    ((middle,),) = query(undisturbed, sql)
    campaign(db, churn_service.url, "--threshold", repr(middle))  # same batches, same digits
    check_consistency(db, middle)
    assert query(db, "SELECT count(*) FROM email") == [(709,)]


@pytest.mark.parametrize("robots", [0, 1])
@pytest.mark.parametrize("number", [4, 5])
def test_another_model_in_the_middle_is_refused(
    db, churn_service, other_service, undisturbed, number, robots
):
    if robots:  # in the second batch, where the other model answers
        query(
            db,
            "UPDATE customer SET features = '{}' WHERE id ="
            " (SELECT id FROM customer ORDER BY id LIMIT 1 OFFSET 150)",
        )

    def plan(now, path, forward):
        # The 4th request is the second batch, the 5th asks for the model that scored it.
        return forward(other_service.url) if now >= number else forward()

    with between(churn_service.url, plan) as proxy:
        _, err = campaign(db, proxy.address, code=1)
        assert len(proxy.asked) == 5
    old, new = (
        json.loads(no_proxy.open(service.url + "/health").read())["model"]["sha256"]
        for service in (churn_service, other_service)
    )
    assert old in refusal(err)
    assert new in refusal(err)
    assert contents(db)["customer"][:100] == contents(undisturbed)["customer"][:100]
    assert waiting(db) == 1309
    check_consistency(db)
    # And so is one that was there from the start of the next run.
    _, err = campaign(db, other_service.url, code=1)
    assert new in refusal(err)
    assert waiting(db) == 1309


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
    assert "can't be read" in refusal(err)


@pytest.mark.parametrize(
    "options",
    ["--threshold 1.5", "--threshold nan", "--batch-size 0", "--batch-size 1001", "--url host:9696",
     "--patience 0", "--add x"],
)  # fmt: skip
def test_bad_options_are_named(tmp_path, options):
    db, name = tmp_path / "campaign.db", options.split()[0]
    _, err = campaign(db, "http://127.0.0.1:1", *options.split(), code=2)
    assert name in refusal(err)
    assert not db.exists()


def test_an_impossible_url_is_named(db):
    _, err = campaign(db, "http://[::1", code=1)
    assert "http://[::1" in refusal(err)
    assert "next try" not in err


def test_unusable_databases_are_refused_in_a_sentence(tmp_path, db):
    nowhere = "http://127.0.0.1:1"
    text, foreign = tmp_path / "letter.db", tmp_path / "foreign.db"
    text.write_text("Dear customer, this is no database at all. " * 50, encoding="utf-8")
    query(foreign, "CREATE TABLE customer (id)")
    older = shutil.copy(db, tmp_path / "older.db")
    query(older, "PRAGMA application_id = 96960000")
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
