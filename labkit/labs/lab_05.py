"""Checks and hints of lab 5, bad input."""

import contextlib
import copy
import io
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labkit.exercises import Function, Lab, Wrong, describe, expect, show
from labkit.labs.live import Live, check_keys, failure, json_of, only_json, stand_in

lab = Lab("05_bad_input")

FIELDS = {"contract", "tenure", "monthlycharges", "seniorcitizen"}
GOOD = {"contract": "one_year", "tenure": 41, "monthlycharges": 80, "seniorcitizen": 0}
DISCOUNTS = {"month-to-month": 0, "one_year": 0.1, "two_year": 0.2}


class Offer(BaseModel):
    """The form as it should be; the checks make errors and stand-ins with it."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    contract: Literal["month-to-month", "one_year", "two_year"]
    tenure: Annotated[int, Field(ge=0, le=600)]
    monthlycharges: Annotated[float, Field(gt=0)]
    seniorcitizen: Annotated[int, Field(ge=0, le=1)]


def price_of(form: dict) -> float:
    """Return what the contract of a good form costs each month."""
    return form["monthlycharges"] * (1 - DISCOUNTS[form["contract"]])


def without(field: str) -> dict:
    """Return the good form with a field less."""
    return {name: value for name, value in GOOD.items() if name != field}


@lab.exercise(
    "all-at-once",
    lesson="By hand?",
    hints=[
        "Two questions: which of the four are not in the form, and what in the form is not one of "
        "the four?",
        "Sets can subtract: FIELDS - form.keys(), and form.keys() - FIELDS. | puts two together.",
        "Before that: if not isinstance(form, dict): raise ValueError(...). At the end: sorted().",
    ],
)
def all_at_once(answer):
    function = answer.function("problems", returns=list)
    empty = {"contract": "", "tenure": 0, "monthlycharges": 0.0, "seniorcitizen": None}
    cases = [
        GOOD, empty, without("tenure"), {}, GOOD | {"zip": 1, "age": 2},
        without("tenure") | {"tenur": 41}, {"zip": 53111}, GOOD,
    ]  # fmt: skip
    for form in cases:
        given = copy.deepcopy(form)
        came = function(given)
        what = function.call(form)
        if given != form:
            raise Wrong(f"{what} changes the form that it is given: only look at it.")
        expected = sorted(FIELDS ^ set(form))
        if came != expected:
            refuse_changed(answer)
            raise Wrong(
                f"{what} should return {expected}, and returns {show(came)}: "
                f"{slip(form, came, expected)}."
            )
    for form in ([], ["tenure"], [GOOD], "contract", None, 41):
        came, error = function.attempt((form,))
        if not isinstance(error, ValueError):
            done = f"raises {describe(error)}" if error else f"returns {show(came)}"
            raise Wrong(
                f"{function.call(form)} should raise a ValueError, and {done}: ask with "
                "isinstance(form, dict) before anything else, and raise it there."
            )


def refuse_changed(answer):
    """Raise Wrong when what the notebook gives is no longer as it was."""
    for name, given in (("FIELDS", FIELDS), ("good", GOOD)):
        if answer.value(name) != given:
            raise Wrong(
                f"{name} is no longer what it was, and is {show(answer.value(name))}: your code "
                "should make something new from it, not change it. Run the cell that makes it."
            )


def slip(form, came, expected) -> str:
    """Return what may have gone wrong in all-at-once."""
    names = {name for name in came if isinstance(name, str)}
    if names & FIELDS & set(form):
        return "a field that is there is no problem, even if it holds 0, an empty text or None"
    if sorted(names) == expected and len(came) == len(expected):
        return "the names are right and their order is not. Sort them"
    if came == [expected[0]] and len(expected) > 1:
        return "it stops at the first, and should name all"
    if names == FIELDS - set(form):
        return "unknown fields are problems, too"
    if names == set(form) - FIELDS:
        return "missing fields are problems, too"
    return "name what is missing and what is unknown, each once"


@lab.exercise(
    "a-schema-without-holes",
    lesson="A schema",
    hints=[
        "The lesson's Small has three of the four fields, in its last form. The bounds differ.",
        'Three settings: model_config = ConfigDict(strict=True, extra="forbid", '
        "allow_inf_nan=False).",
        "Above 0 is Field(gt=0), greater than; ge is greater or equal. No default behind any "
        "field.",
        "seniorcitizen: Annotated[int, Field(ge=0, le=1)], since Literal[0, 1] lets True in.",
    ],
)
def schema_without_holes(answer):
    schema = answer.value("Form")
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        raise Wrong(
            "Form should be a class made from BaseModel, and is "
            f"{'another class' if isinstance(schema, type) else show(schema)}: begin with "
            "class Form(BaseModel): and write the fields below it."
        )
    validate = Function("Form.model_validate", schema.model_validate, object)
    for form in good_forms():
        error = validate.error(form)
        if error:
            raise Wrong(
                f"Form refuses {show_form(form)}, and that is a good one ({reason(error)}). A gate "
                "that stops good ones is of no use: compare with the table."
            )
        lost = [name for name, value in vars(schema.model_validate(form)).items() if value is None]
        if lost:
            raise Wrong(
                f"Form takes {show_form(form)}, and {lost[0]} is None in the object that it "
                "makes: a validator of your own must return the value."
            )
    for form, remedy in bad_forms():
        error = validate.error(form)
        if error is None:
            raise Wrong(f"Form lets {show_form(form)} through: {remedy}.")
        if not isinstance(error, ValidationError):
            raise Wrong(
                f"for {show_form(form)} Form should raise a ValidationError, and raises "
                f"{describe(error)}: in a check of your own, raise ValueError."
            )


def good_forms():
    """Return forms that a schema must let through: every contract, and the bounds."""
    changes = [{"contract": contract} for contract in DISCOUNTS]
    changes += [{"tenure": 0}, {"tenure": 600}, {"seniorcitizen": 1}]
    changes += [{"monthlycharges": price} for price in (79.85, 0.01, 0.5, 2500.0)]
    return [GOOD | change for change in changes]


def bad_forms():
    """Return forms that a schema must refuse, each with what closes the hole."""
    default = "a field with a default (= ... behind its type) may be left out; give none a default"
    strict = "pydantic makes a number of the text, unless the setting strict=True forbids it"
    flag = "in Python True is 1, and pydantic takes it for a number unless strict=True forbids it"
    whole = "months are whole: the type of tenure is int"
    contract = "Literal[...] lists what is allowed, the three contracts as they stand in the table"
    infinite = "a float may be infinite, or NaN, unless the setting allow_inf_nan=False forbids it"
    senior = "Literal[0, 1] asks what is equal, and True == 1. Use an int with bounds, and strict"
    months, bounds = (
        "tenure goes from 0 to 600: Field(ge=..., le=...)",
        "it is 0 or 1, so Field(ge=0, le=1)",
    )
    above = "the price is above 0: Field(gt=0), where ge=0 would let 0 through"
    none = "None stands for nothing, and the field must be filled in: leave out | None or Optional"
    extra = 'an unknown field is dropped in silence, unless the setting extra="forbid" refuses it'
    yield {}, default
    yield from ((without(field), default) for field in sorted(FIELDS))
    changes = [
        ({"tenure": "41"}, strict), ({"monthlycharges": "80"}, strict),
        ({"seniorcitizen": "0"}, strict),
        ({"tenure": True}, flag), ({"monthlycharges": True}, flag),
        ({"seniorcitizen": True}, senior), ({"seniorcitizen": False}, senior),
        ({"tenure": 41.5}, whole), ({"seniorcitizen": 0.5}, bounds),
        ({"contract": "One year"}, contract), ({"contract": "three_year"}, contract),
        ({"contract": ""}, contract), ({"contract": 1}, contract),
        ({"contract": "ONE_YEAR"}, contract), ({"contract": "one_year "}, contract),
        ({"monthlycharges": float("inf")}, infinite), ({"monthlycharges": float("nan")}, infinite),
        ({"tenure": -1}, months), ({"tenure": 601}, months),
        ({"monthlycharges": -5}, above), ({"monthlycharges": 0}, above),
        ({"seniorcitizen": 2}, bounds), ({"seniorcitizen": -1}, bounds),
        ({"tenur": 41}, extra), ({"age": 70}, extra),
    ]  # fmt: skip
    changes += [({field: None}, none) for field in sorted(FIELDS)]
    yield from ((GOOD | change, remedy) for change, remedy in changes)


def show_form(form: dict) -> str:
    """Return how a form differs from the good one, as text."""
    if not form:
        return "{}"
    parts = [f"without {name}" for name in GOOD if name not in form]
    changed = {k: v for k, v in form.items() if repr(v) != repr(GOOD.get(k))}
    parts += [f"with {name} {value!r}" for name, value in changed.items()]
    return f"a form {' and '.join(parts)}" if parts else "the form good"


def reason(error) -> str:
    """Return pydantic's first sentence with its field, or what else was raised."""
    if not isinstance(error, ValidationError):
        return describe(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the form'}: {first['msg']}"


@lab.exercise(
    "an-answer-that-helps",
    lesson="The service, part by part",
    hints=[
        "error.errors() is a list of dictionaries; for one in error.errors(): goes through it.",
        'one["loc"] is a tuple: one["loc"][0] is the field. When nothing is in it: "form".',
        "A field is missing when one[\"type\"] is 'missing'; then pydantic's input is the whole "
        "form, so give None.",
        'repr(one["input"])[:50] is what came as text, its first 50 characters.',
    ],
)
def answer_that_helps(answer):
    function = answer.function("explain", returns=list)
    forms = [
        GOOD | {"contract": 12, "monthlycharges": float("nan"), "tenur": 41},
        GOOD | {"tenure": "41"},
        {},
        {"contract": "One year", "tenure": None, "seniorcitizen": b"0"},
        [GOOD],
        "one_year",
        GOOD | {"contract": "x" * 500, "tenure": list(range(500)), "zip": ["53111 Bonn" * 9] * 9},
        GOOD | {"tenure": {"months": 41}},
    ]
    for form in forms:
        error = refusal(form)
        expected = error.errors()
        whole = not isinstance(form, dict)
        what = f"explain, for the error of {show(form)},"
        raised = function.error(error)
        if whole and isinstance(raised, (IndexError, KeyError)):
            raise Wrong(
                f"{what} raised {describe(raised)}: when the whole is no dictionary, pydantic's "
                'loc is (), without a first part. The field is "form" then.'
            )
        came = function(error)
        if len(came) != len(expected):
            raise Wrong(
                f"{what} should have one dictionary for each of the {len(expected)} problems, and "
                f"has {len(came)}: go through all of error.errors()."
            )
        found = {}
        for one in came:
            check_problem(what, one)
            found[one["field"]] = one
        for one in expected:
            check_one(what, one, found)


def refusal(form) -> ValidationError:
    """Return the error that a bad form causes."""
    try:
        Offer.model_validate(form)
    except ValidationError as error:
        return error


def check_problem(what, one):
    """Raise Wrong unless it is a dictionary with the three keys, fit for JSON."""
    if not isinstance(one, dict):
        raise Wrong(f"{what} should hold dictionaries, and holds {show(one)}: make one for each.")
    if set(one) != {"field", "problem", "given"}:
        raise Wrong(
            f"{what} should give each dictionary the keys field, problem, given, and gives "
            f"{', '.join(map(str, one)) or 'none'}: use these three and no others."
        )
    if isinstance(one["field"], (tuple, list)):
        raise Wrong(
            f'{what} should give "field" as text, and gives {show(one["field"])}: loc is a tuple; '
            "take its first part."
        )
    if not isinstance(one["field"], str):
        raise Wrong(f'{what} should give "field" as text, and gives {show(one["field"])}.')
    if one["given"] is not None and not isinstance(one["given"], str):
        raise Wrong(
            f'{what} should give "given" as text, and gives {show(one["given"])}: not every value '
            "can be sent as JSON (NaN can't), and its repr can."
        )


def check_one(what, expected, found):
    """Raise Wrong unless what stands for one of pydantic's errors is right."""
    name = expected["loc"][0] if expected["loc"] else "form"
    if name not in found:
        raise Wrong(
            f"{what} should name the field {name!r}, and names {', '.join(map(repr, found))}: "
            'take it from loc; when that is empty, it is "form".'
        )
    one = found[name]
    what = f"{what} the problem with {name!r}"
    expect(f"{what}, its sentence", one["problem"], expected["msg"], "pydantic's msg says it")
    given = one["given"]
    if expected["type"] == "missing":
        remedy = "nothing came, and pydantic's input is the whole form then. Ask for its type"
        return expect(f"{what}, its given,", given, None, remedy)
    text = repr(expected["input"])
    if given is None:
        raise Wrong(
            f"{what}: given should be {text[:50]!r}, and is None: that is for missing ones."
        )
    if given == str(expected["input"]) != text:
        raise Wrong(
            f"{what}: given should be {show(text)}, and is {show(given)}, and so the text '41' "
            "looks like the number 41: use repr, not str."
        )
    if len(given) > 50:
        raise Wrong(
            f"{what}: given has {len(given)} characters, and 50 are the limit, for lists as well: "
            "cut the whole text, [:50]."
        )
    if len(text) <= 25:
        expect(f"{what}, its given,", given, text, "use repr of pydantic's input")
    elif given[:8] != text[:8]:
        raise Wrong(
            f"{what}: given should begin with {text[:8]!r}, and is {show(given)}: keep the "
            "beginning of the repr of pydantic's input."
        )


@lab.exercise(
    "the-service-refuses",
    lesson="The service, part by part",
    hints=[
        "The route has two lines: Form.model_validate(request.get_json()), and jsonify(price=...). "
        "What they raise comes to the handlers.",
        "refuse gets the ValidationError: a loop over invalid.errors(), as in the exercise before, "
        "and at the end return jsonify(problems=problems), 400.",
        'A list in the place of a form has an empty loc: error["loc"][0] if error["loc"] else '
        '"form".',
        "as_json: return jsonify(error=error.description), error.code. The comma gives the status.",
    ],
)
def service_refuses(answer):
    live = Live("offer_service.py")
    for contract, charges in (("one_year", 80), ("two_year", 55.5), ("month-to-month", 20)):
        form = GOOD | {"contract": contract, "monthlycharges": charges}
        remedy = "a good form gets 200; give the schema all of request.get_json()"
        response = live.status(200, "POST", "/offer", remedy, json=form)
        body = announced_json("POST /offer", response)
        came = check_keys("POST /offer", body, {"price": "number"})
        what = f"the price for {show_form(form)}"
        expect(what, came["price"], price_of(form), "price(form) computes it", tolerance=0.006)
    for form, fields in (
        ({}, FIELDS),
        (GOOD | {"tenure": "41"}, {"tenure"}),
        (GOOD | {"contract": "One year"}, {"contract"}),
        (GOOD | {"monthlycharges": float("nan"), "tenur": 41}, {"monthlycharges", "tenur"}),
    ):
        what = f"POST /offer of {show_form(form)}"
        problems = refused(live, what, "/offer", form)
        named = {one["field"] for one in problems}
        if named < fields:
            raise Wrong(
                f"{what} should name {', '.join(sorted(fields))}, and names only "
                f"{', '.join(sorted(named))}: put all of invalid.errors() into problems, and give "
                "the schema the whole form."
            )
        remedy = "take each name from the loc of its error"
        expect(f"the fields that {what} names", sorted(named), sorted(fields), remedy)
    refused(live, "POST /offer of a list with one form", "/offer", [GOOD], named=False)
    json_header = {"Content-Type": "application/json"}
    for status, method, path, options in (
        (400, "POST", "/offer", {"data": b"not JSON", "headers": json_header}),
        (415, "POST", "/offer", {"data": GOOD}),
        (404, "GET", "/offers", {}),
        (405, "GET", "/offer", {}),
    ):
        other_end(live, status, method, path, options)


def announced_json(what, response):
    """Return the JSON of a response; raise Wrong when there is none, or its header hides it."""
    came = json_of(what, response)
    kind = response.headers.get("Content-Type", "")
    if not kind.startswith("application/json"):
        raise Wrong(
            f"{what} is answered with JSON, and the header calls it {kind}: return jsonify(...), "
            "which makes both."
        )
    return came


def refused(live, what, path, body, named=True) -> list[dict]:
    """Return the problems in the answer to a bad body; raise Wrong unless it is a refusal.

    named: each problem must have its field and a sentence.
    """
    text = json.dumps(body)  # requests' json= would not send a NaN
    response = live.ask("POST", path, data=text, headers={"Content-Type": "application/json"})
    status = response.status_code
    begin = f"{what} should be refused with 400, and is answered with {status}"
    if status == 200:
        remedy = "let the schema look at the body first"
        if "problems" in response.text:
            remedy = "the problems are there, and the status is not. It stands behind the body, 400"
        raise Wrong(f"{begin} ({response.text.strip()[:60]}): {remedy}.")
    if status >= 500:
        remedy = "Is the ValidationError caught, and does what catches it run to its end?"
        if not named:
            remedy = (
                "Only the schema copes with every body: len(...) and Form(**...) don't, and "
                "pydantic's loc is shorter there than usual."
            )
        raise Wrong(f"{begin}, which blames us{failure(response)}. {remedy}")
    if status != 400:
        raise Wrong(f"{begin}: give the status behind the body, jsonify(...), 400.")
    answer = announced_json(what, response)
    problems = answer.get("problems") if isinstance(answer, dict) else None
    if not isinstance(problems, list) or not problems:
        raise Wrong(
            f'{what} should be answered with {{"problems": [...]}}, a list that is not empty, and '
            f"is with {show(answer)}: jsonify(problems=...) makes it."
        )
    for one in problems:
        if not isinstance(one, dict):
            raise Wrong(f"{what}: problems should hold objects, and holds {show(one)}.")
        lacking = [name for name in ("field", "problem") if name not in one]
        if named and lacking:
            raise Wrong(
                f"{what}: each of the problems should have field and problem, and "
                f"{' and '.join(lacking)} is missing in {show(one)}."
            )
        if named and not isinstance(one["field"], str):
            raise Wrong(
                f"{what}: field should be a name, and is {show(one['field'])}: pydantic's loc is a "
                "tuple; take the name out of it."
            )
        if named and (not isinstance(one["problem"], str) or not one["problem"].strip()):
            raise Wrong(
                f"{what}: problem should be a sentence, and is {show(one['problem'])}: pydantic's "
                "msg is one."
            )
    no_nan(what, response)
    return problems


def no_nan(what, response):
    """Raise Wrong when the body holds NaN, which Python reads and JSON does not know."""

    def refuse(_):
        raise Wrong(
            f"{what} is answered with a NaN, which is no JSON: leave pydantic's input out, or give "
            "its repr."
        )

    json.loads(response.text, parse_constant=refuse)


def other_end(live, status, method, path, options):
    """Raise Wrong unless a request that misses the service gets this status, and JSON."""
    bodies = {400: " of the text not JSON", 415: " of a web form"}
    what = f"{method} {path}{bodies.get(status, '')}"
    response = live.ask(method, path, **options)
    came = response.status_code
    if came == 500:
        raise Wrong(
            f"{what} should be answered with {status}, and is with 500: your code failed there"
            f"{failure(response)}."
        )
    if came != status:
        remedy = {
            400: "Flask's get_json sees that; let its exception come to as_json, which must give "
            "the status along: jsonify(...), error.code",
            415: "Flask's get_json asks for the header, unless force=True or silent=True",
            404: "the status is error.code",
            405: "the route is for POST only, and the status is error.code",
        }[status]
        raise Wrong(f"{what} should be answered with {status}, and is with {came}: {remedy}.")
    if not response.headers.get("Content-Type", "").startswith("application/json"):
        raise Wrong(
            f"{what} is rightly answered with {status}, and with a web page, which a program can't "
            "read: as_json should return jsonify(...), error.code."
        )
    answer = json_of(what, response)
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, str) or not error:
        remedy = "jsonify(error=error.description) makes it"
        if isinstance(answer, dict) and "problems" in answer:
            remedy = "read the body with request.get_json(), and its exception comes to as_json"
        raise Wrong(
            f'{what} should be answered with {{"error": "..."}}, and is with {show(answer)}: '
            f"{remedy}."
        )


@lab.exercise(
    "a-batch",
    lesson="The same bodies again",
    hints=[
        "FORMS.validate_python(request.get_json()) returns a list of Form, or raises the "
        "ValidationError of all of them.",
        "Ask for the length first: if isinstance(body, list) and len(body) > 100: abort(413).",
        "In a batch pydantic's loc is (2, 'tenure'): the place in the list, then the field. It is "
        "shorter when an item, or the whole, is of the wrong kind.",
        "try: forms = FORMS.validate_python(body), except ValidationError as invalid: build "
        "problems in a loop and return jsonify(problems=problems), 400.",
    ],
)
def batch(answer):
    try:
        live = Live("batch_service.py")
    except Wrong as reason:
        if Path("offer_service.py").exists() or "nothing answers" not in str(reason):
            raise
        raise Wrong(
            "batch_service.py imports Form and price from offer_service.py, which is not there "
            "yet: run the cell that writes it, in the exercise before, then start batch_service.py."
        ) from None
    forms = [
        GOOD,
        GOOD | {"contract": "two_year"},
        GOOD | {"contract": "month-to-month", "monthlycharges": 20.5},
        GOOD | {"monthlycharges": 99},
        GOOD,
    ]
    check_prices(live, forms)
    check_prices(live, forms[::-1][:4])
    check_prices(live, [])
    late, unknown = GOOD | {"tenure": "41"}, GOOD | {"contract": "One year"}
    for batch_, expected in (
        ([GOOD, GOOD, late, GOOD], {(2, "tenure")}),
        ([unknown, GOOD], {(0, "contract")}),
        (
            [GOOD, unknown, GOOD, late | {"seniorcitizen": 2}],
            {(1, "contract"), (3, "tenure"), (3, "seniorcitizen")},
        ),
    ):
        check_refused_batch(live, batch_, expected)
    path = "/offer/batch"
    refused(live, "a batch that is no list but the form good", path, GOOD, named=False)
    refused(live, "a batch that is no list but the number 7", path, 7, named=False)
    refused(live, "a batch of the form good and the number 7", path, [GOOD, 7], named=False)
    check_prices(live, forms * 20)
    for many, name in ([GOOD] * 101, "101 good forms"), ([{}] * 101, "101 empty forms"):
        came = live.ask("POST", "/offer/batch", json=many).status_code
        if came != 413:
            raise Wrong(
                f"{name} should be refused with 413, and are answered with {came}: count them "
                "before the schema looks at them; 100 are still fine."
            )


def check_prices(live, forms):
    """Raise Wrong unless the batch gets its prices, in order."""
    what = f"a batch of {len(forms)} good forms" if forms else "the empty batch, [],"
    remedy = "good forms get 200; 100 of them are still fine, and so is none"
    response = live.status(200, "POST", "/offer/batch", remedy, json=forms)
    came = json_of("POST /offer/batch", response)
    if not isinstance(came, list):
        raise Wrong(
            f"{what} should be answered with a JSON list, and is with {show(came)}: give jsonify "
            "the list itself."
        )
    if len(came) != len(forms):
        raise Wrong(
            f"{what} should get {len(forms)} answers, and gets {len(came)}: one for each form."
        )
    prices = []
    for one in came:
        prices.append(check_keys("POST /offer/batch, for each form,", one, {"price": "number"}))
    prices = [round(one["price"], 2) for one in prices]
    expected = [round(price_of(form), 2) for form in forms]
    if prices != expected and sorted(prices) == sorted(expected):
        raise Wrong(
            f"{what} gets the right prices in another order, {show(prices)} and not "
            f"{show(expected)}: who asks knows her customers by their places only."
        )
    expect(f"the prices for {what}", prices, expected, "price(form) computes each")


def check_refused_batch(live, forms, expected):
    """Raise Wrong unless the batch is refused, and index and field of all problems are named."""
    places = sorted({index for index, _ in expected})
    what = f"a batch of {len(forms)} that is bad at index {' and '.join(map(str, places))}"
    response = live.ask("POST", "/offer/batch", json=forms)
    if response.status_code == 200:
        came = json_of(what, response)
        count = len(came) if isinstance(came, list) else 0
        if count == len(forms):
            raise Wrong(
                f"{what} is answered with 200 and {show(came)}: one bad form refuses the whole "
                "batch, with 400."
            )
        raise Wrong(
            f"{what} is answered with 200 and {count} prices: the bad form is dropped in silence, "
            "and nobody knows whose price is whose. Refuse the batch, with 400."
        )
    problems = refused(live, what, "/offer/batch", forms)
    for one in problems:
        if "index" not in one:
            raise Wrong(
                f"{what} is refused, and a problem has no index: which of the {len(forms)} is it? "
                "In a batch pydantic's loc begins with it."
            )
        index = one["index"]
        if not isinstance(index, int) or isinstance(index, bool):
            raise Wrong(f"{what}: index should be a number, and is {show(index)}.")
    named = {(one["index"], one["field"]) for one in problems}
    if named == {(index + 1, field) for index, field in expected}:
        raise Wrong(f"{what} gets the index {places[0] + 1}: count from 0, as lists do.")
    if named < expected:
        raise Wrong(
            f"{what} should be told all problems, {sorted(expected)}, and is told {sorted(named)} "
            "only: go on behind the first."
        )
    what = f"index and field of the problems of {what}"
    expect(what, sorted(named), sorted(expected), "pydantic's loc is the pair of them")


# --- Services, good and bad, for a-test-that-can-fail ---


def offers(
    price=price_of, mend=lambda form: form, refuse=lambda problems: (400, problems), more=None
):
    """Return what a stand-in answers: the offer service, or with other parts a worse one.

    price: from the good form. mend: changes a form before the schema sees it. refuse: from the
    body of a refusal to (status, body). more: what stands beside the price.
    """

    def answer(asked, _):
        if asked.path != "/offer":
            return 404, {"error": "no such path"}
        if asked.method != "POST":
            return 405, {"error": "POST only"}
        if not only_json(asked):
            return 415, {"error": "send JSON"}
        try:
            form = json.loads(asked.body)
            form = mend(form) if isinstance(form, dict) else form
            Offer.model_validate(form)
        except ValidationError as invalid:
            named = [
                {"field": "".join(map(str, error["loc"][:1])) or "form", "problem": error["msg"]}
                for error in invalid.errors()
            ]
            return refuse({"problems": named})
        except ValueError:
            return 400, {"error": "no JSON"}
        return 200, {"price": round(price(form), 2)} | (more or {})

    return answer


def in_other_words(body):
    """Return a refusal that keeps the promises, and differs in all that they leave open."""
    problems = [
        {"given": "?", "problem": "please look again", "field": one["field"]}
        for one in reversed(body["problems"])
    ]
    return 400, {"error": "This form has mistakes.", "problems": problems}


def nameless(body):
    """Return a refusal that speaks of the fields, and says nowhere which of them is wrong."""
    fields = "A form has contract, tenure, monthlycharges and seniorcitizen."
    return 400, {"error": fields, "problems": [{"field": "form", "problem": fields}]}


def all_fields(body):
    """Return a refusal that blames every field, the bad ones first."""
    named = [one["field"] for one in body["problems"]]
    named += sorted(FIELDS.difference(named))
    return 400, {"problems": [{"field": field, "problem": "look here"} for field in named]}


def another_field(body):
    """Return a refusal that blames another field when a single one is bad."""
    problems = body["problems"]
    if len(problems) == 1:
        problems = [problems[0] | {"field": "monthlycharges"}]
    return 400, {"problems": problems}


def created(good_service):
    """Return what a service answers that says 201 where the promise is 200."""

    def answer(asked, number):
        status, body = good_service(asked, number)
        return (201 if status == 200 else status), body

    return answer


def numbers(form):
    """Return the form with numbers instead of texts that spell one."""
    return {
        name: int(value) if isinstance(value, str) and value.isdecimal() else value
        for name, value in form.items()
    }


def spelling(form):
    """Return the form with its contract in the model's spelling."""
    contract = form.get("contract")
    known = contract.lower().replace(" ", "_") if isinstance(contract, str) else contract
    return form | {"contract": known} if "contract" in form else form


GOOD_SERVICES = {
    "keeps all promises": offers(),
    "keeps all promises, with other sentences, another order and more keys": offers(
        refuse=in_other_words, more={"currency": "EUR"}
    ),
}
BAD_SERVICES = {
    "refuses the form good, too (promise 1)": offers(mend=lambda form: {}),
    "answers the form good with 201 and not 200 (promise 1)": created(offers()),
    "asks 80 for the form good, without the discount (promise 1)": offers(
        price=lambda form: form["monthlycharges"]
    ),
    "answers {} with 200 and a price (promise 2)": offers(mend=lambda form: form or GOOD),
    'takes the tenure "41" (promise 2)': offers(mend=numbers),
    'takes the contract "One year" (promise 2)': offers(mend=spelling),
    "refuses with 500, as if it were our mistake (promise 2)": offers(
        refuse=lambda body: (500, body)
    ),
    "refuses with a web page (promise 3)": offers(
        refuse=lambda body: (400, "<h1>Bad Request</h1>")
    ),
    "refuses without problems (promise 3)": offers(refuse=lambda body: (400, {"error": "no"})),
    "names no field in problems (promise 3)": offers(refuse=nameless),
    "names monthlycharges when tenure or contract is bad (promise 3)": offers(refuse=another_field),
    "names only the first of the four fields that are missing in {} (promise 3)": offers(
        refuse=lambda body: (400, {"problems": body["problems"][:1]})
    ),
    "names all four fields, whatever is wrong (promise 3)": offers(refuse=all_fields),
}


@lab.exercise(
    "a-test-that-can-fail",
    lesson="A test",
    hints=[
        'requests.post(url + "/offer", json=form, timeout=10) asks; begin with the form good.',
        "assert answer.status_code == 200, and one more assert for answer.json()['price'].",
        "Three bad forms, one loop: for form, fields in [({}, FIELDS), ...]: ask, assert 400, "
        "assert the fields.",
        "The names: {one['field'] for one in answer.json()['problems']}, a set, which has no "
        "order. Compare it with == to the set of fields.",
    ],
)
def test_that_can_fail(answer):
    function = answer.function("test_service")
    for name, reply in GOOD_SERVICES.items():
        asked, _, _, error = try_test(function, reply)
        if not asked:
            raise Wrong(
                f"test_service {'passes' if error is None else f'raised {describe(error)}'}, and "
                "the service at url got no request: def test_service(url): should ask it, with "
                'requests.post(url + "/offer", json=...). A test that asks nobody, or a fixed '
                "address, proves nothing."
            )
        if error is not None:
            refuse_changed(answer)
            raise Wrong(
                f"test_service fails on a service that {name}: {describe(error)}"
                f"{function.place(error)}. Hold it to the three promises and to nothing else."
            )
    missed, printed, returned = [], "", None
    for name, reply in BAD_SERVICES.items():
        _, text, result, error = try_test(function, reply)
        if error is None:
            missed.append(name)
            printed += text
            returned = result if returned is None else returned
    count = len(BAD_SERVICES)
    if not missed:
        return f"Correct: it fails on all {count} bad services, and on no good one."
    if returned is not None:
        remedy = "add an assert that sees it; what a test returns, pytest does not look at."
    elif printed:
        remedy = "add an assert that sees it; what a test prints, nobody reads."
    elif len(missed) == count:
        remedy = "it never fails. Is there an assert, and no except that catches it?"
    else:
        remedy = "add an assert that sees it."
    raise Wrong(
        f"test_service passes on {len(missed)} of {count} bad services, such as one that "
        f"{missed[0]}: {remedy}"
    )


def try_test(function, reply):
    """Run a learner's test on a stand-in; return its requests, output, result and exception."""
    with stand_in(reply) as service, contextlib.redirect_stdout(io.StringIO()) as output:
        result, error = function.attempt((service.url,))
    return service.requests, output.getvalue(), result, error
