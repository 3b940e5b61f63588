"""How far a learner is: `labkit.progress.show()`, and `labkit.progress.reset()` to begin anew.

Each answered check adds a line to labs/work/progress.jsonl, and no line is ever changed: whatever
ends the kernel, the lines before are safe. Nothing is written under grading (LAB_STRICT).
"""

import json
import os
from datetime import UTC, datetime

from labkit import ROOT, LabError

LABS = {  # number: title, exercises (a test holds it against the labs)
    "1": ("train the model", 9),
    "2": ("save and load", 6),
    "3": ("ping pong", 6),
    "4": ("the churn service", 6),
    "5": ("bad input", 6),
    "6": ("the campaign", 6),
    "7": ("the environment", 8),
    "8": ("the container", 8),
    "9": ("the cloud", 8),
}


def file():
    """Return the file's path; tests set LAB_WORK to leave a learner's file alone."""
    return ROOT / "labs" / os.environ.get("LAB_WORK", "work") / "progress.jsonl"


def record(exercise: str, mark: str) -> None:
    """Add what a check said (✔, ✘ or ○) of an exercise such as "1.2"."""
    _add({"exercise": exercise, "mark": mark})


def reset(lab: str = "") -> None:
    """Forget what was solved, in all labs or in one ("1"); the answers stay where they are."""
    if lab and str(lab) not in LABS:
        raise LabError(f"There is no lab {lab}; the labs are {', '.join(LABS)}.")
    _add({"reset": str(lab)})


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


def solved() -> set[str]:
    """Return the exercises that were correct at least once since the last reset."""
    try:
        lines = file().read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # nothing done yet
        return set()
    done = set()
    for line in lines:
        try:
            match json.loads(line):
                case {"exercise": str(exercise), "mark": "✔"}:
                    done.add(exercise)
                case {"reset": str(lab)}:
                    done = {name for name in done if lab and not name.startswith(f"{lab}.")}
        except ValueError:  # an empty line, or one that was cut off
            continue
    return done


def show() -> None:
    """Print a bar for each lab: a full box for each exercise solved, an empty one for the rest."""
    done = solved()
    for lab, (title, count) in LABS.items():
        n = sum(name.startswith(f"{lab}.") for name in done)
        print(
            f"Lab {lab}  {'■' * n}{'□' * (count - n)}{' ' * (9 - count)}  {n} of {count}  {title}"
        )
