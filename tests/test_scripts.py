"""Each script of solutions/ stands alone: from any folder, through a path with spaces."""

import ast
import csv
import hashlib
import json
import pickle
import platform
import re
import runpy
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime

import numpy
import pytest
import requests
import sklearn
from conftest import assert_one_sentence
from sklearn.metrics import roc_auc_score

from labkit import DATA, SOLUTIONS
from labkit.service import start

CSV = DATA / "telco-customer-churn.csv"
EXAMPLE = json.loads((DATA / "customer.json").read_text(encoding="utf-8"))
SCRIPTS = sorted(SOLUTIONS.glob("*.py"))


@pytest.fixture(scope="module")
def solutions(tmp_path_factory, model_file):
    """A copy of solutions/, with a model and with data/ beside it, in a path with spaces."""
    root = tmp_path_factory.mktemp("the lab") / "of Zoë and Jürgen"
    folder = root / "solutions"
    folder.mkdir(parents=True)
    for file in [*SCRIPTS, model_file, model_file.with_suffix(".json")]:
        shutil.copy(file, folder)
    shutil.copytree(DATA, root / "data")
    return folder


def run(script, *arguments, folder):
    return subprocess.run(
        [sys.executable, script, *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def test_the_scripts_are_the_ones_of_the_lab():
    assert {path.name for path in SCRIPTS} >= {
        "train.py",
        "churn_serving_simple.py",
        "flask_test.py",
        "churn_serving_first.py",
        "churn_serving.py",
    }


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_needs_labkit(script):
    imported = set()
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add("." if node.level else node.module.split(".")[0])
    assert imported
    assert not imported & {"labkit", "."}


@pytest.mark.parametrize(
    ("script", "most"),
    [("flask_test.py", 15), ("churn_serving_first.py", 35), ("churn_serving.py", 200)],
)
def test_short_scripts_stay_short(script, most):
    assert len((SOLUTIONS / script).read_text(encoding="utf-8").splitlines()) <= most


# train.py


def test_train_says_what_it_did_and_writes_beside_itself(solutions, tmp_path):
    (solutions / "churn-model.bin").unlink()
    (solutions / "churn-model.json").unlink()
    before = sorted(solutions.iterdir())
    ended = run(solutions / "train.py", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    trained, customer, saved = ended.stdout.splitlines()
    auc = re.fullmatch(r"trained on 5634 customers, tested on 1409: AUC (0\.\d{4})", trained)
    assert 0.857 <= float(auc[1]) <= 0.859
    probability = re.fullmatch(r"customer 8879-zkjof: (0\.\d{4})", customer)
    assert 0.05 <= float(probability[1]) <= 0.07
    model, card = solutions / "churn-model.bin", solutions / "churn-model.json"
    assert saved == f"saved {model} and {card.name}"
    assert sorted(solutions.iterdir()) == sorted([*before, model, card])  # no half file
    assert list(tmp_path.iterdir()) == []


def test_the_model_is_the_pair_of_vectorizer_and_classifier(model_file):
    pair = pickle.loads(model_file.read_bytes())
    assert type(pair) is tuple
    assert [type(part).__name__ for part in pair] == ["DictVectorizer", "LogisticRegression"]


def values_in_the_data():
    """Return what the card should say of each feature, read without pandas."""
    with CSV.open(encoding="utf-8", newline="") as file:
        columns = {name.lower(): values for name, *values in zip(*csv.reader(file), strict=True)}
    del columns["churn"]
    features = {
        name: sorted({value.lower().replace(" ", "_") for value in values})
        for name, values in columns.items()
    }
    features["seniorcitizen"] = [0, 1]
    return features | {"tenure": "integer", "monthlycharges": "number", "totalcharges": "number"}


def test_the_card_tells_the_truth_about_the_model(model_file):
    card = json.loads(model_file.with_suffix(".json").read_text(encoding="utf-8"))
    trained = date.fromisoformat(card.pop("trained"))
    assert abs((datetime.now(UTC).date() - trained).days) <= 1

    train = runpy.run_path(str(SOLUTIONS / "train.py"))
    _, test = train["split"](train["read_customers"](CSV))
    dv, model = pickle.loads(model_file.read_bytes())
    assert model.C == 0.5
    assert card == {
        "sha256": hashlib.sha256(model_file.read_bytes()).hexdigest(),
        "versions": {
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
            "numpy": numpy.__version__,
        },
        "C": model.C,
        "auc": round(roc_auc_score(test["churn"], train["predict"](test, dv, model)), 4),
        "data_sha256": hashlib.sha256(CSV.read_bytes()).hexdigest(),
        "features": values_in_the_data(),
        "example": EXAMPLE,
        "example_probability": model.predict_proba(dv.transform([EXAMPLE]))[0, 1],
    }


def test_train_takes_other_data_another_c_and_another_place(tmp_path):
    shutil.copy(CSV, tmp_path / "my customers.csv")
    arguments = ["--data", "my customers.csv", "--C", "0.01", "--out", "my model.bin"]
    ended = run(SOLUTIONS / "train.py", *arguments, folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert {path.name for path in tmp_path.iterdir()} == {
        "my customers.csv",
        "my model.bin",
        "my model.json",
    }
    _, model = pickle.loads((tmp_path / "my model.bin").read_bytes())
    card = json.loads((tmp_path / "my model.json").read_text(encoding="utf-8"))
    assert card["C"] == model.C == 0.01
    assert card["sha256"] == hashlib.sha256((tmp_path / "my model.bin").read_bytes()).hexdigest()


@pytest.fixture
def end_of_train(monkeypatch, capsys, tmp_path):
    """Run train.py in this process, as its imports take seconds; return exit code and stderr."""

    def end_of_train(*arguments):
        model = tmp_path / "earlier.bin"
        model.write_bytes(b"an earlier model")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["train.py", "--out", str(model), *map(str, arguments)])
        before = sorted(tmp_path.iterdir())
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(SOLUTIONS / "train.py"), run_name="__main__")
        assert sorted(tmp_path.iterdir()) == before  # nothing was written
        assert model.read_bytes() == b"an earlier model"
        said = capsys.readouterr()
        return end.value.code, said.out + said.err

    return end_of_train


def test_help_names_the_options(end_of_train):
    code, said = end_of_train("--help")
    assert code == 0
    assert all(word in said for word in ["usage: train.py", "--data", "--C", "--out", "model card"])


def test_the_model_file_must_be_a_bin(end_of_train, tmp_path):
    code, said = end_of_train("--out", tmp_path / "model.pkl")
    assert code == 2
    assert "model.pkl" in said and ".bin" in said


def test_c_is_a_number_above_zero(end_of_train):
    code, said = end_of_train("--C", "half")
    assert code == 2
    assert "--C" in said and "'half'" in said
    code, _ = end_of_train("--C", "-1")
    assert_one_sentence(code, "train.py: ", "C", "-1")


def test_data_that_is_not_there_is_said(end_of_train, tmp_path):
    for path in [tmp_path / "none.csv", tmp_path]:
        code, _ = end_of_train("--data", path)
        assert_one_sentence(code, "train.py: ", str(path))


TELCO = CSV.read_text(encoding="utf-8")


def first_lines(number):
    return "".join(TELCO.splitlines(keepends=True)[:number])


WRONG_DATA = {
    "another table": ("name,age\nAnn,42\n", "gender"),
    "empty": ("", "column"),
    "no column Contract": (TELCO.replace(",Contract,", ",Vertrag,"), "contract"),
    "no column Churn": (TELCO.replace(",Churn\n", ",Left\n"), "churn"),
    "churn as numbers": (TELCO.replace(",Yes\n", ",1\n").replace(",No\n", ",0\n"), "Churn"),
    "churn in German": (TELCO.replace(",Yes\n", ",Ja\n").replace(",No\n", ",Nein\n"), "Churn"),
    "one churn missing": (TELCO.replace(",Yes\n", ",\n", 1), "Churn"),
    "total in words": (TELCO.replace(",1889.5,", ",plenty,"), "plenty"),
    "a total below zero": (TELCO.replace(",1889.5,", ",-1889.5,"), "below zero"),
    "tenure as true": (re.sub(r"(?m)^((\w+,){4})\d+,", r"\1True,", TELCO), "only numbers"),
    "a column twice": (TELCO.replace("Partner", "CHURN", 1), "twice"),
    "a row too long": (TELCO.replace(",1889.5,", ",1889.5,,"), "fields in line"),
    "nobody left": (TELCO.replace(",Yes\n", ",No\n"), "too few who left or stayed"),
    "everybody left": (TELCO.replace(",No\n", ",Yes\n"), "too few who left or stayed"),
    "nobody who left among the tested": (first_lines(20), "too few who left or stayed"),
    "nobody at all": (first_lines(1), "too few customers"),
    "one customer": (first_lines(2), "too few customers"),
    "two customers": (first_lines(3), "too few who left or stayed"),
    "churn as true and false": (
        TELCO.replace(",Yes\n", ",True\n").replace(",No\n", ",False\n"),
        "Churn",
    ),
}


@pytest.mark.parametrize("name", WRONG_DATA)
def test_wrong_data_is_said_in_a_sentence(end_of_train, tmp_path, name):
    text, word = WRONG_DATA[name]
    assert text != TELCO
    (tmp_path / "wrong.csv").write_text(text, encoding="utf-8")
    code, _ = end_of_train("--data", tmp_path / "wrong.csv")
    assert_one_sentence(code, "train.py: ", word)


def test_a_mistake_ends_the_process_with_one_sentence(tmp_path):
    ended = run(SOLUTIONS / "train.py", "--data", "none.csv", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert_one_sentence(ended.stderr, "train.py: ", "none.csv")
    assert list(tmp_path.iterdir()) == []


# churn_serving_simple.py


def test_simple_loads_the_model_and_predicts(solutions, model_file, tmp_path):
    shutil.copy(model_file, solutions)
    ended = run(solutions / "churn_serving_simple.py", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    dv, model = pickle.loads(model_file.read_bytes())
    probability = model.predict_proba(dv.transform([EXAMPLE]))[0, 1]
    assert ended.stdout == f"prediction: {probability:.3f}\nverdict: Not churn\n"
    assert 0.05 <= probability <= 0.07


def test_simple_without_a_model_says_so(solutions, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    shutil.copy(solutions / "churn_serving_simple.py", folder)
    ended = run(folder / "churn_serving_simple.py", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert_one_sentence(ended.stderr, str(folder / "churn-model.bin"), "train.py")


# On port 9696: one after the other


@pytest.mark.xdist_group("port9696")
def test_flask_test_plays_ping_pong(solutions, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with start(solutions / "flask_test.py", port=9696) as service:
        assert service.url.endswith(":9696")
        answer = requests.get(service.url + "/ping", timeout=60)
        assert (answer.status_code, answer.text) == (200, "PONG")
        assert requests.get(service.url + "/pong", timeout=60).status_code == 404
        wrong = requests.post(service.url + "/ping", timeout=60)
        assert wrong.status_code == 405
        assert "GET" in wrong.headers["Allow"]


@pytest.fixture(scope="module")
def first_service(solutions, model_file):
    shutil.copy(model_file, solutions)
    with start(solutions / "churn_serving_first.py", port=9696) as service:
        yield service


def ask(service, body):
    body = body if isinstance(body, str) else json.dumps(body)
    headers = {"Content-Type": "application/json"}
    return requests.post(service.url + "/predict", body, headers=headers, timeout=60)


@pytest.mark.xdist_group("port9696")
def test_first_service_answers_for_the_example_customer(first_service):
    answer = ask(first_service, EXAMPLE)
    assert answer.status_code == 200
    assert answer.json().keys() == {"churn", "churn_probability"}
    assert answer.json()["churn"] is False
    assert 0.05 <= answer.json()["churn_probability"] <= 0.07


@pytest.mark.xdist_group("port9696")
@pytest.mark.parametrize(
    ("body", "least", "most"),
    [
        ({}, 0.45, 0.48),
        (EXAMPLE | {"tenure": "41"}, 0.45, 0.48),
        (EXAMPLE | {"contract": "One year"}, 0.065, 0.08),
        (EXAMPLE | {"tenure": -500}, 0.99, 1),
        (EXAMPLE | {"tenure": True}, 0.4, 0.5),
        ('{"tenure": 1, "tenure": 2}', 0.4, 0.5),
    ],
    ids=["nothing", "text", "unknown category", "minus 500 months", "true", "twice"],
)
def test_first_service_answers_nonsense_with_a_probability(first_service, body, least, most):
    answer = ask(first_service, body)
    assert answer.status_code == 200
    assert least <= answer.json()["churn_probability"] <= most


@pytest.mark.xdist_group("port9696")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("garbage", 400),
        (EXAMPLE | {"tenure": None}, 500),
        (EXAMPLE | {"tenure": float("nan")}, 500),
        ([], 500),
        (None, 500),
        ("[" * 100_000, 500),
    ],
    ids=["garbage", "null tenure", "NaN", "list", "null", "deep"],
)
def test_first_service_answers_other_nonsense_with_html(first_service, body, status):
    answer = ask(first_service, body)
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (status, "text/html")
