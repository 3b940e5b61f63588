"""The small helpers that the notebooks import. Their code is meant to be read.

`labkit.work_folder()` enters the folder where a notebook writes; `labkit.service` starts a web
service and stops it; `labkit.doctor` finds out what is wrong with a machine.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
SOLUTIONS = ROOT / "solutions"
STYLE = Path(__file__).with_name("lab.mplstyle")  # how plots look

# What the lab asks is on this machine: a company's proxy must not come between.
for name in ("NO_PROXY", "no_proxy"):
    os.environ[name] = ",".join(filter(None, [os.environ.get(name), "localhost,127.0.0.1"]))


class LabError(Exception):
    """What went wrong and what to do about it, in a sentence; a notebook shows only that."""

    def _render_traceback_(self):
        return [f"✘ {self}"]


def work_folder(kind: str = "notebooks") -> None:
    """Enter the folder where notebooks (or labs) write, so that they find each other's files.

    What lies there is ignored by git. Raises LabError when the folder can't be made.
    """
    folder = ROOT / kind / "work"
    try:
        folder.mkdir(exist_ok=True)
        os.chdir(folder)
    except OSError as error:
        raise LabError(
            f"The folder {kind}/work can't be used ({error}): is it read-only?"
        ) from None
