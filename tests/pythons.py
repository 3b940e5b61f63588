"""Set up the lab under every Python that it promises, and run its lessons and labs there.

`python tests/pythons.py` (no pytest test, it takes minutes). Those that are named (3.12 3.13) run
all lessons. Else the newest does, the others leave out lessons 6 to 9, and the one that runs this,
which has just run the tests, is asked for little: only its oldest release may be another here.

A Python is this machine's: of the PATH, the system's own, or pyenv's. Where it has none of a minor
version, root on Debian gets one from that Debian release which has it, into a folder of its own.
Each gets a copy of the lab of its own. What can't be had is named and left out.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from conftest import ROOT, copy_lab

sys.path.insert(0, str(ROOT))
import start

MINORS = [f"3.{minor}" for minor in range(start.OLDEST[1], start.NEWEST[1] + 1)]
DEBIAN = {"3.11": "bookworm", "3.13": "trixie", "3.14": "sid"}  # the releases that have them
# All cells of the lessons, all labs solved, and whether the model's file is the same.
TESTS = "Cell or test_solved_lab or one_file_whichever"
# Without the lessons that take longest.
MOST = "Cell and not (06_ or 07_ or 08_ or 09_) or test_solved_lab or one_file_whichever"
# Under the oldest Python of the minor version that runs this: the tests' command did the rest.
FEW = "02_save_and_load and Cell or one_file_whichever"
CERTIFICATES = "/etc/ssl/certs"
OF_THIS_MACHINE = {  # variables that name its folders, which a Debian in a folder has not
    *("HOME", "PATH", "TMPDIR", "PYENV_ROOT", "VIRTUAL_ENV", "PIP_FIND_LINKS", "UV_FIND_LINKS"),
    *("PIP_CONFIG_FILE", "UV_CONFIG_FILE", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"),
}


class LeftOut(Exception):
    """Why a Python is not asked."""


class Here:
    """A Python of this machine."""

    def __init__(self, numbers, path):
        self.name, self.path = f"Python {'.'.join(map(str, numbers))} ({path})", path

    def run(self, work, *arguments):
        environment = os.environ | {"UV_CACHE_DIR": str(work / "cache")}
        child = subprocess.Popen([self.path, *arguments], cwd=work / "lab", env=environment)
        try:
            return child.wait()
        except BaseException:
            child.terminate()  # start.py then ends its own steps, which a kill would leave behind
            child.wait()
            raise


class Debian:
    """The Python of a Debian release, which is installed into the folder work/debian."""

    def __init__(self, version, work):
        if version not in DEBIAN:
            raise LeftOut("none was found here, and no Debian release has it")
        if not hasattr(os, "geteuid") or os.geteuid() or not shutil.which("mmdebstrap"):
            raise LeftOut("none was found here (root gets Debian's where mmdebstrap is installed)")
        self.program, release = f"python{version}", DEBIAN[version]
        packages = ["ca-certificates", "git", self.program, f"{self.program}-venv"]
        # Where a mirror is a snapshot of one day, its lists are soon out of date.
        command = ["mmdebstrap", "--quiet", "--aptopt=Acquire::Check-Valid-Until false"]
        command += ["--variant=minbase", f"--include={','.join(packages)}"]
        if subprocess.run([*command, "--format=directory", release, work / "debian"]).returncode:
            raise LeftOut(f"Debian {release} can't be installed here: are its packages in reach?")
        self.name = f"Python {version} (Debian {release})"

    def run(self, work, *arguments):
        root = shlex.quote(str(work / "debian"))
        script = ["set -e", f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev"]
        for outside, inside in {str(work): "/work", CERTIFICATES: CERTIFICATES}.items():
            script.append(f"mkdir -p {root}{inside}")
            script.append(f"mount --bind {shlex.quote(outside)} {root}{inside}")
        command = shlex.join(["env", "-C", "/work/lab", self.program, *arguments])
        script.append(f"exec chroot {root} {command}")
        environment = {
            name: text for name, text in os.environ.items() if name not in OF_THIS_MACHINE
        }
        environment |= {
            "HOME": "/root",
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "UV_CACHE_DIR": "/work/cache",
        }
        # In namespaces of its own: with its last process, however that ends, go all mounts.
        alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        return subprocess.run([*alone, "sh", "-c", "\n".join(script)], env=environment).returncode


def find(version):
    """Return (numbers, path) of the oldest supported Python of a minor version here, or None."""
    name, code = f"python{version}", "import sys; print('%d %d %d' % sys.version_info[:3])"
    paths = [shutil.which(name), f"/usr/bin/{name}"]  # an environment may hide the system's own
    paths += Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
    found = []
    for path in filter(None, paths):
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            output = subprocess.check_output([path, "-c", code], stderr=subprocess.DEVNULL)
            found.append((tuple(map(int, output.split())), str(path)))
    return min(filter(lambda python: start.supported(python[0]), found), default=None)


def have(version, work):
    """Return a Python of a minor version; raise LeftOut."""
    python = find(version)
    return Here(*python) if python else Debian(version, work)


def passes(python, work, tests):
    """Set up as a learner does, then run these tests; say whether all went well."""
    copy_lab(work / "lab")
    try:
        # To collect only the files that these are in takes a third of the time.
        others = "--ignore-glob=*/test_[!lt]*.py"
        steps = [["setup"], ["test", "-k", tests, "-n", "2", others]]
        return all(python.run(work, "start.py", *options) == 0 for options in steps)
    finally:
        shutil.rmtree(work / "lab")


def tests_of(version, named):
    """Return which tests a Python runs, as pytest's -k takes it."""
    if named:
        return TESTS
    if version == "{}.{}".format(*sys.version_info):
        return FEW
    return TESTS if version == MINORS[-1] else MOST


def main(versions):
    results, failed = [], False
    with tempfile.TemporaryDirectory(prefix="pythons-") as folder:
        work = Path(folder).resolve()
        for version in versions or MINORS:
            begun = time.monotonic()
            try:
                python = have(version, work)
            except LeftOut as reason:
                results.append(f"○ Python {version} is left out: {reason}")
                continue
            print(f"\n== {python.name}", flush=True)
            good = passes(python, work, tests_of(version, versions))
            failed |= not good
            seconds = f"{time.monotonic() - begun:.0f} s"
            results.append(f"{'✔' if good else '✘'} {python.name}, {seconds}")
            shutil.rmtree(work / "debian", ignore_errors=True)
    print("\nThe lab under the Pythons that it promises:", *results, sep="\n  ", flush=True)
    return int(failed)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that its folder goes, too
    sys.exit(main(sys.argv[1:]))
