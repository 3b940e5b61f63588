"""Make the lab's environment in the folder .venv from Pipfile.lock. Called by start.py.

The environment is made, or brought up to date, beside the one that is there (in .set-up), and takes
its place only when it is whole. So whatever fails on the way, the old one still runs. An
environment that start.py did not make is left alone.

It runs on the Python that people have, and needs nothing but that.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

from labkit import NO_PROXY, ROOT, TERMINAL_PATH, LabError, copies, progress
from labkit.package_settings import for_installing, uv_options, without_foreign

WINDOWS = os.name == "nt"
if WINDOWS:
    import msvcrt
else:
    import fcntl

# Megabytes, measured on Linux; the tests hold them against a set-up and a packed folder.
DOWNLOAD_MB, INSTALLED_MB = 190, 600
TESTS_DOWNLOAD_MB, TESTS_INSTALLED_MB = 100, 340  # on top
NEEDED_MB = 1500  # where a file system can't link files, they are there twice until the end

VENV = ROOT / ".venv"
STAMP = "complete.json"  # in an environment that start.py has made
WORK = ROOT / ".set-up"  # all that a set-up needs for a while; deleted when it is done
NEW, OLD, CACHE = WORK / ".venv", WORK / "old", WORK / "cache"
SITE_PACKAGES = "Lib/site-packages" if WINDOWS else "lib/python*/site-packages"
START = "py start.py" if WINDOWS else "python3 start.py"


class Refusal(Exception):
    """What is wrong and what to do about it, in a sentence."""


def say(text):
    """Print, also on a console that lacks some of the letters."""
    try:
        print(text, flush=True)
    except UnicodeEncodeError:
        print(text.encode("ascii", "replace").decode("ascii"), flush=True)


# --- The commands ---


def run_command(command: str, folder: str | None, options: list[str]) -> int:
    """Run a command of start.py and return its exit code; raise Refusal.

    folder: the name after `reset`, the folder of the other commands that have one.
    """
    if command == "doctor":
        return doctor(options)
    if command in ("reset", "minutes"):
        return own_work(command, folder)
    packed = check_packed(folder) if command != "pack" and folder is not None else None
    try:
        set_up(tests=command in ("test", "pack"), packed=packed)
    except Refusal as refusal:
        if command != "lab" or not opens():
            raise
        say(f"{refusal}\nUntil then: JupyterLab opens with the environment as it was.")
    if command == "pack":
        pack(Path(folder).resolve())
    if command in ("setup", "pack"):
        return 0
    return replace_with(["-m", "tests" if command == "test" else "labkit.lab", *options])


def own_work(command, name):
    """Do what needs no environment: a fresh copy in my/, the minutes of exercises."""
    try:
        if command == "reset":
            with nobody_else():
                copies.reset(name, say)
        else:
            for line in progress.minutes():
                say(line)
    except LabError as error:
        raise Refusal(str(error)) from None
    return 0


def doctor(options):
    if version_of_environment() is None:
        say(f"No environment runs here yet: run {START} setup.")
        command = [sys.executable, ROOT / "labkit" / "doctor.py", *options]
        return subprocess.call(command, env=variables())
    return replace_with(["-m", "labkit.doctor", *options])


def pack(folder):
    """Download all packages for this system and this Python into a folder."""
    pip = [python_of(VENV), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    settings = for_installing(variables())
    if "PIP_CACHE_DIR" not in settings:
        settings["PIP_NO_CACHE_DIR"] = "1"  # the folder is one
    lines = requirements("default", "train", "develop", "test")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # There, since that is where the room must be.
        with tempfile.TemporaryDirectory(prefix=".", dir=folder) as work:
            file = Path(work, "lock.txt")
            file.write_text("\n".join(lines), encoding="utf-8")
            run(
                f"Downloading the packages into {folder}",
                [
                    *(*pip, "download", "--no-deps", "--only-binary", ":all:", "--require-hashes"),
                    *("--dest", folder, "-r", file),
                ],
                settings | {"TMPDIR": work, "TEMP": work, "TMP": work},
            )
    except OSError as error:
        raise Refusal(
            f"Nothing can be packed into {folder} ({error.strerror}): name another folder."
        ) from None
    files = list(folder.glob("*.whl"))
    size = sum(file.stat().st_size for file in files) / 10**6
    say(
        f"{folder} has {len(files)} packages now, {size:.0f} MB. With it, wherever it is taken, a "
        f"machine of this kind with Python {sys.version_info[0]}.{sys.version_info[1]} needs no "
        f'internet: {START} setup --from "{folder}"'
    )


def check_packed(place):
    """Return the path of a packed folder; or its URL, where somebody serves it."""
    try:
        if place.startswith(("http://", "https://")):
            with urlopen(place, timeout=20) as page:
                filled = b".whl" in page.read()
        else:
            place = str(Path(place).resolve())
            filled = any(Path(place).glob("*.whl"))
    except (OSError, ValueError) as error:
        raise Refusal(
            f"{place} does not answer ({error}): ask whoever serves it whether that is its "
            "address; where a proxy is set, put that address into no_proxy; then run this again."
        ) from None
    if not filled:
        raise Refusal(
            f"{place} is not a folder with packages: fill one with `{START} pack FOLDER`, where "
            "there is internet, on a machine of this kind."
        )
    return place


def replace_with(arguments):
    """Go on as the environment's Python; on Windows run it as a child and return its exit code."""
    command, environment = [python_of(VENV), *arguments], variables()
    os.chdir(ROOT)
    if not WINDOWS:
        os.execve(command[0], command, environment)
    child = subprocess.Popen(command, env=environment)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            pass  # the child has had it too, and decides


def variables():
    """Return the environment variables without other Pythons', and without what labkit added."""
    result = without_foreign(os.environ) | {"PATH": TERMINAL_PATH}
    for name in ("no_proxy", "NO_PROXY"):
        result.pop(name, None)
    return result | ({"no_proxy": NO_PROXY} if NO_PROXY else {})


# --- What is there ---


def python_of(environment):
    return environment / ("Scripts/python.exe" if WINDOWS else "bin/python")


def differences(environment: Path = VENV, tests: bool = False) -> dict[str, list[str]] | None:
    """Return what an environment lacks, as its own Python and labkit.doctor see it.

    Lists of phrases under "damaged" (files are missing), "packages" (missing, or of another
    version than Pipfile.lock's) and "labkit" (not this folder's). None: it does not even run.
    """
    command = [python_of(environment), ROOT / "labkit" / "doctor.py", "--differences"]
    try:
        output = subprocess.check_output(
            [*command, *(["--tests"] if tests else [])],
            env=variables() | {"PYTHONIOENCODING": "utf-8"},
            stderr=subprocess.DEVNULL,
        )
        return json.loads(output)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None


def opens():
    """Say whether JupyterLab can open with the environment that is there."""
    here = differences()
    command = [python_of(VENV), "-c", "import ipykernel, jupyterlab.labapp"]
    return (
        bool(here)
        and not (here["labkit"] or here["damaged"])
        and subprocess.call(command, env=variables(), stderr=subprocess.DEVNULL) == 0
    )


def version_of_environment():
    """Return "3.13.0" or the like, None where no environment runs."""
    command = [python_of(VENV), "-c", "import platform; print(platform.python_version())"]
    try:
        output = subprocess.check_output(command, env=variables(), stderr=subprocess.DEVNULL)
        return output.decode("ascii").strip()
    except (OSError, subprocess.CalledProcessError):
        return None


# --- What is refused before anything is made or downloaded ---


def check_machine(new: bool, tests: bool):
    """Refuse a machine on which making the environment would fail."""
    for path in (VENV, WORK):
        if os.path.lexists(path) and not path.is_dir():
            raise Refusal(
                f"{path} is in the way, and is not a folder: move it away, then run this again."
            )
    if os.path.ismount(VENV):
        raise Refusal(
            f"{VENV} is a disk of its own, so no other folder can take its place: unmount it, "
            "then run this again."
        )
    if VENV.is_dir() and any(VENV.iterdir()) and not (VENV / STAMP).exists():
        raise Refusal(
            f"The folder {VENV} was not made by start.py, so it stays as it is: rename it, or "
            "delete it if nobody needs it, then run this again."
        )
    if os.pathsep in str(ROOT):
        raise Refusal(
            f"The path {ROOT} contains `{os.pathsep}`, which separates folders in PATH, so no "
            "environment can be in it: rename that folder, then run this again. (In the Finder "
            "of a Mac it looks like `/`.)"
        )
    try:
        tempfile.TemporaryFile(dir=ROOT).close()
    except OSError as error:
        raise Refusal(
            f"The folder {ROOT} can't be written in ({error.strerror}): copy the lab to a folder "
            "of your own, then run this again."
        ) from None
    if not new:
        return
    if not (can_import("venv") and can_import("ensurepip")):
        raise Refusal(
            "This Python lacks its modules venv and ensurepip: on Debian or Ubuntu run "
            f"`sudo apt install python{sys.version_info[0]}.{sys.version_info[1]}-venv`, elsewhere "
            "install another Python (README.md says how, at From zero); then run this again."
        )
    free = shutil.disk_usage(ROOT).free // 10**6
    needed = NEEDED_MB + (2 * TESTS_INSTALLED_MB if tests else 0)
    if free < needed:
        raise Refusal(
            f"The disk of {ROOT} has {free} MB free, and setting up needs {needed} MB: make "
            "room, then run this again."
        )


def can_import(name):
    try:
        __import__(name)
    except ImportError:
        return False
    return True


# --- Setting up ---

NETWORK = (
    "check the internet connection (README.md, at Without internet, for many, behind a proxy, "
    "tells of mirrors, proxies and certificates), then run this again: an environment that was "
    "there before still runs."
)
PACKED = (
    "{0} lacks what this system and this Python need: fill it with `{1} pack FOLDER` on a machine "
    "with the same ones, then run this again."
)
SERVED = (
    "{0} does not answer, or lacks what this system and this Python need: where a proxy is set, "
    "put that address into no_proxy; else ask whoever serves it to fill it with `{1} pack FOLDER` "
    "on a machine with the same ones; then run this again."
)
WRONG_FILE = (
    "what came is not the file that Pipfile.lock names. If Pipfile.lock was changed, restore it; "
    "run `pack` into a packed folder again, which replaces the file; ask whoever runs a package "
    "mirror. Then run this again."
)
INDEX = (
    "the package index is not there, does not have it, or refuses to give it: see which one "
    "`pip config list` names, and ask whoever runs it for its address, user and password; then run "
    "this again."
)
CERTIFICATE = (
    "a certificate is not trusted here, which companies and schools often have of their own: make "
    "sure that this machine's clock is right, else ask for the file with that certificate and name "
    "it in PIP_CERT and in SSL_CERT_FILE; then run this again."
)
DISK = (
    "the disk is full: make room, then run this again; an environment that was there before still "
    "runs."
)
OTHER_SYSTEM = (
    "a package is not made for this Python: use a 64-bit one, on Windows for ARM the x64 one."
)
ANOTHER_PYTHON = "install another Python (README.md says how, at From zero), then run this again."
OWN_FILES = "get pyproject.toml and the folder labkit of the lab anew, then run this again."
KEPT = (
    "the folder in UV_CACHE_DIR, which keeps downloads, is not yours to write in: name one of your "
    "own, then run this again."
)
REMEDIES = {  # words in a tool's output, in lower case, and what helps; the last one counts
    "from versions: none": INDEX,  # pip
    "was not found in the package registry": INDEX,  # uv
    "there is no version of": INDEX,  # uv
    "http status client error": INDEX,  # uv
    "connection broken by": NETWORK,  # pip, which then has found no version
    "certificate verify failed": CERTIFICATE,  # pip
    "invalid peer certificate": CERTIFICATE,  # uv
    "no ca certificates": CERTIFICATE,  # uv
    "dependencies for socks": "pip can't use a SOCKS proxy: name an HTTP proxy in HTTP_PROXY and "
    "HTTPS_PROXY, and the other one neither in ALL_PROXY nor in pip's settings; then run this "
    "again.",
    "usable wheels": OTHER_SYSTEM,  # uv
    "wheels with a matching": OTHER_SYSTEM,  # uv
    "hash mismatch": WRONG_FILE,  # uv
    "failed to extract": WRONG_FILE,  # uv
    "hashes from the requirements file": WRONG_FILE,  # pip
    "failed to initialize cache": KEPT,  # uv
    "no space left": DISK,
    "not enough space": DISK,  # Windows
}


def set_up(tests=False, packed=None):
    """Make the environment whole; do nothing when it is."""
    if is_whole(tests) and not OLD.exists():
        return
    with nobody_else():
        restore()  # where the last set-up was killed
        if not is_whole(tests):  # another start.py may have been at work until now
            build(tests, packed)
        shutil.rmtree(WORK, ignore_errors=True)


def is_whole(tests):
    here = (VENV / STAMP).exists() and differences(tests=tests)
    return bool(here) and not any(here.values())


@contextlib.contextmanager
def nobody_else():
    """Wait until no other start.py is at work in this folder, and hold off those that come.

    Child processes inherit the lock: it also holds while one outlives a killed start.py.
    """
    file = os.open(__file__, os.O_RDONLY)
    os.set_inheritable(file, True)
    waiting = False
    try:
        while not lock(file):
            if not waiting:
                say("Another start.py is at work in this folder: waiting for it.")
            waiting = True
            time.sleep(0.2)
        yield
    finally:
        os.close(file)


def lock(file):
    """Lock a file, if nobody has; return whether it is locked now, or never can be."""
    try:
        if WINDOWS:
            os.lseek(file, 2**30, os.SEEK_SET)  # beyond its end: there nobody reads
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        pass  # a network folder without locks
    return True


def build(tests, packed):
    """Make the environment beside the old one, or a copy of that up to date, and put it there."""
    started = time.monotonic()
    here = differences(tests=tests) if (VENV / STAMP).exists() else None
    # What is damaged is made anew, since an installer takes a package that is there in part for
    # whole. So is what lacks its installers.
    new = here is None or bool(here["damaged"]) or not has_installers(VENV)
    check_machine(new, tests)
    announce(new, tests, here or {}, packed)
    WORK.mkdir(exist_ok=True)
    for path in (NEW, OLD):  # of a set-up that did not come to its end; the downloads stay
        shutil.rmtree(path, ignore_errors=True)
        if os.path.lexists(path):
            raise Refusal(f"{path} can't be deleted: delete it yourself, then run this again.")
    new = new or not make_copy()
    if new:
        make_empty()
    sections = ("default", "train", "develop", *(["test"] if tests else []))
    only = None if new else {text.split()[0] for text in here["packages"]}
    cache = install(new, requirements(*sections, only=only), packed)
    lacking = differences(NEW, tests)
    if phrases := ["it does not run"] if lacking is None else all_of(lacking):
        raise Refusal(
            f"The new environment is not what Pipfile.lock names ({shortened(phrases)}): restore "
            f"Pipfile.lock, delete {cache}, where the downloads are, then run this again; an "
            "environment that was there before still runs."
        )
    (NEW / STAMP).unlink(missing_ok=True)  # a link to the old one's
    (NEW / STAMP).write_text(json.dumps({"by": "start.py"}), encoding="utf-8")
    put_in_place()
    say(f"The environment is ready, after {time.monotonic() - started:.0f} seconds.")
    if lost := sorted(packages_in(OLD) - packages_in(VENV) - packages_of_lock()):
        say(
            "Made anew, it lacks what somebody had added. To have it back: "
            f"{python_of(VENV)} -m pip install {' '.join(lost)}"
        )


def all_of(lacking):
    return [text for texts in lacking.values() for text in texts]


def shortened(texts):
    return ", ".join(texts[:3]) + (", …" if texts[3:] else "")


def packages_in(environment):
    files = environment.glob(f"{SITE_PACKAGES}/*.dist-info")
    return {file.name.split("-")[0].lower() for file in files}


def packages_of_lock():
    lock = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    return {name.replace("-", "_") for section in lock.values() for name in section} | {"labkit"}


def announce(new, tests, here, packed):
    """Say what will be done, and how much is downloaded for it."""
    texts = all_of(here)
    why = f" ({shortened(texts)})" if texts else ""
    if new:
        download = DOWNLOAD_MB + (TESTS_DOWNLOAD_MB if tests else 0)
        installed = INSTALLED_MB + (TESTS_INSTALLED_MB if tests else 0)
        source = f"from {packed}" if packed else f"about {download} MB to download"
        say(f"Setting up the lab in {VENV}{why}: {source}, {installed} MB on the disk.")
        return
    say(f"Bringing the environment up to date{why}.")
    if tests and "playwright is missing" in texts and not packed:
        say(f"What only the tests need comes along: about {TESTS_DOWNLOAD_MB} MB to download.")


def has_installers(environment):
    """Say whether pip and uv run there."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": variables()}
    python = python_of(environment)
    return all(
        subprocess.call([python, "-m", name, "--version"], **quiet) == 0 for name in ("pip", "uv")
    )


def make_empty():
    """Make an environment with nothing but pip."""
    # When this runs on .venv's own Python, that is to go: so use the one it was made from.
    python = getattr(sys, "_base_executable", None) or sys.executable
    run("Making the environment", [python, "-m", "venv", NEW], variables(), ANOTHER_PYTHON)


def make_copy():
    """Copy the old environment; return whether that could be done.

    The packages' files are linked where the file system has links: installers replace files and
    never write into one, so the old environment stays as it is. (venv does write into its own.)
    """

    def link(source, target):
        try:
            if "site-packages" not in Path(source).parts:
                raise OSError
            os.link(source, target, follow_symlinks=False)
        except OSError:
            shutil.copy2(source, target, follow_symlinks=False)

    say("Copying the environment")
    try:
        shutil.copytree(VENV, NEW, symlinks=True, copy_function=link)
    except OSError:  # a file is another user's, for example
        shutil.rmtree(NEW, ignore_errors=True)
        return False
    # The scripts that activate it name their folder; and this Python may not be the one in it.
    command = [python_of(VENV), "-m", "venv", "--without-pip", NEW]
    run("Making its scripts", command, variables(), ANOTHER_PYTHON)
    return True


def install(new, lines, packed):
    """Install packages and labkit; leave alone what somebody added.

    `lines` are those of a requirements file. Returns the folder that keeps the downloads.
    """
    # Programs then find their Python beside them, so that the environment can be moved.
    with (NEW / "pyvenv.cfg").open("a", encoding="utf-8") as file:
        file.write("relocatable = true\n")
    python = python_of(NEW)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    settings = for_installing(variables(), packed)
    settings.setdefault("UV_CACHE_DIR", str(CACHE))
    settings.setdefault("PIP_CACHE_DIR", str(Path(settings["UV_CACHE_DIR"], "pip")))
    settings |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(WORK))  # leave nothing elsewhere
    remedy = NETWORK
    if packed:
        remedy = (SERVED if packed.startswith("http") else PACKED).format(packed, START)
    uv = [python, "-m", "uv", "pip", "install", "--python", python, "--no-deps"]
    uv += uv_options(settings)
    if installer := [line for line in lines if line.startswith("uv==")]:
        run(
            "Getting the installer",
            [*pip, "install", "--require-hashes", "-r", write_lines("uv.txt", installer)],
            settings,
            remedy,
        )
    if lines:
        run(  # --no-build: no hour of compiling, but a sentence, where a package is not made for
            "Getting and installing the packages",
            [
                *(*uv, "--require-hashes", "--no-build", "-r", write_lines("lock.txt", lines)),
                *(["--reinstall-package", "pip"] if new else []),  # its programs, too, are moved
            ],
            settings,
            remedy,
        )
    # By ".", since uv takes a # or a [ in a path for something else.
    run("Installing labkit", [*uv, "--no-build-isolation", "-e", "."], settings, OWN_FILES)
    return settings["UV_CACHE_DIR"]


def put_in_place():
    """Put the new environment where the old one is, and that one away; both or neither."""
    scripts = [path for path in python_of(NEW).parent.glob("[aA]ctivate*") if path.is_file()]
    for path in [NEW / "pyvenv.cfg", *scripts]:  # they name their folder
        text = path.read_bytes().replace(str(NEW.relative_to(ROOT)).encode(), VENV.name.encode())
        path.write_bytes(text)
    try:
        if os.path.lexists(VENV):
            rename(VENV, OLD)
        rename(NEW, VENV)
    except OSError as error:
        remedy = (
            "close the programs that use it (JupyterLab, terminals, editors)"
            if WINDOWS
            else "make sure that it is yours"
        )
        raise Refusal(
            f"{VENV} can't be replaced ({error.strerror}): {remedy}, then run this again; the "
            "old environment still runs."
        ) from None
    finally:
        restore()


def restore():
    """Put the old environment back where the new one did not take its place."""
    if OLD.exists() and not os.path.lexists(VENV):
        OLD.rename(VENV)


def rename(source, target):
    """Rename a folder; on Windows wait for virus scanners, which hold new files for a moment."""
    for pause in (1, 2, 4) if WINDOWS else ():
        with contextlib.suppress(PermissionError):
            source.rename(target)
            return
        time.sleep(pause)
    source.rename(target)


def requirements(*sections, only=None):
    """Return the packages of Pipfile.lock's sections, or some, as lines of a requirements file."""
    lock = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    lines = set()  # a package may stand in several sections
    for section in sections:
        for name, package in lock[section].items():
            if "version" not in package or (only is not None and name not in only):
                continue  # without a version: labkit, which is this folder
            extras = f"[{','.join(package['extras'])}]" if "extras" in package else ""
            markers = f" ; {package['markers']}" if "markers" in package else ""
            hashes = "".join(f" --hash={value}" for value in package["hashes"])
            lines.add(f"{name}{extras}{package['version']}{markers}{hashes}")
    return sorted(lines)


def write_lines(name, lines):
    (WORK / name).write_text("\n".join(lines), encoding="utf-8")
    return WORK / name


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
        general = remedy == NETWORK
        for words, help_ in REMEDIES.items():
            if words in text.lower() and (general or help_ in (WRONG_FILE, KEPT, DISK)):
                remedy = help_
        if shutil.disk_usage(WORK if WORK.exists() else ROOT).free < 20 * 10**6:
            remedy = DISK  # venv does not say so
        shown = "\n".join(text.splitlines()[-40:])
        raise Refusal(f"{shown}\n{step} failed, the lines above say why: {remedy}")


def show_progress(step, child):
    """Wait for a child process; in a terminal, say every second how far it is."""
    started, free = time.monotonic(), shutil.disk_usage(ROOT).free
    live = sys.stdout.isatty()
    if not live:
        say(step)
    while True:
        if live:
            written = max(0, free - shutil.disk_usage(ROOT).free) // 10**6
            seconds = int(time.monotonic() - started)
            print(f"\r{step}: {seconds} s, about {written} MB ", end="", flush=True)
        try:
            child.wait(timeout=1)
            break
        except subprocess.TimeoutExpired:
            pass
    if live:
        print(flush=True)
