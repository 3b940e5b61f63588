"""What checks use to ask a learner's service, and to watch a learner's client.

`Live` asks the script that should be running, and knows who answers instead; `stand_in` is a
service that answers as it is told and remembers what it was asked.
"""

import ast
import html
import json
import os
import re
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests
from IPython import get_ipython
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from labkit import SOLVED_LABS, exercises, service
from labkit.exercises import NotStarted, Wrong, describe, one_line, show

PATIENCE = 5  # seconds that a service may take for an answer
CODE = "-c"  # in place of a script
RUNNERS = {  # programs that run the script which is named behind them
    "flask", "granian", "gunicorn", "hypercorn", "uvicorn", "waitress", "waitress-serve",
    "debugpy", "pdb", "pydevd", "ipython", "IPython",
}  # fmt: skip
TYPES = {"object": dict, "array": list, "text": str, "number": (int, float), "true or false": bool}


@dataclass
class Listener:
    """A process that answers on a port.

    name: its command and id. mine: of this user. files: what its command line may mean, as full
    paths; None where we may not look. started: in seconds. addresses: on which it listens.
    """

    name: str
    mine: bool
    files: list[Path] | None
    started: float
    addresses: set[str]


def listeners(port: int) -> list[Listener]:
    """Return who answers on this port, as far as we may look."""
    found = []
    for process in service.listeners(port):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            found.append(
                Listener(
                    service.name_of(process),
                    service.is_mine(process),
                    files_of(process),
                    process.create_time(),
                    service.ports(process).get(port, set()),
                )
            )
    return found


def other_port(script: Path) -> int | None:
    """Return a port on which a process of this user's that runs the script listens, if any."""
    for process in filter(service.is_mine, service.processes()):
        ports = service.ports(process)
        if ports and any(is_same(file, script) for file in files_of(process) or []):
            return next(iter(ports))
    return None


def files_of(process: psutil.Process) -> list[Path] | None:
    """Return the files that a process may run, as full paths; None where we may not look.

    Mostly that is its script. Behind a server or a debugger it is what any of the words may mean. A
    server's worker can run code (-c); then it is what its starter runs.
    """
    try:
        script, *words = what_runs(process.cmdline())
        here = Path("/", process.cwd())  # "/": it may be empty, which is no folder
        if script == CODE:
            with suppress(psutil.Error):
                starter = process.parent()
                return (files_of(starter) or []) if starter else []
            return []
        if Path(script).stem in RUNNERS:
            return words_as_files(words, here)
        if not os.path.exists(here / script):  # noqa: PTH110 - it may be no path at all
            here = Path("/", process.environ().get("PWD", ""))  # it has changed its folder
        return [here / script]
    except psutil.AccessDenied:
        return None


def what_runs(words: list[str]) -> list[str]:
    """Return a Python's command line from the script on: ["flask.py", "run"] for -m flask run.

    [CODE] for code, and [""] for another program.
    """
    rest = iter(words[1:] if words and "py" in Path(words[0]).name.lower() else ())
    for word in rest:
        if option := re.fullmatch("-[a-zA-Z]*?([cmWX])(.*)", word, re.S):  # also -um, -Wignore
            value = option[2] or next(rest, "")
            if option[1] == "c":
                return [CODE]
            if option[1] == "m":
                return [f"{value.replace('.', '/')}.py", *rest]
        elif not word.startswith("-") and Path(word).name != "guard.py":  # which runs the next one
            return [word, *rest]
    return [""]


def words_as_files(words: list[str], here: Path) -> list[Path]:
    """Return each word as a script and as a module, in all folders that are named.

    `granian --working-dir=my/work hello_service:app` leads to my/work/hello_service.py.
    """
    names = set()
    for word in words:
        value = word.rpartition("=")[2]
        module = value.rpartition(":")[0] or value
        names |= {word, value, module, module.replace(".", "/")} - {""}
    isdir = os.path.isdir  # pathlib's raises for what is no path at all
    folders = [here, *(here / name for name in sorted(names) if isdir(here / name))]
    return [folder / f"{name}{end}" for folder in folders for name in names for end in ("", ".py")]


def is_same(file: Path, script: Path) -> bool:
    """Say whether two paths lead to the same file, through links, too."""
    try:
        return file.samefile(script)
    except (OSError, ValueError):  # not there, or no path at all
        return False


class Live:
    """A learner's service, which should be running.

    script: the file's name, in the current folder. Everything raises Wrong with what to do, and
    NotStarted while the script is not there or has a ____.
    """

    def __init__(self, script: str):
        self.script, self.path = script, Path(script)
        if not self.path.exists() and not get_ipython():
            self.path = SOLVED_LABS / script  # solutions/labs/lab_*.py runs as a script
        if not self.path.exists():
            raise NotStarted(f"there is no {script} yet: run the cell above that writes it.")
        if "____" in names_in(self.path):
            raise NotStarted(f"put your code where ____ stands in {script}, and run that cell.")
        self.port = service.PORT
        self.url = f"http://127.0.0.1:{self.port}"
        self._see_who_listens()

    @property
    def restart(self):
        return "run the cell that starts it again (or Ctrl+C in its terminal, and start it there)"

    def _see_who_listens(self):
        """Raise Wrong unless this user's process, and no other, runs this very file on the port."""
        if not service.is_open(self.port):
            if port := other_port(self.path):
                if port == self.port:
                    raise Wrong(
                        f"nothing answers on {self.url}, and your {self.script} listens on that "
                        'port of another address: write host="127.0.0.1" in app.run(...), and '
                        "start it again."
                    )
                raise Wrong(
                    f"nothing answers on {self.url}, and your {self.script} listens on port "
                    f"{port}: change the port in app.run(...) to {self.port}, and start it again."
                )
            raise Wrong(
                f"nothing answers on {self.url}: start the service with the cell above, which says "
                "why if it ends at once, or open a terminal (File > New > Terminal) and run  "
                f"python my/work/{self.script}"
            )
        found = listeners(self.port)
        if not found or not all(who.mine for who in found):
            raise Wrong(
                f"on port {self.port} answers {service.STRANGER}, and not your {self.script}: "
                f"{service.way_out(service.STRANGER)}."
            )
        for who in found:
            self._refuse_another_script(who)
        saved = self.path.stat().st_mtime
        if saved > time.time():  # a clock was set back, or a server's disk has another one
            saved = 0
        if min(who.started for who in found) < saved - 1:  # coarse clocks
            raise Wrong(
                f"an old copy of {self.script} answers, from before you last saved it: "
                f"{self.restart}."
            )
        if public := set().union(*(who.addresses for who in found)) & {"0.0.0.0", "::"}:
            raise Wrong(
                f"{self.script} listens on {public.pop()}, where everybody in your network can "
                'ask it: write host="127.0.0.1", and start it again.'
            )

    def _refuse_another_script(self, who):
        remedy = (
            "start yours with the cell above; if that says that the port is taken, first stop the "
            "other (Ctrl+C in its terminal, or shut down its notebook)"
        )
        if who.files is None:
            raise Wrong(
                f"on port {self.port} answers {who.name}, and the lab may not see whether that is "
                f"your {self.script}: {remedy}."
            )
        if any(is_same(file, self.path) for file in who.files):
            return
        for file in who.files:
            if file.name == self.path.name and is_same(file, file):  # it is there
                raise Wrong(
                    f"on port {self.port} answers the {self.script} of another folder, "
                    f"{file.parent}, and not yours: {remedy}."
                )
        raise Wrong(
            f"on port {self.port} answers {who.name}, and not your {self.script}: {remedy}."
        )

    def ask(self, method: str, path: str, **options) -> requests.Response:
        """Send a request; the options are those of requests (json=, data=, headers=...)."""
        what = f"{method} {path}"
        patience = min(PATIENCE, exercises.SECONDS / 4)  # or the check itself runs out of time
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy, and no password from ~/.netrc
                return session.request(
                    method, self.url + path, timeout=patience, allow_redirects=False, **options
                )
        except requests.Timeout:
            raise Wrong(
                f"{what} got no answer within {patience:g} s: is there a loop that never ends, or "
                f"a wait? Mend it and {self.restart}."
            ) from None
        except requests.RequestException as error:
            raise Wrong(
                f"{what} got no answer that is HTTP ({type(error).__name__}): look at the "
                f"service's log, and {self.restart}."
            ) from None

    def status(self, expected: int, method: str, path: str, remedy: str, **options):
        """Ask, and return the response if its status is the expected one."""
        response = self.ask(method, path, **options)
        if response.status_code != expected:
            raise Wrong(self._why(f"{method} {path}", response, expected, remedy))
        return response

    def _why(self, what, response, expected, remedy):
        came = response.status_code
        begin = f"{what} should be answered with {expected}, and is with {came}"
        allowed = sorted(re.findall(r"\w+", response.headers.get("Allow", "")))
        reasons = {
            308: "the path in @app.route(...) ends with a / that nobody asked for: leave it out",
            404: "your service knows no such path: look at the path in @app.route(...), and "
            "whether this copy has the route",
            405: f"the path is there and allows {', '.join(allowed) or 'other methods'} only: look "
            "at methods=[...]",
            415: "your service did not find JSON in the request, though the header says so: "
            "read the body with request.get_json()",
            500: f"your code failed there{failure(response)}",
        }
        return f"{begin}: {reasons.get(came, remedy)}."

    def json(
        self, keys: dict[str, str], method: str, path: str, remedy: str, status=200, **options
    ):
        """Ask, and return the answer's JSON object if it has these keys and no others.

        keys: name: "object", "array", "text", "number" or "true or false".
        """
        response = self.status(status, method, path, remedy, **options)
        return check_keys(f"{method} {path}", json_of(f"{method} {path}", response), keys)


def json_of(what: str, response: requests.Response):
    """Return the JSON of a response; raise Wrong for a web page and for other text."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        pass
    if response.headers.get("Content-Type", "").startswith("text/html"):
        text = one_line(html.unescape(re.sub(r"<[^>]*>", " ", response.text)), 60)
        raise Wrong(
            f"{what} should be answered with JSON, and is with a web page or plain text "
            f"({text!r}): return jsonify(...), which makes the body and its header."
        )
    raise Wrong(
        f"{what} should be answered with JSON, and {response.text[:40]!r} is none: "
        "return jsonify(...)."
    )


def check_keys(what: str, answer, keys: dict[str, str]) -> dict:
    """Return a JSON object that has these keys, of these kinds, and no others; or raise Wrong."""
    if not isinstance(answer, dict):
        raise Wrong(
            f"{what} should be answered with a JSON object, and is with {show(answer)}: give "
            "jsonify names and values."
        )
    if set(answer) != set(keys):
        missing, strange = set(keys) - set(answer), set(answer) - set(keys)
        parts = []
        if missing:
            parts.append(f"{', '.join(sorted(missing))} missing")
        if strange:
            parts.append(f"{', '.join(sorted(strange))} not asked for")
        raise Wrong(
            f"{what} should answer with the keys {', '.join(keys)}, and there is "
            f"{' and '.join(parts)}: give jsonify these keys and no others."
        )
    for name, kind in keys.items():
        value = answer[name]
        flag = isinstance(value, bool)  # True is an int in Python, and no number in JSON
        if not isinstance(value, TYPES[kind]) or flag != (kind == "true or false"):
            raise Wrong(
                f"{what} should give {name} as {kind}, and gives {json.dumps(value)}: "
                "look at the type of what you return."
            )
    return answer


def failure(response: requests.Response) -> str:
    """Return " (TypeError: ...)" from the page of Flask's debugger, if it is one."""
    title = re.search(r"<title>(.*?)\s*// Werkzeug Debugger</title>", response.text, re.S)
    error = f" ({one_line(html.unescape(title[1]), 160)})" if title else ""
    return f"{error}: the service's log says where, in its last lines"


def names_in(script: Path) -> set[str]:
    """Return the names that a script uses; raise Wrong when it is not Python."""
    try:
        tree = ast.parse(script.read_bytes())  # bytes: Notepad's mark at the beginning is fine
    except SyntaxError as error:
        raise Wrong(
            f"{script.name} is not Python yet, line {error.lineno}: {error.msg}. Mend it, and run "
            "its cell again."
        ) from None
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise Wrong(
            f"{script.name} can't be read as Python ({describe(error)}): write it anew, with its "
            "cell."
        ) from None
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


# --- A service to ask ---


@dataclass
class StandIn:
    """A running stand-in: its `url`, and the `requests` that it got, in order."""

    url: str
    requests: list["Asked"] = field(default_factory=list)


@dataclass
class Asked:
    """A request that a stand-in got; `time` is in seconds."""

    method: str
    path: str
    headers: dict
    body: bytes
    time: float


class Quiet(WSGIRequestHandler):
    """Without a log, which would stand in the notebook."""

    def log(self, *_):
        pass


@contextmanager
def stand_in(answer):
    """Run a service on a free port; yield a StandIn.

    answer: a function from (Asked, the number of requests before it) to (status, body) or
    (status, body, seconds to wait). A body that is no text is sent as JSON; a text as HTML.
    """

    def app(environ, start_response):
        request = Request(environ)
        asked = Asked(
            request.method, request.full_path.rstrip("?"), dict(request.headers),
            request.get_data(), time.monotonic(),
        )  # fmt: skip
        service.requests.append(asked)
        status, body, *wait = answer(asked, len(service.requests) - 1)
        stopped.wait(sum(wait))
        text, kind = (body, "text/html") if isinstance(body, str) else (json.dumps(body), JSON)
        return Response(text, status, content_type=kind)(environ, start_response)

    stopped = threading.Event()
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    server.daemon_threads = True
    service = StandIn(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


JSON = "application/json"


def only_json(asked: Asked) -> bool:
    """Say whether a request announced its body as JSON; Flask answers 415 if not."""
    return asked.headers.get("Content-Type", "").split(";")[0] == JSON
