"""Run a lab's exercise with a given answer, in this process: what test_labs.py and flaws.py share.

Each answer gets a namespace of its own. A service that an answer starts runs in a thread, on a
free port; for the checks it looks like the script in a process of its own.
"""

import contextlib
import importlib
import io
import linecache
import os
import random
import runpy
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import flask
from werkzeug.debug import DebuggedApplication
from werkzeug.serving import make_server

from labkit import ROOT, SOLUTIONS, SOLVED_LABS, LabError, exercises, service
from labkit.labs import live

sys.path.insert(0, str(ROOT / "tools"))
import make_labs

SECONDS = 3  # for an answer that loops for ever; a learner's gets more


@dataclass(frozen=True)
class Case:
    """An answer, and what its check must say: a mark, and words of its sentence."""

    lab: str  # "lab_01"
    exercise: str
    code: str
    mark: str
    words: str = ""


class Instead:
    """An answer that is the solution with another text at one place: Instead(old, new)."""

    def __init__(self, *pairs: str):
        self.pairs = list(zip(pairs[::2], pairs[1::2], strict=True))

    def code(self, solution: str) -> str:
        for old, new in self.pairs:
            assert old in solution, f"the solution has no {old!r}"
            solution = solution.replace(old, new)
        return solution


def labs() -> list[str]:
    """Return the labs' short names, "lab_01" and so on."""
    return [source.stem[:6] for source in make_labs.sources()]


def notebook_of(short: str):
    """Return the lab's notebook, built from its source; each lab is built once."""
    if short not in NOTEBOOKS:
        [source] = SOLVED_LABS.glob(f"{short}_*.py")
        NOTEBOOKS[short] = make_labs.make(source)
    return NOTEBOOKS[short]


NOTEBOOKS = {}


def lab_of(short: str):
    """Return the lab's exercises."""
    return importlib.import_module(f"labkit.labs.{short}").lab


def stub(short: str, exercise: str) -> str:
    """Return the cell as a learner finds it; without its %%writefile line, if it is a script."""
    [cell] = [c for c in notebook_of(short).cells if c.metadata.get("exercise") == exercise]
    return cell.source


def cases(short: str) -> list[Case]:
    """Return all that must be proven of a lab."""
    lab, bank = lab_of(short), make_labs.bank(short)
    found = []
    for exercise in lab.exercises:
        solution = exercises.solution(lab.name, exercise)
        found.append(
            Case(short, exercise, stub(short, exercise), "○", "put your answer|code where ____")
        )
        found.append(Case(short, exercise, solution, "✔"))
        for answer in bank[exercise]["right"]:
            found.append(Case(short, exercise, text(answer, solution), "✔"))
        for answer, words in bank[exercise]["wrong"]:
            found.append(Case(short, exercise, text(answer, solution), "✘", words))
    return found


def flaws(short: str) -> dict[str, tuple[str, str]]:
    """Return {exercise: (text in its check, a flawed text instead)}."""
    return make_labs.module(ROOT / "tests" / "answers" / f"flaws_{short[4:]}.py").FLAWS


def text(answer, solution) -> str:
    return answer.code(solution) if isinstance(answer, Instead) else answer.strip("\n")


def run(case: Case) -> tuple[str, str]:
    """Work through the lab up to the exercise, give the answer, and return what its check says."""
    namespace = {"__name__": "__main__"}
    with services_in_process(), patch.object(exercises, "SECONDS", SECONDS):
        for number, cell in enumerate(notebook_of(case.lab).cells):
            exercise = cell.metadata.get("exercise")
            if cell.source == f'lab.check("{case.exercise}")':
                break
            script = cell.source.startswith("%%writefile ")  # which a later one may import
            if cell.cell_type == "code" and (script or exercise in (None, case.exercise)):
                code = cell.source
                if not code.startswith(("lab.check(", "# lab.hint(")):
                    answers = exercise == case.exercise and cell.source != case.code
                    run_cell(code, namespace, f"<cell {number}>", case.code if answers else None)
        check = lab_of(case.lab).exercises[case.exercise]
        return exercises.judge(check, exercises.Answer(namespace))


def run_cell(code, namespace, name, answer=None):
    """Run a cell as a notebook would, or an answer in its place."""
    if code.startswith("%%writefile "):
        head, _, body = code.partition("\n")
        with open(head.split()[1], "w", encoding="utf-8") as f:  # noqa: PTH123 - as in a cell
            f.write((body if answer is None else answer) + "\n")
        return
    code = code if answer is None else answer
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(LabError):
        exec(compile(code, name, "exec"), namespace)


# --- Services ---


class Served:
    """A script's app, served from a thread; looks like labkit.service.Service."""

    def __init__(self, path, port):
        self.path, self.port, self.server, self.thread = path, port, None, None
        self.url, self.host = f"http://127.0.0.1:{port}", ""

    def serve(self, app, host=None, port=None, debug=None, **_):
        """Stand in for Flask's app.run: return while the app is being served."""
        if int(port or 5000) not in (9696, self.port):
            return
        self.host = host or "127.0.0.1"
        app.debug = bool(debug)
        wsgi = DebuggedApplication(app) if debug else app
        self.server = make_server(
            "127.0.0.1", self.port, wsgi, threaded=True, request_handler=live.Quiet
        )
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.005,), daemon=True)
        self.thread.start()

    def log(self):
        return ""

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.thread.join()  # it closes the socket, and the next service wants the port
        self.server = None


def lonely_port() -> int:
    """Return a free port below those that the system hands out: nobody gets it meanwhile."""
    while service.is_open(port := random.SystemRandom().randrange(20_000, 32_000)):
        continue
    return port


@contextlib.contextmanager
def services_in_process():
    """Let labkit.service.start run scripts in this process, on a free port."""
    running, port = [], lonely_port()

    def start(script, *arguments, port=port, wait=60, **environment):
        folders = (Path.cwd(), SOLUTIONS, SOLVED_LABS)
        path = next(folder / script for folder in folders if (folder / script).exists())
        for neighbour in path.parent.glob("*.py"):  # one may import another, as it is now
            sys.modules.pop(neighbour.stem, None)
        served = Served(path, port)
        for old in running:
            if old.port == port:
                old.stop()
        running.append(served)
        environment = {"PORT": str(port)} | environment
        try:
            with (
                patch.dict(os.environ, environment),
                patch.object(sys, "argv", [str(path), *map(str, arguments)]),
                patch.object(sys, "path", [str(path.parent), *sys.path]),
                patch.object(flask.Flask, "run", lambda app, *a, **k: served.serve(app, *a, **k)),
            ):
                runpy.run_path(str(path), run_name="__main__")
        except (Exception, SystemExit) as error:
            raise LabError(f"{script} ended by itself. It said: {error}") from None
        if not served.server:
            raise LabError(f"{script} does not answer on port {port} after {wait} s.")
        return served

    def listeners(port):
        return [
            live.Listener(f"python {one.path.name}", True, [one.path], time.time(), {one.host})
            for one in running
            if one.port == port and one.server
        ]

    with (
        patch.object(service, "start", start),
        patch.object(service, "PORT", port),
        patch.object(live, "listeners", listeners),
        patch.object(live, "other_port", lambda script: None),  # another test may run it for real
    ):
        try:
            yield
        finally:
            for one in running:
                one.stop()
