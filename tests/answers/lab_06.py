"""Lab 6: right answers in another style, and wrong ones with what each must be told."""

from proof import Instead

ANSWERS = {
    "what-may-be-asked-again": {
        "right": [
            """
from requests.exceptions import ChunkedEncodingError, Timeout


def may_retry(outcome):
    match outcome:
        case requests.ConnectionError() | Timeout() | ChunkedEncodingError():
            return True
        case (status, is_json):
            return not (is_json and status < 500)
    return False
""",
            """
def may_retry(outcome):
    try:
        status, is_json = outcome
    except TypeError:
        passing = {"ConnectionError", "Timeout", "ChunkedEncodingError"}
        return bool(passing & {one.__name__ for one in type(outcome).__mro__})
    if is_json:
        return status // 100 == 5
    return True
""",
        ],
        "wrong": [
            (
                """
def may_retry(outcome):
    if isinstance(outcome, Exception):
        return not isinstance(outcome, (requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema))
    status, is_json = outcome
    return status >= 500 or not is_json
""",
                "none of the three",
            ),
            (
                """
def may_retry(outcome):
    if isinstance(outcome, Exception):
        return isinstance(outcome, (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError))
    status, is_json = outcome
    return status in (500, 502, 503, 504) or not is_json
""",
                "who lists a few forgets the others",
            ),
            (
                """
def may_retry(outcome):
    if isinstance(outcome, Exception):
        return isinstance(outcome, (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError))
    status, is_json = outcome
    return status >= 500 or status in (408, 429) or not is_json
""",
                "below 500, with JSON",
            ),
            (
                Instead("requests.ConnectionError,", "ConnectionError,"),
                "ConnectionError alone is another one, Python's own",
            ),
            (
                Instead("return isinstance(outcome, lost)", "return type(outcome) in lost"),
                "ReadTimeout is a kind of requests.Timeout",
            ),
            (
                Instead(
                    "isinstance(outcome, lost)", "isinstance(outcome, requests.RequestException)"
                ),
                "name the exceptions that pass, not RequestException",
            ),
            (Instead("return isinstance(outcome, lost)", "return True"), "mistyped and stays so"),
            (
                Instead(
                    "return isinstance(outcome, lost)",
                    "return not isinstance(outcome, requests.exceptions.InvalidSchema)",
                ),
                "may_retry(MissingSchema('127.0.0.1')) should be False",
            ),
            (
                Instead("requests.exceptions.ChunkedEncodingError,", ""),
                "an answer broke off",
            ),
            (
                Instead("requests.Timeout,", "TimeoutError,"),
                "it may have been busy",
            ),
            (Instead("status >= 500", "status > 500"), "500 belongs to them"),
            (
                Instead("status >= 500 or not is_json", "status >= 500"),
                "somebody else has answered",
            ),
            (
                Instead("status >= 500 or not is_json", "status != 200 or not is_json"),
                "the question is wrong and stays wrong",
            ),
            (
                Instead(
                    "status >= 500 or not is_json", "status >= 500 or status == 200 and not is_json"
                ),
                "whatever the status",
            ),
            (
                Instead(
                    "status >= 500 or not is_json",
                    "status >= 500 and is_json or not is_json or status == 413",
                ),
                "the batch is too large",
            ),
            (
                Instead(
                    "status >= 500 or not is_json", "status >= 500 or not is_json or status == 404"
                ),
                "a human must look",
            ),
            (
                Instead(
                    "status >= 500 or not is_json", "status < 400 or status >= 500 or not is_json"
                ),
                "nothing to ask again",
            ),
            (
                "def may_retry(outcome):\n    status, is_json = outcome\n    return status >= 500",
                "raised TypeError",
            ),
            (
                "def may_retry(outcome):\n    if isinstance(outcome, requests.ConnectionError):\n        return True",
                "returned None",
            ),
            ("may_retry = True", "begin with def may_retry("),
        ],
    },
    "growing-waits": {
        "right": [
            """
def waits(tries, patience):
    result = []
    for left in range(tries - 1, 0, -1):
        wait = patience / (2**left - 1)
        result.append(wait)
        patience -= wait
    return result
""",
            """
def waits(tries, patience):
    if tries < 2:
        return []
    first = patience / (2 ** (tries - 1) - 1)
    return [first * 2**n for n in range(tries - 1)]
""",
            "waits = lambda tries, patience: [patience / (2 ** (tries - 1) - 1) * 2**n for n in range(tries - 1)]",
        ],
        "wrong": [
            (
                """
def waits(tries, patience):
    n = tries - 1
    return [round(patience * 2**i / (2**n - 1), 4) for i in range(n)]
""",
                "and none is rounded",
            ),
            (Instead("range(tries - 1)", "range(tries)"), "should have 3 waits, and has 4"),
            (
                """
def waits(tries, patience):
    first = patience / (2 ** (tries - 1) - 1)
    return [first * 2**n for n in range(tries - 1)]
""",
                "divides by zero",
            ),
            (
                Instead("/ sum(parts)", "/ 2 ** (tries - 1)"),
                "1 + 2 + 4 are 7 parts, so divide patience by that",
            ),
            (Instead("2**n for n", "1 for n"), "each wait is twice the one before"),
            (Instead("2**n for n", "n + 1 for n"), "after 2.33333 should come 4.66667"),
            (Instead("2**n for n", "3**n for n"), "each wait is twice"),
            (
                Instead(
                    "2**n for n in range(tries - 1)", "2**n for n in reversed(range(tries - 1))"
                ),
                "each wait is twice",
            ),
            (
                "def waits(tries, patience):\n    return [2**n for n in range(tries - 1)]",
                "which lasts 31 s and not 60|which lasts 3 s and not 1|lasts",
            ),
            (
                """
def waits(tries, patience):
    parts = [2**n for n in range(tries - 1)]
    return [patience * part // sum(parts) for part in parts]
""",
                "and not|twice",
            ),
            (
                """
def waits(tries, patience):
    parts = [2**n for n in range(tries - 1)]
    return [*[patience * part / sum(parts) for part in parts], None]
""",
                "and holds None: make a number of it, or drop it",
            ),
            (
                """
def waits(tries, patience):
    parts = [2**n for n in range(tries - 1)]
    return (patience * part / sum(parts) for part in parts)
""",
                "should be of type list",
            ),
            (
                """
def waits(tries, patience):
    parts = [2**n for n in range(tries - 1)]
    print([patience * part / sum(parts) for part in parts])
""",
                "returned None",
            ),
            ("def waits(tries, patience):\n    return [1, 2, 4]", "should have 5 waits, and has 3"),
            (
                """
def waits(tries, patience):
    parts = [2**n for n in range(tries - 1)] or [1]
    return [patience * part / sum(parts) for part in parts]
""",
                "one try, and nothing between",
            ),
        ],
    },
    "a-client-that-survives": {
        "right": [
            """
def ask(url, customers, waits, timeout):
    session = requests.Session()
    for number in range(len(waits) + 1):
        if number > 0:
            time.sleep(waits[number - 1])
        try:
            response = session.post(url + "/predict/batch", json=customers, timeout=timeout)
            answer = response.json()
        except ValueError:
            trouble = f"{response.status_code}, no JSON"
        except requests.RequestException as error:
            trouble = repr(error)
        else:
            if response.ok:
                return answer
            trouble = str(response.status_code)
            if response.status_code < 500:
                raise RuntimeError(f"refused with {trouble}")
    raise RuntimeError(trouble)
""",
            """
import json


def ask(url, customers, waits, timeout):
    trouble = None
    try:
        response = requests.post(
            url + "/predict/batch",
            data=json.dumps(customers),
            headers={"Content-Type": "application/json"},
            timeout=(timeout, timeout),
        )
        is_json = "json" in response.headers["Content-Type"]
        if is_json and response.status_code == 200:
            return response.json()
        trouble = RuntimeError(f"status {response.status_code}, JSON: {is_json}")
        if is_json and response.status_code < 500:
            waits = []
    except (requests.ConnectionError, requests.Timeout) as error:
        trouble = RuntimeError(f"{error}")
    if not waits:
        raise trouble
    time.sleep(waits[0])
    return ask(url, customers, waits[1:], timeout)
""",
            """
def try_once(url, customers, timeout):
    try:
        response = requests.post(f"{url}/predict/batch", json=customers, timeout=timeout)
        return response.status_code, response.json()
    except requests.RequestException as error:
        return 599, type(error).__name__


def ask(url, customers, waits, timeout):
    waits = iter(waits)
    while True:
        status, answer = try_once(url, customers, timeout)
        if status == 200:
            return answer
        wait = next(waits, None)
        if wait is None or status < 500:
            raise RuntimeError(f"{status} {answer}")
        time.sleep(wait)
""",
        ],
        "wrong": [
            (
                """
def ask(url, customers, waits, timeout):
    trouble = None
    for wait in [*waits, None]:
        try:
            r = requests.post(url + "/predict/batch", json=customers, timeout=timeout)
            answer = r.json()
            if r.status_code == 200:
                return answer
            if r.status_code < 500: raise RuntimeError(f"{r.status_code}")
            trouble = f"answers {r.status_code}"
        except requests.Timeout as e:
            trouble = repr(e)
            continue
        except requests.ConnectionError as e:
            trouble = repr(e)
        except requests.JSONDecodeError as e: trouble = "no JSON"
        if wait is not None:
            time.sleep(wait)
    raise RuntimeError(trouble)
""",
                "tries again at once: time.sleep(wait)",
            ),
            (
                """
def ask(url, customers, waits, timeout):
    trouble = None
    for wait in [*waits, None]:
        try:
            r = requests.post(url + "/predict/batch", json=customers, timeout=timeout)
            answer = r.json()
            if r.status_code == 200:
                return answer
            if r.status_code < 500 and r.status_code != 429: raise RuntimeError(f"{r.status_code}")
            trouble = f"answers {r.status_code}"
        except requests.Timeout as e: trouble = repr(e)
        except requests.ConnectionError as e:
            trouble = repr(e)
        except requests.JSONDecodeError as e: trouble = "no JSON"
        if wait is not None:
            time.sleep(wait)
    raise RuntimeError(trouble)
""",
                "tries again after a 429",
            ),
            (
                """
def ask(url, customers, waits, timeout):
    trouble = None
    for wait in [*waits, None]:
        try:
            r = requests.post(url + "/predict/batch", json=customers, timeout=timeout)
            answer = r.json()
            if r.status_code == 200:
                return answer
            if r.status_code < 500: raise RuntimeError(f"{r.status_code}")
            trouble = f"answers {r.status_code}"
        except requests.Timeout as e: trouble = repr(e)
        except requests.ConnectionError as e:
            trouble = repr(e)
        except Exception as e: trouble = repr(e)
        if wait is not None:
            time.sleep(wait)
    raise RuntimeError(trouble)
""",
                "where no except of yours catches it",
            ),
            (
                """
def ask(url, customers, waits, timeout):
    trouble = None
    for wait in [*waits, 0.35]:
        try:
            r = requests.post(url + "/predict/batch", json=customers, timeout=timeout)
            answer = r.json()
            if r.status_code == 200:
                return answer
            if r.status_code < 500: raise RuntimeError(f"{r.status_code}")
            trouble = f"answers {r.status_code}"
        except requests.Timeout as e: trouble = repr(e)
        except requests.ConnectionError as e:
            trouble = repr(e)
        except requests.JSONDecodeError as e: trouble = "no JSON"
        if wait is not None:
            time.sleep(wait)
    raise RuntimeError(trouble)
""",
                "waits after its last try",
            ),
            (
                """
def ask(url, customers, waits, timeout):
    response = requests.post(f"{url}/predict/batch", json=customers, timeout=timeout)
    return response.json()
""",
                "after an answer 503, ask should wait and try again, and does not",
            ),
            (
                Instead(
                    "            if response.status_code < 500:\n                break  # the question is wrong and stays wrong\n",
                    "",
                ),
                "tries again after a 400 in JSON",
            ),
            (
                Instead("response.status_code < 500", "response.status_code == 400"),
                "tries again after a 404 in JSON",
            ),
            (
                Instead(
                    "            answer = response.json()\n",
                    "            if 400 <= response.status_code < 500:\n"
                    "                raise RuntimeError(response.status_code)\n"
                    "            answer = response.json()\n",
                ),
                "after a web page with status 404",
            ),
            (Instead(", timeout=timeout", ""), "it waited all the same"),
            (Instead("timeout=timeout", "timeout=5"), "requests.post(..., timeout=timeout)"),
            (
                """
def ask(url, customers, waits, timeout):
    n = 0
    while True:
        try:
            r = requests.post(f"{url}/predict/batch", json=customers, timeout=timeout)
            answer = r.json()
            if r.status_code == 200:
                return answer
            if r.status_code < 500:
                raise RuntimeError(r.status_code)
        except requests.RequestException:
            pass
        time.sleep(waits[min(n, len(waits) - 1)])
        n += 1
""",
                "two waits make three tries, and ask tries 4 times",
            ),
            (
                """
def ask(url, customers, waits, timeout):
    for wait in waits:
        time.sleep(wait)
        response = requests.post(f"{url}/predict/batch", json=customers, timeout=timeout)
        if response.status_code == 200:
            return response.json()
    raise RuntimeError(response.status_code)
""",
                "waits before its first try",
            ),
            (
                """
def ask(url, customers, waits, timeout):
    for wait in waits:
        try:
            response = requests.post(f"{url}/predict/batch", json=customers, timeout=timeout)
            answer = response.json()
            if response.status_code == 200:
                return answer
            trouble = response.status_code
            if trouble < 500:
                break
        except requests.RequestException as error:
            trouble = error
        time.sleep(wait)
    raise RuntimeError(trouble)
""",
                "a last try comes after the last wait",
            ),
            (
                """
def ask(url, customers, waits, timeout):
    for wait in [*waits, None]:
        try:
            response = requests.post(f"{url}/predict/batch", json=customers, timeout=timeout)
            if response.status_code == 200:
                return response.json()
            trouble = f"answers {response.status_code}"
            if response.status_code < 500 and "json" in response.headers["Content-Type"]:
                break
        except (requests.ConnectionError, requests.Timeout) as error:
            trouble = repr(error)
        if wait is not None:
            time.sleep(wait)
    raise RuntimeError(trouble)
""",
                "after a web page with status 200, ask should wait and try again, and does not: ask(",
            ),
            (
                Instead("except requests.JSONDecodeError:", "except KeyError:"),
                "after a web page with status 200, ask should wait and try again, and does not: ask(",
            ),
            (
                """
def ask(url, customers, waits, timeout):
    for wait in [*waits, None]:
        try:
            response = requests.post(f"{url}/predict/batch", json=customers, timeout=timeout)
            response.raise_for_status()
            return response.json()
        except requests.HTTPError as error:
            if response.status_code < 500 and "json" in response.headers["Content-Type"]:
                raise
            trouble = str(error)
        except requests.RequestException as error:
            trouble = str(error)
        if wait is not None:
            time.sleep(wait)
    raise RuntimeError(trouble)
""",
                "after a 400 in JSON, ask should raise a RuntimeError, and what comes out is HTTPError",
            ),
            (
                Instead("            time.sleep(wait)", "            pass"),
                "time.sleep(wait), with each of the waits in turn",
            ),
            (Instead("time.sleep(wait)", "time.sleep(waits[0])"), "with each of the waits in turn"),
            (Instead("time.sleep(wait)", "time.sleep(0.4)"), "and no longer"),
            (
                Instead(
                    "for wait in [*waits, None]:", "waits.append(None)\n    for wait in waits:"
                ),
                "ask changes the list waits",
            ),
            (
                Instead('    raise RuntimeError(f"{url} {trouble}")', "    return None"),
                "should raise a RuntimeError, and returns as if all were well",
            ),
            (
                Instead(
                    'RuntimeError(f"{url} {trouble}")',
                    'RuntimeError("the service does not answer")',
                ),
                "the text of the RuntimeError should name the last trouble (503)",
            ),
            (
                Instead(
                    '            trouble = f"answers {response.status_code}: {answer}"\n            if response.status_code < 500:\n                break  # the question is wrong and stays wrong\n',
                    "            if response.status_code < 500:\n                return answer\n            trouble = response.status_code\n",
                ),
                "should be of type list, and is|after a 400 in JSON, ask should raise",
            ),
            (
                Instead("except lost as error:", "except requests.Timeout as error:"),
                "where nobody listens, ask should raise a RuntimeError, and what comes out is ConnectionError",
            ),
            (
                Instead(
                    "        except lost as error:\n",
                    "        except requests.ConnectionError as error:\n"
                    "            raise RuntimeError(f'{error}')\n        except lost as error:\n",
                ),
                "where nobody listens, ask gives up after",
            ),
            (
                Instead(
                    "lost = (requests.ConnectionError, requests.Timeout,",
                    "lost = (requests.ConnectionError,",
                ),
                "no answer came in time",
            ),
            (Instead("/predict/batch", "/predict"), "and sends POST /predict:"),
            (Instead("requests.post(", "requests.get("), "and sends GET /predict/batch"),
            (
                Instead("json=customers", "data=customers"),
                "should send JSON, and sends something else",
            ),
            (
                Instead("json=customers", "json=customers[0]"),
                "should send the list of customers as it is",
            ),
            (
                Instead("return answer\n", "return response\n"),
                "should be of type list, and is <Response",
            ),
            (Instead("return answer\n", "return answer[:1]\n"), "all of it"),
            (
                "def ask(url, customers, waits, timeout):\n    return [{'churn': False}]",
                "without having asked",
            ),
            (
                Instead(
                    "except lost as error:",
                    "except Exception as error:",
                    "return answer\n",
                    "return answer[0]['p']\n",
                ),
                "does not answer (KeyError)",
            ),
        ],
    },
    "no-e-mail-twice": {
        "right": [
            """
def record(db, scores, threshold):
    db.execute("BEGIN IMMEDIATE")
    try:
        pairs = [(probability, customer) for customer, probability in scores]
        db.executemany("UPDATE customer SET probability = ?, state = 'scored' WHERE id = ?", pairs)
        due = [(customer,) for customer, probability in scores if threshold <= probability]
        db.executemany("INSERT OR IGNORE INTO email (customer, text) VALUES (?, '10% less')", due)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
""",
            """
def record(db, scores, threshold):
    with db:
        db.execute("BEGIN")
        for customer, probability in scores:
            db.execute(
                "UPDATE customer SET state = 'scored', probability = :p WHERE id = :c",
                {"p": probability, "c": customer},
            )
            if probability >= threshold:
                try:
                    db.execute("INSERT INTO email VALUES (NULL, ?, 'Stay')", (customer,))
                except sqlite3.IntegrityError:
                    pass
""",
            """
def record(db, scores, threshold):
    with db:
        db.execute("BEGIN")
        for customer, probability in dict(scores).items():
            db.execute(
                "INSERT OR REPLACE INTO customer (id, state, probability) VALUES (?, 'scored', ?)",
                (customer, probability),
            )
        for customer, _ in scores:
            db.execute(
                "INSERT INTO email (customer, text) SELECT id, 'Stay with us' FROM customer WHERE"
                " id = ? AND probability >= ? AND id NOT IN (SELECT customer FROM email)",
                (customer, threshold),
            )
""",
        ],
        "wrong": [
            (
                """
def record(db, scores, threshold):

    with db:
        db.execute("BEGIN")
        db.executemany("UPDATE customer SET state='scored', probability=? WHERE id=?", [(p, c) for c, p in scores])
        db.execute("INSERT OR IGNORE INTO email (customer, text) SELECT id, 'x' FROM customer WHERE probability >= ?", (threshold,))
""",
                "customer 7 has an e-mail",
            ),
            (
                """
def record(db, scores, threshold):

    with db:
        db.execute("BEGIN")
        for c, p in scores:
            new = db.execute("UPDATE customer SET state='scored', probability=? WHERE id=? AND state='waiting'", (p, c)).rowcount
            if new and p >= threshold:
                db.execute("INSERT OR IGNORE INTO email (customer, text) VALUES (?, 'x')", (c,))
""",
                "also for one who is scored already",
            ),
            (
                """
def record(db, scores, threshold):

    with db:
        db.execute("BEGIN")
        for c, p in scores:
            if db.execute("SELECT 1 FROM email WHERE customer=?", (c,)).fetchone():
                continue
            db.execute("UPDATE customer SET state='scored', probability=? WHERE id=?", (p, c))
            if p >= threshold:
                db.execute("INSERT INTO email (customer, text) VALUES (?, 'x')", (c,))
""",
                "her score is recorded like the others",
            ),
            (Instead('        db.execute("BEGIN")\n', ""), "and nothing should have stayed"),
            (
                """
def record(db, scores, threshold):
    for customer, probability in scores:
        with db:
            db.execute("BEGIN")
            db.execute("UPDATE customer SET state = 'scored', probability = ? WHERE id = ?", [probability, customer])
            if probability >= threshold:
                db.execute("INSERT INTO email (customer, text) VALUES (?, 'x') ON CONFLICT DO NOTHING", [customer])
""",
                "once, before the loop",
            ),
            (
                """
def record(db, scores, threshold):
    with db:
        db.execute("BEGIN")
        for customer, probability in scores:
            if probability >= threshold:
                db.execute("INSERT INTO email (customer, text) VALUES (?, 'x') ON CONFLICT DO NOTHING", [customer])
    with db:
        db.execute("BEGIN")
        for customer, probability in scores:
            db.execute("UPDATE customer SET state = 'scored', probability = ? WHERE id = ?", [probability, customer])
""",
                "as the row of customer 3 was written",
            ),
            (
                """
def record(db, scores, threshold):
    db.execute("BEGIN")
    for customer, probability in scores:
        db.execute("UPDATE customer SET state = 'scored', probability = ? WHERE id = ?", [probability, customer])
        if probability >= threshold:
            db.execute("INSERT INTO email (customer, text) VALUES (?, 'x') ON CONFLICT DO NOTHING", [customer])
""",
                "a transaction is still open",
            ),
            (
                """
def record(db, scores, threshold):
    db.execute("BEGIN")
    for customer, probability in scores:
        db.execute("UPDATE customer SET state = 'scored', probability = ? WHERE id = ?", [probability, customer])
        if probability >= threshold:
            db.execute("INSERT INTO email (customer, text) VALUES (?, 'x') ON CONFLICT DO NOTHING", [customer])
    db.execute("COMMIT")
""",
                "after an error in the middle (as the e-mail of customer 3 was written), a transaction is still open",
            ),
            (
                """
def record(db, scores, threshold):
    try:
        with db:
            db.execute("BEGIN")
            for customer, probability in scores:
                db.execute("UPDATE customer SET state = 'scored', probability = ? WHERE id = ?", [probability, customer])
                if probability >= threshold:
                    db.execute("INSERT INTO email (customer, text) VALUES (?, 'x') ON CONFLICT DO NOTHING", [customer])
    except sqlite3.Error as error:
        print("failed", error)
""",
                "let the error go on to the caller",
            ),
            (
                """
def record(db, scores, threshold):
    with db:
        db.execute("BEGIN")
        for customer, probability in scores:
            db.execute("UPDATE customer SET state = 'scored', probability = ? WHERE id = ?", [probability, customer])
    with db:
        db.execute("BEGIN")
        for customer, probability in scores:
            if probability >= threshold:
                db.execute("INSERT INTO email (customer, text) VALUES (?, 'x') ON CONFLICT DO NOTHING", [customer])
""",
                "customers [4, 3, 2, 1] are scored and [] have e-mails|customers [1, 2, 3, 4] are scored and []",
            ),
            (Instead(" ON CONFLICT DO NOTHING", ""), "the database refuses the second e-mail"),
            (
                Instead("INSERT INTO", "INSERT OR REPLACE INTO", " ON CONFLICT DO NOTHING", ""),
                "another stands in its place",
            ),
            (
                """
def record(db, scores, threshold):
    with db:
        db.execute("BEGIN")
        done = {row[0] for row in db.execute("SELECT customer FROM email")}
        for customer, probability in scores:
            db.execute("UPDATE customer SET state = 'scored', probability = ? WHERE id = ?", [probability, customer])
            if probability >= threshold and customer not in done:
                db.execute("INSERT INTO email (customer, text) VALUES (?, 'x')", [customer])
""",
                "a customer who is twice in the list: the database refuses",
            ),
            (
                """
def record(db, scores, threshold):
    with db:
        db.execute("BEGIN")
        sql = "SELECT customer FROM email, customer AS c WHERE c.id = customer AND state = 'scored'"
        done = {row[0] for row in db.execute(sql)}
        for customer, probability in scores:
            db.execute("UPDATE customer SET state = 'scored', probability = ? WHERE id = ?", [probability, customer])
            if probability >= threshold and customer not in done:
                db.execute("INSERT INTO email (customer, text) VALUES (?, 'x')", [customer])
                done.add(customer)
""",
                "a waiting customer who has an e-mail already: the database refuses",
            ),
            (
                Instead(
                    "    with db:  # COMMIT",
                    "    db.execute('DELETE FROM email')\n    with db:  # COMMIT",
                ),
                "is gone",
            ),
            (
                Instead("probability >= threshold", "probability > threshold"),
                "exactly at the threshold",
            ),
            (
                Instead("probability >= threshold", "probability >= 0.5"),
                "should be [1, 2, 3, 5], and is [1, 3]: an e-mail for each whose probability is at or above 0.18",
            ),
            (
                Instead("if probability >= threshold", "if True"),
                "an e-mail for each whose probability is at or above",
            ),
            (
                Instead(" WHERE id = ?", "", "[probability, customer]", "[probability]"),
                "UPDATE needs WHERE id = ?",
            ),
            (
                Instead("state = 'scored', ", ""),
                "should be (1, 'scored', 0.9), and is (1, 'waiting', 0.9)",
            ),
            (
                Instead("[probability, customer]", "[customer, probability]"),
                "and is (1, 'waiting', None)",
            ),
            (
                Instead(
                    "db.execute(insert, [customer",
                    "db.execute(insert.replace('?', str(customer), 1), [customer",
                ),
                "raised ProgrammingError",
            ),
            (
                Instead(
                    "            db.execute(update",
                    "            if probability >= threshold:\n                db.execute(update",
                ),
                "should be (2, 'scored', 0.18), and is (2, 'waiting', None)",
            ),
            (
                Instead(
                    "    with db:  # COMMIT",
                    "    from contextlib import closing\n    with closing(db), db:  # COMMIT",
                ),
                "the database is closed afterwards",
            ),
        ],
    },
    "go-on-after-a-crash": {
        "right": [
            """
def run(db, ask, record, size):
    while True:
        sql = f"SELECT * FROM customer WHERE state = 'waiting' ORDER BY id LIMIT {int(size)}"
        batch = [row[0] for row in db.execute(sql).fetchall()]
        if not batch:
            break
        scores = ask(batch)
        record(db, scores)
""",
            """
def run(db, ask, record, size):
    rows = db.execute("SELECT id FROM customer WHERE state = 'waiting' ORDER BY id").fetchall()
    if rows:
        ids, *_ = zip(*rows[:size])
        record(db, ask(list(ids)))
        run(db, ask, record, size)
""",
            """
def run(db, ask, record, size):
    def next_batch():
        sql = "SELECT id FROM customer WHERE state IN ('waiting') ORDER BY id ASC"
        return [id_ for (id_,) in db.execute(sql).fetchmany(size)]

    for batch in iter(next_batch, []):
        try:
            scores = ask(batch)
        except Exception:
            print("stopped at", batch)
            raise
        record(db, scores)
""",
        ],
        "wrong": [
            (
                """
def run(db, ask, record, size):
    last = -1
    while ids := [r[0] for r in db.execute("SELECT id FROM customer WHERE state = 'waiting' AND id > ? ORDER BY id LIMIT ?", (last, size))]:
        record(db, ask(ids))
        last = ids[-1]
""",
                "asked anew for each batch",
            ),
            (
                """
def run(db, ask, record, size):
    while ids := [r[0] for r in db.execute("SELECT id FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?", (size,))]:
        try:
            scores = ask(ids)
        except Exception:
            for i in ids:
                db.execute("UPDATE customer SET state = 'rejected' WHERE id = ?", (i,))
            raise
        record(db, scores)
""",
                "are rejected now",
            ),
            (
                """
def run(db, ask, record, size):
    while ids := [r[0] for r in db.execute("SELECT id FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?", (size,))]:
        record(db, ask(ids))
    db.execute("BEGIN")
""",
                "a transaction is still open",
            ),
            (
                Instead(
                    "[id_ for (id_,) in db.execute(waiting, [size])]",
                    "db.execute(waiting, [size]).fetchall()",
                ),
                "a row is a tuple",
            ),
            (
                Instead(" ORDER BY id", ""),
                "should ask about [3, 5, 8], and asks about [55, 34, 21]",
            ),
            (Instead("ORDER BY id", "ORDER BY id DESC"), "should ask about [3, 5, 8]"),
            (Instead(" LIMIT ?", "", "(waiting, [size])", "(waiting)"), "LIMIT ?, with size"),
            (Instead("LIMIT ?", "LIMIT 3", "(waiting, [size])", "(waiting)"), "LIMIT ?, with size"),
            (
                Instead("state = 'waiting'", "state != 'scored'"),
                "about customer 7, who is rejected",
            ),
            (
                Instead("state = 'waiting'", "probability IS NULL AND id != 6"),
                "about customer 7, who is rejected",
            ),
            (Instead(" WHERE state = 'waiting'", ""), "about customer 6, who is scored"),
            (
                """
def run(db, ask, record, size):
    offset = 0
    while True:
        sql = "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ? OFFSET ?"
        ids = [row[0] for row in db.execute(sql, [size, offset])]
        if not ids:
            return
        record(db, ask(ids))
        offset += size
""",
                "no OFFSET",
            ),
            (
                """
def run(db, ask, record, size):
    sql = "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id"
    ids = [row[0] for row in db.execute(sql)]
    for start in range(0, len(ids), size):
        record(db, ask(ids[start : start + size]))
""",
                "should ask about [55, 89], and asks about [55]",
            ),
            (
                """
def run(db, ask, record, size):
    sql = "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id"
    ids, scores = [row[0] for row in db.execute(sql)], []
    for start in range(0, len(ids), size):
        scores += ask(ids[start : start + size])
    record(db, scores)
""",
                "or a crash loses them",
            ),
            (
                """
def run(db, ask, record, size):
    waiting = "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?"
    with db:
        db.execute("BEGIN")
        while ids := [id_ for (id_,) in db.execute(waiting, [size])]:
            record(db, ask(ids))
""",
                "a transaction is open while run asks",
            ),
            (
                """
def run(db, ask, record, size):
    waiting = "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?"
    while ids := [id_ for (id_,) in db.execute(waiting, [size])]:
        scores = ask(ids)
        db.execute("BEGIN")
        record(db, scores)
        db.execute("COMMIT")
""",
                "cannot start a transaction within a transaction, in line 6",
            ),
            (
                """
def run(db, ask, record, size):
    waiting = "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?"
    while ids := [id_ for (id_,) in db.execute(waiting, [size])]:
        try:
            record(db, ask(ids))
        except Exception:
            continue
""",
                "run goes on asking",
            ),
            (
                """
def run(db, ask, record, size):
    waiting = "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?"
    while ids := [id_ for (id_,) in db.execute(waiting, [size])]:
        try:
            record(db, ask(ids))
        except Exception as error:
            print(error)
            break
""",
                "ask raised an error at request 1, and run returns as if all were well",
            ),
            (
                """
def run(db, ask, record, size):
    waiting = "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?"
    while True:
        ids = [id_ for (id_,) in db.execute(waiting, [size])]
        record(db, ask(ids))
        if not ids:
            break
""",
                "asks about an empty list",
            ),
            (
                """
def run(db, ask, record, size):
    waiting = "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?"
    ids = [id_ for (id_,) in db.execute(waiting, [size])]
    while True:
        record(db, ask(ids))
        ids = [id_ for (id_,) in db.execute(waiting, [size])]
        if not ids:
            break
""",
                "asks about an empty list",
            ),
            (Instead("while ids :=", "if ids :="), "are still waiting"),
            (
                """
def run(db, ask, record, size):
    waiting = "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?"
    while len(ids := [id_ for (id_,) in db.execute(waiting, [size])]) == size:
        record(db, ask(ids))
""",
                "[55] are still waiting",
            ),
            (
                """
def run(db, ask, record, size):
    waiting = "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id LIMIT ?"
    ids = [id_ for (id_,) in db.execute(waiting, [size])]
    while ids:
        record(db, ask(ids))
""",
                "run asks again about customer 3, who is scored",
            ),
            (
                Instead("record(db, ask(ids))", "ask(ids)"),
                "before the scores of [3, 5, 8] are recorded",
            ),
            (
                Instead("record(db, ask(ids))", "record(db, ids)"),
                "there is no answer of ask to record",
            ),
            (
                Instead(
                    "record(db, ask(ids))", "for pair in ask(ids):\n            record(db, [pair])"
                ),
                "should call record(db, scores) with what ask returned",
            ),
            (Instead("[size]", "size"), "raised ProgrammingError|raised ValueError"),
            (
                Instead(
                    "    while",
                    "    for (one,) in db.execute(waiting, [1]).fetchall():\n        record(db, ask(one))\n    while",
                ),
                "should give ask a list of ids, and gives 3",
            ),
            (
                """
done = set()


def run(db, ask, record, size):
    sql = "SELECT id FROM customer WHERE state = 'waiting' ORDER BY id"
    while ids := [row[0] for row in db.execute(sql) if row[0] not in done][:size]:
        done.update(ids)
        record(db, ask(ids))
""",
                "are still waiting|so run should ask about",
            ),
        ],
    },
    "a-threshold-from-a-budget": {
        "right": [
            """
from decimal import Decimal


def threshold_for(budget, price, scores):
    fits = [
        t / 100
        for t in range(101)
        if Decimal(str(price)) * len([s for s in scores if s >= t / 100]) <= Decimal(str(budget))
    ]
    return min(fits, default=None)
""",
            """
import numpy as np


def threshold_for(budget, price, scores):
    scores, best = np.array(scores), None
    for threshold in np.arange(101)[::-1] / 100:
        if (scores >= threshold).sum() * price > budget + 0.001:
            break
        best = threshold
    return best
""",
            """
def threshold_for(budget, price, scores):
    return next(
        (
            t / 100
            for t in range(101)
            if round(price * sum(s >= t / 100 for s in scores), 2) <= budget
        ),
        None,
    )
""",
        ],
        "wrong": [
            (
                """
def threshold_for(budget, price, scores):
    for i in range(101):
        if sum(s >= i / 100 for s in scores) * round(100 * price) <= int(100 * budget):
            return i / 100
""",
                "int(100 * 0.58) is 57",
            ),
            (
                """
import math
def threshold_for(budget, price, scores):
    k = round(100 * budget) // round(100 * price)
    if k >= len(scores): return 0.0
    t = math.floor(100 * sorted(scores, reverse=True)[k]) + 1
    return t / 100 if t <= 100 else None
""",
                "100 * 0.29 is a hair below",
            ),
            (
                Instead("score >= percent", "score > percent"),
                "at 0.60 both customers with 0.6 get an e-mail",
            ),
            (Instead("<= round(100 * budget)", "< round(100 * budget)"), "spent to the last cent"),
            (Instead("range(101)", "range(100, -1, -1)"), "that is the highest threshold"),
            (
                Instead(
                    "emails * round(100 * price) <= round(100 * budget)", "emails * price <= budget"
                ),
                "count in whole cents, round(100 * price)",
            ),
            (
                Instead(
                    "emails * round(100 * price) <= round(100 * budget)",
                    "emails <= budget // price",
                ),
                "count in whole cents",
            ),
            (
                Instead(
                    "round(100 * price)",
                    "int(100 * price)",
                    "round(100 * budget)",
                    "int(100 * budget)",
                ),
                "so use round",
            ),
            (
                Instead(
                    "emails * round(100 * price) <= round(100 * budget)",
                    "round(emails * price, 1) <= round(budget, 1)",
                ),
                "two e-mails cost 0.58, a cent too much",
            ),
            (
                Instead(
                    "emails * round(100 * price) <= round(100 * budget)",
                    "(round(emails * price) if price > 1 else round(emails * price, 2)) <= budget",
                ),
                "two e-mails cost 10.40",
            ),
            (Instead("percent / 100", "percent * 0.01"), "miss 0.35 by a hair"),
            (
                """
import numpy as np


def threshold_for(budget, price, scores):
    for threshold in np.linspace(0, 1, 101):
        if round(sum(s >= threshold for s in scores) * price, 2) <= budget:
            return threshold
""",
                "miss 0.35 by a hair",
            ),
            (
                Instead("return percent / 100", "return percent"),
                "that is in percent: divide by 100",
            ),
            (
                Instead("return percent / 100", "return emails"),
                "that is how many e-mails can be paid",
            ),
            (Instead("return None", "return 1.0"), "should be None, and is 1"),
            (
                Instead("range(101)", "range(100)"),
                "should be the number 1, and is None: 1.00 is a threshold, too",
            ),
            (
                Instead("range(101)", "range(1, 101)"),
                "should be 0, and is 0.01: everybody can be paid",
            ),
            (
                """
def threshold_for(budget, price, scores):
    count = round(100 * budget) // round(100 * price)
    return sorted(scores, reverse=True)[:count][-1]
""",
                "that is a score: return one of 0.00",
            ),
            (
                """
def threshold_for(budget, price, scores):
    for percent in range(101):
        emails = len({score for score in scores if score >= percent / 100})
        if emails * round(100 * price) <= round(100 * budget):
            return percent / 100
""",
                "equal scores count one by one|at 0.60 both customers",
            ),
            (
                """
def threshold_for(budget, price, scores):
    for percent in range(101):
        if (scores >= percent / 100).sum() * price <= budget:
            return percent / 100
""",
                "raised TypeError",
            ),
            (
                "def threshold_for(budget, price, scores):\n    return 0.42",
                "should be 0.61, and is 0.42",
            ),
            (
                """
def threshold_for(budget, price, scores):
    for percent in range(101):
        if sum(score >= percent / 100 for score in scores) * price <= budget:
            threshold = percent / 100
""",
                "should be the number 0.42, and is None",
            ),
        ],
    },
}
