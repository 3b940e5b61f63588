"""What every lesson promises: its form, its pictures, its numbers, and nothing of our machine."""

import ast
import copy
import html
import itertools
import re
import tomllib
from types import SimpleNamespace

import nbformat
import pytest

from labkit import ROOT, SOLUTIONS

LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FACTS = tomllib.loads((ROOT / "tests" / "facts.toml").read_text(encoding="utf-8"))
PAGES = [ROOT / name / "README.md" for name in ("", "data", "labs")]

WORDS_PER_MINUTE = 130  # of technical prose, on a screen
MINUTES_PER_CELL = 0.75  # to run it, look, and change something
CORE = {"00", "01", "02", "03", "04", "07", "08"}  # the lessons of one day
CORE_MINUTES = 45
CORE_ENDS = "**The core ends here.**"
GUESS = "**Guess first.**"
LEAST_GUESSES = 3


def read(path):
    return nbformat.read(path, as_version=4)


def texts(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def is_code(cell):
    return cell.cell_type == "code"


def code_cells(notebook):
    return list(filter(is_code, notebook.cells))


def output_text(notebook):
    """All that the cells have put out, as text; pictures left out."""
    parts = []
    for cell in code_cells(notebook):
        for output in cell.outputs:
            parts.append(output.get("text", ""))
            data = output.get("data", {})
            parts += [data.get(kind, "") for kind in ("text/plain", "text/html", "text/markdown")]
    return "\n".join(parts)


# Each check returns the faults that it finds, so that a fault can be put in to see it found.


def minutes(notebook) -> int:
    """Estimate how long a lesson takes, in minutes, to the next five."""
    words = sum(len(text.split()) for text in texts(notebook))
    exact = words / WORDS_PER_MINUTE + len(code_cells(notebook)) * MINUTES_PER_CELL
    return max(5, 5 * round(exact / 5))


def core(notebook):
    """Return what stands before the line that ends the core, or None where there is no line."""
    places = [place for place, cell in enumerate(notebook.cells) if CORE_ENDS in cell.source]
    if not places:
        return None
    return nbformat.v4.new_notebook(cells=notebook.cells[: places[0]])


def time_line(notebook) -> str:
    """Return what the first cell must say of the time."""
    all_, part = minutes(notebook), core(notebook)
    of_core = "all" if part and minutes(part) == all_ else part and minutes(part)
    line = f"**Time:** about {all_} minutes (an estimate)"
    return line + (f", {of_core} of them the core" if part else "")


def faults_of_core(notebook):
    """The core is short, ends at a line of its own, and comes before the last three headings."""
    lines = [cell.source for cell in notebook.cells if CORE_ENDS in cell.source]
    if len(lines) != 1 or not lines[0].startswith("---\n\n"):
        yield "the core does not end at one line, of its own"
        return
    if minutes(core(notebook)) > CORE_MINUTES:
        yield f"the core takes {minutes(core(notebook))} minutes"
    if "## If it goes wrong" in "\n".join(texts(core(notebook))):
        yield "the line comes after the end"


def faults_of_guesses(notebook):
    """A learner guesses, runs the cell, then opens what there was to see, which is its output."""
    cells, found = notebook.cells, 0
    for place, cell in enumerate(cells):
        if not cell.source.startswith("<details><summary>You should see</summary>\n\n"):
            continue
        run = list(itertools.takewhile(is_code, reversed(cells[:place])))
        if not run or GUESS not in cells[place - len(run) - 1].source:
            yield f"no guess and no cell before it: {cell.source[44:90]!r}"
            continue
        found += 1
        paragraph = cell.source.split("\n\n")[1]
        spans = re.findall(r"`([^`]+)`", paragraph)
        shown = output_text(SimpleNamespace(cells=run))
        seen = html.unescape(re.sub(r"<[^>\n]+>", " ", shown))
        if not spans:
            yield f"it names nothing that is to be seen: {paragraph[:50]!r}"
        yield from (f"`{span}` is not in the output" for span in spans if span not in seen)
    asked = sum(GUESS in cell.source for cell in cells)
    if found < LEAST_GUESSES or asked != found:
        yield f"{asked} guesses and {found} answers"


def faults_of_form(notebook):
    first = code_cells(notebook)[0].source if code_cells(notebook) else ""
    head = texts(notebook)[0]
    everything = "\n".join(texts(notebook))
    if first != code_cells(read(LESSONS[0]))[0].source:
        yield "the first code cell is not the one that all lessons share"
    if not re.match(r"# \d+ · \S", head) or not re.search(r"^\*[^*]+\*$", head, re.M):
        yield "the first cell lacks the title or the line of purpose"
    if not re.search(rf"{re.escape(time_line(notebook))}(?! of|, \d)", head):
        yield f"the time is not the computed one, {time_line(notebook)}"
    if "**You need:**" not in head or "**You will be able to**" not in head:
        yield "the first cell does not say what is needed, or what for"
    headings = re.findall(r"^## (.+)$", everything, re.M)
    if headings[-3:] != ["If it goes wrong", "Recap", "Your turn"]:
        yield f"it ends with {headings[-3:]}"
    for cell in code_cells(notebook):
        finished_script = cell.source.startswith("%%writefile")
        if len(cell.source.splitlines()) > 12 and not finished_script:
            yield f"a cell of {len(cell.source.splitlines())} lines: {cell.source[:60]!r}"


def faults_of_style(text):
    for word in re.findall(r"\b(simply|just|obviously|easy|trivial|of course)\b", text, re.I):
        yield f"the word {word!r}"


def faults_of_links(text, folder):
    for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text):
        if len(alt.split()) < 5:
            yield f"the picture {target} has no alt text that tells what it tells"
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("http://", "https://")) and not (folder / target).exists():
            yield f"the link to {target} leads nowhere"


def numbers_in_prose(text):
    """The numbers that are set as code, such as `0.858` or `(5634, 45)`."""
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    spans = re.findall(r"`([^`\n]+)`", text)
    numbers = [span for span in spans if re.fullmatch(r"[-(]?\d[\d.,:%e )-]*", span)]
    return [number for number in numbers if not re.fullmatch(r"\d+(\.\d+){3}", number)]  # IP


def faults_of_numbers(notebook, facts):
    outputs = re.sub(r"<[^>\n]+>", " ", output_text(notebook))
    for text in texts(notebook):
        for number in numbers_in_prose(text):
            exactly = rf"(?<![\d.]){re.escape(number)}(?![\d]|\.\d)"
            if number not in facts and not re.search(exactly, outputs):
                yield f"`{number}` is in no output and no fact"


def faults_of_outputs(notebook):
    private = re.compile(
        re.escape(str(ROOT))
        + r"|/home/|/root|/Users/|[A-Z]:\\|/tmp/|/var/folders|ipykernel_|0x[0-9a-f]{6,}"
        r"|\b20\d\d-\d\d-\d\d|\b\d\d:\d\d:\d\d\b|\bPID\b|process \d+",
    )
    for cell in code_cells(notebook):
        if cell.execution_count is None:
            yield f"a cell was not run: {cell.source[:60]!r}"
        for output in cell.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                yield f"an error or a warning is stored: {cell.source[:60]!r}"
            text = "\n".join(
                [output.get("text", "")]
                + [
                    str(value)
                    for kind, value in output.get("data", {}).items()
                    if "image" not in kind
                ]
            )
            text = text.replace("target=/root/.cache", "")  # the Dockerfile says so
            for found in private.findall(text):
                yield f"the stored outputs speak of this machine: {found!r}"
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield "the cells were not run from top to bottom"


def faults_of_finished_scripts(notebook):
    """A script that a cell writes is the one in solutions/, if there is one of that name."""
    for cell in code_cells(notebook):
        if written := re.match(r"%%writefile (\S+)\n", cell.source):
            solution = SOLUTIONS / written[1]
            text = cell.source[written.end() :] + "\n"
            if solution.exists() and text != solution.read_text(encoding="utf-8"):
                yield f"{written[1]} is not the one in solutions/"


def lines_not_shown(notebook, script_source):
    """The lines of a script that no cell contains and no output shows."""
    cells = [cell.source for cell in code_cells(notebook)]
    shown = set("\n".join([*cells, output_text(notebook)]).splitlines())
    return [line for line in script_source.splitlines() if line and line not in shown]


def functions(source):
    return {
        node.name: ast.unparse(node)
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
    }


def faults_of_functions(notebook, script_source):
    """A lesson and its script show the same function, but for the docstring."""
    script = ast.parse(script_source)
    for node in script.body:
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
            del node.body[0]
    script = functions(ast.unparse(script))
    lesson = functions("\n".join(cell.source for cell in code_cells(notebook)))
    for name in lesson.keys() & script.keys():
        if lesson[name] != script[name]:
            yield f"{name} differs from the script's"


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def lesson(request):
    return read(request.param)


def test_lesson_has_its_form(lesson):
    assert not list(faults_of_form(lesson))


def test_lesson_asks_for_guesses_before_it_shows(lesson):
    assert not list(faults_of_guesses(lesson))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_core_is_short_and_ends_at_a_line(path):
    if path.stem[:2] in CORE:
        assert not list(faults_of_core(read(path)))
    else:
        assert core(read(path)) is None


def test_lesson_has_its_style(lesson):
    assert not list(faults_of_style("\n".join(texts(lesson))))


def test_lesson_has_no_dead_link_and_no_picture_without_alt_text(lesson):
    assert not list(faults_of_links("\n".join(texts(lesson)), ROOT / "notebooks"))


def test_numbers_in_prose_come_from_outputs_or_facts(lesson):
    assert not list(faults_of_numbers(lesson, FACTS))


def test_stored_outputs_are_complete_and_speak_of_no_machine(lesson):
    assert not list(faults_of_outputs(lesson))


def test_lesson_1_shows_the_functions_of_train():
    source = (SOLUTIONS / "train.py").read_text(encoding="utf-8")
    lesson = read(ROOT / "notebooks" / "01_train_the_model.ipynb")
    shown = functions("\n".join(cell.source for cell in code_cells(lesson)))
    assert {"to_dicts", "predict", "predict_single"} <= shown.keys()
    assert not list(faults_of_functions(lesson, source))


WRITTEN = {  # lesson: the scripts that its cells write, and those that it shows part by part
    "02_save_and_load": (["churn_serving_simple.py"], ["churn_serving_simple.py", "train.py"]),
    "03_ping_pong": (["flask_test.py"], ["flask_test.py"]),
    "04_the_churn_service": (["churn_serving_first.py"], ["churn_serving_first.py"]),
    "05_bad_input": ([], ["churn_serving.py"]),
    "06_the_campaign": ([], ["marketing_service.py"]),
    "07_the_environment": ([], ["production.py"]),
}
CONTINUED = {"05_bad_input": "09_the_cloud"}  # a later lesson shows the rest: the key


@pytest.mark.parametrize("name", WRITTEN)
def test_a_reader_could_rebuild_the_script(name):
    lesson, (written, shown) = read(ROOT / "notebooks" / f"{name}.ipynb"), WRITTEN[name]
    cells = "\n".join(cell.source for cell in code_cells(lesson))
    assert all(f"%%writefile {script}\n" in cells for script in written)
    assert not list(faults_of_finished_scripts(lesson))
    if name in CONTINUED:
        lesson.cells += read(ROOT / "notebooks" / f"{CONTINUED[name]}.ipynb").cells
    for script in shown:
        assert not lines_not_shown(lesson, (SOLUTIONS / script).read_text(encoding="utf-8"))


def test_lesson_7_shows_every_line_of_the_pipfile():
    lesson = read(ROOT / "notebooks" / "07_the_environment.ipynb")
    assert not lines_not_shown(lesson, (ROOT / "Pipfile").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore"])
def test_lesson_8_shows_every_line_of_what_docker_reads(name):
    lesson = read(ROOT / "notebooks" / "08_the_container.ipynb")
    assert not lines_not_shown(lesson, (ROOT / name).read_text(encoding="utf-8"))


def test_lesson_4_builds_the_function_of_its_script():
    source = (SOLUTIONS / "churn_serving_first.py").read_text(encoding="utf-8")
    cells = [
        cell
        for cell in read(ROOT / "notebooks" / "04_the_churn_service.ipynb").cells
        if not cell.source.startswith("%%")
    ]
    lesson = nbformat.v4.new_notebook(cells=cells)
    assert "predict_single" in functions("\n".join(cell.source for cell in code_cells(lesson)))
    assert not list(faults_of_functions(lesson, source))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_have_their_style_and_no_dead_link(page):
    text = page.read_text(encoding="utf-8")
    assert not [*faults_of_style(text), *faults_of_links(text, page.parent)]


def core_and_all(path) -> tuple[int, int]:
    """Return a lesson's minutes: those of its core (0 where there is none), and of all."""
    lesson = read(path)
    return minutes(core(lesson)) if core(lesson) else 0, minutes(lesson)


def test_readme_and_start_page_give_each_lesson_its_title_and_minutes():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    start_page = "\n".join(texts(read(LESSONS[0])))
    for path in LESSONS:
        number, title = re.match(r"# (\d+) · (.+)", texts(read(path))[0]).groups()
        columns = "".join(f"| {count or ''} ".replace("  ", " ") for count in core_and_all(path))
        row = f"| {number} | [{title}](notebooks/{path.name}) {columns}|"
        assert row.lower() in readme.lower()
        assert re.search(rf"(?m)^\| {number} \| .* {re.escape(columns)}\|", start_page), columns


def test_start_page_and_readme_name_the_same_lessons():
    rows = r"^\| (\d+) \| \[?([^\](|]+?)(?:\]\([^)]*\))? \|"
    start_page = "\n".join(texts(read(LESSONS[0])))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = [(n, title.lower().strip()) for n, title in re.findall(rows, start_page, re.M)]
    assert len(named) == 10
    assert named == [(n, t.lower().strip()) for n, t in re.findall(rows, readme, re.M)]


def test_facts_have_their_sources():
    assert FACTS and all(len(source.split()) > 3 for source in FACTS.values())


# The wrong answers: what each check must refuse.


@pytest.fixture
def good():
    return copy.deepcopy(read(ROOT / "notebooks" / "01_train_the_model.ipynb"))


def test_form_refuses_a_long_cell_another_time_and_another_end(good):
    good.cells[0].source = good.cells[0].source.replace("**Time:** about", "**Time:** perhaps")
    good.cells[-1].source = good.cells[-1].source.replace("## Your turn", "## The end")
    code_cells(good)[0].source = "import labkit" + "\nx = 1" * 12
    assert len(list(faults_of_form(good))) == 4


@pytest.mark.parametrize("lost", ["# 1 · ", "*", "**You need:**", "**You will be able to**"])
def test_form_refuses_a_first_cell_that_lacks_something(good, lost):
    head = good.cells[0]
    if lost == "*":  # the line of purpose
        head.source = re.sub(r"(?m)^\*([^*]+)\*$", r"\1", head.source)
    else:
        head.source = head.source.replace(lost, "")
    assert len(list(faults_of_form(good))) == 1


def test_form_refuses_another_time_of_the_core(good):
    head = good.cells[0]
    right = head.source
    head.source = re.sub(r"\d+ of them the core", "5 of them the core", right)
    assert len(list(faults_of_form(good))) == 1
    head.source = re.sub(r", \d+ of them the core", "", right)
    assert len(list(faults_of_form(good))) == 1
    lesson = read(ROOT / "notebooks" / "05_bad_input.ipynb")
    assert not list(faults_of_form(lesson))
    said = time_line(lesson)
    lesson.cells[0].source = lesson.cells[0].source.replace(said, f"{said}, 45 of them the core")
    assert len(list(faults_of_form(lesson))) == 1


def test_core_refuses_a_long_one_a_second_line_and_one_after_the_end(good):
    [line] = [cell for cell in good.cells if CORE_ENDS in cell.source]
    right = line.source
    line.source = right.replace("---", "***")
    assert len(list(faults_of_core(good))) == 1
    line.source = right
    good.cells.insert(1, nbformat.v4.new_markdown_cell("word " * 130 * CORE_MINUTES))
    assert len(list(faults_of_core(good))) == 1
    del good.cells[1]
    good.cells.append(line)
    assert len(list(faults_of_core(good))) == 1
    good.cells.remove(line)
    assert len(list(faults_of_core(good))) == 1 + (minutes(core(good)) > CORE_MINUTES)


def test_guesses_refuse_what_is_not_in_the_output_and_an_answer_without_a_cell(good):
    fold = next(cell for cell in good.cells if cell.source.startswith("<details><summary>You sh"))
    right, place = fold.source, good.cells.index(fold)
    guess, run = good.cells[place - 2 : place]
    good.cells.remove(run)
    assert next(faults_of_guesses(good)).startswith("no guess and no cell before it")
    good.cells.insert(place - 1, run)
    asked, guess.source = guess.source, "Run it."
    assert next(faults_of_guesses(good)).startswith("no guess and no cell before it")
    guess.source = asked
    fold.source = right.replace("\n\n", "\n\n`-7`: ", 1)
    assert list(faults_of_guesses(good)) == ["`-7` is not in the output"]
    fold.source = re.sub("`.*?`", "a number", right)
    assert len(list(faults_of_guesses(good))) == 1
    fold.source = right
    good.cells.insert(place, nbformat.v4.new_markdown_cell("You see a number."))
    assert len(list(faults_of_guesses(good))) == 2
    for cell in good.cells:
        cell.source = cell.source.replace(GUESS, "").replace("You should see<", "<")
    assert list(faults_of_guesses(good)) == ["0 guesses and 0 answers"]


def test_style_refuses_what_makes_a_learner_feel_small():
    assert len(list(faults_of_style("You simply add it. Obviously."))) == 2


def test_links_refuse_a_dead_one_and_an_empty_alt_text():
    text = "![](../images/whole-picture.svg) and [this](nowhere.ipynb)"
    assert len(list(faults_of_links(text, ROOT / "notebooks"))) == 2


def test_numbers_refuse_one_that_no_output_has(good):
    good.cells.append(nbformat.v4.new_markdown_cell("The AUC is `0.85`, or `(5634, 46)`."))
    assert len(list(faults_of_numbers(good, FACTS))) == 2


@pytest.mark.parametrize(
    "text",
    [
        f"{ROOT}/model.bin",
        "/home/me/model.bin",
        "C:\\Users\\me",
        "<Line2D at 0x7f3a5c>",
        "2026-01-31",
        "12:30:01",
    ],
)
def test_outputs_refuse_what_speaks_of_a_machine(good, text):
    code_cells(good)[3].outputs = [nbformat.v4.new_output("stream", text=text)]
    assert list(faults_of_outputs(good))


def test_outputs_refuse_a_cell_not_run_a_warning_and_an_error(good):
    code_cells(good)[3].outputs = [nbformat.v4.new_output("stream", name="stderr", text="warning")]
    code_cells(good)[4].execution_count = None
    error = nbformat.v4.new_output("error", ename="KeyError", evalue="'C'", traceback=[])
    code_cells(good)[5].outputs = [error]
    assert len(list(faults_of_outputs(good))) == 4


def test_functions_refuse_another_body(good):
    source = "def predict_single(customer, dv, model):\n    return 0.5\n"
    assert list(faults_of_functions(good, source)) == ["predict_single differs from the script's"]


def test_finished_scripts_refuse_another_line():
    lesson = read(ROOT / "notebooks" / "03_ping_pong.ipynb")
    cell = next(cell for cell in code_cells(lesson) if cell.source.startswith("%%writefile"))
    cell.source = cell.source.replace("PONG", "PANG")
    assert list(faults_of_finished_scripts(lesson)) == [
        "flask_test.py is not the one in solutions/"
    ]


def test_lines_refuse_a_script_that_is_not_shown_whole():
    lesson = read(ROOT / "notebooks" / "02_save_and_load.ipynb")
    source = (SOLUTIONS / "train.py").read_text(encoding="utf-8")
    changed = source.replace("test_size=0.2", "test_size=0.3") + "\nprint('done')\n"
    assert [line.strip() for line in lines_not_shown(lesson, changed)] == [
        "return train_test_split(df, test_size=0.3, random_state=1)",
        "print('done')",
    ]
