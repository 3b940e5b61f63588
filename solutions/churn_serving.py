"""The churn service: POST a customer to /predict. README says what else, and how to set it up."""

import hashlib
import hmac
import json
import os
import pickle
import re
import reprlib
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import sklearn
from flask import Flask, abort, jsonify, request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler


def agrees(value: str, info: ValidationInfo) -> str:
    service = "phoneservice" if info.field_name == "multiplelines" else "internetservice"
    if (has := info.data.get(service)) and (has == "no") != value.startswith("no_"):
        raise PydanticCustomError("contradiction", f"contradicts {service}, which is {has!r}")
    return value


YesNo = Literal["no", "yes"]
InternetOption = Annotated[Literal["no", "no_internet_service", "yes"], AfterValidator(agrees)]


class Customer(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    customerid: Annotated[str, Field(exclude=True)] = ""  # the model does not use it
    gender: Literal["female", "male"]
    seniorcitizen: Annotated[int, Field(ge=0, le=1)]
    partner: YesNo
    dependents: YesNo
    tenure: Annotated[int, Field(ge=0, le=1200)]  # months
    phoneservice: YesNo
    multiplelines: Annotated[Literal["no", "no_phone_service", "yes"], AfterValidator(agrees)]
    internetservice: Literal["dsl", "fiber_optic", "no"]
    onlinesecurity: InternetOption
    onlinebackup: InternetOption
    deviceprotection: InternetOption
    techsupport: InternetOption
    streamingtv: InternetOption
    streamingmovies: InternetOption
    contract: Literal["month-to-month", "one_year", "two_year"]
    paperlessbilling: YesNo
    paymentmethod: Literal[
        "bank_transfer_(automatic)", "credit_card_(automatic)", "electronic_check", "mailed_check"
    ]
    monthlycharges: Annotated[float, Field(ge=0, le=1_000_000)]
    totalcharges: Annotated[float, Field(ge=0, le=1_000_000)]


FIELDS = Customer.model_json_schema()["properties"]
FEATURES = {n: f.get("enum", f["type"]) for n, f in FIELDS.items()} | {"seniorcitizen": [0, 1]}
COLUMNS = {f"{n}={text}" if text else n for n, f in FIELDS.items() for text in f.get("enum", [""])}
WORDS = {"model_type": "a customer is a JSON object", "extra_forbidden": "unknown field"}


def load_model(path: Path) -> tuple[Any, Any, dict[str, Any]]:
    """Return dv, model and card, or exit. Another NumPy may do: the known answer decides."""
    try:
        for file, most in (path.with_suffix(".json"), 2**18), (path, 2**26):
            if not file.is_file() or file.stat().st_size > most:  # a FIFO would keep us waiting
                raise OSError(f"{file.name} is missing, or no file, or has over {most} bytes")
        card, pickled = json.loads(path.with_suffix(".json").read_bytes()), path.read_bytes()
        if hashlib.sha256(pickled).hexdigest() != card["sha256"]:
            sys.exit(f"{path} is not the file that its card describes: run train.py again.")
        if (made := card["versions"]["scikit-learn"]) != (ours := sklearn.__version__):
            sys.exit(f"{path} is of scikit-learn {made!r:.20}, not {ours}: train again.")
        dv, model = pickle.loads(pickled)  # the very bytes that were checked
        fits = card["features"] | {"customerid": "string"} == FEATURES
        if not fits or {"customerid", *dv.feature_names_} != COLUMNS:
            sys.exit(f"{path} was trained on other fields or values than Customer's: train again.")
        probability = model.predict_proba(dv.transform([card["example"]]))[0, 1]
        if not abs(probability - card["example_probability"]) <= 1e-9:
            sys.exit(f"{path} does not give the answer that its card knows: run train.py again.")
        json.dumps(card, allow_nan=False)  # NaN is not JSON, and /health shows the card
        return dv, model, {key: card[key] for key in ("sha256", "versions", "trained", "auc")}
    except Exception as error:  # which one is up to the files
        sys.exit(f"No model and card at {path} ({error!r:.200}): run train.py, or set CHURN_MODEL.")


default = Path(__file__).resolve().with_name("churn-model.bin")
dv, model, card = load_model(Path(os.environ.get("CHURN_MODEL") or default))
MODEL = {"Churn-Model": card["sha256"]}  # which model answers
os.environ.pop("FLASK_DEBUG", None)  # its debugger would run any code that it is sent
app = Flask("churn", static_folder=None)
api_key = os.environ.get("CHURN_API_KEY")
if api_key is not None and not re.fullmatch(r"[!-~]{16,}", api_key):  # an empty one, say
    sys.exit("CHURN_API_KEY must have 16 or more ASCII characters, no spaces: or leave it unset.")


@app.before_request
def check_request() -> None:
    method, path = request.environ["REQUEST_METHOD"], request.environ["PATH_INFO"]
    if api_key and not (method in ("GET", "HEAD") and path in ("/ping", "/health")):
        given = request.headers.get("Authorization", "").encode(errors="replace")
        if not hmac.compare_digest(given[:7].lower() + given[7:], b"bearer " + api_key.encode()):
            abort(401, "Send Authorization: Bearer KEY", www_authenticate=WWWAuthenticate("bearer"))
    if "//" in path:
        abort(404)
    if request.url_rule and method not in request.url_rule.methods:
        abort(405, request.url_rule.methods)


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > 200:  # no customer: a hundred strangers are enough to say so
        pairs = [pair for i, pair in enumerate(pairs) if i < 100 or pair[0] in FIELDS][:200]
    if len(fields := dict(pairs)) < len(pairs):
        name = max(fields, key=[name for name, _ in pairs].count)
        raise ValueError(f"the field {reprlib.repr(name)} stands there twice")
    return fields


def read_json(limit: int) -> Any:  # more strictly than Flask reads it; limit: in bytes
    if request.mimetype != "application/json":
        abort(415, "Send JSON, with the header Content-Type: application/json.")
    request.max_content_length = limit + 1  # a body without a length is cut there, not refused
    if len(request.get_data()) > limit:
        abort(413)
    if request.get_data().count(b"{") > 50_000:  # `unique` would be called for each
        abort(400, "The body has more than 50,000 braces.")
    try:
        return json.loads(request.get_data().decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        abort(400, f"The body can't be read as JSON: {error}.")


def answers(customers: Any) -> list[dict[str, Any]]:
    """Return the model's answers, or abort. NumPy's numbers are not JSON: float(), bool()."""
    features, problems = [], []
    if not isinstance(customers, list) or len(customers) > 1000:
        one = {"problem": "a batch is a list of up to 1000 customers", "allowed": list(FIELDS)}
        problems, customers = [one | {"given": reprlib.aRepr.repr1(customers, 1)[:100]}], []
    for place, customer in enumerate(customers):
        try:
            features.append(Customer.model_validate(customer).model_dump())
        except ValidationError as invalid:
            for error in invalid.errors(include_url=False):
                one = {} if request.path == "/predict" else {"customer": place}
                one |= {"field": error["loc"][0][:40]} if error["loc"] else {}
                one["problem"] = WORDS.get(error["type"], error["msg"])
                one["given"] = reprlib.aRepr.repr1(error["input"], 1)[:100]  # of lists: one level
                problems.append(one | {"allowed": FIELDS.get(one.get("field"), list(FIELDS))})
        if len(problems) >= 100:
            break
    while len(json.dumps(problems := problems[:100])) > 60_000:
        del problems[len(problems) // 2 :]
    if problems:
        abort(400, {"error": f"{len(problems)} problem(s)", "problems": problems})
    probabilities = model.predict_proba(dv.transform(features))[:, 1] if features else []
    return [{"churn_probability": float(p), "churn": bool(p >= 0.5)} for p in probabilities]


@app.route("/predict", methods=["POST"])
def predict():
    return jsonify(answers([read_json(2**14)])[0]), MODEL


@app.route("/predict/batch", methods=["POST"])
def predict_batch():
    return jsonify(answers(read_json(2**20))), MODEL


@app.route("/ping", methods=["GET"])
def ping():
    return "PONG"


@app.route("/health", methods=["GET"])
def health():
    return jsonify(status="ok", model=card)


@app.errorhandler(HTTPException)  # an unexpected exception comes here as a 500, logged
def as_json(error):
    told = error.description if type(error.description) is dict else {"error": error.description}
    response = error.get_response()
    response.data, response.content_type = jsonify(told).data, "application/json"
    return response, MODEL


if __name__ == "__main__":
    if not (port := os.environ.get("PORT") or "9696").isdecimal() or int(port) > 65535:
        sys.exit(f"PORT is {port!r}: it must be a number up to 65535.")

    class Exact(WSGIRequestHandler):
        def make_environ(self):  # Python's server takes //ping for /ping
            path = self.requestline.split()[1]
            return super().make_environ() | ({"PATH_INFO": path} if path[:2] == "//" else {})

    app.run(host="127.0.0.1", port=int(port), request_handler=Exact)
