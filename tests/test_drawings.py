"""The drawings: each .svg is what its .dot says, in the one visual language."""

import shutil
import sys

import pytest

from labkit import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import draw

DRAWINGS = sorted(draw.IMAGES.glob("*.dot"))
needs_graphviz = pytest.mark.skipif(
    not shutil.which("dot"), reason="left out: comparing the drawings needs Graphviz (dot)"
)


@needs_graphviz
@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: path.stem)
def test_picture_is_made_from_its_drawing(drawing):
    assert drawing.with_suffix(".svg").read_text(encoding="utf-8") == draw.svg(drawing)


def test_every_drawing_has_a_picture_and_every_picture_a_drawing():
    pictures = {path.stem for path in draw.IMAGES.glob("*.svg")}
    assert DRAWINGS and pictures == {path.stem for path in DRAWINGS}


def test_unknown_kind_is_refused(tmp_path):
    drawing = tmp_path / "wrong.dot"
    drawing.write_text("digraph { a [kind=spaceship] }", encoding="utf-8")
    with pytest.raises(ValueError, match="no kind spaceship: use person, data"):
        draw.svg(drawing)


@needs_graphviz
def test_another_drawing_makes_another_picture(tmp_path):
    drawing = tmp_path / "changed.dot"
    source = DRAWINGS[0].read_text(encoding="utf-8")
    drawing.write_text(source.replace("kind=process", "kind=service", 1), encoding="utf-8")
    assert draw.svg(drawing) != draw.svg(DRAWINGS[0])
