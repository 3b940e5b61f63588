"""Write what is deployed into churn-service.zip: `python tools/bundle.py [--output FILE]`.

It holds what the Dockerfile needs and nothing else, as the last commit has it: what was never
committed can't be found again when the service in the cloud fails. The same commit gives the
same bytes.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ".ebextensions/churn.config"  # what Elastic Beanstalk needs to know


class Refused(Exception):
    """Why there is no archive, and what to do about it, in a sentence."""


def contents(root: Path) -> list[str]:
    """Return the files of the archive: those that .dockerignore lets in, and what governs them."""
    ignore = (root / ".dockerignore").read_text(encoding="utf-8")
    let_in = [line.removeprefix("!") for line in ignore.splitlines() if line.startswith("!")]
    return sorted([".dockerignore", "Dockerfile", SETTINGS, *let_in])


def git(root: Path, *arguments: str) -> str:
    # Line ends as they were committed: Windows' own would give other bytes there.
    command = ["git", "-c", "core.autocrlf=false", "-c", "core.quotepath=false", *arguments]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8")
    except FileNotFoundError as error:
        raise Refused("git is not installed: the archive is made from its last commit.") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[0]
        raise Refused(f"git {arguments[0]} says: {reason} (clone the repository, with its commits)")
    return done.stdout


def bundle(output: Path, root: Path = ROOT) -> str:
    """Write the archive and return a line that says what is in it.

    Raises Refused when a file that belongs in it differs from the last commit, or is not in it.
    """
    files = contents(root)
    commit = git(root, "log", "-1", "--format=%h %s").strip()
    committed = git(root, "ls-tree", "-r", "--name-only", "HEAD", "--", *files).splitlines()
    if missing := sorted(set(files) - set(committed)):
        raise Refused(
            f"{', '.join(missing)}: not in the last commit ({commit}). Commit, then pack."
        )
    if changed := git(root, "diff", "--name-only", "HEAD", "--", *files).splitlines():
        raise Refused(f"{', '.join(changed)}: changed since the last commit. Commit, then pack.")
    git(root, "archive", "--format=zip", f"--output={output.resolve()}", "HEAD", "--", *files)
    return f"{output.name}: {len(files)} files, {output.stat().st_size / 1e6:.2f} MB, of {commit}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT / "churn-service.zip"
    parser.add_argument("--output", type=Path, default=default, help="the archive to write")
    sys.stdout.reconfigure(encoding="utf-8")
    try:
        print(bundle(parser.parse_args().output))
    except Refused as error:
        sys.exit(f"Nothing is packed. {error}")
