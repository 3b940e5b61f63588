"""Checks and hints of lab 8, the container.

The four Dockerfiles to mend need no Docker: `built` follows a Dockerfile as `docker build` does, as
far as such small ones need it, and `serves` follows the container's start. Both end with Wrong
where a learner's container would. `build` lets a Docker engine do it, where there is one.
"""

import copy
import getopt
import io
import json
import re
import shlex
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from posixpath import normpath

from dockerfile_parse import DockerfileParser
from packaging.requirements import InvalidRequirement, Requirement

from labkit import ROOT, SOLVED_LABS, LabError, service
from labkit.exercises import Blank, Lab, Wrong, show
from labkit.labs import container

lab = Lab("08_the_container")

SERVICE = """\
from flask import Flask

app = Flask("ping")


@app.route("/ping")
def ping():
    return "PONG"
"""


def requirements():
    """Return the lines that install flask and granian, in the versions of the lab's own lock."""
    lock = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    return "".join(f"{name}{lock['default'][name]['version']}\n" for name in ("flask", "granian"))


KEY = "sunflower-over-the-hill"
SECRET = f"CHURN_API_KEY={KEY}\n"
NEEDED = {"requirements.txt": requirements(), "ping.py": SERVICE}
BUILDS = {  # exercise: the files of its folder; the Dockerfiles are in the lab's source
    "mend-the-names": {
        "requirements.txt": requirements(),
        "service/ping.py": SERVICE,
        "notes.md": "Call the office.\n",
        ".env": SECRET,
    },
    "mend-the-quotes": NEEDED,
    "it-runs-on-my-machine": {"ping.py": SERVICE},
    "no-secrets": NEEDED | {"customers.csv": "customer,churn\n8879-zkjof,no\n", ".env": SECRET},
}


def texts(name: str) -> dict[str, str]:
    """Return an exercise's broken and mended texts, such as {"broken_names": "FROM ..."}."""
    source = (SOLVED_LABS / f"lab_{lab.name}.py").read_text(encoding="utf-8")
    return dict(re.findall(rf'^(\w+_{last(name)}) = """\\\n(.*?)"""', source, re.M | re.S))


def last(name: str) -> str:
    """Return the last word of an exercise's name, as in mended_names of mend-the-names."""
    return name.rpartition("-")[2]


def write_context(name: str, folder: Path, dockerfile: str, ignore: str = "") -> None:
    """Write the folder that `docker build` gets: the exercise's files, and these two."""
    files = BUILDS[name] | {"Dockerfile": dockerfile, ".dockerignore": ignore}
    for file, text in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def build(name: str, dockerfile: str, ignore: str = "", *options: str) -> None:
    """Let Docker build the image lab-NAME, if an engine answers here; say how it went.

    options: more of `docker build`. Raises LabError for what is no text.
    """
    if name not in BUILDS:
        raise LabError(f"Nothing is built in {name}; the exercises are {', '.join(BUILDS)}.")
    if isinstance(dockerfile, Blank) or isinstance(ignore, Blank):
        print("○ There is nothing to build yet: put your answer where ____ stands.")
        return
    if not (isinstance(dockerfile, str) and isinstance(ignore, str)):
        raise LabError("build takes the exercise and your Dockerfile, as texts.")
    if not container.engine():
        print("No Docker engine answers here. None is needed for the ✔.")
        return
    image = f"lab-{name}"
    with tempfile.TemporaryDirectory() as folder:
        write_context(name, Path(folder), dockerfile, ignore)
        done = subprocess.run(
            ["docker", "build", "--tag", image, *options, folder],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
        )  # fmt: skip
    if done.returncode:
        print("✘ Docker could not build it:", *done.stdout.splitlines()[-12:], sep="\n")
        return
    print(f"✔ Docker has built {image}. In a terminal, this starts it (Ctrl+C ends it):")
    here = f"127.0.0.1:{service.PORT}"
    print(f"    docker run --rm -it -p {here}:9696 {image}")
    print(f"Then open http://{here}/ping. `docker image rm {image}` removes the image.")


# --- Lines and ports ---


def letters(name, text, known):
    """Return a text's letters, in capitals as `known` has them; raise Wrong for others."""
    upper = known.isupper()
    found = re.findall(r"\w", text.upper() if upper else text.lower())
    for one in found:
        if one not in known:
            raise Wrong(f"{name} holds {one!r}: the letters are {known[0]} to {known[-1]}.")
    for one in found:
        if found.count(one) > 1:
            raise Wrong(f"{name} holds {one} {found.count(one)} times: once is enough.")
    return "".join(found)


STEPS = {  # what a RUN or COPY does, in words
    "B": "copies the code", "C": "installs the packages", "F": "copies the model",
    "G": "installs the system's library", "I": "copies requirements.txt",
}  # fmt: skip
BEFORE = [  # first, then, why
    ("H", "BCFI", "./ is the folder that WORKDIR has set, and before that it is /"),
    ("I", "C", "pip reads requirements.txt, so it must be in the image by then"),
    ("C", "E", "user 10001 may not write where pip installs"),
    ("G", "E", "apt-get must be root, and user 10001 is not"),
]
CHANGES = [  # what changes, and the steps that can't be helped
    ("B", "the code changes, several times a day", "B"),
    ("F", "the model changes, every week", "FB"),
    ("I", "requirements.txt changes, every month", "ICFB"),
]


@lab.exercise(
    "order-the-lines",
    lesson="The cache and the order of lines",
    hints=[
        "From a changed line on, all that follows is done again. So what changes often comes late.",
        "First the base and the folder; then the system's library, which never changes.",
        "requirements.txt is copied alone, and pip follows at once. Model, then code.",
        "USER comes after what only root may do (G and C). CMD may be the last line.",
    ],
)
def order(answer):
    came = letters("order", answer.value("order", str), "ABCDEFGHI")
    if missing := set("ABCDEFGHI") - set(came):
        raise Wrong(f"order should hold all nine letters, and lacks {', '.join(sorted(missing))}.")
    if came[0] != "D":
        raise Wrong(f"order begins with {came[0]}: a Dockerfile begins with FROM, its base image.")
    for first, then, why in BEFORE:
        for one in then:
            if came.index(one) < came.index(first):
                raise Wrong(f"{one} stands before {first}: {why}.")
    for changed, when, needed in CHANGES:
        again = [one for one in came[came.index(changed) :] if one in STEPS]
        if extra := [one for one in again if one not in needed]:
            raise Wrong(
                f"when {when}, Docker does {', '.join(again)} again, and {extra[0]}, which "
                f"{STEPS[extra[0]]}, need not be among them: it should stand before {changed}."
            )


ROWS = {  # row: does an answer come back, and why
    "a": (True, "0.0.0.0 inside takes what the mapping brings, and 127.0.0.1 outside is this "
          "machine"),
    "b": (False, "the mapping is bound to 127.0.0.1 outside, where only this machine can ask"),
    "c": (False, "127.0.0.1 inside is the container's own: what the mapping brings from outside "
          "does not come in there"),
    "d": (False, "the number on the left is the outside: here it is 8080, and nobody listens on "
          "this machine's 9696"),
    "e": (True, "without an address the mapping is open on all of this machine's, so the whole "
          "network may ask, at the outer port 8080"),
    "f": (False, "EXPOSE is a note for people; only -p opens a port on this machine"),
    "g": (True, "inside the container its own 127.0.0.1 is meant, and no mapping is needed"),
    "h": (False, "the mapping leads to 9696 inside, and the service listens on 8080 there"),
    "i": (True, "inside the container the service's own port counts, whatever the mapping says"),
    "j": (False, "in another container, 127.0.0.1 is that other container itself"),
}  # fmt: skip


@lab.exercise(
    "who-gets-an-answer",
    lesson="Two sides of a port",
    hints=[
        "Who asks? Each container has a 127.0.0.1 of its own, and so has each machine.",
        "Read -p from left to right: address outside (none: all of them), port outside, port "
        "inside. Who is inside already needs no -p.",
        "From outside, a service is met only if it listens on 0.0.0.0, at the right-hand port.",
    ],
)
def answered(answer):
    came = letters("answered", answer.value("answered", str), "".join(ROWS))
    wrong = [row for row, (answers, _) in ROWS.items() if (row in came) != answers]
    if wrong:
        answers, why = ROWS[wrong[0]]
        should = "an answer comes" if answers else "no answer comes"
        more = f" (rows to look at, with this one: {len(wrong)})" if len(wrong) > 1 else ""
        raise Wrong(f"in row {wrong[0]} {should}: {why}{more}.")


# --- Follow a Dockerfile ---

KNOWN = {
    "FROM", "RUN", "CMD", "LABEL", "MAINTAINER", "EXPOSE", "ENV", "ADD", "COPY", "ENTRYPOINT",
    "VOLUME", "USER", "WORKDIR", "ARG", "ONBUILD", "STOPSIGNAL", "HEALTHCHECK", "SHELL",
}  # fmt: skip
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
BASE = [f"/usr/local/bin/{name}" for name in ("python", "python3", "pip", "pip3")]
TAKES_VALUE = {"-i", "--index-url", "--extra-index-url", "-c", "--constraint", "-f", "--find-links",
               "--root-user-action", "--timeout", ">"}  # fmt: skip


@dataclass
class Stage:
    """An image while it is built. files: {path inside: file of the folder, or ""}."""

    files: dict = field(default_factory=lambda: dict.fromkeys(BASE, ""))
    layers: set = field(default_factory=set)  # files of the folder in any layer, deleted or not
    env: dict = field(default_factory=lambda: {"PATH": PATH})
    arguments: dict = field(default_factory=dict)
    users: set = field(default_factory=lambda: {"root", "nobody", "www-data", "daemon", "games"})
    folder: str = "/"
    user: str = "root"
    start: dict = field(default_factory=lambda: {"ENTRYPOINT": [], "CMD": []})

    def path(self, text):
        return normpath(str(PurePosixPath(self.folder, text)))

    def expand(self, text):
        """Put variables in, as Docker does outside of RUN, CMD and ENTRYPOINT."""
        known = self.arguments | self.env
        return re.sub(r"\$\{?(\w+)\}?", lambda name: known.get(name[1], ""), text)

    def find(self, program):
        """Return the path of a program, or None."""
        folders = ["."] if "/" in program else self.env["PATH"].split(":")
        paths = (self.path(PurePosixPath(folder, program)) for folder in folders)
        return next((path for path in paths if path in self.files), None)


def instructions(text):
    """Return the Dockerfile's instructions; raise Wrong for lines that are none."""
    if quote := re.search("[“”„‘’]", text):
        raise Wrong(f"the Dockerfile holds the curly quotation mark {quote[0]}: Docker knows the "
                    'straight " only.')  # fmt: skip
    if re.search(r"^\s*(RUN|COPY|ADD)\b.*<<", text, re.M | re.I):
        raise Wrong("Docker understands << behind RUN and COPY, and no check here does: use && "
                    "between commands, and files of the folder.")  # fmt: skip
    found = []
    file = io.BytesIO(f"{text}\n\n".encode(errors="replace"))  # the last line may end with \
    for one in DockerfileParser(fileobj=file).structure:
        instruction, value = one["instruction"], one["value"].strip()
        line = f"line {one['startline'] + 1}"
        if instruction == "COMMENT":
            continue
        if instruction not in KNOWN:
            raise Wrong(
                f"{line} begins with {one['content'].split()[0][:30]!r}, which is no instruction: "
                "is it misspelt, or does the line before lack its \\?"
            )
        if not value:
            raise Wrong(f"{line}, {instruction}, has nothing behind it: what is it to work on?")
        if instruction != "RUN" and re.search(r"\s#", value):
            raise Wrong(f"{line}: # begins a comment only where a line begins, so give the comment "
                        "a line of its own.")  # fmt: skip
        found.append((instruction, value))
    if not found or found[0][0] not in ("FROM", "ARG"):
        raise Wrong("a Dockerfile begins with FROM, the image that it stands on: leave that line.")
    return found


def words(text, shell=False):
    """Split as a shell does; raise Wrong for a quotation mark without its partner.

    shell: && and the like are words of their own, and # begins a comment.
    """
    reader = shlex.shlex(text, posix=True, punctuation_chars=shell)
    reader.whitespace_split, reader.commenters = True, "#" if shell else ""
    try:
        return list(reader)
    except ValueError:
        raise Wrong(f"in {text[:60]!r} a quotation mark is opened and not closed.") from None


def exec_form(instruction, text):
    """Return the list in brackets; or None for the shell form. Raise Wrong for a failed list."""
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        reason = "something in the brackets is not in double quotes, or a comma is wrong"
        if "'" in text:
            reason = "single quotes are none in JSON, put each word in double ones"
        raise Wrong(
            f"the brackets of {instruction} are no list in JSON, so Docker hands the line to a "
            f"shell, which finds no program of that name: {reason}."
        ) from None
    if not all(isinstance(one, str) for one in found):
        raise Wrong(f"in the brackets of {instruction} all are texts: put numbers in quotes, too.")
    return found


def flags_off(text):
    """Return the --flags at the beginning, as a dictionary, and the rest."""
    found = {}
    while flag := re.match(r"--([\w-]+)(?:=(\S+))?\s+", text):
        found[flag[1]], text = flag[2], text[flag.end() :]
    return found, text


def glob(pattern):
    """Return a path with *, ? and ** as a regular expression."""
    regex = re.escape(pattern).replace(r"\?", "[^/]").replace(r"\*\*/", "(?:.*/)?")
    return regex.replace(r"\*\*", ".*").replace(r"\*", "[^/]*")


def ignored(name, patterns):
    """Say whether a .dockerignore leaves a file out: the last line that fits it decides."""
    ways = [name, *map(str, PurePosixPath(name).parents)][:-1]  # without "."
    out = False
    for line in patterns.splitlines():
        line = line.strip()
        pattern = normpath(line.removeprefix("!").strip().lstrip("/"))
        if pattern == "." or line.startswith("#"):
            continue
        if any(re.fullmatch(glob(pattern), way) for way in ways):
            out = not line.startswith("!")
    return out


def built(text, folder, ignore=""):
    """Follow a Dockerfile and return its last Stage. folder: {name: text} of the build's folder.

    Raises Wrong where `docker build` would end, and for what no check here can follow.
    """
    stages, stage = {}, Stage()
    seen = {name: text for name, text in folder.items() if not ignored(name, ignore)}
    for instruction, value in instructions(text):
        if instruction == "FROM":
            stage = begun(value, stages)
        elif instruction == "ARG":
            name, _, default = value.partition("=")
            stage.arguments[name] = default
        elif instruction == "ENV":
            pairs = words(value)
            if "=" not in pairs[0]:  # the old form: ENV NAME value
                pairs = [f"{pairs[0]}={' '.join(pairs[1:])}"]
            stage.env |= {k: stage.expand(v) for k, _, v in (one.partition("=") for one in pairs)}
        elif instruction == "WORKDIR":
            stage.folder = stage.path(stage.expand(value.strip("\"'")))
        elif instruction == "USER":
            stage.user = see_user(stage, stage.expand(value).split(":")[0])
        elif instruction in ("COPY", "ADD"):
            copy_in(stage, stages, instruction, value, seen, folder)
        elif instruction == "RUN":
            run_in(stage, value, folder)
        elif instruction in ("ENTRYPOINT", "CMD"):
            found = exec_form(instruction, value)
            stage.start[instruction] = ["/bin/sh", "-c", value] if found is None else found
    return stage


def begun(value, stages):
    """Return a new stage, on the base image or on an earlier stage."""
    _, value = flags_off(value)
    base, *rest = words(value.removeprefix("docker.io/").removeprefix("library/")) or [""]
    number = str(sum(map(str.isdecimal, stages)))
    name = rest[1].lower() if len(rest) == 2 and rest[0].upper() == "AS" else number
    if base.lower() in stages:
        stage = copy.deepcopy(stages[base.lower()])
    elif base in ("python", "python:latest", "python:slim"):
        raise Wrong(f"FROM {base} is another Python some day, without a word: keep a tag with the "
                    "version, python:3.13-slim.")  # fmt: skip
    elif base.startswith("python:3."):
        stage = Stage()
    else:
        raise Wrong(f"FROM {base} is another base than the given python:3.13-slim: leave that.")
    stages[name] = stages[number] = stage
    return stage


def see_user(stage, name):
    """Return a user's name; raise Wrong if the image does not know it."""
    if not (name.isdecimal() or name in stage.users):
        raise Wrong(
            f"USER {name}: the image has no such user, and the container would not start. A number "
            "such as 10001 needs no entry; a name needs RUN useradd before."
        )
    return name


def is_root(stage):
    return stage.user == "root" or (stage.user.isdecimal() and not int(stage.user))


def copy_in(stage, stages, instruction, value, seen, folder):
    """Follow COPY and ADD: from the folder, or from an earlier stage."""
    flags, value = flags_off(value)
    value = stage.expand(value)
    *sources, target = exec_form(instruction, value) or words(value) or [""]
    if not sources:
        raise Wrong(f"{instruction} {target} names one place: it takes what to copy, and where to.")
    place = stage.path(target)
    folders = {
        "/",
        stage.folder,
        *(str(up) for one in stage.files for up in PurePosixPath(one).parents),
    }
    into = target.endswith(("/", ".")) or place in folders
    if len(sources) > 1 and not into:
        raise Wrong(f"{instruction} copies several files to {target}: write {target}/, a folder.")
    origin = {f"/{name}": name for name in seen}
    if earlier := flags.get("from", "").lower():
        if earlier not in stages:
            raise Wrong(f"{instruction} --from={earlier}: no stage of this name stands above.")
        origin = stages[earlier].files
    for source in sources:
        path = normpath(f"/{source}").strip("/")
        new = {}
        for one, name in origin.items():
            if found := re.fullmatch(f"/?({glob(path)})(/.+)?", one):  # a file, or in such a folder
                inner = found[2] or (f"/{PurePosixPath(one).name}" if into else "")
                new[f"{place.rstrip('/')}{inner}"] = name
        if not new:
            raise Wrong(missing(source, path, folder, bool(earlier), instruction))
        stage.files |= new
        stage.layers |= {name for name in new.values() if name}


def missing(source, path, folder, earlier, instruction):
    """Say why there is nothing to copy."""
    begin = f"{instruction} does not find {source}"
    if earlier:
        return f"{begin} in that stage: what was made there, and where?"
    if path in folder or any(name.startswith(f"{path}/") for name in folder):
        return (f"{begin}: it is there, and .dockerignore leaves it out, so let it through, by its "
                "name from the folder on.")  # fmt: skip
    for name in folder:
        if name.lower() == path.lower():
            return f"{begin}: the file's name is {name}, and in a build capitals matter."
        if PurePosixPath(name.lower()).name == PurePosixPath(path.lower()).name:
            return f"{begin}: it is {name}, so name the way to it, from the folder on."
    return f"{begin}: the folder has no such file."


def run_in(stage, value, folder):
    """Follow RUN, as far as it installs, removes files or makes users."""
    _, value = flags_off(value)
    line = exec_form("RUN", value) or words(stage.expand(value), shell=True)
    commands, here = [[]], copy.copy(stage)  # its files are the stage's; `cd` moves it alone
    for word in line:
        if word and set(word) <= set("&|;()"):
            commands.append([])
        else:
            commands[-1].append(word)
    for command in commands:
        while command and re.match(r"\w+=", command[0]):
            command = command[1:]
        match command:
            case ["cd", place]:
                here.folder = here.path(place)
            case ["useradd", *some]:
                stage.users.update(some)
            case ["adduser" | "addgroup" as missed, *_]:
                raise Wrong(f"RUN {missed}: the slim image has no {missed}, and it has useradd.")
            case ["rm", *names]:
                gone = "|".join(f"{glob(here.path(name))}(/.*)?" for name in names)
                for path in [one for one in stage.files if re.fullmatch(gone, one)]:
                    del stage.files[path]
            case [python, "-m", "venv", *options, place] if "python" in python:
                names = ["python", "python3"] + ["pip"] * ("--without-pip" not in options)
                stage.files |= {f"{here.path(place)}/bin/{name}": "" for name in names}
            case [*some] if "install" in some:
                install(here, some, folder)


def install(stage, command, folder):
    """Follow pip install: a package is a program and a folder of the environment."""
    behind = command.index("install") + 1
    tool, rest = " ".join(command[:behind]), command[behind:]
    elsewhere = re.search(r" --python[ =](\S+)", tool)
    if not re.search(r"\bpip3?( --python \S+| -\S+)* install$", tool):
        return
    path = stage.find(command[0])
    if path is None:
        raise Wrong(f"RUN {tool}: the image has no {command[0]}.")
    if not is_root(stage):
        raise Wrong(
            f"USER {stage.user} stands before pip install, and this user may not write where pip "
            "installs: first RUN, then USER."
        )
    home = path.rsplit("/bin/", 1)[0]
    if elsewhere:
        home = re.sub(r"/bin/python[\d.]*$", "", stage.path(elsewhere[1]))
        if f"{home}/bin/python" not in stage.files:
            raise Wrong(f"RUN {tool}: there is no environment in {home} by then.")
    if "--require-hashes" in rest:
        raise Wrong("pip install --require-hashes refuses whatever is listed without a hash, and "
                    "nothing here has one: leave the option out.")  # fmt: skip
    names = []
    while rest:
        word = rest.pop(0)
        if listed := re.match(r"(?:-r|--requirement)=?(.*)", word):
            file = stage.path(listed[1] or (rest.pop(0) if rest else ""))
            if file not in stage.files:
                raise Wrong(f"pip install -r: there is no {file} in the image by then, so COPY it "
                            "before (and look at WORKDIR).")  # fmt: skip
            names += folder.get(stage.files[file], "").splitlines()
        elif word in TAKES_VALUE:
            rest = rest[1:]
        elif not word.startswith("-"):
            names.append(word)
    if not names:
        raise Wrong("pip install says nothing of what to install: name packages, or -r and a file.")
    for name in names:
        try:
            package = Requirement(name).name.lower()
        except InvalidRequirement:
            package = ""
        if not package[:1].isalpha():
            raise Wrong(
                f"pip install can't read {name!r}: blanks stand between packages, == before a "
                "version, and quotation marks around a limit such as 'granian>=2'."
            )
        stage.files |= {f"{home}/bin/{package}": "", f"{home}/lib/{package}": ""}


# --- Follow the start ---


def serves(stage, no_shell=False):
    """Follow the start of a container; raise Wrong unless GET /ping from outside is answered."""
    argv = program(stage, no_shell)
    if argv[0] == "flask" or PurePosixPath(argv[0]).name.startswith("python"):
        raise Wrong("the container starts Flask's development server, which says itself that it is "
                    "not for production: granian stays the server.")  # fmt: skip
    if spaced := next((word for word in argv if " " in word), None):
        raise Wrong(f"the container takes {spaced!r} for one word, blanks and all: in the "
                    "brackets, each word is a text of its own.")  # fmt: skip
    if PurePosixPath(argv[0]).name != "granian":
        raise Wrong(f"the container starts {show(argv[0])}: granian stays the server.")
    if "granian" in argv[1:]:
        raise Wrong("Docker joins ENTRYPOINT and CMD to one command, which names granian twice: "
                    "name it in one of them.")  # fmt: skip
    path = stage.find(argv[0])
    if path is None:
        raise Wrong(
            'exec: "granian": executable file not found in $PATH: pip has not installed granian '
            "into this image, whatever your own machine has."
        )
    if path.replace("/bin/granian", "/lib/flask") not in stage.files:
        raise Wrong("ping.py imports flask, and pip has not installed it beside granian.")
    if dollar := next((word for word in argv if "$" in word), None):
        raise Wrong(
            f"granian gets the text {dollar} as it stands: in brackets no shell puts a variable "
            "in. Write the number, or let granian read GRANIAN_PORT."
        )
    see_app(stage, argv)
    host = option(stage, argv, "host")
    if host not in ("0.0.0.0", "::"):
        said = "without --host granian takes 127.0.0.1, where it talks to itself"
        if host:
            said = f"granian is told to listen on {host}, which is no address of the container"
        if host in ("127.0.0.1", "::1", "localhost"):
            said = f"inside the container granian listens on {host}, where it talks to itself"
        raise Wrong(f"{said}: what -p brings from outside arrives at another address. 0.0.0.0 is "
                    "all of them.")  # fmt: skip
    port = option(stage, argv, "port")
    if port != "9696":
        said = f"granian listens on port {port}" if port else "without --port granian takes 8000"
        raise Wrong(f"{said}, and -p 127.0.0.1:9696:9696 leads to 9696 inside: make them meet.")


def program(stage, no_shell):
    """Return the words of the program that the container starts; a shell is seen through."""
    argv = stage.start["ENTRYPOINT"] + stage.start["CMD"]
    if len(argv) > 2 and PurePosixPath(argv[0]).name in ("sh", "bash") and argv[1] == "-c":
        argv = words(re.split("&&|;", stage.expand(argv[2]))[-1])
        if argv[:1] == ["exec"]:
            argv = argv[1:]
        elif no_shell:
            raise Wrong(
                "the container starts, with a shell as its first process, so `docker stop` waits "
                'ten seconds and then kills: write a list in brackets, CMD ["granian", ...].'
            )
    if PurePosixPath(argv[0] if argv else "").name == "env":  # as in the lab's own Dockerfile
        argv = words(stage.expand(" ".join(word for word in argv[1:] if word != "-S")))
    if argv[1:3] == ["-m", "granian"] and stage.find(argv[0]):
        argv = [argv[0].replace("python3", "python").replace("python", "granian"), *argv[3:]]
    if not argv:
        raise Wrong("nothing says what to start: a CMD with granian is missing, or empty.")
    return argv


def option(stage, argv, name):
    """Return the value of granian's --name, else of its GRANIAN_NAME, else None."""
    found = stage.env.get(f"GRANIAN_{name.upper()}")
    for word, behind in zip(argv, [*argv[1:], None], strict=True):
        if word == f"--{name}":
            found = behind
        elif word.startswith(f"--{name}="):
            found = word.partition("=")[2]
    return found


def see_app(stage, argv):
    """Raise Wrong unless granian is told the app in ping.py, and that it is WSGI."""
    names = [word for word in argv[1:] if re.fullmatch(r"[\w./]+:\w+|ping(\.py)?", word)]
    if not names:
        raise Wrong("granian is not told what to serve: ping:app, file and app, comes last.")
    module, _, app = names[-1].partition(":")
    module = module.removesuffix(".py")
    path = stage.path((module if "/" in module else module.replace(".", "/")) + ".py")
    if stage.files.get(path, "") == "":
        where = [path for path, name in stage.files.items() if name.endswith("ping.py")]
        there = f"it has {where[0]}" if where else "it has no ping.py at all, so COPY it"
        raise Wrong(f"granian is told {names[-1]}, and {path} is not in the image: {there}.")
    if app not in ("app", ""):
        raise Wrong(f"granian is told {names[-1]}, and the Flask app in ping.py is named app.")
    if option(stage, argv, "interface") != "wsgi":
        raise Wrong("granian takes an app for RSGI unless told otherwise, and Flask speaks WSGI: "
                    "keep --interface wsgi.")  # fmt: skip


# --- The four Dockerfiles ---


def mended(answer, name, **options):
    """Follow a learner's Dockerfile, and return its image."""
    text = answer.value(f"mended_{last(name)}", str)
    ignore = answer.value("ignore_names", str) if name == "mend-the-names" else ""
    image = built(text, BUILDS[name], ignore)
    serves(image, **options)
    return image


TOMORROW = ["customers.csv", "key", "old.txt", "old/ping.py", "service/old.py"]


@lab.exercise(
    "mend-the-names",
    lesson="The Dockerfile, line by line",
    hints=[
        "Compare each name, letter by letter: requirements.txt, service/ping.py, ping:app.",
        "COPY names the way from the folder on. What it copies to ./ has no folder before it.",
        "The .dockerignore names the way, too: !service/ping.py. The * above keeps the rest out.",
    ],
)
def names(answer):
    mended(answer, "mend-the-names")
    for name in [*BUILDS["mend-the-names"], *TOMORROW]:
        needed = name in ("requirements.txt", "service/ping.py")
        if not (needed or ignored(name, answer.value("ignore_names"))):
            when = ", when it joins the folder," if name in TOMORROW else ""
            raise Wrong(
                f"the image is good, and the build sees {name}{when} as well: keep the line *, and "
                "let through two files, each by its whole name."
            )


@lab.exercise(
    "mend-the-quotes",
    lesson="Spot the mistake",
    hints=[
        "Brackets are a list in JSON, and JSON knows one kind of quotation mark.",
        "No shell reads such a list, so nobody puts a value in for $PORT.",
        '"--port", "9696" is one way; ENV GRANIAN_PORT=9696, and no --port at all, another.',
    ],
)
def quotes(answer):
    mended(answer, "mend-the-quotes", no_shell=True)


@lab.exercise(
    "it-runs-on-my-machine",
    lesson="Two sides of a port",
    hints=[
        "What was on the author's machine, and is not in the image? pip install says what is.",
        "127.0.0.1 inside the container is the container's own. And which port does -p lead to?",
        "pip install flask and granian; --host 0.0.0.0; --port 9696.",
    ],
)
def server(answer):
    mended(answer, "it-runs-on-my-machine")


@lab.exercise(
    "no-secrets",
    lesson="Not root, and healthy",
    hints=[
        "Go through it line by line: what does COPY . . take along? What does ENV leave behind?",
        "A layer keeps what a later RUN rm deletes. So copy by name what is needed, and no more.",
        "Without USER the service is root. A number will do, after pip has installed.",
    ],
)
def out(answer):
    text = answer.value("mended_secrets", str)
    image = mended(answer, "no-secrets")
    if strange := sorted(image.layers - set(NEEDED)):
        gone = not set(strange) & set(image.files.values())
        raise Wrong(
            f"{', '.join(strange)} can be found in a layer of the image"
            + (", though a later line deletes it: never copy it in." if gone else
               ": copy requirements.txt and ping.py by their names.")
        )  # fmt: skip
    if any("KEY" in name for name in [*image.env, *image.arguments]) or KEY in text:
        raise Wrong(
            "the key's name or value still stands in ENV, ARG or another line, and `docker "
            "history` or a reader finds it: take the line out, docker run -e brings the key."
        )
    if is_root(image):
        raise Wrong("the service runs as root: write USER 10001, behind the lines that need root.")


# --- What is in the image? ---

HELD = {  # what: is it in the image, and why
    "flask": (True, "pip put it into /opt/venv in packages, and the last stage copies that"),
    "pandas": (False, "report has a copy of /opt/venv of its own; the last stage takes packages'"),
    "requirements.txt": (False, "it is in /build of the stage packages, which nobody copies"),
    "customers.csv": (False, "it stays in the stage report: only prices.json is copied from there"),
    "prices.json": (True, "COPY --from=report takes it along"),
    "ping.py": (True, "COPY in the last stage puts it there"),
    "token.txt": (True, "the layer of COPY keeps it, and RUN rm makes a new layer that hides it"),
    "TEAM": (True, "the last stage begins FROM base, and takes base's ENV along"),
    "MODE": (False, "it was set in report, and settings do not come along with COPY --from"),
}


@lab.exercise(
    "what-is-in-the-image",
    lesson="Look inside",
    hints=[
        "Begin at the last FROM: what does base bring along? Then follow its COPY lines.",
        "COPY --from takes the named files of that stage, as they are there, and nothing else.",
        "RUN rm adds a layer. It changes none of those below it.",
    ],
)
def held(answer):
    came = answer.value("held", (set, list, tuple))
    for name in came:
        if name not in list(HELD):
            raise Wrong(f"held names {show(name)}, which is none of the nine: {', '.join(HELD)}.")
    for name, (there, why) in HELD.items():
        if there != (name in came):
            raise Wrong(f"{name} is {'' if there else 'not '}in the image: {why}.")


# --- At the front desk ---

OPTIONS = {  # command: (short options, long ones) as getopt wants them
    "run": (
        "ditPp:e:u:v:w:h:m:l:",
        ["detach", "interactive", "tty", "rm", "init", "read-only", "publish-all", "publish=",
         "name=", "env=", "env-file=", "entrypoint=", "network=", "user=", "volume=", "workdir=",
         "platform=", "restart=", "hostname=", "memory=", "cpus=", "label=", "pull=", "expose="],
    ),
    "logs": ("fn:t", ["follow", "tail=", "since=", "until=", "timestamps", "details"]),
    "stop": ("t:s:", ["time=", "timeout=", "signal="]),
    "exec": ("itdu:e:w:", ["interactive", "tty", "detach", "user=", "env=", "workdir="]),
}  # fmt: skip
LONG = {"d": "detach", "P": "publish-all", "p": "publish", "n": "tail", "s": "signal"}


def command(name, text, wanted):
    """Return the docker command of a line, its options ({long name: values}) and its words."""
    line = words(text.strip().lstrip("!$ ").replace("\\\n", " "))
    if not line or line.pop(0) != "docker":
        raise Wrong(f"{name} should begin with docker, as in a terminal, and is {show(text)}.")
    if line[:1] == ["container"]:
        line = line[1:]
    verb, line = (line[0], line[1:]) if line else ("", [])
    if verb not in wanted:
        hints = {
            "kill": "docker kill gives it no time to finish",
            "rm": "docker rm removes a container, with -f without any time to finish",
            "build": "the image is built already",
            "attach": "docker attach shows what comes from now on",
            "start": "docker start wakes a container that was there before; this one is new",
            "ps": "docker ps lists containers",
        }
        why = hints.get(verb, f"that is another command than docker {wanted[0]}")
        raise Wrong(f"{name} is docker {verb or 'alone'}: {why}.")
    line = [re.sub("^(--[a-z-]+)=true$", r"\1", word) for word in line]
    read = getopt.gnu_getopt if verb in ("logs", "stop") else getopt.getopt
    try:
        pairs, rest = read(line, *OPTIONS[verb])
    except getopt.GetoptError as error:
        raise Wrong(f"{name}: docker {verb} can't be read, {error}.") from None
    options = {}
    for key, value in pairs:
        if key.startswith("--") and not any(word.split("=")[0] == key for word in line):
            raise Wrong(f"{name}: docker understands {key} only if it is written in full.")
        key = key.lstrip("-")
        options.setdefault(LONG.get(key, key), []).append(value.lstrip("="))
    return verb, options, rest


@lab.exercise(
    "at-the-front-desk",
    lesson="Build and run",
    hints=[
        "docker run, its options, then the image, and last what the program inside is to get.",
        "start needs four options: in the background, remove, name, and the port with an address.",
        "look must replace the ENTRYPOINT: that option comes before the image, -c and code behind.",
        "start: docker run -d --rm --name desk -p 127.0.0.1:8080:9696 churn. log and stop take one "
        "word: the container's name.",
    ],
)
def commands(answer):
    lines = {name: answer.value(name, str) for name in ("start", "log", "look", "stop")}
    see_start(lines["start"])
    see_log(lines["log"])
    see_look(lines["look"])
    see_stop(lines["stop"])


def see_image(name, rest):
    """Raise Wrong unless the first word behind the options is the image."""
    if not rest:
        raise Wrong(f"{name} names no image: churn comes behind the options.")
    if rest[0].removesuffix(":latest") != "churn":
        raise Wrong(f"{name} takes {rest[0]!r} for the image: behind the options comes churn.")


def see_start(line):
    _, options, rest = command("start", line, ["run"])
    see_image("start", rest)
    if rest[1:]:
        raise Wrong(
            f"start has {' '.join(rest[1:])!r} behind the image, where it goes to the program "
            "inside: Docker's own options stand before churn."
        )
    if "detach" not in options:
        raise Wrong("start keeps the terminal: -d (--detach) lets it run in the background.")
    if options.get("name") != ["desk"]:
        raise Wrong("start should name the container: --name desk.")
    if "rm" not in options:
        raise Wrong("start leaves the container behind when it ends: --rm removes it.")
    if strange := {"network", "publish-all", "entrypoint", "restart"} & set(options):
        raise Wrong(f"start has --{min(strange)}, which nobody asked for: leave it out.")
    ports = options.get("publish", [])
    if len(ports) != 1:
        raise Wrong(f"start should open one port with -p, and opens {len(ports)}.")
    parts = ports[0].removesuffix("/tcp").rsplit(":", 2)
    if parts[-2:] == ["9696", "8080"]:
        raise Wrong(f"-p {ports[0]} has the sides exchanged: outside is left, inside is right.")
    if parts[-2:] != ["8080", "9696"]:
        raise Wrong(
            f"-p {ports[0]} does not lead from 8080 outside to 9696 inside: address, port outside, "
            "port inside, with colons between."
        )
    if parts[:-2] in ([], ["0.0.0.0"], [""]):
        raise Wrong(f"-p {ports[0]} opens the port to the whole network: put 127.0.0.1: before it.")
    if parts[0] == "localhost":
        raise Wrong(f"-p {ports[0]}: Docker wants an address here and no name, 127.0.0.1.")
    if parts[0] != "127.0.0.1":
        raise Wrong(f"-p {ports[0]} is bound to {parts[0]}: this machine alone is 127.0.0.1.")


def see_desk(name, rest):
    """Raise Wrong unless the container is the only word."""
    if rest == ["churn"]:
        raise Wrong(f"{name} names churn, which is the image: the container is named desk.")
    if rest != ["desk"]:
        raise Wrong(f"{name} should name the container desk, and names {' '.join(rest) or 'none'}.")


def see_log(line):
    _, options, rest = command("log", line, ["logs"])
    see_desk("log", rest)
    for part in {"tail", "since", "until"} & set(options):
        if options[part] != ["all"]:
            raise Wrong(f"log shows a part only, with {part}: all that was printed is asked for.")


def see_look(line):
    verb, options, rest = command("look", line, ["run", "exec"])
    if verb == "exec":
        see_desk("look", rest[:1])
        program = rest[1:]
    else:
        see_image("look", rest)
        if "entrypoint" not in options:
            raise Wrong(
                f"look hands {' '.join(rest[1:])!r} to the ENTRYPOINT, production.py, which "
                "takes no arguments: --entrypoint python, before churn, replaces it."
            )
        if "rm" not in options:
            raise Wrong("look leaves its container behind: --rm removes it.")
        if options.get("name") == ["desk"] or "publish" in options:
            raise Wrong("look takes desk's name or port, and desk is running: leave --name and -p "
                        "out.")  # fmt: skip
        program = [word for word in (options["entrypoint"][-1], *rest[1:]) if word]
    if " " in "".join(program[:1]):
        raise Wrong(f"look starts a program named {program[0]!r}: its name is python alone; -c and "
                    "the code come behind churn, or in docker exec behind python.")  # fmt: skip
    if not re.fullmatch(r"(/\S+/)?python[\d.]*", "".join(program[:1])) or program[1:2] != ["-c"]:
        raise Wrong(f"look starts {' '.join(program)!r}: python -c, and the code, is asked for.")
    if len(program) == 3 and not re.match(r"\s*import\s+pandas\b", program[2]):
        raise Wrong(f"look runs {program[2]!r}: import pandas is asked for.")
    if len(program) != 3:
        raise Wrong(
            f"look gives python -c {' '.join(program[2:])!r}, in {len(program[2:])} words: the "
            'code is one word, so put quotation marks around it, "import pandas".'
        )


def see_stop(line):
    _, options, rest = command("stop", line, ["stop"])
    see_desk("stop", rest)
    if {"0"} & {value for key in ("t", "time", "timeout") for value in options.get(key, [])}:
        raise Wrong("stop gives it 0 seconds to finish: leave the number out, and it has ten.")
    if "signal" in options:
        raise Wrong("stop names a signal: leave it out, docker stop sends the right one.")
