"""Docker in a notebook: a terminal's lines are run where an engine answers, else shown as recorded.

What they printed when an engine ran them is in notebooks/08_docker.toml, with the date;
tools/record_docker.py writes it, and tests/image.py holds the layers' sizes in it against a build.
"""

import functools
import os
import shlex
import shutil
import subprocess
import time
import tomllib
import urllib.request

from labkit import ROOT, LabError

RECORD = ROOT / "notebooks" / "08_docker.toml"


@functools.cache
def engine() -> bool:
    """Say whether a Docker engine answers. LAB_DOCKER=0 in the environment forbids to ask it."""
    if os.environ.get("LAB_DOCKER") == "0" or not shutil.which("docker"):
        return False
    try:
        done = subprocess.run(["docker", "info"], capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


@functools.cache
def record() -> dict:
    """Return what was recorded: the date, the engine, and each line with its output."""
    return tomllib.loads(RECORD.read_text(encoding="utf-8"))


def run(line: str) -> str:
    """Run a line of a terminal in the lab's top folder; return all that it prints."""
    done = subprocess.run(
        shlex.split(line),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    return done.stdout


def terminal(line: str, only: list[str] | None = None, until: str = "") -> None:
    """Print what a terminal prints for a line, or what it printed when it was recorded.

    only: of a long output, the lines that contain one of these; until: wait for an answer there
    (up to 30 seconds), for a container that needs a moment. Raises LabError if there is none, or
    if there is neither an engine nor a record of the line.
    """
    if engine():
        print(f"$ {line}")
        output = run(line)
    else:
        outputs = {one["line"]: one["output"] for one in record()["run"]}
        if line not in outputs:
            raise LabError(f"No Docker engine answers here, and `{line}` was not recorded.")
        print(f"$ {line}    (recorded on {record()['date']})")
        output = outputs[line]
    lines = output.splitlines()
    print(*(one for one in lines if not only or any(text in one for text in only)), sep="\n")
    if until and engine():
        wait_for(until)


def wait_for(url: str, seconds: float = 30) -> None:
    """Wait until something answers; raise LabError if nothing does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise LabError(f"Nothing answers on {url}: `docker logs` with the container's name says why.")
