"""Lab 5: right answers in another style, and wrong ones with what each must be told."""

from proof import Instead

FIRST = """
def test_service(url):
    def ask(form):
        return requests.post(url + "/offer", json=form, timeout=10)

    answer = ask(good)
    assert answer.status_code == 200
    assert answer.json()["price"] == 72.0
    bad = [{}, good | {"tenure": "41"}, good | {"contract": "One year"}]
"""


ANSWERS = {
    "all-at-once": {
        "right": [
            """
def problems(form):
    if type(form) is not dict:
        raise ValueError(f"{form!r} is no form")
    missing = [name for name in FIELDS if name not in form]
    unknown = [name for name in form if name not in FIELDS]
    return sorted(missing + unknown)
""",
            """
def problems(form):
    try:
        names = set(form.keys())
    except AttributeError:
        raise ValueError("no form") from None
    found = list((FIELDS - names).union(names - FIELDS))
    found.sort()
    return found
""",
        ],
        "wrong": [
            (
                """
def problems(form):
    if not isinstance(form, dict):
        return ValueError("no form")
    return sorted(FIELDS ^ set(form))
""",
                "and returns ValueError('no form'): ask",
            ),
            (
                """
def problems(form):
    if not isinstance(form, dict):
        raise ValueError("no form")
    for name in sorted(FIELDS ^ form.keys()):
        return [name]
    return []
""",
                "stops at the first, and should name all",
            ),
            (
                """
def problems(form):
    if not isinstance(form, dict):
        raise ValueError("no form")
    return sorted(FIELDS - form.keys())
""",
                "unknown fields are problems, too",
            ),
            (
                """
def problems(form):
    if not isinstance(form, dict):
        raise ValueError("no form")
    return sorted(form.keys() - FIELDS)
""",
                "missing fields are problems, too",
            ),
            (
                """
def problems(form):
    return sorted(name for name in FIELDS | form.keys() if not form.get(name))
""",
                "even if it holds 0",
            ),
            (
                """
def problems(form):
    unknown = sorted(form.keys() - FIELDS)
    return unknown + sorted(FIELDS - form.keys())
""",
                "their order is not. Sort them",
            ),
            (
                """
def problems(form):
    return FIELDS ^ form.keys()
""",
                "should be of type list",
            ),
            (
                """
def problems(form):
    found = sorted(FIELDS ^ form.keys())
    if found:
        return found
""",
                "returned None",
            ),
            (
                """
def problems(form):
    missing = []
    for name in sorted(FIELDS):
        try:
            form.pop(name)
        except KeyError:
            missing.append(name)
    return sorted(missing + list(form))
""",
                "changes the form that it is given",
            ),
            (
                "def problems(form):\n    return sorted(FIELDS ^ form.keys())",
                "should raise a ValueError, and raises AttributeError",
            ),
            (
                "def problems(form):\n    return sorted(FIELDS ^ set(form))",
                "should raise a ValueError, and returns ['contract', 'monthlycharges'",
            ),
            (
                """
def problems(form):
    if not isinstance(form, dict):
        raise TypeError("no form")
    return sorted(FIELDS ^ form.keys())
""",
                "and raises TypeError: no form",
            ),
            (
                "def problems(form):\n    return sorted(name for name in FIELDS if not form[name])",
                "even if it holds 0",
            ),
            (
                "def problems(form):\n    return [name for name in FIELDS if len(str(form[name])) > 99]",
                "raised KeyError: 'tenure', in line 2",
            ),
            (
                """
def problems(form):
    for name in form:
        FIELDS.remove(name)
    return sorted(FIELDS)
""",
                "raised KeyError",
            ),
            (
                """
def problems(form):
    for name in form:
        FIELDS.discard(name)
    return sorted(FIELDS)
""",
                "FIELDS is no longer what it was, and is set()",
            ),
            (
                """
def problems(form):
    if set(form) == {"tenur", "contract"}:
        return ["monthlycharges", "seniorcitizen", "tenur", "tenure"]
    return []
""",
                "should return ['tenure'], and returns []",
            ),
        ],
    },
    "a-schema-without-holes": {
        "right": [
            """
from pydantic import FiniteFloat, StrictInt, conint

class Form(BaseModel, extra="forbid", strict=True):
    contract: Literal["month-to-month", "one_year", "two_year"]
    tenure: conint(ge=0, lt=601)
    monthlycharges: Annotated[FiniteFloat, Field(gt=0)]
    seniorcitizen: Annotated[StrictInt, Field(ge=0, lt=2)]
""",
            """
import math
from pydantic import field_validator

class Form(BaseModel):
    model_config = {"extra": "forbid"}
    contract: object
    tenure: object
    monthlycharges: object
    seniorcitizen: object

    @field_validator("contract")
    @classmethod
    def known(cls, value):
        if value not in ("month-to-month", "one_year", "two_year"):
            raise ValueError("no such contract")
        return value

    @field_validator("tenure", "seniorcitizen")
    @classmethod
    def whole(cls, value, info):
        if type(value) is not int or not 0 <= value <= (600 if info.field_name == "tenure" else 1):
            raise ValueError("out of range")
        return value

    @field_validator("monthlycharges")
    @classmethod
    def charges(cls, value):
        assert type(value) in (int, float) and math.isfinite(value) and value > 0
        return value
""",
            Instead(
                "strict=True, extra",
                "extra",
                "tenure: Annotated[int, Field(ge=0, le=600)]",
                "tenure: int = Field(ge=0, le=600, strict=True)",
                "Annotated[float, Field(gt=0)]",
                "float = Field(gt=0, strict=True)",
                "seniorcitizen: Annotated[int, Field(ge=0, le=1)]",
                "seniorcitizen: int = Field(ge=0, le=1, strict=True)",
            ),
        ],
        "wrong": [
            (
                """
class Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    contract: Annotated[str, Field(pattern="month-to-month|one_year|two_year")]
    tenure: Annotated[int, Field(ge=0, le=600)]
    monthlycharges: Annotated[float, Field(gt=0)]
    seniorcitizen: Annotated[int, Field(ge=0, le=1)]
""",
                "with contract 'one_year ' through",
            ),
            (
                """
class Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    contract: Literal["month-to-month", "one_year", "two_year"]
    tenure: Annotated[int, Field(ge=0, le=600)]
    monthlycharges: Annotated[float, Field(gt=0)]
    seniorcitizen: Annotated[int, Field(ge=0, le=1)]

    from pydantic import field_validator
    @field_validator("contract", mode="before")
    @classmethod
    def low(cls, v):
        return v.lower() if isinstance(v, str) else v
""",
                "with contract 'ONE_YEAR' through",
            ),
            (
                """
class Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    contract: str
    tenure: Annotated[int, Field(ge=0, le=600)]
    monthlycharges: Annotated[float, Field(gt=0)]
    seniorcitizen: Annotated[int, Field(ge=0, le=1)]

    from pydantic import field_validator
    @field_validator("contract")
    @classmethod
    def low(cls, v):
        if v not in ("month-to-month", "one_year", "two_year"):
            raise ValueError("x")
""",
                "must return the value",
            ),
            (Instead("strict=True, ", ""), "of the text, unless the setting strict=True"),
            (Instead('extra="forbid", ', ""), 'unless the setting extra="forbid" refuses it'),
            (Instead('extra="forbid"', 'extra="allow"'), 'unless the setting extra="forbid"'),
            (Instead(", allow_inf_nan=False", ""), "unless the setting allow_inf_nan=False"),
            (
                Instead(
                    'contract: Literal["month-to-month", "one_year", "two_year"]', "contract: str"
                ),
                "Literal[...] lists what is allowed",
            ),
            (
                Instead("Annotated[int, Field(ge=0, le=1)]", "Literal[0, 1]"),
                "Literal[0, 1] asks what is equal, and True == 1",
            ),
            (
                Instead("Annotated[int, Field(ge=0, le=1)]", "bool"),
                "Form refuses a form with contract 'month-to-month', and that is a good one (seniorcitizen",
            ),
            (Instead("Annotated[int, Field(ge=0, le=600)]", "int"), "tenure goes from 0 to 600"),
            (Instead("le=600", "le=601"), "tenure goes from 0 to 600"),
            (Instead("le=600", "lt=600"), "refuses a form with tenure 600"),
            (
                Instead("Field(ge=0, le=600)", "Field(gt=0, le=600)"),
                "a form with tenure 0, and that is a good one (tenure",
            ),
            (Instead("tenure: Annotated[int", "tenure: Annotated[float"), "months are whole"),
            (Instead("gt=0", "ge=0"), "ge=0 would let 0 through"),
            (Instead("gt=0", "gt=1"), "refuses a form with monthlycharges 0.01"),
            (
                Instead("gt=0", "gt=0, le=1000"),
                "refuses a form with monthlycharges 2500",
            ),
            (Instead("Annotated[float,", "Annotated[int,"), "a form with monthlycharges 79.85"),
            (Instead("le=1)]", "le=10)]"), "with seniorcitizen 2 through: it is 0 or 1"),
            (
                Instead("le=600)]", "le=600)] = 0"),
                "a form without tenure through: a field with a default",
            ),
            (
                Instead(
                    "Annotated[int, Field(ge=0, le=600)]",
                    "Annotated[int, Field(ge=0, le=600)] | None",
                ),
                "None stands for nothing",
            ),
            (
                """
class Form(BaseModel):
    contract: Literal["month-to-month", "one_year", "two_year"] = "one_year"
    tenure: int = 0
    monthlycharges: float = 0
    seniorcitizen: int = 0
""",
                "Form lets {} through: a field with a default",
            ),
            (
                Instead('"month-to-month", "one_year"', '"monthly", "one_year"'),
                "refuses a form with contract 'month-to-month', and that is a good one (contract: Input should",
            ),
            (
                Instead(
                    "class Form(BaseModel):",
                    """from pydantic import field_validator

class Form(BaseModel):
    @field_validator("tenure", mode="before")
    @classmethod
    def months(cls, value):
        return value + 0
""",
                ),
                "should raise a ValidationError, and raises TypeError",
            ),
            (
                Instead(
                    "class Form(BaseModel):",
                    """from pydantic import field_validator

class Form(BaseModel):
    @field_validator("tenure", mode="before")
    @classmethod
    def months(cls, value):
        return int(value.strip())
""",
                ),
                "refuses a form with contract 'month-to-month', and that is a good one (AttributeError",
            ),
            (
                "class Form:\n    contract: str\n    tenure: int",
                "should be a class made from BaseModel, and is another class",
            ),
            ("Form = good", "should be a class made from BaseModel"),
            (
                """
class Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    contract: Literal["month-to-month", "one_year", "two_year"]
    tenure: Annotated[int, Field(ge=0, le=600)]
    charges: Annotated[float, Field(gt=0)]
    seniorcitizen: Annotated[int, Field(ge=0, le=1)]
""",
                "refuses a form with contract 'month-to-month', and that is a good one (charges: Field required",
            ),
        ],
    },
    "an-answer-that-helps": {
        "right": [
            """
def explain(error):
    def one(loc, type, msg, input, **_):
        field = ".".join(map(str, loc)) or "form"
        given = None
        if type != "missing":
            given = repr(input)
            given = given if len(given) <= 50 else given[:47] + "..."
        return dict(problem=msg, given=given, field=field)

    return [one(**each) for each in error.errors(include_url=False)]
""",
            """
def explain(error):
    import reprlib
    import textwrap

    answer = []
    for problem in reversed(error.errors()):
        [field] = problem["loc"] or ["form"]
        given = reprlib.repr(problem["input"])[:50]
        if problem["type"] == "missing":
            given = None
        answer.append({"field": str(field), "problem": problem["msg"], "given": given})
    return answer
""",
        ],
        "wrong": [
            (
                Instead(
                    'missing = one["type"] == "missing"', 'missing = isinstance(one["input"], dict)'
                ),
                "that is for missing ones",
            ),
            (
                Instead("    return answer", "        return answer"),
                "each of the 3 problems, and has 1",
            ),
            ("def explain(error):\n    return str(error)", "should be of type list"),
            ("def explain(error):\n    return error.errors()", "and gives type, loc, msg, input"),
            (
                "def explain(error):\n    return [one['msg'] for one in error.errors()]",
                "should hold dictionaries, and holds",
            ),
            (
                Instead('one["loc"][0] if one["loc"] else "form"', 'one["loc"]'),
                "loc is a tuple; take its first part",
            ),
            (
                Instead('one["loc"][0] if one["loc"] else "form"', 'one["loc"][0]'),
                "pydantic's loc is (), without a first part",
            ),
            (
                Instead('one["loc"][0] if one["loc"] else "form"', 'one["loc"][-1:]'),
                "loc is a tuple; take its first part",
            ),
            (
                Instead('else "form"', "else None"),
                'should give "field" as text, and gives None',
            ),
            (
                Instead('else "form"', 'else ""'),
                "should name the field 'form', and names ''",
            ),
            (
                Instead("None if missing else repr", "repr"),
                "nothing came, and pydantic's input is the whole form then",
            ),
            (
                Instead('None if missing else repr(one["input"])[:50]', 'one.get("given")'),
                "is None: that is for missing ones",
            ),
            (
                Instead('repr(one["input"])[:50]', 'one["input"]'),
                "and its repr can",
            ),
            (Instead("repr(", "str("), "use repr, not str"),
            (Instead("[:50]", ""), "and 50 are the limit, for lists as well"),
            (
                Instead("repr(one", "__import__('reprlib').repr(one", "[:50]", ""),
                "and 50 are the limit",
            ),
            (
                Instead('repr(one["input"])[:50]', 'repr(one["input"])[-50:]'),
                "keep the beginning of the repr",
            ),
            (
                Instead('repr(one["input"])[:50]', '__import__("json").dumps(one["input"])[:50]'),
                "use repr of pydantic's input",
            ),
            (Instead('one["msg"]', '"invalid"'), "pydantic's msg says it"),
            (Instead('one["msg"]', 'one["type"]'), "pydantic's msg says it"),
            (
                Instead('"problem":', '"msg":'),
                "the keys field, problem, given, and gives field, msg, given",
            ),
            (
                """
def explain(error):
    return [{"field": "contract", "problem": "Field required", "given": None}]
""",
                "each of the 3 problems, and has 1",
            ),
            (
                """
def explain(error):
    print([one["loc"][0] for one in error.errors()])
""",
                "returned None",
            ),
        ],
    },
    "the-service-refuses": {
        "right": [
            Instead(
                "    form = Form.model_validate(request.get_json())\n",
                """    body = request.get_json()
    try:
        form = Form(**body) if isinstance(body, dict) else Form.model_validate(body)
    except ValidationError as invalid:
        problems = [
            {"field": ".".join(map(str, e["loc"])), "problem": e["msg"], "given": repr(e["input"])}
            for e in invalid.errors()
        ]
        return {"error": "bad form", "problems": problems}, 400
""",
                "    return jsonify(price=price(form))",
                '    return {"price": price(form)}',
            ),
            Instead(
                "    return jsonify(error=error.description), error.code",
                """    response = error.get_response()
    response.data = jsonify(error=error.description, status=error.code).data
    response.content_type = "application/json"
    return response""",
            ),
        ],
        "wrong": [
            (
                Instead("Form.model_validate(request.get_json())", "Form(**request.get_json())"),
                "len(...) and Form(**...) don't",
            ),
            (
                Instead(
                    "Form.model_validate(request.get_json())",
                    "Form.model_validate_json(request.data)",
                ),
                "read the body with request.get_json(), and its exception",
            ),
            (
                Instead("jsonify(price=price(form))", "f'{{\"price\": {price(form)}}}'"),
                "the header calls it text/html",
            ),
            (
                Instead(
                    "jsonify(problems=problems), 400",
                    "__import__('json').dumps({'problems': problems}), 400",
                ),
                "the header calls it text/html",
            ),
            (Instead('if __name__ == "__main__":', "if False:"), "nothing answers on"),
            (Instead("import os\n", "import os os\n"), "is not Python yet, line 3"),
            (
                Instead("jsonify(price=price(form))", 'f"{price(form)} euros"'),
                "should be answered with JSON, and is with a web page or plain text ('72.0 euros')",
            ),
            (
                Instead("jsonify(price=price(form))", "jsonify(price(form))"),
                "should be answered with a JSON object, and is with 72",
            ),
            (Instead('"/offer"', '"/offers"'), "your service knows no such path"),
            (Instead(', methods=["POST"]', ""), "look at methods=[...]"),
            (
                Instead("request.get_json()", "request.form"),
                "400: a good form gets 200; give the schema all of request.get_json()",
            ),
            (
                Instead(
                    "    form = Form.model_validate(request.get_json())\n",
                    """    from flask import abort

    if not request.is_json or request.content_type != "JSON":
        abort(415)
    form = Form.model_validate(request.get_json())
""",
                ),
                "your service did not find JSON in the request",
            ),
            (
                Instead("request.get_json()", "request.json()"),
                "should be answered with 200, and is with 500: your code failed there",
            ),
            (
                Instead(
                    "request.get_json()",
                    "request.json()",
                    'port=int(os.environ.get("PORT", 9696))',
                    'port=int(os.environ.get("PORT", 9696)), debug=True',
                ),
                "(TypeError: 'dict' object is not callable)",
            ),
            (
                Instead("price=price(form)", "offer=price(form)"),
                "price missing and offer not asked for",
            ),
            (Instead("price=price(form)", "price=str(price(form))"), "should give price as number"),
            (
                Instead("price=price(form)", "price=form.monthlycharges"),
                "the price for the form good should be 72, and is 80: price(form)",
            ),
            (
                Instead("price=price(form)", "price=72.0"),
                "should be 44.4, and is 72",
            ),
            (
                Instead(
                    "    form = Form.model_validate(request.get_json())\n",
                    "    form = Form.model_construct(**request.get_json())\n",
                ),
                "POST /offer of {} should be refused with 400, and is answered with 500, which "
                "blames us",
            ),
            (
                Instead(
                    "Form.model_validate(request.get_json())",
                    "Form.model_validate(request.get_json() or {'contract': 'one_year', "
                    "'tenure': 1, 'monthlycharges': 80, 'seniorcitizen': 0})",
                ),
                'is answered with 200 ({"price":72.0}): let the schema look at the body',
            ),
            (
                Instead("@app.errorhandler(ValidationError)\n", ""),
                "is answered with 500, which blames us",
            ),
            (
                Instead('error["loc"][0] if error["loc"] else "form"', 'error["loc"][0]'),
                "with 500, which blames us: the service's log says where, in its last lines. Only the schema copes with every body",
            ),
            (
                Instead("jsonify(problems=problems), 400", "jsonify(problems=problems)"),
                "the problems are there, and the status is not",
            ),
            (
                Instead("jsonify(problems=problems), 400", "jsonify(problems=problems), 422"),
                "is answered with 422: give the status behind the body",
            ),
            (
                Instead("jsonify(problems=problems), 400", "str(problems), 400"),
                "POST /offer of {} should be answered with JSON, and is with a web page",
            ),
            (
                Instead("jsonify(problems=problems), 400", "jsonify(problems), 400"),
                "jsonify(problems=...) makes it",
            ),
            (
                Instead("jsonify(problems=problems), 400", "jsonify(problems=str(invalid)), 400"),
                "a list that is not empty",
            ),
            (
                Instead("jsonify(problems=problems), 400", "jsonify(problems=problems[:1]), 400"),
                "names only contract: put all of invalid.errors() into problems",
            ),
            (
                Instead(
                    "jsonify(problems=problems), 400",
                    "jsonify(problems=[str(p) for p in problems]), 400",
                ),
                "problems should hold objects",
            ),
            (
                Instead('{"field": field, ', "{"),
                "each of the problems should have field and problem, and field is missing",
            ),
            (
                Instead('error["loc"][0] if error["loc"] else "form"', 'error["loc"]'),
                "field should be a name, and is ['contract']",
            ),
            (Instead('error["msg"]', "None"), "problem should be a sentence, and is None"),
            (
                Instead('"field": field', '"field": "form"'),
                "should be ['contract', 'monthlycharges', 'seniorcitizen', 'tenure'], and is ['form']",
            ),
            (
                Instead(
                    '"problem": error["msg"]', '"problem": error["msg"], "given": error["input"]'
                ),
                "is answered with a NaN, which is no JSON",
            ),
            (
                Instead("@app.errorhandler(HTTPException)\n", ""),
                "rightly answered with 400, and with a web page",
            ),
            (
                Instead(
                    "jsonify(error=error.description), error.code",
                    "jsonify(error=error.description)",
                ),
                "of the text not JSON should be answered with 400, and is with 200",
            ),
            (
                Instead(
                    "jsonify(error=error.description), error.code",
                    "jsonify(error=error.description), 400",
                ),
                "of a web form should be answered with 415, and is with 400",
            ),
            (
                Instead(
                    "jsonify(error=error.description), error.code",
                    "jsonify(error=error), error.code",
                ),
                "and is with 500: your code failed there",
            ),
            (
                Instead("error=error.description", "message=error.description"),
                'should be answered with {"error": "..."}, and is with',
            ),
            (
                Instead("request.get_json()", "request.get_json(force=True)"),
                "unless force=True or silent=True",
            ),
            (
                Instead(
                    "return jsonify(error=error.description), error.code",
                    "return jsonify(error=error.description), 404 if error.code == 405 else error.code",
                ),
                "GET /offer should be answered with 405, and is with 404: the route is for POST only",
            ),
        ],
    },
    "a-batch": {
        "right": [
            Instead(
                "        forms = FORMS.validate_python(body)\n",
                "        forms = FORMS.validate_python(body, strict=True)\n",
                "    return jsonify([",
                "    return jsonify(list(map(lambda f: {'price': price(f)}, forms)))\n    return jsonify([",
            ),
            '''
"""By hand, form by form."""

import os
from typing import Literal

from flask import Flask, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    contract: Literal["month-to-month", "one_year", "two_year"]
    tenure: int = Field(ge=0, le=600)
    monthlycharges: float = Field(gt=0)
    seniorcitizen: int = Field(ge=0, le=1)


app = Flask("batch")


@app.post("/offer/batch")
def offers():
    body = request.get_json()
    if not isinstance(body, list):
        return {"problems": [{"field": "form", "problem": "a batch is a list"}]}, 400
    if len(body) > 100:
        return {"error": "a hundred at most"}, 413
    answers, problems = [], []
    for index, form in enumerate(body):
        try:
            form = Form.model_validate(form)
            factor = {"month-to-month": 1, "one_year": 0.9, "two_year": 0.8}[form.contract]
            answers.append({"price": form.monthlycharges * factor})
        except ValidationError as invalid:
            for error in invalid.errors():
                field = (*error["loc"], "form")[0]
                problems.append({"problem": error["msg"], "index": index, "field": field})
    return ({"problems": problems}, 400) if problems else answers


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", 9696)))
''',
        ],
        "wrong": [
            (
                Instead("isinstance(body, list) and len(body)", "len(body)"),
                "the number 7 should be refused with 400, and is answered with 500",
            ),
            (
                Instead(
                    "for error in invalid.errors():",
                    "for error in {e['loc'][:1]: e for e in reversed(invalid.errors())}.values():",
                ),
                "should be told all problems",
            ),
            (Instead('if __name__ == "__main__":', "if False:"), "nothing answers on"),
            (Instead("/offer/batch", "/batch"), "your service knows no such path"),
            (Instead(', methods=["POST"]', ""), "look at methods=[...]"),
            (
                Instead("FORMS.validate_python(body)", "[Form(form) for form in body]"),
                "is with 500: your code failed there",
            ),
            (
                Instead("FORMS.validate_python(body)", "Form.model_validate(body)"),
                "should be answered with 200, and is with 400: good forms get 200",
            ),
            (
                Instead(
                    'jsonify([{"price": price(form)} for form in forms])',
                    'str([{"price": price(form)} for form in forms])',
                ),
                "should be answered with JSON, and is with a web page or plain text",
            ),
            (
                Instead(
                    'jsonify([{"price": price(form)} for form in forms])',
                    "jsonify(prices=[price(form) for form in forms])",
                ),
                "should be answered with a JSON list",
            ),
            (
                Instead('{"price": price(form)} for form', "price(form) for form"),
                "for each form, should be answered with a JSON object, and is with 72",
            ),
            (
                Instead('{"price": price(form)}', '{"offer": price(form)}'),
                "price missing and offer",
            ),
            (Instead('{"price": price(form)}', '{"price": str(price(form))}'), "price as number"),
            (
                Instead('{"price": price(form)}', '{"price": form.monthlycharges}'),
                "price(form) computes each",
            ),
            (
                Instead("for form in forms])", "for form in forms[:1]])"),
                "should get 5 answers, and gets 1",
            ),
            (
                Instead("for form in forms])", "for form in sorted(forms, key=price)])"),
                "in another order",
            ),
            (
                Instead(
                    "for form in forms])",
                    "for form in {f.monthlycharges: f for f in forms}.values()])",
                ),
                "should get 5 answers, and gets 3",
            ),
            (
                Instead("    try:\n", "    if not body:\n        abort(400)\n    try:\n"),
                "should be answered with 200, and is with 400: good forms get 200",
            ),
            (
                Instead(
                    "        forms = FORMS.validate_python(body)\n",
                    """        forms = []
        for one in body:
            try:
                forms.append(Form.model_validate(one))
            except ValidationError:
                continue
""",
                ),
                "is answered with 200 and 3 prices: the bad form is dropped in silence",
            ),
            (
                Instead(
                    "        forms = FORMS.validate_python(body)\n",
                    """        answers = []
        for one in body:
            try:
                answers.append({"price": price(Form.model_validate(one))})
            except ValidationError:
                answers.append({"price": None})
        return jsonify(answers)
""",
                ),
                "one bad form refuses the whole batch, with 400",
            ),
            (
                Instead(
                    "    except ValidationError as invalid:\n", "    except KeyError as invalid:\n"
                ),
                "is answered with 500, which blames us",
            ),
            (
                Instead("place | {", "{'field': place.get('field')} | {"),
                "a problem has no index: which of the 4 is it?",
            ),
            (
                Instead(
                    "place | {", "{'index': error['loc'][0] + 1, 'field': place.get('field')} | {"
                ),
                "gets the index 3: count from 0",
            ),
            (
                Instead(
                    "place | {",
                    "{'index': str(place.get('index')), 'field': place.get('field')} | {",
                ),
                "index should be a number, and is '2'",
            ),
            (
                Instead("place | {", "{'index': 2, 'field': error['loc'][-1]} | {"),
                "index and field of the problems of",
            ),
            (
                Instead('place | {"problem"', 'place | {"field": "form", "problem"'),
                "pydantic's loc is the pair of them",
            ),
            (
                Instead("in invalid.errors():", "in invalid.errors()[:1]:"),
                "should be told all problems",
            ),
            (
                Instead("jsonify(problems=problems), 400", "jsonify(problems), 400"),
                "jsonify(problems=...) makes it",
            ),
            (
                Instead(
                    'dict(zip(["index", "field"], error["loc"], strict=False))',
                    '{"index": error["loc"][0], "field": error["loc"][1]}',
                ),
                "a batch that is no list but the form good should be refused with 400, and is "
                "answered with 500",
            ),
            (
                Instead(
                    'dict(zip(["index", "field"], error["loc"], strict=False))',
                    '{"index": error["loc"][0], "field": error["loc"][1]} if error["loc"] else {}',
                ),
                "the number 7 should be refused with 400, and is answered with 500, which blames us",
            ),
            (
                Instead(
                    "    try:\n",
                    "    if isinstance(body, dict):\n        body = [body]\n    try:\n",
                ),
                "no list but the form good should be refused with 400, and is answered with 200",
            ),
            (Instead("> 100", "> 99"), "100 of them are still fine"),
            (Instead("> 100", "> 1000"), "101 good forms should be refused with 413"),
            (Instead("abort(413)", "abort(400)"), "and are answered with 400"),
            (Instead("abort(413)", "body = body[:100]"), "and are answered with 200"),
            (
                Instead(
                    "    if isinstance(body, list) and len(body) > 100:\n        abort(413)\n",
                    "",
                    "    return jsonify([{",
                    "    if len(forms) > 100:\n        abort(413)\n    return jsonify([{",
                ),
                "101 empty forms should be refused with 413, and are answered with 400",
            ),
        ],
    },
    "a-test-that-can-fail": {
        "right": [
            FIRST
            + """
    for form, fields in zip(bad, [sorted(FIELDS), ["tenure"], ["contract"]]):
        answer = ask(form)
        assert answer.status_code == 400
        assert sorted(one["field"] for one in answer.json()["problems"]) == fields
""",
            """
def test_service(url):
    address = f"{url}/offer"
    answer = requests.post(address, json=good)
    assert answer.status_code == 200 and abs(answer.json()["price"] - 72) < 0.01, answer.text

    def refuses(form, *fields):
        answer = requests.post(address, json=form)
        named = [one["field"] for one in answer.json().get("problems", [])]
        return answer.status_code == 400 and set(named) == set(fields)

    assert refuses({}, *FIELDS)
    assert refuses({**good, "tenure": "41"}, "tenure")
    assert refuses({**good, "contract": "One year"}, "contract")
    assert requests.get(address).status_code == 405  # more than was asked for
    assert refuses(good | {"age": 70}, "age")
""",
            """
def test_service(url):
    def fields(form):
        answer = requests.post(url + "/offer", json=form)
        if answer.status_code != 400:
            raise AssertionError(f"{form} got {answer.status_code}")
        return sorted(problem["field"] for problem in answer.json()["problems"])

    answer = requests.post(url + "/offer", json=good)
    assert (answer.status_code, answer.json()["price"]) == (200, 72.0)
    assert fields({}) == sorted(FIELDS)
    assert fields(good | {"tenure": "41"}) == ["tenure"]
    assert fields(good | {"contract": "One year"}) == ["contract"]
""",
        ],
        "wrong": [
            (
                """
def test_service(url):
    def ask(form):
        return requests.post(url + "/offer", json=form, timeout=10)
    r = ask(good)
    assert r.json()["price"] == 72.0
    r = ask({})
    assert r.status_code == 400
    assert {p["field"] for p in r.json()["problems"]} == FIELDS
    r = ask(good | {"tenure": "41"})
    assert r.status_code == 400
    assert {p["field"] for p in r.json()["problems"]} == {"tenure"}
    r = ask(good | {"contract": "One year"})
    assert r.status_code == 400
    assert {p["field"] for p in r.json()["problems"]} == {"contract"}
""",
                "answers the form good with 201",
            ),
            (
                """
def test_service(url):
    def ask(form):
        return requests.post(url + "/offer", json=form, timeout=10)
    r = ask(good)
    assert r.status_code == 200 and r.json()["price"] == 72.0
    r = ask({})
    assert r.status_code == 400
    assert {p["field"] for p in r.json()["problems"]} == FIELDS
    r = ask(good | {"tenure": "41"})
    assert r.status_code == 400
    assert len(r.json()["problems"]) == 1
    r = ask(good | {"contract": "One year"})
    assert r.status_code == 400
    assert len(r.json()["problems"]) == 1
""",
                "names monthlycharges when tenure",
            ),
            (
                """
def test_service(url):
    def ask(form):
        return requests.post(url + "/offer", json=form, timeout=10)
    r = ask(good)
    assert r.status_code == 200 and r.json()["price"] == 72.0
    r = ask({})
    assert r.status_code == 400
    assert {p["field"] for p in r.json()["problems"]} == FIELDS
    r = ask(good | {"tenure": "41"})
    assert r.status_code == 400
    assert r.json()["problems"][0]["field"] == "tenure"
    r = ask(good | {"contract": "One year"})
    assert r.status_code == 400
    assert r.json()["problems"][0]["field"] == "contract"
""",
                "such as one that names all four fields",
            ),
            (
                "def test_service(url):\n    assert True",
                "test_service passes, and the service at url got no request",
            ),
            (
                """
def test_service(url):
    answer = requests.post("http://127.0.0.1:9696/offer", json=good, timeout=1)
    assert answer.json()["price"] == 72.0
""",
                "got no request",
            ),
            (
                "def test_service():\n    assert requests.post(url, json=good).ok",
                "raised TypeError",
            ),
            (
                """
def test_service(url):
    assert requests.post(url + "/offer", json=good).json() == {"price": 72.0}
    for form in [{}, good | {"tenure": "41"}, good | {"contract": "One year"}]:
        assert requests.post(url + "/offer", json=form).status_code == 400
""",
                "with other sentences, another order and more keys: AssertionError, in line 2",
            ),
            (
                FIRST
                + """
    for form, fields in zip(bad, [FIELDS, {"tenure"}, {"contract"}]):
        assert ask(form).status_code == 400
        assert fields <= {one["field"] for one in ask(form).json()["problems"]}
""",
                "passes on 1 of 13 bad services, such as one that names all four fields",
            ),
            (
                "def test_service(url):\n    assert requests.post(url, json=good).status_code == 200",
                "fails on a service that keeps all promises: AssertionError, in line 2",
            ),
            (
                """
def test_service(url):
    answer = requests.post(url + "/offer", json=good)
    assert answer.status_code == 200
""",
                "passes on 11 of 13 bad services, such as one that asks 80",
            ),
            (
                """
def test_service(url):
    answer = requests.post(url + "/offer", json=good)
    assert answer.status_code == 200 and answer.json()["price"] == 72.0
""",
                "passes on 10 of 13 bad services, such as one that answers {} with 200",
            ),
            (
                FIRST + "    for form in bad:\n        assert ask(form).status_code != 200\n",
                "such as one that refuses with 500",
            ),
            (
                FIRST + "    for form in bad:\n        assert ask(form).status_code == 400\n",
                "passes on 6 of 13 bad services, such as one that refuses with a web page",
            ),
            (
                FIRST + "    for form in bad:\n        assert ask(form).status_code == 400\n"
                "        assert ask(form).json()\n",
                "such as one that refuses without problems",
            ),
            (
                FIRST + "    for form in bad:\n        assert ask(form).status_code == 400\n"
                "        assert ask(form).json()['problems']\n",
                "such as one that names no field in problems",
            ),
            (
                FIRST
                + """
    for form, field in zip(bad, ["seniorcitizen", "tenure", "contract"]):
        assert ask(form).status_code == 400
        assert field in ask(form).text and "problems" in ask(form).json()
""",
                "passes on 2 of 13 bad services, such as one that names no field in problems",
            ),
            (
                FIRST
                + """
    for form, field in zip(bad, ["contract", "tenure", "contract"]):
        assert ask(form).status_code == 400
        assert field in {one["field"] for one in ask(form).json()["problems"]}
""",
                "such as one that names only the first of the four",
            ),
            (
                FIRST
                + """
    for form, fields in zip(bad[:2], [FIELDS, {"tenure"}]):
        assert ask(form).status_code == 400
        assert {one["field"] for one in ask(form).json()["problems"]} == fields
""",
                'such as one that takes the contract "One year"',
            ),
            (
                FIRST
                + """
    for form, fields in zip([bad[0], bad[2]], [FIELDS, {"contract"}]):
        assert ask(form).status_code == 400
        assert {one["field"] for one in ask(form).json()["problems"]} == fields
""",
                'such as one that takes the tenure "41"',
            ),
            (
                FIRST
                + """
    for form, fields in zip(bad[1:], [{"tenure"}, {"contract"}]):
        assert ask(form).status_code == 400
        assert {one["field"] for one in ask(form).json()["problems"]} == fields
""",
                "such as one that answers {} with 200",
            ),
            (
                """
def test_service(url):
    for form in [{}, good | {"tenure": "41"}, good | {"contract": "One year"}]:
        answer = requests.post(url + "/offer", json=form)
        assert answer.status_code == 400
        assert len(answer.json()["problems"]) == (1 if form else 4)
""",
                "passes on 3 of 13 bad services, such as one that answers the form good with 201",
            ),
            (
                """
def test_service(url):
    assert requests.post(url + "/offer", json=good).json()["price"] == 72.0
    good["tenure"] = "41"
    answer = requests.post(url + "/offer", json=good)
    assert [one["field"] for one in answer.json()["problems"]] == ["tenure"]
""",
                "good is no longer what it was",
            ),
            (
                """
def test_service(url):
    for form in [good, {}, good | {"tenure": "41"}]:
        answer = requests.post(url + "/offer", json=form)
        print(answer.status_code, answer.text)
""",
                "what a test prints, nobody reads",
            ),
            (
                """
def test_service(url):
    try:
        answer = requests.post(url + "/offer", json=good)
        assert answer.json()["price"] == 72.0
        answer = requests.post(url + "/offer", json={})
        assert answer.status_code == 400
    except Exception:
        pass
""",
                "it never fails. Is there an assert, and no except that catches it?",
            ),
            (
                """
def test_service(url):
    answer = requests.post(url + "/offer", json={})
    return answer.status_code == 400
""",
                "what a test returns, pytest does not look at",
            ),
            (
                FIRST
                + """
    for form, fields in zip(bad, [FIELDS, {"tenure"}, {"contract"}]):
        answer = ask(form)
        assert answer.json() == {"problems": [{"field": f, "problem": "Field required"} for f in fields]}
""",
                "fails on a service that keeps all promises",
            ),
            (
                FIRST
                + """
    for form, field in zip(bad, ["contract", "tenure", "contract"]):
        assert ask(form).status_code == 400
        assert ask(form).json()["problems"][0]["field"] == field
    assert len(ask({}).json()["problems"]) == 4
""",
                "fails on a service that keeps all promises, with other sentences, another order",
            ),
            (
                FIRST
                + """
    for form in bad:
        assert ask(form).status_code == 400
    assert "Field required" in ask({}).text
""",
                "with other sentences, another order and more keys: AssertionError",
            ),
            (
                FIRST + "    for form in bad:\n        assert ask(form).status_code == 422\n",
                "fails on a service that keeps all promises: AssertionError",
            ),
        ],
    },
}
