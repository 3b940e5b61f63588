"""The proof of the labs: what every exercise says to no answer, right answers and wrong ones."""

import copy
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import nbclient
import pytest

from labkit import MY, ROOT, SOLVED_LABS, exercises
from labkit.service import free_port, is_open

sys.path.insert(0, str(Path(__file__).parent))
import proof

CASES = [case for short in proof.labs() for case in proof.cases(short)]


def names(cases):
    counts = {}
    for case in cases:
        key = (case.exercise, case.mark)
        counts[key] = counts.get(key, 0) + 1
        yield f"{case.exercise}-{case.mark}-{counts[key]}"


@pytest.fixture(scope="module", autouse=True)
def work_folder():
    """A folder of its own for each worker; a learner's files are in my/work."""
    work, here = MY / f"work-proof-{os.getpid()}", Path.cwd()
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


# --- A flaw in a check must not stay unseen: tests/answers/flaws_NN.py has one for each ---

FLAWS = {
    (short, exercise): change
    for short in proof.labs()
    for exercise, change in proof.flaws(short).items()
}


def test_each_check_has_a_flaw():
    assert {exercise for _, exercise in FLAWS} == {case.exercise for case in CASES}


@pytest.mark.parametrize(("short", "exercise"), FLAWS, ids=[exercise for _, exercise in FLAWS])
def test_a_flaw_in_a_check_makes_the_proof_fail(short, exercise, monkeypatch):
    old, new = FLAWS[short, exercise]
    path = ROOT / "labkit" / "labs" / f"{short}.py"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, "the flaw fits no longer: change it along with the check"
    flawed = types.ModuleType(f"flawed_{short}")
    exec(compile(text.replace(old, new), str(path), "exec"), flawed.__dict__)
    check = flawed.lab.exercises[exercise]
    monkeypatch.setitem(proof.lab_of(short).exercises, exercise, check)
    concerned = [case for case in CASES if case.exercise == exercise]
    concerned.sort(key=lambda case: case.mark != "✘")  # mostly a wrong answer gets through
    assert any(not passes(case) for case in concerned)


def passes(case):
    try:
        test_answer(case)
    except AssertionError:
        return False
    return True


# --- The notebooks themselves, in their kernels ---


def run_notebook(short, tmp_path, monkeypatch, solved):
    """Run a lab from a foreign folder; return what its checks printed."""
    notebook, port = copy.deepcopy(proof.notebook_of(short)), free_port()
    for cell in notebook.cells:
        if solved and "exercise" in cell.metadata:
            solution = exercises.solution(proof.lab_of(short).name, cell.metadata["exercise"])
            head = re.match(r"%%writefile .*\n", cell.source)
            if short == "lab_03":  # where the learner writes the port down
                solution = solution.replace("9696", str(port))
            cell.source = (head[0] if head else "") + solution
    monkeypatch.setenv("LAB_PORT", str(port))
    monkeypatch.setenv("LAB_WORK", f"work-{tmp_path.parent.name}-{tmp_path.name}")
    if solved:
        monkeypatch.setenv("LAB_STRICT", "1")
    try:
        nbclient.NotebookClient(
            notebook, timeout=60, resources={"metadata": {"path": tmp_path}}
        ).execute()
    finally:
        shutil.rmtree(MY / os.environ["LAB_WORK"], ignore_errors=True)
    assert not is_open(port), "a service is left behind"
    checks = [cell for cell in notebook.cells if cell.source.startswith("lab.check(")]
    assert [len(cell.outputs) for cell in checks] == [1] * len(checks)
    return [cell.outputs[0]["data"]["text/plain"] for cell in checks]


each_lab = pytest.mark.parametrize("short", proof.labs())


@each_lab
def test_untouched_lab_runs_through_and_nothing_is_started(short, tmp_path, monkeypatch):
    said = run_notebook(short, tmp_path, monkeypatch, solved=False)
    assert [line[0] for line in said] == ["○"] * len(proof.lab_of(short).exercises)


@each_lab
def test_solved_lab_is_correct(short, tmp_path, monkeypatch):
    said = run_notebook(short, tmp_path, monkeypatch, solved=True)
    assert [line[0] for line in said] == ["✔"] * len(proof.lab_of(short).exercises)


@pytest.mark.slow  # the same code as in the notebook, once more
@pytest.mark.xdist_group("port9696")  # lab 3's own script has it
@each_lab
def test_source_is_a_script_that_runs_and_is_correct(short, tmp_path, monkeypatch):
    port = 9696 if short == "lab_03" else free_port()
    work = f"work-{tmp_path.parent.name}-{tmp_path.name}"
    environment = os.environ | {"LAB_PORT": str(port), "LAB_WORK": work, "PYTHONUTF8": "1"}
    [source] = SOLVED_LABS.glob(f"{short}_*.py")
    done = subprocess.run(
        [sys.executable, source], cwd=tmp_path, env=environment, capture_output=True,
        encoding="utf-8",
    )  # fmt: skip
    shutil.rmtree(MY / work, ignore_errors=True)
    assert not done.returncode, done.stderr
    marks = re.findall(r"^([✔✘○]) \d", done.stdout, re.M)
    assert marks == ["✔"] * len(proof.lab_of(short).exercises), done.stdout
    assert not is_open(port), "a service is left behind"
