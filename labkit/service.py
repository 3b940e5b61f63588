"""Start a web service from a notebook, as a terminal would, and never leave it behind.

    service = labkit.service.start("churn_serving.py")
    requests.get(service.url + "/ping")
    print(service.log())
    service.stop()

The script runs in a process of its own, under guard.py. It ends with `stop()`, with the
notebook's kernel, and when the kernel is killed; interrupting a cell (■) does not touch it.
"""

import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import psutil

from labkit import SOLUTIONS, SOLVED_LABS, LabError, own_port

READY = "/labkit-asks-whether-you-are-ready"
PORT = own_port()
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
NEAREST = ["127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "::"]  # where 127.0.0.1 leads, best first
STRANGER = "another user's program, or one that the lab can't look into (a container, say)"
no_proxy = build_opener(ProxyHandler({}))  # a proxy would ask its own localhost

_started = {}  # port: Service, of this kernel


def start(script, *arguments, port: int = PORT, wait: float = 60, **environment: str) -> "Service":
    """Start a script that serves HTTP on a port of this machine and return it once it answers.

    script: a file in the current folder, else in solutions/ or solutions/labs/; arguments go to the
    script, PORT and the named environment variables into its environment. wait: seconds.
    A service that this kernel runs on the same port is stopped first. Raises LabError when the
    script is not found, another program holds the port, or the script ends, listens on another
    port, or does not answer.
    """
    folders = [Path.cwd(), SOLUTIONS, SOLVED_LABS]
    path = next((folder / script for folder in folders if (folder / script).is_file()), None)
    if path is None:
        raise LabError(f"There is no script {script} here or in solutions/.")
    if port in _started:
        _started.pop(port).stop()
    if is_open(port):
        who = holder(port)
        raise LabError(f"Port {port} is taken by {who}: {way_out(who)}.")
    service = Service(path, arguments, port, environment)
    try:
        service.wait_until_ready(wait)
    except BaseException:  # also ■ while waiting
        service.stop()
        raise
    _started[port] = service
    return service


class Service:
    """A running script: `url`, `process`, `log()` and `stop()`; also a context manager."""

    def __init__(self, path, arguments, port, environment):
        self.path, self.port, self.url = path, port, f"http://127.0.0.1:{port}"
        guard = Path(__file__).with_name("guard.py")
        # A group of its own, or the notebook's interrupt button would end the service too.
        group = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
            if sys.platform == "win32"
            else {"start_new_session": True}
        )
        self.process = subprocess.Popen(
            [sys.executable, guard, path, *arguments],
            env=os.environ
            | {"PORT": str(port), "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
            | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            **group,
        )
        self._lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            if READY not in line:
                self._lines.append(COLOURS.sub("", line))

    def wait_until_ready(self, seconds: float) -> None:
        """Return when this very process answers; raise LabError when it ends or stays silent."""

        def decided():
            ended = self.process.poll() is not None
            return ended or (self.owns_port() and self._answers())

        in_time = wait_until(decided, min(5, seconds))
        if not in_time and (other := self.other_port()):
            raise LabError(
                f"{self.path.name} listens on port {other}, and not on {self.port}: change the "
                "port in it, and run this cell again."
            )
        if not in_time and self.owns_port() and not is_open(self.port):
            raise LabError(
                f"{self.path.name} listens on port {self.port} of another address than 127.0.0.1: "
                'write host="127.0.0.1" in it, and run this cell again.'
            )
        in_time = in_time or wait_until(decided, seconds - 5)
        if self.process.poll() is not None:
            self._reader.join(5)
            raise LabError(f"{self.path.name} ended by itself. It said: {self._last_words()}")
        if not in_time:
            raise LabError(
                f"{self.path.name} does not answer on port {self.port} after {seconds} s. "
                f"It said: {self._last_words()}"
            )

    def owns_port(self) -> bool:
        """Say whether this process, or one that it started, listens on the port."""
        return any(listens(process, self.port) for process in self._family())

    def other_port(self) -> int | None:
        """Return a port on which the service listens where it does not on its own, or None."""
        found = {port for process in self._family() for port in ports(process)}
        return None if self.port in found else next(iter(found), None)

    def _family(self):
        try:
            process = psutil.Process(self.process.pid)
            return [process, *process.children(recursive=True)]
        except psutil.Error:
            return []

    def _answers(self):
        try:
            no_proxy.open(f"http://127.0.0.1:{self.port}{READY}", timeout=2).close()
        except HTTPError as answer:  # 404 is an answer
            answer.close()
        except (OSError, HTTPException):
            return False
        return True

    def _last_words(self):
        lines = [line.strip() for line in self._lines if line.strip()]
        return lines[-1] if lines else "nothing."

    def log(self) -> str:
        """Return what the service has printed so far, without colours."""
        count, deadline = -1, time.monotonic() + 1
        while count < len(self._lines) and time.monotonic() < deadline:
            count = len(self._lines)  # a log line may arrive after the answer
            time.sleep(0.2)
        return "".join(self._lines)

    def stop(self) -> None:
        """End the service and all that it started; harmless when it has ended already."""
        family = []
        with suppress(psutil.Error):
            if self.process.poll() is None:  # else its number may be another program's by now
                family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.stdin.close()  # the guard sees it
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(1)  # the log ends when the last of the family has ended
        for process in family:
            with suppress(psutil.Error):  # mostly: it has ended
                process.kill()
        wait_until(lambda: all(map(has_ended, family)), 5)
        self._reader.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def wait_until(condition, seconds: float) -> bool:
    """Wait until the condition is true, as long as the seconds last; say whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def has_ended(process: psutil.Process) -> bool:
    """Say whether a process has ended, even if its parent has not been told yet (a zombie)."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def is_open(port: int) -> bool:
    """Say whether anything accepts connections on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def spare_port() -> int:
    """Return a port from 9700 to 9999 that nobody uses now.

    Each user has another first choice (Windows: a random one), so that a class can start at once,
    and a service that is not running now does not lose its port to the next who asks.
    """
    ports = list(range(9700, 10_000))
    random.shuffle(ports)
    if hasattr(os, "getuid"):
        ports.insert(0, 9700 + os.getuid() % 300)
    free = (port for port in ports if port != PORT and not is_open(port))
    return next(free, None) or free_port()  # some guards of a machine answer on all


# --- Who listens ---


def listens(process: psutil.Process, port: int) -> bool:
    """Say whether the process listens on the port, as far as we may look into it."""
    return port in ports(process)


def ports(process: psutil.Process) -> dict[int, set[str]]:
    """Return {port: addresses} on which a process listens, as far as we may look into it."""
    found = {}
    with suppress(psutil.Error):
        for connection in process.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN:
                found.setdefault(connection.laddr.port, set()).add(connection.laddr.ip)
    return found


def processes():
    """Return all processes as they are now: psutil remembers those whose number is reused."""
    psutil.process_iter.cache_clear()
    return psutil.process_iter()


def listeners(port: int) -> list[psutil.Process]:
    """Return the processes that 127.0.0.1 leads to on this port, as far as we may look.

    Where one listens on 127.0.0.1 and another on 0.0.0.0, the former answers. Flask's reloader
    shares its socket with the child that it starts; the child answers.
    """
    found = {}  # how near: processes
    for process in processes():  # one by one: macOS forbids the direct way
        here = ports(process).get(port, ())
        near = [n for n, address in enumerate(NEAREST) if address in here]
        if near:
            found.setdefault(near[0], []).append(process)
    nearest = found[min(found)] if found else []
    parents = set()
    for process in nearest:
        with suppress(psutil.Error):
            parents.add(process.ppid())
    return [process for process in nearest if process.pid not in parents]


def is_mine(process: psutil.Process) -> bool:
    """Say whether a process is this user's; one that we may not look into is not."""
    try:
        return process.username() == psutil.Process().username()
    except psutil.Error:
        return False


def holder(port: int) -> str:
    """Name who answers on the port: its command and process id, if it is this user's."""
    found = listeners(port)
    return name_of(found[0]) if found and all(map(is_mine, found)) else STRANGER


def way_out(who: str) -> str:
    """Say what to do about a port that this `holder` has."""
    if who != STRANGER:
        return (
            "stop it (Ctrl+C in its terminal, or shut down the notebook that started it), then try "
            "again"
        )
    own = spare_port()
    start = (
        f"`$env:LAB_PORT={own}; py start.py` (in cmd: `set LAB_PORT={own}& py start.py`)"
        if sys.platform == "win32"
        else f"`LAB_PORT={own} python3 start.py`"
    )
    return (
        "if it is a container of yours, stop that; if not, take a port of your own: stop "
        f"JupyterLab, and start it with {start}"
    )


def name_of(process: psutil.Process) -> str:
    """Return a process's command without its folders, and its id."""
    try:
        words = process.cmdline()[:3]
        if "-c" in words:
            words = words[: words.index("-c") + 1]  # without the code
        names = [Path(word).name for word in words]
        command = " ".join(name for name in names if name != "guard.py")
    except psutil.Error:
        command = ""
    return f"{command or 'a program'} (process {process.pid})"
