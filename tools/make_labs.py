"""Make labs/*.ipynb from solutions/labs/: `python tools/make_labs.py [lab ...]` (maintainers).

A source is a notebook in jupytext's percent format, with the exercises solved. A cell that begins
with `# %% exercise="price-a-threshold"` (and `core=true`, where it belongs to the core) is what a
learner answers; what stands between the markers

    # [solution] return ____
    # [end]

is left out, and the line behind the first marker stands there instead. With `script="name.py"`
the answer is a whole script: solutions/labs/name.py, with the same markers, becomes a cell that
writes it. The check of each exercise, its hints and its lesson section come from labkit/labs/.

An exercise's name never changes, nor does a cell's id, which comes from it (`...-answer`, `-check`)
or from `name="..."`: learners' copies are brought up to date by them. Its number comes from its
place; `{price-a-threshold}` in a text becomes that number.

A lab in which somebody has answered is left alone; FORCE=1 saves a copy in my/before/ first.
"""

import hashlib
import importlib
import importlib.util
import json
import os
import re
import shutil
import sys
from pathlib import Path

import jupytext
import nbformat

from labkit.copies import name_before

ROOT = Path(__file__).resolve().parent.parent
SOLVED, LABS = ROOT / "solutions" / "labs", ROOT / "labs"
BEGIN = re.compile(r"^( *)# \[solution\] (.*)$")
END = re.compile(r"^ *# \[end\]$")
STUB = re.compile(r"return ____|[a-zA-Z_]\w* = ____")
CELL_ID = re.compile(r"[a-z0-9-]{1,64}")
IMPORT = "from labkit.exercises import ____"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


class Refused(Exception):
    """The source breaks a rule; the text begins with the place, file and line."""


def sources() -> list[Path]:
    """Return the labs' sources, in order."""
    return sorted(SOLVED.glob("lab_*.py"))


def without_solution(text: str, name: str, first: int = 1) -> str:
    """Return code with its solutions cut out and the stubs in their places.

    name and first (the number of the text's first line) are for the message of Refused.
    """
    lines, opened = [], None
    for number, line in enumerate(text.splitlines(), first):
        place = f"{name}:{number}: "
        if begin := BEGIN.match(line):
            if opened:
                raise Refused(f"{place}a [solution] within the one of line {opened}")
            if not STUB.fullmatch(begin[2]):
                raise Refused(f"{place}write `name = ____` or `return ____` behind [solution]")
            opened = number
            lines.append(begin[1] + begin[2])
        elif END.match(line):
            if not opened:
                raise Refused(f"{place}an [end] without its [solution]")
            opened = None
        elif "[solution]" in line or "[end]" in line:
            raise Refused(f"{place}a marker stands alone on its line, after a #")
        elif "____" in line and line != IMPORT:
            raise Refused(f"{place}____ may stand behind [solution] only")
        elif not opened:
            lines.append(line)
    if opened:
        raise Refused(f"{name}:{opened}: a [solution] without its [end]")
    return "\n".join(lines)


def build(source: Path, lab, answers) -> nbformat.NotebookNode:
    """Return the lab's notebook.

    lab: the labkit.exercises.Lab with its checks. answers: {exercise: {"right", "wrong"}}, the
    bank of tests/answers/. Raises Refused when the source, the checks and the bank don't match.
    """
    text = source.read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="py:percent")
    heads = [n for n, line in enumerate(text.splitlines(), 1) if line.startswith("# %%")]
    if len(heads) != len(notebook.cells):
        raise Refused(f"{source.name}:1: begin with a line # %%, and leave no cell empty of one")
    cells, seen = [], []
    for head, cell in zip(heads, notebook.cells, strict=True):
        place = f"{source.name}:{head}: "
        if cell.cell_type == "markdown":
            cells.append(new_cell("markdown", cell.source, cell.metadata.get("name")))
            continue
        code = cell.source
        if script := cell.metadata.get("script"):
            if not (SOLVED / script).is_file():
                raise Refused(f"{place}there is no solutions/labs/{script}")
            code = (SOLVED / script).read_text(encoding="utf-8").strip()
            code = f"%%writefile {script}\n" + without_solution(code, script)
        else:
            code = without_solution(code, source.name, head + 1)
        name = cell.metadata.get("exercise")
        if name is None and "____" in code.replace(IMPORT, ""):
            raise Refused(f'{place}a solution in a cell without exercise="..."')
        cells.append(new_cell("code", code, cell.metadata.get("name")))
        if name is not None:
            if "____" not in code:
                raise Refused(f"{place}exercise {name} has no [solution]")
            if name in seen:
                raise Refused(f"{place}exercise {name} stands there twice")
            seen.append(name)
            refuse_incomplete(place, name, lab, answers)
            if len(cells) < 2 or cells[-2].cell_type != "markdown":
                raise Refused(f"{place}exercise {name} has no text before it")
            core = cell.metadata.get("core", False)
            number_heading(place, cells, name, lab, core)
            cells[-2].source += f"\n\n*{section(lab, name)}*"
            cells[-2].id = cells[-2].get("id") or f"{name}-text"
            cells[-1].id = f"{name}-answer"
            cells[-1].metadata["exercise"] = name
            if core:
                cells[-1].metadata["core"] = True
        elif called := re.fullmatch(r'lab\.check\("(.+)"\)', code):
            if called[1] != (seen or [None])[-1]:
                raise Refused(f"{place}the check of {called[1]} does not follow its exercise")
            help_ = f'# lab.hint("{called[1]}")\n# lab.solution("{called[1]}")'
            cells[-1].id = f"{called[1]}-check"
            cells.append(new_cell("code", help_, f"{called[1]}-help"))
        elif code.startswith("lab.start(") and seen and not cells[-1].get("id"):
            cells[-1].id = f"{seen[-1]}-start"
    ids = [cell.get("id") for cell in cells]
    for name in seen:
        if f"{name}-check" not in ids:
            raise Refused(f"{source.name}:1: exercise {name} has no cell that checks it")
    for name in lab.exercises.keys() | answers.keys():
        if name not in seen:
            raise Refused(f"{source.name}:1: exercise {name} has a check or answers, and no cell")
    if seen != list(lab.exercises):
        raise Refused(f"{source.name}:1: the checks in labkit/labs/ stand in another order")
    for cell in cells:
        if not cell.get("id"):
            raise Refused(f'{source.name}:1: a cell without name="...": {cell.source[:40]!r}')
        if not CELL_ID.fullmatch(cell.id):
            raise Refused(f"{source.name}:1: {cell.id!r} can't be an id: a-z, 0-9 and -, up to 64")
        if ids.count(cell.id) > 1:
            raise Refused(f"{source.name}:1: two cells have the name {cell.id}")
        if cell.cell_type == "markdown":
            cell.source = numbered(cell.source, source.name, lab)
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    notebook.metadata["labkit"] = {"notebook": source.stem, "untouched": fingerprint(notebook)}
    nbformat.validate(notebook)
    return notebook


def new_cell(kind, source, name):
    """Return a cell with the name for its id, which never changes: learners' copies go by it."""
    make = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
    cell = make(source)
    cell.id = name or ""
    return cell


def number_heading(place, cells, name, lab, core):
    """Put the exercise's number into its heading, the last one before it: ## 1.8 Its title."""
    for cell in reversed(cells):
        if re.search(r"(?m)^## \d", cell.source):
            break  # the exercise before
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            title, _, rest = cell.source.partition("\n")
            title = f"## {lab.number(name)} {title[3:]}" + (" (core)" if core else "")
            cell.source = f"{title}\n{rest}".rstrip("\n")
            return
    raise Refused(f"{place}exercise {name} has no heading ## of its own")


def numbered(text, source, lab):
    """Put an exercise's number where {its-name} stands."""

    def number(found):
        if found[1] not in lab.exercises:
            raise Refused(f"{source}:1: {found[0]} is no exercise of this lab")
        return lab.number(found[1])

    return re.sub(r"\{([a-z]+(?:-[a-z]+)+)\}", number, text)


def refuse_incomplete(place, name, lab, answers):
    check = lab.exercises.get(name)
    if not check:
        raise Refused(f"{place}exercise {name} has no check in labkit/labs/")
    if not check.hints:
        raise Refused(f"{place}exercise {name} has no hints")
    if check.lesson not in headings(lab):
        raise Refused(f"{place}exercise {name}: the lesson has no section {check.lesson!r}")
    bank = answers.get(name, {"right": [], "wrong": []})
    if len(bank["right"]) < 2 or len(bank["wrong"]) < 5:
        raise Refused(f"{place}exercise {name} needs a bank of 5 wrong and 2 right answers")


def headings(lab) -> list[str]:
    """Return the headings of the lab's lesson."""
    path = ROOT / "notebooks" / f"{lab.name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return re.findall(r"^## (.+)$", "\n".join(texts), re.M)


def section(lab, name):
    heading = lab.exercises[name].lesson
    address = f"../notebooks/{lab.name}.ipynb#{heading.replace(' ', '-')}"
    return f"From lesson {int(lab.name[:2])}: [{heading}]({address})"


def fingerprint(notebook) -> str:
    """Return a hash of what the cells say, outputs and settings left out."""
    cells = [[cell.cell_type, cell.source] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def write(notebook, path: Path, force: bool = False) -> bool:
    """Write a lab, unless somebody has answered in the one that is there; say whether it did.

    force: save a copy in my/before/, then write all the same.
    """
    if path.exists():
        there = nbformat.read(path, as_version=4)
        if there.metadata.get("labkit", {}).get("untouched") != fingerprint(there):
            if not force:
                return False
            place = name_before(path.parent.parent / "my" / path.name)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
    text = nbformat.writes(notebook, version=4) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")
    return True


def bank(name: str) -> dict:
    """Return the bank of answers of a lab, from tests/answers/."""
    path = ROOT / "tests" / "answers" / f"{name}.py"
    if str(ROOT / "tests") not in sys.path:
        sys.path.append(str(ROOT / "tests"))  # a bank may import proof, for Instead
    if not path.exists():
        raise Refused(f"tests/answers/{name}.py: the lab has no bank of answers")
    return module(path).ANSWERS


def module(path: Path):
    """Return the Python module of a file, which need not be on the path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make(source: Path) -> nbformat.NotebookNode:
    """Return the lab of a source, with its checks and its bank."""
    short = source.stem[:6]
    lab = importlib.import_module(f"labkit.labs.{short}").lab
    if source.stem != f"lab_{lab.name}":
        raise Refused(f"{source.name}:1: labkit/labs/{short}.py is the lab of {lab.name}")
    return build(source, lab, bank(short))


def main(names: list[str]) -> None:
    """Make the named labs ("01", "lab_01_train_the_model"), or all."""
    kept = []
    try:
        for source in sources():
            if names and not any(name in source.stem for name in names):
                continue
            path = LABS / f"{source.stem}.ipynb"
            if write(make(source), path, force=bool(os.environ.get("FORCE"))):
                print(path.name)
            else:
                kept.append(path.name)
    except Refused as reason:
        sys.exit(f"{reason}.")
    if kept:
        sys.exit(
            f"{', '.join(kept)}: somebody has answered there, so it is left as it is. FORCE=1 "
            "saves a copy in my/before/ and makes it anew."
        )


if __name__ == "__main__":
    main(sys.argv[1:])
