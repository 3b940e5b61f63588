"""The texts in the boxes "If it goes wrong": each is provoked for real, so that it is exact."""

import re
import subprocess
import sys

import nbformat
import pytest

from labkit import ROOT

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
