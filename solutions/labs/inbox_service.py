"""A service that is told of e-mails, and counts them."""

import os

from flask import Flask, jsonify, request

app = Flask("inbox")
sent = []


# [solution] emails = ____
@app.route("/emails", methods=["POST"])
def emails():
    sent.append(request.get_json())
    return jsonify(emails=len(sent)), 201
    # [end]


if __name__ == "__main__":
    app.run(debug=True, host="127.0.0.1", port=int(os.environ.get("PORT", 9696)))
