"""The offer service: POST a form to /offer, get a price."""

import os
from typing import Annotated, Literal

from flask import Flask, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import HTTPException

DISCOUNTS = {"month-to-month": 0, "one_year": 0.1, "two_year": 0.2}


class Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    contract: Literal["month-to-month", "one_year", "two_year"]
    tenure: Annotated[int, Field(ge=0, le=600)]
    monthlycharges: Annotated[float, Field(gt=0)]
    seniorcitizen: Annotated[int, Field(ge=0, le=1)]


def price(form):
    """Return what the contract of a checked form costs each month."""
    return round(form.monthlycharges * (1 - DISCOUNTS[form.contract]), 2)


app = Flask("offer")


@app.route("/offer", methods=["POST"])
def offer():
    # [solution] return ____
    form = Form.model_validate(request.get_json())
    return jsonify(price=price(form))
    # [end]


@app.errorhandler(ValidationError)
def refuse(invalid):
    # [solution] return ____
    problems = []
    for error in invalid.errors():
        field = error["loc"][0] if error["loc"] else "form"  # a list, say, has no fields
        problems.append({"field": field, "problem": error["msg"]})
    return jsonify(problems=problems), 400
    # [end]


@app.errorhandler(HTTPException)
def as_json(error):
    # [solution] return ____
    return jsonify(error=error.description), error.code
    # [end]


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", 9696)))
