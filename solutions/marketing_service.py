"""The campaign: ask the churn service about each customer and record who gets an e-mail.

Whatever is interrupted, and when: run it again and it goes on. Each customer is scored once and
gets one e-mail at most, in the table `email`: recorded there, never sent.
"""

import argparse
import json
import reprlib
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import requests
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
SUBJECT = "A year at a better price"
TEXT = "Dear customer, stay with us for another year and pay 10% less."
CONNECT = 5  # seconds to wait for a connection

APPLICATION_ID = 96_960_001  # says that the file is ours; counted up when the tables change
TABLES = [
    """CREATE TABLE IF NOT EXISTS customer (
        id INTEGER PRIMARY KEY,                       -- the line in the CSV
        features TEXT NOT NULL CHECK (json_valid(features)),
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'scored', 'rejected')),
        churn_probability REAL,                       -- of a scored customer
        reason TEXT                                   -- why the service refused a rejected one
    )""",
    """CREATE TABLE IF NOT EXISTS campaign (
        id INTEGER PRIMARY KEY CHECK (id = 1),        -- one row, one campaign
        threshold REAL NOT NULL,
        model_sha256 TEXT NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS email (               -- the outbox
        id INTEGER PRIMARY KEY,
        campaign INTEGER NOT NULL REFERENCES campaign (id),
        customer INTEGER NOT NULL REFERENCES customer (id),
        subject TEXT NOT NULL,
        text TEXT NOT NULL,
        created TEXT NOT NULL,
        sent TEXT,                                    -- for a mailer; nothing here writes it
        UNIQUE (campaign, customer)                   -- each e-mail once
    )""",
]
ADD = "INSERT INTO customer (id, features) VALUES (?, ?) ON CONFLICT DO NOTHING"


class Stop(Exception):
    """What is wrong and what to do about it, in a sentence."""


def read_features(data, line=None):
    """Return (line, features as JSON) of the CSV's test rows, or of one line; without churn."""
    try:  # here, because scoring needs neither pandas nor scikit-learn
        from train import categorical, numerical, read_customers, split

        df = read_customers(data)
        df = split(df)[1] if line is None else df[df.index == line - 2]
    except (ImportError, OSError, ValueError) as error:
        raise Stop(f"The customers in {data} can't be read ({error}): see --data.") from error
    lines = (df.index + 2).tolist()  # line 1 is the header
    features = df[categorical + numerical].to_json(
        orient="records", lines=True, double_precision=15
    )
    return list(zip(lines, features.splitlines(), strict=True))


def fill(db, data):
    """Make the tables and fill in the customers, once; stop if the file is another program's."""
    application_id, tables = db.execute(
        "SELECT application_id, (SELECT count(*) FROM sqlite_master) FROM pragma_application_id"
    ).fetchone()
    if not tables:
        customers = read_features(data)
        with db:  # ends with COMMIT, or with ROLLBACK after an exception
            db.execute("BEGIN IMMEDIATE")
            for table in TABLES:
                db.execute(table)
            db.executemany(ADD, customers)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        print(f"filled the database with {len(customers):,} customers")
    elif application_id != APPLICATION_ID:
        raise Stop("The database was not made by this version of this script: see --db.")


def add(db, data, line):
    """Add the customer of one line of the CSV who is not in the campaign yet."""
    if db.execute("SELECT id FROM customer WHERE id = ?", [line]).fetchone():
        print(f"customer {line} is in the campaign already")
        return
    customers = read_features(data, line)
    if not customers:
        raise Stop(f"{data} has no customer on line {line}: the first is on line 2.")
    db.execute(ADD, customers[0])
    print(f"added customer {line}")


class ChurnService:
    """The churn service at a URL, asked with patience."""

    def __init__(self, url, patience):
        self.url, self.patience, self.session = url, patience, requests.Session()

    def stop(self, what):
        remedy = "is it the churn service? Start churn_serving.py, or see --url"
        return Stop(f"{self.url} {what}: {remedy}.")

    def ask(self, method, path, customers=None):
        """Return the status and the JSON answer; ask again, six times in all, if none comes."""
        # Asking twice is safe: a prediction changes nothing.
        for wait in [self.patience / 2**power for power in (5, 4, 3, 2, 1)] + [None]:
            try:
                response = self.session.request(
                    method, self.url + path, json=customers,
                    timeout=(CONNECT, self.patience), allow_redirects=False,
                )  # fmt: skip
                if response.status_code < 500:
                    return response.status_code, response.json()
                trouble = f"answers {response.status_code}"
            except (requests.JSONDecodeError, RecursionError):
                trouble = f"answers {response.status_code} and no JSON"
            except requests.Timeout:
                trouble = "takes too long to answer"
            except (
                requests.ConnectionError,
                requests.exceptions.ChunkedEncodingError,  # cut off in mid-answer
                requests.exceptions.ContentDecodingError,
            ):
                trouble = "does not answer"
            if wait:
                tqdm.write(f"{self.url} {trouble}, next try in {wait:.1f} s", file=sys.stderr)
                time.sleep(wait)
        raise self.stop(f"{trouble}, after six tries")

    def model(self):
        """Return the sha256 of the model that the service uses now."""
        status, answer = self.ask("GET", "/health")
        try:
            if status == 200 and isinstance(answer["model"]["sha256"], str):
                return answer["model"]["sha256"]
        except (LookupError, TypeError):
            pass
        raise self.stop(f"answers {status} {reprlib.repr(answer)} to GET /health")

    def predict_batch(self, batch):
        """Return (customer, probability, None) for all, or (customer, None, reason) for the bad."""
        lines = [line for line, _ in batch]
        customers = [json.loads(features) for _, features in batch]
        status, answer = self.ask("POST", "/predict/batch", customers)
        if status == 200 and isinstance(answer, list) and len(answer) == len(batch):
            if all(map(is_prediction, answer)):
                scores = [float(one["churn_probability"]) for one in answer]
                return [(line, score, None) for line, score in zip(lines, scores, strict=True)]
        elif status == 400 and (reasons := problems(answer, dict(enumerate(lines)))):
            return [(line, None, reason) for line, reason in reasons.items()]
        elif status == 413:
            raise Stop("The churn service finds the batch too large: see --batch-size.")
        raise self.stop(f"answers {status} {reprlib.repr(answer)} to a batch of {len(batch)}")


def is_prediction(one):
    if not isinstance(one, dict) or one.keys() != {"churn", "churn_probability"}:
        return False
    probability = one["churn_probability"]
    return (
        isinstance(one["churn"], bool)
        and type(probability) in (int, float)  # for isinstance, True would be an int
        and 0 <= probability <= 1
    )


def problems(answer, lines):
    """Return {line: reason} of the customers that a 400 names; {} if it names none, or others."""
    reasons = {}
    try:
        for one in answer["problems"]:
            reason = f"{one.get('field', 'customer')}: {one['problem']}, given {one['given']}"
            line = lines[one["customer"]]
            reasons[line] = f"{reasons[line]}; {reason}" if line in reasons else reason
    except (LookupError, TypeError, AttributeError):
        return {}
    return reasons


def agree(db, threshold, model):
    """Begin the campaign or go on with it; stop if it has another threshold or model."""
    with db:
        db.execute("BEGIN IMMEDIATE")
        values = (threshold, model)
        db.execute("INSERT INTO campaign VALUES (1, ?, ?) ON CONFLICT DO NOTHING", values)
        begun = db.execute("SELECT threshold, model_sha256 FROM campaign").fetchone()
    for name, old, new in zip(("threshold", "model"), begun, values, strict=True):
        if old != new:
            raise Stop(f"The campaign has the {name} {old}, not {new}: go back to it, or see --db.")


def record(db, results, threshold):
    """Write a batch's results and its e-mails together; return how many were still waiting."""
    now, written = datetime.now(UTC).isoformat(timespec="seconds"), 0
    with db:
        db.execute("BEGIN IMMEDIATE")
        for customer, probability, reason in results:
            updated = db.execute(
                "UPDATE customer SET state = ?, churn_probability = ?, reason = ?"
                " WHERE id = ? AND state = 'waiting'",  # another campaign may have been faster
                ("rejected" if reason else "scored", probability, reason, customer),
            ).rowcount
            if updated and not reason and probability >= threshold:
                db.execute(
                    "INSERT INTO email (campaign, customer, subject, text, created)"
                    " VALUES (1, ?, ?, ?, ?) ON CONFLICT (campaign, customer) DO NOTHING",
                    (customer, SUBJECT, TEXT, now),
                )
            written += updated
    return written


def count(db):
    """Return the number of customers who are waiting, scored and rejected."""
    counts = dict(db.execute("SELECT state, count(*) FROM customer GROUP BY state"))
    return [counts.get(state, 0) for state in ("waiting", "scored", "rejected")]


def campaign(db, service, threshold, batch_size):
    """Score the waiting customers, batch by batch. No transaction is open while we ask."""
    agree(db, threshold, service.model())
    select = "SELECT id, features FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?"
    waiting, scored, rejected = count(db)
    done = scored + rejected
    with tqdm(total=done + waiting, initial=done, unit=" customers") as bar:
        while batch := db.execute(select, [batch_size]).fetchall():
            results = service.predict_batch(batch)
            agree(db, threshold, service.model())  # restarted with another model meanwhile?
            bar.update(record(db, results, threshold))


def report(db):
    waiting, scored, rejected = count(db)
    (emails,) = db.execute("SELECT count(*) FROM email").fetchone()
    print(f"scored {scored:,}, rejected {rejected:,}, waiting {waiting:,}")
    print(f"e-mails recorded {emails:,}, sent 0: they are in the table email, for a mailer")
    if rejected:
        print("why rejected: SELECT id, reason FROM customer WHERE state = 'rejected'")
    if waiting:
        print("next: run this again, it goes on with those who wait")


def number(kind, low, high):
    """Return a function that reads a command line's number from low to high."""

    def read(text):
        if not low <= (value := kind(text)) <= high:
            raise argparse.ArgumentTypeError(f"{text} is not from {low} to {high}")
        return value

    read.__name__ = kind.__name__  # for argparse's "invalid int value"
    return read


def url(text):
    try:
        requests.Request("GET", text).prepare()
        if not text.startswith(("http://", "https://")):
            raise ValueError(f"{text} does not begin with http:// or https://")
    except ValueError as error:  # requests' errors about URLs are of this kind, too
        raise argparse.ArgumentTypeError(f"{error}") from None
    return text.rstrip("/")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    default_data = HERE.parent / "data" / "telco-customer-churn.csv"
    option = parser.add_argument
    option("--db", type=Path, default=HERE / "campaign.db", help="the SQLite database")
    option("--data", type=Path, default=default_data, help="the CSV with the customers")
    option("--add", type=int, metavar="LINE", help="a line of the CSV to add to the campaign")
    option("--url", type=url, default="http://localhost:9696", help="the churn service")
    option("--threshold", type=number(float, 0, 1), default=0.5, help="e-mail at or above it")
    option("--batch-size", type=number(int, 1, 1000), default=100, help="customers at once")
    option("--patience", type=number(float, 0.1, 3600), default=30.0, help="seconds, for an answer")
    args = parser.parse_args()
