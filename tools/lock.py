"""Write Pipfile.lock anew from Pipfile: `python tools/lock.py` (maintainers, with internet).

Pipenv writes the address of its index into the lock. Ours names none, so that every reader's
pip asks the index it is set up for; the hashes see to it that all get the same files.

The section [build] becomes pipenv.txt, too: the Dockerfile installs Pipenv with it, by pip alone.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CATEGORIES = "packages train dev-packages cloud test build"


def without_index(lock: dict) -> dict:
    """The lock without any word of where its packages came from."""
    lock["_meta"]["sources"] = []
    for category, packages in lock.items():
        if category != "_meta":
            for package in packages.values():
                package.pop("index", None)
    return lock


def requirements(packages: dict) -> str:
    """Return a section of the lock as pip's list of requirements, with hashes."""
    lines = ["# Written by tools/lock.py from [build] in Pipfile.lock: don't edit."]
    for name, package in sorted(packages.items()):
        marker = f" ; {package['markers']}" if "markers" in package else ""
        hashes = [f"    --hash={one}" for one in package["hashes"]]
        lines.append(" \\\n".join([f"{name}{package['version']}{marker}", *hashes]))
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    # Without [[source]], pip's own settings would enter the lock's hash: so, none.
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PIP_")}
    environment |= {"PIP_CONFIG_FILE": os.devnull, "PIPENV_VERBOSITY": "-1"}
    command = [sys.executable, "-m", "pipenv", "lock", "--categories", CATEGORIES]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    path = ROOT / "Pipfile.lock"
    lock = without_index(json.loads(path.read_text(encoding="utf-8")))
    write(path, json.dumps(lock, indent=4, sort_keys=True) + "\n")
    write(ROOT / "pipenv.txt", requirements(lock["build"]))
