"""The proof of the labs: what every exercise says to no answer, right answers and wrong ones."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from labkit import ROOT

sys.path.insert(0, str(Path(__file__).parent))
import proof

CASES = [case for short in proof.labs() for case in proof.cases(short)]


def names(cases):
    counts = {}
    for case in cases:
        key = (case.number, case.mark)
        counts[key] = counts.get(key, 0) + 1
        yield f"{case.number}-{case.mark}-{counts[key]}"


@pytest.fixture(scope="module", autouse=True)
def work_folder():
    """A folder of its own for each worker; a learner's files are in labs/work."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "one")
    work, here = ROOT / "labs" / f"work-proof-{worker}", Path.cwd()
    shutil.rmtree(work, ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_WORK", work.name)
        patch.delenv("LAB_STRICT", raising=False)
        yield work
    os.chdir(here)
    shutil.rmtree(work, ignore_errors=True)


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_answer(case):
    mark, sentence = proof.run(case)
    assert mark == case.mark, f"{sentence}\n\n{case.code}"
    assert any(words in sentence for words in case.words.split("|")), sentence
    assert "\n" not in sentence and "could not finish" not in sentence
