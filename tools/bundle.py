"""Write what is deployed into churn-service.zip: `python tools/bundle.py [--output FILE]`.

It holds what the Dockerfile needs and nothing else, as the last commit has it: what was never
committed can't be found again when the service in the cloud fails. The same commit gives the
same bytes, and stands in the archive's comment.
"""

import argparse
import io
import subprocess
import sys
import zipfile
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ".ebextensions/churn.config"  # what Elastic Beanstalk needs to know


class Refused(Exception):
    """Why there is no archive, and what to do about it, in a sentence."""


def contents(root: Path) -> list[str]:
    """Return the files of the archive: those that .dockerignore lets in, and what governs them."""
    ignore = (root / ".dockerignore").read_text(encoding="utf-8")
    let_in = [line.removeprefix("!") for line in ignore.splitlines() if line.startswith("!")]
    return sorted({".dockerignore", "Dockerfile", SETTINGS, *let_in})


def git(root: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", "-c", "core.quotepath=false", *arguments], cwd=root, capture_output=True
        )
    except FileNotFoundError as error:
        raise Refused("git is not installed: the archive is made from its last commit.") from error
    if done.returncode:
        reason = (done.stderr.decode(errors="replace").splitlines() or ["no reason given"])[0]
        raise Refused(f"git {arguments[0]} says: {reason} (clone the repository, with its commits)")
    return done.stdout


def pack(root: Path, commit: str, files: list[str]) -> bytes:
    """Return a ZIP of these files of a commit, byte for byte: no attribute of git has a say."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.comment = commit.encode()
        for name in files:
            entry = zipfile.ZipInfo(name)  # of a fixed date, and not compressed: the same bytes
            entry.create_system, entry.external_attr = 3, 0o100644 << 16  # a file, all may read it
            packed.writestr(entry, git(root, "cat-file", "blob", f"{commit}:./{name}"))
    return archive.getvalue()


def holds_only(path: Path, files: list[str]) -> bool:
    """Say whether this is an earlier archive, so that nothing is lost when it gives way."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name for name in archive.namelist() if not name.endswith("/")}
    except zipfile.BadZipFile:
        return False
    return SETTINGS in names and names <= set(files)


def write(output: Path, archive: bytes, files: list[str]) -> None:
    """Write the archive beside its place, and put it there when it is whole."""
    part = output.with_name(f"{output.name}.{uuid4().hex}.part")
    try:
        if output.exists() and not (output.is_file() and holds_only(output, files)):
            raise Refused(f"{output} is there, and is no archive of this program: name another.")
        try:
            part.write_bytes(archive)
            part.replace(output)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise Refused(
            f"{output} can't be written ({error.strerror}): make room, or name another place."
        ) from error


def bundle(output: Path, root: Path = ROOT) -> str:
    """Write the archive and return a line that says what is in it.

    Raises Refused when a file that belongs in it differs from the last commit, or is not in it,
    and when the archive can't be written, or something else is in its place.
    """
    files = contents(root)
    log = git(root, "log", "-1", "--no-show-signature", "--format=%H%n%h %s")
    commit, about = log.decode(errors="replace").strip().split("\n")
    committed = git(root, "ls-tree", "-r", "--name-only", commit, "--", *files).decode()
    if missing := sorted(set(files) - set(committed.splitlines())):
        raise Refused(f"{', '.join(missing)}: not in the last commit ({about}). Commit, then pack.")
    if changed := git(root, "diff", "--name-only", commit, "--", *files).decode().splitlines():
        raise Refused(f"{', '.join(changed)}: changed since the last commit. Commit, then pack.")
    archive = pack(root, commit, files)
    write(output.resolve(), archive, files)
    return f"{output.name}: {len(files)} files, {len(archive) / 1e6:.2f} MB, of {about}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT / "churn-service.zip"
    parser.add_argument("--output", type=Path, default=default, help="the archive to write")
    sys.stdout.reconfigure(encoding="utf-8")
    try:
        print(bundle(parser.parse_args().output))
    except Refused as error:
        sys.exit(f"Nothing is packed. {error}")
