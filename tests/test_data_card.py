"""data/README.md says what is in the file."""

import hashlib
import math
import re

import pandas as pd

from labkit import DATA, ROOT

CARD = (DATA / "README.md").read_text(encoding="utf-8")
CSV = DATA / "telco-customer-churn.csv"


def faults_of_card(card, df):
    """Compare the dictionary's rows with the columns' values; return the faults."""
    rows = re.findall(r"^\| (\w+) \|[^|]*\| (.+) \|$", card, re.M)[1:]
    if [name for name, _ in rows] != list(df.columns):
        yield "the names are not the file's"
        return
    for name, values in rows:
        numbers = pd.to_numeric(df[name].replace(" ", None), errors="coerce").dropna()
        if " to " in values:
            if [float(end) for end in values.split(" to ")] != [numbers.min(), numbers.max()]:
                yield f"{name} is {numbers.min()} to {numbers.max()}"
        elif set(values.split(", ")) != set(df[name].astype(str)):
            yield f"{name} is {sorted(set(df[name].astype(str)))}"


def test_card_gives_the_sha256_and_the_counts():
    df = pd.read_csv(CSV)
    left = (df["Churn"] == "Yes").sum()
    assert hashlib.sha256(CSV.read_bytes()).hexdigest() in CARD
    assert f"describes {len(df):,} customers" in CARD and f"with {df.shape[1]} columns" in CARD
    assert f"{left:,} of them left" in CARD and f"{left / len(df):.2%}" in CARD
    assert f"The {(df['TotalCharges'] == ' ').sum()} customers with tenure 0" in CARD


def test_readme_names_the_customers_and_those_of_the_campaign():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    customers = len(pd.read_csv(CSV))
    assert f"{customers:,} customers go into" in readme
    assert f"score its {math.ceil(customers * 0.2):,} customers" in readme  # as the split rounds


def test_column_dictionary_is_the_files():
    assert not list(faults_of_card(CARD, pd.read_csv(CSV)))


def test_column_dictionary_with_a_wrong_value_or_range_is_refused():
    wrong = CARD.replace("0 to 72", "0 to 60").replace("DSL, Fiber optic, No", "DSL, Cable, No")
    assert len(list(faults_of_card(wrong, pd.read_csv(CSV)))) == 2
