"""The offer service for many: POST a list of forms to /offer/batch, get a list of prices."""

import os
from typing import Annotated, Literal

from flask import Flask, abort, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

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


FORMS = TypeAdapter(list[Form])
app = Flask("batch")


@app.route("/offer/batch", methods=["POST"])
def offers():
    # [solution] return ____
    body = request.get_json()
    if isinstance(body, list) and len(body) > 100:
        abort(413)
    try:
        forms = FORMS.validate_python(body)
    except ValidationError as invalid:
        problems = []
        for error in invalid.errors():
            place = dict(zip(["index", "field"], error["loc"], strict=False))  # loc: (2, "tenure")
            problems.append(place | {"problem": error["msg"]})
        return jsonify(problems=problems), 400
    return jsonify([{"price": price(form)} for form in forms])
    # [end]


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", 9696)))
