"""Checks and hints of lab 7, the environment; and the tampered delivery."""

import copy
import hashlib
import json
import random
import re
import shlex
import sys
import tomllib

from packaging.markers import Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from labkit import ROOT
from labkit.exercises import Lab, Wrong, expect, show

lab = Lab("07_the_environment")


def see_what_it_takes(what, text, takes, leaves):
    """Raise Wrong unless a text, as it stands behind a package's name, takes the right versions.

    takes, leaves: {version: why}.
    """
    if not isinstance(text, str):
        raise Wrong(f"{what} should be a text in quotes, and is {show(text)}.")
    slips = {
        r"\s*\d": "write an operator before the number, == for this version alone",
        r"\s*[\w-]+\s*[<>=!~]": "the package's name stands before it, and does not belong in it",
        r".*;\s*\w+\s*==": 'a condition on the system is a text of its own, markers = "..."',
        r".*[\"']": "its quotes stand around it once, and none within",
        r".*\d\s*(;|and|&+|\|+)?\s*[<>=!~]": "several conditions need a comma between them",
        r".*\d\.x": "a star stands for any number, as in ==1.0.*",
        r"\s*~=\s*\d+$": "~= needs two numbers at least, as in ~=1.0",
    }
    try:
        limit = SpecifierSet("" if text.strip() == "*" else text)
    except InvalidSpecifier:
        remedy = next(
            (remedy for pattern, remedy in slips.items() if re.match(pattern, text)),
            'a condition is one of == ~= != >= <= > < and a version, and "*" alone is any',
        )
        raise Wrong(f"{what} is {text!r}, and pip can't read that: {remedy}.") from None
    for version, why in takes.items():
        if version not in limit:
            raise Wrong(f"{what}, {text!r}, does not take {version}, and it should: {why}.")
    for version, why in leaves.items():
        if version in limit:
            raise Wrong(f"{what}, {text!r}, takes {version}, and it should not: {why}.")


def call(function, *arguments, slips):
    """Call a learner's function; put what to do into the sentence, for errors that we know.

    slips: {words of an error, as a regular expression: what to do}. The arguments are too long to
    be shown.
    """
    try:
        return function(*arguments)
    except Wrong as reason:
        text = str(reason).replace(function.call(*arguments), f"{function.name}(...)")
        for words, remedy in slips.items():
            if re.search(words, text):
                text = text.replace("mend that first", remedy)
                break
        raise Wrong(text) from None


@lab.exercise(
    "which-versions-fit",
    lesson="The pin and its price",
    hints=[
        "The pin is == and the version. For the other two, name where it begins and where it ends.",
        "~=1.0.3 means: from 1.0.3 on, and only the last number may grow.",
        "Conditions with a comma between them all have to hold, and != takes a version out: "
        ">=1.0.3,<2,!=1.2.0",
    ],
)
def specifiers(answer):
    only, fixes, series = (answer.value(name, str) for name in ("only", "fixes", "series"))
    other = "only 1.0.3 is wanted, so pin it with == and that number"
    see_what_it_takes(
        "only", only, {"1.0.3": "that is the one"},
        dict.fromkeys(("1.0.2", "1.0.4", "1.0.17", "1.2.1", "2.0.0", "1.0.3.1"), other),
    )  # fmt: skip
    fix = "it is a later fix of 1.0"
    see_what_it_takes(
        "fixes", fixes,
        {"1.0.3": "it begins there", "1.0.4": fix, "1.0.17": fix, "1.0.240": fix},
        {"1.0.0": "it begins at 1.0.3", "1.0.2": "it begins at 1.0.3", "0.9.5": "it is older",
         "1.1.0": "fixes of 1.0 begin with 1.0", "1.2.1": "fixes of 1.0 begin with 1.0",
         "2.0.0": "fixes of 1.0 begin with 1.0"},
    )  # fmt: skip
    newer = "it is newer than 1.0.3 and below 2"
    see_what_it_takes(
        "series", series,
        {"1.0.3": "it begins there", "1.0.4": newer, "1.1.0": newer, "1.20.0": newer,
         "1.240.0": newer,
         "1.2.1": "only 1.2.0 is broken, and != takes out one version"},
        {"1.0.2": "it begins at 1.0.3", "0.9.5": "it begins at 1.0.3",
         "2.0.0": "it ends below 2.0.0", "2.1.0": "it ends below 2.0.0",
         "3.0.0": "it ends below 2.0.0",
         "1.2.0": "it is broken, and != takes a version out"},
    )  # fmt: skip


@lab.exercise(
    "one-environment-for-all",
    lesson="One environment for each project",
    hints=[
        "Two steps: keep the versions that all wishes take, then choose the newest of them.",
        'Leave out the wishes "*", and make a SpecifierSet of each other one.',
        "all(version in one for one in sets) says whether a version suits everybody.",
        "max(fitting, key=Version, default=None) compares as versions, and returns the text.",
    ],
)
def newest_for_all(answer):
    function = answer.function("newest_for_all")
    if isinstance(function.error(["1.0.0"], ["*"]), InvalidSpecifier):
        raise Wrong(
            '"*" in a Pipfile means any version, and SpecifierSet can\'t read it: leave such a '
            'wish out, or make SpecifierSet("") of it, which takes all.'
        )
    apart = "no version suits all, so each project needs an environment of its own: return None"
    order = 'compare with key=Version: as text, "1.9.0" comes after "1.10.0"'
    cases = [
        (["1.0.0", "1.3.1"], ["==1.0.0", "*"], "1.0.0", "it is the newest that both take"),
        (["1.2.0", "1.10.0", "1.9.0"], [">=1.1", "<2"], "1.10.0", order),
        (["2.0.0", "1.4.0", "1.3.1", "1.0.0"], [">=1.1,<2", "~=1.0"], "1.4.0",
         "versions may come in any order, so the newest stands anywhere"),
        (["1.0.0", "1.1.0", "1.2.0", "1.3.1"], ["*", "<1.3", "!=1.2.0"], "1.1.0",
         "there may be more than two projects, and all of them count"),
        (["1.0.0", "1.3.1"], ["*"], "1.3.1", "one project alone gets the newest that it takes"),
        (["1.1.4", "1.2.0"], ["==1.1.*"], "1.1.4",
         'only "*" alone takes any version, and ==1.1.* takes 1.1 and its fixes'),
        (["1.0.0", "1.3.1"], ["==1.0.0", ">=1.2"], None, apart),
        ([], ["*", "==1.0.0"], None, apart),
    ]  # fmt: skip
    for versions, wishes, expected, remedy in cases:
        what = function.call(versions, wishes)
        error = function.error(list(versions), list(wishes))
        if expected is None and isinstance(error, (ValueError, IndexError)):
            raise Wrong(f"{what} raises an error, and should return None: max(..., default=None) "
                        "has an answer if there is nothing to choose from.")  # fmt: skip
        came = function(list(versions), list(wishes))
        if isinstance(came, Version):
            raise Wrong(f"{what} is a Version, and should be the text from the list: with max(..., "
                        "key=Version) the texts stay texts.")  # fmt: skip
        if not isinstance(came, (str, type(None))):
            raise Wrong(f"{what} is {show(came)}: return one text alone, or None.")
        if came is None and expected is not None:
            remedy = "all wishes take that one; ask SpecifierSet(wish), and return it at the end"
        expect(what, came, expected, remedy)


# --- what-belongs-where ---

BELONGS = {  # package: section, why
    "flask": ("packages", "offer_service.py imports it"),
    "pydantic": ("packages", "offer_service.py imports it"),
    "granian": ("packages", "production is started with it, although nothing imports it"),
    "scikit-learn": ("packages", "who unpickles a model of scikit-learn needs scikit-learn, and "
                     "the service does that; training has it from there"),
    "pandas": ("train", "only train_offers.py imports it"),
    "pytest": ("dev-packages", "only the tests import it"),
    "requests": ("dev-packages", "only the tests import it"),
    "ruff": ("dev-packages", "only who changes the code runs it"),
}  # fmt: skip
NO_LINE = {
    "sklearn": "that is the name to import; the package is called scikit-learn",
    "sklearn-linear-model": "that is the name to import; the package is called scikit-learn",
    "numpy": "no file asks for it, and scikit-learn and pandas bring it",
    "offer-service": "that is the project's own file, and not a package",
    "train-offers": "that is the project's own file, and not a package",
    "test-offer-service": "that is the project's own file, and not a package",
    "gunicorn": "granian is the server here",
    "waitress": "granian is the server here",
}


@lab.exercise(
    "what-belongs-where",
    lesson="Production, training, development",
    hints=[
        "Begin with production: what must be there for offer_service.py to start and to answer?",
        "A program that is only run needs a line, too. And to unpickle something needs the library "
        "that it is of, although no import says so.",
        "pickle and sqlite3 come with Python. What is imported as sklearn is called otherwise.",
        "Eight names: four in production, one for training, three for development.",
    ],
)
def what_belongs_where(answer):
    kinds = (list, tuple, set)
    lists = {
        "packages": answer.value("packages", kinds),
        "train": answer.value("train", kinds),
        "dev-packages": answer.value("dev_packages", kinds),
    }
    seen = {}
    for section, names in lists.items():
        for given in names:
            if not isinstance(given, str) or re.search(r"[^\w.-]", given):
                raise Wrong(f"{show(given)} in [{section}] is no name alone: give each package as "
                            "a text of its own, without version and blanks.")  # fmt: skip
            name = canonicalize_name(given.removesuffix(".py"))
            if name in sys.stdlib_module_names:
                raise Wrong(f"{name} stands in [{section}] and needs no line: it is Python's own.")
            if name not in BELONGS:
                why = NO_LINE.get(name, "no file above asks for a package of this name")
                raise Wrong(f"{given} stands in [{section}] and needs no line: {why}.")
            right, why = BELONGS[name]
            if name in seen:
                raise Wrong(f"{name} is named twice, in [{seen[name]}] and [{section}]: once in "
                            f"[{right}] will do, for {why}.")  # fmt: skip
            if section != right:
                raise Wrong(f"{name} stands in [{section}] and belongs in [{right}]: {why}.")
            seen[name] = section
    for name, (section, why) in BELONGS.items():
        if name not in seen:
            raise Wrong(f"{name} is missing, and belongs in [{section}]: {why}.")


# --- write-a-pipfile ---

ANY = dict.fromkeys(("0.1", "999.0"), 'any version is wanted, which is "*"')
MODEL = "the model was made with 1.9.1 and needs that one"
FLASK = "from 3.1 on and below 4"
WANTED = {  # table: {package: (versions that it takes, that it leaves)}
    "packages": {
        "flask": (
            dict.fromkeys(("3.1", "3.1.3", "3.2.0", "3.240.1"), FLASK),
            dict.fromkeys(("3.0.3", "2.3.2", "4.0.0", "4.1.0", "5.0"), FLASK),
        ),
        "granian": (ANY, {}),
        "scikit-learn": (
            {"1.9.1": MODEL},
            dict.fromkeys(("1.9.0", "1.9.2", "1.9.12", "1.9.1.1", "1.10.0", "2.0.0"), MODEL),
        ),
    },
    "train": {"pandas": (ANY, {})},
    "dev-packages": {"pytest": (ANY, {}), "colorama": (ANY, {})},
}
OTHER_TABLES = {
    "source": "each pip asks the index that it is set up for, so leave it out",
    "develop": "the lock calls it so; in a Pipfile it is [dev-packages]",
    "dev": "in a Pipfile it is [dev-packages]",
    "dev_packages": "in a Pipfile it is [dev-packages]",
    "default": "the lock calls it so; in a Pipfile it is [packages]",
    "training": "here it should be called [train]",
}
SYSTEMS = {
    "Windows": {"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows"},
    "Linux": {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"},
    "macOS": {"sys_platform": "darwin", "os_name": "posix", "platform_system": "Darwin"},
}


def see_markers(entry):
    """Raise Wrong unless colorama's entry holds on Windows only."""
    given = entry if isinstance(entry, dict) else {}
    markers = [given["markers"]] if "markers" in given else []
    markers += [
        f"{key} {given[key]}" for key in SYSTEMS["Windows"] if key in given
    ]  # the short form
    if not markers:
        raise Wrong(
            'colorama has no markers, so every system would get it: write {version = "*", '
            "markers = \"sys_platform == 'win32'\"}."
        )
    for system, environment in SYSTEMS.items():
        try:
            holds = all(Marker(text).evaluate(environment) for text in markers)
        except Exception:
            raise Wrong(
                f"pip can't read colorama's markers, {show(markers[0])}: it takes a name, == and "
                "the value in quotes of its own, as in \"sys_platform == 'win32'\"."
            ) from None
        if holds != (system == "Windows"):
            raise Wrong(
                f"colorama's markers, {show(markers[0])}, {'hold' if holds else 'do not hold'} on "
                f"{system}, and should hold on Windows alone: there sys_platform is 'win32'."
            )


@lab.exercise(
    "write-a-pipfile",
    lesson="The Pipfile, line by line",
    hints=[
        "Five tables: [packages], [train], [dev-packages], [requires], [scripts].",
        'A line is name = "versions", both as texts: granian = "*". Two conditions are joined by a '
        'comma: ">=3.1,<4".',
        'A line with a condition on the system: name = {version = "*", markers = "sys_platform == '
        "'win32'\"}",
        'In [requires]: python_version = "3.13". In [scripts]: serve = "granian ...".',
    ],
)
def write_a_pipfile(answer):
    text = answer.value("pipfile", str)
    try:
        pipfile = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Wrong(
            f"the text can't be read as a Pipfile ({error}; line 1 is the one of the opening "
            'quotes): a line is name = "text", quotes within it are single ones, and each table '
            "comes once."
        ) from None
    for table, content in pipfile.items():
        if not isinstance(content, (dict, list)):
            raise Wrong(f"{table} stands in no table: a line such as [packages] above it says "
                        "to which it belongs.")  # fmt: skip
        if table not in {*WANTED, "requires", "scripts"}:
            why = OTHER_TABLES.get(table, "nothing above asks for one of this name; lesson 7 has "
                                   "the names that Pipenv knows")  # fmt: skip
            raise Wrong(f"the Pipfile has a table [{table}]: {why}.")
    for table in (*WANTED, "requires", "scripts"):
        if not isinstance(pipfile.get(table), dict):
            raise Wrong(f"the Pipfile has no table [{table}]: add it, in one pair of square "
                        "brackets.")  # fmt: skip
    for table, wanted in WANTED.items():
        entries = {canonicalize_name(name): entry for name, entry in pipfile[table].items()}
        for name in entries.keys() - wanted:
            home = [other for other in WANTED if name in WANTED[other]]
            why = f"it belongs in [{home[0]}]" if home else NO_LINE.get(
                name, "nothing above asks for it")  # fmt: skip
            raise Wrong(f"[{table}] names {name}: {why}.")
        for name, (takes, leaves) in wanted.items():
            if name not in entries:
                raise Wrong(f"[{table}] does not name {name}: it is needed there.")
            entry = entries[name]
            versions = entry.get("version", "*") if isinstance(entry, dict) else entry
            see_what_it_takes(f"{name} in [{table}]", versions, takes, leaves)
            if name == "colorama":
                see_markers(entry)
            elif isinstance(entry, dict) and entry.keys() - {"version"}:
                raise Wrong(f"{name} has more than its version, {show(entry)}: it is needed on "
                            "every system and from any index, so leave the rest out.")  # fmt: skip
    expect(
        "[requires]", pipfile["requires"], {"python_version": "3.13"},
        "one line, named python_version, and the two numbers as a text, without an operator",
    )  # fmt: skip
    serve, command = pipfile["scripts"].get("serve"), "granian --interface wsgi reminders:app"
    serve = serve.get("cmd") if isinstance(serve, dict) else serve
    if not isinstance(serve, str) or serve.replace("=", " ").split() != command.split():
        raise Wrong(f"serve in [scripts] should be {command!r}, and is {show(serve)}.")


# --- which-command ---

ALONE = "with a name alone, Pipenv replaces the limit in Pipfile by *; put the limit behind it"
COMMANDS = {  # letter: commands that do it, what it is about, {another command, or verb: why not}
    "a": (
        ["sync --dev", "sync --categories packages,dev-packages", "install --dev --ignore-pipfile"],
        "what installs a lock, and does nothing else, is sync, and --dev takes development along",
        {
            "sync": "that is production alone, and --dev adds development",
            "sync --all": "that is every category, training as well; --dev adds development only",
            "install": "if Pipfile has changed, that writes another lock first; sync never does",
            "install --dev": "if Pipfile has changed, that writes another lock; sync never does",
            "install --deploy --dev": "if Pipfile has changed, that stops; sync takes the lock",
            "update": "that looks for newer versions and writes another lock; sync never does",
            "lock": "that writes another lock and installs nothing; sync installs the one there",
        },
    ),
    "b": (
        ["install --dev tqdm", "install --categories dev-packages tqdm"],
        "install adds a package to Pipfile, lock and environment; it wants the package's name, and "
        "--dev for development",
        {
            "install tqdm": "that puts it into [packages], for production; --dev is missing",
            "sync": "sync adds no package, it installs what the lock has; install adds one",
            "update": "update is for packages that Pipfile names already; install adds one",
            "run": "pip alone would tell neither Pipfile nor the lock; install does",
        },
    ),
    "c": (
        ["update flask~=3.1.0", "install flask~=3.1.0"],
        "update with the package's name and the limit that Pipfile has, as in update "
        '"name~=1.0", renews it alone',
        {
            "update": "that takes newer versions of all packages; put flask and its limit behind",
            "update flask": ALONE,
            "install flask": ALONE,
            "install": "nothing in Pipfile was changed, so that installs the old flask; update is "
            "for a newer one",
            "update --dev flask~=3.1.0": "flask is a package for production, so leave --dev out",
            "upgrade": "that writes the lock, and the environment keeps the old flask; update does "
            "both",
            "lock": "that takes newer versions of all packages, and installs none; update takes a "
            "name",
            "sync": "sync installs the flask of the lock, which is the old one; update renews it",
        },
    ),
    "d": (
        ["lock"],
        "one word behind pipenv will do, and it is the name of what is written",
        {
            "install": "that writes the lock and then installs it as well; lock stops before",
            "update": "that writes the lock and then installs it as well; lock stops before",
            "sync": "sync installs the lock that is there, and writes none",
            "verify": "that only says whether the lock is old; lock writes it anew",
        },
    ),
    "e": (
        ["install --deploy"],
        "an option makes install stop when the lock is not of this Pipfile, and no other is needed",
        {
            "install": "if the lock is old, that writes another one and goes on; --deploy stops",
            "install --deploy --dev": "--dev adds development, and this is for production",
            "install --deploy --ignore-pipfile": "with --ignore-pipfile nothing is compared; leave "
            "it out",
            "sync": "sync takes the lock as it is, and does not compare it with Pipfile; an option "
            "of install does",
            "verify": "that compares the two and installs nothing; an option of install does both",
        },
    ),
    "f": (
        ["run python train.py"],
        "run starts the program that stands behind it, here python train.py, in the environment",
        {
            "shell": "that opens a shell in the environment; run starts one program in it",
            "run train.py": "behind run comes the whole command, and that begins with python",
        },
    ),
}


def command_of(text):
    """Return the words of a command of Pipenv in one spelling, pipenv left out; else nothing.

    The order of the words behind the first is no matter, but for run.
    """
    try:
        words = shlex.split(text.replace("--categories=", "--categories ").lstrip("$! "))
    except ValueError:  # a quote that is not closed
        return ()
    if words[1:3] == ["-m", "pipenv"]:
        words = words[2:]
    if words[:1] != ["pipenv"]:
        return ()
    spellings = {"-d": "--dev", "python3": "python", "py": "python", "Flask~=3.1.0": "flask~=3.1.0"}
    words = [re.sub(" *~= *", "~=", word) for word in words[1:] if word != "--"]
    words = [spellings.get(word, ",".join(sorted(re.split("[ ,]+", word)))) for word in words]
    return tuple(words if words[:1] == ["run"] else words[:1] + sorted(words[1:]))


@lab.exercise(
    "which-command",
    lesson="Sync, run, shell",
    hints=[
        "The verbs are sync, install, update, lock, install again, and run.",
        "sync installs the lock and never changes it; lock writes it; install adds a package; "
        "update renews one, and wants its limit behind the name.",
        "--dev is for development (in a and b), and --deploy makes install strict (in e).",
    ],
)
def which_command(answer):
    commands = answer.value("commands", dict)
    for letter, (right, about, others) in COMMANDS.items():
        text = commands.get(letter)
        if text is None:
            raise Wrong(f"there is no command for {letter!r}: the keys are the letters a to f.")
        command = command_of(text) if isinstance(text, str) else ()
        if not command:
            raise Wrong(f"{letter} is {show(text)}: write the whole command as a text, pipenv "
                        "and what it should do; others know neither Pipfile nor lock.")  # fmt: skip
        rights = [command_of(f"pipenv {one}") for one in right]
        if command not in rights:
            slips = {command_of(f"pipenv {one}"): why for one, why in others.items()}
            verb = command[:1]
            of_verb = about if verb in [one[:1] for one in rights] else slips.get(verb, about)
            raise Wrong(f"{letter}, {text!r}, is not the one: {slips.get(command, of_verb)}.")


# --- read-a-lock to what-the-update-changed ---


def pinned(version, *hashes, **more):
    """Return an entry of a lock."""
    return {"hashes": list(hashes), "version": f"=={version}", **more}


OWN = {"path": ".", "editable": True}
META = {"hash": {"sha256": "0" * 64}, "pipfile-spec": 6, "requires": {}, "sources": []}
INVENTED = {
    "_meta": META,
    "default": {
        "flask": pinned("3.1.3", markers="python_version >= '3.9'"),
        "tariffs": pinned("1.0.1"),
        "backport": pinned("2.0.0", markers="python_version < '3.8'"),
        "exotic": pinned("0.4", markers="sys_platform == 'amiga' and python_version >= '3'"),
        "offers": OWN,
    },
    "train": {"pandas": pinned("3.1.1")},
    "develop": {
        "ruff": pinned("0.17.6"),
        "flask": pinned("3.1.3", markers="python_version >= '3.9'"),
        "winpty": pinned("3.1.2", markers="os_name == 'nt'"),
        "posixtool": pinned("1.2", markers="os_name == 'posix'"),
        "exotool": pinned("5.0", markers="sys_platform == 'amiga'"),
        "labkit": OWN,
    },
}


def installed(lock, dev):
    """Return what sync installs, and for each name that it leaves out, why."""
    found, left = {}, {}
    for category in [name for name in lock if name != "_meta"]:
        for name, entry in lock[category].items():
            if category != "default" and not (dev and category == "develop"):
                left[name] = f"it stands in {category}, which this command does not take"
            elif "version" not in entry:
                left[name] = "it has no version, and is own code"
            elif "markers" in entry and not Marker(entry["markers"]).evaluate():
                left[name] = f"for its markers, {entry['markers']}, .evaluate() is False here"
            else:
                found[name] = entry["version"].removeprefix("==")
    return found, left


SLIPS = {  # of read-a-lock and what-the-update-changed
    "KeyError: 'version'": "an entry need not have a version; skip those that have none",
    "KeyError: '(dev-)?packages'": "that is a table of a Pipfile; the lock has default and develop",
    "'dict' and 'dict'": "| joins two dictionaries",
    "'(int|list|str)'|indices must be": "_meta is no category of packages; leave it out",
}
SLIPS_6 = {
    "KeyError: 'markers'|'NoneType'|InvalidMarker": "an entry need not have markers; make a Marker "
    "only of those that are there",
    "attribute 'evaluate'": "markers are a text; Marker(...) makes a condition of it",
} | SLIPS


@lab.exercise(
    "read-a-lock",
    lesson="The lock and its hashes",
    hints=[
        'First the entries: those of lock["default"], and of lock["develop"] if dev.',
        'For each name and entry: skip it if "version" not in entry, or if it has markers that '
        "don't hold.",
        'entry.get("markers") is None where there are none; the rest: Marker(...).evaluate().',
        '"==3.1.3".removeprefix("==") is "3.1.3".',
    ],
)
def installs(answer):
    function = answer.function("installs", returns=dict)
    real = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    small = {"_meta": META, "default": {}, "develop": {"a": pinned("1.0"), "b": pinned("3.12.3")}}
    for lock, label in ((INVENTED, "an invented lock"), (small, "another"), (real, "this lab's")):
        for dev in (False, True):
            given, what = copy.deepcopy(lock), f"installs(lock, {dev}), for {label},"
            came, (expected, left) = call(function, given, dev, slips=SLIPS_6), installed(lock, dev)
            if given != lock:
                raise Wrong(f"{what} changes the lock that it is given: build a new dictionary.")
            for name in came:
                if name not in expected:
                    why = left.get(name, "it is no package of this lock")
                    raise Wrong(f"{what} names {name!r}, which is not installed: {why}.")
            for name, version in expected.items():
                if name not in came:
                    category = "default" if name in lock["default"] else "develop"
                    markers = lock[category][name].get("markers")
                    why = f"its markers, {markers}, hold here" if markers else "it has no markers"
                    raise Wrong(f"{what} lacks {name!r}: it stands in {category}, and {why}.")
                expect(f"{name} in {what}", came[name], version, "give entry['version'] as a text, "
                       "without the two signs == and with all of its numbers")  # fmt: skip


# --- the-tampered-file ---


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def delivery():
    """Return files and the category of a lock; one of the files is tampered with.

    The files are no real wheels but lines of Python, so that they can be read.
    """
    chance = random.Random()
    amounts = chance.sample(range(10, 99), 4)
    names = ("tariffs", "offers", "letters", "months")
    files = {
        name: f"def {name}(n): return {amount} * n".encode()
        for name, amount in zip(names, amounts, strict=True)
    }
    locked = {}
    for name, data in files.items():
        hashes = [sha256(data), sha256(data + b"  # for Windows")]
        locked[name] = pinned("1.0.0", *chance.sample(hashes, 2))
    victim = chance.choice(names)
    files[victim] = chance.choice([
        files[victim].replace(b"return ", b"return 1"),
        files[victim].replace(b"* n", b"+ n"),
        files[victim] + b" ",
    ])  # fmt: skip
    return files, locked


SLIPS_7 = {
    "KeyError: '(rates|mails|dates)'": "not all that is locked has come; go through files",
    "KeyError|'NoneType'": "the lock need not name every file; ask first whether name in locked",
    "UnicodeDecodeError|'(de|en)code'": "a file is bytes; hash them as they are",
    "must be encoded|buffer API|bytes-like": "hash the bytes of the file, files[name]",
}


@lab.exercise(
    "the-tampered-file",
    lesson="The lock and its hashes",
    hints=[
        "hashlib.sha256(data).hexdigest() is the hash of bytes; the lock writes sha256: before it.",
        "One of the package's own hashes must be it: came in locked[name]['hashes'].",
        "Before that ask whether name in locked, and if not, refuse. Collect the names in a list.",
    ],
)
def tampered(answer):
    function = answer.function("tampered", returns=(list, tuple, set))
    linux, windows, mails = b"PK\x03\x04 rates\r\n\xff", b"PK\x03\x04 for Windows", b"mails\n"
    locked = {
        "rates": pinned("1.0.3", sha256(linux), sha256(windows)),
        "mails": pinned("2.1.0", sha256(b"for a Mac"), sha256(mails)),
        "dates": pinned("0.1.0", sha256(b"dates"), sha256(b"for Windows"), sha256(b"for a Mac")),
    }
    changed = "its bytes are not those that were locked, so none of its hashes fits"
    cases = [
        ("all is as it was locked", {"rates": linux, "mails": mails, "dates": b"dates"},
         {}),
        ("rates is the file for Windows", {"rates": windows, "mails": mails}, {}),
        ("one byte of rates is another", {"rates": linux[:-1] + b"\xfe", "mails": mails},
         {"rates": changed}),
        ("mails has one byte more", {"rates": linux, "mails": mails + b"\n"},
         {"mails": changed}),
        ("all are changed", {"dates": b"", "mails": b"Letters\n", "rates": windows + b" "},
         {"dates": changed, "mails": changed, "rates": changed}),
        ("mails came under the name of dates", {"dates": mails, "rates": linux},
         {"dates": "its bytes have a hash of mails, and only its own hashes count"}),
        ("dates has the bytes of a file that is locked under other names as well",
         {"dates": b"for a Mac", "mails": b"for a Mac"}, {}),
        ("the lock does not name strange", {"strange": linux, "mails": mails},
         {"strange": "what the lock does not name has no hash that could fit"}),
    ]  # fmt: skip
    for case, files, refused in cases:
        came = list(call(function, dict(files), copy.deepcopy(locked), slips=SLIPS_7))
        for name in came:
            if not isinstance(name, str) or name not in files:
                raise Wrong(
                    f"where {case}, {show(name)} is refused, and no such file came: give names "
                    "from the argument files."
                )
            if name not in refused:
                raise Wrong(
                    f"where {case}, {name} is refused, and one of its hashes fits: look in all of "
                    'them for "sha256:" + hashlib.sha256(data).hexdigest().'
                )
        for name, why in refused.items():
            if name not in came:
                raise Wrong(f"where {case}, {name} should be refused, and is not: {why}.")
        if len(came) != len(set(came)):
            raise Wrong(f"where {case}, a name comes twice: {show(came)}.")


SLIPS_8 = SLIPS | {
    "KeyError: 'train'": "a category need not be in both locks",
    "KeyError": "what is in one lock need not be in the other; .get(name) is None then",
}


@lab.exercise(
    "what-the-update-changed",
    lesson="Add one, update one",
    hints=[
        "First turn each lock into one dictionary {name: version}, over all categories but _meta.",
        "Then go through the names of both: before | after has them all.",
        "before.get(name) is None where the package was not there. Equal on both sides: no change.",
        'An entry of own code has no key "version": skip it. removeprefix("==") is for the rest.',
    ],
)
def changes(answer):
    function = answer.function("changes", returns=dict)
    old = {
        "_meta": META,
        "default": {
            "flask": pinned("3.1.2", "sha256:1"), "click": pinned("8.5.1"), "six": pinned("1.17.0"),
            "offers": OWN, "numpy": pinned("2.4.6", "sha256:2"),
        },
        "develop": {"ruff": pinned("0.17.6"), "click": pinned("8.5.1"), "flask": pinned("3.1.2"),
                    "tqdm": pinned("4.70.1")},
        "docs": {"mistune": pinned("3.2.0")},
    }  # fmt: skip
    new = {
        "_meta": META | {"hash": {"sha256": "1" * 64}},
        "default": {
            "flask": pinned("3.1.3", "sha256:3"), "click": pinned("8.5.1"),
            "blinker": pinned("1.9.0"), "numpy": pinned("2.4.6", "sha256:4"),
            "tqdm": pinned("4.70.1"),
        },
        "develop": {"ruff": pinned("0.17.4"), "flask": pinned("3.1.3"), "labkit": OWN},
        "docs": {"mistune": pinned("3.10.0")},
        "train": {"pandas": pinned("3.1.1")},
    }  # fmt: skip
    why = {
        "_meta": "that is no category of packages",
        "offers": "it has no version, being own code",
        "labkit": "it has no version, being own code",
        "numpy": "only its hashes are others, and the version is the same",
        "tqdm": "it has moved to another category with the same version",
        "click": "it has the same version in both locks, in whichever category it stands",
    }
    forth = {
        "flask": ("3.1.2", "3.1.3"), "six": ("1.17.0", None), "blinker": (None, "1.9.0"),
        "ruff": ("0.17.6", "0.17.4"), "mistune": ("3.2.0", "3.10.0"), "pandas": (None, "3.1.1"),
    }  # fmt: skip
    back = {name: (after, before) for name, (before, after) in forth.items()}
    cases = [
        ("changes(old, new)", old, new, forth),
        ("with old and new exchanged, changes(old, new)", new, old, back),
        ("with the same lock twice, changes(old, new)", new, new, {}),
    ]
    for what, a, b, wanted in cases:
        came = call(function, copy.deepcopy(a), copy.deepcopy(b), slips=SLIPS_8)
        for name in came:
            if name not in wanted:
                raise Wrong(f"{what} names {show(name)}, and that is no change: "
                            f"{why.get(name, 'its version is the same')}.")  # fmt: skip
        for name, pair in wanted.items():
            category = next(s for lock in (a, b) for s in lock if name in lock[s])
            if name not in came:
                raise Wrong(f"{what} should name {name!r}, of the category {category}, with {pair}"
                            ", and does not: go through all categories of both locks.")  # fmt: skip
            given = tuple(came[name]) if isinstance(came[name], list) else came[name]
            expect(f"{name} in {what}", given, pair, "give a pair of the version before and the "
                   "one after, without ==, and None where it is not in the lock")  # fmt: skip
