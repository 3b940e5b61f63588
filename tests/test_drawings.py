"""The drawings: each .svg is what its .dot says, in the one visual language."""

import re
import shutil
import sys

import pytest

from labkit import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import draw

DRAWINGS = sorted(draw.IMAGES.glob("*.dot"))
PICTURES = list(draw.pictures())
WHOLE = draw.IMAGES / "whole-picture.dot"
needs_graphviz = pytest.mark.skipif(
    not shutil.which("dot"), reason="left out: comparing the drawings needs Graphviz (dot)"
)


def unmarked(source):
    """The lines that draw a shape or an arrow and say of no lesson that it is its part."""
    return [
        line
        for line in source.splitlines()
        if re.search("kind=|->", line) and "lessons=" not in line
    ]


@needs_graphviz
@pytest.mark.parametrize(("picture", "drawing", "lesson"), PICTURES, ids=lambda x: str(x)[-30:])
def test_picture_is_made_from_its_drawing(picture, drawing, lesson):
    assert picture.read_text(encoding="utf-8") == draw.svg(drawing, lesson)


def test_every_drawing_has_a_picture_and_every_picture_a_drawing():
    assert DRAWINGS and {drawing for _, drawing, _ in PICTURES} == set(DRAWINGS)
    assert set(draw.IMAGES.glob("*.svg")) == {picture for picture, _, _ in PICTURES}


def test_whole_picture_is_there_for_each_lesson_and_marks_all_its_parts():
    lessons = [lesson for _, drawing, lesson in PICTURES if drawing == WHOLE]
    assert lessons == [None, "2", "3", "4", "5", "6", "7", "8", "9"]
    assert not unmarked(WHOLE.read_text(encoding="utf-8"))


def test_a_part_that_no_lesson_claims_is_found():
    source = 'a [kind=file lessons="2"]\nb [kind=file]\na -> b\n{rank=same a b}'
    assert unmarked(source) == ["b [kind=file]", "a -> b"]


def test_every_picture_is_shown_somewhere():
    pages = [ROOT / "README.md", *(ROOT / "notebooks").glob("*.ipynb")]
    shown = "".join(page.read_text(encoding="utf-8") for page in pages)
    pictures = [path.name for path, _, _ in PICTURES] + [p.name for p in draw.IMAGES.glob("*.png")]
    assert not [name for name in pictures if f"images/{name})" not in shown]


def test_unknown_kind_is_refused(tmp_path):
    drawing = tmp_path / "wrong.dot"
    drawing.write_text("digraph { a [kind=spaceship] }", encoding="utf-8")
    with pytest.raises(ValueError, match="no kind spaceship: use person, data"):
        draw.svg(drawing)


@pytest.mark.parametrize("lessons", ["", "99", "3,4", "three", "2 x"])
def test_unknown_lesson_is_refused(tmp_path, lessons):
    drawing = tmp_path / "wrong.dot"
    drawing.write_text(f'digraph {{ a [kind=file lessons="{lessons}"] }}', encoding="utf-8")
    with pytest.raises(ValueError, match=f'no lessons="{lessons}": use numbers'):
        draw.svg(drawing)


@needs_graphviz
def test_marks_change_nothing_but_the_variants(tmp_path):
    drawing = tmp_path / "unmarked.dot"
    source = re.sub(r' ?lessons=".*?"', "", WHOLE.read_text(encoding="utf-8"))
    drawing.write_text(source, encoding="utf-8")
    assert "lessons=" not in source and draw.svg(drawing) == draw.svg(WHOLE)
    assert draw.svg(drawing, "2") == draw.svg(WHOLE) != draw.svg(WHOLE, "2")
    assert draw.svg(WHOLE, "2") != draw.svg(WHOLE, "3")


@needs_graphviz
def test_variant_has_bold_lines_for_its_part_and_fades_the_rest(tmp_path):
    drawing = tmp_path / "two.dot"
    source = 'digraph { a [kind=file lessons="2"] b [kind=service lessons="3 4"] }'
    drawing.write_text(source, encoding="utf-8")
    a, b = draw.svg(drawing, "4").split('class="node"')[1:]
    assert "#bbbbbb" in a and "#f6dfc5" not in a and "stroke-width" not in a
    assert 'stroke-width="2.5"' in b and "#cfe8dc" in b and "#bbbbbb" not in b


@needs_graphviz
def test_another_drawing_makes_another_picture(tmp_path):
    drawing = tmp_path / "changed.dot"
    source = WHOLE.read_text(encoding="utf-8")
    drawing.write_text(source.replace("kind=service", "kind=process", 1), encoding="utf-8")
    assert draw.svg(drawing) != draw.svg(WHOLE)
