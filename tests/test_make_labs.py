"""The labs are what their sources say; the build refuses what is incomplete, and spares answers."""

import ast
import functools
import importlib
import json
import re
import sys
from pathlib import Path

import nbformat
import pytest
import test_lessons
from test_lessons import LESSONS, faults_of_links, faults_of_style, texts

from labkit import ROOT, SOLVED_LABS
from labkit.exercises import Lab
from labkit.labs import lab_05, lab_06

sys.path.insert(0, str(ROOT / "tools"))
import make_labs
from make_labs import Refused

make = functools.cache(make_labs.make)  # what it returns is only looked at
WORDS_PER_MINUTE, MINUTES_PER_EXERCISE = 130, 4
SOURCES = make_labs.sources()
BANK = {"right": ["", ""], "wrong": [("", "")] * 5}
GOOD = """\
# %% [markdown]
# ## Add

# %% exercise="add-two"
def add(a, b):
    # [solution] return ____
    return a + b
    # [end]


# %%
lab.check("add-two")
"""
STUBBED = "def add(a, b):\n    return ____"

each_lab = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)


@pytest.fixture
def lab():
    lab = Lab("01_train_the_model")
    lab.exercise("add-two", lesson="Split", hints=["Add."])(lambda answer: None)
    return lab


@pytest.fixture
def build(tmp_path, lab):
    def build(text, lab=lab, answers=None):
        source = tmp_path / "lab_01_train_the_model.py"
        source.write_text(text, encoding="utf-8")
        return make_labs.build(source, lab, {"add-two": BANK} if answers is None else answers)

    return build


# --- The labs that are there ---


@each_lab
def test_lab_is_what_its_source_says_to_the_byte(source, tmp_path):
    made = tmp_path / "lab.ipynb"
    make_labs.write(make_labs.make(source), made)
    there = ROOT / "labs" / f"{source.stem}.ipynb"
    assert made.read_bytes() == there.read_bytes(), "run make labs"


def test_there_is_no_other_lab():
    assert [path.stem for path in sorted((ROOT / "labs").glob("*.ipynb"))] == [
        source.stem for source in SOURCES
    ]


def core_and_all(notebook) -> tuple[int, int]:
    """Estimate a lab's minutes, to the next five: those of its core (its share), and of all."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    exercises = [cell for cell in notebook.cells if "exercise" in cell.metadata]
    core = sum(cell.metadata.get("core", False) for cell in exercises)
    words = sum(len(text.split()) for text in texts)
    exact = words / WORDS_PER_MINUTE + MINUTES_PER_EXERCISE * len(exercises)
    return 5 * round(exact * core / len(exercises) / 5), 5 * round(exact / 5)


@each_lab
def test_form(source):
    notebook = make(source)
    example = make(SOURCES[0])
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    number = int(source.stem[4:6])
    exercises = [c.metadata["exercise"] for c in notebook.cells if "exercise" in c.metadata]
    assert re.match(rf"# Lab {number} · \S.*\n\n\*[^*]+\*\n\n\*\*Time:\*\* ", texts[0])
    core, all_ = core_and_all(notebook)
    of_core = f", {core} of them the core ·" if core else " ·"
    assert f"**Time:** about {all_} minutes (an estimate){of_core}" in texts[0]
    assert 25 <= all_ <= 45
    assert f"(../notebooks/{source.stem[4:]}.ipynb)" in texts[0]
    first_cells = [c.source for c in example.cells if c.cell_type == "code"]
    assert code[0] == first_cells[0] and code[-1] == "labkit.progress.show()"
    assert 6 <= len(exercises) <= 9
    headings = re.findall(r"(?m)^## (\d+\.\d+) ", "\n".join(texts))
    assert headings == [f"{number}.{place}" for place in range(1, len(exercises) + 1)]
    assert not any(f'"{heading}"' in text for heading in headings for text in code), "no key"
    assert not any(cell.get("outputs") for cell in notebook.cells)


@each_lab
def test_texts(source):
    texts = [c.source for c in make(source).cells if c.cell_type == "markdown"]
    text = "\n".join(texts)
    assert list(faults_of_style(text)) == []
    assert list(faults_of_links(text, ROOT / "labs")) == []
    for lesson, anchor in re.findall(r"\(\.\./notebooks/(\w+)\.ipynb#([^)]+)\)", text):
        assert anchor.replace("-", " ") in [
            heading.replace("-", " ") for heading in make_labs.headings(Lab(lesson))
        ]


@each_lab
def test_core_exercises_need_only_the_core_of_the_lesson(source):
    lab = importlib.import_module(f"labkit.labs.{source.stem[:6]}").lab
    cells = [cell for cell in make(source).cells if cell.metadata.get("core")]
    names = [cell.metadata["exercise"] for cell in cells]
    lesson = test_lessons.read(ROOT / "notebooks" / f"{lab.name}.ipynb")
    if lab.name[:2] not in test_lessons.CORE:
        assert not names
        return
    taught = re.findall(r"(?m)^## (.+)$", "\n".join(texts(test_lessons.core(lesson))))
    assert 3 <= len(names) <= 5
    assert [
        lab.exercises[name].lesson for name in names if lab.exercises[name].lesson not in taught
    ] == []
    assert set(make_labs.headings(lab)) - set(taught), "so, this can find one"


def test_readme_and_start_page_give_each_way_its_minutes():
    lessons = [sum(column) for column in zip(*map(test_lessons.core_and_all, LESSONS), strict=True)]
    labs = [sum(column) for column in zip(*map(core_and_all, map(make, SOURCES)), strict=True)]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    start_page = "\n".join(texts(test_lessons.read(LESSONS[0])))
    for way, *both in zip(("core", "all"), lessons, labs, strict=True):
        row = rf"(?m)^\| \*{way}\* \| .* \| "
        assert re.search(row + r"{} min \| {} min \|$".format(*both), readme), (way, *both)
        assert re.search(row + r"{} \+ {} \|$".format(*both), start_page), (way, *both)
    assert lessons[0] + labs[0] <= 7 * 60, "the core is one day's work"


def test_a_lesson_leads_to_its_lab_and_back():
    for source in SOURCES:
        lesson = (ROOT / "notebooks" / f"{source.stem[4:]}.ipynb").read_text(encoding="utf-8")
        assert f"(../labs/{source.stem}.ipynb)" in lesson


def test_table_of_the_readme_has_the_counts():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    totals = [0, 0, 0, 0]
    for source in SOURCES:
        bank = make_labs.bank(source.stem[:6])
        notebook = make(source)
        counts = [
            len(bank),
            sum(cell.metadata.get("core", False) for cell in notebook.cells),
            sum(len(answers["wrong"]) for answers in bank.values()),
            sum(len(answers["right"]) for answers in bank.values()),
        ]
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        title = source.stem[7:].replace("_", " ").capitalize()
        _, minutes = core_and_all(notebook)
        link = f"| lab {int(source.stem[4:6])} | [{title}](labs/{source.stem}.ipynb) | {minutes} "
        assert f"{link}| {' | '.join(map(str, counts))} |" in page, counts
    assert f"| | all | | {' | '.join(map(str, totals))} |" in page, totals


# --- What the build refuses, naming the place ---


def test_a_good_source_is_built(build):
    notebook = build(GOOD)
    cells = [cell.source for cell in notebook.cells]
    link = "[Split](../notebooks/01_train_the_model.ipynb#Split)"
    assert cells == [
        f"## 1.1 Add\n\n*From lesson 1: {link}*",
        STUBBED,
        'lab.check("add-two")',
        '# lab.hint("add-two")\n# lab.solution("add-two")',
    ]
    assert nbformat.writes(build(GOOD)) == nbformat.writes(notebook)


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("    # [end]\n", "", r":6: a \[solution\] without its \[end\]"),
        ("    # [solution] return ____\n", "", r":7: an \[end\] without its \[solution\]"),
        ("    return a + b\n", "    # [solution] return ____\n", r":7: a \[solution\] within"),
        ("[solution] return ____", "[solution] df[____]", r":6: write `name = ____` or"),
        ("[solution] return ____", "[solution] a.b = ____", r":6: write `name = ____` or"),
        ("[solution] return ____", "[solution] print(____)", r":6: write `name = ____` or"),
        ("    return a + b", "    return a + ____", ":7: ____ may stand behind"),
        ("def add(a, b):", "def add(a, b=____):", ":5: ____ may stand behind"),
        ("    return a + b", "    return a + b  # [end]", ":7: a marker stands alone"),
        ('exercise="add-two"', "", ":4: a solution in a cell without exercise"),
        ('exercise="add-two"', 'exercise="add-three"',
         ":4: exercise add-three has no check in labkit/labs/"),
        ("    # [solution] return ____\n    return a + b\n    # [end]", "    return a + b",
         r":4: exercise add-two has no \[solution\]"),
        ('lab.check("add-two")', 'lab.check("add-three")',
         ":11: the check of add-three does not follow"),
        ('\n\n# %%\nlab.check("add-two")', "", ":1: exercise add-two has no cell that checks it"),
        ('exercise="add-two"', 'exercise="add-two" script="no.py"',
         ":4: there is no solutions/labs/no.py"),
        ("# %% [markdown]\n# ## Add\n\n", "", ":1: exercise add-two has no text before it"),
        ("# ## Add", "# Add", ":4: exercise add-two has no heading ## of its own"),
        ("# ## Add", "# ## Add {add-three}", ":1: {add-three} is no exercise of this lab"),
        (GOOD, GOOD + "\n# %%\nx = 1\n", ":1: a cell without name=\"...\": 'x = 1'"),
        (GOOD, GOOD + '\n# %% name="add-two-help"\nx = 1\n',
         ":1: two cells have the name add-two-help"),
        (GOOD, GOOD + '\n# %% name="More of it"\nx = 1\n', ":1: 'More of it' can't be an id"),
        (GOOD, "x = 1\n\n" + GOOD, ":1: begin with a line # %%"),
        (GOOD, GOOD + GOOD, ":16: exercise add-two stands there twice"),
        (GOOD, "# %% [markdown]\n# Nothing.\n",
         ":1: exercise add-two has a check or answers, and no"),
    ],)  # fmt: skip
def test_a_source_that_breaks_a_rule_is_refused(build, old, new, refusal):
    assert old in GOOD
    with pytest.raises(Refused, match=f"^lab_01_train_the_model.py{refusal}"):
        build(GOOD.replace(old, new))


def test_a_source_with_another_labs_number_is_refused():
    with pytest.raises(Refused, match=r"^lab_01_things.py:1: labkit/labs/lab_01.py is the lab of "):
        make_labs.make(Path("lab_01_things.py"))


def test_a_cell_that_starts_a_service_is_its_exercises_unless_it_has_a_name(build):
    cells = '\n# %%\nlab.start("a.py")\n\n# %% name="start-again"\nlab.start("a.py")\n'
    assert [cell.id for cell in build(GOOD + cells).cells][-2:] == ["add-two-start", "start-again"]


def test_checks_in_another_order_are_refused(build, lab):
    both = GOOD + GOOD.replace("add-two", "add-three")
    lab.exercise("add-three", lesson="Split", hints=["Add."])(lambda answer: None)
    banks = {"add-two": BANK, "add-three": BANK}
    assert [cell.id for cell in build(both, answers=banks).cells if "help" in cell.id]
    lab.exercises = dict(reversed(lab.exercises.items()))
    with pytest.raises(Refused, match=":1: the checks in labkit/labs/ stand in another order"):
        build(both, answers=banks)


def test_what_is_put_in_changes_no_other_cells_id_but_the_numbers(build, lab):
    before = {cell.id: cell.source for cell in build(GOOD).cells}
    assert list(before) == ["add-two-text", "add-two-answer", "add-two-check", "add-two-help"]
    lab.exercises = {"add-three": lab.exercises["add-two"], **lab.exercises}
    story = '# %% [markdown] name="a-story"\n# Once. See {add-two}.\n\n'
    source = (
        story
        + GOOD.replace("add-two", "add-three")
        + GOOD.replace('"add-two"', '"add-two" core=true', 1)
    )
    after = build(source, answers={"add-two": BANK, "add-three": BANK})
    sources = {cell.id: cell.source for cell in after.cells}
    assert sources["a-story"] == "Once. See 1.2."
    assert sources.pop("add-two-text") == before.pop("add-two-text").replace(
        "1.1 Add", "1.2 Add (core)"
    )
    assert before.items() <= sources.items()
    assert [c.metadata.get("core") for c in after.cells if "exercise" in c.metadata] == [None, True]


def test_an_exercise_that_lacks_something_is_refused(build, lab):
    place = "^lab_01_train_the_model.py:4: exercise add-two"
    for answers in (
        {},
        {"add-two": BANK | {"right": [""]}},
        {"add-two": BANK | {"wrong": [("", "")] * 4}},
    ):
        with pytest.raises(Refused, match=f"{place} needs a bank of 5 wrong and 2 right"):
            build(GOOD, answers=answers)
    lab.exercises["add-two"].lesson = "Nowhere"
    with pytest.raises(Refused, match=f"{place}: the lesson has no section 'Nowhere'"):
        build(GOOD)
    lab.exercises["add-two"].hints = []
    with pytest.raises(Refused, match=f"{place} has no hints"):
        build(GOOD)


def test_a_script_that_breaks_a_rule_is_refused_with_its_own_name():
    with pytest.raises(Refused, match=r"^hello.py:3: a \[solution\] without its \[end\]"):
        make_labs.without_solution("import x\n\n# [solution] port = ____\nport = 1", "hello.py")


def test_a_lab_without_a_bank_is_refused():
    with pytest.raises(Refused, match=r"tests/answers/lab_77.py: the lab has no bank"):
        make_labs.bank("lab_77")


# --- Somebody's answers ---


def test_answers_are_never_overwritten(build, tmp_path):
    path = tmp_path / "labs" / "lab.ipynb"
    path.parent.mkdir()
    assert make_labs.write(build(GOOD), path)
    newer = build(GOOD.replace("Add", "Add two numbers"))
    assert make_labs.write(newer, path), "nobody has answered: a newer lab may replace it"

    # Running it, and what JupyterLab writes along, are no answers.
    run = nbformat.read(path, as_version=4)
    run.cells[1].execution_count = 3
    run.metadata.language_info["version"] = "3.13.1"
    nbformat.write(run, path)
    assert make_labs.write(newer, path)

    answered = nbformat.read(path, as_version=4)
    answered.cells[1].source = "def add(a, b):\n    return a - b"
    nbformat.write(answered, path)
    before = path.read_bytes()
    assert not make_labs.write(newer, path)
    assert path.read_bytes() == before

    for copy in ("lab", "lab-2"):
        path.write_bytes(before)
        assert make_labs.write(newer, path, force=True)
        assert STUBBED in [cell.source for cell in nbformat.read(path, as_version=4).cells]
        assert (tmp_path / "my" / "before" / f"{copy}.ipynb").read_bytes() == before


def test_make_labs_says_whose_answers_it_has_left(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(make_labs, "LABS", tmp_path)
    monkeypatch.delenv("FORCE", raising=False)
    make_labs.main(["01"])
    path = tmp_path / "lab_01_train_the_model.ipynb"
    assert capsys.readouterr().out == f"{path.name}\n"
    path.write_text(path.read_text(encoding="utf-8").replace("auc = ____", "auc = 1"), "utf-8")
    with pytest.raises(SystemExit, match=r"^lab_01_train_the_model.ipynb: somebody has answered"):
        make_labs.main(["01"])
    monkeypatch.setenv("FORCE", "1")
    make_labs.main(["01"])
    assert "auc = ____" in path.read_text(encoding="utf-8")


# --- What a check repeats from its lab, because a learner may change it there ---


def parts(path, kind):
    """Return {name: code} of a file's classes or functions, docstrings left out."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, kind):
            first = node.body[0]
            docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            found[node.name] = [ast.unparse(part) for part in node.body[docstring:]]
    return found


def test_the_offer_form_is_the_same_everywhere():
    script, lab = SOLVED_LABS / "offer_service.py", SOLVED_LABS / "lab_05_bad_input.py"
    forms = [parts(path, ast.ClassDef)["Form"] for path in (script, lab)]
    assert len(forms[0]) == 5
    assert forms == [parts(Path(lab_05.__file__), ast.ClassDef)["Offer"]] * 2
    assert json.dumps(lab_05.DISCOUNTS) in script.read_text(encoding="utf-8")
    assert parts(script, ast.FunctionDef)["price"] == [
        "return round(form.monthlycharges * (1 - DISCOUNTS[form.contract]), 2)"
    ]


def test_the_campaigns_tables_are_the_same_in_lab_and_check():
    source = (SOLVED_LABS / "lab_06_the_campaign.py").read_text(encoding="utf-8")
    assert len(lab_06.TABLES) == 2
    for table in lab_06.TABLES:
        assert table in source
