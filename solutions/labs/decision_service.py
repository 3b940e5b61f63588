"""Say how likely a customer is to leave, and what to do: POST /predict."""

import os
import pickle
from pathlib import Path

from flask import Flask, jsonify, request

THRESHOLD = 0.18  # the cheapest one, from lesson 1

default = Path(__file__).resolve().with_name("churn-model.bin")
with Path(os.environ.get("CHURN_MODEL") or default).open("rb") as f_in:
    dv, model = pickle.load(f_in)

app = Flask("decision")


# [solution] predict = ____
@app.route("/predict", methods=["POST"])
def predict():
    customer = request.get_json()
    X = dv.transform([customer])
    probability = float(model.predict_proba(X)[0, 1])
    decision = "e-mail" if probability >= THRESHOLD else "nothing"
    return jsonify(churn_probability=probability, decision=decision)


# [end]


if __name__ == "__main__":
    app.run(debug=True, host="127.0.0.1", port=int(os.environ.get("PORT", 9696)))
