# %% [markdown] name="title"
# # Lab 6 · The campaign
#
# *A client that survives, a database that forgets nothing, and a budget.*
#
# **Time:** about 30 minutes (an estimate) · **You need:** [lesson 6](../notebooks/06_the_campaign.ipynb)
#
# Put your code where `____` stands, run the cell, and run the check below it: ✔ correct, ✘ not yet and why, ○ not started. `lab.hint` and `lab.solution` help. You need no running churn service: where one is asked, the check plays it, with all its accidents.

# %% name="labkit"
try:
    import labkit
except ModuleNotFoundError:
    raise SystemExit(
        "This kernel is not the lab's. Start JupyterLab with start.py, or choose the kernel .venv."
    ) from None
labkit.work_folder()

# %% name="imports"
import sqlite3
import time

import requests

from labkit.exercises import ____
from labkit.labs.lab_06 import lab

# %% [markdown]
# ## What may be asked again
#
# Write `may_retry(outcome)`: it returns `True` where another try may help, else `False`. `outcome` is one of two things.
#
# - The exception that `requests` raised. `True` for `requests.ConnectionError`, `requests.Timeout`, and an answer that broke off, `requests.exceptions.ChunkedEncodingError`. `False` for all others: with `InvalidSchema` or `MissingSchema` the address was mistyped.
# - Or a pair `(status, is_json)`, when an answer came. `True` for a status from 500 on, and whenever the answer is no JSON. `False` for the rest.
#
# So `may_retry((503, True))` is `True`, and `may_retry((400, True))` is `False`.


# %% exercise="what-may-be-asked-again"
def may_retry(outcome):
    # [solution] return ____
    if isinstance(outcome, Exception):
        lost = (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        )
        return isinstance(outcome, lost)
    status, is_json = outcome
    return status >= 500 or not is_json
    # [end]


# %%
lab.check("what-may-be-asked-again")

# %% [markdown]
# ## Growing waits
#
# Somebody says: "Try six times, and be patient for half a minute." Which waits are these? Write `waits(tries, patience)`: it returns the list of the waits *between* the tries, in seconds. Each is twice the one before, and together they last `patience` seconds.
#
# So `waits(4, 7)` is `[1, 2, 4]`: three waits lie between four tries. With a single try there is nothing to wait for, and the list is empty.


# %% exercise="growing-waits"
def waits(tries, patience):
    # [solution] return ____
    parts = [2**n for n in range(tries - 1)]  # 1, 2, 4, ...
    return [patience * part / sum(parts) for part in parts]
    # [end]


# %%
lab.check("growing-waits")

# %% [markdown]
# ## A client that survives
#
# Write `ask(url, customers, waits, timeout)`. It posts the list `customers` as JSON to `url + "/predict/batch"`, gives each try `timeout` seconds, and returns the list that an answer with status 200 holds.
#
# - No connection, no answer in time, a status from 500 on, or no JSON (whatever the status): it waits, and tries again. `waits` are the seconds between the tries; `[0.1, 0.2, 0.4]` makes four tries.
# - All tries used up: it raises a `RuntimeError` whose text names the *last* trouble, such as `answers 503` or the exception's name.
# - A status from 400 to 499, in JSON: it raises a `RuntimeError` with the status in its text, at once.


# %% exercise="a-client-that-survives"
def ask(url, customers, waits, timeout):
    # [solution] return ____
    lost = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    for wait in [*waits, None]:  # None: that was the last try
        try:
            response = requests.post(f"{url}/predict/batch", json=customers, timeout=timeout)
            answer = response.json()
            if response.status_code == 200:
                return answer
            trouble = f"answers {response.status_code}: {answer}"
            if response.status_code < 500:
                break  # the question is wrong and stays wrong
        except requests.JSONDecodeError:
            trouble = f"answers {response.status_code} without JSON"
        except lost as error:
            trouble = f"does not answer ({type(error).__name__})"
        if wait is not None:
            time.sleep(wait)
    raise RuntimeError(f"{url} {trouble}")
    # [end]


# %%
lab.check("a-client-that-survives")

# %% [markdown] name="no-e-mail-twice-story"
# ## No e-mail twice
#
# Here are the tables of a small campaign, and a database to try things on. (The check makes databases of its own.)


# %% name="no-e-mail-twice-given"
def make_tables(db):
    db.execute("""CREATE TABLE customer (
        id INTEGER PRIMARY KEY,
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'scored', 'rejected')),
        probability REAL
    )""")
    db.execute("""CREATE TABLE email (
        id INTEGER PRIMARY KEY,
        customer INTEGER NOT NULL UNIQUE,
        text TEXT NOT NULL
    )""")


db = sqlite3.connect(":memory:", isolation_level=None)  # as in the lesson
make_tables(db)
db.executemany("INSERT INTO customer (id) VALUES (?)", [[8], [15], [23], [42]])
db.execute("SELECT * FROM customer").fetchall()

# %% [markdown]
# Write `record(db, scores, threshold)`. `scores` is a list such as `[(8, 0.9), (15, 0.2)]`, of pairs (customer, probability). All of these customers become `'scored'`, with their probability, and an e-mail is written down for each whose probability is at or above the threshold; its text is up to you.
#
# - It is *one* transaction. After an error in the middle, nothing of it stays, and the error goes on to the caller.
# - Nobody gets a second e-mail: run again with the same scores, it changes nothing. It also copes with a customer who has an e-mail already, or who is named twice in the list.
# - The database stays open.


# %% exercise="no-e-mail-twice"
def record(db, scores, threshold):
    # [solution] return ____
    update = "UPDATE customer SET state = 'scored', probability = ? WHERE id = ?"
    insert = "INSERT INTO email (customer, text) VALUES (?, ?) ON CONFLICT DO NOTHING"
    with db:  # COMMIT at its end, or ROLLBACK
        db.execute("BEGIN")
        for customer, probability in scores:
            db.execute(update, [probability, customer])
            if probability >= threshold:
                db.execute(insert, [customer, "Stay with us"])
    # [end]


# %%
lab.check("no-e-mail-twice")

# %% [markdown]
# ## Go on after a crash
#
# Write `run(db, ask, record, size)`, the loop of a campaign, with the tables of exercise {no-e-mail-twice}. Two functions are given to it:
#
# - `ask(ids)` takes a list of ids, such as `[8, 15]`, and returns these customers' scores, pairs as above. It may raise.
# - `record(db, scores)` writes such scores in a transaction; these customers wait no longer.
#
# Take the next waiting customers in order of id, at most `size`; ask; record; until nobody waits. Those who are `'rejected'` stay so.
#
# No transaction is open during `ask`. Its errors go on to the caller, and the next `run` goes on where this one stopped: it asks about nobody whose score is recorded. Customers who are added meanwhile get their turn, too.


# %% exercise="go-on-after-a-crash"
def run(db, ask, record, size):
    # [solution] return ____
    waiting = "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?"
    while ids := [id_ for (id_,) in db.execute(waiting, [size])]:
        record(db, ask(ids))
    # [end]


# %%
lab.check("go-on-after-a-crash")

# %% [markdown]
# ## A threshold from a budget
#
# The manager gives a `budget`, and each e-mail costs `price`. Write `threshold_for(budget, price, scores)`: it returns the *lowest* of the thresholds 0.00, 0.01, ..., 1.00 at which the e-mails cost no more than the budget. Everybody whose score is at or above the threshold gets one. `scores` is a list. If even 1.00 is too expensive, return `None`.
#
# So `threshold_for(20, 10, [0.9, 0.555, 0.3])` is `0.31`: two e-mails, and the budget is spent to the last cent.
#
# Floats set two traps. Budget and price have two decimals, and `3 * 0.1` is more than `0.3`. And the threshold after 0.34 is `35 / 100`; `35 * 0.01`, like NumPy's `linspace`, is a hair above 0.35.


# %% exercise="a-threshold-from-a-budget"
def threshold_for(budget, price, scores):
    # [solution] return ____
    for percent in range(101):
        emails = sum(score >= percent / 100 for score in scores)
        if emails * round(100 * price) <= round(100 * budget):  # in cents
            return percent / 100
    return None
    # [end]


# %%
lab.check("a-threshold-from-a-budget")

# %% [markdown] name="how-far"
# ## How far you are
#
# A full box for each exercise that you have solved. The answers are in this notebook; save it (**Ctrl+S**, macOS: **Cmd+S**). To forget the boxes and begin anew, run `labkit.progress.reset(6)`.

# %% name="progress"
labkit.progress.show()

# %% [markdown] name="the-end"
# Your `ask` can talk to the real service as well: start it in a terminal with `python solutions/churn_serving.py`, and stop and start it again while you ask.
#
# Back to [lesson 6](../notebooks/06_the_campaign.ipynb). [Lesson 7](../notebooks/07_the_environment.ipynb) asks what happens when the three programs need three versions of the same package.
