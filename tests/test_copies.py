"""The learner's copies survive every new version, whatever was done to them before."""

import copy
import errno
import itertools
import json
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from conftest import assert_one_sentence
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit import LabError, copies

EXAMPLES = 1500 if os.environ.get("LAB_SLOW") else 120
NAME, FILE = "lab_01_things", "01_things_lab.ipynb"


@pytest.fixture(autouse=True, scope="module")
def usual_port():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_PORT", "9696")
        yield


# --- Small labs, and their house ---


def md(name, text):
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def code(name, text, **metadata):
    outputs = {"outputs": [], "execution_count": None}
    return {"cell_type": "code", "id": name, "metadata": metadata, "source": text} | outputs


def exercise(name, stub="return ____"):
    return [
        md(f"{name}-text", f"## Do {name}"),
        code(f"{name}-answer", f"def {name}():\n    {stub}", exercise=name),
        code(f"{name}-check", f'lab.check("{name}")'),
        code(f"{name}-help", f'# lab.hint("{name}")\n# lab.solution("{name}")'),
    ]


def lab(*exercises):
    cells = [part if isinstance(part, list) else exercise(part) for part in exercises]
    head = [md("title", "# Lab 1"), code("imports", "import labkit")]
    return [*head, *itertools.chain(*cells), code("progress", "lab.progress()")]


def notebook(cells, name=NAME):
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    if name.startswith("lab_"):
        metadata["labkit"] = {"notebook": name, "untouched": "a hash"}
    cells = copy.deepcopy(cells)
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def text(cell):
    return "".join(cell["source"])


class House:
    """A folder with a lab, a lesson or more, and their copies."""

    def __init__(self, folder):
        self.root, self.my = folder, folder / "my"
        for name in ("notebooks", "labs"):
            (folder / name).mkdir()

    def release(self, cells, name=NAME):
        place = self.root / ("labs" if name.startswith("lab_") else "notebooks")
        (place / f"{name}.ipynb").write_text(json.dumps(notebook(cells, name)), encoding="utf-8")

    def update(self):
        said = []
        copies.update(said.append, self.root)
        return said

    def open(self, file=FILE):
        return json.loads((self.my / file).read_text(encoding="utf-8"))

    def save(self, content, file=FILE):
        (self.my / file).write_text(json.dumps(content), encoding="utf-8")

    def before(self):
        return sorted(path.name for path in (self.my / "before").iterdir())

    def state(self):
        paths = [path for path in self.my.rglob("*") if path.is_file()]
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def cell_of(content, name):
    [cell] = [cell for cell in content["cells"] if cell.get("id") == name]
    return cell


def sources(content):
    return [text(cell) for cell in content["cells"]]


def ids(content):
    return [cell["id"] for cell in content["cells"]]


# --- What must hold after every update of a lab ---


def plain(source):
    """A text without what its lines of help are meant to lose, and an end that tools add."""
    lines = [line.rstrip() for line in source.rstrip().splitlines()]
    return re.sub(r"^# (?=lab\.)", "", "\n".join(lines), flags=re.M)


def wrote(old, copied):
    """Count the texts of a learner's lab that it has beyond those that were copied."""
    texts = Counter(plain(text(cell)) for cell in old["cells"] if text(cell).strip())
    return texts - Counter(plain(text(cell)) for cell in copied["cells"])


def answer_to(old, name):
    """Return the cell of a learner's lab that counts as the answer to an exercise, or None."""
    named = [cell for cell in old["cells"] if cell["metadata"].get("exercise") == name]
    nameless = [cell for cell in old["cells"] if not cell["metadata"].get("exercise")]
    by_id = [cell for cell in named or nameless if cell.get("id") == f"{name}-answer"]
    return next(iter(by_id or named), None)


def hold(old, copied, original, new):
    """Hold what no update may break.

    old: the learner's lab; copied: its cells as they were copied; original: the lab's new version;
    new: what the learner has now.
    """
    nbformat.validate(nbformat.from_dict(new))
    assert len(set(ids(new))) == len(new["cells"])
    places = {name: place for place, name in enumerate(ids(new))}
    fresh = {cell["id"]: cell for cell in original["cells"]}
    order = [places[name] for name in fresh]
    assert order == sorted(order)
    answers = [cell["metadata"]["exercise"] for cell in fresh.values() if cell["metadata"]]
    for name, cell in fresh.items():
        if not cell["metadata"]:  # a given cell
            assert text(cell_of(new, name)) == text(cell)
    there, copied_texts = Counter(map(plain, sources(new))), set(map(plain, sources(copied)))
    missing = wrote(old, copied) - there
    if "cells" in copies.notes(old):  # else nobody can tell a given cell's double from that cell
        given_texts = [plain(text(cell)) for cell in fresh.values() if not cell["metadata"]]
        doubles = Counter(one for one in given_texts if one in copied_texts)
        missing = wrote(old, copied) + doubles - there
    assert not missing, missing
    stubs = {cell["id"]: text(cell) for cell in copied["cells"]}
    for name in answers:
        assert places[f"{name}-text"] < places[f"{name}-answer"] < places[f"{name}-check"]
        theirs, mine = answer_to(old, name), cell_of(new, f"{name}-answer")
        assert mine["metadata"]["exercise"] == name
        if theirs is None or not text(theirs).strip():
            assert text(mine) == text(fresh[f"{name}-answer"])
        elif plain(text(theirs)) != plain(stubs.get(f"{name}-answer", "")):
            assert text(mine) == text(theirs)
            assert mine.get("outputs") == theirs.get("outputs")


def update_holds(house, old, copied, cells, file=FILE):
    """Release a lab's new version; hold that an update keeps what it must; return the result."""
    house.save(old, file)
    was, before = (house.my / file).read_bytes(), house.before()
    house.release(cells)
    house.update()
    new, fresh = house.open(file), copies.fresh(notebook(cells), NAME, 9696)
    if copies.notes(old).get("version") == copies.notes(fresh)["version"]:  # there is none
        assert (house.my / file).read_bytes() == was
        return new
    hold(old, copied, fresh, new)
    assert copies.notes(new)["version"] == copies.notes(fresh)["version"]
    kept = [name for name in house.before() if name not in before]
    if kept or sources(new) != sources(fresh):
        assert [(house.my / "before" / name).read_bytes() for name in kept] == [was]
    state = house.state()
    assert house.update() == []
    assert house.state() == state
    return new


# --- The table: what the learner did, what the new version did ---

ANSWER = "def two():\n    return 2"


def put(old, place, cell):
    old["cells"].insert(place, cell)


def position(old, name):
    return next(n for n, cell in enumerate(old["cells"]) if cell.get("id") == name)


def answers_two(old):
    cell = cell_of(old, "two-answer")
    cell["source"] = ANSWER
    printed = {"output_type": "stream", "name": "stdout", "text": "2"}
    cell |= {"outputs": [printed], "execution_count": 7}


def answers_all(old):
    for name in ("one", "three"):
        cell_of(old, f"{name}-answer")["source"] = f"def {name}():\n    return '{name}'"
    answers_two(old)


def adds_cells(old):
    answers_two(old)
    put(old, position(old, "two-answer"), code("mine-1", "before the answer"))
    put(old, position(old, "two-check"), code("mine-2", "after the answer"))
    put(old, position(old, "two-check"), md("mine-3", "a note"))
    put(old, len(old["cells"]), md("mine-4", "the end"))
    put(old, 0, md("mine-5", "the beginning"))


def attaches_a_picture(old):
    answers_two(old)
    picture = {"a.png": {"image/png": "iVBORw0KGgo="}}
    put(old, 3, md("mine", "![](attachment:a.png)") | {"attachments": picture})


def deletes_given_cells(old):
    answers_two(old)
    gone = {"title", "two-text", "two-check", "three-help"}
    old["cells"] = [cell for cell in old["cells"] if cell["id"] not in gone]


def deletes_an_answer(old):
    answers_all(old)
    del old["cells"][position(old, "two-answer")]


def moves_an_answer(old):
    answers_two(old)
    put(old, 0, old["cells"].pop(position(old, "two-answer")))


def moves_all(old):
    answers_all(old)
    old["cells"].reverse()


def duplicates_an_answer(old):
    answers_two(old)
    again = copy.deepcopy(cell_of(old, "two-answer")) | {"id": "again", "source": "another try"}
    put(old, position(old, "two-check"), again)


def splits_an_answer(old):
    answers_two(old)
    first = copy.deepcopy(cell_of(old, "two-answer")) | {"id": "half", "source": "first half"}
    put(old, position(old, "two-answer"), first)


def has_an_id_twice(old):
    answers_two(old)
    put(old, position(old, "two-check"), code("two-answer", "the same id"))
    put(old, 2, md("two-text", "the same id, too"))


def edits_given_cells(old):
    answers_two(old)
    cell_of(old, "two-text")["source"] += "\n\nI don't get this."
    cell_of(old, "two-check")["source"] += "\nprint('checked')"
    cell_of(old, "imports")["source"] += "\nimport numpy"


def asks_for_help(old):
    answers_two(old)
    cell_of(old, "two-help")["source"] = 'lab.hint("two")\n# lab.solution("two")'


def asks_for_more_help(old):
    cell_of(old, "two-help")["source"] = 'lab.hint("two")\nprint("no")'


def empties_an_answer(old):
    answers_all(old)
    cell_of(old, "two-answer")["source"] = ""


def writes_sources_as_lists(old):
    answers_two(old)
    for cell in old["cells"]:
        cell["source"] = text(cell).splitlines(keepends=True)


def writes_sources_as_texts(old):
    answers_two(old)
    for cell in old["cells"]:
        cell["source"] = text(cell) + "\n" * (cell["id"] == "title")


def loses_ids(old):
    adds_cells(old)
    old["nbformat_minor"] = 4
    for cell in old["cells"]:
        del cell["id"]


def loses_ids_of_changed_cells(old):
    edits_given_cells(old)
    loses_ids(old)


def loses_metadata(old):
    adds_cells(old)
    del old["metadata"]["labkit"]


def loses_what_was_copied(old):
    adds_cells(old)
    old["metadata"]["labkit"] = {"notebook": NAME}


def loses_exercises(old):
    answers_two(old)
    for cell in old["cells"]:
        cell["metadata"] = {}


def changes_metadata(old):
    answers_two(old)
    old["metadata"] |= {"language_info": {"name": "python"}, "toc": 1}
    for cell in old["cells"]:
        cell["metadata"] = {"collapsed": True, "tags": ["mine"], **cell["metadata"]}


def turns_an_answer_into_text(old):
    answers_two(old)
    cell = cell_of(old, "two-answer")
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]


def has_odd_cells(old):
    answers_two(old)
    bare = {"cell_type": "code", "metadata": {}, "source": "no outputs", "level": 3}
    put(old, 1, bare)
    for odd in ("a b", "x" * 65, "", 5, None, ["title"]):
        put(old, 4, code("?", f"id {odd!r}") | {"id": odd})


def pastes_from_another_lab(old):
    answers_two(old)
    put(old, 5, code("elsewhere-answer", "of another lab", exercise="elsewhere"))


def writes_half_a_character(old):
    cell_of(old, "two-answer")["source"] = "'\ud83d'"


LEARNERS = [
    answers_two,
    answers_all,
    adds_cells,
    attaches_a_picture,
    deletes_given_cells,
    deletes_an_answer,
    moves_an_answer,
    moves_all,
    duplicates_an_answer,
    splits_an_answer,
    has_an_id_twice,
    edits_given_cells,
    asks_for_help,
    asks_for_more_help,
    empties_an_answer,
    writes_sources_as_lists,
    writes_sources_as_texts,
    loses_ids,
    loses_ids_of_changed_cells,
    loses_metadata,
    loses_what_was_copied,
    loses_exercises,
    changes_metadata,
    turns_an_answer_into_text,
    has_odd_cells,
    pastes_from_another_lab,
    writes_half_a_character,
]
VERSIONS = {
    "nothing": lab("one", "two", "three"),
    "a cell inserted": [md("news", "News"), *lab("one", "two", "three")],
    "an exercise inserted": lab("one", "new", "two", "three"),
    "two merged": lab("one", "two-and-three"),
    "one dropped": lab("one", "three"),
    "another order": lab("three", "two", "one"),
    "another text": lab("one", [md("two-text", "## Do 2"), *exercise("two")[1:]], "three"),
    "another stub": lab("one", exercise("two", stub="x = ____"), "three"),
    "all given cells gone": [cell for cell in lab("one", "two", "three") if "-" in cell["id"]],
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.__name__)
def test_a_half_done_lab_survives(learner, version, house):
    house.release(lab("one", "two", "three"))
    house.update()
    copied, old = house.open(), house.open()
    learner(old)
    update_holds(house, old, copied, VERSIONS[version])


# --- Where things go ---


def after(house, learner, cells):
    """Return the lab after its learner's work and a new version."""
    house.release(lab("one", "two", "three"))
    house.update()
    copied, old = house.open(), house.open()
    learner(old)
    return update_holds(house, old, copied, cells)


def test_own_cells_move_with_their_exercise(house):
    new = after(house, adds_cells, lab("two", "three", "one"))
    assert ids(new)[:9] == [
        "mine-5", "title", "imports", "two-text", "mine-1", "two-answer", "mine-2", "mine-3",
        "two-check",
    ]  # fmt: skip
    assert ids(new)[-2:] == ["progress", "mine-4"]


def test_a_changed_given_cell_stands_behind_the_new_one(house):
    new = after(house, edits_given_cells, lab("one", "new", "two", "three"))
    place = ids(new).index("two-text")
    assert sources(new)[place : place + 3] == [
        "## Do two", "## Do two\n\nI don't get this.", ANSWER,
    ]  # fmt: skip
    place = ids(new).index("two-check")
    assert "print('checked')" in sources(new)[place + 1]


def test_lines_of_help_are_no_cells_of_ones_own(house):
    new = after(house, asks_for_help, lab("one", "two", "new"))
    assert [name for name in ids(new) if name not in ids({"cells": lab("one", "two", "new")})] == []
    assert text(cell_of(new, "two-help")).startswith("# lab.hint")


def test_a_mistake_that_both_have_mended_is_no_cell_of_ones_own(house):
    def mends(old):
        answers_two(old)
        cell_of(old, "two-text")["source"] = "## Do 2"

    new = after(house, mends, VERSIONS["another text"])
    assert ids(new) == ids({"cells": VERSIONS["another text"]})


def test_an_answer_keeps_outputs_and_a_note_its_picture(house):
    new = after(house, attaches_a_picture, lab("two"))
    answer = cell_of(new, "two-answer")
    assert answer["outputs"][0]["text"] == "2" and answer["execution_count"] == 7
    assert "a.png" in cell_of(new, "mine")["attachments"]


def test_another_exercises_answer_is_no_answer_whatever_its_id(house):
    def swaps(old):
        answers_all(old)
        del old["cells"][position(old, "one-answer")]
        again = copy.deepcopy(cell_of(old, "three-answer")) | {"id": "one-answer"}
        put(old, position(old, "progress"), again)

    new = after(house, swaps, lab("one", "two", "new", "three"))
    assert "____" in text(cell_of(new, "one-answer"))
    assert sources(new).count(text(cell_of(new, "three-answer"))) == 2


def test_an_untouched_answer_is_the_new_stub(house):
    new = after(house, edits_given_cells, lab(exercise("one", stub="return [____]"), "two"))
    assert text(cell_of(new, "one-answer")) == "def one():\n    return [____]"


def test_an_answer_waits_for_its_exercise_to_come_back(house):
    new = after(house, answers_all, lab("one", "three"))
    assert cell_of(new, "two-answer")["metadata"] == {"exercise": "two"}
    place = ids(new).index("two-answer")
    assert ids(new)[place - 1] == "one-help"
    house.release(lab("three", "two", "one"))
    house.update()
    new = house.open()
    assert text(cell_of(new, "two-answer")) == ANSWER
    assert ids(new) == ids({"cells": lab("three", "two", "one")})


def test_of_two_answers_the_one_with_the_id_counts(house):
    new = after(house, splits_an_answer, lab("one", "two", "new"))
    place = ids(new).index("two-text")
    assert sources(new)[place : place + 3] == ["## Do two", "first half", ANSWER]


def test_without_ids_given_cells_are_known_by_what_they_say(house):
    new = after(house, loses_ids, lab("two", "one"))
    assert sum(source == 'lab.check("two")' for source in sources(new)) == 1
    assert "## Do three" not in sources(new)
    assert sources(new).index("before the answer") < sources(new).index(ANSWER)


def test_an_answer_in_a_cell_of_ones_own_is_not_undone_by_the_stub_that_comes_back(house):
    def replaces(old):  # as a merge with the check does in JupyterLab, too
        answers_all(old)
        place = position(old, "two-answer")
        old["cells"][place : place + 2] = [md("note", "why"), code("mine", ANSWER)]

    new = after(house, replaces, lab("three", "two", "one"))
    place = ids(new).index("two-text")
    assert ids(new)[place : place + 5] == [
        "two-text", "two-answer", "note", "mine", "two-check",
    ]  # fmt: skip


def test_without_ids_and_notes_no_given_cell_stands_twice(house):
    cells = lab("one", "two")
    cells[0]["source"] = "[Lesson 3](../notebooks/03_ping_pong.ipynb)"
    house.release(cells)
    house.update()
    old = house.open()
    cell_of(old, "two-answer")["source"] = ANSWER
    del old["metadata"]["labkit"]
    for n, cell in enumerate(old["cells"]):  # as jupytext does, there and back
        cell["id"] = f"new-{n}"
    house.save(old)
    house.update()
    new = house.open()
    assert ids(new) == ids({"cells": cells})
    assert text(cell_of(new, "two-answer")) == ANSWER


def test_blanks_and_another_kind_of_line_end_are_no_change(house):
    def windows(old):
        answers_two(old)
        for cell in old["cells"]:
            cell["source"] = text(cell).replace("\n", "\r\n")
        cell_of(old, "one-answer")["source"] += "  \r\n\r\n"

    new = after(house, windows, lab("two", "one"))
    assert ids(new) == ids({"cells": lab("two", "one")})
    assert text(cell_of(new, "two-answer")) == ANSWER.replace("\n", "\r\n")


def test_hashes_that_copies_note_never_change():
    cell = code("x", '# lab.hint("x")\nauc = ____  \r\n\n')
    assert copies.digest(cell) == "baada5129e16888d"


def test_a_lab_made_by_hand_from_the_original_is_known(house):
    house.release(lab("one", "two"))
    house.update()
    linked = lab("one", "two", "three")
    linked[0]["source"] = "[Lesson 3](../notebooks/03_ping_pong.ipynb)"
    old = notebook(linked)
    del old["metadata"]["labkit"]
    cell_of(old, "two-answer")["source"] = ANSWER
    house.save(old)
    house.release(linked)
    house.update()
    new = house.open()
    assert text(cell_of(new, "title")) == "[Lesson 3](03_ping_pong.ipynb)"
    assert ids(new) == ids({"cells": lab("one", "two", "three")})
    assert text(cell_of(new, "two-answer")) == ANSWER


# --- What was not changed, and lessons ---

LESSON, PAGE = "03_ping_pong", "03_ping_pong.ipynb"


def test_an_unchanged_copy_becomes_the_new_one_without_a_word(house):
    for name in (LESSON, NAME):
        house.release(lab("one"), name)
    assert house.update() == []
    for file in (PAGE, FILE):
        old = house.open(file)
        for cell in old["cells"]:  # run, as JupyterLab saves it
            cell["source"] = text(cell) + "\n"
            cell["metadata"]["trusted"] = True
            if cell["cell_type"] == "code":
                cell["execution_count"] = 3
        house.save(old, file)
    for name in (LESSON, NAME):
        house.release(lab("two"), name)
    assert house.update() == []
    for file in (PAGE, FILE):
        assert ids(house.open(file)) == ids({"cells": lab("two")})
    assert house.before() == []


@pytest.mark.parametrize("version", ["another order", "one dropped", "another text"])
@pytest.mark.parametrize("change", ["edited", "inserted", "deleted", "moved", "broken"])
def test_a_changed_lesson_gives_way_and_is_kept(change, version, house):
    house.release(lab("one", "two", "three"), LESSON)
    house.update()
    old = house.open(PAGE)
    if change == "edited":
        cell_of(old, "two-text")["source"] += " (mine)"
    elif change == "inserted":
        put(old, 2, code("mine", "1 + 1"))
    elif change == "deleted":
        del old["cells"][2]
    elif change == "moved":
        put(old, 0, old["cells"].pop())
    if change == "broken":
        (house.my / PAGE).write_text("<<<<<<< HEAD", encoding="utf-8")
    else:
        house.save(old, PAGE)
    was = (house.my / PAGE).read_bytes()
    (house.my / "before" / PAGE).write_text("older", encoding="utf-8")
    house.release(VERSIONS[version], LESSON)
    [said] = house.update()
    assert_one_sentence(said, f"my/{PAGE} ", "my/before/03_ping_pong-2.ipynb")
    if change != "broken":
        assert " is the new version; the one that you had changed is " in said
    assert (house.my / "before" / PAGE).read_text(encoding="utf-8") == "older"
    assert (house.my / "before/03_ping_pong-2.ipynb").read_bytes() == was
    assert ids(house.open(PAGE)) == ids({"cells": VERSIONS[version]})
    assert house.update() == []


def test_a_lesson_under_another_name_stays(house):
    house.release(lab("one"), LESSON)
    house.update()
    (house.my / PAGE).rename(house.my / "mine.ipynb")
    was = (house.my / "mine.ipynb").read_bytes()
    house.release(lab("two"), LESSON)
    assert house.update() == []
    assert (house.my / "mine.ipynb").read_bytes() == was
    assert ids(house.open(PAGE)) == ids({"cells": lab("two")})


def test_fresh_copies_have_no_outputs_and_the_links_of_copies():
    cells = [
        md("a", "[x](../notebooks/03_ping_pong.ipynb#Ask-it) ../notebooks/ ![y](../images/a.svg)"),
        md("b", '<a href="../labs/lab_02_save_and_load.ipynb">[z](../data/README.md)</a>'),
        code("c", 'open("../notebooks/03_ping_pong.ipynb")\nport = 9696'),
    ]
    cells[2] |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}]}
    new = copies.fresh(notebook(cells), NAME, 9696)
    assert sources(new) == [
        "[x](03_ping_pong.ipynb#Ask-it) ../notebooks/ ![y](../images/a.svg)",
        '<a href="02_save_and_load_lab.ipynb">[z](../data/README.md)</a>',
        text(cells[2]),
    ]
    assert new["cells"][2]["outputs"] == []
    assert new["metadata"]["labkit"]["untouched"] == "a hash"
    assert cells[2]["outputs"], "the original is changed"


# --- The port ---


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("`port=9696` and http://localhost:9696/ping", "`port=9701` and http://localhost:9701/ping"),
        ('create_connection(("127.0.0.1", 9696))', 'create_connection(("127.0.0.1", 9701))'),
        ("Port 9696 is taken.", "Port 9701 is taken."),
        ('url = "http://127.0.0.1:9696"', 'url = "http://127.0.0.1:9701"'),
        ('![at localhost:9696](../a.png) 9696', '![at localhost:9696](../a.png) 9701'),
        ('script.replace("9696", str(port))', 'script.replace("9696", str(port))'),
        ("19696 and 96960", "19696 and 96960"),
    ],
)  # fmt: skip
def test_a_copy_speaks_of_the_learners_port(here, there):
    original = notebook([md("a", here)])
    for name, expected in [
        ("03_x", there),
        ("lab_04_x", there),
        ("08_x", here),
        ("10_x", there),
        ("lab_08_x", here),
        ("09_x", here),
        ("lab_09_x", there),
    ]:
        assert sources(copies.fresh(original, name, 9701)) == [expected]
        assert sources(copies.fresh(original, name, 9696)) == [here]


def test_another_port_changes_what_nobody_wrote(house, monkeypatch):
    stub = code("two-answer", "app.run(port=9696)", exercise="two")
    cells = lab("one", [md("two-text", "on 9696"), stub, *exercise("two")[2:]])
    house.release(cells)
    house.update()
    old = house.open()
    cell_of(old, "one-answer")["source"] = "mine = 9696"
    house.save(old)
    monkeypatch.setenv("LAB_PORT", "9701")
    house.update()
    new = house.open()
    assert text(cell_of(new, "two-text")) == "on 9701"
    assert text(cell_of(new, "two-answer")) == "app.run(port=9701)"
    assert text(cell_of(new, "one-answer")) == "mine = 9696"


# --- Files ---


def test_all_is_made_at_first_and_nothing_is_touched_then(house):
    for name in (LESSON, NAME):
        house.release(lab("one"), name)
    (house.root / "notebooks/Untitled.ipynb").write_text("{}", encoding="utf-8")
    (house.root / "labs/lab_01_things-Copy1.ipynb").write_text("{}", encoding="utf-8")
    assert house.update() == []
    assert sorted(path.name for path in house.my.iterdir()) == [FILE, PAGE, "before", "work"]
    state = house.state()
    assert house.update() == []
    assert house.state() == state


def test_a_deleted_copy_comes_back(house):
    house.release(lab("one"))
    house.update()
    (house.my / FILE).unlink()
    house.update()
    assert ids(house.open()) == ids({"cells": lab("one")})


def test_a_renamed_or_copied_lab_is_updated_where_it_stands(house):
    house.release(lab("one", "two", "three"))
    house.update()
    copied, old = house.open(), house.open()
    answers_two(old)
    (house.my / FILE).unlink()
    update_holds(house, old, copied, lab("two", "one"), file="01_things_lab-Copy1.ipynb")
    assert ids(house.open()) == ids({"cells": lab("two", "one")})


def test_the_learners_own_notebooks_stay(house):
    house.release(lab("one"))
    house.update()
    own = {"mine.ipynb": "{}", "notes.txt": "x", "._01_things_lab.ipynb": "\0"}
    own["Untitled.ipynb"] = json.dumps(notebook([md("one-text", "x")], "mine"))
    for name, content in own.items():
        (house.my / name).write_text(content, encoding="utf-8")
    house.release(lab("two"))
    assert house.update() == []
    for name, content in own.items():
        assert (house.my / name).read_text(encoding="utf-8") == content


BROKEN = {
    "no JSON": b"<<<<<<< HEAD\n",
    "empty": b"",
    "no UTF-8": json.dumps(notebook([md("a", "?")])).encode().replace(b"?", b"\xe9"),
    "UTF-16": json.dumps(notebook([])).encode("utf-16"),
    "no notebook": b"[1, 2]",
    "a number": b"3",
    "format 3": b'{"worksheets": [], "metadata": {}, "nbformat": 3, "nbformat_minor": 0}',
    "format 5": b'{"cells": [], "metadata": {}, "nbformat": 5, "nbformat_minor": 0}',
    "no cells": b'{"cells": 3, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    "odd cells": b'{"cells": [7], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    "odd metadata": b'{"cells": [], "metadata": [], "nbformat": 4, "nbformat_minor": 5}',
    "deep": b"[" * 200_000,
}


@pytest.mark.parametrize("kind", [*BROKEN, "a folder", "a link to nowhere"])
def test_what_is_no_notebook_gives_way(kind, house):
    house.release(lab("one"))
    house.update()
    path, kept = house.my / FILE, house.my / "before" / FILE
    path.unlink()
    if kind == "a folder":
        (path / "mine").mkdir(parents=True)
    elif kind == "a link to nowhere":
        try:
            path.symlink_to(house.root / "nowhere")
        except OSError:
            pytest.skip("no links here")
    else:
        path.write_bytes(BROKEN[kind])
    [said] = house.update()
    assert_one_sentence(said, f"my/{FILE} can't be read as a notebook", f"my/before/{FILE}")
    assert ids(house.open()) == ids({"cells": lab("one")})
    if kind == "a folder":
        assert (kept / "mine").is_dir()
    elif kind == "a link to nowhere":
        assert kept.is_symlink()
    else:
        assert kept.read_bytes() == BROKEN[kind]
    assert house.update() == []


@pytest.mark.parametrize("odd", [7, [], {"notebook": 3}, {"notebook": NAME, "cells": 5}])
def test_odd_notes_in_a_copy_are_no_notes(odd, house):
    house.release(lab("one", "two", "three"))
    house.update()
    copied, old = house.open(), house.open()
    answers_two(old)
    old["metadata"]["labkit"] = odd
    update_holds(house, old, copied, lab("two", "one"))


@pytest.mark.parametrize("there", [True, False])
def test_a_copy_under_anothers_name_goes_home_or_gives_way(there, house):
    other, place = "lab_02_more", "02_more_lab.ipynb"
    house.release(lab("one"))
    house.release(lab("two"), other)
    house.update()
    old = house.open()
    cell_of(old, "one-answer")["source"] = "mine"
    house.save(old, place)
    if not there:
        (house.my / FILE).unlink()
    [said] = house.update()
    home = f"my/before/{place}" if there else f"my/{FILE}"
    assert_one_sentence(said, f"my/{place} was a copy of {NAME}, so it is {home} now.")
    assert text(cell_of(json.loads((house.root / home).read_text("utf-8")), "one-answer")) == "mine"
    assert ids(house.open(place)) == ids({"cells": lab("two")})
    assert ids(house.open()) == ids({"cells": lab("one")})
    assert house.update() == []


def test_copies_that_changed_their_names_change_them_back(house):
    names = {"lab_01_things": "one", "lab_02_more": "two", "lab_03_last": "three"}
    for name, only in names.items():
        house.release(lab(only), name)
    house.update()
    files = [copies.file_name(name) for name in names]
    was = {file: (house.my / file).read_bytes() for file in files}
    for file, content in zip(files, [was[files[1]], was[files[2]], was[files[0]]], strict=True):
        (house.my / file).write_bytes(content)
    said = house.update()
    assert len(said) == 3
    assert_one_sentence(said[0], f"my/{FILE} was a copy of lab_02_more, so it is my/{files[1]} now")
    assert {file: (house.my / file).read_bytes() for file in files} == was
    assert house.before() == [] and house.update() == []


def test_a_copy_stays_whose_original_is_gone_or_broken(house):
    house.release(lab("one"))
    house.release(lab("two"), LESSON)
    house.update()
    state = house.state()
    (house.root / "notebooks" / PAGE).write_text("<<<<<<<", encoding="utf-8")
    (house.root / "labs" / f"{NAME}.ipynb").unlink()
    [said] = house.update()
    assert_one_sentence(said, "notebooks", "is damaged: get it anew; its copy stays as it is.")
    assert house.state() == state


@pytest.mark.parametrize("lost", [None, "one-text", 5, "a b"])
def test_an_original_without_good_ids_is_not_copied(lost, house):
    house.release(lab("one"))
    house.update()
    old = house.open()
    answers = cell_of(old, "one-answer")
    answers["source"] = "mine"
    house.save(old)
    state = house.state()
    cells = lab("one", "two")
    cells[-1]["id"] = lost
    house.release(cells)
    [said] = house.update()
    assert "is damaged" in said and house.state() == state
    with pytest.raises(LabError, match="is damaged"):
        copies.reset(NAME, print, house.root)
    assert house.state() == state


# --- Whatever goes wrong in between ---


@pytest.mark.parametrize("writes", [0, 1])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_loses_nothing(step, writes, house, monkeypatch):
    house.release(lab("one", "two", "three"))
    house.update()
    old = house.open()
    answers_two(old)
    house.save(old)
    was = (house.my / FILE).read_bytes()
    house.release(lab("two"))
    done = []

    def fails(real):
        def write(*arguments):
            done.append(arguments)
            if len(done) > writes:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments)

        return write

    owner = os if step == "fsync" else Path
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, fails(getattr(owner, step)))
        with pytest.raises(LabError) as caught:
            house.update()
    assert_one_sentence(str(caught.value), "can't be brought up to date", "No space left")
    assert (house.my / FILE).read_bytes() == was
    assert not list(house.my.glob(".*")) + list((house.my / "before").glob(".*"))
    house.update()
    assert text(cell_of(house.open(), "two-answer")) == ANSWER


def test_what_a_killed_start_left_is_deleted(house):
    house.release(lab("one"))
    house.update()
    for folder in (house.my, house.my / "before"):
        (folder / f".{FILE}.4711.part").write_text('{"cells', encoding="utf-8")
    mine = [house.my / ".mine.part", house.my / "work" / f".{FILE}.1.part"]
    for path in mine:
        path.touch()
    house.update()
    assert sorted(house.my.rglob(".*")) == sorted(mine)


@pytest.mark.parametrize("kind", ["a file", "a file in its place", "read-only"])
def test_a_folder_that_cannot_be_used_is_a_sentence(kind, house, monkeypatch):
    house.release(lab("one"))
    if kind == "a file":
        house.my.touch()
    elif kind == "a file in its place":
        house.my.mkdir()
        (house.my / "before").touch()
    else:
        house.my.mkdir()

        def refuses(*_, **__):
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(Path, "mkdir", refuses)
    with pytest.raises(LabError) as caught:
        house.update()
    assert_one_sentence(str(caught.value), "make sure that the folder is yours and the disk has")
    with pytest.raises(LabError) as caught:
        copies.reset(NAME, print, house.root)
    assert_one_sentence(str(caught.value), f"my/{FILE} can't be made anew (")


def test_another_port_that_is_none_is_a_sentence(house, monkeypatch):
    monkeypatch.setenv("LAB_PORT", "80")
    with pytest.raises(LabError, match="LAB_PORT is '80'"):
        house.update()


# --- start.py reset ---


@pytest.mark.parametrize(
    "name",
    [NAME, "01_things_lab", FILE, f"my/{FILE}", f"labs/{NAME}.ipynb", f"C:\\x\\my\\{FILE}"],
)
def test_reset_keeps_the_old_one(name, house):
    house.release(lab("one"))
    house.update()
    old = house.open()
    cell_of(old, "one-answer")["source"] = "mine"
    house.save(old)
    said = []
    copies.reset(name, said.append, house.root)
    assert_one_sentence(said[0], f"my/{FILE} is fresh now. The old one is my/before/{FILE}.")
    assert ids(house.open()) == ids({"cells": lab("one")})
    assert "mine" in (house.my / "before" / FILE).read_text(encoding="utf-8")
    assert house.update() == []


def test_reset_of_what_is_broken_or_missing(house):
    house.release(lab("one"))
    said = []
    copies.reset(NAME, said.append, house.root)
    assert said == [f"my/{FILE} is fresh now. If it is open, close its tab and open it again."]
    (house.my / FILE).write_text("?", encoding="utf-8")
    copies.reset(NAME, said.append, house.root)
    assert (house.my / "before" / FILE).read_text(encoding="utf-8") == "?"
    assert ids(house.open()) == ids({"cells": lab("one")})


@pytest.mark.parametrize("name", ["02_x", "", ".", "my", "things", "lab_01_things_lab"])
def test_reset_of_an_unknown_name_lists_the_names(name, house):
    house.release(lab("one"))
    house.release(lab("one"), LESSON)
    with pytest.raises(LabError) as caught:
        copies.reset(name, print, house.root)
    assert_one_sentence(str(caught.value), "write one of 01_things_lab, 03_ping_pong.")
    assert not house.my.exists()


def test_reset_to_a_broken_original_is_a_sentence(house):
    (house.root / f"labs/{NAME}.ipynb").write_text("?", encoding="utf-8")
    with pytest.raises(LabError, match="is damaged: get it anew"):
        copies.reset(NAME, print, house.root)


# --- Whatever learners and new versions do, at random ---

PLACES = st.integers(0, 30)
WORDS = map("word {}".format, itertools.count())


def edit(old, here, there):
    old["cells"][here]["source"] = text(old["cells"][here]) + f"\n# {next(WORDS)}"


def answer(old, here, there):
    found = [cell for cell in old["cells"] if cell["metadata"].get("exercise")]
    if found:
        found[here % len(found)]["source"] = next(WORDS)


def insert(old, here, there):
    words = next(WORDS)
    put(old, there, [code, md][here % 2](f"mine-{words[5:]}", words))


def delete(old, here, there):
    del old["cells"][here]


def move(old, here, there):
    put(old, there, old["cells"].pop(here))


def duplicate(old, here, there):
    again = copy.deepcopy(old["cells"][here])
    if there % 3:
        again["id"] = f"again-{next(WORDS)[5:]}"
    put(old, there, again)


def lose_all_ids(old, here, there):
    for cell in old["cells"]:
        cell.pop("id", None)


def lose_an_id(old, here, there):
    old["cells"][here].pop("id", None)


def swap_ids(old, here, there):
    first, second = old["cells"][here], old["cells"][there]
    if "id" in first and "id" in second:
        first["id"], second["id"] = second["id"], first["id"]


def lose_exercise(old, here, there):
    old["cells"][here]["metadata"].pop("exercise", None)


def add_metadata(old, here, there):
    old["cells"][here]["metadata"]["collapsed"] = True


def lose_notes(old, here, there):
    old["metadata"]["labkit"] = {"notebook": NAME}


def uncomment(old, here, there):
    for cell in old["cells"]:
        cell["source"] = text(cell).replace("# lab.hint", "lab.hint")


def empty(old, here, there):
    old["cells"][here]["source"] = []


SIMPLE = [edit, answer, insert]
EDITS = [*SIMPLE * 2, delete, move, duplicate, lose_all_ids, lose_an_id, swap_ids, lose_exercise]
EDITS += [add_metadata, lose_notes, uncomment, empty]


def new_cell(parts, here, there):
    words = next(WORDS)
    parts.insert(here, [md(f"news-{words[5:]}", words)])


def new_exercise(parts, here, there):
    parts.insert(here, exercise(f"e{next(WORDS)[5:]}"))


def drop(parts, here, there):
    del parts[here]


def merge_two(parts, here, there):
    parts[here] = exercise(f"both-{next(WORDS)[5:]}")
    del parts[there]


def reorder(parts, here, there):
    parts.insert(there, parts.pop(here))


def new_text(parts, here, there):
    parts[here][0]["source"] = next(WORDS)


def new_stub(parts, here, there):
    for cell in parts[here][1:2]:
        cell["source"] = f"{next(WORDS)} = ____"


def come_back(parts, here, there):
    if not any(part[0]["id"] == "two-text" for part in parts):
        parts.insert(here, exercise("two"))


CHANGES = [new_cell, new_exercise, drop, merge_two, reorder, new_text, new_stub, come_back]


def steps(kinds, least, most):
    return st.lists(
        st.tuples(st.sampled_from(kinds), PLACES, PLACES), min_size=least, max_size=most
    )


def take(chosen, target, places):
    """Take steps; places says how many cells or parts there are, none of which a step can't be."""
    for step, here, there in chosen:
        if count := places():
            step(target, here % count, there % count)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    rounds=st.lists(
        st.tuples(st.one_of(steps(SIMPLE, 1, 8), steps(EDITS, 1, 8)), steps(CHANGES, 1, 3)),
        min_size=1,
        max_size=3,
    ),
    file=st.sampled_from([FILE, "renamed.ipynb"]),
)
def test_random_labs_survive_random_versions(rounds, file):
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        parts = [exercise(name) for name in ("one", "two", "three")]
        house.release(lab(*parts))
        house.update()
        (house.my / FILE).rename(house.my / file)
        simple = True
        for edits, changes in rounds:
            old = house.open(file)
            copied = copies.fresh(notebook(lab(*parts)), NAME, 9696)
            take(edits, old, lambda old=old: len(old["cells"]))
            take(changes, parts, lambda: len(parts))
            new = update_holds(house, old, copied, lab(*parts), file)
            simple = simple and all(step in SIMPLE for step, *_ in edits)
            if simple:
                own_cells_follow(old, new)


def own_cells_follow(old, new):
    """Hold that each inserted cell stands behind the nearest cell before it that is in both."""
    before, now = ids(old), ids(new)
    both = set(before) & {line.split()[0] for line in copies.notes(new)["cells"]}
    for name in before:
        if name.startswith("mine-"):
            near = [one for one in before[: before.index(name)] if one in both]
            still = [one for one in now[: now.index(name)] if one in both]
            assert near[-1:] == still[-1:]


# --- The real ones ---


@pytest.fixture
def real(house):
    for path in copies.originals().values():
        shutil.copy(path, house.root / path.parent.name)
    return house


def test_an_update_of_all_takes_less_than_a_second(real):
    assert len(copies.originals(real.root)) >= 19

    def seconds(clock):
        begun = clock()
        real.update()
        return clock() - begun

    real.update()
    nothing_new, all_new = [], []
    for turn in range(3):  # other tests may be at work
        nothing_new.append(seconds(time.perf_counter))
        for name, path in copies.originals(real.root).items():
            content = json.loads(path.read_text(encoding="utf-8"))
            put(content, 1, md(f"news-{turn}", "News"))
            path.write_text(json.dumps(content), encoding="utf-8")
            old = real.open(copies.file_name(name))
            put(old, 2, md(f"mine-{turn}", "My note"))
            real.save(old, copies.file_name(name))
        all_new.append(seconds(time.process_time))  # some disks keep one waiting
        assert len(real.before()) == (turn + 1) * len(copies.originals(real.root))
    assert max(min(nothing_new), min(all_new)) < 1, (nothing_new, all_new)


@pytest.mark.parametrize("name", [name for name in copies.originals() if name.startswith("lab_")])
def test_each_real_lab_survives_a_new_version(name, real):
    real.update()
    file, path = copies.file_name(name), real.root / "labs" / f"{name}.ipynb"
    copied, old = real.open(file), real.open(file)
    for n, cell in enumerate(list(old["cells"])):
        if cell["metadata"].get("exercise"):
            cell["source"] = f"answer_{n} = {n}"
            put(old, position(old, cell["id"]) + 1, code(f"mine-{n}", f"print(answer_{n})"))
    real.save(old, file)
    original = json.loads(path.read_text(encoding="utf-8"))
    found = [cell["metadata"].get("exercise") for cell in copied["cells"]]
    names = [name for name in found if name]
    dropped = names[1]
    rest = [cell for cell in original["cells"] if not cell["id"].startswith(f"{dropped}-")]
    moved = [cell for cell in rest if cell["id"].startswith(f"{names[0]}-")]
    rest = [cell for cell in rest if cell not in moved]
    original["cells"] = [*rest[:3], *exercise("quite-new"), *rest[3:], *moved]
    path.write_text(json.dumps(original), encoding="utf-8")
    [said] = real.update()
    assert_one_sentence(said, f"my/{file} is the new version, with what you wrote")
    new = real.open(file)
    nbformat.validate(nbformat.from_dict(new))
    written = [text(cell) for cell in old["cells"] if cell not in copied["cells"]]
    assert not Counter(written) - Counter(sources(new))
    for one in (*names[:1], *names[2:]):
        place = ids(new).index(f"{one}-answer")
        assert ids(new)[place + 1].startswith("mine-")
        assert ids(new).index(f"{one}-text") < place < ids(new).index(f"{one}-check")
        assert sources(new)[place + 1] == f"print({sources(new)[place].split(' ')[0]})"
