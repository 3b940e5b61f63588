"""The campaign: ask the churn service about each customer, record an e-mail for who may leave.

Whatever is interrupted, and when: run it again and it goes on. Each customer is scored once and
gets one e-mail at most. The e-mails are recorded in the table `email`, never sent.

If the churn service wants a key, set CHURN_API_KEY. (An option would show it in the system's list
of processes.) It is sent to the address in --url, so that should begin with https:// on a network.
"""

import argparse
import json
import os
import random
import re
import reprlib
import socket
import sqlite3
import sys
import time
from collections import Counter
from concurrent import futures
from contextlib import closing, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import requests
from requests.exceptions import InvalidProxyURL, InvalidSchema, ProxyError
from requests.utils import get_environ_proxies, select_proxy
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
SUBJECT = "A better price for you"
TEXT = "Dear customer, stay with us for another year and pay 10% less."

WAITS = [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, None]  # parts of the patience; None: give up
MANY = 300  # so many refused in a row may be the service's fault
OUR_FILE = 96_960_002  # SQLite's application_id; count it up when the tables change
TABLES = [
    """CREATE TABLE IF NOT EXISTS customer (
        id INTEGER PRIMARY KEY,                               -- the line in the CSV
        features TEXT NOT NULL CHECK (json_valid(features)),
        state TEXT NOT NULL DEFAULT 'waiting'
            CHECK (state IN ('waiting', 'scored', 'rejected', 'opted out')),
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
BEGIN_CAMPAIGN = "INSERT INTO campaign VALUES (1, ?, ?) ON CONFLICT DO NOTHING"
BEGUN = "SELECT threshold, model_sha256 FROM campaign"
WAITING = """SELECT id, features FROM customer WHERE state = 'waiting'
    AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?"""
SCORED = "SELECT id, features FROM customer WHERE state = 'scored' LIMIT 1"
AGAIN = "UPDATE customer SET state = 'waiting', reason = NULL WHERE state = 'rejected'"
REMEDY = "start churn_serving.py, or name its address (--url)."


class Stop(Exception):
    """What is wrong and what to do about it, in a sentence."""


def read_customers(data, line=None):
    """Return (line, features as JSON) of the CSV's test rows, or of one line; without churn."""
    try:
        sys.path.insert(0, str(HERE))  # python -P leaves it out
        import train  # here, because only this needs pandas

        df = train.read_customers(data)
        df = train.split(df)[1] if line is None else df[df.index == line - 2]
    except ImportError as error:
        needs = "pandas, and train.py beside this script"
        raise Stop(f"Reading customers needs {needs} ({error}): use the lab's copies.") from error
    except (OSError, ValueError) as error:
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


def bare(url):
    """Return a URL without user and password, so that it can be shown."""
    return re.sub(r"(?s)^([\w.+-]+://)?.*(@|%40|\uff20)", r"\1", url)  # and what passes for an @


def is_here(url):
    """Say whether the address is this machine's own, in whatever way it is written."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    with suppress(OSError, ValueError):
        host = socket.inet_ntoa(socket.inet_aton(host))  # 127.1, say
    return host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.")


class Session(requests.Session):
    """Follows no redirection: requests would read its body first, however long that is."""

    def get_redirect_target(self, response):
        return None


def seconds(retry_after):
    """Return for how long a service wants to be left alone: it names a number, or a date."""
    if retry_after.isdecimal():
        return min(float(retry_after), 1e9)
    with suppress(ValueError, OverflowError):
        return parsedate_to_datetime(retry_after).timestamp() - time.time()
    return 0


class ChurnService:
    """The churn service. patience: seconds for a whole answer, and for all waits between tries."""

    def __init__(self, url, patience, api_key=""):
        self.url, self.patience, self.api_key = url.rstrip("/"), patience, api_key
        self.name = self.way = bare(self.url)
        proxy = "" if is_here(url) else select_proxy(url, get_environ_proxies(url)) or ""
        if proxy:
            self.name += f" (through the proxy {bare(proxy)})"
            self.way = f"The proxy {bare(proxy)} (NO_PROXY avoids it)"
        timeout = min(5, patience), patience + 1  # to connect, between two bytes
        proxies = {"http": proxy, "https": proxy}
        self.options = {"timeout": timeout, "proxies": proxies, "stream": True}
        self.session = Session()
        self.session.auth = self.add_key if api_key else None

    def add_key(self, request):  # past a .netrc
        request.headers["Authorization"] = f"Bearer {self.api_key}"
        return request

    def post(self, customers, future):
        """Give the future an answer's status, headers and JSON (None without), or the error."""
        try:
            url, body, answer = self.url + "/predict/batch", bytearray(), None
            with self.session.post(url, json=customers, **self.options) as response:
                for piece in response.iter_content(2**16):
                    body += piece
                    if len(body) > 2**20:
                        break  # what is cut off there is no JSON
            with suppress(ValueError, RecursionError):
                answer = json.loads(body)
            future.set_result((response.status_code, response.headers, answer))
        except Exception as error:
            future.set_exception(error)

    def post_in_time(self, customers):
        """Do that in a thread, and leave it to itself when the patience is over."""
        future, end = futures.Future(), time.monotonic() + self.patience
        Thread(target=self.post, args=(customers, future), daemon=True).start()
        while not future.done() and time.monotonic() < end:
            futures.wait([future], 0.1)  # no longer: Windows hears Ctrl+C in between
        return future.result(0)  # or TimeoutError

    def ask(self, customers):
        """Return status, JSON and model; six tries (asking again changes nothing there)."""
        left = self.patience
        for part in WAITS:
            later = 0
            try:
                status, headers, answer = self.post_in_time(customers)
                model = headers.get("Churn-Model")
                if status == 401 and (model or answer is not None):
                    raise Stop(f"{self.name} wants its key (401): set CHURN_API_KEY to the key.")
                if 300 <= status < 400:
                    to = bare(headers.get("Location", "").partition("?")[0])
                    raise Stop(f"{self.name} sends us on to {to!r}, we don't follow: {REMEDY}")
                if status < 500 and status not in (408, 425, 429) and answer is not None:
                    return status, answer, model
                who = self.name if model or answer is not None else self.way
                trouble = f"{who} answers {status}" + (" without JSON" if answer is None else "")
                later = seconds(headers.get("Retry-After", ""))
            except (InvalidSchema, InvalidProxyURL):  # SOCKS, which requests alone can't use
                raise Stop(f"{self.way} can't be used: name one with http:// instead.") from None
            except ValueError:  # a URL that can't be
                raise Stop(f"{self.name} can't be asked: {REMEDY}") from None
            except OSError as error:  # all that can happen on the way
                who = self.way if isinstance(error, ProxyError) else self.name
                trouble = f"{who} does not answer ({type(error).__name__})"
            if later > left:
                raise Stop(f"{trouble} and asks to wait {later:.0f} s: run this again then.")
            if part:
                wait = max(later, min(left, part * self.patience * random.uniform(0.5, 1)))
                left -= wait
                tqdm.write(f"{trouble}, next try in {wait:.2g} s", file=sys.stderr)
                time.sleep(wait)
        raise Stop(f"{trouble}, tried six times: {REMEDY}")

    def predict_batch(self, batch):
        """Return the model, and (id, probability, None) of all or (id, None, reason) of some."""
        ids = [customer for customer, _ in batch]
        status, answer, model = self.ask([json.loads(features) for _, features in batch])
        if status in (200, 400) and not re.fullmatch("[0-9a-f]{64}", model or ""):
            raise Stop(f"{self.name} does not say which model answers (Churn-Model): {REMEDY}")
        match status, answer:
            case 200, [*answers] if len(answers) == len(ids) and all(map(is_prediction, answers)):
                scores = [float(answer["churn_probability"]) for answer in answers]
                return model, [(id_, score, None) for id_, score in zip(ids, scores, strict=True)]
            case 400, {"problems": [*problems]} if reasons := reasons_of(problems, ids):
                return model, [(id_, None, reason) for id_, reason in reasons.items()]
            case 413, _:
                raise Stop("The service finds the batch too large: choose a smaller --batch-size.")
        answer = reprlib.repr(answer)
        raise Stop(f"{self.name} answers {len(ids)} customers: {status} {answer}: {REMEDY}")


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
            case {"customer": bool()}:  # True would be the int 1
                return {}
            case {"customer": int(i), "problem": problem, "given": given} if 0 <= i < len(ids):
                reason = f"{one.get('field', 'customer')}: {problem}, given {given}"
                reasons.setdefault(ids[i], []).append(reason)
            case _:
                return {}
    return {id_: "; ".join(reason) for id_, reason in reasons.items()}


def same(name, old, new):
    """Stop if the campaign was begun with another threshold or model; old may be None."""
    if old not in (None, new):
        remedy = "go back to that, or begin another campaign with another --db"
        raise Stop(f"The campaign was begun with {name} {old}, now it is {new}: {remedy}.")


def record(db, results, threshold, model):
    """Write results and e-mails, all or nothing; return how many results were new."""
    now, new = datetime.now(UTC).isoformat(timespec="seconds"), 0
    with db:
        db.execute("BEGIN IMMEDIATE")
        db.execute(BEGIN_CAMPAIGN, (threshold, model))
        for begun in db.execute(BEGUN):  # perhaps by another process, a moment ago
            same("threshold", begun[0], threshold)
            same("model", begun[1], model)
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
    begun, model = db.execute(BEGUN).fetchone() or (None, None)
    same("threshold", begun, threshold)
    total, done = db.execute("SELECT count(*), sum(state != 'waiting') FROM customer").fetchone()
    refused = []  # not written before somebody is scored: perhaps it refuses everybody
    with tqdm(total=total, initial=done, unit=" customers") as bar:
        while True:
            ids = json.dumps([customer for customer, _, _ in refused])
            batch = db.execute(WAITING, (ids, batch_size)).fetchall()
            if not batch and not refused:
                return
            if doubt := not batch or len(refused) >= MANY:
                batch = db.execute(SCORED).fetchall()  # are they bad, or is it the service?
            answered_by, results = service.predict_batch(batch) if batch else (model, refused)
            same("model", model, answered_by)
            model = answered_by
            if not results[0][2]:
                bar.update(record(db, refused + results, threshold, model))
                refused = []
            elif not doubt:
                refused += results
            else:
                often = Counter(reason.partition(", given ")[0] for _, _, reason in refused)
                reasons = "; ".join(f"{n} x {why!r:.99}" for why, n in often.most_common(3))
                raise Stop(f"{service.name} refuses everybody, so nobody is rejected: {reasons}.")


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
    add_option("--again", action="store_true", help="also ask about the rejected once more")
    add_option("--url", default="http://127.0.0.1:9696", help="where the churn service answers")
    add_option("--threshold", type=float, default=0.5, help="an e-mail at or above it")
    add_option("--batch-size", type=int, default=100, help="customers in one request, 1 to 1000")
    add_option("--patience", type=float, default=30, help="seconds to wait for an answer")
    args, unknown = parser.parse_known_args()
    if unknown:
        parser.error(f"there is no option {bare(' '.join(unknown))}")
    if not args.url.startswith(("http://", "https://")):
        parser.error(f"--url is {bare(args.url)}: it must begin with http:// or https://")
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
        service = ChurnService(args.url, args.patience, api_key)
    except ValueError:
        parser.error(f"--url is {bare(args.url)}: that can't be an address")

    os.umask(0o077)  # the database and its journal are for their owner alone
    try:
        with closing(sqlite3.connect(args.db, isolation_level=None, timeout=args.patience)) as db:
            prepare(db, args.data)
            with suppress(PermissionError):  # not ours to change
                args.db.chmod(0o600)
            if args.add is not None:
                for customer in read_customers(args.data, args.add):
                    new = db.execute(ADD, customer).rowcount
                    print(f"customer {args.add}: {'added' if new else 'is there already'}")
            if args.again:
                db.execute(AGAIN)
            try:
                run(db, service, args.threshold, args.batch_size)
            finally:
                report(db)
    except Stop as error:
        sys.exit(f"{error}")
    except sqlite3.Error as error:
        sys.exit(f"{args.db} can't be used ({error}): close what uses it, or name another (--db).")
    except KeyboardInterrupt:
        print("Interrupted: all that was written is safe, run this again.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
