#!/usr/bin/env python3
# -*- coding: utf-8 -*-
"""Set up the churn lab, then open it.

Usage: python3 start.py [COMMAND]
  (none), lab [OPTIONS]   set up, then open JupyterLab (--no-browser and its other options)
  setup                   only set up
  test [OPTIONS]          set up, then run every test (pytest's options)
  doctor [OPTIONS]        say what is wrong on this machine; sets nothing up

On Windows write: py start.py. Setting up makes a Python environment in the folder .venv from
Pipfile.lock and checks each file against its hash there. Nothing else on the machine changes; to
undo it, delete .venv. Once it is there, a start takes seconds and needs no internet.
"""
# An old Python must be able to read this file, to refuse itself in a sentence: so no f-strings,
# no annotations, no [*lists], and nothing but the standard library.
# ruff: noqa: RUF005

from __future__ import print_function

import ast
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

OLDEST, NEWEST = (3, 11, 5), (3, 14)
DOWNLOAD_MB, INSTALLED_MB = 350, 950  # measured on Linux
NEEDED_MB = 2000  # where a file system can't link files, they are there twice until the end

WINDOWS = os.name == "nt"
ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, *(["Scripts", "python.exe"] if WINDOWS else ["bin", "python"]))
STAMP = os.path.join(VENV, "complete.json")  # there only while the environment is whole
CACHE = os.path.join(ROOT, ".uv-cache")  # downloads, kept until the environment is whole


class Refusal(Exception):
    """What is wrong and what to do about it, in a sentence."""


def say(text, stream=None):
    """Print, also on a console that lacks some of the letters."""
    stream = stream or sys.stdout
    try:
        stream.write(text + "\n")
    except UnicodeEncodeError:
        stream.write(text.encode("ascii", "replace").decode("ascii") + "\n")
    stream.flush()


# --- What is refused before anything is made or downloaded ---


def supported(version):
    return version >= OLDEST and version[:2] <= NEWEST


def check_python(version, arguments):
    """Refuse a Python that the packages are not made for; name the command to use instead."""
    if supported(version):
        return
    found = find_python()
    command = found or (["py", "-3.13"] if WINDOWS else ["python3.13"])
    script = '"{0}"'.format(sys.argv[0]) if " " in sys.argv[0] else sys.argv[0]
    raise Refusal(
        "This is Python {0}, and the lab needs 3.11.5 to 3.14: {1} {2}".format(
            ".".join(map(str, version)),
            "run" if found else "install Python 3.13, from python.org for example, then run",
            " ".join(command + [script] + arguments),
        )
    )


def find_python():
    """Return the command of the newest supported Python on the PATH, or None."""
    # Asked about a Python that is not there, Windows' py would install it.
    environment = dict(os.environ, PYTHON_MANAGER_AUTOMATIC_INSTALL="false")
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        command = ["py", "-3.%d" % minor] if WINDOWS else ["python3.%d" % minor]
        if supported(version_of(command, environment)):
            return command
    return None


def version_of(command, environment):
    """Return the version of the Python that a command starts, (0,) when it does not start."""
    code = "import sys; print(list(sys.version_info[:3]))"
    try:
        with open(os.devnull, "w") as nowhere:
            child = subprocess.Popen(
                command + ["-c", code], stdout=subprocess.PIPE, stderr=nowhere, env=environment
            )
        return tuple(json.loads(child.communicate()[0].decode("ascii")))
    except (OSError, ValueError):
        return (0,)


def can_import(name):
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def can_write(folder):
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def check_machine():
    """Refuse a machine on which building the environment would fail."""
    if not (can_import("venv") and can_import("ensurepip")):
        raise Refusal(
            "This Python lacks its modules venv and ensurepip: on Debian or Ubuntu run "
            "`sudo apt install python{0}.{1}-venv`, elsewhere install Python from python.org; "
            "then run this again.".format(*sys.version_info)
        )
    if os.path.exists(VENV) and not os.path.isdir(VENV):
        raise Refusal("{0} is a file where a folder must go: move it away.".format(VENV))
    if not can_write(ROOT):
        raise Refusal(
            "The folder {0} can't be written in: copy the lab to a folder of your own, "
            "then run this again.".format(ROOT)
        )
    free = shutil.disk_usage(ROOT).free // 10**6
    if free < NEEDED_MB:
        raise Refusal(
            "The disk of {0} has {1} MB free, and setting up needs {2} MB: make room, "
            "then run this again.".format(ROOT, free, NEEDED_MB)
        )


# --- The state of the environment ---


def hashes():
    """Return the sha256 of each file that the environment is made from."""
    result = {}
    for name in ("Pipfile.lock", "pyproject.toml"):
        with open(os.path.join(ROOT, name), "rb") as file:
            result[name] = hashlib.sha256(file.read()).hexdigest()
    return result


def state():
    """Return "complete", "outdated" (whole, but made from another lock) or "missing"."""
    try:
        with open(STAMP, "rb") as file:
            stamp = json.loads(file.read().decode("utf-8"))
        moved = not os.path.samefile(stamp["folder"], ROOT)
        if moved or stamp["python"] != list(version_of([PYTHON], child_environment())):
            return "missing"
        return "complete" if stamp["hashes"] == hashes() else "outdated"
    except (OSError, ValueError, KeyError, TypeError):
        return "missing"


def write_stamp():
    stamp = {
        "folder": ROOT,  # an environment can't be moved: its programs name their folder
        "python": version_of([PYTHON], child_environment()),
        "hashes": hashes(),
    }
    with open(STAMP + ".new", "wb") as file:
        file.write(json.dumps(stamp, indent=4).encode("utf-8"))
    os.replace(STAMP + ".new", STAMP)  # it is there whole or not at all


def child_environment():
    """Return the environment variables without those of another Python environment."""
    environment = dict(os.environ, PIP_USER="0")
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__"):
        environment.pop(name, None)
    return environment


# --- Setting up ---

NETWORK = (
    "check the internet connection (for a package mirror set index-url in pip's configuration; "
    "for a proxy that reads encrypted traffic set UV_SYSTEM_CERTS=1), then run this again: "
    "it goes on with what it has."
)
WRONG_FILE = (
    "what came is not the file that Pipfile.lock names: restore Pipfile.lock, or ask who runs "
    "your package mirror."
)
REMEDIES = {  # words in a tool's output, in lower case: what helps
    "hash mismatch": WRONG_FILE,  # uv
    "hashes from the requirements file": WRONG_FILE,  # pip
    "usable wheels": "a package is not made for this Python: use a 64-bit one, on Windows for ARM "
    "the x64 one.",
    "no space left": "the disk is full: make room, then run this again.",
}


def set_up():
    """Make the environment whole; do nothing when it is."""
    if state() == "complete":
        return
    guard = lock_folder()
    try:
        before = state()  # another start.py may have been at work until now
        if before != "complete":
            build(new=before == "missing")
    finally:
        if guard is not None:
            os.close(guard)


def lock_folder():
    """Wait until no other start.py sets up this folder; return a lock, None where there is none.

    Child processes inherit the lock: it also holds while one outlives a killed start.py.
    """
    if fcntl is None:
        return None
    guard = os.open(ROOT, os.O_RDONLY)
    os.set_inheritable(guard, True)
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another start.py is setting up this folder: waiting for it.")
        fcntl.flock(guard, fcntl.LOCK_EX)
    except OSError:
        pass  # a network folder without locks
    return guard


def build(new):
    """Make the environment anew, or bring it up to date; mark it complete at the very end."""
    started = time.time()
    if new:
        check_machine()
        say(
            "Setting up the lab in {0}: about {1} MB to download, {2} MB on the disk. "
            "This is needed once.".format(VENV, DOWNLOAD_MB, INSTALLED_MB)
        )
    else:
        say("Pipfile.lock or pyproject.toml has changed: bringing the environment up to date.")
    if os.path.exists(STAMP):
        os.remove(STAMP)  # from here to the end nobody may take it for whole

    environment = child_environment()
    environment.setdefault("UV_CACHE_DIR", CACHE)
    environment.setdefault("PIP_CACHE_DIR", os.path.join(environment["UV_CACHE_DIR"], "pip"))
    if new:
        # When this runs on .venv's own Python, that is deleted: so use the one it was made from.
        python = getattr(sys, "_base_executable", None) or sys.executable
        run(
            "Making the environment",
            [python, "-m", "venv", "--clear", VENV],
            environment,
            "close the programs that use {0}, delete it, and run this again.".format(VENV),
        )
    packages = requirements()
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    run(
        "Downloading the installer",
        pip + ["install", "--require-hashes", "-r", write_lines("uv.txt", packages["uv"])],
        environment,
    )
    use_index_of_pip(pip, environment)
    uv_pip = [PYTHON, "-m", "uv", "pip"]
    lines = [line for name in sorted(packages) for line in packages[name]]
    run(  # --no-build: no hour of compiling, but a sentence, where a package is not made for
        "Downloading and installing the packages",
        uv_pip
        + ["sync", "--python", PYTHON, "--require-hashes", "--no-build"]
        + [write_lines("lock.txt", lines)],
        environment,
    )
    run(
        "Installing labkit",
        uv_pip + ["install", "--python", PYTHON, "--no-deps", "--no-build-isolation", "-e", "."],
        environment,
    )
    if os.path.isdir(CACHE):
        shutil.rmtree(CACHE, ignore_errors=True)
    write_stamp()
    say("The environment is ready, after {0:.0f} seconds.".format(time.time() - started))


def requirements():
    """Return Pipfile.lock's packages: for each name its lines of a requirements file."""
    with open(os.path.join(ROOT, "Pipfile.lock"), "rb") as file:
        lock = json.loads(file.read().decode("utf-8"))
    packages = {}
    for section in ("default", "train", "develop"):
        for name, package in lock[section].items():
            if "version" not in package:
                continue  # labkit, which is this folder
            line = name
            if "extras" in package:
                line += "[" + ",".join(package["extras"]) + "]"
            line += package["version"]
            if "markers" in package:
                line += " ; " + package["markers"]
            line += "".join(" --hash=" + value for value in package["hashes"])
            packages.setdefault(name, set()).add(line)  # it may stand in several sections
    return packages


def write_lines(name, lines):
    path = os.path.join(VENV, name)
    with open(path, "wb") as file:
        file.write("\n".join(lines).encode("utf-8"))
    return path


def use_index_of_pip(pip, environment):
    """Send uv to the package index that pip is set up for: uv does not read pip's settings."""
    output = subprocess.check_output(
        pip + ["config", "list"], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )
    lines = output.decode("utf-8", "replace").splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line)
    for name in (":env:.index-url", "install.index-url", "global.index-url"):
        if name in settings:
            environment.setdefault("UV_DEFAULT_INDEX", ast.literal_eval(settings[name]))


def run(step, command, environment, remedy=NETWORK):
    """Run a step of the set-up; only where it fails, show its output."""
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            close_fds=False,  # the lock goes along
        )
        try:
            show_progress(step, child)
        except BaseException:  # Ctrl+C, or somebody ends this process
            child.terminate()
            child.wait()
            raise
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if child.returncode:
        say("\n".join(text.splitlines()[-40:]), sys.stderr)
        for words, help_ in REMEDIES.items():
            remedy = help_ if words in text.lower() else remedy
        raise Refusal("{0} failed, the lines above say why: {1}".format(step, remedy))


def show_progress(step, child):
    """Wait for a child process; in a terminal, say every second how far it is."""
    started, free = time.time(), shutil.disk_usage(ROOT).free
    live = sys.stdout.isatty()
    if not live:
        say(step)
    while True:
        if live:
            written = max(0, free - shutil.disk_usage(ROOT).free) // 10**6
            seconds = int(time.time() - started)
            sys.stdout.write("\r{0}: {1} s, about {2} MB ".format(step, seconds, written))
            sys.stdout.flush()
        try:
            child.wait(timeout=1)
            break
        except subprocess.TimeoutExpired:
            pass
    if live:
        say("")


# --- The commands ---


def replace_with(arguments):
    """Go on as the environment's Python; on Windows run it as a child and return its exit code."""
    command, environment = [PYTHON] + arguments, child_environment()
    os.chdir(ROOT)
    if not WINDOWS:
        os.execve(PYTHON, command, environment)
    child = subprocess.Popen(command, env=environment)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            pass  # the child has had it too, and decides


def main(arguments):
    check_python(sys.version_info[:3], arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no step outlives this
    command, options = (arguments or ["lab"])[0], arguments[1:]
    if command in ("-h", "--help"):
        say(__doc__.strip())
        return 0
    if command not in ("lab", "setup", "test", "doctor") or (command == "setup" and options):
        say(
            "start.py can't do `{0}`: it knows setup, lab, test and doctor, and --help tells what "
            "they do.".format(" ".join(arguments)),
            sys.stderr,
        )
        return 2
    if command == "doctor":
        if state() != "complete":
            say("The environment is not complete: run start.py setup.", sys.stderr)
        if version_of([PYTHON], child_environment()) == (0,):
            doctor = os.path.join(ROOT, "labkit", "doctor.py")
            return subprocess.call([sys.executable, doctor] + options)
        return replace_with(["-m", "labkit.doctor"] + options)
    set_up()
    if command == "setup":
        return 0
    return replace_with(["-m", "tests" if command == "test" else "labkit.lab"] + options)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Refusal as refusal:
        say(str(refusal), sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        say("\nInterrupted; run it again, it goes on.", sys.stderr)
        sys.exit(130)
