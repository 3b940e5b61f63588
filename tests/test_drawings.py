"""The drawings: each .svg is what its .dot says, in the one visual language."""

import shutil
import sys

import pytest

from labkit import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import draw

DRAWINGS = sorted(draw.IMAGES.glob("*.dot"))
PICTURES = draw.pictures()
needs_graphviz = pytest.mark.skipif(
    not shutil.which("dot"), reason="left out: comparing the drawings needs Graphviz (dot)"
)


@needs_graphviz
@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_made_from_its_drawing(name):
    assert (draw.IMAGES / name).read_text(encoding="utf-8") == draw.svg(*PICTURES[name])


def test_every_drawing_has_a_picture_and_every_picture_a_drawing():
    assert PICTURES.keys() == {path.name for path in draw.IMAGES.glob("*.svg")}
    assert {drawing for drawing, _ in PICTURES.values()} == set(draw.IMAGES.glob("*.dot"))


def test_every_picture_is_shown_somewhere():
    pages = [ROOT / "README.md", *(ROOT / "notebooks").glob("*.ipynb")]
    shown = "".join(page.read_text(encoding="utf-8") for page in pages)
    pictures = [*PICTURES, *(path.name for path in draw.IMAGES.glob("*.png"))]
    assert not [name for name in pictures if f"images/{name})" not in shown]


@needs_graphviz
def test_variants_mark_different_parts():
    whole = draw.IMAGES / "whole-picture.dot"
    plain, file, service, campaign = (draw.svg(whole, lesson) for lesson in (None, 2, 3, 6))
    assert len({plain, file, service, campaign}) == 4


@needs_graphviz
def test_lesson_that_owns_nothing_is_refused():
    with pytest.raises(ValueError, match=r"Nothing in whole-picture\.dot belongs to lesson 10\."):
        draw.svg(draw.IMAGES / "whole-picture.dot", 10)


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
