"""Two users of one machine, each with a copy of the lab: nobody's service earns the other a ✔."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from pathlib import Path

import proof
import psutil
import pytest
from conftest import copy_lab

from labkit import SOLVED_LABS, service
from labkit.exercises import Wrong
from labkit.labs.live import Live
from labkit.service import free_port, is_open, wait_until

ANNA, BEN = 54321, 54322  # users without accounts
IS_ROOT = sys.platform == "linux" and os.geteuid() == 0
pytestmark = [
    pytest.mark.skipif(not IS_ROOT, reason="NOT TESTED, only Linux's root can be two other users"),
    pytest.mark.xdist_group("two users"),
]

# In each copy of a lab the answers, as lab.solution shows them; then all cells run.
SOLVE_ALL = """
import re
from importlib import import_module

import nbclient, nbformat
from labkit import MY, copies, progress

copies.update()
all_names = set()
for path in sorted(MY.glob("*_lab.ipynb")):
    notebook = nbformat.read(path, as_version=4)
    lab = import_module(f"labkit.labs.lab_{path.name[:2]}").lab
    all_names |= set(lab.exercises)
    for cell in notebook.cells:
        if name := cell.metadata.get("exercise"):
            head = re.match(r"%%writefile .*\\n", cell.source)
            code = lab.solution(name).data.removeprefix("```python\\n").removesuffix("\\n```")
            cell.source = (head[0] if head else "") + code
    place = {"metadata": {"path": MY}}
    nbclient.NotebookClient(notebook, timeout=120, resources=place).execute()
    for cell in notebook.cells:
        if cell.source.startswith("lab.check("):
            print(cell.outputs[0]["data"]["text/plain"])
print(sorted(all_names - progress.solved()), len(all_names))
"""
CHECK = """
import labkit
labkit.work_folder()
from labkit.labs.lab_03 import lab
lab.check("write-a-service")
"""
START = CHECK.replace('check("write-a-service")', 'start("months_service.py")')


def python_of_others() -> Path:
    """Return a Python like this one that other users can run; skip where there is none."""
    found = [Path(sys.executable).resolve(), Path("/usr/bin/python{}.{}".format(*sys.version_info))]
    for python in found:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            command = [python, "-c", "import ipykernel, sklearn"]
            try:
                subprocess.run(command, check=True, capture_output=True, **identity(ANNA, folder))
                return python
            except (OSError, subprocess.CalledProcessError):
                continue
    pytest.skip("NOT TESTED, other users can't run this Python and its packages")


def identity(user, lab, **environment):
    """Return options of Popen: who runs it, with which labkit, and at home in the lab's folder."""
    kept = {name: os.environ[name] for name in ("PATH", "OPENBLAS_CORETYPE") if name in os.environ}
    packages = sysconfig.get_path("purelib")
    variables = {"HOME": str(lab), "PYTHONPATH": f"{lab}:{packages}", "PYTHONUTF8": "1"}
    return {
        "user": user, "group": user, "extra_groups": [], "cwd": lab,
        "env": kept | variables | environment,
    }  # fmt: skip


class Learner:
    """A user with a copy of the lab, and a port."""

    def __init__(self, user, lab, python, port):
        self.user, self.lab, self.python, self.port = user, lab, python, port
        self.work = lab / "my" / "work"

    def run(self, code) -> str:
        """Run code, and return what it printed."""
        return self.start(["-c", code]).communicate(timeout=600)[0]

    def start(self, arguments):
        return subprocess.Popen(
            [self.python, *arguments], **identity(self.user, self.lab, LAB_PORT=str(self.port)),
            encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def write_hello(self, greeting="Hello, marketing!"):
        """Write the answer to the first exercise of lab 3, or a wrong one."""
        text = (SOLVED_LABS / "hello_service.py").read_text(encoding="utf-8")
        text = text.replace("9696", str(self.port)).replace("Hello, marketing!", greeting)
        self.work.mkdir(parents=True, exist_ok=True)
        (self.work / "hello_service.py").write_text(text, encoding="utf-8")
        for path in [self.work.parent, self.work, self.work / "hello_service.py"]:
            os.chown(path, self.user, self.user)

    @contextmanager
    def serving_hello(self):
        """Run the script as in a terminal."""
        process = self.start(["my/work/hello_service.py"])
        try:
            assert wait_until(lambda: is_open(self.port), 30)
            yield
        finally:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
            process.communicate()


@pytest.fixture
def learner():
    """Return a function from a user and a port to a Learner with a copy of the lab."""
    python = python_of_others()
    folders = []

    def learner(user, port):
        folder = Path(tempfile.mkdtemp(prefix=f"user-{user}-"))
        folders.append(folder)
        copy_lab(folder)
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, user, user)
        return Learner(user, folder, python, port)

    yield learner
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


STRANGER = "another user's program, or one that the lab can't look into (a container, say)"


def test_another_users_service_is_nobody_elses(learner, monkeypatch):
    anna, ben = learner(ANNA, free_port()), learner(BEN, 0)
    ben.port = anna.port
    anna.write_hello()
    ben.write_hello("nothing of the kind")
    with anna.serving_hello():
        assert anna.run(CHECK) == "✔ 3.1  Correct: somebody is there.\n"
        said = ben.run(CHECK)
        assert said.startswith(f"✘ 3.1  on port {ben.port} answers {STRANGER}, and not your hello_")
        ben.write_hello()  # the same text as Anna's
        assert ben.run(CHECK)[:60] == said[:60]
        start = ben.run(START)
        assert start.startswith(f"✘ Port {ben.port} is taken by {STRANGER}: if it is a container")
        with monkeypatch.context() as root:  # may look into both, and is neither
            root.chdir(anna.work)
            root.setattr(service, "PORT", anna.port)
            with pytest.raises(Wrong, match="answers another user's program"):
                Live("hello_service.py")
        ben.port = int(re.search(r"LAB_PORT=(\d+) python3 start\.py`", said)[1])
        ben.write_hello()
        with ben.serving_hello():
            assert ben.run(CHECK) == anna.run(CHECK) == "✔ 3.1  Correct: somebody is there.\n"


def test_another_copy_of_the_lab_is_named(learner):
    old, new = learner(ANNA, free_port()), learner(ANNA, 0)
    new.port = old.port
    old.write_hello()
    new.write_hello("nothing of the kind")
    with old.serving_hello():
        said = new.run(CHECK)
        assert said.startswith(
            f"✘ 3.1  on port {old.port} answers the hello_service.py of another folder, {old.work},"
            " and not yours: start yours with the cell"
        )
        assert old.run(CHECK).startswith("✔ 3.1")


@pytest.mark.slow
def test_two_users_finish_all_labs_at_the_same_time(learner):
    both = [learner(ANNA, free_port()), learner(BEN, free_port())]
    running = [one.start(["-c", SOLVE_ALL]) for one in both]
    said = [process.communicate(timeout=900)[0] for process in running]
    number = sum(len(proof.lab_of(short).exercises) for short in proof.labs())
    for one, text in zip(both, said, strict=True):
        assert text.splitlines()[-1] == f"[] {number}", text
        assert [line[0] for line in text.splitlines() if line[:1] in "✔✘○"] == ["✔"] * number
        recorded = (one.lab / "my" / "progress.jsonl").read_text(encoding="utf-8")
        assert recorded.count("✔") == number
