"""The service starts with a sound model that fits it, or not at all: in one sentence, at once.

A start takes three seconds, nearly all of it imports; so most tests run the script in this very
process, as runpy does it, and a few in a process of its own.
"""

import copy
import json
import os
import pickle
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import warnings
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import flask
import pytest
import requests
from conftest import assert_one_sentence
from flask.helpers import get_debug_flag
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from labkit import DATA, SOLUTIONS
from labkit.service import free_port

SERVICE = SOLUTIONS / "churn_serving.py"
CSV = DATA / "telco-customer-churn.csv"
EXAMPLE = json.loads((DATA / "customer.json").read_text(encoding="utf-8"))
NAN, INFINITY = float("nan"), float("inf")


def run(model, port):
    """Run the service until it ends by itself; one that starts and stays is a TimeoutExpired."""
    return subprocess.run(
        [sys.executable, SERVICE],
        env=os.environ | {"CHURN_MODEL": str(model), "PORT": str(port)},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


@pytest.fixture
def why_not(monkeypatch, capfd):
    """Run the service in this process and return the sentence with which it refuses to start."""

    def it_starts(*_, **__):
        raise AssertionError("the service starts")

    monkeypatch.setattr(flask.Flask, "run", it_starts)

    def why_not(model, port="9696"):
        monkeypatch.setenv("CHURN_MODEL", str(model))
        monkeypatch.setenv("PORT", port)
        with pytest.raises(SystemExit) as end, warnings.catch_warnings(record=True) as warned:
            runpy.run_path(str(SERVICE), run_name="__main__")
        assert not warned and capfd.readouterr() == ("", "")
        return end.value.code  # Python prints a text and exits with 1

    def stop(*_):
        pytest.fail("still starting after 20 s")

    if hasattr(signal, "alarm"):
        signal.signal(signal.SIGALRM, stop)
        signal.alarm(20)
    yield why_not
    if hasattr(signal, "alarm"):
        signal.alarm(0)


@pytest.fixture
def copied(model_file, tmp_path):
    """A copy of the model and its card, for a test to spoil."""
    shutil.copy(model_file.with_suffix(".json"), tmp_path)
    return Path(shutil.copy(model_file, tmp_path))


def card_of(model):
    return json.loads(model.with_suffix(".json").read_text(encoding="utf-8"))


def change_card(model, **changes):
    text = json.dumps(card_of(model) | changes)
    model.with_suffix(".json").write_text(text, encoding="utf-8")


def put(model, pickled):
    """Write the bytes as the model, and the card that is right for them."""
    model.write_bytes(pickled)
    change_card(model, sha256=sha256(pickled).hexdigest())


@pytest.fixture(scope="module")
def train():
    """The functions of train.py."""
    return SimpleNamespace(**runpy.run_path(str(SOLUTIONS / "train.py")))


def save(train, model, df, without=None, **card):
    """Save a model of these customers, with the card that train.py would give it."""
    customers = [{k: v for k, v in one.items() if k != without} for one in train.to_dicts(df)]
    dv = DictVectorizer(sparse=False)
    classifier = LogisticRegression(solver="liblinear", C=0.5)
    classifier.fit(dv.fit_transform(customers), df["churn"])
    card = {"trained": "2026-01-01", "auc": 0.8, "features": train.allowed_values(df)} | card
    train.save(model, dv, classifier, EXAMPLE, **card)


class Hostile:
    """Unpickling this makes a folder; it could as well do anything else."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_without_a_model_the_process_ends_with_one_sentence(tmp_path):
    missing = tmp_path / "churn-model.bin"
    ended = run(missing, free_port())
    assert (ended.returncode, ended.stdout) == (1, "")
    assert_one_sentence(ended.stderr, str(missing), "train.py", "CHURN_MODEL")


@pytest.mark.parametrize("suffix", [".bin", ".json"])
def test_without_model_or_card_it_does_not_start(copied, why_not, suffix):
    copied.with_suffix(suffix).unlink()
    assert_one_sentence(why_not(copied), str(copied), "train.py", "CHURN_MODEL")


NO_CARDS = [
    b"",
    b"trained on Monday",
    b'{"sha256": "40',
    b"\xff\xfe\0",
    b"[]",
    b"null",
    b"7",
    b"{}",
]
NO_CARDS += [b"[" * 100_000, b'{"sha256": ' * 100_000, b"[" * 900 + b"]" * 900, b"9" * 5000]


@pytest.mark.parametrize("text", NO_CARDS, ids=lambda text: repr(text[:20]))
def test_without_a_readable_card_it_does_not_start(copied, why_not, text):
    copied.with_suffix(".json").write_bytes(text)
    assert_one_sentence(why_not(copied), str(copied), "train.py")


@pytest.mark.parametrize(
    "key",
    ["sha256", "versions", "features", "example", "example_probability", "trained", "auc"],
)
def test_without_a_whole_card_it_does_not_start(copied, why_not, key):
    card = card_of(copied)
    del card[key]
    copied.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    assert_one_sentence(why_not(copied), str(copied), key, "train.py")


@pytest.mark.parametrize(
    "change",
    [
        *[{"versions": version} for version in [{}, [], None, "1.9.1", {"numpy": "2.4.6"}]],
        {"versions": {"scikit-learn": "1\n2"}},
        {"versions": {"scikit-learn": "1" * 10_000}},
        *[{"features": features} for features in [{}, [], None, "all"]],
        *[{"example": example} for example in [{}, [], None, "8879-zkjof", {"tenure": []}]],
        *[{"example_probability": p} for p in [0.5, 0, None, "0.06", [], NAN, True]],
        *[{"auc": auc} for auc in [NAN, INFINITY, {"a": [NAN]}]],
    ],
    ids=lambda change: repr(change)[:60],
)
def test_a_card_that_says_something_else_is_refused(copied, why_not, change):
    change_card(copied, **change)
    said = why_not(copied)
    assert_one_sentence(said, str(copied), "train")
    assert len(said) < 300 + len(str(copied))


def test_a_number_without_end_in_the_card_is_refused(copied, why_not):
    card = copied.with_suffix(".json")
    text = card.read_text(encoding="utf-8")
    card.write_text(re.sub(r'"auc": [\d.]+', '"auc": 1e999', text), encoding="utf-8")
    assert card.read_text(encoding="utf-8") != text
    assert_one_sentence(why_not(copied), str(copied), "train.py")


@pytest.mark.parametrize("suffix", [".bin", ".json"])
@pytest.mark.parametrize("kind", ["folder", "FIFO", "/dev/zero", "a link to nothing", "too large"])
def test_what_is_no_file_is_refused_at_once(copied, why_not, suffix, kind):
    path = copied.with_suffix(suffix)
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "too large":
        with path.open("wb") as file:
            file.truncate(2**26 + 1)  # a file with a hole
    elif os.name == "nt":
        pytest.skip("Windows has neither")
    elif kind == "FIFO":
        os.mkfifo(path)
    else:
        path.symlink_to(kind)
    assert_one_sentence(why_not(copied), str(copied), path.name, "train.py", "CHURN_MODEL")


def cut(data, part):
    return data[: int(len(data) * part)]


def flip_a_bit(data, part):
    place = int(len(data) * part)
    return data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


@pytest.mark.parametrize("part", [0, 0.1, 0.25, 0.5, 0.75, 0.999])
@pytest.mark.parametrize("damage", [cut, flip_a_bit])
def test_a_damaged_model_is_refused(copied, why_not, damage, part):
    damaged = damage(copied.read_bytes(), part)
    assert damaged != copied.read_bytes()
    copied.write_bytes(damaged)
    assert_one_sentence(why_not(copied), str(copied), "card", "train.py")


def test_a_model_with_something_behind_it_is_refused(copied, why_not):
    copied.write_bytes(copied.read_bytes() + b"\n")
    assert_one_sentence(why_not(copied), str(copied), "card", "train.py")


def test_a_model_with_the_card_of_another_training_is_refused(copied, why_not, train, tmp_path):
    other = tmp_path / "other.bin"
    save(train, other, train.read_customers(CSV))
    assert other.read_bytes() != copied.read_bytes()
    shutil.copy(copied.with_suffix(".json"), other.with_suffix(".json"))
    assert_one_sentence(why_not(other), str(other), "card", "train.py")


def test_a_hostile_pickle_with_the_card_of_the_real_one_is_never_unpickled(copied, tmp_path):
    folder = tmp_path / "made by unpickling"
    copied.write_bytes(pickle.dumps(Hostile(folder)))
    ended = run(copied, free_port())
    assert (ended.returncode, ended.stdout) == (1, "")
    assert_one_sentence(ended.stderr, str(copied), "card")
    assert not folder.exists()
    pickle.loads(copied.read_bytes())  # what the service must not do
    assert folder.is_dir()


def test_another_version_of_scikit_learn_is_refused_before_unpickling(copied, tmp_path, why_not):
    folder = tmp_path / "made by unpickling"
    hostile = pickle.dumps(Hostile(folder))
    copied.write_bytes(hostile)
    card = card_of(copied) | {"sha256": sha256(hostile).hexdigest()}
    ours = card["versions"]["scikit-learn"]
    card["versions"]["scikit-learn"] = "0.24.2"
    copied.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    assert_one_sentence(why_not(copied), "scikit-learn", "0.24.2", ours)
    assert not folder.exists()
    pickle.loads(copied.read_bytes())
    assert folder.is_dir()


# A right card over what does not fit


def misfits(dv, model):
    pickled, other = pickle.dumps((dv, model)), copy.deepcopy(model)
    other.intercept_ += 1e-6
    return {
        "foreign": pickle.dumps((dv, other)),
        "swapped": pickle.dumps((model, dv)),
        "unfitted": pickle.dumps((DictVectorizer(sparse=False), LogisticRegression())),
        "half fitted": pickle.dumps((dv, LogisticRegression())),
        "two texts": pickle.dumps(("a", "b")),
        "a dict": pickle.dumps({"dv": dv, "model": model}),
        "three": pickle.dumps((dv, model, 0.5)),
        "truncated": pickled[: len(pickled) // 2],
        "text": b"a model\n",
        "empty": b"",
        "a class of nobody": b"cnobody\nknows\n.",
    }


def test_what_is_no_pair_or_a_foreign_one_is_refused(copied, why_not, subtests):
    for name, pickled in misfits(*pickle.loads(copied.read_bytes())).items():
        with subtests.test(name):
            put(copied, pickled)
            assert_one_sentence(why_not(copied), str(copied), "train.py")


@pytest.mark.parametrize(
    "words",
    [
        {"es,41,": "es,3.4,", "No,41,": "No,3.4,"},  # tenure in years, say
        {"Fiber optic": "Fibre"},
        {"Electronic check": "E-check"},
        {"Female": "F", "Male": "M"},
        {"ale,0,": "ale,No,", "ale,1,": "ale,Yes,"},  # SeniorCitizen
        {",Yes,No,1,": ",True,False,1,"},
    ],
    ids=repr,
)
def test_a_model_of_other_values_is_refused(train, why_not, tmp_path, words):
    """What train.py makes of another file fits itself, but not the service."""
    text = CSV.read_text(encoding="utf-8")
    for old, new in words.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "other.csv").write_text(text, encoding="utf-8")
    df = train.read_customers(tmp_path / "other.csv")
    model = tmp_path / "other.bin"
    save(train, model, df)
    assert_one_sentence(why_not(model), str(model), "other fields or values")


@pytest.mark.parametrize("column", ["contract", "tenure"])
def test_a_model_without_a_column_is_refused(train, why_not, tmp_path, column):
    """Also where its card has the column, and the answer is the one that the card knows."""
    df, model = train.read_customers(CSV)[:1000], tmp_path / "other.bin"
    features = train.allowed_values(df)
    for known in [features, {k: v for k, v in features.items() if k != column}]:
        save(train, model, df, without=column, features=known)
        assert_one_sentence(why_not(model), str(model), "other fields or values")


def test_a_model_that_never_saw_a_value_is_refused(train, why_not, tmp_path):
    df, model = train.read_customers(CSV)[:1000], tmp_path / "other.bin"
    features = train.allowed_values(df)
    save(train, model, df[df["contract"] != "two_year"], features=features)
    assert_one_sentence(why_not(model), str(model), "other fields or values")


def test_a_model_whose_answer_is_as_good_as_the_same_is_taken(copied, monkeypatch):
    """Another processor or NumPy may differ in the last digits."""
    dv, model = pickle.loads(copied.read_bytes())
    model.intercept_ += 1e-10
    put(copied, pickle.dumps((dv, model)))
    monkeypatch.setenv("CHURN_MODEL", str(copied))
    assert runpy.run_path(str(SERVICE))["app"].test_client().get("/ping").status_code == 200


@pytest.mark.parametrize("port", ["abc", "99999", "65536", "-1", "96 96", "9696.0", "²", " "])
def test_a_port_that_is_none_is_refused(model_file, why_not, port):
    assert_one_sentence(why_not(model_file, port), "PORT", repr(port), "65535")


def test_a_busy_port_ends_the_process_and_is_said(model_file):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = run(model_file, port)
    assert ended.returncode != 0
    assert str(port) in ended.stderr and "in use" in ended.stderr
    assert "Traceback" not in ended.stderr


# With a sound model


def assert_probability_is_the_models(probability, model_file):
    dv, model = pickle.loads(model_file.read_bytes())
    customer = {name: value for name, value in EXAMPLE.items() if name != "customerid"}
    expected = model.predict_proba(dv.transform([customer]))[0, 1]
    assert probability == pytest.approx(expected, rel=0, abs=1e-12)


def test_the_service_answers_what_its_model_says_and_shows_its_card(churn_service, model_file):
    answer = requests.post(churn_service.url + "/predict", json=EXAMPLE, timeout=60).json()
    assert_probability_is_the_models(answer["churn_probability"], model_file)
    shown = requests.get(churn_service.url + "/health", timeout=60).json()["model"]
    card = card_of(model_file)
    assert shown == {key: card[key] for key in ["sha256", "versions", "trained", "auc"]}


def test_a_relative_churn_model_starts_at_the_working_directory(model_file, monkeypatch):
    folder = model_file.parent.parent
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CHURN_MODEL", str(model_file.relative_to(folder)))
    client = runpy.run_path(str(SERVICE))["app"].test_client()
    answer = client.post("/predict", json=EXAMPLE).get_json()
    assert_probability_is_the_models(answer["churn_probability"], model_file)


@pytest.mark.parametrize("variable", [None, ""])
def test_without_churn_model_the_model_beside_the_script_is_used(
    copied, tmp_path, monkeypatch, variable
):
    folder = tmp_path / "my models, größer"
    folder.mkdir()
    for file in [SERVICE, copied, copied.with_suffix(".json")]:
        shutil.copy(file, folder)
    monkeypatch.delenv("CHURN_MODEL", raising=False)
    if variable is not None:
        monkeypatch.setenv("CHURN_MODEL", variable)
    client = runpy.run_path(str(folder / SERVICE.name))["app"].test_client()
    answer = client.post("/predict", json=EXAMPLE).get_json()
    assert_probability_is_the_models(answer["churn_probability"], copied)


def test_a_bug_is_a_500_in_json_without_internals_and_the_log_has_them(
    model_file, monkeypatch, caplog
):
    monkeypatch.setenv("CHURN_MODEL", str(model_file))
    monkeypatch.setenv("FLASK_DEBUG", "1")  # in somebody's profile, say
    app = runpy.run_path(str(SERVICE))["app"]

    def broken(*_):
        raise RuntimeError("what only the log may tell")

    monkeypatch.setitem(app.view_functions["predict"].__globals__, "answers", broken)
    assert not get_debug_flag(), "`flask run` would open its debugger"
    answer = app.test_client().post("/predict", json=EXAMPLE)
    assert (answer.status_code, answer.content_type) == (500, "application/json")
    assert answer.get_json().keys() == {"error"}
    assert answer.headers["Churn-Model"] == card_of(model_file)["sha256"]
    assert "RuntimeError" not in answer.text and "only the log" not in answer.text
    assert "what only the log may tell" in caplog.text
