"""The learner's copies: each lesson and lab stands in my/ too, and is brought up to date there.

A copy tells in its metadata what it was copied from (`notebook`), which state of that
(`version`), and what its cells said then (`cells`, an id and a hash each). So an update knows what
the learner wrote: it puts the answers, by exercise, into a fresh lab, and the learner's own cells
behind the cells they followed. What gives way is kept in my/before/. It needs nothing but Python.
"""

import hashlib
import itertools
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

from labkit import ROOT, LabError, own_port

ORIGINAL = re.compile(r"([0-9A]\d|lab_\d\d)_\w+\.ipynb")  # no Untitled.ipynb, no -Copy1
LINK = re.compile(r"(?<=[(\"])\.\./(?:notebooks/(\w+\.ipynb)|labs/lab_(\w+)\.ipynb)")
# These speak of ports inside containers too, and show what Docker once said.
CONTAINERS = re.compile(r"08_|lab_08_|09_")
# A picture shows 9696, so the words about it stay; and "9696" is a text in somebody's script.
PORT = re.compile(r"(!\[[^\]]*\])|(?<![\w\"'])9696(?!\w)")
# Taking the # away is what these lines are for, so it changes nothing.
HELP = re.compile(r"^ *#? *(?=lab\.(?:hint|solution)\()", re.M)
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
KEPT = ("id", "cell_type", "metadata", "source")


# --- What a notebook says ---


def read(path: Path) -> dict | None:
    """Return a notebook; None where the file is none, or not of format 4."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        known = (
            notebook["nbformat"] == 4
            and isinstance(notebook["metadata"], dict)
            and all(
                isinstance(cell["metadata"], dict)
                and isinstance(source(cell), str)
                and cell["cell_type"] in ("code", "markdown", "raw")
                for cell in notebook["cells"]
            )
        )
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return notebook if known else None


def read_original(path: Path) -> dict | None:
    """Return a lesson or a lab; None where it can't be copied, also because cells lack ids."""
    notebook = read(path)
    names = [cell.get("id") for cell in notebook["cells"]] if notebook else [None]
    good = all(isinstance(name, str) and CELL_ID.fullmatch(name) for name in names)
    return notebook if good and len(set(names)) == len(names) else None


def source(cell: dict) -> str:
    """Return a cell's text, which the file has in one piece or in lines."""
    return "".join(cell["source"])


def exercise(cell: dict) -> str | None:
    """Return the name of the exercise that a cell answers."""
    name = cell["metadata"].get("exercise")
    return name if isinstance(name, str) else None


def digest(cell: dict) -> str:
    """Return a hash of what a cell says; blanks and kinds of ends of its lines don't count.

    It never changes: to a copy that notes the hashes of before, all its cells would seem changed.
    """
    lines = [line.rstrip() for line in HELP.sub("", source(cell)).rstrip().splitlines()]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()[:16]


def digests(notebook: dict) -> list[str]:
    """Return "id hash" for each cell, in order."""
    return [f"{cell.get('id')} {digest(cell)}" for cell in notebook["cells"]]


def notes(notebook: dict) -> dict:
    """Return what labkit has noted in a notebook's metadata; {} where it is no copy."""
    found = notebook["metadata"].get("labkit")
    return found if isinstance(found, dict) else {}


# --- A fresh copy ---


def originals(root: Path = ROOT) -> dict[str, Path]:
    """Return the lessons and labs by name: "03_ping_pong", "lab_03_ping_pong"."""
    paths = [*root.glob("notebooks/*.ipynb"), *root.glob("labs/lab_*.ipynb")]
    paths.sort(key=lambda path: file_name(path.stem))
    return {path.stem: path for path in paths if ORIGINAL.fullmatch(path.name)}


def file_name(name: str) -> str:
    """Return the name of a copy's file: "lab_03_ping_pong" is in 03_ping_pong_lab.ipynb."""
    return re.sub(r"^lab_(.+)", r"\1_lab", name) + ".ipynb"


def fresh(original: dict, name: str, port: int) -> dict:
    """Return a copy of an original without outputs, with the copies' links and the learner's port.

    name: "03_ping_pong" or "lab_03_ping_pong".
    """
    cells = [fresh_cell(cell, name, port) for cell in original["cells"]]
    copy = original | {"cells": cells, "metadata": dict(original["metadata"])}
    state = [[cell["id"], cell["cell_type"], exercise(cell), source(cell)] for cell in cells]
    copy["metadata"]["labkit"] = notes(original) | {
        "notebook": name,
        "version": hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16],
        "cells": digests(copy),
    }
    return copy


def fresh_cell(cell: dict, name: str, port: int) -> dict:
    text = source(cell)
    if cell["cell_type"] == "markdown":
        text = LINK.sub(lambda link: link[1] or f"{link[2]}_lab.ipynb", text)
    text = with_port(text, name, port)
    cleared = {"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {}
    return cell | {"source": text.splitlines(keepends=True)} | cleared


def with_port(text: str, name: str, port: int) -> str:
    """Return a text of a lesson or lab ("lab_03_ping_pong") with the learner's port for 9696."""
    if port == 9696 or CONTAINERS.match(name):
        return text
    return PORT.sub(lambda found: found[1] or str(port), text)


# --- A learner's lab in its new version ---


def merge(old: list[dict], copied: list[str], new: list[dict]) -> list[dict]:
    """Put a learner's answers and own cells into the cells of a fresh lab, and return them.

    old: the cells of the learner's lab; copied: `digests` of what they were copied from.
    No list is changed.
    """
    fresh_ones = {cell["id"]: cell for cell in new}
    now = {cell["id"]: digest(cell) for cell in new}
    then = dict(line.split() for line in copied)
    answers = {cell["metadata"]["exercise"]: cell["id"] for cell in new if exercise(cell)}
    result = dict(fresh_ones)
    behind = {None: [], **{place: [] for place in fresh_ones}}
    follows = dict(itertools.pairwise(fresh_ones))
    place = None  # of the last cell that the new version has, too
    found = recognise(old, then, now, answers)
    for cell, known in zip(old, found, strict=True):
        if known in fresh_ones:
            place = known
            if (answer := follows.get(place)) in set(answers.values()) - set(found):
                place = answer  # or its stub would undo what an own cell defines in its stead
        if known and digest(cell) in (then.get(known), now.get(known)):
            continue  # as it was copied
        if known in answers.values():
            if source(cell).strip():
                metadata = cell["metadata"] | fresh_ones[known]["metadata"]
                result[known] = tidy(cell) | {"id": known, "metadata": metadata}
        else:
            behind[place].append(tidy(cell))
    give_ids([cell for cells in behind.values() for cell in cells], set(fresh_ones))
    for place, cell in result.items():
        behind[place].insert(0, cell)
    return [cell for cells in behind.values() for cell in cells]


def give_ids(cells: list[dict], used: set[str]) -> None:
    """Give an id to each cell that has none, an invalid one, or one that is used already."""
    nameless = []
    for cell in cells:
        name = cell.get("id")
        if isinstance(name, str) and CELL_ID.fullmatch(name) and name not in used:
            used.add(name)
        else:
            nameless.append(cell)
    names = (name for name in map("own-{}".format, itertools.count(1)) if name not in used)
    for cell, name in zip(nameless, names, strict=False):
        cell["id"] = name


def recognise(
    old: list[dict], then: dict[str, str], now: dict[str, str], answers: dict[str, str]
) -> list[str | None]:
    """Return for each of a learner's cells the id of the cell that it was, None for an own cell.

    then, now: ids and hashes of the cells that were copied, and of the new ones; answers: exercises
    and their cells' ids. Each id is found once: by exercise and id, by exercise, by id, and last by
    what the cell says, for tools that drop all ids.
    """
    found = [None] * len(old)
    free = set(then) | set(now)
    ids = {}
    for known, text in [*then.items(), *now.items()]:
        ids.setdefault(text, []).append(known)

    def by_exercise(cell):
        return [answers.get(exercise(cell))]

    def by_both(cell):
        return [known for known in by_exercise(cell) if known == cell.get("id")]

    def by_id(cell):
        known = cell.get("id")
        anothers = exercise(cell) and known in answers.values()
        return [known] if isinstance(known, str) and not anothers else []

    def by_text(cell):
        return ids.get(digest(cell), [])

    for guess in (by_both, by_exercise, by_id, by_text):
        for n, cell in enumerate(old):
            known = next((known for known in guess(cell) if known in free), None)
            if found[n] is None and known:
                found[n] = known
                free.remove(known)
    return found


def tidy(cell: dict) -> dict:
    """Return a cell with what format 4.5 has in one of its kind, and nothing else."""
    code = cell["cell_type"] == "code"
    keys = (*KEPT, *(("outputs", "execution_count") if code else ("attachments",)))
    filled = {"outputs": [], "execution_count": None} if code else {}
    return filled | {key: cell[key] for key in keys if key in cell}


# --- Files: nothing is ever overwritten before it is kept ---


def write(path: Path, notebook: dict) -> None:
    text = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    save(path, text.encode("utf-8", "backslashreplace"))  # half a character becomes its JSON escape


def save(path: Path, content: bytes) -> None:
    """Write a file as a whole, or leave what is there."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def name_before(path: Path) -> Path:
    """Return a free name in before/ for something that gives way."""
    place, number = path.parent / "before" / path.name, 1
    while os.path.lexists(place):
        number += 1
        place = place.with_name(f"{path.stem}-{number}{path.suffix}")
    return place


def keep(path: Path) -> str:
    """Copy a file into before/, and return where it is, for a sentence."""
    place = name_before(path)
    save(place, path.read_bytes())
    return f"my/before/{place.name}"


def give_way(path: Path) -> str:
    """Move whatever is there into before/, and return where it is, for a sentence."""
    place = name_before(path)
    path.rename(place)
    return f"my/before/{place.name}"


# --- The commands ---


def update(say: Callable[[str], None] = print, root: Path = ROOT) -> None:
    """Make the copies that are missing and bring the others up to date; say what gave way.

    Raises LabError when my/ or a file in it can't be written.
    """
    my = root / "my"
    try:
        port = own_port()
        for folder in (my / "work", my / "before"):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (my, my / "before"):
            for part in folder.glob(".*.ipynb.*.part"):  # of a start that was killed
                part.unlink()
        found, new = {}, {}
        for name, path in originals(root).items():
            if original := read_original(path):
                found[name], new[name] = original, fresh(original, name, port)
            else:
                say(f"{path.relative_to(root)} is damaged: get it anew; its copy stays as it is.")
        put_right(my, new, say)
        for path in sorted(my.glob("*.ipynb")):
            notebook = read(path)
            name = name_of(path, notebook, new) if notebook else None
            if name in new:
                update_file(path, notebook, found[name], new[name], say)
        for name in new:
            if not os.path.lexists(my / file_name(name)):
                write(my / file_name(name), new[name])
    except OSError as error:
        raise LabError(
            f"Your copies in {my} can't be brought up to date ({error}): make sure that the folder "
            "is yours and the disk has room, then run this again."
        ) from None


def name_of(path: Path, notebook: dict, new: dict[str, dict]) -> str | None:
    """Return what a notebook is a copy of: as it says itself, else by its file's name."""
    noted = notes(notebook).get("notebook")
    return noted if isinstance(noted, str) else named(path.name, new)


def named(file: str, names) -> str | None:
    return next((name for name in names if file_name(name) == file), None)


def put_right(my: Path, new: dict[str, dict], say: Callable[[str], None]) -> None:
    """Move away what bears a copy's name and is none, or another's, which goes home if it can."""
    strangers = []
    for name in new:
        path = my / file_name(name)
        if not os.path.lexists(path):
            continue
        notebook = read(path)
        if notebook is None:
            say(f"my/{path.name} can't be read as a notebook, so it is {give_way(path)} now.")
            continue
        other = name_of(path, notebook, new)
        if other != name:
            strangers.append((path.name, other, give_way(path)))
    for old_name, other, place in strangers:  # only now: two may have changed their names
        home = my / file_name(other)
        if other in new and not os.path.lexists(home):
            (my.parent / place).rename(home)
            place = f"my/{home.name}"
        say(f"my/{old_name} was a copy of {other}, so it is {place} now.")


def update_file(path: Path, old: dict, original: dict, new: dict, say: Callable) -> None:
    """Bring a copy up to date, if its original has changed since.

    One that notes nothing was copied by hand, perhaps from the original as it is.
    """
    then, now = notes(old), new["metadata"]["labkit"]
    if then.get("version") == now["version"]:
        return
    lab = now["notebook"].startswith("lab_")
    if not lab and path.name != file_name(now["notebook"]):
        return  # a lesson that the learner keeps under another name
    copied = cells_of(then) or digests(original)
    if digests(old) in (copied, now["cells"]):
        write(path, new)
        return
    kept = keep(path)
    if lab:
        cells = merge(old["cells"], copied, new["cells"])
        write(path, new | {"cells": cells})
        say(f"my/{path.name} is the new version, with what you wrote; the old one is {kept}.")
    else:
        write(path, new)
        say(f"my/{path.name} is the new version; the one that you had changed is {kept}.")


def cells_of(labkit: dict) -> list[str]:
    """Return the noted digests, without what only looks like some."""
    cells = labkit.get("cells")
    lines = [line for line in cells if isinstance(line, str)] if isinstance(cells, list) else []
    return [line for line in lines if len(line.split()) == 2]


def reset(name: str, say: Callable[[str], None] = print, root: Path = ROOT) -> None:
    """Put a fresh copy in place of one in my/, which is kept in my/before/.

    name: "03_ping_pong_lab", "lab_03_ping_pong", or the path of either. Raises LabError when there
    is no such lesson or lab, or my/ can't be written.
    """
    known = originals(root)
    file = file_name(Path(name.replace("\\", "/")).name.removesuffix(".ipynb"))
    found = named(file, known)
    if not found:
        names = ", ".join(file_name(name).removesuffix(".ipynb") for name in known)
        raise LabError(f"There is no lesson or lab {name}: write one of {names}.")
    original, path = read_original(known[found]), root / "my" / file
    if not original:
        raise LabError(f"{known[found].relative_to(root)} is damaged: get it anew.")
    kept = ""
    try:
        (path.parent / "before").mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path):
            kept = f" The old one is {keep(path) if read(path) else give_way(path)}."
        write(path, fresh(original, found, own_port()))
    except OSError as error:
        raise LabError(
            f"my/{file} can't be made anew ({error}): make sure that the folder is yours and the "
            "disk has room, then run this again."
        ) from None
    say(f"my/{file} is fresh now.{kept} If it is open, close its tab and open it again.")
