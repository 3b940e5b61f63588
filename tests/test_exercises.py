"""The machinery of the labs: one line whatever the learner's code does, hints, progress."""

import builtins
import json
import math
import os
import reprlib
import sys
import threading
import time
import types
import warnings
from pathlib import Path

import pytest

from labkit import ROOT, LabError, exercises, progress
from labkit.exercises import Answer, Lab, NotPassed, NotStarted, Wrong, ____, expect, judge, show
from labkit.labs import lab_01, lab_03, lab_08, lab_09

sys.path.insert(0, str(ROOT / "tools"))
import make_labs

lab = Lab("01_train_the_model")


@lab.exercise("add-two", lesson="Why", hints=["Think.", "Add.", "a + b"])
def adds(answer):
    function = answer.function("add", returns=int)
    expect("add(2, 3)", function(2, 3), 5, "add the two numbers")
    return "Correct: 5."


@lab.exercise("ask-for-nothing", lesson="Why", hints=["1"])
def broken(answer):
    return answer.value("x").no_such_name


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.setattr(exercises, "SECONDS", 0.3)
    monkeypatch.setattr(math, "isnan", math.isnan)  # some answers change these
    monkeypatch.setattr(math, "isclose", math.isclose)
    monkeypatch.setattr(reprlib.Repr, "repr", reprlib.Repr.repr)
    monkeypatch.setattr(exercises, "get_ipython", lambda: True)  # as in a notebook
    monkeypatch.setattr(progress, "MY", tmp_path)
    monkeypatch.setenv("LAB_WORK", "work")
    monkeypatch.delenv("LAB_STRICT", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.chdir(tmp_path)


def said(code, name="add-two"):
    """Run code as a notebook's cell, then its check; return mark and sentence."""
    namespace = {"____": ____}
    exec(code, namespace)
    return judge(lab.exercises[name], Answer(namespace))


NAUGHTY = {  # what the code does inside the check: mark, words of the sentence
    "def add(a, b):\n    return a + b": ("✔", "Correct: 5."),
    "def add(a, b):\n    return ____": ("○", "not started"),
    "add = ____": ("○", "not started"),
    "x = 1": ("○", "there is no add yet: run the cell above"),
    "def add(a, b):\n    return a * b": ("✘", "add(2, 3) should be 5, and is 6: add the two"),
    "def add(a, b):\n    a + b": ("✘", "returned None"),
    "def add(a, b):\n    return '5'": ("✘", "should be of type int, and is '5', of type str"),
    "def add(a, b):\n    return True": ("✘", "of type bool"),
    "add = 5": ("✘", "add should be a function, and is 5: begin with def add("),
    "def add(a):\n    return a": ("✘", "raised TypeError: add() takes 1 positional argument"),
    "def add(a, b):\n    return a + c": ("✘", "raised NameError: name 'c' is not defined"),
    "def add(a, b):\n    raise ValueError('line 1\\nline 2')": ("✘", "line 1 line 2"),
    "class E(Exception):\n    def __str__(self): raise E\n\ndef add(a, b):\n    raise E": (
        "✘",
        "E",
    ),
    "import sys\ndef add(a, b):\n    sys.exit('bye')": ("✘", "raised SystemExit: bye"),
    "def add(a, b):\n    raise KeyboardInterrupt": ("✘", "raised KeyboardInterrupt"),
    "def add(a, b):\n    raise GeneratorExit": ("✘", "raised GeneratorExit"),
    "def add(a, b):\n    return add(a, b)": ("✘", "raised RecursionError"),
    "def add(a, b):\n    while True: pass": ("✘", "a loop that never ends"),
    "def add(a, b):\n    while True:\n        try: a += 1\n        except Exception: pass": (
        "✘",
        "a loop that never ends",
    ),
    "import time\ndef add(a, b):\n    time.sleep(5)": ("✘", "can't be stopped"),
    "import os\ndef add(a, b):\n    os.chdir('/')\n    return a + b": ("✔", "Correct"),
    "import os\ndef add(a, b):\n    os.environ.clear()\n    return a + b": ("✔", "Correct"),
    "import sys\ndef add(a, b):\n    sys.path.clear()\n    return a + b": ("✔", "Correct"),
    "import sys\ndef add(a, b):\n    sys.stdout = sys.stderr = None\n    return 5": (
        "✔",
        "Correct",
    ),
    "import sys\ndef add(a, b):\n    sys.stdout.close()\n    return 5": ("✔", "Correct"),
    "def add(a, b):\n    print('noise')\n    return a + b": ("✔", "Correct"),
    "import warnings\ndef add(a, b):\n    warnings.warn('old')\n    return a + b": ("✔", "Correct"),
    "import builtins\ndef add(a, b):\n    builtins.len = builtins.print = None\n    return 5": (
        "✔",
        "Correct",
    ),
    "import builtins\nbuiltins.callable = None\ndef add(a, b):\n    return a + b": ("✔", "Correct"),
    "import math\nmath.isclose = math.isnan = None\ndef add(a, b):\n    return a + b": (
        "✔",
        "Correct",
    ),
    "import reprlib\nreprlib.Repr.repr = None\ndef add(a, b):\n    return a * b": (
        "✘",
        "the check could not finish (TypeError: 'NoneType' object is not callable): ",
    ),
    "expect = show = Wrong = lab = None\ndef add(a, b):\n    return a + b": ("✔", "Correct"),
    "list = [1]\ndef add(a, b):\n    return len(list([a, b]))": ("✘", "raised TypeError"),
    "class Odd(int):\n    def __eq__(self, other): 1 / 0\n    __hash__ = int.__hash__\n"
    "def add(a, b):\n    return Odd(5)": ("✘", "should be 5"),
    "class Odd(int):\n    def __repr__(self): raise OSError('no')\n"
    "def add(a, b):\n    return Odd(6)": ("✘", "should be 5, and is <Odd instance"),
    "import subprocess, sys\ndef add(a, b):\n    subprocess.run([sys.executable, '-c', '1/0'])\n"
    "    return a + b": ("✔", "Correct"),
}


@pytest.mark.parametrize("code", NAUGHTY, ids=range(len(NAUGHTY)))
def test_whatever_the_code_does_there_is_one_sentence_and_nothing_else(code, capfd, monkeypatch):
    monkeypatch.setattr(exercises, "SECONDS", 3 if "subprocess" in code else 0.3)
    before = (
        Path.cwd(),
        dict(os.environ),
        list(sys.path),
        sys.stdout,
        sys.stderr,
        warnings.filters[:],
    )
    mark, sentence = said(code)
    assert (mark, NAUGHTY[code][1] in sentence) == (NAUGHTY[code][0], True), sentence
    assert "\n" not in sentence and "Traceback" not in sentence
    after = (
        Path.cwd(),
        dict(os.environ),
        list(sys.path),
        sys.stdout,
        sys.stderr,
        warnings.filters[:],
    )
    assert after == before
    assert builtins.len([1]) == 1
    assert capfd.readouterr() == ("", "")


def test_an_interrupted_check_says_so_and_stops_the_code(monkeypatch):
    threads, join = [], threading.Thread.join

    def interrupted(thread, seconds):
        if thread not in threads:  # the first time it is waited for
            threads.append(thread)
            raise KeyboardInterrupt
        join(thread, seconds)

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    assert said("def add(a, b):\n    while True: pass") == (
        "○",
        "interrupted: run this cell again.",
    )
    assert [thread.is_alive() for thread in threads] == [False]


def test_a_check_that_fails_itself_says_so():
    mark, sentence = said("x = 1", "ask-for-nothing")
    assert mark == "✘" and "the check could not finish (AttributeError: 'int' object" in sentence


def test_the_line_of_the_mistake_is_named():
    namespace = {}
    code = "def add(a, b):\n    c = a\n    return c + missing\n"
    exercises.linecache.cache["<cell>"] = (len(code), None, code.splitlines(True), "<cell>")
    exec(compile(code, "<cell>", "exec"), namespace)
    _, sentence = judge(lab.exercises["add-two"], Answer(namespace))
    assert "in line 3 of its cell (return c + missing): mend that first." in sentence


@pytest.mark.parametrize(
    ("came", "expected", "tolerance", "right"),
    [
        (0.75, 0.75, 0.001, True),
        (0.7511, 0.75, 0.001, False),
        (float("nan"), 0.75, 1, False),
        ("0.75", 0.75, 1, False),
        (True, 1, 0.1, False),
        (None, 1, 9, False),
        (True, 1, None, False),
        (1, 1.0, None, True),
        ([1, 2], [1, 2], None, True),
        ([1, 2], [2, 1], None, False),
        ("a", "b", None, False),
    ],
)
def test_expect(came, expected, tolerance, right):
    try:
        expect("x", came, expected, "think", tolerance)
    except Wrong as sentence:
        assert not right
        assert str(sentence).endswith(": think.") and "x should be" in str(sentence)
    else:
        assert right


def test_values_that_look_alike_are_told_apart():
    with pytest.raises(Wrong, match=r"should be 0.3, and is 0.30000000000000004 of type float"):
        expect("x", 0.1 + 0.2, 0.3, "round it")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        ("a" * 200, "..."),
        (print, "print"),
        (Path("may.bin"), "'may.bin'"),
        (list(range(100)), "[0, 1, 2, 3, 4, ...]"),
        (types.SimpleNamespace(shape=3), "namespace(shape=3)"),
    ],
)
def test_values_are_shown_short(value, text):
    assert text in show(value) and len(show(value)) < 130


# --- What a notebook sees ---


def add(a, b):
    return a + b


def test_check_prints_a_line_and_records_it(capsys):
    lab.check("add-two")
    assert capsys.readouterr().out == "✔ 1.1  Correct: 5.\n"
    assert progress.solved() == {"add-two"}


def test_a_script_has_no_progress(capsys, monkeypatch):
    monkeypatch.setattr(math, "isnan", math.isnan)  # some answers change these
    monkeypatch.setattr(math, "isclose", math.isclose)
    monkeypatch.setattr(reprlib.Repr, "repr", reprlib.Repr.repr)
    monkeypatch.setattr(exercises, "get_ipython", lambda: None)
    lab.check("add-two")
    assert capsys.readouterr().out == "✔ 1.1  Correct: 5.\n"
    Lab("01_train_the_model")
    assert not progress.file().exists()


@pytest.mark.parametrize("name", ["LAB_STRICT", "NBGRADER_EXECUTION"])
def test_under_grading_a_check_raises_one_line_and_records_nothing(name, monkeypatch, capsys):
    monkeypatch.setenv(name, "1")
    lab.check("add-two")
    monkeypatch.setitem(globals(), "add", max)
    with pytest.raises(NotPassed) as refusal:
        lab.check("add-two")
    assert refusal.value._render_traceback_() == [str(refusal.value)]
    assert str(refusal.value).startswith("✘ 1.1  add(2, 3) should be 5, and is 3")
    monkeypatch.setitem(globals(), "add", ____)
    with pytest.raises(NotPassed, match=r"○ 1\.1  not started"):
        lab.check("add-two")
    assert not progress.file().exists()


def test_an_exercise_that_is_not_there_is_named():
    for ask in (lab.check, lab.hint, lab.solution):
        with pytest.raises(
            LabError, match=r"no exercise '1.1' in this lab .there are add-two, ask-for-nothing"
        ):
            ask("1.1")


def test_hints_come_one_by_one_and_the_last_stays(capsys):
    fresh = Lab("01_train_the_model")
    fresh.exercises = lab.exercises
    for _ in range(4):
        fresh.hint("add-two")
    lines = capsys.readouterr().out.splitlines()
    third = 'Hint 3 of 3: a + b (The last one; lab.solution("add-two") shows a solution.)'
    assert lines == ["Hint 1 of 3: Think.", "Hint 2 of 3: Add.", third, third]


def test_solution_shows_the_lines_of_solutions_without_markers():
    shown = lab_01.lab.solution("clean-a-column").data
    source = (exercises.SOLVED_LABS / "lab_01_train_the_model.py").read_text(encoding="utf-8")
    lines = shown.splitlines()[1:-1]
    assert lines[0] == "def clean(column):" and len(lines) > 2
    assert all(line in source for line in lines)
    assert "[solution]" not in shown and "____" not in shown and "# [end]" not in shown


def test_a_solution_has_the_learners_port(monkeypatch):
    assert "port=9696" in lab_03.lab.solution("write-a-service").data
    monkeypatch.setattr(exercises.service, "PORT", 9707)
    shown = lab_03.lab.solution("write-a-service").data
    assert "port=9707" in shown and "9696" not in shown
    shown = lab_09.lab.solution("a-service-that-wants-its-key").data
    assert "9707" in shown and "9696" not in shown
    assert ":8080:9696" in lab_08.lab.solution("at-the-front-desk").data, "a container's own port"


def test_a_number_is_a_place():
    fresh = Lab("01_train_the_model")
    for name in ("one", "two"):
        fresh.exercise(name, lesson="Why", hints=["1"])(lambda answer: None)
    assert [fresh.number(name) for name in fresh.exercises] == ["1.1", "1.2"]
    fresh.exercises = {"zero": None, **fresh.exercises}
    assert fresh.number("one") == "1.2"


def test_a_line_is_safe_html():
    line = exercises.Line("✘ 1.1  a < b & <script>")
    assert repr(line) == "✘ 1.1  a < b & <script>"
    assert ">✘ 1.1  a &lt; b &amp; &lt;script&gt;</div>" in line._repr_html_()


def test_blank_says_what_it_is():
    assert repr(____) == "____"
    with pytest.raises(NotStarted):
        Answer({"x": ____}).value("x")


def test_a_service_that_does_not_start_says_why_in_a_line(capsys, monkeypatch):
    Path("bad.py").write_text("port = ____\n", encoding="utf-8")
    fresh = Lab("01_train_the_model")
    fresh.start("bad.py", port=exercises.service.free_port())
    Path("bad.py").write_text("1 / 0\n", encoding="utf-8")
    fresh.start("bad.py", port=exercises.service.free_port())
    fresh.start("nobody.py")
    fresh.stop()
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "○ bad.py is not started: put your code where ____ stands first.",
        "✘ bad.py ended by itself. It said: ZeroDivisionError: division by zero",
        "✘ There is no script nobody.py here or in solutions/.",
    ]


# --- Progress ---


def test_progress_survives_a_crash_and_damage(capsys):
    progress.record("clean-a-column", "✔")
    progress.record("find-the-text-columns", "✘")
    with progress.file().open("a", encoding="utf-8") as f:
        f.write('\n{"exercise": "split-in-three", "ma')  # the power failed here
    progress.record("three-in-three-out", "✔")
    with progress.file().open("ab") as f:
        f.write(b'\n\xff\xfe{}\n[1]\n"x"\n{"exercise": 5, "mark": "\xe2\x9c\x94"}\n{"reset": 1}\n')
    progress.record("find-the-text-columns", "✔")
    progress.record("find-the-text-columns", "✘")  # what was solved stays solved
    progress.record("what-if", "✘")
    progress.record("what-if", "○")
    solved = {"clean-a-column", "find-the-text-columns", "three-in-three-out"}
    assert progress.solved() == solved
    progress.show()
    bars = capsys.readouterr().out.splitlines()
    assert "".join(bars[:2]).count("■") == 3 and bars[1].count("■") == 1 and "■" not in bars[2]


def labs(*exercises):
    """Return one lab with these exercises, in the form of progress.labs()."""
    named = [
        progress.Exercise(name, f"1.{place}", name.capitalize(), core)
        for place, (name, core) in enumerate(exercises, 1)
    ]
    return lambda: {"1": ("Add", named)}


def test_the_core_has_boxes_of_its_own(monkeypatch, capsys):
    monkeypatch.setattr(progress, "labs", labs(("one", True), ("two", False), ("three", True)))
    progress.record("two", "✔")
    progress.record("three", "✔")
    progress.show()
    assert capsys.readouterr().out.splitlines() == [
        "Lab 1   ■□    1 of 2  ■        1 of 1  Add",
        "",
        "The core, on the left: 1 of 2. The rest: 1 of 1.",
    ]


def test_progress_stays_with_its_exercise(monkeypatch, capsys):
    """Whatever an update does to a lab: insert, drop, move."""
    monkeypatch.setattr(progress, "labs", labs(("one", True), ("two", True)))
    progress.record("one", "✔")
    for now, boxes in [
        ((("new", True), ("one", True), ("two", True)), "■□□"),
        ((("two", True), ("one", False)), "□     0 of 1  ■"),
        ((("two", True),), "□     0 of 1 "),
        ((("one", True),), "■     1 of 1 "),
    ]:
        monkeypatch.setattr(progress, "labs", labs(*now))
        progress.show()
        assert capsys.readouterr().out.startswith(f"Lab 1   {boxes}")


def test_labs_are_read_from_the_labs():
    found = progress.labs()
    assert list(found) == [source.stem[4:6].lstrip("0") for source in make_labs.sources()]
    title, exercises_ = found["1"]
    assert title == "Train the model"
    assert [one.name for one in exercises_] == list(lab_01.lab.exercises)
    assert [one.number for one in exercises_] == [lab_01.lab.number(one.name) for one in exercises_]
    first = exercises_[0]
    assert (first.number, first.title) == ("1.1", "Clean a column")
    names = [one.name for _, exercises_ in found.values() for one in exercises_]
    assert len(names) == len(set(names)), "progress goes by the name alone"


def test_labs_that_somebody_has_worked_in_are_read_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "ROOT", tmp_path)
    (tmp_path / "labs").mkdir()
    path = tmp_path / "labs" / "lab_01_train_the_model.ipynb"
    content = json.loads((ROOT / "labs" / path.name).read_text(encoding="utf-8"))
    right = len([cell for cell in content["cells"] if "exercise" in cell["metadata"]])
    content["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": ["News"]})
    path.write_text(json.dumps(content), encoding="utf-8")
    path.with_name("lab_01_train_the_model-Copy1.ipynb").write_text("{}", encoding="utf-8")
    title, exercises_ = progress.labs()["1"]
    assert title == "Train the model" and len(exercises_) == right
    path.write_text("<<<<<<< HEAD", encoding="utf-8")
    with pytest.raises(LabError, match=r"lab_01_train_the_model.ipynb is damaged: get it anew\.$"):
        progress.labs()


def test_progress_is_only_ever_added_to_and_can_be_reset():
    progress.record("clean-a-column", "✔")
    progress.record("three-in-three-out", "✔")
    before = progress.file().read_text(encoding="utf-8")
    progress.reset(1)
    assert progress.solved() == {"three-in-three-out"}
    progress.record("what-if", "✔")
    progress.record("dropped-since", "✔")
    assert progress.solved() == {"what-if", "three-in-three-out", "dropped-since"}
    progress.reset()
    assert progress.solved() == set()
    assert progress.file().read_text(encoding="utf-8").startswith(before)
    with pytest.raises(LabError, match="There is no lab 77; the labs are 1, 2"):
        progress.reset(77)


def write(*lines):
    progress.file().parent.mkdir(exist_ok=True)
    text = "\n".join(json.dumps(line) for line in lines)
    progress.file().write_text(text, encoding="utf-8")


def at(minute, **line):
    return line | {"time": f"2026-01-31T{10 + minute // 60}:{minute % 60:02}:00+00:00"}


def test_minutes_are_counted_from_check_to_check(monkeypatch):
    names = (("one", True), ("two", False), ("three", True), ("four", True))
    monkeypatch.setattr(progress, "labs", labs(*names))
    assert progress.minutes() == [
        "Nothing is recorded yet: minutes come from the checks in the labs."
    ]
    write(
        at(0, opened="01_train_the_model"),
        at(4, exercise="one", mark="✘"),
        at(5, exercise="one", mark="✔"),
        at(9, exercise="one", mark="✔"),  # solved already: no time of it
        at(10, exercise="two", mark="○"),
        at(12, exercise="two", mark="✘"),
        at(11, exercise="two", mark="✘"),  # the clock was set
        at(41, exercise="two", mark="✘"),  # half an hour later: a break
        at(41, exercise="three", mark="✔"),
        at(80, exercise="four", mark="○"),
        at(80, exercise="dropped-since", mark="✔"),
        {"exercise": "two", "mark": "✔", "time": "long ago"},
        {"exercise": "two", "mark": "✔"},
    )
    assert progress.minutes() == [
        "Lab 1 · Add: 8 minutes",
        "  1.1  One: 5 minutes, 2 checks",
        "  1.2  Two: 3 minutes, 3 checks, not solved yet",
        "  1.3  Three: under a minute, 1 check",
    ]
    with progress.file().open("a", encoding="utf-8") as f:
        f.write("\n" + json.dumps(at(81, reset=["one"])) + "\n")
        f.write(json.dumps(at(82, exercise="one", mark="✔")))
    assert progress.minutes()[:2] == ["Lab 1 · Add: 4 minutes", "  1.1  One: 1 minute, 1 check"]


def test_a_lab_that_is_opened_starts_the_clock_unless_it_is_marked(monkeypatch):
    Lab("01_train_the_model")
    assert json.loads(progress.file().read_text(encoding="utf-8"))["opened"] == "01_train_the_model"
    progress.file().unlink()
    monkeypatch.setenv("LAB_STRICT", "1")
    Lab("01_train_the_model")
    assert not progress.file().exists()


def test_a_folder_that_can_not_be_written_does_not_hide_the_answer(capsys):
    progress.file().parent.write_text("a file where the folder should be")
    Lab("01_train_the_model")  # says nothing
    lab.check("add-two")
    out = capsys.readouterr().out
    assert out.startswith("✔ 1.1  Correct: 5. (Your progress can't be written to progress.jsonl")
    assert len(out.splitlines()) == 1
    progress.show()
    assert "0 of " in capsys.readouterr().out


def test_lines_say_when():
    progress.record("what-if", "✔")
    [line] = filter(None, progress.file().read_text(encoding="utf-8").splitlines())
    assert time.strptime(json.loads(line)["time"][:19], "%Y-%m-%dT%H:%M:%S")
