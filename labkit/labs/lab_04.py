"""Checks and hints of lab 4, the churn service."""

import json
import pickle
import re
import time
from contextlib import contextmanager

import numpy as np
from pydantic import ValidationError

import labkit
from labkit import DATA, SOLUTIONS
from labkit.exercises import Lab, Wrong, describe, expect, is_number, one_line, show
from labkit.labs.lab_01 import small_model
from labkit.labs.live import JSON, Live, only_json, stand_in

lab = Lab("04_the_churn_service")


def customer_of_the_lab():
    return json.loads((DATA / "customer.json").read_text(encoding="utf-8"))


def call(function, *arguments):
    """Call a learner's function; say what jsonify is for if it was used outside a service."""
    error = function.error(*arguments)
    if isinstance(error, RuntimeError) and "application context" in str(error):
        raise Wrong(
            f"{function.call(*arguments)} uses jsonify, which works inside a running service "
            f"only: {function.name} is plain Python, without Flask."
        )
    return function(*arguments)


@lab.exercise(
    "what-to-do",
    lesson="From function to route, piece by piece",
    hints=[
        "Two things: a comparison that gives one of two texts, and a dictionary.",
        'decision = "e-mail" if ... else "nothing"; "at or above" is >=.',
        "float(probability) is Python's own number, and keeps all the digits.",
    ],
)
def what_to_do(answer):
    function = answer.function("answer", returns=dict)
    cases = [
        (np.float64(0.7134561), 0.5, "above", ""),
        (np.float64(0.3), 0.18, "above", "compare with the threshold that is given"),
        (np.float64(0.3), 0.5, "below", "compare with the threshold that is given"),
        (np.float32(0.25), 0.25, "exactly at", "at it, the e-mail goes out: >= and not >"),
        (np.float64(0.1796), 0.18, "below", "compare the probability as it is, not rounded"),
        (np.float64(0.04), 0.18, "below", ""),
    ]  # fmt: skip
    for probability, threshold, where, remedy in cases:
        what = f"answer({show(probability)}, {threshold})"
        came, _ = function.attempt((probability, threshold))
        if isinstance(came, str):
            raise Wrong(
                f"{what} is the text {show(came)}: return the dictionary itself. The service "
                "makes JSON of it later."
            )
        came = call(function, probability, threshold)
        if set(came) != {"churn_probability", "decision"}:
            raise Wrong(
                f"{what} has the keys {', '.join(map(str, came))}: it should have "
                "churn_probability and decision, and no others."
            )
        check_probability(what, came["churn_probability"], probability)
        check_decision(what, came["decision"])
        expected = "nothing" if where == "below" else "e-mail"
        expect(
            f"the decision of {what}", came["decision"], expected,
            remedy or f"the probability is {where} the threshold",
        )  # fmt: skip


def check_probability(what, came, probability):
    """Raise Wrong unless what came is the probability, as a plain float."""
    what = f"churn_probability of {what}"
    if type(came).__module__ == "numpy":
        raise Wrong(
            f"{what} is NumPy's {type(came).__name__} still, and not every one of these can be "
            "sent as JSON: wrap it in float(...)."
        )
    if type(came) is not float:
        raise Wrong(f"{what} is {show(came)}, of type {type(came).__name__}: it should be a float.")
    if came != probability:
        raise Wrong(
            f"{what} should be {float(probability)!r}, and is {came!r}: return the probability as "
            "it is, neither rounded nor in percent."
        )


def check_decision(what, came):
    """Raise Wrong unless the decision is one of the two texts."""
    if isinstance(came, np.ndarray):
        raise Wrong(
            f"the decision of {what} is a NumPy array: np.where makes one; with if and else you "
            "get a text."
        )
    if not isinstance(came, str) or came not in ("e-mail", "nothing"):
        raise Wrong(
            f'the decision of {what} should be "e-mail" or "nothing", and is {show(came)}: another '
            "program reads it, letter by letter."
        )


# --- make-it-json ---


@lab.exercise(
    "make-it-json",
    lesson="JSON",
    hints=[
        "Try json.dumps with such a dictionary. Which values does it refuse?",
        "json.dumps takes default=, a function that it calls with each value that it does not "
        "know, at any depth; what the function returns is written instead.",
        "NumPy's values have a method that returns Python's own: np.int64(41).item() is 41.",
    ],
)
def as_json(answer):
    function = answer.function("as_json", returns=str)
    values = [
        (True, True), ("Jürgen, Köln", "Jürgen, Köln"), (None, None), (41, 41),
        (np.True_, True), (np.False_, False), (np.int64(41), 41), (np.float32(79.75), 79.75),
        (np.float64(0.061875685598), 0.061875685598), (np.float64(3.0), 3.0),
    ]  # fmt: skip
    for value, plain in values:
        came = there_and_back(function, {"value": value})
        what = f"{value!r}, written by as_json and read by json.loads,"
        if "value" not in came:
            raise Wrong(f"{function.call({'value': value})} loses the field: none may be left out.")
        compare(what, came["value"], plain)
    nested = {
        "customers": [{"churn": np.True_, "city": "Zürich"}, {"churn": np.False_, "why": None}],
        "scores": {"best": [np.float32(0.5), [np.int64(3)]], "none": []},
    }
    expected = {
        "customers": [{"churn": True, "city": "Zürich"}, {"churn": False, "why": None}],
        "scores": {"best": [0.5, [3]], "none": []},
    }
    came = there_and_back(function, nested)
    # As JSON text, since in Python True == 1 and 3 == 3.0.
    if json.dumps(came, sort_keys=True) != json.dumps(expected, sort_keys=True):
        raise Wrong(
            f"a dictionary with lists and dictionaries inside comes back as {show(came)}: NumPy's "
            "values must become Python's own at any depth, and everything else stays."
        )


def there_and_back(function, given):
    """Return what json.loads makes of as_json(given)."""
    before = repr(given)
    error = function.error(given)
    if isinstance(error, TypeError) and "not JSON serializable" in str(error):
        raise Wrong(
            f"{function.call(given)} raised {describe(error)}: json.dumps does not know NumPy's "
            "types, wherever they stand. Its default= takes a function that makes Python's own."
        )
    text = call(function, given)
    if repr(given) != before:
        raise Wrong(
            f"as_json changes the dictionary that it is given, from {before} to {show(given)}: "
            "leave it as it was."
        )
    try:
        came = json.loads(text)
    except ValueError as error:
        printed = "that is a printed Python dictionary, and no JSON" if "'" in text else "no JSON"
        raise Wrong(
            f"{function.call(given)} returned {show(text)}: {printed} ({error}). Let json.dumps "
            "write it."
        ) from None
    if isinstance(came, str):
        raise Wrong("as_json makes JSON of a text that is JSON already: call json.dumps once.")
    if not isinstance(came, dict):
        raise Wrong(f"{function.call(given)} comes back as {show(came)}, and no dictionary.")
    return came


def compare(what, came, plain):
    """Raise Wrong unless a value came back as it went."""
    remedy = "NumPy's values have .item(), which returns Python's own, and the rest stays as it is"
    if came is None:
        remedy = "null stands for nothing; has your function for NumPy's values a return?"
    elif isinstance(plain, str):
        remedy = "texts stay as they are; json.dumps can write any letter"
    elif isinstance(came, str):
        remedy = "str makes a text of it, and default=str does so with every value it is given"
    elif isinstance(plain, bool) and not isinstance(came, bool):
        remedy = "true and false are no numbers in JSON"
    elif isinstance(came, bool) and not isinstance(plain, bool):
        remedy = "bool is for what is true or false, not for numbers"
    elif isinstance(plain, int) and isinstance(came, float):
        remedy = "a whole number should stay one: float is not for all of NumPy's types"
    elif isinstance(plain, float) and is_number(came):
        remedy = "leave the number as it is, with all its digits, and no int(...)"
    if type(came) is not type(plain) or came != plain:
        raise Wrong(f"{what} should be {plain!r}, and is {came!r}: {remedy}.")


# --- a-service-that-decides ---

THRESHOLD = 0.18
CONTRACTS = ("month-to-month", "one_year", "two_year")


@lab.exercise(
    "a-service-that-decides",
    lesson="The churn service",
    hints=[
        'Above the function stands @app.route("/predict", methods=["POST"]). In it are four steps: '
        "take the customer from the request, ask the model, decide, make JSON.",
        "request.get_json() is the customer; dv.transform wants a list of customers.",
        "model.predict_proba(X)[0, 1] is the probability of leaving; float(...) makes it Python's.",
        "return jsonify(churn_probability=..., decision=...)",
    ],
)
def decision_service(answer):
    live = Live("decision_service.py")
    dv, model = pickle.loads(labkit.model().read_bytes())
    she = customer_of_the_lab()
    variants = [she | {"contract": c, "tenure": t} for c in CONTRACTS for t in range(73)]
    chances = model.predict_proba(dv.transform(variants))[:, 1]
    below = np.where(chances < THRESHOLD, chances, -1).argmax()
    above = np.where(chances < THRESHOLD, 2, chances).argmin()
    places = [variants.index(she), below, above, chances.argmax()]
    customers, expected = [variants[place] for place in places], chances[places]

    keys = {"churn_probability": "number", "decision": "text"}
    remedy = "the body is a customer as JSON, not a form: read it with request.get_json()"
    answers = [live.json(keys, "POST", "/predict", remedy, json=one) for one in customers]
    probabilities = [one["churn_probability"] for one in answers]
    nobody = model.predict_proba(dv.transform([{}]))[0, 1]
    slip = number_slip(probabilities, expected, nobody)
    for customer, came, number in zip(customers, probabilities, expected, strict=True):
        if abs(came - number) > 1e-9:
            raise Wrong(
                f"for {called(customer)} the service says {came:.10g}, and the model itself "
                f"{number:.10g}: {slip}."
            )
    decisions = [one["decision"] for one in answers]
    for customer, number, decision in zip(customers, expected, decisions, strict=True):
        check_decision("the service", decision)
        right = "e-mail" if number >= THRESHOLD else "nothing"
        if decision != right:
            at_half = ["e-mail" if other >= 0.5 else "nothing" for other in expected]
            why = "at or above it the e-mail goes"
            if decisions == at_half:
                why = "your threshold is a higher one, perhaps 0.5"
            raise Wrong(
                f'for {called(customer)} the probability is {number:.6g}, so with the threshold '
                f'0.18 the decision should be "{right}", and is "{decision}": {why}; compare the '
                "probability, unrounded, with THRESHOLD."
            )  # fmt: skip


def called(customer):
    return (
        f"the customer of customer.json with {customer['contract']}, tenure {customer['tenure']},"
    )


def number_slip(came, expected, nobody):
    """Return what may have gone wrong with the numbers of a service."""

    def is_it(numbers):
        return np.allclose(came, numbers, rtol=0, atol=1e-9)

    if is_it(1 - expected):
        return "that is how likely she *stays*: the second column, [0, 1], is leaving"
    if is_it(expected >= 0.5):
        return "that is a verdict: use predict_proba, not predict"
    if is_it(expected * 100):
        return "that is in percent: leave it between 0 and 1"
    shorter = [expected.round(digits) for digits in range(1, 9)]
    if any(map(is_it, [*shorter, expected.astype(np.float32)])):
        return "the number is rounded: return it with all its digits"
    if is_it(nobody):
        return "that is what an empty customer {} gets: read the body with request.get_json()"
    if len(set(came)) == 1:
        return (
            "it says the same for four different customers, so score the one in the request: "
            "request.get_json()"
        )
    return (
        "score the customer of the request as she is, and take [0, 1] of predict_proba; a service "
        "that was started before the model was trained anew must be started again"
    )


# --- it-answers-anything ---


def first_service(body):
    """Ask churn_serving_first.py without a port: return its status, and its JSON or its error."""
    text = json.dumps(body)
    source = (SOLUTIONS / "churn_serving_first.py").read_text(encoding="utf-8")
    beside = labkit.model().resolve().with_name("churn_serving_first.py")  # where the model is
    names = {"__name__": "first", "__file__": str(beside)}
    exec(source, names)
    app = names["app"]
    app.testing = True  # its exceptions come here, and not into a log
    try:
        response = app.test_client().post("/predict", data=text, content_type=JSON)
    except Exception as error:
        return 500, describe(error)
    return response.status_code, response.get_json(silent=True)


REASONS = {  # of pydantic's errors; the others mean a wrong type
    "missing": "a field is missing",
    "extra_forbidden": "there is a field that no customer has",
    "literal_error": "a category is unknown",
    "greater_than_equal": "a number is out of range",
    "less_than_equal": "a number is out of range",
    "contradiction": "one field contradicts another",
}


def reasons(body) -> set[str]:
    """Return why a body is no customer, by the schema of churn_serving.py; nothing if it is one."""
    source = (SOLUTIONS / "churn_serving.py").read_text(encoding="utf-8")
    names = {"__name__": "schema"}
    exec(source.partition("\ndef load_model")[0], names)  # the rest would load a model
    try:
        names["Customer"].model_validate(body)
    except ValidationError as invalid:
        return {reason(error) for error in invalid.errors()}
    return set()


def reason(error):
    if error["type"] == "literal_error" and not isinstance(error["input"], str):
        return "a value has the wrong type"
    return REASONS.get(error["type"], "a value has the wrong type")


def portrait(body) -> str:
    """Return what is special about a body: how it differs from our customer."""
    if not isinstance(body, dict):
        return show(body)
    she = customer_of_the_lab()
    without = [name for name in she if name not in body]
    other = {name: one for name, one in body.items() if repr(one) != repr(she.get(name))}
    if len(without) + len(other) > 3:
        return show(body)
    changes = [f"without {name}" for name in without]
    if other:
        changes.append(f"with {show(other)}")
    return f"our customer {' and '.join(changes) or 'as she is'}"


@lab.exercise(
    "it-answers-anything",
    lesson="Would you dare to run it?",
    hints=[
        "Begin with our customer and change one thing: customer | {...} is a changed copy.",
        "Think of what a web form, a typing error or an old program would send.",
        "first_service answers when a field is missing, when there is one too many, when a "
        "contract is unknown, when a number is impossible, or when a number is a text.",
        'For example customer | {"tenure": "41"}: a text where a number belongs.',
    ],
)
def three_bodies(answer):
    bodies = answer.value("bodies", (list, tuple))
    if len(bodies) != 3:
        raise Wrong(f"bodies should have three elements, and has {len(bodies)}.")
    seen = {}
    for number, body in enumerate(bodies, 1):
        what = f"body {number}, {portrait(body)},"
        if isinstance(body, str):
            raise Wrong(
                f"{what} is a text: give the value itself, a dictionary without quotes around it. "
                "json= makes the text."
            )
        try:
            body = json.loads(json.dumps(body, allow_nan=False))  # as it travels
        except (TypeError, ValueError, RecursionError) as error:
            raise Wrong(
                f"{what} can't be sent as JSON at all ({describe(error)}): take Python's own "
                "numbers, texts, lists and dictionaries."
            ) from None
        status, said = first_service(body)
        if status != 200:
            raise Wrong(
                f"{what} is answered with {status} ({said}): there it breaks openly, and somebody "
                "will notice. Find one that it answers with a probability."
            )
        why = reasons(body)
        if not why:
            raise Wrong(
                f"{what} is a fine customer, as far as one can tell from here (and customerid may "
                "be missing): change a field to what can be true of nobody."
            )
        if len(why) > 1:
            raise Wrong(
                f"{what} is wrong in {len(why)} ways ({', '.join(sorted(why))}): change one thing "
                "only, starting from our customer: customer | {...}."
            )
        [why] = why
        if why in seen:
            raise Wrong(
                f"{what} is wrong in the same way as body {seen[why]} ({why}): find another way."
            )
        seen[why] = number
    return f"Correct: {', '.join(seen)}, and it answers as if nothing were wrong."


# --- status-before-body and the-same-as-in-the-notebook: learners' clients ---


def churn_service(answers):
    """Return a stand-in's answer: that of a service as the lesson's, without a model.

    answers: a function from a customer to the stand-in's answer.
    """

    def answer(asked, _):
        if asked.path != "/predict":
            return 404, "<!doctype html><h1>Not Found</h1>"
        if asked.method != "POST":
            return 405, "<!doctype html><h1>Method Not Allowed</h1>"
        if not only_json(asked):
            return 415, "<!doctype html><h1>Unsupported Media Type</h1>"
        body = json_body(asked)
        if not isinstance(body, dict) or "tenure" not in body:
            return 500, "<!doctype html><h1>Internal Server Error</h1>"
        return answers(body)

    return answer


def json_body(asked):
    try:
        return json.loads(asked.body)
    except ValueError:
        return None


@contextmanager
def asked_by(function, answers, customers):
    """Run a stand-in and yield its url; then look at the requests, which may say best why."""
    with stand_in(churn_service(answers)) as service:
        try:
            yield service.url
        except Wrong as wrong:
            if service.requests or "ConnectionError" in str(wrong):
                see_requests(function.name, service, customers)
            raise
    see_requests(function.name, service, customers)
    if len(customers) < len(service.requests):
        raise Wrong(
            f"{function.name} sent {len(service.requests)} requests for {len(customers)} "
            "customer(s): one for each will do. Keep the response in a variable, and look at it as "
            "often as you like."
        )


def see_requests(name, service, customers):
    """Raise Wrong when a client's request is not a customer as JSON, by POST, to /predict."""
    if not service.requests:
        raise Wrong(
            f"nothing was asked at the url that {name} is given: send the request to "
            'f"{url}/predict", with the url as it comes.'
        )
    for asked in service.requests:
        path = asked.path.partition("?")[0]
        if asked.method != "POST":
            raise Wrong(f"{name} sends {asked.method}, and /predict takes POST: requests.post.")
        if path != "/predict":
            raise Wrong(f'{name} asks {path}, and the path is /predict: f"{{url}}/predict".')
        if not asked.body:
            raise Wrong(f"{name} sends no body: params= puts the customer into the address, and "
                        "json= into the body, where she belongs.")  # fmt: skip
        if not only_json(asked):
            kind = asked.headers.get("Content-Type", "text of no type")
            raise Wrong(
                f"{name} sends the customer as {kind}, and the service answers 415: write "
                "json=customer, not data=, which makes the body and its header."
            )
        body = json_body(asked)
        if isinstance(body, str):
            raise Wrong(f"{name} makes JSON twice: json= does it, so give it the customer herself, "
                        "and no json.dumps.")  # fmt: skip
        if isinstance(body, list):
            raise Wrong(f"{name} sends a list, and /predict takes one customer: send a request for "
                        "each, json=customer.")  # fmt: skip
        if body not in customers:
            raise Wrong(f"{name} sends {show(body)}, and should send the customer as she is: "
                        "json=customer.")  # fmt: skip


@lab.exercise(
    "status-before-body",
    lesson="Status first",
    hints=[
        "Keep the response in a variable, and look at its status_code before anything else.",
        "raise_for_status won't do: it lets 202 pass, and its error has no body.",
        'response.headers["Content-Type"] says whether a 200 is JSON; response.text is the body.',
        'raise RuntimeError(f"{response.status_code}: {response.text[:100]}")',
    ],
)
def ask(answer):
    function = answer.function("ask")
    customer = customer_of_the_lab()
    for tenure in (41, 3):
        she, chance = customer | {"tenure": tenure}, 1 / (tenure + 1)
        good = 200, {"churn_probability": chance}
        with asked_by(function, lambda _, good=good: good, [she]) as url:
            came = function(url, she, 5)
        expect_probability(came, chance)
    for status, body in PAGES:
        with asked_by(function, lambda _, page=(status, body): page, [customer]) as url:
            error = function.error(url, customer, 5)
        see_failure(error, status, body)
    slow = 200, {"churn_probability": 0.5}, 0.4
    with asked_by(function, lambda _: slow, [customer]) as url:
        begin = time.monotonic()
        error = function.error(url, customer, 0.05)
    if not error and time.monotonic() - begin > 0.35:
        raise Wrong(
            "ask waits for an answer that takes 0.4 s, though its timeout is 0.05: hand it on, "
            "requests.post(..., timeout=timeout)."
        )
    if not error:
        raise Wrong("when nobody answers in time, ask raises no error, and nobody will notice: let "
                    "the one of requests pass.")  # fmt: skip
    if not isinstance(error, OSError):  # as the errors of requests and of urllib are
        raise Wrong(
            f"when nobody answers in time, ask raises {describe(error)}: let the error of requests "
            "pass. Keep requests.post out of the try, or catch less."
        )


AWAY = "<!doctype html><title>The model is away</title>" + "<p>Come back at six.</p>" * 200
PAGES = [
    (500, AWAY),
    (503, {"error": "the model is being trained", "log": ["line"] * 500}),
    (202, {"job": 17, "hint": "ask again later, the answer is being made; " * 5}),
    (200, "<!doctype html><title>Please log in</title>" + "<p>Who are you?</p>" * 200),
]


def expect_probability(came, expected):
    what = f"ask, for the answer {json.dumps({'churn_probability': expected})},"
    slips = {
        "Response": 'that is the whole response: take response.json()["churn_probability"]',
        "str": 'that is a text: response.json()["churn_probability"] is the number',
        "dict": 'that is the whole answer: take ["churn_probability"]',
        "NoneType": "end every way through it with return",
        "float": "return the number that is in the answer",
    }
    remedy = slips.get(type(came).__name__, "return the probability as it comes")
    expect(what, came, expected, remedy, tolerance=1e-12)


def see_failure(error, status, body):
    """Raise Wrong unless it is a RuntimeError with the status and the body's beginning."""
    page = isinstance(body, str)
    what = f"for an answer with {status} and {'a web page' if page else 'JSON'}"
    if error is None:
        silent = "raise_for_status is silent below 400" if status == 202 else "nobody would notice"
        raise Wrong(f"{what}, ask raises no error: {silent}. Raise a RuntimeError.")
    if not isinstance(error, RuntimeError):
        remedy = "raise RuntimeError(...) yourself"
        if type(error).__name__ == "JSONDecodeError":
            remedy = "look at the status and the Content-Type before you call response.json()"
        elif type(error).__name__ == "HTTPError":
            remedy = "raise_for_status tells nothing of the body; look at response.status_code"
        elif isinstance(error, LookupError):
            remedy = "look at the status before you look for the probability: only a 200 has one"
        raise Wrong(f"{what}, ask should raise a RuntimeError, and raises {describe(error)}: "
                    f"{remedy}.")  # fmt: skip
    body, text = body if page else json.dumps(body), one_line(str(error), 10_000)
    if not re.search(rf"\b{status}\b", text):
        raise Wrong(f"{what}, the error says {show(text)}: it should have the status, "
                    "response.status_code.")  # fmt: skip
    if body[:100] not in text:
        raise Wrong(
            f"{what}, the error says {show(text)}: it should have the first 100 characters of the "
            "body, response.text[:100], which say what is wrong."
        )
    if body[:101] in text:
        raise Wrong(f"{what}, the error has more than the first 100 characters of the body: "
                    "response.text[:100].")  # fmt: skip


@lab.exercise(
    "the-same-as-in-the-notebook",
    lesson="Ask it",
    hints=[
        "Two lists of probabilities: the service's, one request each, and your model's.",
        "enumerate(customers) gives each customer with her index.",
        "model.predict_proba(dv.transform(customers))[:, 1] are your model's, in the same order.",
        "abs(one - other) > 1e-9 finds those that differ.",
    ],
)
def differing(answer):
    function = answer.function("differing")
    dv, model = small_model()
    customers = [
        {"contract": "one_year", "tenure": 20}, {"contract": "month-to-month", "tenure": 2},
        {"contract": "one_year", "tenure": 50}, {"contract": "two_year", "tenure": 33},
        {"contract": "month-to-month", "tenure": 2}, {"contract": "one_year", "tenure": 7},
    ]  # fmt: skip
    own = model.predict_proba(dv.transform(customers))[:, 1].tolist()
    for errors in (
        {2: 0.25},
        {0: 0.001, 5: 2e-9},
        {2: -0.05, 3: -2e-9},
        {1: 0.1, 4: 0.1},  # the two are alike
        {3: 5e-10, 5: -5e-10},
    ):
        says = [one + errors.get(index, 0) for index, one in enumerate(own)]

        def answers(customer, says=says):
            if customer not in customers:
                return 400, {"error": "no such customer"}
            number = says[customers.index(customer)]
            return 200, {"churn_probability": number, "churn": number >= 0.5}

        with asked_by(function, answers, customers) as url:
            came = function(url, [dict(customer) for customer in customers], dv, model)
        see_indexes(came, says, own)


def see_indexes(came, says, own):
    """Raise Wrong unless what came are the indexes at which the two lists differ."""
    expected = [i for i in range(len(own)) if abs(says[i] - own[i]) > 1e-9]
    what = f"for {len(own)} customers, differing should return {expected}, and returns {show(came)}"
    if not isinstance(came, list | tuple | np.ndarray):
        remedy = "end it with return" if came is None else "return a list of indexes"
        if is_number(came):
            remedy = "that is a single number; which customers they are is asked for, as a list"
        raise Wrong(f"{what}: {remedy}.")
    came = list(came)
    if any(isinstance(one, bool | np.bool_) for one in came):
        raise Wrong(f"{what}: return the indexes of those that differ, not true or false for each.")
    if not all(isinstance(one, int | np.integer) for one in came):
        raise Wrong(f"{what}: the elements should be the customers' indexes, whole numbers, and "
                    "nothing else. enumerate(customers) gives them.")  # fmt: skip
    if came == expected:
        return
    if len(came) == len(own):
        raise Wrong(
            f"{what}: not all of them differ. Is your model's number the probability of leaving, "
            "predict_proba(...)[:, 1]?"
        )
    if came == [index + 1 for index in expected]:
        raise Wrong(
            f"{what}: the first customer has the index 0; enumerate(customers) begins there."
        )
    for index in range(len(own)):
        if (index in expected) == (index in came):
            continue
        gap = says[index] - own[index]
        if index in came:
            remedy = "too small to count" if gap else "there is no difference"
            raise Wrong(
                f"{what}: the difference at {index} is {gap:.1g}, {remedy}. List what differs by "
                "more than 1e-9, with abs(...) > 1e-9 instead of !=."
            )
        alike = "two customers may be alike, so .index finds the first: use enumerate"
        remedy = alike if len(set(came)) < len(came) else (
            "take abs(...) of the difference, or the smaller ones get lost" if gap < 0 else
            "compare the probabilities as they are, neither rounded nor made a decision, with "
            "> 1e-9 and no other tolerance"
        )  # fmt: skip
        raise Wrong(f"{what}: at {index} the service says {says[index]:.10f}, and the notebook "
                    f"{own[index]:.10f}; {remedy}.")  # fmt: skip
    raise Wrong(f"{what}: give the indexes in the customers' order, each once.")
