"""How far a learner is: `labkit.progress.show()`, and `labkit.progress.reset()` to begin anew.

Each answered check adds a line to my/progress.jsonl, and no line is ever changed: whatever ends
the kernel, the lines before are safe. Nothing is written under grading (LAB_STRICT). Exercises go
by their names; number, title and lab of each come from the labs themselves.
"""

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from labkit import MY, ROOT, LabError, copies

BREAK = timedelta(minutes=30)  # who says nothing for longer does something else


@dataclass
class Exercise:
    """An exercise's name, its place ("1.8"), its title, and whether it belongs to the core."""

    name: str
    number: str
    title: str
    core: bool


def labs() -> dict[str, tuple[str, list[Exercise]]]:
    """Return for each lab's number ("1") its title and its exercises, in order, from labs/.

    Raises LabError when a lab there is damaged.
    """
    found = {}
    for file_name, path in copies.originals(ROOT).items():
        if not file_name.startswith("lab_"):
            continue
        cells = (copies.read(path) or {"cells": []})["cells"]
        texts = [copies.source(cell) for cell in cells]
        heading = re.search(r"(?m)^# Lab (\d+) · (.+)$", "\n".join(texts))
        if not heading:
            raise LabError(f"{path.relative_to(ROOT)} is damaged: get it anew.")
        lab, lab_title = heading.groups()
        found[lab] = lab_title, []
        for place, cell in enumerate(cells):
            if name := copies.exercise(cell):
                headings = re.findall(r"(?m)^## (\d+\.\d+) (.+)$", "\n".join(texts[:place]))
                number, title = headings[-1] if headings else ("", name)
                core = cell["metadata"].get("core", False)
                found[lab][1].append(Exercise(name, number, title.removesuffix(" (core)"), core))
    return found


def file():
    """Return the file's path; tests set LAB_WORK to leave a learner's file alone."""
    return MY / os.environ.get("LAB_WORK", "") / "progress.jsonl"


def record(exercise: str, mark: str) -> None:
    """Add what a check said (✔, ✘ or ○) of an exercise such as "price-a-threshold"."""
    _add({"exercise": exercise, "mark": mark})


def opened(lab: str) -> None:
    """Add that a lab ("01_train_the_model") was opened, from when its minutes are counted."""
    _add({"opened": lab})


def reset(lab: str = "") -> None:
    """Forget what was solved, in all labs or in one ("1"); the answers stay where they are."""
    known = labs()
    if lab and str(lab) not in known:
        raise LabError(f"There is no lab {lab}; the labs are {', '.join(known)}.")
    chosen = [known[str(lab)]] if lab else known.values()
    names = [exercise.name for _, exercises in chosen for exercise in exercises]
    _add({"reset": names if lab else sorted({*names, *solved()})})


def _add(line):
    line["time"] = datetime.now(UTC).isoformat(timespec="seconds")
    path = file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A line that a crash cut off has no end of its own: begin a new one, always.
        with path.open("a", encoding="utf-8") as f:
            f.write("\n" + json.dumps(line, ensure_ascii=False) + "\n")
            f.flush()
            os.fsync(f.fileno())
    except OSError as error:
        raise LabError(f"Your progress can't be written to {path.name} ({error}).") from None


def _lines() -> list[dict]:
    """Return what was recorded, in order; what is damaged is left out."""
    try:
        lines = file().read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # nothing done yet
        return []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:  # an empty line, or one that was cut off
            continue
    return [line for line in found if isinstance(line, dict)]


def solved() -> set[str]:
    """Return the names of the exercises that were correct at least once since the last reset."""
    done = set()
    for line in _lines():
        match line:
            case {"exercise": str(exercise), "mark": "✔"}:
                done.add(exercise)
            case {"reset": list(names)}:
                done = {name for name in done if name not in names}
    return done


def show() -> None:
    """Print a full box for each exercise solved, an empty one for the rest; the core's apart."""
    done, known = solved(), labs()
    totals = {True: [0, 0], False: [0, 0]}
    for lab, (title, exercises) in known.items():
        boxes, counts = {}, {}
        for core in (True, False):
            count = sum(one.core == core for one in exercises)
            n = sum(one.core == core and one.name in done for one in exercises)
            boxes[core] = "■" * n + "□" * (count - n)
            counts[core] = f"{n} of {count}" if count else ""
            totals[core][0] += n
            totals[core][1] += count
        print(
            f"Lab {lab:2}  {boxes[True]:5} {counts[True]:6}  {boxes[False]:8} {counts[False]:6}  "
            f"{title}"
        )
    (core_done, core_count), (more_done, more_count) = totals[True], totals[False]
    print(f"\nThe core, on the left: {core_done} of {core_count}.", end=" ")
    print(f"The rest: {more_done} of {more_count}.")


def minutes() -> list[str]:
    """Return lines on how long each exercise took: from what came before to each check, summed up.

    Counted up to the first ✔ since the last reset; a pause of half an hour or more is none of it.
    """
    spent, checks, done, before = {}, {}, set(), None
    for line in _lines():
        try:
            now = datetime.fromisoformat(line["time"])
            pause = now - before if before else BREAK
        except (KeyError, TypeError, ValueError):  # damaged
            continue
        before = now
        match line:
            case {"reset": list(names)}:
                for name in filter(spent.__contains__, names):
                    del spent[name], checks[name]
                done = {name for name in done if name not in names}
            case {"exercise": str(name), "mark": mark} if name not in done:
                worked = pause if timedelta() < pause < BREAK else timedelta()  # clocks are set
                spent[name] = spent.get(name, timedelta()) + worked
                checks[name] = checks.get(name, 0) + (mark != "○")
                if mark == "✔":
                    done.add(name)
    lines = []
    for lab, (title, exercises) in labs().items():
        tried = [one for one in exercises if checks.get(one.name)]  # not only run
        if tried:
            total = sum((spent[one.name] for one in tried), timedelta())
            lines.append(f"Lab {lab} · {title}: {_minutes(total)}")
        for one in tried:
            times = "1 check" if checks[one.name] == 1 else f"{checks[one.name]} checks"
            so_far = "" if one.name in done else ", not solved yet"
            lines.append(
                f"  {one.number}  {one.title}: {_minutes(spent[one.name])}, {times}{so_far}"
            )
    return lines or ["Nothing is recorded yet: minutes come from the checks in the labs."]


def _minutes(span):
    count = round(span.total_seconds() / 60)
    return "under a minute" if count == 0 else "1 minute" if count == 1 else f"{count} minutes"
