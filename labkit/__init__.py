"""The small helpers that the notebooks import. Their code is meant to be read.

`labkit.work_folder()` enters the folder where a notebook writes; `labkit.show()` shows a script,
or parts of it; `labkit.model()` trains the model that a lesson needs, if it is not there;
`labkit.service` starts a web service and stops it; `labkit.doctor` finds out what is wrong with
a machine. Behind the labs are `labkit.exercises` (what answers), `labkit.labs` (the checks, and
how they ask a service) and `labkit.progress` (the bars); `labkit.copies` makes the learner's copy.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
SOLUTIONS = ROOT / "solutions"
SOLVED_LABS = SOLUTIONS / "labs"
MY = ROOT / "my"  # the learner's own: copies of lessons and labs, and what they write
STYLE = Path(__file__).with_name("lab.mplstyle")  # how plots look

# What the lab asks is on this machine: a company's proxy must not come between.
NO_PROXY = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""  # as labkit found it
if NO_PROXY != "*":
    hosts = [*filter(None, NO_PROXY.split(",")), "localhost", "127.0.0.1"]
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(dict.fromkeys(hosts))
# Plots belong under their cell. An exported MPLBACKEND, meant for scripts, would hide them there.
if hasattr(sys.modules.get("IPython") and sys.modules["IPython"].get_ipython(), "kernel"):
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
# `!python` in a cell means the kernel's own Python; the doctor asks what a terminal would mean.
TERMINAL_PATH = os.environ.get("PATH", "")
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), TERMINAL_PATH])


class LabError(Exception):
    """What went wrong and what to do about it, in a sentence; a notebook shows only that."""

    def _render_traceback_(self):
        return [f"✘ {self}"]


def work_folder() -> None:
    """Enter the folder where lessons and labs write, my/work, so that they find each other's files.

    Tests set LAB_WORK to the name of another folder, to leave a learner's files alone. Raises
    LabError when the folder can't be made.
    """
    folder = MY / os.environ.get("LAB_WORK", "work")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)
    except OSError as error:
        raise LabError(
            f"The folder my/{folder.name} can't be used ({error}): is it read-only?"
        ) from None


def own_port() -> int:
    """Return the learner's port: LAB_PORT's, else the one in my/port.txt, else 9696.

    Raises LabError when that is no number from 1024 to 65535.
    """
    text, place = os.environ.get("LAB_PORT", "").strip(), "LAB_PORT"
    if not text:
        try:
            text = (MY / "port.txt").read_text(encoding="utf-8-sig", errors="replace").strip()
        except OSError:
            return 9696
        place = "my/port.txt"
    if not (text.isascii() and text.isdecimal() and 1024 <= int(text) <= 65535):
        raise LabError(f"{place} is {text!r}, and a port is a number from 1024 to 65535, as 9696.")
    return int(text)


def model() -> Path:
    """Return churn-model.bin in the current folder; train.py makes it if it or its card is missing.

    Raises LabError when training fails.
    """
    path = Path("churn-model.bin")
    if not (path.exists() and path.with_suffix(".json").exists()):
        command = [sys.executable, SOLUTIONS / "train.py", "--out", path]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise LabError(f"The model could not be trained: {done.stderr.strip()}")
    return path


def show(script: str, *beginnings: str, until: str | None = None):
    """Show a script of solutions/ as code: all of it, or its parts that begin with given words.

    A part is a statement at the left edge, a whole function for example, with its decorators and
    the comment above it: show("churn_serving.py", "def read_json", "if __name__"). With `until`,
    all lines from the one that begins with the given words up to the one that begins with `until`.
    Raises LabError when no part or line begins so.
    """
    from IPython.display import Markdown  # tests import labkit without a notebook

    text = (SOLUTIONS / script).read_text(encoding="utf-8")
    lines, end, shown, missing = text.splitlines(), 0, [], set(beginnings)
    if until is not None:
        [first] = beginnings
        start = next((n for n, line in enumerate(lines) if line.startswith(first)), len(lines))
        places = range(start, len(lines))
        end = next((n for n in places if lines[n].startswith(until)), len(lines))
        missing = {first} if start == len(lines) else {until} if end == len(lines) else ()
        shown = lines[start:end]
    elif beginnings:
        for node in ast.parse(text).body:
            part, end = lines[end : node.end_lineno], node.end_lineno
            if lines[node.lineno - 1].startswith(beginnings):
                shown += part
                missing -= {word for word in missing if lines[node.lineno - 1].startswith(word)}
    else:
        shown = lines
    if missing:
        raise LabError(f"No part of {script} begins with {', '.join(sorted(missing))}.")
    text = "\n".join(shown).strip("\n")  # the first line may be indented
    return Markdown(f"```python\n{text}\n```")
