"""Run the tests in this environment: `python -m tests [pytest options]`, from the repository.

`python3 start.py test` and `pipenv run test` come here. The steps: lint, then tests and lessons.
"""

import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = [str(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
WORK = "work-lessons"  # where the lessons write: what a learner has made stays as it is


def same_numbers() -> bool:
    """Say whether this machine can repeat the lessons' outputs to the letter.

    The stored outputs come from the locked packages on Linux x86-64 (lesson 01 tells why).
    LAB_LAX=1 says that it can't, with a newer lock for example.
    """
    if os.environ.get("LAB_LAX"):
        return False
    sys.path.insert(0, str(ROOT))
    from labkit import doctor

    here = (platform.system(), platform.machine())
    return here == ("Linux", "x86_64") and not any(doctor.differing_packages(tests=True))


def steps(options):
    strictness = "--nbval" if same_numbers() else "--nbval-lax"
    yield "lint", [sys.executable, "-m", "ruff", "check"]
    yield "format", [sys.executable, "-m", "ruff", "format", "--check", "--quiet"]
    yield (
        f"tests and lessons ({strictness})",
        [
            # Three, for two cores: much of the time is waiting for services and browsers.
            *(sys.executable, "-m", "pytest", "-n", "3", "--dist", "loadgroup", "-rs"),
            *(strictness, "--nbval-current-env", "--nbval-cell-timeout=120"),
            *("tests", *NOTEBOOKS, *options),
        ],
    )


def remove_work():
    """Remove what lessons and labs wrote in tests, and no other folder: it may be a learner's."""
    for folder in (ROOT / "my" / WORK, *ROOT.glob("my/work-proof-*")):
        shutil.rmtree(folder, ignore_errors=True)


def main(options) -> int:
    os.environ["OPENBLAS_CORETYPE"] = "Haswell"
    os.environ["LAB_WORK"] = WORK
    os.environ["LAB_DOCKER"] = "0"  # lesson 8 shows what was recorded, as its stored outputs do
    # Where Python may not keep its bytecode, each of the services compiles scikit-learn anew: 4 s.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    remove_work()  # of a run that was killed
    failed = []
    for name, command in steps(options):
        print(f"\n== {name}", flush=True)
        start = time.monotonic()
        code = subprocess.run(command, cwd=ROOT).returncode
        print(f"== {name}: {'failed' if code else 'passed'} ({time.monotonic() - start:.0f} s)")
        if code:
            failed.append(name)
    remove_work()
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nAll steps passed.", flush=True)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
