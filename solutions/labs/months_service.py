"""A service with two routes: a greeting, and years turned into months."""

import os

from flask import Flask, abort, jsonify, request

app = Flask("months")


@app.route("/hello", methods=["GET"])
def hello():
    return "Hello, marketing!"


# [solution] months = ____
@app.route("/months", methods=["GET"])
def months():
    text = request.args.get("years", "")
    try:
        years = int(text)
    except ValueError:
        abort(400, f"years should be a whole number, and is {text!r}")
    return jsonify(months=12 * years)
    # [end]


if __name__ == "__main__":
    app.run(debug=True, host="127.0.0.1", port=int(os.environ.get("PORT", 9696)))
