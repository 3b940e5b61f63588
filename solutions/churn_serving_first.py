"""The first churn service: /predict and no defence. churn_serving.py is the one to use."""

import pickle
from pathlib import Path

from flask import Flask, jsonify, request


def predict_single(customer, dv, model):
    X = dv.transform([customer])
    return model.predict_proba(X)[0, 1]


with open(Path(__file__).resolve().parent / "churn-model.bin", "rb") as f_in:
    dv, model = pickle.load(f_in)

app = Flask("churn")


@app.route("/predict", methods=["POST"])
def predict():
    customer = request.get_json()
    prediction = predict_single(customer, dv, model)
    churn = prediction >= 0.5
    return jsonify(churn_probability=float(prediction), churn=bool(churn))


if __name__ == "__main__":
    app.run(debug=True, host="127.0.0.1", port=9696)
