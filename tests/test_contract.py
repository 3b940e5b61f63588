"""The churn service's contract, row by row, over HTTP alone; test_bad_bodies.py invents the rest.

Set CHURN_SERVICE_URL to hold a container or a cloud address to the same contract, and
CHURN_API_KEY if it wants a key.
"""

import csv
import http.client
import json
import os
from urllib.parse import urlsplit

import pytest
import requests

from labkit import DATA

EXAMPLE = json.loads((DATA / "customer.json").read_text(encoding="utf-8"))
ABOUT_TO_CHURN = EXAMPLE | {
    "tenure": 1, "contract": "month-to-month", "internetservice": "fiber_optic",
    "onlinesecurity": "no", "techsupport": "no", "paymentmethod": "electronic_check",
    "totalcharges": 79.85,
}  # fmt: skip
FEATURES = [name for name in EXAMPLE if name != "customerid"]
CHARGES = ["monthlycharges", "totalcharges"]
CATEGORIES = [name for name in FEATURES if name not in ["seniorcitizen", "tenure", *CHARGES]]
INTERNET_OPTIONS = [
    "onlinesecurity", "onlinebackup", "deviceprotection", "techsupport", "streamingtv",
    "streamingmovies",
]  # fmt: skip
NO_PHONE = {"phoneservice": "no", "multiplelines": "no_phone_service"}
NO_INTERNET = {"internetservice": "no"} | dict.fromkeys(INTERNET_OPTIONS, "no_internet_service")
NAN, INFINITY = float("nan"), float("inf")
JSON_TYPE = {"Content-Type": "application/json"}
LIMITS = {"/predict": 2**14, "/predict/batch": 2**20}  # bytes
API_KEY = os.environ.get("CHURN_API_KEY")
KEY = {"Authorization": f"Bearer {API_KEY}"} if API_KEY else {}


def values_in_the_data():
    """Return for each category the texts of the CSV, cleaned as train.py cleans them."""
    with (DATA / "telco-customer-churn.csv").open(encoding="utf-8", newline="") as file:
        rows = [{name.lower(): text for name, text in row.items()} for row in csv.DictReader(file)]
    return {
        name: sorted({row[name].lower().replace(" ", "_") for row in rows}) for name in CATEGORIES
    }


VALUES = values_in_the_data()


def send(method, url, data=None, headers=JSON_TYPE, **options):
    """Send a request of its own connection, with the key where there is one."""
    headers = {**headers, **KEY}
    return requests.request(method, url, data=data, headers=headers, timeout=60, **options)


def post(url, body, **options):
    """Send bytes as they are and anything else as JSON (NaN becomes NaN, which is not JSON)."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return send("POST", url, body, **options)


def refused(response, status=400):
    """Return the answer, once it is sure that it refuses as the contract says."""
    assert response.status_code == status, response.text[:500]
    assert response.headers["Content-Type"] == "application/json"
    answer = response.json()
    assert isinstance(answer["error"], str) and answer["error"]
    assert "churn" not in answer and "churn_probability" not in answer
    return answer


def the_problem(response):
    """Return the one problem that the answer names."""
    (problem,) = refused(response)["problems"]
    return problem


def score(url, customer):
    response = post(url + "/predict", customer)
    assert response.status_code == 200, response.text[:500]
    assert response.headers["Content-Type"] == "application/json"
    return response.json()["churn_probability"]


# GET


def test_ping_answers_pong(service_url):
    response = send("GET", service_url + "/ping", headers={})
    assert (response.status_code, response.text) == (200, "PONG")


def test_health_says_which_model_runs(service_url):
    response = send("GET", service_url + "/health", headers={})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    health = response.json()
    assert health["status"] == "ok"
    assert len(bytes.fromhex(health["model"]["sha256"])) == 32
    assert health["model"]["versions"].keys() == {"python", "scikit-learn", "numpy"}
    assert 0.857 <= health["model"]["auc"] <= 0.859
    assert health["model"]["trained"] >= "2026"


# Which model answered?


@pytest.mark.parametrize("path", LIMITS)
def test_each_answer_of_a_prediction_names_its_model(service_url, path):
    url, right = service_url + path, EXAMPLE if path == "/predict" else [EXAMPLE]
    answers = {
        200: post(url, right),
        400: post(url, {}),
        405: send("GET", url),
        413: post(url, b" " * (LIMITS[path] + 1)),
        415: send("POST", url, json.dumps(right), headers={"Content-Type": "text/plain"}),
    }
    assert {status: answer.status_code for status, answer in answers.items()} == {
        status: status for status in answers
    }
    model = send("GET", service_url + "/health", headers={}).json()["model"]["sha256"]
    assert {answer.headers["Churn-Model"] for answer in answers.values()} == {model}


# POST /predict: what is right


def test_example_customer_is_not_about_to_churn(service_url):
    response = post(service_url + "/predict", EXAMPLE)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    answer = response.json()
    assert answer.keys() == {"churn", "churn_probability"}
    assert answer["churn"] is False
    assert type(answer["churn_probability"]) is float
    assert 0.05 <= answer["churn_probability"] <= 0.07


def test_a_new_customer_on_fiber_month_to_month_is_about_to_churn(service_url):
    answer = post(service_url + "/predict", ABOUT_TO_CHURN).json()
    assert answer["churn"] is True
    assert 0.5 <= answer["churn_probability"] <= 1


@pytest.mark.parametrize("customerid", ["", "Ünal", "x" * 10_000], ids=len)
def test_customerid_may_come_along_and_is_not_used(service_url, customerid):
    without = {name: EXAMPLE[name] for name in FEATURES}
    assert score(service_url, without) == score(service_url, EXAMPLE | {"customerid": customerid})


def test_every_value_within_the_contract_is_taken(service_url):
    values = VALUES | {"seniorcitizen": [0, 1], "tenure": [0, 1200]}
    values |= {name: [0, 0.01, 1_000_000] for name in CHARGES}
    customers = [EXAMPLE | {name: value} for name in values for value in values[name]]
    for one in customers:  # nobody has lines without a phone, or online backup without internet
        if one["phoneservice"] == "no" or one["multiplelines"] == "no_phone_service":
            one |= NO_PHONE
        if one["internetservice"] == "no" or "no_internet_service" in one.values():
            one |= NO_INTERNET
    response = post(service_url + "/predict/batch", customers)
    assert response.status_code == 200, response.text[:500]
    assert len(response.json()) == len(customers) == 51
    assert all(0 <= answer["churn_probability"] <= 1 for answer in response.json())


def test_the_order_of_fields_and_white_space_do_not_matter(service_url):
    backwards = json.dumps(dict(reversed(EXAMPLE.items())), indent=4) + "\n"
    response = post(service_url + "/predict", backwards.encode())
    assert response.json()["churn_probability"] == score(service_url, EXAMPLE)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_media_type_may_be_written_in_other_ways(service_url, kind):
    response = send(
        "POST", service_url + "/predict", json.dumps(EXAMPLE), headers={"Content-Type": kind}
    )
    assert response.status_code == 200


# POST /predict: what is wrong with one field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seniorcitizen", "0"),
        ("seniorcitizen", True),
        ("seniorcitizen", 2),
        ("tenure", "41"),
        ("tenure", 41.5),
        ("tenure", None),
        ("tenure", -1),
        ("tenure", 1201),
        ("tenure", 10**4000),
        ("monthlycharges", "79.85"),
        ("monthlycharges", False),
        ("monthlycharges", 1_000_000.01),
        ("totalcharges", -0.01),
        ("totalcharges", NAN),
        ("totalcharges", INFINITY),
        ("customerid", 8879),
        ("gender", "maybe"),
        ("contract", "One year"),
        ("contract", "one_year "),
        ("partner", True),
        ("partner", None),
        ("paymentmethod", ["mailed_check"]),
        ("multiplelines", {}),
    ],
    ids=lambda case: repr(case)[:30],
)
def test_a_wrong_value_is_refused_and_explained(service_url, field, value):
    problem = the_problem(post(service_url + "/predict", EXAMPLE | {field: value}))
    assert problem["field"] == field
    assert problem["problem"]
    if value != 10**4000:
        assert str(value) in problem["given"]
    allowed = json.dumps(problem["allowed"])
    if field in CATEGORIES:
        assert all(json.dumps(value) in allowed for value in VALUES[field])
    else:
        assert {"tenure": "1200", "customerid": "string"}.get(field, "1") in allowed
        assert field not in CHARGES or "1000000" in allowed


@pytest.mark.parametrize("number", ["1e999", "-1e999", "-Infinity"])
def test_no_number_is_endless(service_url, number):
    text = json.dumps(EXAMPLE).replace("79.85", number)
    problem = the_problem(post(service_url + "/predict", text.encode()))
    assert problem["field"] == "monthlycharges"


def test_a_missing_field_is_named(service_url):
    customer = {name: value for name, value in EXAMPLE.items() if name != "tenure"}
    assert the_problem(post(service_url + "/predict", customer))["field"] == "tenure"


@pytest.mark.parametrize("field", ["Tenure", "", "__class__", "ä", "x" * 1000], ids=repr)
def test_an_unknown_field_is_named(service_url, field):
    problem = the_problem(post(service_url + "/predict", EXAMPLE | {field: "4711"}))
    assert problem["field"] == field[:40]
    assert "4711" in problem["given"]
    assert set(FEATURES) <= set(problem["allowed"])


def test_half_a_character_is_no_value_and_no_field(service_url):
    problem = the_problem(post(service_url + "/predict", EXAMPLE | {"gender": "\ud800"}))
    assert problem["field"] == "gender"
    refused(post(service_url + "/predict", EXAMPLE | {"\ud800": 1}))


def test_all_problems_are_named_at_once(service_url):
    customer = EXAMPLE | {"tenure": "41", "contract": "One year", "monthlycharges": -1, "age": 42}
    customer |= {"phoneservice": "no", "internetservice": "no"}  # but has what needs them
    del customer["gender"]
    problems = refused(post(service_url + "/predict", customer))["problems"]
    fields = ["age", "contract", "gender", "monthlycharges", "tenure"]
    fields += ["multiplelines", *INTERNET_OPTIONS]
    assert sorted(problem["field"] for problem in problems) == sorted(fields)


def test_all_fields_of_an_empty_customer_are_named(service_url):
    problems = refused(post(service_url + "/predict", {}))["problems"]
    assert sorted(problem["field"] for problem in problems) == sorted(FEATURES)


@pytest.mark.parametrize(
    "value", ["x" * 10_000, ["x"] * 2_000, {"x" * 10_000: "x"}, 10**4000], ids=type
)
def test_what_was_given_is_shortened(service_url, value):
    response = post(service_url + "/predict", EXAMPLE | {"contract": value})
    assert len(the_problem(response)["given"]) <= 100
    assert len(response.content) < 2_000


# What two fields say together

CONTRADICTIONS = [  # field, what it says, the other field, what that says
    *[("multiplelines", has, "phoneservice", "no") for has in ["no", "yes"]],
    ("multiplelines", "no_phone_service", "phoneservice", "yes"),
    *[(field, has, "internetservice", "no") for field in INTERNET_OPTIONS for has in ["no", "yes"]],
    *[
        (field, "no_internet_service", "internetservice", has)
        for field in INTERNET_OPTIONS
        for has in ["dsl", "fiber_optic"]
    ],
]


@pytest.mark.parametrize(("field", "says", "other", "has"), CONTRADICTIONS)
def test_fields_that_contradict_each_other_are_both_named(service_url, field, says, other, has):
    right = EXAMPLE | {other: has}
    if has == "no":
        right |= NO_PHONE if other == "phoneservice" else NO_INTERNET
    score(service_url, right)
    problem = the_problem(post(service_url + "/predict", right | {field: says}))
    assert problem == {
        "field": field,
        "problem": f"contradicts {other}, which is '{has}'",
        "given": f"'{says}'",
        "allowed": problem["allowed"],
    }
    assert problem["allowed"]["enum"] == VALUES[field]


@pytest.mark.parametrize("spoilt", [{"internetservice": "Fibre"}, {"internetservice": None}])
def test_a_field_that_says_nothing_contradicts_nothing(service_url, spoilt):
    customer = EXAMPLE | NO_INTERNET | spoilt
    assert the_problem(post(service_url + "/predict", customer))["field"] == "internetservice"


# POST /predict: what is wrong with the body

VALID = json.dumps(EXAMPLE)
BODIES = {
    "empty": b"",
    "white space": b" \n",
    "cut off": VALID[:-1].encode(),
    "two customers": VALID.encode() * 2,
    "latin-1": VALID.replace("8879-zkjof", "Müller").encode("latin-1"),
    "UTF-16": VALID.encode("utf-16"),
    "UTF-8 with BOM": VALID.encode("utf-8-sig"),
    "a key twice": VALID[:-1].encode() + b', "tenure": 41}',
    "a key twice, written in two ways": VALID[:-1].encode() + rb', "\u0074enure": 41}',
    "a key twice, deep inside": VALID[:-1].encode() + b', "x": {"y": 1, "y": 1}}',
    "4,301 digits": VALID.replace("41", "9" * 4301).encode(),
    "a text": b'"customer"',
    "15,000 lists open": b"[" * 15_000,
    "2,000 objects": b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    "7,000 lists in a field": VALID.replace("41", "[" * 7_000 + "]" * 7_000).encode(),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused_alone_as_a_batch_and_within_one(service_url, name):
    refused(post(service_url + "/predict", BODIES[name]))
    refused(post(service_url + "/predict/batch", BODIES[name]))
    if name not in ["empty", "white space"]:  # [] is a batch
        body = b"[" + VALID.encode() + b"," + BODIES[name] + b"]"
        refused(post(service_url + "/predict/batch", body))


@pytest.mark.parametrize(("start", "end"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_the_deepest_batch_is_refused(service_url, start, end):
    refused(post(service_url + "/predict/batch", start * 170_000 + b"1" + end * 170_000))


@pytest.mark.parametrize("body", [None, [EXAMPLE], 41], ids=repr)
def test_what_is_no_object_is_called_so(service_url, body):
    problem = the_problem(post(service_url + "/predict", body))
    assert "object" in problem["problem"]
    assert set(FEATURES) <= set(problem["allowed"])


def test_a_key_that_stands_there_twice_is_named(service_url):
    assert "tenure" in refused(post(service_url + "/predict", BODIES["a key twice"]))["error"]


# POST /predict/batch


def test_a_batch_is_answered_in_order_as_the_single_customers_are(service_url):
    customers = [EXAMPLE | {"tenure": months} for months in [41, 0, 72, 5, 1200, 12]]
    customers.insert(1, ABOUT_TO_CHURN)
    response = post(service_url + "/predict/batch", customers)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    answers = response.json()
    assert all(answer.keys() == {"churn", "churn_probability"} for answer in answers)
    assert all(type(answer["churn"]) is bool for answer in answers)
    assert {answer["churn"] for answer in answers} == {True, False}
    singles = [score(service_url, customer) for customer in customers]
    assert len({round(single, 6) for single in singles}) == len(customers)  # order shows
    assert [answer["churn_probability"] for answer in answers] == pytest.approx(
        singles, rel=0, abs=1e-12
    )
    assert [answer["churn"] for answer in answers] == [single >= 0.5 for single in singles]


def test_an_empty_batch_has_an_empty_answer(service_url):
    response = post(service_url + "/predict/batch", [])
    assert (response.status_code, response.json()) == (200, [])


def test_a_batch_holds_up_to_1000_customers(service_url):
    response = post(service_url + "/predict/batch", [EXAMPLE] * 1000)
    assert response.status_code == 200
    assert len(response.json()) == 1000
    answer = refused(post(service_url + "/predict/batch", [EXAMPLE] * 1001))
    assert "1000" in json.dumps(answer)
    assert len(json.dumps(answer)) < 4_000


@pytest.mark.parametrize("index", [0, 1, 999])
def test_one_bad_customer_refuses_the_whole_batch_and_is_named(service_url, index):
    customers = [EXAMPLE] * 1000
    customers[index] = EXAMPLE | {"tenure": "41"}
    problem = the_problem(post(service_url + "/predict/batch", customers))
    assert (problem["customer"], problem["field"]) == (index, "tenure")


def test_all_bad_customers_of_a_batch_are_named(service_url):
    customers = [EXAMPLE, EXAMPLE | {"gender": "?"}, EXAMPLE, None, [EXAMPLE], EXAMPLE | {"x": 1}]
    problems = refused(post(service_url + "/predict/batch", customers))["problems"]
    assert [problem["customer"] for problem in problems] == [1, 3, 4, 5]


@pytest.mark.parametrize("body", [{}, None, EXAMPLE], ids=repr)
def test_a_batch_is_a_list(service_url, body):
    assert "list" in the_problem(post(service_url + "/predict/batch", body))["problem"]


# Wrong path, method, media type, size


def ask(service_url, method, path):
    """Send a request whose path and method no client library has tidied up."""
    address = urlsplit(service_url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    connection = kinds[address.scheme](address.hostname, address.port, timeout=60)
    connection.request(method, path, headers={"Content-Length": "0", **KEY})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, response.headers, text


WRONG_PATHS = [
    "/", "//", "/ping/", "//ping", "///ping", "//health", "//predict", "/%2fpredict",
    "/predict/", "/predict//batch", "//predict/batch", "/PING", "/nope", "/%00", "/%ff",
    "/../ping", "/.git/config", "/console",
]  # fmt: skip


@pytest.mark.parametrize("path", WRONG_PATHS)
def test_a_wrong_path_is_a_404_in_json(service_url, path):
    for method in ["GET", "POST"]:
        status, headers, text = ask(service_url, method, path)
        assert (status, headers["Content-Type"]) == (404, "application/json")
        assert json.loads(text)["error"]


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [
        (method, path, "POST")
        for method in ["GET", "HEAD", "PUT", "DELETE", "post", "Post", "options"]
        for path in LIMITS
    ]
    + [
        (method, path, "GET")
        for method in ["POST", "DELETE", "get", "Get", "head", "BREW"]
        for path in ["/ping", "/health"]
    ],
)
def test_a_wrong_method_is_a_405_in_json_that_names_the_right_one(service_url, method, path, right):
    status, headers, text = ask(service_url, method, path)
    assert (status, headers["Content-Type"]) == (405, "application/json")
    assert method == "HEAD" or json.loads(text)["error"]
    assert right in headers["Allow"].replace(" ", "").split(",")


def test_head_and_options_are_answered(service_url):
    head = send("HEAD", service_url + "/ping", headers={})
    assert (head.status_code, head.content) == (200, b"")
    assert send("HEAD", service_url + "/nope", headers={}).status_code == 404
    options = send("OPTIONS", service_url + "/predict", headers={})
    assert options.status_code == 200
    assert "POST" in options.headers["Allow"]


@pytest.mark.parametrize("path", LIMITS)
@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/x-www-form-urlencoded"])
def test_another_media_type_is_a_415_that_says_which_is_right(service_url, path, kind):
    headers = {} if kind is None else {"Content-Type": kind}
    response = send("POST", service_url + path, VALID.encode(), headers=headers)
    assert "application/json" in refused(response, 415)["error"]


def in_chunks(body):
    """Return the body as an iterator: it is sent in chunks, without its length."""
    return (body[start : start + 2**16] for start in range(0, len(body), 2**16))


# A server may close the connection instead of reading what it refuses, so the next request in
# a session can fail: these use none.
@pytest.mark.parametrize("path", LIMITS)
def test_one_byte_more_than_the_limit_is_a_413(service_url, path):
    body = VALID if path == "/predict" else f"[{VALID}]"
    for size in [LIMITS[path] + 1, 2 * LIMITS[path]]:
        for padded in [body.encode().ljust(size), b" " * size]:
            refused(post(service_url + path, padded), 413)
            refused(send("POST", service_url + path, in_chunks(padded)), 413)
    refused(post(service_url + path, b" " * 20 * 2**20), 413)


@pytest.mark.parametrize("path", LIMITS)
def test_the_limit_itself_is_taken_whole_and_in_chunks(service_url, path):
    body = (VALID if path == "/predict" else f"[{VALID}]").encode()
    for padded in [body, body.ljust(LIMITS[path])]:
        assert post(service_url + path, padded).status_code == 200
        assert send("POST", service_url + path, in_chunks(padded)).status_code == 200


def test_the_service_is_well_after_all_of_that(service_url):
    test_example_customer_is_not_about_to_churn(service_url)
