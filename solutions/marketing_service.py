"""The campaign: ask the churn service about each customer, record an e-mail for who may leave.

Whatever is interrupted, and when: run it again and it goes on. Each customer is scored once and
gets one e-mail at most. The e-mails are recorded in the table `email`, never sent.

If the churn service wants a key, set CHURN_API_KEY. (An option would show it in the system's list
of processes.) It is sent to the address in --url, so that should begin with https:// on a network.
"""

import argparse
import json
import os
import reprlib
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
SUBJECT = "A better price for you"
TEXT = "Dear customer, stay with us for another year and pay 10% less."

NO_ANSWER = (requests.ConnectionError, requests.Timeout, ChunkedEncodingError, ContentDecodingError)
WAITS = [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, None]  # parts of the patience; None: give up
OUR_FILE = 96_960_001  # SQLite's application_id; count it up when the tables change
TABLES = [
    """CREATE TABLE IF NOT EXISTS customer (
        id INTEGER PRIMARY KEY,                               -- the line in the CSV
        features TEXT NOT NULL CHECK (json_valid(features)),
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'scored', 'rejected')),
        churn_probability REAL,                               -- of a scored customer
        reason TEXT                                           -- of a rejected one
    )""",
    """CREATE TABLE IF NOT EXISTS campaign (
        id INTEGER PRIMARY KEY CHECK (id = 1),                -- one row
        threshold REAL NOT NULL,
        model_sha256 TEXT NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS email (                       -- the outbox
        id INTEGER PRIMARY KEY,
        campaign INTEGER NOT NULL REFERENCES campaign (id),
        customer INTEGER NOT NULL REFERENCES customer (id),
        subject TEXT NOT NULL,
        text TEXT NOT NULL,
        created TEXT NOT NULL,
        sent TEXT,                                            -- for a mailer; we never write it
        UNIQUE (campaign, customer)                           -- each e-mail once
    )""",
]
ADD = "INSERT INTO customer (id, features) VALUES (?, ?) ON CONFLICT DO NOTHING"


class Stop(Exception):
    """What is wrong and what to do about it, in a sentence."""


def read_customers(data, line=None):
    """Return (line, features as JSON) of the CSV's test rows, or of one line; without churn."""
    try:
        import train  # here, because only this needs pandas

        df = train.read_customers(data)
        df = train.split(df)[1] if line is None else df[df.index == line - 2]
    except (ImportError, OSError, ValueError) as error:
        raise Stop(f"{data} can't be read ({error}): name the Telco CSV with --data.") from error
    if df.empty:
        raise Stop(f"{data} has no customer on line {line}: choose another line (--add).")
    features = df[train.categorical + train.numerical].to_json(orient="records", lines=True)
    return list(zip((df.index + 2).tolist(), features.splitlines(), strict=True))


def prepare(db, data):
    """Make the tables and fill in the customers, unless that is done."""
    application_id, tables = db.execute(
        "SELECT application_id, (SELECT count(*) FROM sqlite_master) FROM pragma_application_id"
    ).fetchone()
    if tables and application_id != OUR_FILE:
        raise Stop("The database is not one of this version of this script: name another (--db).")
    if not tables:
        customers = read_customers(data)
        with db:  # ends with COMMIT, or with ROLLBACK if anything goes wrong
            db.execute("BEGIN IMMEDIATE")
            for table in TABLES:
                db.execute(table)
            db.executemany(ADD, customers)
            db.execute(f"PRAGMA application_id = {OUR_FILE}")


class Bearer(requests.auth.AuthBase):
    """Adds the key to each request: past a .netrc, and to no host that we are sent on to."""

    def __init__(self, api_key):
        self.header = f"Bearer {api_key}"

    def __call__(self, request):
        request.headers["Authorization"] = self.header
        return request


class ChurnService:
    """The churn service. patience: seconds to wait for an answer, and between all the tries."""

    def __init__(self, url, patience, api_key=""):
        self.url, self.patience, self.session = url.rstrip("/"), patience, requests.Session()
        if api_key:
            self.session.auth = Bearer(api_key)

    def stop(self, trouble):
        return Stop(f"{self.url} {trouble}: start churn_serving.py, or name its address (--url).")

    def ask(self, method, path, customers=None):
        """Return the answer's status and JSON; six tries (asking again changes nothing there)."""
        timeout = (min(5, self.patience), self.patience)  # to connect, to answer
        for wait in WAITS:
            try:
                response = self.session.request(
                    method, self.url + path, json=customers, timeout=timeout
                )
                if response.status_code == 401:
                    raise Stop(f"{self.url} wants its key (401): set CHURN_API_KEY to the key.")
                if response.status_code < 500:
                    return response.status_code, response.json()
                trouble = f"answers {response.status_code}"
            except (requests.JSONDecodeError, RecursionError):
                trouble = f"answers {response.status_code} without JSON"
            except NO_ANSWER as error:
                trouble = f"does not answer ({type(error).__name__})"
            if wait:
                wait *= self.patience
                tqdm.write(f"{self.url} {trouble}, next try in {wait:.2g} s", file=sys.stderr)
                time.sleep(wait)
        raise self.stop(f"{trouble}, tried six times")

    def model(self):
        """Return the sha256 of the model that the service uses at this moment."""
        match self.ask("GET", "/health"):
            case 200, {"model": {"sha256": str(sha256)}}:
                return sha256
            case status, answer:
                raise self.stop(f"answers GET /health with {status} {reprlib.repr(answer)}")

    def predict_batch(self, batch):
        """Return (id, probability, None) of all, or (id, None, reason) of those it refuses."""
        ids = [customer for customer, _ in batch]
        customers = [json.loads(features) for _, features in batch]
        match self.ask("POST", "/predict/batch", customers):
            case 200, [*answers] if len(answers) == len(ids) and all(map(is_prediction, answers)):
                scores = [answer["churn_probability"] for answer in answers]
                return [(id_, float(score), None) for id_, score in zip(ids, scores, strict=True)]
            case 400, {"problems": [*problems]} if reasons := reasons_of(problems, ids):
                return [(id_, None, reason) for id_, reason in reasons.items()]
            case 413, _:
                raise Stop("The service finds the batch too large: choose a smaller --batch-size.")
            case status, answer:
                raise self.stop(f"answers {len(ids)} customers: {status} {reprlib.repr(answer)}")


def is_prediction(answer):
    match answer:
        case {"churn": bool(), "churn_probability": int() | float() as score} if len(answer) == 2:
            return not isinstance(score, bool) and 0 <= score <= 1  # True would be an int
    return False


def reasons_of(problems, ids):
    """Return {id: reason} of the customers named by a 400; {} if it speaks of anything else."""
    reasons = {}
    for one in problems:
        match one:
            case {"customer": int(i), "problem": problem, "given": given} if 0 <= i < len(ids):
                reason = f"{one.get('field', 'customer')}: {problem}, given {given}"
                reasons.setdefault(ids[i], []).append(reason)
            case _:
                return {}
    return {id_: "; ".join(reason) for id_, reason in reasons.items()}


def agree(db, threshold, model):
    """Begin the campaign or go on with it; stop if it has another threshold or model."""
    with db:
        db.execute("BEGIN IMMEDIATE")
        insert = "INSERT INTO campaign VALUES (1, ?, ?) ON CONFLICT DO NOTHING"
        db.execute(insert, (threshold, model))
        begun = db.execute("SELECT threshold, model_sha256 FROM campaign").fetchone()
    for name, old, new in zip(("threshold", "model"), begun, (threshold, model), strict=True):
        if old != new:
            remedy = "go back to that, or begin another campaign with another --db"
            raise Stop(f"The campaign was begun with {name} {old}, now it is {new}: {remedy}.")


def record(db, results, threshold):
    """Write a batch's results and e-mails, all or nothing; return how many results were new."""
    now, new = datetime.now(UTC).isoformat(timespec="seconds"), 0
    with db:
        db.execute("BEGIN IMMEDIATE")
        for customer, probability, reason in results:
            written = db.execute(
                "UPDATE customer SET state = ?, churn_probability = ?, reason = ?"
                " WHERE id = ? AND state = 'waiting'",  # two campaigns may run at once
                ("rejected" if reason else "scored", probability, reason, customer),
            ).rowcount
            new += written
            if written and not reason and probability >= threshold:
                db.execute(
                    "INSERT INTO email (campaign, customer, subject, text, created)"
                    " VALUES (1, ?, ?, ?, ?) ON CONFLICT (campaign, customer) DO NOTHING",
                    (customer, SUBJECT, TEXT, now),
                )
    return new


def run(db, service, threshold, batch_size):
    """Score the waiting customers batch by batch. No transaction is open while we ask."""
    agree(db, threshold, service.model())
    total, done = db.execute("SELECT count(*), sum(state != 'waiting') FROM customer").fetchone()
    waiting = "SELECT id, features FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?"
    with tqdm(total=total, initial=done, unit=" customers") as bar:
        while batch := db.execute(waiting, [batch_size]).fetchall():
            results = service.predict_batch(batch)
            agree(db, threshold, service.model())  # it may have restarted with another model
            bar.update(record(db, results, threshold))


def report(db):
    """Print how far the campaign is, and what to do next."""
    states = Counter(state for (state,) in db.execute("SELECT state FROM customer"))
    (emails,) = db.execute("SELECT count(*) FROM email").fetchone()
    print(f"{states['scored']:,} scored, {emails:,} e-mails recorded (never sent), ", end="")
    print(f"{states['rejected']:,} rejected, {states['waiting']:,} waiting")
    if states["rejected"]:
        print("why rejected: SELECT id, reason FROM customer WHERE state = 'rejected'")
    if states["waiting"]:
        print("next: run this again, it goes on with those who are waiting")
    else:
        print("next: a mailer could send what is in the table email: SELECT * FROM email")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add_option = parser.add_argument
    data = HERE.parent / "data" / "telco-customer-churn.csv"
    add_option("--db", type=Path, default=HERE / "campaign.db", help="the SQLite database")
    add_option("--data", type=Path, default=data, help="the CSV with the customers")
    add_option("--add", type=int, metavar="LINE", help="also ask about this line of the CSV")
    add_option("--url", default="http://127.0.0.1:9696", help="where the churn service answers")
    add_option("--threshold", type=float, default=0.5, help="an e-mail at or above it")
    add_option("--batch-size", type=int, default=100, help="customers in one request, 1 to 1000")
    add_option("--patience", type=float, default=30, help="seconds to wait for an answer")
    args = parser.parse_args()
    if not args.url.startswith(("http://", "https://")):
        parser.error(f"--url is {args.url}: it must begin with http:// or https://")
    if not 0 <= args.threshold <= 1:
        parser.error(f"--threshold is {args.threshold}: it must be from 0 to 1")
    if not 1 <= args.batch_size <= 1000:
        parser.error(f"--batch-size is {args.batch_size}: it must be from 1 to 1000")
    if not 0.1 <= args.patience <= 3600:
        parser.error(f"--patience is {args.patience}: it must be from 0.1 to 3600 seconds")
    api_key = os.environ.get("CHURN_API_KEY", "")
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        parser.error("CHURN_API_KEY holds a space, a line end or a letter that no key has")

    try:
        with closing(sqlite3.connect(args.db, isolation_level=None, timeout=args.patience)) as db:
            prepare(db, args.data)
            if args.add is not None:
                for customer in read_customers(args.data, args.add):
                    new = db.execute(ADD, customer).rowcount
                    print(f"customer {args.add}: {'added' if new else 'is there already'}")
            try:
                service = ChurnService(args.url, args.patience, api_key)
                run(db, service, args.threshold, args.batch_size)
            finally:
                report(db)
    except Stop as error:
        sys.exit(f"{error}")
    except requests.RequestException as error:  # a URL that can't be, say
        sys.exit(f"{args.url} can't be asked ({error}): name the churn service's address (--url).")
    except sqlite3.Error as error:
        sys.exit(f"{args.db} can't be used ({error}): close what uses it, or name another (--db).")
    except KeyboardInterrupt:
        print("Interrupted: all that was written is safe, run this again.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
