"""Make images/*.svg from images/*.dot: `python tools/draw.py` (maintainers, with Graphviz).

A drawing says what a thing is (`kind=service`); how such a thing looks stands here, once, so
that it looks the same in every picture. Shapes differ too: colour is never the only sign.

Where a drawing says which lessons its shapes and arrows belong to (`lessons="3 4 5"`, at the end
of their attributes), it is also drawn once for each lesson of VARIANTS, as name-LESSON.svg:
this lesson's part has bold lines, the rest is faded.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

IMAGES = Path(__file__).resolve().parent.parent / "images"

KINDS = {
    "person": 'shape=ellipse fillcolor="#ffffff"',
    "data": 'shape=cylinder fillcolor="#e8e8e8"',
    "notebook": 'shape=note style=filled fillcolor="#fdf3d0"',
    "file": 'shape=folder fillcolor="#f6dfc5"',
    "process": 'shape=box style=filled fillcolor="#dcebf7"',
    "service": 'shape=component style=filled fillcolor="#cfe8dc"',
    "message": 'shape=plaintext style=""',
    "parts": 'shape=record style=filled fillcolor="#ffffff"',
    "step": 'shape=box style="rounded,filled" fillcolor="#ffffff"',
    "gate": 'shape=octagon penwidth=3 fillcolor="#ffffff"',
    "computer": 'style="solid,filled" penwidth=3 fillcolor="#f4f4f4" color="#444444"',
    "group": 'style="dashed" color="#777777"',
    "environment": 'style="dashed,rounded,filled" fillcolor="#f7f7fb" color="#5b5b8c"',
    "container": 'style="solid,filled" penwidth=2 fillcolor="#eef4fa" color="#1f5f99"',
    "cloud": 'style="dotted,rounded,filled" penwidth=2 fillcolor="#f5f0f8" color="#7a3e91"',
}
LOOK = [
    "-Gfontname=Helvetica", "-Nfontname=Helvetica", "-Efontname=Helvetica",
    "-Gfontsize=12", "-Nfontsize=12", "-Efontsize=11",
    "-Gpad=0.2", "-Gbgcolor=white", "-Nstyle=filled", "-Nmargin=0.16,0.1", "-Ecolor=#444444",
]  # fmt: skip
LESSONS = {str(number) for number in range(12)}
VARIANTS = ["2", "3", "4", "5", "6", "7", "8", "9"]
BOLD = "penwidth=2.5"
FADED = 'penwidth=1 color="#bbbbbb" fontcolor="#767676" fillcolor="#ffffff"'


def look_of(match: re.Match) -> str:
    kind = match[1]
    if kind not in KINDS:
        raise ValueError(f"There is no kind {kind}: use {', '.join(KINDS)}.")
    return KINDS[kind]


def part_of(lesson: str | None, match: re.Match) -> str:
    lessons = match[1].split()
    if not lessons or not LESSONS.issuperset(lessons):
        raise ValueError(f'There is no lessons="{match[1]}": use numbers with spaces between.')
    return "" if lesson is None else BOLD if lesson in lessons else FADED


def svg(drawing: Path, lesson: str | None = None) -> str:
    """Return the drawing as SVG, or its variant that marks the part of a lesson.

    Raises ValueError for an unknown kind or lesson.
    """
    source = re.sub(r"kind=(\w+)", look_of, drawing.read_text(encoding="utf-8"))
    source = re.sub(r'lessons="(.*?)"', partial(part_of, lesson), source)
    done = subprocess.run(
        ["dot", "-Tsvg", *LOOK], input=source, encoding="utf-8", capture_output=True, check=True
    )
    return re.sub(r"<!--.*?-->\n", "", done.stdout, flags=re.DOTALL)  # Graphviz's version


def pictures() -> Iterator[tuple[Path, Path, str | None]]:
    """Yield for each picture: its file, the drawing that it is made from, the lesson it marks."""
    for drawing in sorted(IMAGES.glob("*.dot")):
        yield drawing.with_suffix(".svg"), drawing, None
        if "lessons=" in drawing.read_text(encoding="utf-8"):
            for lesson in VARIANTS:
                yield drawing.with_name(f"{drawing.stem}-{lesson}.svg"), drawing, lesson


if __name__ == "__main__":
    if not shutil.which("dot"):
        sys.exit("Graphviz is missing: install it (Debian: apt-get install graphviz).")
    for picture, drawing, lesson in pictures():
        picture.write_text(svg(drawing, lesson), encoding="utf-8", newline="\n")
        print(picture.name)
