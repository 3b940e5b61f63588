"""Checks and hints of lab 6, the campaign."""

import json
import os
import sqlite3
import time
from contextlib import closing
from itertools import pairwise

import requests

from labkit import service
from labkit.exercises import Lab, Wrong, describe, expect, is_number, show
from labkit.labs.live import only_json, stand_in

lab = Lab("06_the_campaign")


class PowerCut(Exception):
    """An accident that a check arranges."""


class Halt(BaseException):
    """Ends a learner's loop that has gone wrong; `except Exception` does not hold it."""


# --- what-may-be-asked-again and growing-waits ---


@lab.exercise(
    "what-may-be-asked-again",
    lesson="Ask again",
    hints=[
        "First find out which of the two it is: isinstance(outcome, Exception).",
        "isinstance takes several classes at once, in a tuple: isinstance(outcome, (A, B)).",
        "The pair: status, is_json = outcome. Another try helps if status >= 500 or not is_json.",
    ],
)
def may_retry(answer):
    function = answer.function("may_retry", returns=bool)
    mistyped = (
        "the address is mistyped and stays so: name the exceptions that pass, not "
        "RequestException, which is all of them"
    )
    cases = [
        (requests.ConnectionError("refused"), True, "the service may be starting. The class is "
         "requests.ConnectionError; ConnectionError alone is another one, Python's own"),
        (requests.ReadTimeout("too slow"), True, "it may have been busy. ReadTimeout is a kind of "
         "requests.Timeout: ask with isinstance"),
        (requests.ConnectTimeout("nobody"), True, "it is a kind of requests.Timeout, too"),
        (requests.exceptions.ChunkedEncodingError("broke off"), True, "an answer broke off, and "
         "the next one may be whole"),
        (requests.exceptions.InvalidSchema("localhost:9696"), False, mistyped),
        (requests.exceptions.MissingSchema("127.0.0.1"), False, mistyped),
        (requests.TooManyRedirects("30"), False, "it is none of the three: name the exceptions "
         "that pass, not those that don't"),
        ((503, True), True, "from 500 on it is the service's own trouble, which often passes"),
        ((500, True), True, "500 belongs to them: from 500 on it is the service's own trouble"),
        ((502, False), True, "from 500 on it is the service's own trouble, which often passes"),
        ((520, True), True, "from 500 on, so >= 500: who lists a few forgets the others"),
        ((200, False), True, "no JSON means that somebody else has answered, whatever the status"),
        ((404, False), True, "no JSON means that somebody else has answered, whatever the status"),
        ((200, True), False, "that is what we wanted: there is nothing to ask again"),
        ((400, True), False, "the question is wrong and stays wrong"),
        ((404, True), False, "we talk to the service wrongly, and a human must look"),
        ((413, True), False, "the batch is too large and stays so"),
        ((429, True), False, "below 500, with JSON: that is the rest, without exceptions"),
    ]  # fmt: skip
    for outcome, expected, remedy in cases:
        expect(function.call(outcome), function(outcome), expected, remedy)


@lab.exercise(
    "growing-waits",
    lesson="Ask again",
    hints=[
        "Think in parts first: with four tries the waits are 1, 2 and 4 parts, 7 together.",
        "parts = [2**n for n in range(tries - 1)]: how long is one part, if all last patience?",
        "Each wait is patience * part / sum(parts). With no parts, nothing is divided.",
    ],
)
def waits(answer):
    function = answer.function("waits", returns=(list, tuple))
    if isinstance(function.error(1, 10), ZeroDivisionError):
        raise Wrong(
            "waits(1, 10) divides by zero: a single try has no wait before or after it, so return "
            "[] for it."
        )
    for tries, patience in ((4, 7), (6, 31), (3, 1), (5, 60), (2, 5), (1, 10)):
        came, what = function(tries, patience), function.call(tries, patience)
        for wait in came:
            if not is_number(wait):
                raise Wrong(
                    f"{what} should hold numbers only, and holds {show(wait)}: make a number of "
                    "it, or drop it."
                )
        if tries == 1 and len(came):
            raise Wrong(f"{what} should be [], and is {show(came)}: one try, and nothing between.")
        if len(came) != tries - 1:
            raise Wrong(
                f"{what} should have {tries - 1} waits, and has {len(came)}: they lie between "
                f"{tries} tries, none before the first and none after the last."
            )
        for before, wait in pairwise(came):
            if abs(wait - 2 * before) > 1e-9:
                raise Wrong(
                    f"{what} is {show(came)}, and after {show(before)} should come "
                    f"{show(2 * before)}: each wait is twice the one before, and none is rounded."
                )
        if came and abs(sum(came) - patience) > 1e-9:
            parts = [str(2**n) for n in range(tries - 1)]
            raise Wrong(
                f"{what} is {show(came)}, which lasts {show(sum(came))} s and not {patience}: "
                f"{' + '.join(parts)} are {2 ** (tries - 1) - 1} parts, so divide patience by that."
            )


# --- a-client-that-survives ---

CUSTOMERS = [{"contract": "one_year", "tenure": 20}, {"contract": "two_year", "tenure": 41}]
PREDICTIONS = [{"churn": False, "churn_probability": 0.25}, {"churn": True, "churn_probability": 1}]
WELL = 200, PREDICTIONS
PAGE = "<html>Welcome to the hotel! Please log in.</html>"


def play(call, answers, waits, timeout=2):
    """Let ask meet a service that gives these answers in turn, the last one for ever.

    call: the function, or its .error. Return what it returned, or the Wrong that it raised, and
    the times of the start and of each request.
    """
    given = list(waits)
    with stand_in(lambda asked, before: answers[min(before, len(answers) - 1)]) as there:
        times = [time.monotonic()]
        try:
            came = call(there.url, CUSTOMERS, given, timeout)
        except Wrong as wrong:
            came = wrong
    for asked in there.requests:
        see_question(asked)
    if given != waits:
        raise Wrong(
            "ask changes the list waits, and the next batch would have others: go through it with "
            "for, without pop or append."
        )
    return came, times + [asked.time for asked in there.requests]


def see_question(asked):
    """Raise Wrong unless it is the request that the exercise wants."""
    if (asked.method, asked.path) != ("POST", "/predict/batch"):
        raise Wrong(
            f"ask should send POST /predict/batch, and sends {asked.method} {asked.path}: "
            'requests.post(url + "/predict/batch", ...).'
        )
    if not only_json(asked):
        raise Wrong("ask should send JSON, and sends something else: requests.post(..., "
                    "json=customers).")  # fmt: skip
    if json.loads(asked.body) != CUSTOMERS:
        raise Wrong(
            f"ask should send the list of customers as it is, and sends {show(asked.body)}: "
            "json=customers, all in one request."
        )


def see_runtime_error(when, error, words):
    """Raise Wrong unless it is a RuntimeError with one of these words in its text."""
    if error is None:
        raise Wrong(
            f"{when}, ask should raise a RuntimeError, and returns as if all were well: "
            "raise RuntimeError(trouble)."
        )
    if not isinstance(error, RuntimeError):
        raise Wrong(
            f"{when}, ask should raise a RuntimeError, and what comes out is {describe(error)}: "
            "catch that, and raise RuntimeError(trouble)."
        )
    if not any(word.lower() in str(error).lower() for word in words):
        raise Wrong(
            f"{when}, the text of the RuntimeError should name the last trouble ({words[0]}), and "
            f"it is {str(error)[:100]!r}: keep the trouble in a variable, and put it in."
        )


@lab.exercise(
    "a-client-that-survives",
    lesson="Ask again",
    hints=[
        "One try first, without any waits: what can come back, and what can be raised?",
        "for wait in [*waits, None]: has one round for each try; None says that it was the last.",
        "In the round: try: post, .json(), return if 200, leave the loop if below 500. Each except "
        "notes the trouble in a variable. Behind it: if wait is not None: time.sleep(wait).",
        "response.json() raises requests.JSONDecodeError if it is no JSON: catch it, note the "
        "trouble, go on. Behind the loop: raise RuntimeError(trouble).",
    ],
)
def ask(answer):
    function = answer.function("ask", returns=list)
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"  # undone after the check
    see_asked_once(function)
    see_trouble_survived(function)
    see_timeout(function)
    see_end(function)
    see_refusal(function)
    see_nobody(function)


def see_asked_once(function):
    came, times = play(function, [WELL], [0.8])
    if isinstance(came, Wrong):
        raise came
    if len(times) == 1:
        raise Wrong("ask returns without having asked: requests.post(url + ...), with this url.")
    if times[1] - times[0] > 0.4:
        raise Wrong("ask waits before its first try: wait only after a trouble, before the next.")
    if len(times) > 2:
        raise Wrong(f"the first answer was good, and ask asks {len(times) - 1} times: return it.")
    expect("what ask returns", came, PREDICTIONS, "return what response.json() gives, all of it")


def see_trouble_survived(function):
    accidents = {
        "an answer 503": (503, {"error": "out of memory"}),
        "a web page with status 200": (200, PAGE),
        "a web page with status 404 (no JSON, so somebody else has answered)": (404, PAGE),
    }
    waits = [0.02, 0.08, 0.02, 0.1]
    came, times = play(function, [*accidents.values(), WELL], waits)
    if len(times) - 1 <= len(accidents):
        accident = [*accidents][max(len(times) - 2, 0)]
        done = str(came) if isinstance(came, Wrong) else f"it returns {show(came)}."
        raise Wrong(f"after {accident}, ask should wait and try again, and does not: {done}")
    if isinstance(came, Wrong):
        raise Wrong(f"the fourth answer was good, after three troubles: {came}")
    expect(
        "what ask returns after three troubles and a good answer", came, PREDICTIONS,
        "return the good one",
    )  # fmt: skip
    for number, wait in enumerate(waits[:3], 1):
        gap = times[number + 1] - times[number]
        if gap < 0.6 * wait:  # clocks are coarse
            raise Wrong(
                f"with waits={waits}, ask should wait {wait} s before try {number + 1}, and waits "
                f"{gap:.3f} s: time.sleep(wait), with each of the waits in turn."
            )
    if times[-1] - times[1] > sum(waits[:3]) + 1:
        raise Wrong(
            f"with waits={waits}, ask takes {times[-1] - times[1]:.1f} s for four tries: wait as "
            "long as waits says, and no longer."
        )


def see_timeout(function):
    slow = [{"churn": False, "churn_probability": 0.99}]
    came, times = play(function, [(200, slow, 0.6), WELL], [0.1, 0.02, 0.02], timeout=0.2)
    if isinstance(came, Wrong):
        raise Wrong(f"no answer came in time, so ask should try again, and does not: {came}")
    if came == slow or len(times) < 3:
        raise Wrong(
            "the first answer came after 0.6 s, ask was told timeout=0.2, and it waited all the "
            "same: requests.post(..., timeout=timeout)."
        )
    if times[2] - times[1] < 0.2 + 0.06:  # clocks are coarse
        raise Wrong(
            "no answer came in time, and ask tries again at once: time.sleep(wait) is for this "
            "trouble, too."
        )


def see_end(function):
    ill = [(500, {"error": "no"}), (500, {"error": "no"}), (503, {"error": "no"}), WELL]
    came, times = play(function.error, ill, [0.01, 0.02])
    late = time.monotonic() - times[-1] > 0.25
    tries = len(times) - 1
    if tries > 3:
        raise Wrong(f"two waits make three tries, and ask tries {tries} times: then raise.")
    if tries < 3:
        raise Wrong(
            f"two waits make three tries, and ask tries {tries} times: a last try comes after the "
            "last wait."
        )
    see_runtime_error("after its last try (500, 500, then 503)", came, ["503"])
    if late:
        raise Wrong("ask waits after its last try: nobody is asked again then, so raise at once.")
    came, times = play(function.error, [(503, {"error": "no"}), WELL], [])
    if len(times) != 2:
        raise Wrong(f"with waits=[], ask should try once, and tries {len(times) - 1} times.")
    see_runtime_error("after one try (503) with waits=[]", came, ["503"])
    came, _ = play(function.error, [(200, PAGE)], [0.01])
    words = ["no JSON", "json", "html", "200", "expecting value"]
    see_runtime_error("after a web page with status 200, twice", came, words)


def see_refusal(function):
    for status in (400, 404, 429):
        came, times = play(function.error, [(status, {"error": "2 problems"}), WELL], [0.02])
        if len(times) > 2:
            raise Wrong(
                f"ask tries again after a {status} in JSON: the question is wrong and stays "
                "wrong, so raise at once, where no except of yours catches it."
            )
        see_runtime_error(f"after a {status} in JSON", came, [str(status)])


def see_nobody(function):
    waits, url = [0.04, 0.08], f"http://127.0.0.1:{service.free_port()}"
    begin = time.monotonic()
    error = function.error(url, CUSTOMERS, waits, 0.3)
    seconds = time.monotonic() - begin
    see_runtime_error("where nobody listens", error, ["ConnectionError", "connect", "refused"])
    if seconds < 0.6 * sum(waits):
        raise Wrong(
            f"where nobody listens, ask gives up after {seconds:.2f} s, and the waits are {waits}: "
            "no connection is a trouble like the others, since the service may be starting."
        )


# --- no-e-mail-twice and go-on-after-a-crash ---

TABLES = [  # as in the notebook, where they may be changed
    """CREATE TABLE customer (
        id INTEGER PRIMARY KEY,
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'scored', 'rejected')),
        probability REAL
    )""",
    """CREATE TABLE email (
        id INTEGER PRIMARY KEY,
        customer INTEGER NOT NULL UNIQUE,
        text TEXT NOT NULL
    )""",
]


def new_database(ids):
    """Return a database in memory with these customers, all waiting."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    for table in TABLES:
        db.execute(table)
    db.executemany("INSERT INTO customer (id) VALUES (?)", [[id_] for id_ in ids])
    db.execute("PRAGMA reverse_unordered_selects = ON")  # no order by luck
    return db


def rows(db, sql, values=()):
    """Return the rows of a query; raise Wrong if the learner has closed the database."""
    try:
        return [tuple(row) for row in db.execute(sql, values)]  # not sqlite3.Row
    except sqlite3.ProgrammingError as error:
        if "closed" not in str(error):
            raise
        raise Wrong("the database is closed afterwards, and the next batch needs it: leave out "
                    "db.close() and closing(db).") from None  # fmt: skip


def customers_of(db):
    found = rows(db, "SELECT id, state, probability FROM customer ORDER BY id")
    return {row[0]: row for row in found}


def emails_of(db):
    return [customer for (customer,) in rows(db, "SELECT customer FROM email ORDER BY customer")]


def see_end_of_transaction(db, when):
    rows(db, "SELECT 1")
    if db.in_transaction:
        raise Wrong(
            f"{when}, a transaction is still open, and nothing of it is safe: COMMIT, or after an "
            "error ROLLBACK, is missing. with db: says the right one."
        )


@lab.exercise(
    "no-e-mail-twice",
    lesson="A database in five lines",
    hints=[
        "Two commands for each customer: an UPDATE always, an INSERT if the score is high enough.",
        'with db: ends a transaction and begins none: db.execute("BEGIN") comes first in it.',
        "INSERT INTO email (customer, text) VALUES (?, ?) ON CONFLICT DO NOTHING is quiet about a "
        "second e-mail.",
        "UPDATE customer SET state = 'scored', probability = ? WHERE id = ?, and its two values in "
        "a list behind it. All of the loop stands within with db:.",
    ],
)
def record(answer):
    function = answer.function("record")
    see_recorded(function)
    see_all_or_nothing(function)
    see_never_twice(function)


def see_recorded(function):
    for threshold in (0.5, 0.18):
        scores = [(1, 0.9), (2, 0.18), (3, 0.5), (4, 0.17), (5, 0.49)]
        with closing(new_database(range(1, 8))) as db:
            db.execute("UPDATE customer SET state = 'scored', probability = 0.3 WHERE id = 5")
            db.execute("UPDATE customer SET state = 'scored', probability = 0.95 WHERE id = 7")
            function(db, scores, threshold)
            when = f"after record(db, scores, {threshold})"
            see_end_of_transaction(db, when)
            came = customers_of(db)
            if came.get(6) != (6, "waiting", None):
                raise Wrong(
                    f"{when}, the row of customer 6 is {show(came.get(6))}, and she was not among "
                    "the scores: UPDATE needs WHERE id = ?, or it changes everybody."
                )
            remedy = (
                "UPDATE customer SET state = 'scored', probability = ? WHERE id = ?, also for one "
                "who is scored already (5, with 0.3)"
            )
            for customer, probability in scores:
                expect(
                    f"{when}, the row of customer {customer}",
                    came.get(customer), (customer, "scored", probability), remedy,
                )  # fmt: skip
            due = [customer for customer, probability in scores if probability >= threshold]
            came = emails_of(db)
            if 7 in came:
                raise Wrong(
                    f"{when}, customer 7 has an e-mail: she is scored from an earlier batch and "
                    "not among these scores. Go through scores, not through the whole table."
                )
            remedy = f"an e-mail for each whose probability is at or above {threshold}"
            [edge] = [customer for customer, probability in scores if probability == threshold]
            if edge not in came and sorted([*came, edge]) == due:
                remedy = f"customer {edge} is exactly at the threshold and belongs to them, so >="
            expect(f"{when} with {scores}, the list of who has an e-mail", came, due, remedy)


def see_all_or_nothing(function):
    scores = [(1, 0.9), (2, 0.7), (3, 0.8), (4, 0.6)]
    rows_of_3 = {
        "e-mail": ["INSERT ON email WHEN NEW.customer = 3"],
        "row": ["UPDATE ON customer WHEN NEW.id = 3", "INSERT ON customer WHEN NEW.id = 3"],
    }
    for what, events in rows_of_3.items():
        with closing(new_database(range(1, 5))) as db:
            before = customers_of(db)
            db.create_function("power_cut", 0, power_cut)
            for number, event in enumerate(events):
                db.execute(
                    f"CREATE TEMP TRIGGER cut_{number} BEFORE {event} BEGIN SELECT power_cut(); END"
                )
            error = function.error(db, scores, 0.5)
            when = f"after an error in the middle (as the {what} of customer 3 was written)"
            see_end_of_transaction(db, when)
            scored = [id_ for id_, row in customers_of(db).items() if row[1] == "scored"]
            if customers_of(db) != before or emails_of(db):
                raise Wrong(
                    f"{when}, customers {scored} are scored and {emails_of(db)} have e-mails, and "
                    'nothing should have stayed: db.execute("BEGIN"), once, before the loop, and '
                    "with db: around all of it."
                )
            if error is None:
                raise Wrong(
                    f"{when}, record returns as if all were well: let the error go on to the "
                    "caller, who must know."
                )
            db.create_function("power_cut", 0, lambda: None)
            function(db, scores, 0.5)
            expect(
                f"{when} and a second run without one, the list of who has an e-mail",
                emails_of(db), [1, 2, 3, 4], "it should be as if the first had not been",
            )  # fmt: skip


def power_cut():
    raise PowerCut


def see_never_twice(function):
    stories = {
        "run again with the same scores": ([(2, 0.9), (1, 0.7)], [(2, 0.9), (1, 0.7)]),
        "a customer who has an e-mail from an earlier batch": ([(2, 0.9)], [(1, 0.7), (2, 0.9)]),
        "a customer who is twice in the list": ([], [(1, 0.7), (1, 0.7)]),
    }
    for story, (first, second) in stories.items():
        with closing(new_database([1, 2])) as db:
            function(db, first, 0.5)
            before = rows(db, "SELECT * FROM email ORDER BY id")
            see_insert(function, story, db, second)
            see_kept(story, db, before, sorted({customer for customer, _ in first + second}))
    with closing(new_database([1, 2])) as db:
        db.execute("INSERT INTO email VALUES (5, 1, 'from the call centre')")
        story = "a waiting customer who has an e-mail already"
        before = rows(db, "SELECT * FROM email")
        see_insert(function, story, db, [(1, 0.9), (2, 0.9)])
        see_kept(story, db, before, [1, 2])
        expect(
            f"{story}: her row", customers_of(db)[1], (1, "scored", 0.9),
            "only the e-mail falls away, and her score is recorded like the others",
        )  # fmt: skip


def see_insert(function, story, db, scores):
    error = function.error(db, scores, 0.5)
    if isinstance(error, sqlite3.IntegrityError):
        raise Wrong(
            f"{story}: the database refuses the second e-mail ({describe(error)}), and record "
            "should go on quietly: INSERT ... ON CONFLICT DO NOTHING."
        )
    if error:
        raise Wrong(f"{story}: record raises {describe(error)}: mend that first.")
    see_end_of_transaction(db, f"after this ({story})")


def see_kept(story, db, before, customers):
    for email in before:
        if email not in rows(db, "SELECT * FROM email"):
            raise Wrong(
                f"{story}: the old e-mail (number {email[0]}) is gone and another stands in its "
                "place, which a mailer would send again: ON CONFLICT DO NOTHING, not REPLACE."
            )
    expect(
        f"{story}: the list of who has an e-mail", emails_of(db), customers,
        "each customer whose score is high enough, once",
    )  # fmt: skip


class Campaign:
    """A campaign's database, with an `ask` and a `record` that watch what run does with them."""

    def __init__(self, ids, size):
        self.db, self.size = new_database(ids), size
        self.asked, self.scores, self.wrong = [], None, None
        self.ended = False  # ask has failed, or run has made a mistake
        self.die_at = self.newcomer = None  # (request number, customer's id)

    def waiting(self, size=-1):
        sql = "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?"
        return [id_ for (id_,) in rows(self.db, sql, [size])]

    def run(self, call):
        """Call a learner's run, or its .error, once, and return what that returns."""
        self.ended = False
        try:
            return call(self.db, self.ask, self.record, self.size)
        finally:
            if self.wrong:
                raise self.wrong

    def ask(self, ids):
        """Play the churn service; leave the learner's function if its question is wrong."""
        if self.ended:
            self.wrong = self.wrong or Wrong(
                "ask has raised an error, and run goes on asking: let the error go on to the "
                "caller. Trying again is the business of ask, going on that of the next run."
            )
            raise Halt
        try:
            self.see_batch(ids)
        except Wrong as wrong:
            self.ended, self.wrong = True, wrong
            raise Halt from None
        self.asked.append(list(ids))
        if self.newcomer and self.newcomer[0] == len(self.asked):
            self.db.execute("INSERT INTO customer (id) VALUES (?)", [self.newcomer[1]])
        if self.die_at == len(self.asked):
            self.ended = True
            raise PowerCut("the service is gone")
        self.scores = [(id_, id_ / 100) for id_ in ids]
        return self.scores

    def see_batch(self, ids):
        """Raise Wrong unless these are the next waiting customers."""
        if not isinstance(ids, (list, tuple)):
            raise Wrong(f"run should give ask a list of ids, and gives {show(ids)}.")
        if any(isinstance(id_, (tuple, list)) for id_ in ids):
            raise Wrong(
                f"run should give ask ids, such as [8, 15], and gives rows, {show(ids)}: a row is "
                "a tuple, also when it has one value. [id_ for (id_,) in rows] takes it out."
            )
        if self.db.in_transaction:
            raise Wrong(
                "a transaction is open while run asks, and whoever else wants to write must wait "
                "for the answer: no BEGIN in run; record has its own transaction."
            )
        if not ids:
            raise Wrong("run asks about an empty list: stop when nobody is waiting, before asking.")
        if len(ids) > self.size:
            raise Wrong(f"run asks about {len(ids)} customers at once, and size is {self.size}: "
                        "LIMIT ?, with size.")  # fmt: skip
        states = dict(rows(self.db, "SELECT id, state FROM customer"))
        for id_ in ids:
            if (state := states.get(id_)) != "waiting":
                again = " again" if state == "scored" else ""
                raise Wrong(
                    f"run asks{again} about customer {show(id_)}, who is {state or 'no customer'}"
                    " and not waiting: WHERE state = 'waiting', asked anew for each batch."
                )
        if self.scores is not None:
            raise Wrong(
                f"run asks about {show(list(ids))} before the scores of {show(self.asked[-1])} are "
                "recorded: record(db, scores) after each answer, or a crash loses them."
            )
        if list(ids) != (due := self.waiting(self.size)):
            raise Wrong(
                f"waiting are {show(self.waiting())} and size is {self.size}, so run should ask "
                f"about {show(due)}, and asks about {show(list(ids))}: WHERE state = 'waiting' "
                "ORDER BY id LIMIT ?, no OFFSET, asked anew for each batch."
            )

    def record(self, db, scores):
        """Write the scores, which must be the last that ask returned."""
        if self.scores is None:
            self.ended, self.wrong = True, Wrong(
                f"run calls record with {show(scores)}, and there is no answer of ask to record: "
                "scores = ask(ids), then record(db, scores), once for each batch."
            )  # fmt: skip
            raise Halt
        if db is not self.db or scores != self.scores:
            self.ended, self.wrong = True, Wrong(
                f"run should call record(db, scores) with what ask returned, {show(self.scores)}, "
                f"and gives it {show(scores)}."
            )  # fmt: skip
            raise Halt
        with db:
            db.execute("BEGIN")
            db.executemany(
                "UPDATE customer SET state = 'scored', probability = ? WHERE id = ?",
                [(probability, id_) for id_, probability in scores],
            )
        self.scores = None


IDS = [3, 5, 8, 13, 21, 34, 55]


@lab.exercise(
    "go-on-after-a-crash",
    lesson="The marketing service, line by line",
    hints=[
        "The database knows who is waiting, so ask it before each batch, and keep no list.",
        "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?, with [size]. Done "
        "ones drop out by themselves, so no OFFSET.",
        ".fetchall() gives [(8,), (15,)]; [id_ for (id_,) in rows] makes [8, 15] of it.",
        "while ids := [...]: ends with the empty list; inside it is one line: "
        "record(db, ask(ids)). No try, no BEGIN.",
    ],
)
def run(answer):
    function = answer.function("run")
    for size in (3, 1, 100):
        campaign = Campaign([*IDS, 6, 7], size)
        campaign.db.execute("UPDATE customer SET state = 'scored' WHERE id = 6")
        campaign.db.execute("UPDATE customer SET state = 'rejected' WHERE id = 7")
        see_finished(campaign, function, f"run with size {size}")
    see_finished(Campaign([], 3), function, "run with nobody waiting")
    for number in (1, 2, 3):
        campaign = Campaign(IDS, 3)
        campaign.die_at = number
        error = campaign.run(function.error)
        if error is None:
            raise Wrong(
                f"ask raised an error at request {number}, and run returns as if all were well: "
                "let the error go on to the caller. No try is needed."
            )
        if campaign.db.in_transaction:
            raise Wrong("after a crash a transaction is still open: no BEGIN in run.")
        see_finished(campaign, function, f"run again after a crash at request {number}")
    for number, id_ in ((1, 89), (3, 89), (1, 4)):  # the first and the last request
        campaign = Campaign(IDS, 3)
        campaign.newcomer = (number, id_)
        see_finished(campaign, function, f"run, with customer {id_} added during request {number}")


def see_finished(campaign, function, what):
    """Run it to its end; raise Wrong if anybody is left."""
    campaign.run(function)
    left = campaign.waiting()
    see_end_of_transaction(campaign.db, f"after {what}")
    strange = [id_ for id_, row in customers_of(campaign.db).items() if row[1] == "rejected"]
    campaign.db.close()
    if strange not in ([], [7]):
        raise Wrong(
            f"{what}: {show(strange)} are rejected now: run changes nobody's state, and who could "
            "not be asked waits for the next run."
        )
    if left:
        raise Wrong(
            f"{what}: it ends, and {show(left)} are still waiting: ask the database again after "
            "each batch, until it says that nobody waits, and record what came."
        )


# --- a-threshold-from-a-budget ---


@lab.exercise(
    "a-threshold-from-a-budget",
    lesson="What the threshold costs",
    hints=[
        "Try the thresholds from the lowest on: the first that can be paid is the answer.",
        "sum(score >= threshold for score in scores) counts the e-mails of a threshold.",
        "for percent in range(101): threshold = percent / 100. Behind the loop: return None.",
        "In cents: emails * round(100 * price) <= round(100 * budget).",
    ],
)
def threshold_for(answer):
    function = answer.function("threshold_for")
    eight = [0.905, 0.061, 0.712, 0.655, 0.534, 0.853, 0.238, 0.412]
    cents = "in floats 3 * 0.1 is more than 0.3: count in whole cents, round(100 * price)"
    cases = [
        (55, 10, eight, 0.42, "5 e-mails can be paid, so the lowest threshold that 5 scores reach, "
         "and no sixth one"),
        (50, 10, eight, 0.42, "5 e-mails cost 50, and the budget may be spent to the last cent"),
        (10, 10, [0.6, 0.6, 0.3], 0.61, "at 0.60 both customers with 0.6 get an e-mail, since they "
         "are at or above it, and both are too expensive"),
        (20, 10, [0.6, 0.6, 0.3], 0.31, "two e-mails can be paid: equal scores count one by one"),
        (0.3, 0.1, [0.955, 0.855, 0.755, 0.245], 0.25, cents),
        (0.57, 0.29, [0.905, 0.805, 0.205], 0.81, "two e-mails cost 0.58, a cent too much; "
         "int(100 * 0.29) is 28, so use round"),
        (0.58, 0.29, [0.905, 0.805, 0.205], 0.21, "two e-mails cost 0.58, the whole budget; "
         "int(100 * 0.58) is 57, so use round"),
        (10, 5.2, [0.905, 0.805, 0.205], 0.81, "two e-mails cost 10.40; round to cents, not to "
         "whole units"),
        (10, 10, [0.9, 0.35, 0.35], 0.36, "at 0.35 three customers get one; make the threshold "
         "with percent / 100, since 35 * 0.01 and linspace miss 0.35 by a hair"),
        (10, 10, [0.9, 0.29, 0.2], 0.3, "at 0.29 two customers get one; 100 * 0.29 is a hair below "
         "29, so try the thresholds one by one"),
        (0, 10, [0.875, 0.205], 0.88, "nothing can be paid, and 0.88 is the lowest that nobody "
         "reaches"),
        (100, 10, [0.505, 0.405], 0.0, "everybody can be paid, so the lowest of all"),
        (10, 10, [1.0, 0.405], 0.41, "one e-mail can be paid, for the customer with 1.0"),
        (0, 10, [0.995, 0.2], 1.0, "1.00 is a threshold, too, and nobody reaches it"),
        (10, 10, [1.0, 1.0, 0.4], None, "two customers have 1.0, so even 1.00 is too expensive"),
        (0, 10, [], 0.0, "nobody is there, so nothing costs anything"),
    ]  # fmt: skip
    for budget, price, scores, expected, remedy in cases:
        came = function(budget, price, list(scores))
        what = f"threshold_for({budget}, {price}, {scores})"
        if expected is None:
            if came is not None:
                raise Wrong(f"{what} should be None, and is {show(came)}: {remedy}.")
            continue
        slips = {
            len([score for score in scores if score >= expected]): "that is how many e-mails can "
            "be paid: return the threshold",
            round(100 * expected): "that is in percent: divide by 100",
            1: "that is the highest threshold: go through them from the lowest, and return the "
            "first that can be paid",
        }
        if is_number(came) and came not in (expected, 0):
            if came in scores and round(came, 2) != came:
                remedy = "that is a score: return one of 0.00, 0.01, ..., 1.00"
            remedy = slips.get(came, remedy)
        expect(what, came, expected, remedy, tolerance=1e-9)
