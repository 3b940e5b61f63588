"""Build the image, run it and check it: `python tests/image.py` (no pytest test, it takes minutes).

With Docker, where an engine answers. Else without one, as root on Debian: buildah builds the same
Dockerfile, on a stand-in for the official base image that is made of Debian's packages; the
containers are then processes in namespaces of their own. That proves the Dockerfile and what it
builds, not the official image's contents.

The Dockerfiles of lab 8 are built, too, the broken ones and the mended; and ours with altered
files, which it must refuse. Without Docker, ours is built with no network but a package mirror.

The image is built from the archive that tools/bundle.py writes, so from what is deployed. While a
file of it differs from the last commit there is no archive: then from the files as they are (not
in CI).
"""

import argparse
import base64
import contextlib
import hashlib
import http.client
import json
import os
import platform
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

from labkit import ROOT
from labkit.labs import lab_08
from labkit.labs.container import RECORD

sys.path.insert(0, str(ROOT / "tools"))
import bundle
import lock
from record_docker import layers

BASE = "docker.io/library/python:3.13-slim"
IMAGE = "churn-lab-check"
PORT = 9696
URL = f"http://127.0.0.1:{PORT}"
API_KEY = "a-key-for-this-check-only"
MODEL = "/app/churn-model.bin"
FORGED = "/x%0d%0a%1b[2J"  # decoded, it would end the log's line and clear the screen
STOPS = 4  # how often the service is stopped under load
SLOW = 15  # seconds for which slow clients hold it
TOGETHER = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
NEEDED = {"buildah": "buildah", "mmdebstrap": "mmdebstrap", "ip": "iproute2"}  # program: package


# ── two ways to build and run: with Docker, and without ──────────────────────────────────────────


class Container:
    """A running container: a process of ours, its output in files, and a way to stop it."""

    def __init__(self, command, stop, text=""):
        self.folder = tempfile.TemporaryDirectory()
        self.files = [Path(self.folder.name, name) for name in ("output", "errors")]
        with self.files[0].open("wb") as output, self.files[1].open("wb") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=errors
            )
        self.stop = lambda force=False: stop(self.process, force)
        with self.process.stdin as stdin:
            stdin.write(text.encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        if self.wait(12) is None:
            self.stop(force=True)
            self.process.wait()
        self.folder.cleanup()

    def wait(self, seconds=60):
        """Return the exit code, or None if it still runs after so many seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)

    def output(self):
        """Return all that it has written so far, in bytes: its standard output, then the rest."""
        return b"".join(file.read_bytes() for file in self.files)

    def log(self):
        return self.output().decode(errors="replace")

    def lines(self):
        """Return the lines of its standard output so far."""
        return self.files[0].read_text(encoding="utf-8").splitlines()


class Docker:
    def __init__(self, image=IMAGE):
        self.names, self.image = 0, image

    def build(self, context, *options, expected_to_fail=False):
        command = ["docker", "build", "--tag", self.image, *options, str(context)]
        capture = TOGETHER | {"text": True} if expected_to_fail else {}
        subprocess.run(command, check=True, **capture)

    def inspect(self):
        command = ["docker", "image", "inspect", "--format", "{{json .}}", self.image]
        image = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        self.config, self.bytes = image["Config"], image["Size"]
        self.layers = [one["bytes"] for one in layers(self.image) if not one["base"]]

    def start(
        self,
        argv=None,
        *,
        environment=(),
        user=None,
        read_only=False,
        files=(),
        beside=None,
        text="",
    ):
        """Start the image's entry point, or argv instead; see Processes.start."""
        self.names += 1
        name = f"{self.image}-{os.getpid()}-{self.names}"
        command = ["docker", "run", "--rm", "--interactive", "--name", name]
        if beside:
            command += ["--network", f"container:{beside.name}"]
        elif argv is None:
            command += ["--publish", f"127.0.0.1:{PORT}:{PORT}"]
        command += ["--read-only"] * read_only + ["--user", user] * bool(user)
        for variable in environment:
            command += ["--env", variable]
        for inside, outside in files:
            command += ["--volume", f"{outside}:{inside}:ro"]
        command += ["--entrypoint", argv[0], self.image, *argv[1:]] if argv else [self.image]
        container = Container(command, lambda _, force: self.stop(name, force), text)
        container.name = name
        return container

    @staticmethod
    def memory(container):
        """Return the megabytes that a container's processes use."""
        command = ["docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", container.name]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        number, unit = re.match(r"([\d.]+)([KMG])iB", said).groups()
        return float(number) * 1024 ** (1 + "KMG".index(unit)) / 1e6

    @staticmethod
    def stop(name, force):
        # Docker waits for the container's end; we go on.
        subprocess.Popen(["docker", "kill" if force else "stop", name], stdout=subprocess.DEVNULL)


class Processes:
    """Containers without a daemon: the image's files as root directory, in private namespaces.

    All of them share the network namespace that this script runs in: there is only lo in it.
    """

    def __init__(self, root, image):
        self.root, self.config, self.bytes = root, image["Config"], image["Size"]
        self.layers = image["Layers"]

    def start(
        self,
        argv=None,
        *,
        environment=(),
        user=None,
        read_only=False,
        files=(),
        beside=None,
        text="",
    ):
        """Start the image's entry point as its PID 1, or argv instead, and return a Container.

        environment: "NAME=value" texts; user: "uid:gid"; read_only: the root file system;
        files: (path inside, path outside) pairs, laid over the image's files;
        beside: a container whose network to join; text: what it reads from its standard input.
        """
        config, root = self.config, shlex.quote(str(self.root))
        argv = argv or [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
        user = user or config.get("User") or "0:0"
        user += "" if ":" in user else ":0"  # as Docker does
        variables = [*config["Env"], *environment]
        run = ["chroot", f"--userspec={user}", "--groups=", str(self.root)]
        run += ["/usr/bin/env", "-i", "-C", config.get("WorkingDir") or "/", *variables, *argv]
        script = ["set -e", f"mount --bind {root} {root}"]
        for inside, outside in files:
            script += [f"mount --bind {shlex.quote(str(outside))} {root}{shlex.quote(inside)}"]
        script += [f"mount -o remount,ro,bind {root}"] * read_only
        script += [f"mount --rbind /dev {root}/dev", f"mount -t proc proc {root}/proc"]
        script += [f"exec {shlex.join(run)}"]
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        return Container([*command, "sh", "-c", "\n".join(script)], self.stop, text)

    @staticmethod
    def memory(container):
        """Return the megabytes that a container's processes use."""
        processes = psutil.Process(container.process.pid).children(recursive=True)
        return sum(process.memory_info().rss for process in processes) / 1e6

    @staticmethod
    def stop(process, force):
        for child in psutil.Process(process.pid).children():  # the container's PID 1
            child.kill() if force else child.terminate()


class Buildah:
    """Builds the image without a daemon; all that it keeps is in one folder, `state`."""

    def __init__(self, state):
        self.state = state
        (state / "tmp").mkdir(parents=True, exist_ok=True)
        self.environment = os.environ | {"TMPDIR": str(state / "tmp")}  # caches of RUN --mount
        self.driver = "overlay"
        if self.run("info", check=False, stderr=subprocess.DEVNULL).returncode:
            self.driver = "vfs"  # slower, but works everywhere

    def run(self, *arguments, check=True, **options):
        command = ["buildah", "--root", self.state / "storage", "--runroot", self.state / "run"]
        command += ["--storage-driver", self.driver, *arguments]
        options.setdefault("stdout", subprocess.PIPE)
        return subprocess.run(command, check=check, text=True, env=self.environment, **options)

    def forget(self):
        """Remove what earlier runs have built, but the base.

        This cache does not look at build arguments: it would give an old commit's labels.
        """
        self.run("rm", "--all", check=False, stderr=subprocess.DEVNULL)
        base = self.run("images", "--quiet", BASE, check=False, stderr=subprocess.DEVNULL).stdout
        images = set(self.run("images", "--all", "--quiet").stdout.split()) - set(base.split())
        if images:
            self.run("rmi", "--force", *images, check=False, stderr=subprocess.DEVNULL)

    def make_base(self):
        """Make the stand-in for the official base image, unless it is there."""
        if not self.run("inspect", BASE, check=False, stderr=subprocess.DEVNULL).returncode:
            return
        archive = self.state / "base.tar"
        for suite in ["trixie", "bookworm"]:
            # /usr/local gets a Python of its own with pip, as the official image has it.
            command = ["mmdebstrap", "--quiet", "--variant=minbase", "--format=tar"]
            command += ["--include=ca-certificates,python3,python3-venv"]
            command += ['--customize-hook=chroot "$1" python3 -m venv /usr/local']
            if subprocess.run([*command, suite, archive]).returncode == 0:
                break
            print(f"Debian {suite} can't be installed here.")
        else:
            sys.exit("mmdebstrap could not make a base image: are Debian's packages in reach?")
        if suite != "trixie":
            print(f"The base image stands in with the Python of Debian {suite}, not with 3.13.")
        container = self.run("from", "scratch").stdout.strip()
        root = self.run("mount", container).stdout.strip()
        subprocess.run(["tar", "-C", root, "-xpf", archive], check=True)
        archive.unlink()
        path = "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
        self.run("config", "--env", path, "--env", "LANG=C.UTF-8", "--cmd", "python3", container)
        self.run("commit", "--quiet", "--rm", container, BASE)

    def build(self, context, *options, tag=IMAGE, pip_conf=None, expected_to_fail=False):
        """Build the Dockerfile in a folder, with a pip.conf as its secret if there is one.

        Else the machine's certificates are lent to RUN. Its output is printed if it fails.
        """
        if pip_conf:
            options = ("--secret", f"id=pip,src={pip_conf}", *options)
        else:
            file = self.state / "pip.conf"
            file.write_text("[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n", "utf-8")
            options = ("--volume", f"{file}:/etc/pip.conf:ro", *options)
            options = ("--volume", "/etc/ssl/certs:/etc/ssl/certs:ro", *options)
        try:
            self.run(
                "build", "--isolation", "chroot", "--pull-never", "--force-rm", "--format",
                "docker", "--layers", "--tag", tag, *options, context, **TOGETHER,
            )  # fmt: skip
        except subprocess.CalledProcessError as error:
            if not expected_to_fail:
                print(error.output)
            raise

    @contextlib.contextmanager
    def mounted(self, tag=IMAGE):
        """Give the directory with an image's files, and what `docker inspect` would say of it."""
        container = self.run("from", "--pull-never", tag).stdout.strip()
        try:
            inspected = json.loads(self.run("inspect", container).stdout)
            layers = json.loads(inspected["Manifest"])["layers"]
            image = {
                "Config": json.loads(inspected["Config"])["config"],
                "Size": sum(layer["size"] for layer in layers),
                "Layers": [layer["size"] for layer in layers[1:]],  # the base is one layer here
            }
            yield self.run("mount", container).stdout.strip(), image
        finally:
            self.run("umount", container, check=False)
            self.run("rm", container, check=False)


# ── the checks ───────────────────────────────────────────────────────────────────────────────────

failed = []


def check(good, fact, seen=""):
    """Print the fact with ✔, or with ✘ and what was seen instead."""
    print(f"  ✔ {fact}" if good else f"  ✘ {fact}: {str(seen).strip()[-1500:] or 'it is not so'}")
    if not good:
        failed.append(fact)


def ask(path):
    """Return the status and the body of a GET; status 0 if there is no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error)
    finally:
        connection.close()


@contextlib.contextmanager
def service(engine, seconds=30, **options):
    """Run the image until the block ends; it answers on PORT.

    Raises RuntimeError with its log if it does not answer within so many seconds.
    """
    with engine.start(**options) as container:
        end = time.monotonic() + seconds
        while ask("/ping")[0] != 200:
            if container.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the container does not answer; its log: {container.log()}")
            time.sleep(0.1)
        yield container


def run(engine, argv, **options):
    """Run argv in a container of the image until it ends; return exit code and output in bytes."""
    with engine.start(argv, **options) as container:
        return container.wait(), container.output()


def dockerfile_is_clean(engine):
    hadolint = Path(sys.executable).with_name("hadolint")
    if sys.platform == "win32":
        print("  ○ hadolint is not made for Windows")
        return
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True)
    check(done.returncode == 0, "hadolint finds nothing in the Dockerfile", done.stdout)


def layers_are_as_recorded(engine):
    """The sizes that lesson 8 shows: of what the Dockerfile adds, not of the base."""
    recorded = tomllib.loads(RECORD.read_text(encoding="utf-8"))["layer"]
    recorded = [one["bytes"] for one in recorded if not one["base"]]
    # Docker adds up the files' bytes, buildah the archive's: some kilobytes more for each.
    alike = [
        abs(one - other) < max(0.05 * other, 6_000)
        for one, other in zip(engine.layers, recorded, strict=False)
    ]
    good = len(engine.layers) == len(recorded) and all(alike)
    check(good, f"the layers weigh what lesson 8 says: {engine.layers} bytes", recorded)


def image_holds_only_the_service(engine):
    user = engine.config.get("User", "")
    _, uid = run(engine, ["id", "-u"])
    uid = uid.decode().strip()
    check(uid.isdecimal() and int(uid) > 0, f"the user is not root (its uid is {uid})")
    check(user.split(":")[0].isdecimal(), "the user is a number in the Dockerfile", user)

    script = """
from importlib.metadata import distributions
print(*(f"{one.name}=={one.version}" for one in distributions()))
"""
    _, output = run(engine, ["python", "-c", script])
    installed = {name.lower().replace("_", "-") for name in output.decode().split()}
    lock = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))["default"]
    locked = {name + package["version"] for name, package in lock.items()}
    fact = "exactly the locked [packages] are installed, so no pandas"
    check(installed == locked, fact, installed ^ locked)

    _, output = run(engine, ["find", "/", "-xdev"], user="0:0")
    paths = {Path(line) for line in output.decode().splitlines()}
    app = {path.name for path in paths if path.parent == Path("/app")}
    expected = {"churn_serving.py", "production.py", "churn-model.bin", "churn-model.json"}
    check(app == expected, "/app holds the service, its door, the model and its card", app)
    left = sorted(str(path) for path in paths if is_left_over(path))
    check(not left, "no Pipenv, compiler, data, pickle or cache is left over", left[:20])
    _, output = run(engine, ["find", "/opt/venv", "-type", "f"])
    files = [Path(line) for line in output.decode().splitlines()]
    tests = [str(path) for path in files if {"test", "tests"} & set(path.parts)]
    needed = [path for path in tests if Path(path).name.startswith("_natype.")]
    check(tests == needed, "no package has its tests with it", sorted(tests)[:20])
    compiled = {path.stem.partition(".")[0] for path in files if path.suffix == ".pyc"}
    fact = f"{len(compiled)} modules are compiled, so that the service starts quickly"
    check({"_classes", "_natype"} <= compiled and len(compiled) > 1000, fact)
    _, output = run(engine, ["find", "/app", "/opt/venv", "-writable", "-not", "-type", "l"])
    check(not output, "the service may change none of its own files", output.decode())


def is_left_over(path):
    if path.parent.name == "bin" and path.name in ["pipenv", "gcc", "cc", "g++", "clang", "make"]:
        return True
    if path.name == "pipenv" or path == Path("/build") or path.parent == Path("/tmp"):
        return True
    if path.name in ["pip", "pipenv"] and path.parent.name == ".cache":
        return True
    data = path.suffix in [".csv", ".pkl", ".pickle"] or path.name == "customer.json"
    return data and "usr" not in path.parts and "site-packages" not in path.parts


def service_works_on_a_read_only_file_system(engine):
    health = engine.config["Healthcheck"]["Test"][1:]
    code, output = run(engine, health)
    check(code != 0, "the HEALTHCHECK fails while the service is down", output)

    with service(engine, read_only=True) as container:
        code, output = run(engine, ["touch", "/app/x"], user="0:0", read_only=True)
        good = code != 0 and b"Read-only file system" in output
        check(good, "the root file system is read-only, even for root", output)
        check(ask("/ping") == (200, "PONG"), "/ping answers PONG", ask("/ping"))
        status, body = ask("/health")
        good = status == 200 and json.loads(body)["status"] == "ok"
        check(good, "/health answers ok", body)
        code, output = run(engine, health, beside=container)
        check(code == 0, "the HEALTHCHECK succeeds while the service is up", output)
        addresses = listening(engine, container)
        check(addresses == {f"0.0.0.0:{PORT}"}, "the service is bound to 0.0.0.0", addresses)
        ask(FORGED)
        contract_holds()
        log_is_json_and_tells_no_secret(container)

    with service(engine, read_only=True, environment=[f"CHURN_API_KEY={API_KEY}"]) as container:
        status, _ = ask("/predict")
        check(status == 401, "with CHURN_API_KEY, nothing is answered without the key", status)
        ask(FORGED)
        contract_holds(CHURN_API_KEY=API_KEY)
        log_is_json_and_tells_no_secret(container)


def log_is_json_and_tells_no_secret(container):
    """Each line of standard output tells of one request; granian's own words go elsewhere."""
    try:
        paths = [json.loads(line)["path"] for line in container.lines()]
    except (ValueError, TypeError, KeyError):
        paths = []
    fact = f"standard output has one line of JSON for each of {len(paths)} requests"
    check(paths.count(FORGED) == 1 and "/predict" in paths, fact, container.log())
    errors = container.files[1].read_text(encoding="utf-8")
    check("Listening at" in errors, "granian's own words go to standard error", errors)
    secret = [text for text in ("\x1b", API_KEY, "8879-zkjof", "mailed") if text in container.log()]
    check(not secret, "the log holds no escape sequence, no key and no customer", secret)


def listening(engine, container):
    """Return the addresses that are listened on in the container's network: {"0.0.0.0:9696"}."""
    _, output = run(engine, ["cat", "/proc/net/tcp", "/proc/net/tcp6"], beside=container)
    rows = [line.split() for line in output.decode().splitlines()]
    found = [row[1].split(":") for row in rows if row[3] == "0A"]  # 0A: listening
    # The kernel writes 127.0.0.1 as 0100007F.
    return {
        f"{'.'.join(str(byte) for byte in reversed(bytes.fromhex(host)))}:{int(port, 16)}"
        for host, port in found
    }


def contract_holds(**key):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short"]
    command += [ROOT / "tests" / "test_contract.py"]
    environment = os.environ | {"CHURN_SERVICE_URL": URL} | key
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    last = (done.stdout.strip().splitlines() or ["no output"])[-1]
    fact = f"the contract holds {'with' if key else 'without'} a key ({last})"
    check(done.returncode == 0, fact, done.stdout + done.stderr)


def port_can_be_changed(engine):
    health = engine.config["Healthcheck"]["Test"][1:]
    with engine.start(environment=["PORT=8123"]) as container:
        for _ in range(30):
            code, output = run(engine, health, environment=["PORT=8123"], beside=container)
            if code == 0:
                break
            time.sleep(0.3)
        check(code == 0, "PORT changes the port, and the HEALTHCHECK's with it", output)


def stop_loses_no_request(engine):
    load = (ROOT / "tests" / "container" / "load.py").read_text(encoding="utf-8")
    customer = (ROOT / "data" / "customer.json").read_text(encoding="utf-8")
    argv = ["python", "-", str(PORT), customer]
    clients_in_all = never_taken = 0
    for _ in range(STOPS):
        with (
            service(engine) as container,
            engine.start(argv, beside=container, text=load) as clients,
        ):
            end = time.monotonic() + 25
            while "busy" not in clients.log() and time.monotonic() < end:
                time.sleep(0.1)
            begin = time.monotonic()
            container.stop()
            code = container.wait(12)
            seconds = time.monotonic() - begin
            crashed, seen = clients.wait(45), clients.log()
            log, result = container.log(), (clients.lines() or [""])[-1]
        fact = f"the container ends with exit code {code} after {seconds:.1f} s"
        check(code == 0 and seconds < 10, fact, log)
        if crashed:
            check(False, "the load can be put on the service", seen)
            continue
        result = json.loads(result)
        good = result["closed"] and not result["lost"] and not result["problems"]
        good = good and result["finished after the stop"] == result["held"]
        check(good, f"it lost no request that it had taken ({result})", log)
        clients_in_all += result["clients"]
        never_taken += result["never taken"]
    # A service that drops what it has in hand would leave nearly all of them without an answer.
    fact = f"of {clients_in_all} clients' last requests it took all but {never_taken}"
    check(never_taken < clients_in_all / 2, fact)


def slow_clients_hold_up_nobody(engine):
    slow = (ROOT / "tests" / "container" / "slow.py").read_text(encoding="utf-8")
    customer = (ROOT / "data" / "customer.json").read_text(encoding="utf-8")
    argv = ["python", "-", str(PORT), customer, str(SLOW)]
    health = engine.config["Healthcheck"]["Test"][1:]
    with (
        service(engine) as container,
        engine.start(argv, beside=container, text=slow) as clients,
    ):
        idle, used, end = engine.memory(container), [], time.monotonic() + SLOW + 30
        while "held" not in clients.lines() and time.monotonic() < end:
            time.sleep(0.1)
        code, output = run(engine, health, beside=container)
        check(code == 0, "the HEALTHCHECK succeeds while slow clients hold on", output)
        while len(clients.lines()) < 2 and clients.wait(0.5) is None and time.monotonic() < end:
            used.append(engine.memory(container))
        if len(clients.lines()) < 2:
            return check(False, "slow clients can be put on the service", clients.log())
        result = json.loads(clients.lines()[-1])
        # Had they to wait for a slow client, it would be for 10 s. Some are for a busy machine.
        good = result["statuses"] == ["200"] and max(result["slowest"].values()) < 5
        check(good, f"all others get their answers, after {result['slowest']} s at most", result)
        good = result["late statuses"] == [408] and result["late"] >= 200
        good = good and result["late after"][0] > 9 and result["late after"][1] < 20
        check(good, f"{result['late']} late bodies got 408 after {result['late after']} s", result)
        fact = f"its memory stays bounded: {idle:.0f} MB idle, at most {max(used):.0f} MB"
        check(max(used) < 2 * idle, fact)
        begin = time.monotonic()
        container.stop()
        code, seconds = container.wait(12), time.monotonic() - begin
        fact = f"with them there, it ends with exit code {code} after {seconds:.1f} s"
        check(code == 0 and seconds < 10, fact, container.log())


def damaged_model_is_refused(engine):
    _, model = run(engine, ["cat", MODEL])
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        altered = Path(folder, "altered.bin")
        altered.write_bytes(model[:-1] + b"!")
        for options, sentence in [
            ({"files": [(MODEL, altered)]}, "is not the file that its card describes"),
            ({"environment": ["CHURN_MODEL=/app/none.bin"]}, "No model and card at /app/none.bin"),
        ]:
            with engine.start(**options) as container:
                code, log = container.wait(30), container.log()
            good = code not in [0, None] and sentence in log and "Traceback" not in log
            check(good, f"it ends with exit code {code} and says {sentence!r}", log)


def script_alone_stays_on_this_machine(engine):
    """Outside the container the very same file listens on 127.0.0.1 only."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ["churn-model.bin", "churn-model.json"]:
            Path(folder, name).write_bytes(run(engine, ["cat", f"/app/{name}"])[1])
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        model = str(Path(folder, "churn-model.bin"))
        environment = os.environ | {"PORT": port, "CHURN_MODEL": model}
        command = [sys.executable, ROOT / "solutions" / "churn_serving.py"]
        process = subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            addresses = []
            for _ in range(300):
                connections = psutil.Process(process.pid).net_connections("tcp")
                addresses = [c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN]
                if addresses or process.poll() is not None:
                    break
                time.sleep(0.1)
        finally:
            process.kill()
            _, errors = process.communicate()
        fact = "the script alone, outside the container, is bound to 127.0.0.1"
        check(addresses == ["127.0.0.1"], fact, f"{addresses} {errors}")


CHECKS = [
    dockerfile_is_clean,
    layers_are_as_recorded,
    image_holds_only_the_service,
    service_works_on_a_read_only_file_system,
    port_can_be_changed,
    stop_loses_no_request,
    slow_clients_hold_up_nobody,
    damaged_model_is_refused,
    script_alone_stays_on_this_machine,
]


# ── the labels ───────────────────────────────────────────────────────────────────────────────────


def labels(commit):
    """Return the image's labels, as a build of this commit gives them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        "title": "churn",
        "description": "Answers how likely a customer is to leave",
        "licenses": "MIT",
        "source": project["tool"]["labkit"]["repository"],
        "revision": commit,
    }


def check_labels(config, expected):
    prefix = "org.opencontainers.image."
    there = {
        name.removeprefix(prefix): text
        for name, text in (config.get("Labels") or {}).items()
        if name.startswith(prefix)
    }
    check(there == expected, f"the labels tell its origin ({expected['revision'][:7]})", there)


# ── what the build must refuse, and where it gets its packages from ──────────────────────────────

DIGITS = (r"sha256:\w{8}", "sha256:01234567")
REFUSED = [  # a file, what is altered in it, and what the build must say
    ("Pipfile", (r"(?m)^flask = .*", 'flask = "<3"'), "Pipfile.lock is out-of-date"),
    ("Pipfile.lock", DIGITS, "DO NOT MATCH THE HASHES"),
    ("pipenv.txt", DIGITS, "DO NOT MATCH THE HASHES"),
    ("pipenv.txt", (r"distlib==.*\n( +--hash.*\n)+", ""), "In --require-hashes mode"),
]


def check_refusals(build):
    """Alter one file at a time; build(folder, ...) must then fail, with its output in the error."""
    with deployed() as (context, _):
        for name, (pattern, new), reason in REFUSED:
            file, text = context / name, (context / name).read_text(encoding="utf-8")
            file.write_text(re.sub(pattern, new, text), encoding="utf-8")
            output = ""
            try:
                build(context, "--target", "packages", expected_to_fail=True)
            except subprocess.CalledProcessError as error:
                output = error.output
            file.write_text(text, encoding="utf-8")
            check(reason in output, f"an altered {name} stops the build: {reason}", output)


USER, PASSWORD, FOLDER = "builder-of-this-check", "secret-of-this-check", "mirror-of-this-check"


class Mirror(SimpleHTTPRequestHandler):
    """A package index (PEP 503) over a folder of wheels, for those with the password."""

    def do_GET(self):
        password = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {password}":
            self.answer(401)
        elif self.path.startswith(f"/{FOLDER}/"):
            project = self.path.split("/")[2]
            names = [path.name for path in Path(self.directory).iterdir()]
            same = [one for one in names if project == one.split("-")[0].lower().replace("_", "-")]
            self.answer(200, "".join(f'<a href="/{name}">{name}</a>' for name in same))
        else:
            super().do_GET()

    def answer(self, status, text=""):
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("WWW-Authenticate", 'Basic realm="packages"')
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def collect_wheels(buildah):
    """Make the image "wheels", whose folder /wheels has all packages that the build installs."""
    locked = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    dockerfile = f"FROM {BASE}\n"
    with tempfile.TemporaryDirectory() as folder:
        for section in ("build", "default", "train"):
            Path(folder, section).write_text(lock.requirements(locked[section]), encoding="utf-8")
            dockerfile += f"COPY {section} /\nRUN --mount=type=cache,target=/root/.cache/pip "
            dockerfile += f"pip download --quiet --require-hashes --dest /wheels -r /{section}\n"
        Path(folder, "Dockerfile").write_text(dockerfile, encoding="utf-8")
        buildah.build(folder, tag="wheels")


def build_from_mirror(buildah, wheels, context, *options):
    """Build in this network namespace, in which there is nothing but the mirror."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Mirror, directory=wheels))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://{USER}:{PASSWORD}@127.0.0.1:{server.server_port}/{FOLDER}"
    with tempfile.TemporaryDirectory() as folder:
        pip_conf = Path(folder, "pip.conf")
        pip_conf.write_text(f"[global]\nindex-url = {url}\n", encoding="utf-8")
        buildah.build(context, *options, pip_conf=pip_conf)


def check_secrecy(buildah):
    """Look for the mirror in what a registry would get: layers, their history, settings."""
    with tempfile.TemporaryDirectory() as folder:
        buildah.run("push", "--quiet", "--disable-compression", IMAGE, f"dir:{folder}")
        content = b"".join(path.read_bytes() for path in Path(folder).iterdir())
    control = b"ENTRYPOINT" in content and b"def predict" in content  # history and files are there
    found = [text for text in (USER, PASSWORD, FOLDER) if text.encode() in content]
    fact = "the image has no word of the mirror that it was built from, nor of the password"
    check(control and not found, fact, found)


# ── the training ─────────────────────────────────────────────────────────────────────────────────

OURS = "ENV OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1\n"
OTHERS = ["ENV OPENBLAS_CORETYPE=Nehalem OPENBLAS_NUM_THREADS=2\n"]
OTHERS += ["ENV OPENBLAS_CORETYPE=SkylakeX OPENBLAS_NUM_THREADS=1\n"]


def check_training(train):
    """Build the stage training as if by other machines; train(folder) returns its model's bytes.

    The others' settings stand before ours, where the stage would have inherited them.
    """
    with deployed() as (context, _):
        dockerfile = context / "Dockerfile"
        text, models = dockerfile.read_text(encoding="utf-8"), []
        for settings in [OURS, OTHERS[0] + OURS, OTHERS[1] + OURS, OTHERS[0]]:
            dockerfile.write_text(text.replace(OURS, settings), encoding="utf-8")
            models.append(hashlib.sha256(train(context)).hexdigest()[:8])
    *same, other = models
    check(OURS in text and len(set(same)) == 1, "other builds make the same model", models)
    if platform.machine() in ("x86_64", "AMD64"):
        check(other != same[0], "without the Dockerfile's settings they would not", models)


# ── lab 8's Dockerfiles ──────────────────────────────────────────────────────────────────────────

# Broken, these can't be built or don't answer; the fourth is unsafe.
USELESS = ["mend-the-names", "mend-the-quotes", "it-runs-on-my-machine"]


def lab_dockerfiles():
    """Yield for each Dockerfile of lab 8: exercise, "broken" or "mended", its build folder."""
    for name in lab_08.BUILDS:
        texts, last = lab_08.texts(name), lab_08.last(name)
        for kind in ("broken", "mended"):
            with tempfile.TemporaryDirectory() as folder:
                ignore = texts.get(f"ignore_{last}", "") if kind == "mended" else ""
                lab_08.write_context(name, Path(folder), texts[f"{kind}_{last}"], ignore)
                yield name, kind, folder


def answers(engine):
    """Say whether a container of the image answers /ping within some seconds."""
    try:
        with service(engine, seconds=8):
            return True
    except RuntimeError:
        return False


def check_lab(build_and_ask):
    """Build each Dockerfile; build_and_ask(name, folder) says whether its container answers."""
    for number, kind, folder in lab_dockerfiles():
        try:
            answered = build_and_ask(f"lab-{number}", folder)
        except subprocess.CalledProcessError:  # it can't be built
            answered = False
        good = answered != (kind == "broken" and number in USELESS)
        check(good, f"{number}, {kind}: it {'answers' if answered else 'is of no use'}")


@contextlib.contextmanager
def timed(step):
    print(f"{step}:", flush=True)
    begin = time.monotonic()
    yield
    print(f"  {time.monotonic() - begin:.1f} s", flush=True)


def check_all(engine):
    """Run every check."""
    print(f"image size: {engine.bytes / 1e6:.0f} MB")
    for function in CHECKS:
        name = function.__name__.replace("_", " ")
        with timed(name):
            try:
                function(engine)
            except Exception as error:  # the other checks can still tell something
                check(False, name, f"{type(error).__name__}: {error}")


def tell():
    """Say at the end what failed, since a log may be read from there; return the exit code."""
    print(*["✘ These checks failed:", *failed] if failed else ["✔ All checks passed."], sep="\n  ")
    return bool(failed)


# ── the two roads ────────────────────────────────────────────────────────────────────────────────


def docker_answers():
    if not shutil.which("docker"):
        return False
    return subprocess.run(["docker", "info"], capture_output=True).returncode == 0


def install_what_is_missing():
    """Install the programs in NEEDED through apt-get; exit with a sentence where that can't be."""
    missing = sorted({package for name, package in NEEDED.items() if not shutil.which(name)})
    debian = Path("/etc/debian_version").exists()
    if not debian or os.geteuid() != 0:
        sys.exit("No Docker engine answers: start Docker, or run this as root on Debian.")
    if missing:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        subprocess.run(command, check=True)


@contextlib.contextmanager
def deployed():
    """Give a folder with what is deployed: the archive, unpacked; and the commit, "" for none."""
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder, "context")
        try:
            print(f"  {bundle.bundle(Path(folder, 'churn-service.zip'))}")
            with zipfile.ZipFile(Path(folder, "churn-service.zip")) as archive:
                archive.extractall(context)
                commit = archive.comment.decode()
        except bundle.Refused as reason:
            command = ["git", "rev-parse", "HEAD"]
            done = subprocess.run(command, cwd=ROOT, capture_output=True)
            if os.environ.get("CI") and done.returncode == 0:
                sys.exit(f"✘ There is no archive to build from. {reason}")
            print(f"  ○ not built from the archive: {reason}")
            for name in bundle.contents(ROOT):
                (context / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, context / name)
            commit = ""
        yield context, commit


def build(how):
    """Build the image with how(folder, *options); return the labels that it must have."""
    with deployed() as (context, commit):
        expected = labels(commit)
        source, revision = (f"{name.upper()}={expected[name]}" for name in ("source", "revision"))
        how(context, "--build-arg", source, "--build-arg", revision)
    return expected


def inside(root, image, *options):
    """Run this script in private namespaces, of which nothing is left; return its exit code."""
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command += [sys.executable, __file__, "--inside", root, "--image", json.dumps(image), *options]
    return subprocess.run(command, timeout=600).returncode


def check_without_docker(state):
    """Build with buildah, then go on in private namespaces."""
    with timed("tools"):
        install_what_is_missing()
        buildah = Buildah(state)
        buildah.forget()
    with timed("base image"):
        buildah.make_base()
    with timed("the packages"):
        collect_wheels(buildah)
    with timed("build, from a mirror with a password and no other network"):
        with buildah.mounted("wheels") as (root, _):
            command = ["unshare", "--net", sys.executable, __file__, "--state", state, "--mirror"]
            wheels = str(Path(root, "wheels"))
            expected = build(
                lambda context, *options: subprocess.run(
                    [*command, json.dumps([wheels, str(context), *options])], check=True
                )
            )
        check_secrecy(buildah)
    with buildah.mounted() as (root, image):
        check_labels(image["Config"], expected)
        check(inside(root, image) == 0, "the checks in the image's own namespaces pass")

    def train(folder):
        buildah.build(folder, "--target", "training", tag="training")
        with buildah.mounted("training") as (root, _):
            return Path(root, "build", "churn-model.bin").read_bytes()

    with timed("what the build must refuse"):
        check_refusals(partial(buildah.build, tag="refused"))
    with timed("the training under other settings"):
        check_training(train)

    def build_and_ask(name, folder):
        buildah.build(folder, tag=name)
        with buildah.mounted(name) as (root, image):
            return not inside(root, image, "--answers")

    with timed("the Dockerfiles of lab 8"):
        check_lab(build_and_ask)
    return tell()


def check_with_docker():
    engine = Docker()
    with timed("build"):
        expected = build(engine.build)
    engine.inspect()
    check_labels(engine.config, expected)
    check_all(engine)

    def train(folder):
        engine = Docker(f"{IMAGE}-training")
        engine.build(folder, "--target", "training")
        return run(engine, ["cat", "churn-model.bin"])[1]

    with timed("what the build must refuse"):
        check_refusals(Docker("refused").build)
    with timed("the training under other settings"):
        check_training(train)

    def build_and_ask(name, folder):
        engine = Docker(name)
        engine.build(folder)
        return answers(engine)

    with timed("the Dockerfiles of lab 8"):
        check_lab(build_and_ask)
    return tell()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(tempfile.gettempdir(), "churn-image")
    parser.add_argument(
        "--state", type=Path, default=default, help="where buildah keeps its layers"
    )
    parser.add_argument("--inside", help=argparse.SUPPRESS)  # the image's files, in the namespaces
    parser.add_argument("--image", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--answers", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--mirror", type=json.loads, help=argparse.SUPPRESS)  # as build_from_mirror
    args = parser.parse_args()
    if args.mirror:
        return build_from_mirror(Buildah(args.state), *args.mirror)
    if args.inside:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        engine = Processes(Path(args.inside), args.image)
        if args.answers:
            return not answers(engine)
        check_all(engine)
        return tell()
    if docker_answers():
        return check_with_docker()
    return check_without_docker(args.state.resolve())


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"This command failed with exit code {error.returncode}: {error.cmd}")
