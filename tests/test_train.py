"""What the lessons say about the data and the model holds."""

import copy
import csv
import errno
import hashlib
import importlib.metadata
import itertools
import json
import os
import pickle
import platform
import runpy
import signal
import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pytest

from labkit import DATA, ROOT, SOLUTIONS

CSV = DATA / "telco-customer-churn.csv"
EXAMPLE = json.loads((DATA / "customer.json").read_text(encoding="utf-8"))
EXAMPLE_LINE = 3383  # of the CSV, whose first line is the header
EXAMPLE_INDEX = EXAMPLE_LINE - 2  # of the DataFrame, which counts customers from 0


def not_the_locked_packages():
    lock = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    packages = {**lock["default"], **lock.get("train", {})}
    return [
        name
        for name in ["numpy", "scipy", "scikit-learn"]
        if f"=={importlib.metadata.version(name)}" != packages[name]["version"]
    ]


linux_x86_64 = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="the figures are those of Linux on x86-64",
)
locked_packages = pytest.mark.skipif(
    bool(not_the_locked_packages()), reason="the figures are those of the locked packages"
)


@pytest.fixture(scope="module")
def script():
    """The functions of train.py."""
    return SimpleNamespace(**runpy.run_path(str(SOLUTIONS / "train.py")))


@pytest.fixture(scope="module")
def df(script):
    return script.read_customers(CSV)


# The data


def test_the_data_is_the_file_that_the_lessons_describe():
    assert hashlib.sha256(CSV.read_bytes()).hexdigest() == (
        "6ff58dad1ff4b0a5adf6e44ec6b221c9561f6c5b2a2130a8a5634c6ef75387be"
    )


def test_1869_of_7043_customers_left(df):
    assert len(df) == 7043
    assert df["churn"].sum() == 1869
    assert round(df["churn"].mean(), 4) == 0.2654


def test_the_example_customer_is_in_the_data(df, script):
    row = df.loc[EXAMPLE_INDEX, script.categorical + script.numerical].to_dict()
    assert row == {name: value for name, value in EXAMPLE.items() if name != "customerid"}
    same = (df[list(row)] == pd.Series(row)).all(axis=1)
    assert list(df.index[same]) == [EXAMPLE_INDEX]  # nobody else is like her
    assert df.loc[EXAMPLE_INDEX, "churn"] == 0


def test_the_eleven_customers_without_a_total_are_new(df):
    blank = pd.read_csv(CSV)["TotalCharges"] == " "
    assert blank.sum() == 11
    assert set(df.loc[blank, "tenure"]) == {0}
    assert set(df.loc[blank, "totalcharges"]) == {0}


def test_no_text_is_left_with_a_capital_letter_or_a_space(df, script):
    texts = df[script.categorical].select_dtypes(exclude="number")
    assert texts.shape[1] == 15
    values = {value for name in texts for value in texts[name]}
    assert values == {value.lower().replace(" ", "_") for value in values}


def test_looking_for_object_columns_finds_none_in_pandas_3():
    raw = pd.read_csv(CSV)
    assert int(pd.__version__.split(".")[0]) >= 3
    assert list(raw.columns[raw.dtypes == "object"]) == []
    assert len(raw.select_dtypes(exclude="number").columns) == 17


# The model


def test_the_split_is_5634_to_1409_and_always_the_same(df, script):
    df_train, df_test = script.split(df)
    assert (len(df_train), len(df_test)) == (5634, 1409)
    assert EXAMPLE_INDEX in df_test.index  # the model has not seen her
    assert sorted([*df_train.index, *df_test.index]) == list(range(7043))
    assert list(script.split(df)[1].index) == list(df_test.index)


def test_the_model_has_45_columns(model_file):
    dv, model = pickle.loads(model_file.read_bytes())
    assert len(dv.get_feature_names_out()) == 45
    assert model.coef_.shape == (1, 45)


def test_training_again_gives_the_same_bytes(model_file, tmp_path):
    again = tmp_path / "again.bin"
    train = [sys.executable, SOLUTIONS / "train.py", "--out", again]
    subprocess.run(train, check=True, capture_output=True, cwd=tmp_path)
    assert again.read_bytes() == model_file.read_bytes()


def test_ibms_original_with_customer_ids_gives_the_same_model(df, script, tmp_path):
    original = tmp_path / "original.csv"
    with CSV.open(encoding="utf-8", newline="") as source:
        names, *rows = csv.reader(source)
    with original.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["customerID", *names])
        writer.writerows([f"{n:04}-ABCDE", *row] for n, row in enumerate(rows, start=2))
    with_ids = script.read_customers(original)
    assert with_ids.pop("customerid")[EXAMPLE_INDEX] == "3383-abcde"
    assert with_ids.equals(df)
    pairs = [
        script.train(script.split(frame)[0]) for frame in (df, script.read_customers(original))
    ]
    assert pickle.dumps(pairs[0]) == pickle.dumps(pairs[1])


@linux_x86_64
@locked_packages
def test_the_model_is_one_file_whichever_python_makes_it(tmp_path):
    """tests/pythons.py asks every Python."""
    model = tmp_path / "churn-model.bin"
    subprocess.run(
        [sys.executable, SOLUTIONS / "train.py", "--out", model],
        env=os.environ | {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
    )
    assert hashlib.sha256(model.read_bytes()).hexdigest() == (
        "40255e52262369570511b12fd9bf958f0f06075209c78af6fa53db410339558f"
    )


# The third digit (lesson 01): what the solver makes of it depends on the machine's arithmetic

FIGURES = """
import json, pickle, runpy, sys
from pathlib import Path
train, data, model_file = runpy.run_path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
df_train, _ = train["split"](train["read_customers"](data / "telco-customer-churn.csv"))
customer = json.loads((data / "customer.json").read_text(encoding="utf-8"))
dv, model = train["train"](df_train)
default = train["predict_single"](customer, dv, model)
model.set_params(tol=1e-8).fit(dv.transform(train["to_dicts"](df_train)), df_train["churn"])
exact = train["predict_single"](customer, dv, model)
saved = train["predict_single"](customer, *pickle.loads(model_file.read_bytes()))
print(json.dumps([float(number) for number in (default, exact, saved)]))
"""


@linux_x86_64
@locked_packages
@pytest.mark.parametrize(
    ("kernels", "default", "rounded"), [("Haswell", 0.061876, 0.062), ("Nehalem", 0.059606, 0.060)]
)
def test_the_third_digit_is_the_solvers(model_file, kernels, default, rounded):
    ended = subprocess.run(
        [sys.executable, "-c", FIGURES, SOLUTIONS / "train.py", DATA, model_file],
        env=os.environ | {"OPENBLAS_CORETYPE": kernels},
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    trained_here, exact, saved = json.loads(ended.stdout)
    assert round(trained_here, 6) == default
    assert float(f"{trained_here:.3f}") == rounded
    assert round(exact, 6) == 0.067579  # with tol=1e-8, on every machine
    dv, model = pickle.loads(model_file.read_bytes())
    here = model.predict_proba(dv.transform([EXAMPLE]))[0, 1]
    assert saved == pytest.approx(here, rel=0, abs=1e-12)  # one model file, one answer


# Saving the pair: whatever happens, the old pair stays, or the new one is there, or (killed
# between the two files) a mixture, which test_model_file.py sees refused by its sha256.


@pytest.fixture
def pairs(script, model_file):
    """Return two pairs, the second a little different, as (save, pickled)."""

    def saver(dv, model):
        return lambda path: script.save(path, dv, model, EXAMPLE, auc=0.8), pickle.dumps(
            (dv, model)
        )

    dv, model = pickle.loads(model_file.read_bytes())
    other = copy.deepcopy(model)
    other.intercept_ += 1
    return saver(dv, model), saver(dv, other)


def state(path):
    """Return the pickle and the sha256 of the card; that it is whole JSON is held here."""
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return path.read_bytes(), card["sha256"]


def whole(pickled):
    return pickled, hashlib.sha256(pickled).hexdigest()


def names(folder):
    return {path.name for path in folder.iterdir()}


def at_line(number, act, save, path):
    """Save, and act before the line of train.py that runs as the number-th; say whether it ran."""
    lines = itertools.count(1)
    acted = []

    def trace(frame, event, _):
        if frame.f_code.co_filename != str(SOLUTIONS / "train.py"):
            return None
        if event == "line" and next(lines) == number:
            acted.append(number)
            act()
        return trace

    sys.settrace(trace)
    try:
        save(path)
    finally:
        sys.settrace(None)
    return bool(acted)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is forked, which Windows can't")
def test_a_kill_at_any_moment_leaves_the_old_pair_or_the_new_one_or_a_mixture(pairs, tmp_path):
    (save_old, old), (save_new, new) = pairs
    path = tmp_path / "churn-model.bin"
    seen = []
    for number in itertools.count(1):
        save_old(path)
        child = os.fork()
        if not child:
            try:
                at_line(number, lambda: os.kill(os.getpid(), signal.SIGKILL), save_new, path)
            finally:
                os._exit(0)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        seen.append(state(path))
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
    assert number > 20
    mixture = new, whole(old)[1]
    assert list(dict.fromkeys(seen)) == [whole(old), mixture, whole(new)]
    assert seen.count(mixture) <= 3  # from one rename to the next
    save_old(path)  # what the killed left does not matter
    assert state(path) == whole(old)


def test_two_trainings_at_once_leave_one_whole_pair(pairs, tmp_path):
    """Wherever one is, the other saves all of its own."""
    (save_one, one), (save_other, other) = pairs
    path = tmp_path / "churn-model.bin"
    seen = []
    for number in itertools.count(1):
        if not at_line(number, lambda: save_other(path), save_one, path):
            break
        seen.append(state(path))
        assert names(tmp_path) == {"churn-model.bin", "churn-model.json"}
    assert number > 20
    assert set(seen) == {whole(one), whole(other)}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked, which Windows can't")
def test_two_processes_that_save_and_save_leave_one_whole_pair(pairs, tmp_path):
    path = tmp_path / "churn-model.bin"
    children = []
    for save, _ in pairs:
        children.append(os.fork())
        if not children[-1]:
            code = 1
            try:
                for _ in range(100):
                    save(path)
                code = 0
            finally:
                os._exit(code)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert state(path) in [whole(pickled) for _, pickled in pairs]
    assert names(tmp_path) == {"churn-model.bin", "churn-model.json"}


@pytest.mark.parametrize("number", [1, 2])
def test_a_full_disk_leaves_the_old_pair(pairs, tmp_path, monkeypatch, number):
    (save_old, old), (save_new, _) = pairs
    path = tmp_path / "churn-model.bin"
    save_old(path)
    files = itertools.count(1)

    def full(_):
        if next(files) == number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_new(path)
    assert state(path) == whole(old)
    assert names(tmp_path) == {"churn-model.bin", "churn-model.json"}


# The service's schema


def test_the_service_allows_what_the_data_holds(df, model_file, script, monkeypatch):
    monkeypatch.setenv("CHURN_MODEL", str(model_file))
    service = runpy.run_path(str(SOLUTIONS / "churn_serving.py"))
    schema = service["Customer"].model_json_schema()
    fields = schema["properties"]
    card = json.loads(model_file.with_suffix(".json").read_text(encoding="utf-8"))
    assert fields.keys() - {"customerid"} == card["features"].keys() == set(schema["required"])
    for name, allowed in card["features"].items():
        if name == "seniorcitizen":
            assert (fields[name]["type"], allowed) == ("integer", [0, 1])
            assert (fields[name]["minimum"], fields[name]["maximum"]) == (0, 1)
        elif name in script.numerical:
            assert fields[name]["type"] == allowed
            assert fields[name]["minimum"] <= df[name].min()
            assert fields[name]["maximum"] >= df[name].max()
        else:
            assert fields[name]["enum"] == allowed == sorted(set(df[name]))


def test_the_service_takes_every_customer_of_the_data(df, model_file, script, monkeypatch):
    monkeypatch.setenv("CHURN_MODEL", str(model_file))
    app = runpy.run_path(str(SOLUTIONS / "churn_serving.py"))["app"]
    dv, model = pickle.loads(model_file.read_bytes())
    expected = script.predict(df, dv, model)
    customers = script.to_dicts(df)
    for first in range(0, len(customers), 1000):
        answer = app.test_client().post("/predict/batch", json=customers[first : first + 1000])
        probabilities = [one["churn_probability"] for one in answer.get_json()]
        assert probabilities == pytest.approx(expected[first : first + 1000], rel=0, abs=1e-12)
