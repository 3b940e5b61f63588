"""labkit for notebooks: the work folder, the model that a lesson lacks, and parts of scripts."""

import subprocess
import sys
from pathlib import Path

import pytest

import labkit
from labkit import ROOT, SOLUTIONS, LabError

SCRIPT = '''"""What it does."""

import json
from pathlib import Path

limit = 3  # a comment behind
limits = [
    1,
]


# a comment above
@decorated("/first")
@decorated("/second")
def first():
    if limit:
        return 1

    return 2


async def second():
    return 2


if __name__ == "__main__":
    first()
'''


@pytest.fixture
def script(tmp_path, monkeypatch):
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    monkeypatch.setattr(labkit, "SOLUTIONS", tmp_path)
    return "script.py"


def shown(script, *beginnings):
    text = labkit.show(script, *beginnings).data
    assert text.startswith("```python\n") and text.endswith("\n```")
    return text.removeprefix("```python\n").removesuffix("```")


def test_show_shows_the_whole_script(script):
    assert shown(script) == SCRIPT


def test_show_shows_a_function_with_its_decorators_and_comment(script):
    function = SCRIPT[SCRIPT.index("# a comment above") : SCRIPT.index("async")]
    assert shown(script, "def first") == function.rstrip() + "\n"


def test_show_shows_several_parts_in_the_order_of_the_script(script):
    both = shown(script, "async def", "import", "limit ")
    assert both.splitlines() == [
        "import json",
        "",
        "limit = 3  # a comment behind",
        "",
        "",
        "async def second():",
        "    return 2",
    ]
    assert "1,\n]" in shown(script, "limit")  # limit and limits


def test_all_parts_together_are_the_script(script):
    words = ['"""What', "import", "from", "limit", "def first", "async", "if __name__"]
    assert shown(script, *words) == SCRIPT


def test_show_shows_lines_from_one_beginning_up_to_another(script):
    lines = SCRIPT.splitlines()
    first, last = lines.index('@decorated("/second")'), lines.index("async def second():")
    between = "\n".join(lines[first:last]).strip() + "\n"
    text = labkit.show(script, '@decorated("/second")', until="async def").data
    assert "    return 2" in labkit.show(script, "    if limit", until="async def").data
    assert text == f"```python\n{between}```"
    for first, until, missing in (("nobody", "async def", "nobody"), ("def first", "x ", "x ")):
        with pytest.raises(labkit.LabError, match=f"begins with {missing}"):
            labkit.show(script, first, until=until)


def test_show_refuses_what_is_not_there(script):
    with pytest.raises(LabError, match=r"No part of script\.py begins with def third\."):
        labkit.show(script, "def first", "def third")


# Quicker than the real one, which lessons and labs call so.
TRAIN = """
import sys
from pathlib import Path

[option, path] = sys.argv[1:]
assert option == "--out"
Path(path).write_text("trained")
Path(path).with_suffix(".json").write_text("its card")
"""


def test_model_is_trained_where_it_is_missing_and_then_left_alone(tmp_path, monkeypatch):
    (tmp_path / "train.py").write_text(TRAIN, encoding="utf-8")
    monkeypatch.setattr(labkit, "SOLUTIONS", tmp_path)
    monkeypatch.chdir(tmp_path)
    path = labkit.model()
    assert (path.name, path.read_text()) == ("churn-model.bin", "trained")
    path.write_text("the learner's own")
    assert labkit.model().read_text() == "the learner's own"
    Path("churn-model.json").unlink()
    assert labkit.model().read_text() == "trained"  # no service takes it without its card


def test_model_says_why_it_can_not_be_trained(tmp_path, monkeypatch):
    (tmp_path / "train.py").write_text("raise SystemExit('train.py: no data')", encoding="utf-8")
    monkeypatch.setattr(labkit, "SOLUTIONS", tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LabError, match=r"could not be trained: train\.py: no data"):
        labkit.model()


def test_work_folder_is_the_learners_unless_tests_say_otherwise(tmp_path, monkeypatch):
    assert labkit.MY == ROOT / "my"
    monkeypatch.setattr(labkit, "MY", tmp_path / "my")
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("LAB_WORK", raising=False)
    labkit.work_folder()
    assert Path.cwd() == tmp_path / "my" / "work"
    monkeypatch.setenv("LAB_WORK", "work-other")
    labkit.work_folder()
    assert Path.cwd() == tmp_path / "my" / "work-other"


def test_work_folder_that_can_not_be_made_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path / "work").write_text("a file where the folder should be", encoding="utf-8")
    monkeypatch.setattr(labkit, "MY", tmp_path)
    monkeypatch.delenv("LAB_WORK", raising=False)
    with pytest.raises(LabError, match=r"The folder my/work can't be used"):
        labkit.work_folder()


@pytest.mark.parametrize(
    ("variable", "kept", "port"),
    [
        ("", None, 9696), ("9701", "9702", 9701), (" ", "9702\n", 9702), ("1024", None, 1024),
        ("", "\ufeff9702\r\n", 9702),  # Notepad's mark at the beginning
    ],
)  # fmt: skip
def test_own_port_is_the_variables_then_the_one_kept(variable, kept, port, tmp_path, monkeypatch):
    monkeypatch.setattr(labkit, "MY", tmp_path)
    monkeypatch.setenv("LAB_PORT", variable)
    if kept:
        (tmp_path / "port.txt").write_text(kept, encoding="utf-8")
    assert labkit.own_port() == port


@pytest.mark.parametrize("text", ["x", "0", "80", "1023", "65536", "-9696", "9696.0", "٩٦٩٦"])
def test_a_port_that_is_none_is_said(text, tmp_path, monkeypatch):
    monkeypatch.setattr(labkit, "MY", tmp_path)
    monkeypatch.setenv("LAB_PORT", text)
    with pytest.raises(LabError, match=f"^LAB_PORT is '{text}', and a port is a number from 1024"):
        labkit.own_port()
    monkeypatch.delenv("LAB_PORT")
    (tmp_path / "port.txt").write_text(text, encoding="utf-8")
    with pytest.raises(LabError, match=f"^my/port.txt is '{text}'"):
        labkit.own_port()


def test_a_port_that_powershell_wrote_is_not_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(labkit, "MY", tmp_path)
    monkeypatch.delenv("LAB_PORT", raising=False)
    (tmp_path / "port.txt").write_text("9702\n", encoding="utf-16")
    with pytest.raises(LabError, match=r"^my/port\.txt is '.*9.*7.*0.*2.*', and a port is"):
        labkit.own_port()


def test_python_in_a_cell_is_the_kernels_own(tmp_path):
    """`!python` asks PATH; the kernel may have been started with another first."""
    code = "import labkit, shutil; print(shutil.which('python'))"
    command = [sys.executable, "-c", code]
    found = subprocess.run(
        command, env={"PATH": str(tmp_path), "SYSTEMROOT": ""}, capture_output=True, text=True
    )
    assert Path(found.stdout.strip()).parent == Path(sys.executable).parent, found.stderr
    assert (SOLUTIONS / "train.py").is_file()
