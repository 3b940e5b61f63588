"""Make images/*.svg from images/*.dot: `python tools/draw.py` (maintainers, with Graphviz).

A drawing says what a thing is (`kind=service`); how such a thing looks stands here, once, so
that it looks the same in every picture. Shapes differ too: colour is never the only sign.

The whole picture also says to which lessons a thing belongs (`lessons="3 4 5"`). For each lesson
there is a variant, whole-picture-3.svg for example: its part has a thick line, the rest is pale.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

IMAGES = Path(__file__).resolve().parent.parent / "images"

KINDS = {
    "person": 'shape=ellipse fillcolor="#ffffff"',
    "data": 'shape=cylinder fillcolor="#e8e8e8"',
    "notebook": 'shape=note fillcolor="#fdf3d0"',
    "file": 'shape=folder fillcolor="#f6dfc5"',
    "process": 'shape=box fillcolor="#dcebf7"',
    "service": 'shape=component fillcolor="#cfe8dc"',
    "message": 'shape=plaintext style=""',
    "group": 'style="rounded,filled" fillcolor="#fafafa" color="#8a8a8a"',
    "environment": 'style="dashed,rounded,filled" fillcolor="#f7f7fb" color="#5b5b8c"',
    "container": 'style="solid,filled" penwidth=2 fillcolor="#eef4fa" color="#1f5f99"',
    "cloud": 'style="dotted,rounded,filled" penwidth=2 fillcolor="#f5f0f8" color="#7a3e91"',
}
LOOK = [
    "-Gfontname=Helvetica", "-Nfontname=Helvetica", "-Efontname=Helvetica",
    "-Gfontsize=12", "-Nfontsize=12", "-Efontsize=11",
    "-Gpad=0.2", "-Gbgcolor=white", "-Nstyle=filled", "-Nmargin=0.16,0.1", "-Ecolor=#444444",
]  # fmt: skip


MARKED = range(2, 7)  # the lessons that show their part of the whole picture
THIS_LESSON = "penwidth=3"
OTHER_LESSONS = 'fillcolor="#ffffff" color="#b5b5b5" fontcolor="#8c8c8c" penwidth=1'


def look_of(match: re.Match) -> str:
    kind = match[1]
    if kind not in KINDS:
        raise ValueError(f"There is no kind {kind}: use {', '.join(KINDS)}.")
    return KINDS[kind]


def svg(drawing: Path, lesson: int | None = None) -> str:
    """Return the drawing as SVG; with a lesson, as the variant that marks this lesson's part.

    Raises ValueError for an unknown kind, or a lesson that nothing in the drawing belongs to.
    """
    source = re.sub(r"kind=(\w+)", look_of, drawing.read_text(encoding="utf-8"))
    if lesson is not None:
        source = re.sub(
            r'lessons="([\d ]+)"',
            lambda match: THIS_LESSON if str(lesson) in match[1].split() else OTHER_LESSONS,
            source,
        )
        if THIS_LESSON not in source:
            raise ValueError(f"Nothing in {drawing.name} belongs to lesson {lesson}.")
    done = subprocess.run(
        ["dot", "-Tsvg", *LOOK], input=source, encoding="utf-8", capture_output=True, check=True
    )
    return re.sub(r"<!--.*?-->\n", "", done.stdout, flags=re.DOTALL)  # Graphviz's version


def pictures() -> dict[str, tuple[Path, int | None]]:
    """Return for each picture's name its drawing, and its lesson if it is a variant."""
    whole = IMAGES / "whole-picture.dot"
    variants = {f"whole-picture-{lesson}.svg": (whole, lesson) for lesson in MARKED}
    return {f"{path.stem}.svg": (path, None) for path in sorted(IMAGES.glob("*.dot"))} | variants


if __name__ == "__main__":
    if not shutil.which("dot"):
        sys.exit("Graphviz is missing: install it (Debian: apt-get install graphviz).")
    for name, (drawing, lesson) in pictures().items():
        (IMAGES / name).write_text(svg(drawing, lesson), encoding="utf-8", newline="\n")
        print(name)
