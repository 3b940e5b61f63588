"""Load the churn model in a process of its own and use it for one customer."""

import json
import pickle
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def predict_single(customer, dv, model):
    X = dv.transform([customer])
    return model.predict_proba(X)[0, 1]


model_file = HERE / "churn-model.bin"
if not model_file.exists():
    sys.exit(f"There is no model {model_file}: run train.py first.")
with open(model_file, "rb") as f_in:
    dv, model = pickle.load(f_in)

# data/ lies beside solutions/; for your own copy in my/work/ it is further up.
data = next(folder / "data" for folder in HERE.parents if (folder / "data").is_dir())
with open(data / "customer.json", encoding="utf-8") as f_in:
    customer = json.load(f_in)

prediction = predict_single(customer, dv, model)
print("prediction: %.3f" % prediction)
print("verdict:", "Churn" if prediction >= 0.5 else "Not churn")
