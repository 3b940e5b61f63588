"""Each sentence that start.py can say is provoked by a test, which then does what it advises.

This finds the sentences in the source, and the texts that the tests look for.
"""

import ast
import functools
from pathlib import Path

import pytest

from labkit import ROOT

SOURCES = [ROOT / "start.py", ROOT / "labkit" / "set_up.py", ROOT / "labkit" / "copies.py"]
TESTS = [
    ROOT / "tests" / f"test_{name}.py"
    for name in ("start", "set_up", "offline", "package_settings", "copies")
]
NOT_RUN = {  # what only Windows says, and parts of what is said while all is well
    "close the programs that use it (JupyterLab, terminals, editors)",
    "\r{}: {} s, about {} MB ",
    "about {} MB to download",
    "it does not run",
}


def texts(tree):
    """Return the strings of a program but its docstrings, each as the list of its fixed parts."""
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(
            node
        ):
            skipped.add(node.body[0].value)
        elif isinstance(node, ast.JoinedStr):  # taken as a whole
            skipped |= {inner for value in node.values for inner in ast.walk(value)}
        elif isinstance(node, ast.Dict):
            skipped |= set(node.keys)  # words of other programs
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            yield [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield [node.value]


def sentences(source):
    """Return the sentences that a program can say: what has four words, and is no code."""
    found = ["".join(parts) for parts in texts(ast.parse(source))]
    return {text for text in found if text.count(" ") >= 3 and "import " not in text} - NOT_RUN


@functools.cache
def looked_for():
    """Return the texts that the tests look for in what start.py says."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in TESTS if path.exists()]
    functions = [
        node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    found = {part for function in functions for parts in texts(function) for part in parts}
    return {text.strip() for text in found if len(text.strip()) >= 12}


def is_provoked(sentence):
    return any(text in sentence for text in looked_for())


@pytest.mark.parametrize(
    "sentence",
    sorted({text for path in SOURCES for text in sentences(path.read_text(encoding="utf-8"))}),
)
def test_every_sentence_is_provoked(sentence):
    assert is_provoked(sentence), "no test looks for a part of this sentence"


def test_a_sentence_that_no_test_provokes_is_found():
    made_up = (
        'raise Refusal(f"The moon of {planet} is full: wait for a week, then run this again.")'
    )
    [sentence] = sentences(made_up)
    assert not is_provoked(sentence)
    [known] = sentences('say("Another start.py is at work in this folder: waiting for it.")')
    assert is_provoked(known)


def test_the_tests_that_provoke_them_are_there():
    assert all(Path(path).exists() for path in TESTS)
