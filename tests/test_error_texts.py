"""The texts in the boxes "If it goes wrong": each is provoked for real, so that it is exact."""

import re
import shutil
import socket
import subprocess
import sys

import nbformat
import pytest

from labkit import ROOT, SOLUTIONS
from labkit.service import start

LOAD = """
import pandas as pd
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
customers, left = [{"contract": "one_year"}, {"contract": "two_year"}], [0, 1]
"""
PROVOKED = {  # lesson: {text in the box: code that provokes it}
    "00_start_here": {
        "ModuleNotFoundError: No module named 'labkit'": "import labkit",
        "NameError: name 'labkit' is not defined": "labkit.work_folder()",
    },
    "01_train_the_model": {
        "FileNotFoundError: [Errno 2] No such file or directory": LOAD + "pd.read_csv('nowhere')",
        "ValueError: The 'liblinear' solver does not support multiclass classification "
        "(n_classes >= 3).": LOAD + "LogisticRegression(solver='liblinear').fit("
        "DictVectorizer(sparse=False).fit_transform(customers), [0, 0])",
        "ValueError: orient 'rows' not understood": LOAD
        + "pd.DataFrame(customers).to_dict(orient='rows')",
        "ValueError: Only sparse matrices with 32-bit integer indices are accepted.": LOAD
        + "LogisticRegression(solver='liblinear').fit("
        "DictVectorizer().fit_transform(customers), left)",
    },
}
CASES = [(lesson, *case) for lesson, cases in PROVOKED.items() for case in cases.items()]


def summaries(lesson):
    """The error texts that a lesson's boxes name, in bold."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{lesson}.ipynb", as_version=4)
    return re.findall(
        r"<summary><b>(\w+Error: [^<]+)</b>", "\n".join(c.source for c in notebook.cells)
    )


@pytest.mark.parametrize(("lesson", "text", "code"), CASES, ids=[case[1][:40] for case in CASES])
def test_error_text_is_what_python_says(lesson, text, code):
    bare = ["-I", "-S"] if code == "import labkit" else []  # as a Python without the lab
    command = [sys.executable, *bare, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT / "images")
    assert text in done.stderr
    assert text in summaries(lesson)


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_every_error_text_in_a_box_is_provoked(path):
    assert set(summaries(path.stem)) == set(PROVOKED[path.stem])


# The README's table "By what it says". Texts of other systems and of shells are not run here.

README = (ROOT / "README.md").read_text(encoding="utf-8")
OURS = {  # text in the README: the file that says it
    "This is Python": "start.py",
    "and the lab needs 3.11.5 to 3.14: ": "start.py",
    "This Python lacks its modules venv and ensurepip: ": "start.py",
    "Downloading and installing the packages": "start.py",
    "failed, the lines above say why: ": "start.py",
    "This kernel is not the lab's.": "notebooks/00_start_here.ipynb",
    "There is no model ": "solutions/churn_serving_simple.py",
    ": run train.py first.": "solutions/churn_serving_simple.py",
}


@pytest.mark.parametrize("text", OURS)
def test_readme_quotes_our_messages(text):
    assert text.strip() in README
    assert text in (ROOT / OURS[text]).read_text(encoding="utf-8")


@pytest.mark.xdist_group("port9696")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows words it otherwise")
def test_readme_quotes_what_flask_says_of_a_busy_port():
    with socket.create_server(("127.0.0.1", 9696)):
        command = [sys.executable, SOLUTIONS / "flask_test.py"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert said.returncode != 0
    for text in ("Address already in use", "Port 9696 is in use by another program"):
        assert text in said.stderr and f"`{text}`" in README


@pytest.mark.xdist_group("port9696")
@pytest.mark.skipif(not shutil.which("curl"), reason="left out: needs curl")
def test_readme_quotes_what_curl_and_flask_say():
    command = ["curl", "http://localhost:9696/ping"]
    said = subprocess.run(command, capture_output=True, text=True).stderr
    text = "curl: (7) Failed to connect to localhost port 9696"
    assert text in said and text in README
    with start("flask_test.py") as service:
        assert "Running on http://127.0.0.1:9696" in service.log()
    assert "Running on http://127.0.0.1:9696" in README
