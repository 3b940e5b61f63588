"""Make images/*.svg from images/*.dot: `python tools/draw.py` (maintainers, with Graphviz).

A drawing says what a thing is (`kind=service`); how such a thing looks stands here, once, so
that it looks the same in every picture. Shapes differ too: colour is never the only sign.
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
    "environment": 'style="dashed,rounded,filled" fillcolor="#f7f7fb" color="#5b5b8c"',
    "container": 'style="solid,filled" penwidth=2 fillcolor="#eef4fa" color="#1f5f99"',
    "cloud": 'style="dotted,rounded,filled" penwidth=2 fillcolor="#f5f0f8" color="#7a3e91"',
}
LOOK = [
    "-Gfontname=Helvetica", "-Nfontname=Helvetica", "-Efontname=Helvetica",
    "-Gfontsize=12", "-Nfontsize=12", "-Efontsize=11",
    "-Gpad=0.2", "-Gbgcolor=white", "-Nstyle=filled", "-Nmargin=0.16,0.1", "-Ecolor=#444444",
]  # fmt: skip


def look_of(match: re.Match) -> str:
    kind = match[1]
    if kind not in KINDS:
        raise ValueError(f"There is no kind {kind}: use {', '.join(KINDS)}.")
    return KINDS[kind]


def svg(drawing: Path) -> str:
    """Return the drawing as SVG. Raises ValueError for an unknown kind."""
    source = re.sub(r"kind=(\w+)", look_of, drawing.read_text(encoding="utf-8"))
    done = subprocess.run(
        ["dot", "-Tsvg", *LOOK], input=source, encoding="utf-8", capture_output=True, check=True
    )
    return re.sub(r"<!--.*?-->\n", "", done.stdout, flags=re.DOTALL)  # Graphviz's version


if __name__ == "__main__":
    if not shutil.which("dot"):
        sys.exit("Graphviz is missing: install it (Debian: apt-get install graphviz).")
    for drawing in sorted(IMAGES.glob("*.dot")):
        drawing.with_suffix(".svg").write_text(svg(drawing), encoding="utf-8", newline="\n")
        print(drawing.with_suffix(".svg").name)
