#!/usr/bin/env python3
"""Set up the churn lab, then open it.

Usage: python3 start.py [COMMAND]
  (none), lab [OPTIONS]   set up, then open JupyterLab (--no-browser and its other options) on
                          your copies of the lessons and labs, in my/, brought up to date
  setup [--from FOLDER]   only set up; from a folder that `pack` filled (or from the address
                          where somebody serves one), without internet
  test [--from FOLDER] [OPTIONS]
                          set up, add what the tests need, run them; OPTIONS are pytest's.
                          What takes long is left out, unless the variable LAB_SLOW is 1
  pack FOLDER             set up, with what the tests need, then fill a folder with the
                          packages, for machines of this kind
  doctor [--report]       say what is wrong on this machine; sets nothing up (--report: all
                          that somebody who helps you must know)
  reset NAME              a fresh copy of a lesson or lab, such as 03_ping_pong_lab; the one
                          that was there is kept in my/before/
  minutes                 say how long each exercise took here

On Windows write: py start.py. Setting up makes a Python environment in the folder .venv from
Pipfile.lock and checks each file against its hash there. Nothing else on the machine changes; to
undo it, delete .venv. Once it is there, a start takes seconds and needs no internet.
"""
# A Python that is too old (3.8 and newer) must be able to read this file, to refuse itself in a
# sentence. What only newer ones can read is in labkit/set_up.py.

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

OLDEST, NEWEST = (3, 11, 2), (3, 14)
WINDOWS = os.name == "nt"
ROOT = Path(__file__).resolve().parent  # also when it is called through a link
COMMANDS = ("lab", "setup", "test", "pack", "doctor", "reset", "minutes")


def check_python(version):
    """Return None, or what is wrong with this Python and which command to use instead."""
    if supported(version):
        return None
    found = find_python()
    command = found or (["py", "-3.13"] if WINDOWS else ["python3.13"])
    script = f'"{sys.argv[0]}"' if " " in sys.argv[0] else sys.argv[0]
    return "This is Python {}, and the lab needs {} to {}: {} {}".format(
        ".".join(map(str, version)),
        ".".join(map(str, OLDEST)),
        ".".join(map(str, NEWEST)),
        "run" if found else "install Python 3.13 (README.md says how, at From zero), then run",
        " ".join([*command, script, *sys.argv[1:]]),
    )


def supported(version):
    return version >= OLDEST and version[:2] <= NEWEST


def find_python():
    """Return the command of the newest supported Python on the PATH, or None."""
    # Asked about a Python that is not there, Windows' py would install it.
    environment = dict(os.environ, PYTHON_MANAGER_AUTOMATIC_INSTALL="false")
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        command = ["py", f"-3.{minor}"] if WINDOWS else [f"python3.{minor}"]
        if supported(version_of(command, environment)):
            return command
    return None


def version_of(command, environment):
    """Return the version of the Python that a command starts, (0,) when it does not start."""
    code = "import sys; print(list(sys.version_info[:3]))"
    try:
        output = subprocess.check_output(
            [*command, "-c", code], env=environment, stderr=subprocess.DEVNULL
        )
        return tuple(json.loads(output.decode("ascii")))
    except (OSError, subprocess.CalledProcessError, ValueError):
        return (0,)


def check_folder():
    """Return None, or what is missing around this file."""
    needed = ["Pipfile.lock", "pyproject.toml", "labkit/set_up.py"]
    missing = [name for name in needed if not (ROOT / name).exists()]
    if not missing:
        return None
    return (
        f"start.py lies in {ROOT}, and the lab does not ({missing[0]} is missing): get the whole "
        "folder of the lab, and run the start.py in it."
    )


def complain(text):
    """Print to standard error, also on a console that lacks some of the letters."""
    try:
        print(text, file=sys.stderr)
    except UnicodeEncodeError:
        print(text.encode("ascii", "replace").decode("ascii"), file=sys.stderr)


def main(arguments):
    """Run a command and return its exit code."""
    command, options = (arguments or ["lab"])[0], arguments[1:]
    asked = set(arguments[: 1 if command in ("lab", "test") else 2])
    if asked & {"-h", "--help"}:
        print(__doc__.strip())
        return 0
    if problem := check_python(sys.version_info[:3]) or check_folder():
        complain(problem)
        return 1
    source, options = take_folder(command, options)
    too_many = options and command in ("setup", "pack", "reset", "minutes")
    if command not in COMMANDS or too_many or source == "":
        complain(
            f"start.py can't do `{' '.join(arguments)}`: start.py --help shows the commands and "
            "how to write them."
        )
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no step outlives this
    sys.path.insert(0, str(ROOT))
    from labkit import set_up

    try:
        return set_up.run_command(command, source, options)
    except set_up.Refusal as refusal:
        complain(str(refusal))
        return 1
    except KeyboardInterrupt:
        complain("\nInterrupted. Run it again, and it goes on.")
        return 130
    except OSError as error:
        complain(
            f"A file can't be read or written ({error}): make sure that the folder is yours and "
            "the disk has room, then run this again."
        )
        return 1


def take_folder(command, options):
    """Return FOLDER of `pack FOLDER` and `--from FOLDER`, NAME of `reset NAME`, and other options.

    The first is None where none is wanted, and "" where one is missing.
    """
    place = 0
    if command in ("setup", "test"):
        # --from=FOLDER is written, too
        options = [part for word in options for part in split_from(word)]
        if "--from" not in options:
            return None, options
        place = options.index("--from") + 1
    elif command not in ("pack", "reset"):
        return None, options
    folder = options[place] if place < len(options) else ""
    rest = options[: max(place - 1, 0)] + options[place + 1 :]
    return ("" if folder.startswith("-") else folder), rest


def split_from(word):
    return ["--from", word[len("--from=") :]] if word.startswith("--from=") else [word]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
