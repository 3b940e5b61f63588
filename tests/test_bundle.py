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
    "pipenv.txt",
    "solutions/churn_serving.py",
    "solutions/production.py",
    "solutions/train.py",
}
pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="left out: git is not installed")


def bundle(folder, *options, **more):
    return subprocess.run(
        [sys.executable, folder / "tools" / "bundle.py", *options],
        cwd=folder.parent,  # it must not rely on the working directory
        env=os.environ | {"PYTHONUTF8": "1", "GIT_CEILING_DIRECTORIES": str(folder.parent)},
        capture_output=True,
        encoding="utf-8",
        **more,
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
        rf"churn-service\.zip: {len(EXPECTED)} files, \d\.\d\d MB, of [0-9a-f]{{7,}} Everything\n",
        ended.stdout,
    )
    archive = repository / "churn-service.zip"
    assert names(archive) == EXPECTED
    with zipfile.ZipFile(archive) as packed:
        assert all(packed.read(name) == (ROOT / name).read_bytes() for name in EXPECTED)
        assert packed.comment.decode().startswith(ended.stdout.split()[-2])  # the commit
        assert {one.external_attr >> 16 for one in packed.infolist()} == {0o100644}
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


@pytest.mark.parametrize("attributes", [".git/info/attributes", ".gitattributes"])
def test_no_attribute_of_git_changes_what_is_packed(clone, tmp_path, attributes):
    with (clone / "solutions" / "train.py").open("a", encoding="utf-8") as file:
        file.write("# $Format:%H$\n")
    with (clone / attributes).open("a", encoding="utf-8") as file:
        file.write("data export-ignore\n*.py export-subst\nPipfile text eol=crlf\n")
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "--message", "Attributes")
    ended = bundle(clone, "--output", tmp_path / "a.zip")
    assert ended.stdout.startswith(f"a.zip: {len(EXPECTED)} files, "), ended.stderr
    assert names(tmp_path / "a.zip") == EXPECTED
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        assert packed.read("solutions/train.py").endswith(b"# $Format:%H$\n")
        assert packed.read("Pipfile") == (ROOT / "Pipfile").read_bytes()


def somebody_elses_archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(".ebextensions/churn.config", "option_settings: {}\n")
        archive.writestr("thesis.txt", "years of work")


@pytest.mark.parametrize(
    "put",
    [
        lambda path: path.write_text("# A README\n", encoding="utf-8"),
        somebody_elses_archive,
        lambda path: zipfile.ZipFile(path, "w").close(),
    ],
    ids=["a text", "an archive of something else", "an empty archive"],
)
def test_what_is_no_archive_of_ours_is_not_overwritten(repository, tmp_path, put):
    path = tmp_path / "there"
    put(path)
    before = path.read_bytes()
    ended = bundle(repository, "--output", path)
    assert ended.returncode == 1 and ended.stdout == ""
    assert_one_sentence(ended.stderr, "Nothing is packed.", "is no archive of this program")
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_an_earlier_archive_gives_way(repository, tmp_path):
    """Also one that git made, with entries for the folders, and one with fewer files."""
    git(repository, "archive", "--format=zip", f"--output={tmp_path / 'a.zip'}", "HEAD",
        "--", ".ebextensions", "Dockerfile", "solutions/train.py")  # fmt: skip
    assert bundle(repository, "--output", tmp_path / "a.zip").returncode == 0
    assert names(tmp_path / "a.zip") == EXPECTED
    assert list(tmp_path.iterdir()) == [tmp_path / "a.zip"]


@pytest.mark.parametrize("there", ["folder", "missing/a.zip"])
def test_where_nothing_can_be_written_it_says_so(repository, tmp_path, there):
    (tmp_path / "folder").mkdir()
    ended = bundle(repository, "--output", tmp_path / there)
    assert ended.returncode == 1
    assert_one_sentence(ended.stderr, "Nothing is packed.", there.partition("/")[0])
    assert "clone" not in ended.stderr
    assert list(tmp_path.rglob("*")) == [tmp_path / "folder"]


@pytest.mark.skipif(sys.platform == "win32", reason="left out: no limits of file sizes")
@pytest.mark.parametrize("earlier", [True, False])
def test_a_full_disk_leaves_no_half_archive(repository, tmp_path, earlier):
    import resource

    path = tmp_path / "a.zip"
    if earlier:
        assert bundle(repository, "--output", path).returncode == 0
    before = [(one, one.read_bytes()) for one in tmp_path.iterdir()]
    ended = bundle(
        repository,
        "--output",
        path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )
    assert ended.returncode == 1
    assert_one_sentence(ended.stderr, "Nothing is packed.", "a.zip can't be written", "make room")
    assert [(one, one.read_bytes()) for one in tmp_path.iterdir()] == before


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
