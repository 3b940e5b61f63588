"""Train the churn model on the Telco customers and save it with its model card."""

import argparse
import hashlib
import json
import os
import pickle
import platform
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd
import sklearn
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "data"

numerical = ["tenure", "monthlycharges", "totalcharges"]
categorical = [
    "gender", "seniorcitizen", "partner", "dependents", "phoneservice", "multiplelines",
    "internetservice", "onlinesecurity", "onlinebackup", "deviceprotection", "techsupport",
    "streamingtv", "streamingmovies", "contract", "paperlessbilling", "paymentmethod",
]  # fmt: skip


def read_customers(path):
    """Read the Telco CSV (IBM's original with customerID works too) into a clean DataFrame.

    Names and texts become lower case with underscores, `churn` becomes 0 or 1.
    Raises ValueError when a column or a cell is missing, `churn` holds other words than Yes and
    No, a column of numbers holds a text (blanks in `totalcharges` are zeros) or a number below
    zero, a column stands there twice, or there are fewer than two customers.
    """
    df = pd.read_csv(path)
    df.columns = df.columns.str.lower().str.replace(" ", "_")
    if df.columns.has_duplicates:
        raise ValueError(f"{path} has a column twice: {df.columns[df.columns.duplicated()][0]}")
    missing = [name for name in [*categorical, *numerical, "churn"] if name not in df.columns]
    if missing:
        raise ValueError(f"{path} has no column {', '.join(missing)}: is it the Telco file?")
    if len(df) < 2:
        raise ValueError(f"{path} has too few customers to learn from: {len(df)}")

    for name in df.select_dtypes(include="str").columns:
        df[name] = df[name].str.lower().str.replace(" ", "_")

    # The customers of tenure 0 have paid nothing yet: their total is a space in the file.
    df["totalcharges"] = pd.to_numeric(df["totalcharges"].replace("_", "0"))
    if not df["churn"].isin(["yes", "no"]).all():
        raise ValueError(f"{path} has values other than Yes and No in its column Churn")
    df["churn"] = (df["churn"] == "yes").astype(int)

    for name in [*categorical, *numerical]:
        if df[name].isna().any():
            raise ValueError(f"{path} has an empty cell in its column {name}")
    for name in numerical:
        if df[name].dtype.kind not in "if":  # integers and floats
            raise ValueError(f"{path} has a text in its column {name}, where only numbers belong")
        if (df[name] < 0).any():
            raise ValueError(f"{path} has a number below zero in its column {name}")
    return df


def split(df):
    """Split into 80% for training and 20% for testing, the same way every time."""
    return train_test_split(df, test_size=0.2, random_state=1)


def to_dicts(df):
    return df[categorical + numerical].to_dict(orient="records")


def train(df, C=0.5):
    dv = DictVectorizer(sparse=False)
    X = dv.fit_transform(to_dicts(df))
    model = LogisticRegression(solver="liblinear", C=C)
    model.fit(X, df["churn"])
    return dv, model


def predict(df, dv, model):
    """Return each customer's churn probability: an array of len(df) numbers from 0 to 1."""
    X = dv.transform(to_dicts(df))
    return model.predict_proba(X)[:, 1]


def predict_single(customer, dv, model):
    """Return the churn probability of one customer, given as a dictionary."""
    X = dv.transform([customer])
    return model.predict_proba(X)[0, 1]


def allowed_values(df):
    """Say for each feature what a customer may have: a list of texts, or a kind of number."""
    features = {name: sorted(df[name].unique().tolist()) for name in categorical}
    features["tenure"] = "integer" if df["tenure"].dtype.kind == "i" else "number"
    features["monthlycharges"] = features["totalcharges"] = "number"
    return features


def write(files):
    """Write {path: bytes}: all new files or, on a full disk, none; after a crash no half file."""
    parts = {path: path.with_name(f"{path.name}.{uuid4().hex}.part") for path in files}
    try:
        for path, data in files.items():
            with parts[path].open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())  # after a power cut, too
        for path, part in parts.items():
            part.replace(path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def save(path, dv, model, customer, **card):
    """Pickle the tuple (dv, model) to path, and describe it in the card beside it (.json).

    The card holds the answer for one customer, by which the loaded pair can be tested.
    """
    # A fixed version of the format: the same file, whichever Python writes it.
    pickled = pickle.dumps((dv, model), protocol=4)
    card = {
        "sha256": hashlib.sha256(pickled).hexdigest(),
        "versions": {
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
            "numpy": np.__version__,
        },
        **card,
        "example": customer,
        "example_probability": predict_single(customer, dv, model),
    }
    card_path, text = path.with_suffix(".json"), json.dumps(card, indent=2) + "\n"
    while True:
        write({path: pickled, card_path: text.encode()})
        # Another training may have written at the same time: who writes last sees a pair, or
        # writes again.
        written = hashlib.sha256(path.read_bytes()).hexdigest()
        if json.loads(card_path.read_bytes())["sha256"] == written:
            return
        time.sleep(random.uniform(0, 0.1))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA / "telco-customer-churn.csv")
    parser.add_argument("--C", type=float, default=0.5, help="inverse of the regularization")
    parser.add_argument("--out", type=Path, default=HERE / "churn-model.bin")
    args = parser.parse_args()
    if args.out.suffix != ".bin":
        parser.error(f"--out is {args.out}: the model's file name must end in .bin")

    df = read_customers(args.data)
    df_train, df_test = split(df)
    if df_train["churn"].nunique() < 2 or df_test["churn"].nunique() < 2:
        raise ValueError(f"{args.data} can't be learned from: it has too few who left or stayed")
    dv, model = train(df_train, C=args.C)
    auc = roc_auc_score(df_test["churn"], predict(df_test, dv, model))
    print(f"trained on {len(df_train)} customers, tested on {len(df_test)}: AUC {auc:.4f}")

    customer = json.loads((DATA / "customer.json").read_text(encoding="utf-8"))
    print(f"customer {customer['customerid']}: {predict_single(customer, dv, model):.4f}")

    save(
        args.out, dv, model, customer,
        trained=datetime.now(UTC).date().isoformat(),
        C=args.C,
        auc=round(auc, 4),
        data_sha256=hashlib.sha256(args.data.read_bytes()).hexdigest(),
        features=allowed_values(df),
    )  # fmt: skip
    print(f"saved {args.out} and {args.out.with_suffix('.json').name}")


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f"train.py: {' '.join(str(error).split())}")
