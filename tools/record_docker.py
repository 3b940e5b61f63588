"""Write notebooks/08_docker.toml: what a Docker engine says to each line of lesson 8.

For maintainers, with Docker: `python tools/record_docker.py`. The lesson's own lines are run, in
their order; the lesson shows the record wherever no engine answers. Left out of the record are
dates and times of day, the engine's own paths, the steps' hashes, and the registry's name. Begin
with an empty build cache, or the first build says no more than CACHED:

    docker builder prune --all
"""

import ast
import json
import re
import sys
from datetime import date
from pathlib import Path

import nbformat

from labkit import ROOT
from labkit.labs import container

LESSON = ROOT / "notebooks" / "08_the_container.ipynb"
BASE = re.search(r"^FROM (\S+) AS base$", (ROOT / "Dockerfile").read_text("utf-8"), re.M)[1]
IMAGE = "churn"


def calls(lesson: Path = LESSON) -> list[tuple[str, str]]:
    """Return the lesson's calls of terminal(), in their order: the line, and what to wait for."""
    found = []
    for cell in nbformat.read(lesson, as_version=4).cells:
        if cell.cell_type != "code" or cell.source.startswith("%"):
            continue
        nodes = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
        for node in sorted(nodes, key=lambda node: node.lineno):
            if getattr(node.func, "id", "") == "terminal":
                options = {option.arg: option.value for option in node.keywords}
                until = ast.literal_eval(options["until"]) if "until" in options else ""
                found.append((ast.literal_eval(node.args[0]), until))
    return found


def clean(output: str) -> str:
    """Return an output without dates, times of day, the engine's paths and the registry's name."""
    output = re.sub(r"\b20\d\d-\d\d-\d\d(?!\d)", "YYYY-MM-DD", output)
    output = re.sub(r"(?<!\d)\d\d:\d\d:\d\d\b", "HH:MM:SS", output)
    output = re.sub(r"/\S*/buildkit-mount\d+/", "", output)
    output = output.replace("docker.io/library/", "")
    lines = [line.rstrip() for line in output.splitlines()]
    return "".join(f"{line}\n" for line in lines if not re.match(r"#\d+ sha256:\w+$", line))


def base() -> str:
    """Say what the base image was: the official one, or what stood in for it."""
    image = json.loads(container.run(f"docker image inspect {BASE}"))[0]
    system = container.run(f"docker run --rm {BASE} grep PRETTY_NAME /etc/os-release")
    python = container.run(f"docker run --rm {BASE} python3 --version").strip()
    kind = "the official image" if image["RepoDigests"] else "a stand-in for the official image"
    name = system.split('"')[1]  # PRETTY_NAME="Debian …"
    return f"{kind}, {name} with {python}"


def layers(name: str = IMAGE) -> list[dict]:
    """Return an image's layers that have a size, the lowest first."""
    line = "docker image history --no-trunc --human=false --format '{{json .}}' "

    def sized(image):
        rows = map(json.loads, container.run(line + image).splitlines())
        return [row for row in rows if int(row["Size"])][::-1]

    below = len(sized(BASE))
    return [
        {
            "instruction": clean(row["CreatedBy"]).strip(),
            "bytes": int(row["Size"]),
            "base": n < below,
        }
        for n, row in enumerate(sized(name))
    ]


def toml(value) -> str:
    """Return a value as TOML; a text of several lines is kept readable."""
    if isinstance(value, str) and "\n" in value and "'''" not in value:
        return f"'''\n{value}'''"
    return json.dumps(value, ensure_ascii=False)


def main():
    if not container.engine():
        sys.exit("No Docker engine answers: start Docker.")
    day = date.today()
    parts = ["# Written by tools/record_docker.py: don't edit.\n"]
    runs = []
    for line, until in calls():
        print(f"$ {line}", flush=True)
        runs.append({"line": line, "output": clean(container.run(line))})
        if until:
            container.wait_for(until)
    head = {
        "date": f"{day.day} {day:%B %Y}",
        "engine": "Docker " + container.run("docker version --format {{.Server.Version}}").strip(),
        "base": base(),
    }
    parts += [f"{key} = {toml(value)}\n" for key, value in head.items()]
    for kind, tables in (("layer", layers()), ("run", runs)):
        for table in tables:
            parts += [f"\n[[{kind}]]\n"]
            parts += [f"{key} = {toml(value)}\n" for key, value in table.items()]
    container.RECORD.write_text("".join(parts), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
