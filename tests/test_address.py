"""The repository's address stands in pyproject.toml, then in README.md, and in no other file."""

import re
import tomllib

import pytest
from conftest import copy_lab

from labkit import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ADDRESS = PYPROJECT["tool"]["labkit"]["repository"]
# What pretends to lead to the lab: a line that clones, a button, a badge.
PRETENDING = re.compile(
    r"(?:git|gh repo) clone\b(?! \{)|mybinder\.org|colab\.research|codespaces|shields\.io|/badge"
)


def faults(address, texts):
    """Yield what is wrong with the address in files, given as {name: text}."""
    if address and not re.fullmatch(r"https://\S+[^/\s]", address):
        yield f"pyproject.toml: {address} is not https://... without a / at its end"
    block = f"\n```bash\ngit clone {address}\n```\n"
    if address and block not in texts["README.md"]:
        yield f"README.md, at How to get the folder, lacks {block}"
    for name, text in texts.items():
        if name == "README.md" and address:
            continue  # it may name the address again, to link to the ZIP file
        for words in PRETENDING.findall(text):
            yield f"{name}: {words}"
        if address and name != "pyproject.toml" and address in text:
            yield f"{name}: {address}, which stands in pyproject.toml"


def test_the_address_stands_where_it_should(tmp_path):
    lab = copy_lab(tmp_path / "lab")
    texts = {
        path.relative_to(lab).as_posix(): path.read_text(encoding="utf-8", errors="replace")
        for path in lab.rglob("*")
        if path.is_file() and path.name != "test_address.py"
    }
    assert "labs/lab_07_the_environment.ipynb" in texts
    assert list(faults(ADDRESS, texts)) == []


EXAMPLE = "https://git.example/somebody/churn-lab"
CLONE = "Get it:\n\n```bash\ngit clone {}\n```\n"
RIGHT = {"README.md": CLONE.format(EXAMPLE), "pyproject.toml": EXAMPLE}


def test_a_published_lab_and_one_without_an_address_are_accepted():
    assert not list(faults(EXAMPLE, RIGHT))
    assert not list(faults("", {"README.md": "Clone the repository."}))


@pytest.mark.parametrize(
    ("address", "texts"),
    [
        ("", {"README.md": CLONE.format("https://git.example/me/lab")}),
        ("", {"README.md": "", "labs/1.ipynb": "![](https://mybinder.org/badge_logo.svg)"}),
        (EXAMPLE, RIGHT | {"README.md": "Clone the repository."}),
        (EXAMPLE, RIGHT | {"README.md": CLONE.format(f"{EXAMPLE}-of-another")}),
        (EXAMPLE, RIGHT | {"Dockerfile": f"LABEL source={EXAMPLE}"}),
        ("git@git.example:lab", {"README.md": CLONE.format("git@git.example:lab")}),
        (f"{EXAMPLE}/", {"README.md": CLONE.format(f"{EXAMPLE}/")}),
    ],
)
def test_a_wrong_or_second_address_is_refused(address, texts):
    assert list(faults(address, texts))
