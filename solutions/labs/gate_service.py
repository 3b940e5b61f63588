"""A service that wants its key, where CHURN_API_KEY is set: only GET and HEAD of /ping are open."""

import hmac
import os
import re
import sys

from flask import Flask, jsonify, request

KEY = os.environ.get("CHURN_API_KEY")  # None: no key is wanted
if KEY is not None and not re.fullmatch(r"[!-~]{16,}", KEY):
    sys.exit("CHURN_API_KEY must have 16 or more ASCII characters, no spaces: or leave it unset.")

app = Flask("gate")


@app.before_request  # what this returns is the answer; None lets the request through
def gate():
    # [solution] return ____
    method, path = request.environ["REQUEST_METHOD"], request.environ["PATH_INFO"]
    if KEY is None or (method in ("GET", "HEAD") and path == "/ping"):
        return None
    sent = request.headers.get("Authorization", "")
    # Bytes: compare_digest refuses text that is not ASCII.
    if hmac.compare_digest(sent.encode(), f"Bearer {KEY}".encode()):
        return None
    return jsonify(error="This service wants its key."), 401, {"WWW-Authenticate": "Bearer"}
    # [end]


@app.route("/ping", methods=["GET"])
def ping():
    return "PONG"


@app.route("/customers", methods=["GET"])
def customers():
    return jsonify(customers=7043)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", 9696)))
