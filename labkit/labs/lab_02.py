"""Checks and hints of lab 2, save and load; and the three files from strangers."""

import contextlib
import hashlib
import io
import json
import os
import pickle
import platform
import random
import re
import shutil
import subprocess
import tempfile
import timeit
from datetime import UTC, date, datetime
from pathlib import Path
from unittest.mock import patch

import numpy as np
import sklearn
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from labkit.exercises import Lab, Wrong, describe, expect, show

lab = Lab("02_save_and_load")


# --- What several checks share ---


@contextlib.contextmanager
def empty_folder():
    """Work in an empty folder for as long as the block lasts, and yield its path."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, contextlib.chdir(name):
        yield Path(name)


def small_model(weight: float = 1.0, columns: int = 0):
    """Return dv and a model that was not trained, to be quick: all its weights are the same.

    columns: how many more, to make dv large.
    """
    customers = [{"contract": "one_year", "tenure": 5}, {"contract": "two_year", "tenure": 9}]
    customers[0] |= {f"service-{number}": 0 for number in range(columns)}
    dv = DictVectorizer(sparse=False).fit(customers)
    model = LogisticRegression()
    model.classes_, model.intercept_ = np.array([0, 1]), np.zeros(1)
    model.coef_ = np.full((1, len(dv.feature_names_)), weight)
    return dv, model


class Calls:
    """An object whose pickle says: to rebuild me, call this function with these arguments."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


FILE_SLIPS = {  # words of an error, as a regular expression: what to do
    "must be str, not bytes": "a pickle is bytes, so the mode is wb",
    "BufferedReader": "loads takes bytes; load, without the s, takes an open file",
    "have 'read'": "load takes an open file, not its path: with open(path, 'rb') as f_in",
    "UnicodeDecodeError|bytes-like object": "a pickle is bytes, so the mode is rb",
    "dump.. takes|interpreted as an integer|have a 'write'": "dump takes one object and the "
    "open file, not its path, so mind the inner parentheses: "
    "pickle.dump((dv, model, threshold), f_out)",
    "UnsupportedOperation: write": "rb is for reading; to write, open the file with wb",
    "FileNotFoundError": "the file to open is the one at path, and only wb makes a new one",
    "UnsupportedOperation|EOFError": "the mode w empties a file as soon as it is opened, and then "
    "there is nothing left to read; read first, with rb",
}
LOAD_SLIPS = {"EOFError": "one pickle.load gives the whole tuple; no other object follows"}
ARGUMENT = (
    "Print done.stderr to see why; the path should go to it as an argument (sys.argv), as it is"
)
PROCESS_SLIPS = {
    "CalledProcessError": f"the other Python failed. {ARGUMENT}",
    "invalid literal for int": f"the other Python printed no number. {ARGUMENT}",
    "not 'CompletedProcess'": "what was printed is its attribute .stdout",
    "not 'NoneType'": "subprocess.run keeps what is printed only with capture_output=True",
    "FileNotFoundError.*python": "start sys.executable; another python may be missing, or lack the "
    "lab's packages",
}
GOOD_SLIPS = {  # of refuse-politely, for a model that fits
    "raised ValueError": "this model should be loaded, for the versions are equal (the card's and "
    "sklearn.__version__) and so are the hashes (the card's and the one of path.read_bytes())",
    "FileNotFoundError|UnicodeDecodeError": 'the card is at path.with_suffix(".json")',
}
CARD_SLIPS = {
    "UnpicklingError": "the card needs the file's bytes only, path.read_bytes(), and no unpickling",
    "UnicodeDecodeError|must be encoded|buffer API|bytes-like": "hash what path.read_bytes() gives",
    "'(float|int)' object has no attribute": "the number may be Python's own; float(...) takes any",
}


def call(function, *arguments, slips: dict[str, str]):
    """Call a learner's function; put what to do into the sentence, for errors that we know."""
    try:
        return function(*arguments)
    except Wrong as reason:
        for words, remedy in slips.items():
            if re.search(words, str(reason)):
                raise Wrong(str(reason).replace("mend that first", remedy)) from None
        raise


def kinds(value) -> str:
    """Return a value's type as text, with the types of what is in it."""
    if isinstance(value, (tuple, list)):
        inner = ", ".join(kinds(one) for one in value)
        return f"({inner})" if isinstance(value, tuple) else f"a list [{inner}]"
    return "a dictionary" if isinstance(value, dict) else type(value).__name__


def only_object(path: Path):
    """Return the object that a learner's function has pickled into a file; the only one there."""
    if not path.exists():
        raise Wrong(f"{path.name} is not there afterwards: write to the file at path.")
    data = path.read_bytes()
    if not data:
        raise Wrong(
            f"{path.name} has 0 bytes afterwards: nothing was dumped into it, or it was not "
            "closed. Use with, which closes it."
        )
    stream = io.BytesIO(data)
    try:
        first = pickle.load(stream)
    except Exception as error:
        raise Wrong(
            f"{path.name} is no pickle afterwards ({describe(error)}): use pickle.dump."
        ) from None
    if stream.tell() < len(data):
        raise Wrong(
            f"{path.name} has several objects in it, one behind the other, and load reads only "
            f"the first, {kinds(first)}: make one tuple, and dump once into an empty file."
        )
    return first


def expect_three(what, came, dv, model, threshold):
    """Raise Wrong unless what came is the tuple of these three."""
    wanted = kinds((dv, model, threshold))
    if kinds(came) != wanted:
        raise Wrong(
            f"{what} should be the tuple {wanted}, and is {kinds(came)}: all three belong in "
            "one tuple, (dv, model, threshold)."
        )
    expect(f"the threshold in {what}", came[2], threshold, "it should be the one that was given")
    same = (
        getattr(came[0], "feature_names_", None) == dv.feature_names_,
        np.array_equal(getattr(came[1], "coef_", None), model.coef_),
    )
    for name, right in zip(("dv", "model"), same, strict=True):
        if not right:
            raise Wrong(
                f"{what} has the {name} of another file: use what you are given, dv, model and "
                "path, and no name from outside the function."
            )


# --- The exercises ---


@lab.exercise(
    "three-in-three-out",
    lesson="The model alone is not enough",
    hints=[
        "The lesson saved a tuple of two; three work alike.",
        "dump takes one object: pickle.dump((dv, model, threshold), f_out), and the mode is wb.",
        "load: with open(path, 'rb') as f_in: and below it return pickle.load(f_in).",
    ],
)
def save_and_load(answer):
    save, load = answer.function("save"), answer.function("load", returns=(object,))  # not None
    with empty_folder():
        for name, weight, threshold in (("may.bin", 1.0, 0.18), ("a new one.bin", 2.0, 0.5)):
            path, (dv, model) = Path(name), small_model(weight)
            call(save, path, dv, model, threshold, slips=FILE_SLIPS)
            saved = only_object(path)
            expect_three(f"what save writes to {name}", saved, dv, model, threshold)
        for name, weight, threshold in (("june.bin", 3.0, 0.25), ("july.bin", 4.0, 0.75)):
            path, (dv, model) = Path(name), small_model(weight)
            path.write_bytes(pickle.dumps((dv, model, threshold)))
            size = path.stat().st_size
            try:
                loaded = call(load, path, slips=LOAD_SLIPS | FILE_SLIPS)
            finally:
                if path.stat().st_size < size:
                    raise Wrong(
                        f"load has emptied {name}, and the model is lost: the mode w empties a "
                        "file as soon as it is opened. Read with rb."
                    )
            expect_three(f"what load returns for {name}", loaded, dv, model, threshold)


@lab.exercise(
    "mend-what-destroys",
    lesson="One letter",
    hints=[
        "Two blocks, one after the other: read with rb, then write.",
        "The mode w empties the file before anything is pickled. So pickle first: "
        "pickle.dumps((dv, model, threshold)) gives the bytes, or an error while the file is "
        "still whole.",
        "Then path.write_bytes(pickled); or, as in the lesson, write another file beside it and "
        "rename it with .replace(path).",
    ],
)
def add_threshold(answer):
    function = answer.function("add_threshold")
    with empty_folder():
        for name, weight, threshold in (("may.bin", 1.0, 0.18), ("a new one.bin", 2.0, 0.5)):
            path, (dv, model) = Path(name), small_model(weight)
            path.write_bytes(pickle.dumps((dv, model)))
            call(function, path, threshold, slips=FILE_SLIPS)
            saved = only_object(path)
            expect_three(f"the object in {name} afterwards", saved, dv, model, threshold)
        # Beyond 64 KiB a pickle is written piece by piece; and with another protocol than the
        # default, the old bytes differ from the new ones from the beginning.
        path, before = Path("large.bin"), pickle.dumps(small_model(columns=4000), protocol=3)
        path.write_bytes(before)
        for what, bad in (("a lambda", lambda: 0.5), ("a generator", (n / 10 for n in [5]))):
            case = f"with {what} as threshold, which can't be pickled,"
            error = function.error(path, bad)
            after = path.read_bytes() if path.exists() else b""
            if error is None:
                raise Wrong(
                    f"{case} add_threshold raises no error: let it out, or whoever called "
                    "believes that the threshold was saved."
                )
            if after != before:
                raise Wrong(
                    f"{case} the file had {len(before):,} bytes before the error and has "
                    f"{len(after):,} now: the model is lost. Pickle first (pickle.dumps), and "
                    "touch the file when you have the bytes."
                )


@lab.exercise(
    "who-loads-it",
    lesson="Load it in another process",
    hints=[
        "subprocess.run([program, argument, ...], capture_output=True, text=True) runs a program "
        "and keeps what it prints, as .stdout.",
        "python -c 'some code' runs the code; what stands behind it is in sys.argv[1:].",
        "The code: import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')))",
        "[sys.executable, '-c', code, path] is the whole command, and int(done.stdout) the answer.",
    ],
)
def loaded_by(answer):
    function = answer.function("loaded_by", returns=int)
    with empty_folder() as folder, patch.dict(os.environ, PATH=str(folder)):
        # Blank, apostrophe and dollar break a path that is pasted into a command or into code.
        path = folder / "models" / "Anna's $5 model.bin"
        path.parent.mkdir()
        for number in (4711, 815):  # the second time in the same file
            path.write_bytes(pickle.dumps(number))
            came = call(function, str(path), slips=PROCESS_SLIPS)
            if came != number:
                raise Wrong(
                    f"for a file that holds the number {number} loaded_by returns {came}: return "
                    "what the other Python prints, read anew from the file at each call."
                )
        Path("who.bin").write_bytes(pickle.dumps(Calls(os.getpid)))
        if call(function, "who.bin", slips=PROCESS_SLIPS) == os.getpid():
            raise Wrong(
                f"{os.getpid()} is the id of this notebook's own process, so the file was loaded "
                "here: start another Python, and let that one unpickle it."
            )


@lab.exercise(
    "a-model-card",
    lesson="From a notebook to a script",
    hints=[
        "path.read_bytes() are the bytes in the file; hashlib.sha256(...) takes bytes.",
        ".hexdigest() makes text of the hash; sklearn.__version__ is the version.",
        "float(auc) makes Python's own number of any; date.today().isoformat() is the date.",
    ],
)
def card_of(answer):
    function = answer.function("card_of", returns=dict)
    with empty_folder():
        files = {"may.bin": (bytes(range(256)), np.float32(0.8581)), "a b.bin": (b"june\r\n", 0.75)}
        for name, (data, auc) in files.items():
            path = Path(name)
            path.write_bytes(data)
            days = today()
            card = call(function, path, auc, slips=CARD_SLIPS)
            what = function.call(path, auc)
            for key in ("sha256", "versions", "auc", "trained"):
                if key not in card:
                    raise Wrong(f"{what} has no key {key!r}: it has {', '.join(map(str, card))}.")
            refuse_what_json_refuses(what, card)
            expect_hash(f"sha256 in {what}", card["sha256"], path)
            expect_version(f"versions in {what}", card["versions"])
            remedy = "store the number, float(auc), to four digits, neither as text nor in percent"
            expect(f"auc in {what}", card["auc"], float(auc), remedy, tolerance=1e-4)
            day = card["trained"]
            if not isinstance(day, str) or day not in days | today():
                raise Wrong(
                    f"trained in {what} should be {min(days)!r}, and is {show(day)}: "
                    "date.today().isoformat() is today's date as text."
                )


def today() -> set[str]:
    """Return today's date, here and by universal time."""
    return {date.today().isoformat(), datetime.now(UTC).date().isoformat()}


def refuse_what_json_refuses(what, card):
    remedies = {
        np.generic: "NumPy's numbers are not JSON; float(...) makes Python's own",
        date: "a date is not JSON; .isoformat() makes text of it",
        bytes: "bytes are not JSON; .hexdigest() gives the hash as text",
        type(hashlib.sha256()): "that is an object that calculates; .hexdigest() gives the hash",
    }
    for key, value in card.items():
        try:
            json.dumps({key: value})
        except Exception as error:
            remedy = [text for kind, text in remedies.items() if isinstance(value, kind)]
            remedy = remedy[0] if remedy else "use texts, numbers, lists and dictionaries"
            raise Wrong(
                f"json.dumps can't write {key} of {what} ({describe(error)}): {remedy}."
            ) from None


def expect_hash(what, came, path):
    """Raise Wrong unless what came is the sha256 of the bytes in the file."""
    data = path.read_bytes()
    names = (str(path), path.name, str(path.resolve()), repr(path))
    slips = {
        hashlib.sha256(name.encode()).hexdigest(): "that is the hash of the path's own text; hash "
        "what is in the file, path.read_bytes()"
        for name in names
    }
    slips[hashlib.sha256(str(data).encode()).hexdigest()] = (
        "that is the hash of a text that describes the bytes; hash the bytes themselves"
    )
    slips[hashlib.md5(data, usedforsecurity=False).hexdigest()] = (
        "that is md5, which can be forged; use hashlib.sha256"
    )
    if isinstance(came, int):
        raise Wrong(
            f"{what} is the number {came}: hash() gives another one in every process, so nobody "
            "can compare. Use hashlib.sha256(...).hexdigest()."
        )
    remedy = "hashlib.sha256(path.read_bytes()).hexdigest() is the hash of all bytes in the file"
    if isinstance(came, str):
        remedy = slips.get(came, remedy)
    expect(what, came, hashlib.sha256(data).hexdigest(), remedy)


def expect_version(what, came):
    """Raise Wrong unless this is a dictionary with the version of scikit-learn."""
    if not isinstance(came, dict) or "scikit-learn" not in came:
        raise Wrong(
            f"{what} should be a dictionary with the key 'scikit-learn', and is {show(came)}."
        )
    slips = {
        platform.python_version(): "that is Python's version",
        np.__version__: "that is NumPy's version",
        "1.2.2": "that is the one of the example, not the one that is installed",
    }
    version = came["scikit-learn"]
    slip = slips.get(version if isinstance(version, str) else "", "read it from the library")
    remedy = f"{slip}; sklearn.__version__ is the right one"
    expect(f"scikit-learn in {what}", version, sklearn.__version__, remedy)


# --- mail-from-strangers, three files ---

MARKER = "you-loaded-me.txt"  # what the hostile file writes when it is loaded; nothing else
SENDERS = ("from-anna.bin", "from-ben.bin", "from-cleo.bin")
CODE = f"__import__('pathlib').Path('{MARKER}').write_text('A file wrote this, as you loaded it.')"
COMMAND = f"echo A file wrote this, as you loaded it. > {MARKER}"
HOSTILE = {
    "builtins.exec": Calls(exec, CODE),
    "os.system": Calls(os.system, COMMAND),
    "shutil.copyfile": Calls(shutil.copyfile, SENDERS[0], MARKER),
    "builtins.eval": Calls(eval, CODE),
    "subprocess.getoutput": Calls(subprocess.getoutput, COMMAND),
    "timeit.timeit": Calls(timeit.timeit, "pass", CODE),  # who forbids modules forgets this one
}
NOTES = {  # data, and nothing but data
    "customer": "8879-zkjof",
    "note": "os.system('rm -r /') is what a hostile file may call",
    "words": ["builtins", "exec", "eval", "os", "os.system", "system", "subprocess", "shutil"],
}


def send(contents: list) -> list[Path]:
    """Write each object into a file in the current folder; return the paths."""
    paths = [Path(name) for name in SENDERS]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(pickle.dumps(content))
    return paths


def three_files() -> list[Path]:
    """Write two harmless models and a hostile one into the current folder, mixed."""
    Path(MARKER).unlink(missing_ok=True)
    chance = random.Random()
    hostile = (*small_model(), chance.choice(list(HOSTILE.values())))
    contents = [(*small_model(), 0.18), (*small_model(), NOTES), hostile]
    chance.shuffle(contents)
    return send(contents)


@lab.exercise(
    "mail-from-strangers",
    lesson="Unpickling is running code",
    hints=[
        "texts_in of the lesson shows all texts, and those of the data are among them. Which of "
        "them are names that the file asks for? find_class sees these only.",
        "class Guard(pickle.Unpickler): and in it def find_class(self, module, name): which "
        "raises an error for a bad module.",
        'Say what is allowed, not what is forbidden: module.split(".")[0] in ("numpy", "sklearn"). '
        "For these return super().find_class(module, name), which does the usual.",
        "for path in paths: with open(path, 'rb') as f_in: try: Guard(f_in).load(), and except "
        "your error: return path.",
    ],
)
def hostile(answer):
    function = answer.function("hostile")
    harmless = [NOTES, (*small_model(), NOTES), {"threshold": np.float64(0.18), "notes": NOTES}]
    with empty_folder():
        places = (1, 2, 0, 2, 1, 0)
        for turn, ((asked, bad), place) in enumerate(zip(HOSTILE.items(), places, strict=True)):
            contents = [harmless[turn % 3], harmless[(turn + 1) % 3]]
            # Alone, or behind a model's own names; so the size says nothing, nor does the place.
            contents.insert(place, (*small_model(), bad) if turn % 2 else bad)
            paths = send(contents)
            expected = paths[place]
            try:
                came = function(list(paths))
            finally:
                if Path(MARKER).exists():
                    raise Wrong(
                        f"you have loaded it, and it ran: {expected} called {asked}, which wrote "
                        f"{MARKER}. In a process of its own it would have run as well. Look at the "
                        "names before anything is called: find_class."
                    )
            expect_path(came, paths, expected, asked)
    return "Correct, and nothing of theirs has run."


def expect_path(came, paths, expected, asked):
    """Raise Wrong unless what came is the path of the hostile file."""
    right = f"{expected} is hostile: it asks for {asked}"
    if came is None:
        raise Wrong(
            f"hostile returned None, and {right}. Let through NumPy and scikit-learn only, and "
            "return the path of the file that asks for anything else."
        )
    if not isinstance(came, (str, Path)):
        raise Wrong(
            f"hostile should return a path, one of the three, and returned {show(came)}: return "
            "the one path itself, neither a list nor its place in one."
        )
    came = Path(came)
    if came.resolve() not in [path.resolve() for path in paths]:
        raise Wrong(f"hostile should return one of the three paths, and returned {show(came)}.")
    if came.resolve() != expected.resolve():
        raise Wrong(
            f"hostile returned {came}, which is harmless: it asks for names of NumPy and "
            "scikit-learn, or for none (a module such as sklearn.linear_model._logistic belongs to "
            f"sklearn), and words such as os.system are data in it. {right}."
        )


# --- refuse-politely ---


def write_model(path: Path, content, version: str, more: bytes = b"") -> None:
    """Write a model and its card; more bytes behind it make it another file than the card's."""
    path.parent.mkdir(exist_ok=True)
    pickled = pickle.dumps(content)
    path.write_bytes(pickled + more)
    card = {
        "sha256": hashlib.sha256(pickled).hexdigest(),
        "versions": {"python": platform.python_version(), "scikit-learn": version},
        "auc": 0.8581,
    }
    path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")


@lab.exercise(
    "refuse-politely",
    lesson="Versions must match",
    hints=[
        "In this order: read the card, compare the versions, compare the hashes, unpickle.",
        "json.loads(path.with_suffix('.json').read_text(encoding='utf-8')) is the card; if it is "
        "missing, this raises a FileNotFoundError by itself.",
        "if made_with != sklearn.__version__: raise ValueError(f'... {made_with} ... "
        "{sklearn.__version__} ...')",
        "hashlib.sha256(pickled).hexdigest() of pickled = path.read_bytes() is the hash; at last "
        "return pickle.loads(pickled).",
    ],
)
def load_checked(answer):
    function = answer.function("load_checked", returns=(object,))  # anything but None
    here = sklearn.__version__
    unpickled = Path("unpickled.txt")  # written by the bad files when they are unpickled
    bad = ({"tenure": 0}, [0.5], Calls(exec, "open('unpickled.txt', 'w').close()"))
    with empty_folder():
        for name, weight in (("models/may.bin", -0.07), ("june.pickle", 0.5)):
            path, content = Path(name), ({"tenure": 0}, [weight])
            write_model(path, content, here)
            came = call(function, path, slips=GOOD_SLIPS)
            expect(function.call(path), came, content, "return the object in the file")

        path = Path("models/old.bin")
        for other in ("0.24.2", "1.2.2", here.rpartition(".")[0], here + ".post1"):
            write_model(path, bad, other)
            case = f"the card says scikit-learn {other}, and {here} is installed"
            error = refusal(function, path, case, unpickled, (ValueError,))
            for version in (other, here):
                if not re.search(rf"(?<![\d.]){re.escape(version)}(?!\.?\w)", str(error)):
                    raise Wrong(
                        f"{case}; the ValueError should name both versions, and its text is "
                        f"{str(error)!r}, without {version}."
                    )

        path = Path("models/damaged.bin")
        write_model(path, bad, here, more=b"!")
        case = "the version is right, and the file has one byte more than the card's"
        refusal(function, path, case, unpickled, (ValueError,))

        path = Path("models/stranger.bin")
        path.write_bytes(pickle.dumps(bad))
        refusal(function, path, "there is no card", unpickled, (ValueError, FileNotFoundError))


def refusal(function, path, case, unpickled, right):
    """Return the error with which the function refuses a model; raise Wrong unless it does."""
    error, loaded = function.error(path), unpickled.exists()
    names = " or ".join(f"a {one.__name__}" for one in right)
    if error is None:
        raise Wrong(
            f"{case}, and load_checked raises no error: raise {names}"
            f"{', before anything is unpickled' if loaded else ''}. A warning is not enough, and "
            "neither is None."
        )
    if loaded:
        raise Wrong(
            f"{case}, and load_checked unpickled the file all the same, before it raised "
            f"{type(error).__name__}; whatever is in the file has run by then: check the card "
            "first, and unpickle last."
        )
    if isinstance(error, SystemExit):
        raise Wrong(
            f"{case}, and load_checked leaves the program (sys.exit): raise {names} instead, so "
            "that the caller decides."
        )
    if not isinstance(error, right):
        raise Wrong(f"{case}: load_checked should raise {names}, and raises {describe(error)}.")
    return error
