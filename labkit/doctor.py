"""Find out what is wrong with a machine: `python labkit/doctor.py`, in a notebook `doctor.check()`.

It changes nothing, needs no internet and nothing but Python; 3.8 can read it, to be told that it
is too old. With --report it prints what a helper needs to know, without the names of users,
machines and home folders. start.py asks it what the environment lacks (--differences).
"""

import argparse
import contextlib
import csv
import getpass
import hashlib
import json
import os
import platform
import re
import shutil
import socket
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import getproxies_environment, proxy_bypass_environment, url2pathname

ROOT = Path(__file__).resolve().parent.parent
DATA_FILE = "data/telco-customer-churn.csv"
OLDEST, NEWEST = (3, 11, 2), (3, 14)
ROOM_BEFORE, ROOM_AFTER = 1.5, 1  # GB of free disk that setting up needs, and the lab then
KEY_PACKAGES = ["flask", "granian", "ipykernel", "jupyterlab", "numpy", "pandas", "scikit-learn"]
PROGRAMS = ["python", "py"] if os.name == "nt" else ["python", "python3"]
START = "py start.py" if os.name == "nt" else "python3 start.py"
STAMP = "complete.json"  # in an environment that start.py has made
RESTORE = "restore it with `git restore data Pipfile Pipfile.lock`, or get the lab anew"


def check():
    """Print what is fine (✔) and what is not, with its remedy (✘); return whether all is well."""
    results = findings()
    for line in lines(results):
        say(line)
    return all(fine for fine, _ in results)


def report():
    """Print what a helper needs to know; return whether all is well."""
    results = findings()
    for line in [*about_machine(), *lines(results)]:
        say(private(line))
    return all(fine for fine, _ in results)


def findings():
    """Examine the machine; return pairs of whether something is fine and a sentence about it."""
    first = python_version()
    if not first[0]:
        return [first]  # the rest would mislead
    second = attempt(environment)
    checks = [packages] if second[0] else []  # what another environment lacks does not matter
    checks += [terminal] if in_notebook() else []
    checks += [data, port, disk, folders, home, place, proxy]
    return [first, second] + [attempt(check) for check in checks]


def attempt(check):
    try:
        return check()
    except (OSError, ValueError, LookupError) as error:
        return False, f"A file of the lab is missing or damaged ({error}): {RESTORE}."


# --- What is examined ---


def python_version():
    version = sys.version_info[:3]
    fine = version >= OLDEST and version[:2] <= NEWEST
    here = f"Python {version[0]}.{version[1]}.{version[2]}"
    if fine:
        return True, f"{here} is supported."
    remedy = "install one from 3.11.2 to 3.14 (README.md says how, at From zero)"
    return False, f"{here} is not supported: {remedy}, then run {START}."


def packages():
    differing, damaged = differing_packages()
    if in_conda():  # versions, and the packages that packages need, are conda's own choice
        pipfile = (ROOT / "Pipfile").read_text(encoding="utf-8")
        needed = [f"{name} is missing" for name in re.findall(r"(?m)^([\w-]+) = ", pipfile)]
        differing = [text for text in differing if text in needed]
    differences = sorted(differing + damaged)
    if not differences and in_conda():
        return True, "The packages are all there."
    if not differences:
        return True, "The packages are those of Pipfile.lock."
    differ = "1 package differs" if len(differences) == 1 else f"{len(differences)} packages differ"
    some = ", ".join(differences[:3]) + (", …" if differences[3:] else "")
    return False, f"{differ} from Pipfile.lock ({some}): {remedy_for_packages()}."


def remedy_for_packages():
    close = "close JupyterLab, then " if in_notebook() else ""
    if in_conda():
        return f'{close}run `conda env update --prefix "{sys.prefix}" --file environment.yml`'
    if kind() == "a Pipenv environment":
        return (
            f"{close}run `python -m pipenv sync --dev`, and if that changes nothing, "
            "`python -m pipenv --rm` before it"
        )
    return f"{close}{remedy_of_start()}"


def remedy_of_start():
    """Return what makes start.py's environment whole."""
    if (ROOT / ".venv" / STAMP).is_file():
        return f"run {START} setup"
    if (ROOT / ".venv").exists():  # start.py leaves it alone
        return f"rename the folder .venv, which start.py did not make, then run {START} setup"
    return f"run {START} setup, which makes an environment of its own"


def differing_packages(tests=False):
    """Compare the installed packages with Pipfile.lock.

    Returns two lists of phrases: what is missing or has another version, and what has lost files.
    """
    lock = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    sections = ["default", "train", "develop"] + (["test"] if tests else [])
    locked = {name: entry for section in sections for name, entry in lock[section].items()}
    differing, damaged = [], []
    for name, entry in sorted(locked.items()):
        if "version" not in entry or not meant_for_this_system(entry.get("markers", "")):
            continue  # labkit itself, or another system's
        version, wanted = installed_version(name), entry["version"].lstrip("=")
        if version is None:
            differing.append(f"{name} is missing")
        elif version != wanted:
            differing.append(f"{name} is {version} instead of {wanted}")
        elif not in_conda() and lacks_files(metadata.distribution(name)):
            damaged.append(f"{name} is damaged")
    return differing, damaged


def lacks_files(package):
    """Say whether a file of a package's own list is gone or cut short, or the list itself."""
    record = package.read_text("RECORD")
    if not record:
        return True
    folder = package.locate_file("")
    rows = [row for row in csv.reader(record.splitlines()) if row]
    # Their bytecode Python makes anew. An editor may have made a file longer.
    return any(
        bytes_of(f"{folder}/{name}") < int(size or 0)
        for name, _, size in rows
        if not name.endswith((".pyc", "__pycache__"))
    )


def bytes_of(file):
    try:
        return os.stat(file).st_size  # noqa: PTH116 (these are twenty thousand files)
    except OSError:
        return -1


def differences(tests=False):
    """Return what this environment lacks, as start.py asks for it: phrases for each kind."""
    differing, damaged = differing_packages(tests)
    here = any(belongs_here(labkit) for labkit in metadata.distributions(name="labkit"))
    labkit = [] if here else ["labkit is not that of this folder"]
    return {"labkit": labkit, "packages": differing, "damaged": damaged}


def meant_for_this_system(markers):
    """Say whether the conditions on the system hold; those on Python do when it is supported."""
    here = {"sys_platform": sys.platform, "os_name": os.name}
    conditions = re.findall(r"(sys_platform|os_name) (==|!=) '(\w+)'", markers)
    return all((here[name] == value) == (sign == "==") for name, sign, value in conditions)


def installed_version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def environment():
    """Examine whether the labkit of this very folder is installed for the running Python."""
    subject = "The notebook's kernel" if in_notebook() else "This Python"
    if any(belongs_here(labkit) for labkit in metadata.distributions(name="labkit")):
        return True, f"{subject} is the lab's: {kind()}, {short(sys.prefix)}."
    remedy = (
        f"close JupyterLab and open the lab with {START} (in VS Code: {START} setup, then Select "
        "Kernel, .venv)"
        if in_notebook()
        else f"run {START} doctor, which asks the lab's own"
        if (ROOT / ".venv" / STAMP).is_file() and ROOT / ".venv" not in Path(sys.executable).parents
        else remedy_of_start()
    )
    return False, f"{subject} is not the lab's but {kind()}, {short(sys.prefix)}: {remedy}."


def belongs_here(labkit):
    url = json.loads(labkit.read_text("direct_url.json") or "{}").get("url", "")
    folder = Path(url2pathname(urlparse(url).path))
    return folder.is_absolute() and folder.exists() and folder.samefile(ROOT)


def terminal():
    """Examine which Python a terminal would find, as far as the kernel's own PATH tells."""
    labkit = sys.modules.get("labkit")  # it has put this Python first
    found = shutil.which("python", path=getattr(labkit, "TERMINAL_PATH", None))
    if found and Path(found).parent.samefile(Path(sys.executable).parent):
        return True, "`python` in a terminal is the same as in this notebook."
    other = f"is {short(found)}, not this notebook's" if found else "is not found"
    return False, f"`python` in a terminal {other}: close JupyterLab and open it with {START}."


def data():
    digest = hashlib.sha256((ROOT / DATA_FILE).read_bytes()).hexdigest()
    if digest in (ROOT / "data" / "README.md").read_text(encoding="utf-8"):
        return True, f"{DATA_FILE} is the file that data/README.md describes."
    return False, f"{DATA_FILE} is not the file that data/README.md describes: {RESTORE}."


def port():
    from labkit import LabError, own_port  # what 3.8 can't read

    try:
        number = own_port()
    except LabError as error:
        return False, str(error)
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", number)) != 0:
            return True, f"Port {number} is free."
    try:
        from labkit.service import holder, way_out

        who = holder(number)
        remedy = way_out(who)
    except ImportError:  # a bare Python has no psutil
        who = "another program"
        remedy = (
            "stop it (Ctrl+C in its terminal, or shut down the notebook that started it); if it is "
            "another user's, set the variable LAB_PORT to another number, such as 9707, and start "
            "the lab anew"
        )
    return False, f"Port {number} is taken by {who}: {remedy}."


def disk():
    free = shutil.disk_usage(str(ROOT)).free
    text = f"{free / 1e9:.1f} GB of the disk are free"
    set_up = (ROOT / ".venv" / STAMP).exists()
    who, needed = ("the lab", ROOM_AFTER) if set_up else ("setting up", ROOM_BEFORE)
    if free >= needed * 10**9:
        return True, text + "."
    remedy = "empty the trash, or remove what you don't need"
    return False, f"{text}, and {who} needs {needed} GB: {remedy}."


def folders():
    for name in ["notebooks", "labs", "solutions"]:
        try:
            tempfile.TemporaryFile(dir=str(ROOT / name)).close()
        except OSError as error:
            remedy = "copy the lab to a folder of your own, for example in your home folder"
            return False, f"Nothing can be written to {name} ({error.strerror}): {remedy}."
    return True, "notebooks, labs and solutions can be written to."


def home():
    name = "USERPROFILE" if os.name == "nt" else "HOME"
    folder = os.path.expanduser("~") or "~"  # noqa: PTH111 - Path.home() fails where there is none
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return False, (
            f"Nothing can be written to the home folder {folder} ({error.strerror}), where "
            "programs keep settings; the lab runs all the same, and forgets those of JupyterLab: "
            f"set {name} to a folder of your own."
        )
    return True, "The home folder can be written to."


def proxy():
    """Examine whether a terminal outside JupyterLab would ask a proxy for this machine."""
    proxies = getproxies_environment()
    exceptions = getattr(sys.modules.get("labkit"), "NO_PROXY", proxies.get("no", ""))
    hosts = ["localhost", "127.0.0.1"]
    if not proxies.keys() & {"http", "all"} or all(
        proxy_bypass_environment(host, {"no": exceptions}) for host in hosts
    ):
        return True, "No proxy comes between you and this machine."
    command = "set" if os.name == "nt" else "export"
    wanted = ",".join([*filter(None, [exceptions]), *hosts])
    return False, (
        "In a terminal outside JupyterLab, curl asks your proxy for http://localhost:9696: "
        f"type `{command} no_proxy={wanted}` there, or put it where the proxy is set."
    )


def place():
    clouds = ("OneDrive", "Mobile Documents", "iCloud", "Dropbox", "Google Drive", "GoogleDrive")
    remedy = "move the lab, for example to your home folder"
    for part in ROOT.parts:
        if part.startswith(clouds):
            return False, f"The folder {part} is synchronised, which breaks environments: {remedy}."
    if os.pathsep in str(ROOT):
        separates = f"`{os.pathsep}` in the lab's path {ROOT} separates folders in PATH"
        return False, f"{separates}, so no environment can be in it: rename that folder."
    if os.name == "nt" and len(str(ROOT)) > 100:
        return False, f"The lab's path is {len(str(ROOT))} characters long, 100 at most: {remedy}."
    return True, "The lab lies in a good place."


# --- What the examinations need to know ---


def in_notebook():
    ipython = sys.modules.get("IPython")
    return hasattr(ipython and ipython.get_ipython(), "kernel")


def in_conda():
    return (Path(sys.prefix) / "conda-meta").is_dir()


def kind():
    """Return what kind of environment the running Python is of."""
    prefix = Path(sys.prefix)
    if in_conda():
        return "Anaconda's (base)" if (prefix / "condabin").is_dir() else "a conda environment"
    if sys.prefix == sys.base_prefix:
        return "one outside of any environment"
    return "a Pipenv environment" if (prefix / ".project").is_file() else "a venv"


def short(path):
    """Return a path as text, within the lab relative to its folder."""
    try:
        return str(Path(path).relative_to(ROOT))
    except ValueError:
        return str(path)


# --- What is printed ---


def lines(results):
    return [("✔ " if fine else "✘ ") + text for fine, text in results]


def say(text):
    """Print, also on a console that lacks some of the letters."""
    try:
        print(text)
    except UnicodeEncodeError:
        plain = text.replace("✔", "OK:").replace("✘", "NOT OK:").replace("…", "...")
        print(plain.encode("ascii", "replace").decode("ascii"))


def about_machine():
    programs = [shutil.which(name, path=folder) for folder in path_folders() for name in PROGRAMS]
    versions = [f"{name} {installed_version(name) or 'missing'}" for name in KEY_PACKAGES]
    proxies = sorted(name for name in os.environ if name.lower().endswith("_proxy"))
    return [
        f"System: {platform.platform()}",
        f"Python: {platform.python_version()}, {kind()}, {short(sys.executable)}",
        f"Folder: {ROOT}",
        f"Packages: {', '.join(versions)}",
        f"Pythons of a terminal: {', '.join(short(program) for program in programs if program)}",
        f"Proxy settings: {', '.join(proxies) or 'none'}",
    ]


def path_folders():
    return [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]


def private(text):
    """Return a line without home folders, user names and host names."""
    homes = {os.environ.get(name) for name in ["HOME", "USERPROFILE"]} - {None, "", os.sep}
    users = {os.environ.get(name) for name in ["USER", "USERNAME", "LOGNAME", "SUDO_USER"]}
    users |= {Path(home).name for home in homes}
    with contextlib.suppress(ImportError, KeyError, OSError):  # it may have none
        users.add(getpass.getuser())
    hosts = {os.environ.get(name) for name in ["HOSTNAME", "COMPUTERNAME", "USERDOMAIN"]}
    hosts |= {platform.node(), platform.node().split(".")[0]}
    for home in homes | {str(Path(home).resolve()) for home in homes}:
        whole = r"(?<![\w.-])" + re.escape(home) + r"(?![\w-])"  # not the middle of another path
        text = re.sub(whole, "~", text, flags=re.IGNORECASE)
    text = re.sub(r"(?i)([\\/](home|users)[\\/])[^\\/:;]+", r"\1USER", text)  # other people's
    for names, stand_in in [(users, "USER"), (hosts, "HOST")]:
        for name in sorted(names - {None, "", "localhost"}, key=len, reverse=True):
            word = r"(?<![a-z])" + re.escape(name) + r"(?![a-z])"
            text = re.sub(word, stand_in, text, flags=re.IGNORECASE)
    return text


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))  # for this folder's labkit, whichever Python runs this
    parser = argparse.ArgumentParser(description="Find out what is wrong with this machine.")
    parser.add_argument("--report", action="store_true", help="print what a helper needs to know")
    parser.add_argument("--differences", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--tests", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.differences:
        print(json.dumps(differences(options.tests)))
        sys.exit(0)
    sys.exit(0 if (report if options.report else check)() else 1)
