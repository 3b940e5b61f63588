"""The offer service for many: POST a list of forms to /offer/batch, get a list of prices."""

import os

from flask import Flask, abort, jsonify, request
from offer_service import Form, price
from pydantic import TypeAdapter, ValidationError

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
