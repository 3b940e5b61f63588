"""The archive that is deployed: what it must hold and nothing else, as the last commit has it."""

import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
from conftest import assert_one_sentence, copy_lab, git

from labkit import ROOT

EXPECTED = {
    ".dockerignore",
    ".ebextensions/churn.config",
    "Dockerfile",
    "Pipfile",
    "Pipfile.lock",
    "data/customer.json",
    "data/telco-customer-churn.csv",
    "solutions/churn_serving.py",
    "solutions/train.py",
}
pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="left out: git is not installed")


def bundle(folder, *options):
    return subprocess.run(
        [sys.executable, folder / "tools" / "bundle.py", *options],
        cwd=folder.parent,  # it must not rely on the working directory
        env=os.environ | {"PYTHONUTF8": "1", "GIT_CEILING_DIRECTORIES": str(folder.parent)},
        capture_output=True,
        encoding="utf-8",
    )


def names(archive):
    return {name for name in zipfile.ZipFile(archive).namelist() if not name.endswith("/")}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A copy of this repository with one commit, and much beside it that must not be deployed."""
    folder = copy_lab(tmp_path_factory.mktemp("bundle") / "churn lab")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Everything")
    (folder / ".env").write_text("CHURN_API_KEY=secret\n", encoding="utf-8")
    (folder / "solutions" / "churn-model.bin").write_bytes(b"a pickle")
    (folder / "README.md").write_text("changed, and no part of it\n", encoding="utf-8")
    return folder


@pytest.fixture
def clone(repository, tmp_path):
    git(tmp_path, "clone", "--quiet", str(repository), "clone")
    return tmp_path / "clone"


def test_the_archive_holds_what_it_must_and_nothing_else(repository):
    ended = bundle(repository)
    assert ended.returncode == 0, ended.stderr
    assert re.fullmatch(
        r"churn-service\.zip: 9 files, 0\.\d\d MB, of [0-9a-f]{7,} Everything\n", ended.stdout
    )
    archive = repository / "churn-service.zip"
    assert names(archive) == EXPECTED
    with zipfile.ZipFile(archive) as packed:
        assert all(packed.read(name) == (ROOT / name).read_bytes() for name in EXPECTED)
    done = subprocess.run(
        ["git", "status", "--porcelain", archive.name], cwd=repository, capture_output=True
    )
    assert done.stdout == b"", "git must not keep the archive"


def test_the_archive_is_all_that_the_dockerfile_copies(repository, tmp_path):
    bundle(repository, "--output", tmp_path / "a.zip")
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = set()
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.M):
        copied |= {word for word in line.split()[:-1] if not word.startswith("--")}
    held = names(tmp_path / "a.zip")
    assert len(copied) > 4
    assert all(any(name == c or name.startswith(f"{c}/") for name in held) for c in copied)
    surplus = {n for n in held if not any(n == c or n.startswith(f"{c}/") for c in copied)}
    assert surplus == {".dockerignore", ".ebextensions/churn.config", "Dockerfile"}


def test_the_same_commit_gives_the_same_bytes(clone, tmp_path):
    for name in ("a.zip", "b.zip"):
        assert bundle(clone, "--output", tmp_path / name).returncode == 0
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with (clone / "solutions" / "train.py").open("a", encoding="utf-8") as file:
        file.write("# another version\n")
    git(clone, "commit", "--quiet", "--all", "--message", "Another")
    assert bundle(clone, "--output", tmp_path / "b.zip").returncode == 0
    assert (tmp_path / "a.zip").read_bytes() != (tmp_path / "b.zip").read_bytes()


def edit(folder):
    with (folder / "solutions" / "churn_serving.py").open("a", encoding="utf-8") as file:
        file.write("# not committed\n")


def stage(folder):
    edit(folder)
    git(folder, "add", "solutions/churn_serving.py")


def delete(folder):
    (folder / "Pipfile.lock").unlink()


def uncommit(folder):
    git(folder, "rm", "--quiet", "--cached", "solutions/train.py")
    git(folder, "commit", "--quiet", "--message", "Without")


def let_another_in(folder):
    with (folder / ".dockerignore").open("a", encoding="utf-8") as file:
        file.write("!solutions/new.py\n")
    (folder / "solutions" / "new.py").write_text("new = True\n", encoding="utf-8")


def take_git_away(folder):
    (folder / ".git").rename(folder / "not git")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (edit, ["solutions/churn_serving.py: changed since the last commit"]),
        (stage, ["solutions/churn_serving.py: changed since the last commit"]),
        (delete, ["Pipfile.lock: changed since the last commit"]),
        (uncommit, ["solutions/train.py: not in the last commit"]),
        (let_another_in, ["solutions/new.py: not in the last commit"]),
        (take_git_away, ["git log says", "clone the repository"]),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_nothing_is_packed_that_the_last_commit_does_not_have(clone, spoil, words):
    spoil(clone)
    ended = bundle(clone)
    assert ended.returncode == 1 and ended.stdout == ""
    assert_one_sentence(ended.stderr, "Nothing is packed.", *words)
    assert not (clone / "churn-service.zip").exists()
