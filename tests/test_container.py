"""Docker in a notebook: run where an engine answers, else the record; and the record's form.

And what can be seen without a build: that all which enters the image, or runs in the workflow, is
fixed by a hash. tests/image.py builds the image.
"""

import json
import re
import sys

import nbformat
import pytest
from conftest import assert_one_sentence
from packaging.requirements import Requirement

from labkit import ROOT, LabError
from labkit.labs import container

sys.path.insert(0, str(ROOT / "tools"))
import lock
import record_docker

BUILD = "docker build -t churn ."


@pytest.fixture(autouse=True)
def forget():
    yield
    container.engine.cache_clear()


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """A program that calls itself docker; gives a function that says how it ends."""
    monkeypatch.delenv("LAB_DOCKER")
    container.engine.cache_clear()

    def answers(code, output=""):
        program = tmp_path / "docker"
        program.write_text(f"#!{sys.executable}\nprint({output!r})\nraise SystemExit({code})\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return answers


posix = pytest.mark.skipif(sys.platform == "win32", reason="left out: the stand-in is for POSIX")


def test_no_engine_is_asked_where_that_is_forbidden(monkeypatch):
    monkeypatch.setattr(container.shutil, "which", lambda _: pytest.fail("it was looked for"))
    assert container.engine() is False


@posix
@pytest.mark.parametrize(("code", "there"), [(0, True), (1, False)])
def test_an_engine_is_there_when_docker_info_says_so(docker, code, there):
    docker(code)
    assert container.engine() is there


def test_without_docker_there_is_no_engine(monkeypatch, tmp_path):
    monkeypatch.delenv("LAB_DOCKER")
    monkeypatch.setenv("PATH", str(tmp_path))
    container.engine.cache_clear()
    assert container.engine() is False


@posix
def test_where_an_engine_answers_the_line_is_run(docker, capsys):
    docker(0, "first\nsecond")
    container.terminal(BUILD, only=["sec"])
    assert capsys.readouterr().out == f"$ {BUILD}\nsecond\n"


@posix
def test_nobody_waits_for_ever_for_an_answer():
    with pytest.raises(LabError) as error:
        container.wait_for("http://127.0.0.1:9/ping", seconds=0.5)
    assert_one_sentence(str(error.value), "Nothing answers on http://127.0.0.1:9/ping")


def test_without_an_engine_the_record_is_shown_with_its_date(capsys):
    container.terminal(BUILD)
    first, *others = capsys.readouterr().out.splitlines()
    day = container.record()["date"]
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]+ 20\d\d", day)
    assert first == f"$ {BUILD}    (recorded on {day})"
    assert any("churn_serving.py" in line for line in others)


def test_a_line_without_a_record_is_refused():
    with pytest.raises(LabError) as error:
        container.terminal("docker build -t other .")
    assert_one_sentence(str(error.value), "`docker build -t other .` was not recorded")


# The record


def test_the_record_is_that_of_the_lessons_lines_in_their_order():
    recorded = [one["line"] for one in container.record()["run"]]
    assert recorded == [line for line, _ in record_docker.calls()]


def test_the_record_tells_its_engine_and_base_and_its_layers_weigh_something():
    record = container.record()
    assert record["engine"].startswith("Docker ") and "Python 3." in record["base"]
    assert [one["base"] for one in record["layer"]] == sorted(
        (one["base"] for one in record["layer"]), reverse=True
    )
    assert all(one["bytes"] > 0 for one in record["layer"])
    assert any("/opt/venv" in one["instruction"] for one in record["layer"])


def test_the_record_has_no_times_and_no_address_of_a_registry():
    text = container.RECORD.read_text(encoding="utf-8")
    assert not re.search(
        r"\b20\d\d-\d\d-\d\d|(?<!\d)\d\d:\d\d:\d\d\b|docker\.io|https?://(?!127|0\.0\.0\.0|localhost)",
        text,
    )


def test_clean_takes_times_and_the_registry_out_and_leaves_the_rest():
    said = '{"time": "2026-01-31T12:30:01.123+00:00"}\n2026-01-31 12:30:01 GET\n'
    said += "#4 naming to docker.io/library/churn 0.5s  \n#5 sha256:0123abcd\n"
    said += "open /var/lib/docker/tmp/buildkit-mount12/Dockerfile: no such file\n"
    kept = '{"time": "YYYY-MM-DDTHH:MM:SS.123+00:00"}\nYYYY-MM-DD HH:MM:SS GET\n'
    kept += "#4 naming to churn 0.5s\nopen Dockerfile: no such file\n"
    assert record_docker.clean(said) == kept


def test_calls_are_found_with_what_they_wait_for(tmp_path):
    source = 'terminal("docker a", only=["x"])\nterminal("docker b", until="http://x")\nprint(1)'
    cells = [nbformat.v4.new_code_cell(source), nbformat.v4.new_markdown_cell("terminal('no')")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "x.ipynb")
    expected = [("docker a", ""), ("docker b", "http://x")]
    assert record_docker.calls(tmp_path / "x.ipynb") == expected


# All that enters the image, or runs in the workflow, is fixed by a hash

LOCKED = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))["build"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_pipenv_txt_has_what_the_lock_has_in_build():
    text = (ROOT / "pipenv.txt").read_text(encoding="utf-8")
    assert text == lock.requirements(LOCKED), "run tools/lock.py"
    listed = {}
    for line in re.sub(r"^#.*\n", "", text).replace(" \\\n", " ").splitlines():
        found, *hashes = line.split("    --hash=")
        one = Requirement(found)
        marker = str(one.marker).replace('"', "'") if one.marker else None
        listed[one.name] = (str(one.specifier), marker, {each.strip() for each in hashes})
    assert listed == {
        name: (package["version"], package.get("markers"), set(package["hashes"]))
        for name, package in LOCKED.items()
    }
    assert "pipenv" in listed and all(hashes for _, _, hashes in listed.values())


def instructions(dockerfile):
    joined = re.sub(r"^#.*\n", "", dockerfile, flags=re.M).replace("\\\n", " ")
    return [" ".join(line.split()) for line in joined.splitlines() if line.strip()]


def without_hashes(dockerfile):
    """Return the commands that install something without comparing hashes."""
    commands = [
        command
        for line in instructions(dockerfile)
        if line.startswith("RUN ")
        for command in re.split(r"&&|;|\|", re.sub(r"^RUN (--\S+ )*", "", line))
    ]
    installs = re.compile(r"\b(install|sync|add|download|curl|wget)\b")
    hashed = re.compile(r"\s*pip (--python \S+ )?install (-\S+ )*--require-hashes -r \S+\.txt\s*")
    return [one for one in commands if installs.search(one) and not hashed.fullmatch(one)]


def test_the_dockerfile_installs_nothing_without_a_hash():
    assert not without_hashes(DOCKERFILE)
    assert DOCKERFILE.count("--require-hashes") == 3
    assert not re.search(r"^ADD |https?://(?!127)", DOCKERFILE, re.M)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("--require-hashes -r pipenv.txt", '"pipenv==2026.10.3"'),
        ("--require-hashes -r packages.txt", "-r packages.txt"),
        ("--require-hashes -r train.txt", "--require-hashes -r train.txt pandas"),
        ("pipenv verify", "pipenv sync"),
        ("pipenv verify", "apt-get install -y curl"),
    ],
)
def test_what_has_no_hash_is_found(right, wrong):
    assert DOCKERFILE.count(right) == 1
    assert without_hashes(DOCKERFILE.replace(right, wrong))


def test_every_line_that_installs_can_be_lent_pips_settings():
    lines = [line for line in instructions(DOCKERFILE) if re.search(r"\bpip\b.* install", line)]
    assert len(lines) == 3
    assert all("--mount=type=secret,id=pip,target=/etc/pip.conf" in line for line in lines)


def test_another_commit_makes_no_layer_anew():
    """What a build is told stands last: behind it there are notes alone."""
    lines = instructions(DOCKERFILE)
    first = next(n for n, line in enumerate(lines) if line.startswith("ARG "))
    assert {line.split()[0] for line in lines[first:]} == {"ARG", "LABEL"}
    assert all(re.fullmatch(r'ARG \w+=""', line) for line in lines[first:-1])


def moving(workflow):
    """Return the actions that a workflow does not name by their commit."""
    used = re.findall(r"\buses: *(.+)", workflow)
    return [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)]


def test_the_workflow_names_each_action_by_its_commit():
    text = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    assert text.count("uses:") == 6 and not moving(text)
    for wrong in (r"@[0-9a-f]{40} # v[\d.]+", r" # v[\d.]+", r"(?<=@)[0-9a-f]{4}"):
        assert len(moving(re.sub(wrong, "", text, count=1))) == 1
