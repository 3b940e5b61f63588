"""The churn service: POST a customer to /predict.

In the environment, PORT and CHURN_MODEL change the port and the model's file, and CHURN_API_KEY
sets a key that a request must carry: Authorization: Bearer KEY.
"""

import hashlib
import hmac
import json
import os
import pickle
import re
import reprlib
import sys
from pathlib import Path
from typing import Annotated, Literal

import sklearn
from flask import Flask, abort, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import HTTPException, Unauthorized

YesNo = Literal["no", "yes"]
InternetOption = Literal["no", "no_internet_service", "yes"]


class Customer(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    customerid: Annotated[str, Field(exclude=True)] = ""  # the model does not use it
    gender: Literal["female", "male"]
    seniorcitizen: Annotated[int, Field(ge=0, le=1)]
    partner: YesNo
    dependents: YesNo
    tenure: Annotated[int, Field(ge=0, le=1200)]  # months
    phoneservice: YesNo
    multiplelines: Literal["no", "no_phone_service", "yes"]
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


BATCH = TypeAdapter(Annotated[list[Customer], Field(max_length=1000)])
ALLOWED = Customer.model_json_schema()["properties"]
MESSAGES = {"model_type": "a customer is a JSON object", "extra_forbidden": "unknown field"}


def load_model(path):
    """Return dv, model and the card's essentials; exit if file, card and library don't match."""
    try:
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        card = {key: card[key] for key in ["sha256", "versions", "trained", "auc"]}
        pickled, version = path.read_bytes(), card["versions"]["scikit-learn"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        sys.exit(f"No model and card at {path} ({error!r}): run train.py, or set CHURN_MODEL.")
    if hashlib.sha256(pickled).hexdigest() != card["sha256"]:
        sys.exit(f"{path} is not the file that its card describes: run train.py again.")
    if version != sklearn.__version__:
        sys.exit(f"{path} is of scikit-learn {version}, not {sklearn.__version__}: train again.")
    return *pickle.loads(pickled), card  # the very bytes that were checked


default = Path(__file__).resolve().with_name("churn-model.bin")
dv, model, card = load_model(Path(os.environ.get("CHURN_MODEL") or default))
app = Flask("churn", static_folder=None)
app.config["MAX_CONTENT_LENGTH"] = 2**20 + 1  # bytes; read_json refuses the last one
app.url_map.merge_slashes = False  # else /predict//batch is answered by an HTML redirect

api_key = os.environ.get("CHURN_API_KEY")
if api_key is not None and not re.fullmatch(r"[!-~]{16,}", api_key):  # an empty one, say
    sys.exit("CHURN_API_KEY must have 16 or more ASCII characters, no spaces: or leave it unset.")


@app.before_request
def check_key():
    """Let only GET /ping and /health in without the key. Unknown paths stay unknown."""
    if api_key is None or request.endpoint in ("ping", "health"):
        return
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    # compare_digest takes equally long wherever the two differ: its time tells nothing of the key.
    right = hmac.compare_digest(given.encode("utf-8", "replace"), api_key.encode())
    if scheme.lower() != "bearer" or not right:
        need = "This service wants its key, in the header Authorization: Bearer KEY."
        raise Unauthorized(need, www_authenticate=WWWAuthenticate("bearer"))


def unique(pairs):
    fields = {}
    for name, value in pairs:
        if name in fields:
            raise ValueError(f"the field {reprlib.repr(name)} stands there twice")
        fields[name] = value
    return fields


def read_json(request):
    """Return the request's JSON body, read more strictly than Flask reads it."""
    if request.mimetype != "application/json":
        abort(415, "Send JSON, with the header Content-Type: application/json.")
    if len(request.get_data()) > 2**20:  # a body without a length is cut there, not refused
        abort(413)
    try:
        return json.loads(request.get_data().decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        abort(400, f"The body can't be read as JSON: {error}.")


def predict_single(customer, dv, model):
    X = dv.transform([customer])
    return model.predict_proba(X)[0, 1]


def answer(probability):
    # NumPy's numbers are not JSON: float() and bool() make them Python's own.
    return {"churn_probability": float(probability), "churn": bool(probability >= 0.5)}


@app.route("/predict", methods=["POST"])
def predict():
    customer = Customer.model_validate(read_json(request))
    return jsonify(answer(predict_single(customer.model_dump(), dv, model)))


@app.route("/predict/batch", methods=["POST"])
def predict_batch():
    customers = [customer.model_dump() for customer in BATCH.validate_python(read_json(request))]
    probabilities = model.predict_proba(dv.transform(customers))[:, 1] if customers else []
    return jsonify([answer(probability) for probability in probabilities])


@app.route("/ping", methods=["GET"])
def ping():
    return "PONG"


@app.route("/health", methods=["GET"])
def health():
    return jsonify(status="ok", model=card)


@app.errorhandler(ValidationError)
def refuse(invalid):
    problems = []
    for error in invalid.errors(include_url=False)[:100]:
        one = {"customer" if isinstance(step, int) else "field": step for step in error["loc"]}
        one["problem"] = MESSAGES.get(error["type"], error["msg"])
        one["given"] = reprlib.repr(error["input"])  # shortened
        one["allowed"] = ALLOWED.get(one.get("field"), list(ALLOWED))
        problems.append(one)
    return jsonify(error=f"{invalid.error_count()} problem(s)", problems=problems), 400


@app.errorhandler(HTTPException)  # an unexpected exception comes here as a 500, logged
def as_json(error):
    response = error.get_response()
    response.data, response.content_type = jsonify(error=error.description).data, "application/json"
    return response


if __name__ == "__main__":
    if not (port := os.environ.get("PORT") or "9696").isdecimal() or int(port) > 65535:
        sys.exit(f"PORT is {port!r}: it must be a number up to 65535.")
    app.run(host="127.0.0.1", port=int(port))
