"""Lab 2: right answers in another style, and wrong ones with what each must be told."""

from proof import Instead

CODE = "code = \"import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')))\""

ANSWERS = {
    "three-in-three-out": {
        "right": [
            """
def save(path, dv, model, threshold):
    Path(path).write_bytes(pickle.dumps((dv, model, threshold)))


def load(path):
    return pickle.loads(Path(path).read_bytes())
""",
            """
def save(path, *parts):
    f_out = open(path, mode="wb")
    try:
        pickle.dump(parts, f_out, protocol=4)
    finally:
        f_out.close()


def load(path):
    with path.open("rb") as f_in:
        dv, model, threshold = pickle.load(f_in)
    return (dv, model, threshold)
""",
        ],
        "wrong": [
            (
                """
def save(path, dv, model, threshold):
    with open(path, "wb") as f_out:
        pickle.dump(dv, f_out)
        pickle.dump(model, f_out)
        pickle.dump(threshold, f_out)


def load(path):
    with open(path, "rb") as f_in:
        return pickle.load(f_in), pickle.load(f_in), pickle.load(f_in)
""",
                "several objects in it, one behind the other, and load reads only the first, DictVectorizer",
            ),
            (
                Instead('"wb"', '"w"'),
                "must be str, not bytes, in line 3 of its cell|so the mode is wb",
            ),
            (Instead('"rb"', '"r"'), "a pickle is bytes, so the mode is rb"),
            (Instead('"rb"', '"wb"'), "load has emptied june.bin, and the model is lost"),
            (Instead('"wb"', '"rb"'), "and only wb makes a new one"),
            (Instead('"wb"', '"ab"', '"rb"', '"wb"'), "load has emptied june.bin"),
            (
                Instead("(dv, model, threshold), f_out", "(dv, model), f_out"),
                "should be the tuple (DictVectorizer, LogisticRegression, float), and is "
                "(DictVectorizer, LogisticRegression): all three",
            ),
            (
                Instead("(dv, model, threshold), f_out", "dv, model, threshold, f_out"),
                "dump takes one object and the open file",
            ),
            (
                Instead("((dv, model, threshold), f_out)", "(((dv, model), threshold), f_out)"),
                "and is ((DictVectorizer, LogisticRegression), float)",
            ),
            (
                Instead("(dv, model, threshold), f_out", "[dv, model, threshold], f_out"),
                "and is a list [DictVectorizer, LogisticRegression, float]",
            ),
            (
                Instead(
                    "(dv, model, threshold), f_out",
                    '{"dv": dv, "model": model, "threshold": threshold}, f_out',
                ),
                "and is a dictionary",
            ),
            (
                Instead("(dv, model, threshold), f_out", "(threshold, dv, model), f_out"),
                "and is (float, DictVectorizer, LogisticRegression)",
            ),
            (
                Instead("(dv, model, threshold), f_out", "(dv, model, 0.18), f_out"),
                "should be 0.5, and is 0.18",
            ),
            (Instead("open(path", 'open("mine.bin"'), "may.bin is not there afterwards"),
            (
                """
def save(path, dv, model, threshold):
    global f_out
    f_out = open(path, "wb")
    pickle.dump((dv, model, threshold), f_out)


def load(path):
    with open(path, "rb") as f_in:
        return pickle.load(f_in)
""",
                "has 0 bytes afterwards: nothing was dumped into it, or it was not closed",
            ),
            (Instead("return pickle.load(f_in)", "pickle.load(f_in)"), "returned None"),
            (
                Instead("return pickle.load(f_in)", "return pickle.load(f_in)[1]"),
                "what load returns for june.bin should be the tuple",
            ),
            (
                Instead("return pickle.load(f_in)", "return list(pickle.load(f_in))"),
                "and is a list [DictVectorizer",
            ),
            (
                """
def save(path, dv, model, threshold):
    global saved
    saved = dv, model, threshold
    Path(path).write_bytes(pickle.dumps(saved))


def load(path):
    return saved
""",
                "the threshold in what load returns for june.bin should be 0.25, and is 0.5",
            ),
            (
                """
def save(path, dv, model, threshold):
    global saved
    saved = model
    Path(path).write_bytes(pickle.dumps((dv, model, threshold)))


def load(path):
    dv, model, threshold = pickle.loads(path.read_bytes())
    return dv, saved, threshold
""",
                "has the model of another file",
            ),
            (
                """
from sklearn.feature_extraction import DictVectorizer


def save(path, dv, model, threshold):
    with open(path, "wb") as f_out:
        pickle.dump((DictVectorizer(sparse=False), model, threshold), f_out)


def load(path):
    with open(path, "rb") as f_in:
        return pickle.load(f_in)
""",
                "has the dv of another file",
            ),
            (
                """
def save(path, dv, model, threshold):
    Path(path).write_text(str((dv, model, threshold)))


def load(path):
    return eval(Path(path).read_text())
""",
                "is no pickle afterwards",
            ),
            (
                """
import joblib


def save(path, dv, model, threshold):
    joblib.dump((dv, model, threshold), path)


def load(path):
    return joblib.load(path)
""",
                "use pickle.dump",
            ),
            (
                """
def save(path, dv, model, threshold):
    pickle.dump((dv, model, threshold), path)


def load(path):
    return pickle.load(path)
""",
                "the open file, not its path",
            ),
            (
                """
def save(path, dv, model, threshold):
    with open(path, "wb") as f_out:
        pickle.dump((dv, model, threshold), f_out)


def load(path):
    return pickle.load(path)
""",
                "load takes an open file, not its path",
            ),
            (
                """
def save(path, dv, model, threshold):
    with open(path, "wb") as f_out:
        pickle.dump((dv, model, threshold), f_out)


def load(path):
    with open(path, "rb") as f_in:
        return pickle.load(f_in), pickle.load(f_in), pickle.load(f_in)
""",
                "one pickle.load gives the whole tuple",
            ),
            (
                """
def save(path, dv, model, threshold):
    with open(path, "wb") as f_out:
        pickle.dump((dv, model, threshold), f_out)


def load(path):
    with open(path, "rb") as f_in:
        return pickle.loads(f_in)
""",
                "loads takes bytes; load, without the s",
            ),
        ],
    },
    "mend-what-destroys": {
        "right": [
            """
def add_threshold(path, threshold):
    dv, model = pickle.loads(path.read_bytes())
    path.write_bytes(pickle.dumps((dv, model, threshold)))
""",
            """
def add_threshold(path, threshold):
    before = path.read_bytes()
    three = (*pickle.loads(before), threshold)
    try:
        with open(path, "wb") as f_out:
            pickle.dump(three, f_out)
    except Exception:
        path.write_bytes(before)
        raise
""",
            """
def add_threshold(path, threshold):
    with open(path, "r+b") as f:
        dv, model = pickle.load(f)
        pickled = pickle.dumps((dv, model, threshold))
        f.seek(0)
        f.write(pickled)
        f.truncate()
""",
            """
def add_threshold(path, threshold):
    with open(path, "rb") as f_in:
        dv, model = pickle.load(f_in)
    other = path.with_suffix(".tmp")
    with open(other, "wb") as f_out:
        pickle.dump((dv, model, threshold), f_out)
    os.replace(other, path)
""",
        ],
        "wrong": [
            (
                """
def add_threshold(path, threshold):
    with open(path, "wb") as f:
        dv, model = pickle.load(f)
        pickle.dump((dv, model, threshold), f)
""",
                "the mode w empties a file as soon as it is opened",
            ),
            (
                """
def add_threshold(path, threshold):
    with open(path, "w+b") as f:
        dv, model = pickle.load(f)
        pickle.dump((dv, model, threshold), f)
""",
                "Ran out of input|there is nothing left to read",
            ),
            (
                """
def add_threshold(path, threshold):
    with open(path, "rb") as f:
        dv, model = pickle.load(f)
        pickle.dump((dv, model, threshold), f)
""",
                "rb is for reading; to write, open the file with wb",
            ),
            (
                """
def add_threshold(path, threshold):
    with open(path, "rb") as f_in:
        dv, model = pickle.load(f_in)
    with open(path, "wb") as f_out:
        pickle.dump((dv, model, threshold), f_out)
""",
                "the model is lost. Pickle first",
            ),
            (
                """
def add_threshold(path, threshold):
    with open(path, "rb") as f_in:
        dv, model = pickle.load(f_in)
    with open(path, "ab") as f_out:
        f_out.write(pickle.dumps((dv, model, threshold)))
""",
                "and load reads only the first, (DictVectorizer, LogisticRegression): make one",
            ),
            (
                """
def add_threshold(path, threshold):
    with open(path, "r+b") as f:
        dv, model = pickle.load(f)
        f.seek(0)
        pickle.dump((dv, model, threshold), f)
""",
                "bytes before the error and has",
            ),
            (
                """
def add_threshold(path, threshold):
    before = pickle.loads(path.read_bytes())
    path.write_bytes(pickle.dumps((before, threshold)))
""",
                "and is ((DictVectorizer, LogisticRegression), float)",
            ),
            (
                """
def add_threshold(path, threshold):
    dv, model = pickle.loads(path.read_bytes())
    path.write_bytes(pickle.dumps((model, threshold)))
""",
                "and is (LogisticRegression, float)",
            ),
            (
                """
def add_threshold(path, threshold):
    try:
        dv, model = pickle.loads(path.read_bytes())
        path.write_bytes(pickle.dumps((dv, model, threshold)))
    except Exception as error:
        print(error)
""",
                "raises no error: let it out",
            ),
            (
                """
def add_threshold(path, threshold):
    dv, model = pickle.loads(path.read_bytes())
    path.with_name("new.bin").write_bytes(pickle.dumps((dv, model, threshold)))
""",
                "should be the tuple (DictVectorizer, LogisticRegression, float), and is "
                "(DictVectorizer, LogisticRegression):",
            ),
            (
                """
def add_threshold(path, threshold):
    dv, model = pickle.loads(path.read_bytes())
    path.unlink()
    path.write_bytes(pickle.dumps((dv, model, threshold)))
""",
                "bytes before the error and has 0 now",
            ),
            (
                """
def add_threshold(path, threshold):
    dv, model = pickle.loads(path.read_bytes())
    path.write_bytes(pickle.dumps((dv, model, 0.18)))
""",
                "should be 0.5, and is 0.18",
            ),
            (
                """
def add_threshold(path, threshold):
    dv, model = pickle.loads(path.read_bytes())
    return dv, model, threshold
""",
                "(DictVectorizer, LogisticRegression): all three belong",
            ),
            (
                """
def add_threshold(path, threshold):
    with open(path, "rb") as f_in:
        dv, model = pickle.load(f_in)
    if callable(threshold):
        raise ValueError("That is a function.")
    with open(path, "wb") as f_out:
        pickle.dump((dv, model, threshold), f_out)
""",
                "with a generator as threshold, which can't be pickled, the file had",
            ),
        ],
    },
    "who-loads-it": {
        "right": [
            f"""
def loaded_by(path):
    {CODE}
    printed = subprocess.check_output([sys.executable, "-c", code, path])
    return int(printed)
""",
            """
def loaded_by(path):
    code = f"import pickle\\nwith open({str(path)!r}, 'rb') as f: print(pickle.load(f))"
    child = subprocess.Popen([sys.executable, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, _ = child.communicate(code.encode())
    return int(out.decode())
""",
            """
def loaded_by(path):
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer))"
    with open(path, "rb") as f_in:
        done = subprocess.run([sys.executable, "-c", code], stdin=f_in, capture_output=True)
    return int(done.stdout)
""",
            """
def loaded_by(path):
    return int(subprocess.check_output([sys.executable, "-m", "pickle", path]))
""",
        ],
        "wrong": [
            (
                "def loaded_by(path):\n    return int(pickle.loads(Path(path).read_bytes()))",
                "is the id of this notebook's own process",
            ),
            (
                "def loaded_by(path):\n    return subprocess.Popen([sys.executable, '-c', 'pass']).pid",
                "that holds the number 4711 loaded_by returns",
            ),
            (Instead("sys.executable", '"python"'), "start sys.executable; another python"),
            (
                """
def loaded_by(path):
    code = f"import pickle; print(pickle.load(open('{path}', 'rb')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout)
""",
                "the other Python failed. Print done.stderr to see why; the path should go",
            ),
            (
                """
def loaded_by(path):
    code = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')))"
    done = subprocess.run([sys.executable, "-c", code, *path.split()], capture_output=True)
    return int(done.stdout)
""",
                "the other Python printed no number",
            ),
            (
                """
def loaded_by(path):
    code = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')))"
    command = f'{sys.executable} -c "{code}" {path}'
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    return int(done.stdout)
""",
                "the other Python printed no number",
            ),
            (Instead("int(done.stdout)", "done.stdout"), "of type str"),
            (Instead("capture_output=True, ", ""), "only with capture_output=True"),
            (
                f"""
Path("loader.py").write_text({CODE.removeprefix("code = ")})


def loaded_by(path):
    command = [sys.executable, "loader.py", path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout)
""",
                "the other Python failed",
            ),
            (
                f"""
seen = {{}}


def loaded_by(path):
    {CODE}
    if path not in seen:
        command = [sys.executable, "-c", code, path]
        seen[path] = int(subprocess.check_output(command))
    return seen[path]
""",
                "the number 815 loaded_by returns 4711: return what the other Python prints, read anew",
            ),
            (
                Instead("text=True, check=True", "cwd=labkit.ROOT"),
                "the other Python printed no number",
            ),
            (Instead("print(", "("), "the other Python printed no number"),
            (Instead("return int(", "int("), "returned None"),
            (
                """
def loaded_by(path):
    return int(subprocess.getoutput(f'{sys.executable} -m pickle "{path}"'))
""",
                "printed no number",
            ),
            (
                Instead("code, path]", "code, Path(path).name]"),
                "the other Python failed",
            ),
            (
                Instead("int(done.stdout)", "int(done)"),
                "what was printed is its attribute .stdout",
            ),
            (
                Instead("int(done.stdout)", "done.returncode"),
                "loaded_by returns 0: return what the other Python prints",
            ),
        ],
    },
    "a-model-card": {
        "right": [
            """
def card_of(path, auc):
    from datetime import datetime
    from importlib.metadata import version

    with open(path, "rb") as f_in:
        digest = hashlib.file_digest(f_in, "sha256").hexdigest()
    card = dict(sha256=digest, auc=round(float(auc), 4), python=sys.version)
    card["versions"] = {"scikit-learn": version("scikit-learn"), "numpy": np.__version__}
    card["trained"] = datetime.now().strftime("%Y-%m-%d")
    return card
""",
            """
def card_of(path, auc):
    calculator = hashlib.sha256()
    calculator.update(path.read_bytes())
    return {
        "trained": str(date.today()),
        "auc": np.float64(auc),
        "versions": {"scikit-learn": sklearn.__version__},
        "sha256": calculator.hexdigest(),
    }
""",
        ],
        "wrong": [
            (
                Instead("Path(path).read_bytes()", "str(path).encode()"),
                "that is the hash of the path's own text",
            ),
            (
                Instead("Path(path).read_bytes()", "str(path.read_bytes()).encode()"),
                "a text that describes the bytes",
            ),
            (
                Instead(
                    "hashlib.sha256(Path(path).read_bytes()).hexdigest()", "hash(path.read_bytes())"
                ),
                "hash() gives another one in every process",
            ),
            (Instead("hashlib.sha256", "hashlib.md5"), "that is md5"),
            (Instead(".hexdigest()", ".digest()"), "bytes are not JSON; .hexdigest()"),
            (Instead(".hexdigest()", ""), "that is an object that calculates"),
            (
                Instead("Path(path).read_bytes()", "pickle.dumps(pickle.loads(path.read_bytes()))"),
                "and no unpickling|the file's bytes only",
            ),
            (
                Instead(
                    "Path(path).read_bytes()",
                    "path.read_text(encoding='latin-1').encode('latin-1')",
                ),
                "is the hash of all bytes in the file",
            ),
            (Instead("Path(path).read_bytes()", "path"), "raised TypeError"),
            (
                Instead("sklearn.__version__", "sys.version.split()[0]"),
                "that is Python's version; sklearn.__version__ is the right one",
            ),
            (Instead("sklearn.__version__", "np.__version__"), "that is NumPy's version"),
            (Instead("sklearn.__version__", '"1.2.2"'), "that is the one of the example"),
            (
                Instead('{"scikit-learn": sklearn.__version__}', "sklearn.__version__"),
                "should be a dictionary with the key 'scikit-learn'",
            ),
            (Instead('"scikit-learn"', '"sklearn"'), "with the key 'scikit-learn', and is"),
            (Instead("float(auc)", "auc"), "NumPy's numbers are not JSON"),
            (Instead("float(auc)", "round(auc, 4)"), "NumPy's numbers are not JSON"),
            (Instead("float(auc)", "auc.item()"), "the number may be Python's own"),
            (Instead("float(auc)", "str(auc)"), "neither as text nor in percent"),
            (Instead("float(auc)", "0.8581"), "should be 0.75, and is 0.8581"),
            (Instead("float(auc)", "float(auc) * 100"), "neither as text nor in percent"),
            (Instead(".isoformat()", ""), "a date is not JSON"),
            (Instead("date.today().isoformat()", '"2025-01-31"'), "and is '2025-01-31'"),
            (Instead(".isoformat()", '.strftime("%d.%m.%Y")'), "today's date as text"),
            (Instead("date.today().isoformat()", "[2025, 1, 31]"), "and is [2025, 1, 31]"),
            (
                Instead('"trained"', '"date"'),
                "has no key 'trained': it has sha256, versions, auc, date",
            ),
            (Instead("return {", "return json.dumps({", "    }", "    })"), "of type str"),
            (
                Instead("float(auc)", "round(float(auc), 2)"),
                "float(auc), to four digits",
            ),
            (
                Instead("read_bytes()", "read_text().encode()"),
                "hash what path.read_bytes() gives",
            ),
            (
                Instead("float(auc)", "auc.astype(float)"),
                "float(...) takes any",
            ),
        ],
    },
    "mail-from-strangers": {
        "right": [
            """
def asked_for(path):
    last, memo, asked = [], [], []
    for step, argument, _ in pickletools.genops(path.read_bytes()):
        if step.name == "MEMOIZE":
            memo.append(last[-1])
        elif step.name in ("BINGET", "LONG_BINGET"):
            last.append(memo[argument])
        elif step.name == "STACK_GLOBAL":
            asked.append(last[-2])
            last.append(None)
        else:
            last.append(argument if isinstance(argument, str) else None)
    return asked


def hostile(paths):
    for path in paths:
        if any(not module.startswith(("numpy", "sklearn")) for module in asked_for(path)):
            return str(path)
""",
            """
class Refused(Exception):
    pass


class Guard(pickle.Unpickler):
    allowed = {"numpy", "sklearn"}

    def find_class(self, module, name):
        package, *_ = module.split(".")
        if package in self.allowed:
            return super().find_class(module, name)
        raise Refused(module)


def is_hostile(path):
    try:
        Guard(path.open("rb")).load()
    except Refused:
        return True
    return False


def hostile(paths):
    [found] = filter(is_hostile, paths)
    return found.resolve()
""",
        ],
        "wrong": [
            (
                """
def hostile(paths):
    for path in paths:
        pickle.loads(path.read_bytes())
        if Path("you-loaded-me.txt").exists():
            return path
""",
                "you have loaded it, and it ran: from-ben.bin called builtins.exec",
            ),
            (
                """
def hostile(paths):
    code = "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))"
    for path in paths:
        subprocess.run([sys.executable, "-c", code, path])
        if Path("you-loaded-me.txt").exists():
            return path
""",
                "In a process of its own it would have run as well",
            ),
            (
                """
def hostile(paths):
    for path in paths:
        try:
            pickle.loads(path.read_bytes())
        except Exception:
            return path
    return paths[0]
""",
                "you have loaded it, and it ran",
            ),
            (
                """
def texts_in(path):
    return [argument for _, argument, _ in pickletools.genops(path.read_bytes())]


def hostile(paths):
    for path in paths:
        if {"exec", "eval", "system"} & set(filter(lambda one: isinstance(one, str), texts_in(path))):
            return path
""",
                "and words such as os.system are data in it",
            ),
            (
                """
def hostile(paths):
    for path in paths:
        if b"system" in path.read_bytes():
            return path
""",
                "words such as os.system are data in it",
            ),
            (
                """
def hostile(paths):
    for path in paths:
        steps = [step.name for step, _, _ in pickletools.genops(path.read_bytes())]
        if "REDUCE" in steps or "STACK_GLOBAL" in steps:
            return path
""",
                "which is harmless: it asks for names of NumPy",
            ),
            (
                """
class Guard(pickle.Unpickler):
    def find_class(self, module, name):
        if module in ("builtins", "os", "posix", "nt"):
            raise PermissionError(module)
        return super().find_class(module, name)


def hostile(paths):
    for path in paths:
        with open(path, "rb") as f_in:
            try:
                Guard(f_in).load()
            except PermissionError:
                return path
""",
                "you have loaded it, and it ran: from-anna.bin called shutil.copyfile",
            ),
            (
                """
def asked_for(path):
    names, texts = [], []
    for step, argument, _ in pickletools.genops(path.read_bytes()):
        if isinstance(argument, str):
            texts.append(argument)
        if step.name == "STACK_GLOBAL":
            names.append(texts[-2])
    return names


def hostile(paths):
    for path in paths:
        if {"builtins", "os", "posix", "nt"} & set(asked_for(path)):
            return path
""",
                "hostile returned None, and from-anna.bin is hostile: it asks for shutil.copyfile",
            ),
            (
                """
def hostile(paths):
    for path in paths:
        names, texts = [], []
        for step, argument, _ in pickletools.genops(path.read_bytes()):
            if isinstance(argument, str):
                texts.append(argument)
            if step.name == "STACK_GLOBAL":
                names.append(texts[-2])
        if not all(name.startswith(("numpy", "sklearn")) for name in names):
            return path
""",
                "which is harmless: it asks for names of NumPy",
            ),
            (
                Instead('module.split(".")[0] not in ("numpy", "sklearn")', 'module != "numpy"'),
                "which is harmless: it asks for names of NumPy",
            ),
            (
                """
class Guard(pickle.Unpickler):
    def find_class(self, module, name):
        raise PermissionError(module)


def hostile(paths):
    for path in paths:
        try:
            Guard(path.open("rb")).load()
        except PermissionError:
            return path
""",
                "which is harmless: it asks for names of NumPy",
            ),
            (
                "def hostile(paths):\n    return min(paths, key=lambda path: path.stat().st_size)",
                "from-cleo.bin is hostile: it asks for os.system",
            ),
            (
                "def hostile(paths):\n    return sorted(paths)[1]",
                "hostile returned from-ben.bin, which is harmless",
            ),
            (Instead("return path", "return [path]"), "neither a list nor its place in one"),
            (
                Instead("return path", "return path.name[5:-4]"),
                "should return one of the three paths",
            ),
            (Instead("return path", "raise"), "raised UnpicklingError: It asks for builtins.exec"),
            (
                Instead(
                    'module.split(".")[0] not in ("numpy", "sklearn")',
                    'module.split(".")[0] in ("builtins", "os", "posix", "nt", "subprocess", "shutil")',
                ),
                "called timeit.timeit",
            ),
            (
                Instead(
                    'module.split(".")[0] not in ("numpy", "sklearn")',
                    'name in ("exec", "eval", "system", "copyfile", "getoutput")',
                ),
                "called timeit.timeit",
            ),
            (
                Instead(
                    'module.split(".")[0] not in ("numpy", "sklearn")',
                    'module not in ("numpy", "sklearn")',
                ),
                "a module such as sklearn.linear_model._logistic belongs to sklearn",
            ),
            (
                Instead("return path", "print(path)"),
                "hostile returned None",
            ),
        ],
    },
    "refuse-politely": {
        "right": [
            """
def load_checked(path):
    try:
        with open(path.with_suffix(".json"), encoding="utf-8") as f_in:
            card = json.load(f_in)
    except FileNotFoundError:
        raise ValueError(f"There is no card for {path}.") from None
    with open(path, "rb") as f_in:
        pickled = f_in.read()
    problems = []
    if hashlib.sha256(pickled).hexdigest() != card["sha256"]:
        problems.append("it is not the file of the card")
    if card["versions"]["scikit-learn"] != sklearn.__version__:
        problems.append(f"v{card['versions']['scikit-learn']} and not v{sklearn.__version__}")
    if problems:
        raise ValueError(", ".join(problems))
    return pickle.loads(pickled)
""",
            """
def load_checked(path):
    class Unfit(ValueError):
        pass

    card = json.loads(path.with_suffix(".json").read_bytes())
    if (version := card["versions"]["scikit-learn"]) != sklearn.__version__:
        raise Unfit(version, sklearn.__version__)
    if hashlib.sha256(path.read_bytes()).hexdigest() != card["sha256"]:
        raise Unfit("another file")
    with open(path, "rb") as f_in:
        dv, model = pickle.load(f_in)
    return dv, model
""",
        ],
        "wrong": [
            (
                Instead("raise ValueError(f", "print(f"),
                "raises no error: raise a ValueError, before anything is unpickled. A warning is not",
            ),
            (
                """
import warnings


def load_checked(path):
    card = json.loads(path.with_suffix(".json").read_text())
    if card["versions"]["scikit-learn"] != sklearn.__version__:
        warnings.warn("Another version.")
    return pickle.loads(path.read_bytes())
""",
                "A warning is not enough",
            ),
            (
                """
def load_checked(path):
    content = pickle.loads(path.read_bytes())
    card = json.loads(path.with_suffix(".json").read_text())
    if card["versions"]["scikit-learn"] != sklearn.__version__:
        raise ValueError(f"{card['versions']['scikit-learn']} is not {sklearn.__version__}")
    if hashlib.sha256(path.read_bytes()).hexdigest() != card["sha256"]:
        raise ValueError("another file")
    return content
""",
                "unpickled the file all the same, before it raised ValueError",
            ),
            (
                Instead(
                    "made_with != installed", 'made_with.split(".")[0] != installed.split(".")[0]'
                ),
                "the card says scikit-learn 1.2.2, and",
            ),
            (
                Instead("made_with != installed", "not installed.startswith(made_with)"),
                "is installed, and load_checked raises no error",
            ),
            (
                Instead("made_with != installed", "made_with < installed"),
                ".post1, and",
            ),
            (
                Instead("made_with != installed", "False"),
                "the card says scikit-learn 0.24.2, and",
            ),
            (
                Instead('hashlib.sha256(pickled).hexdigest() != card["sha256"]', "not pickled"),
                "the file has one byte more than the card's, and load_checked raises no error",
            ),
            (
                Instead(
                    "pickled = path.read_bytes()",
                    "pickled = pickle.dumps(pickle.loads(path.read_bytes()))",
                ),
                "the file has one byte more than the card's, and load_checked raises no error"
                "|the file has one byte more than the card's, and load_checked unpickled the file",
            ),
            (Instead("raise ValueError(f", "sys.exit(f"), "leaves the program (sys.exit)"),
            (Instead("raise ValueError(f", "return print(f"), "and neither is None"),
            (
                Instead(", and {installed} is installed", ""),
                "should name both versions, and its text is",
            ),
            (
                Instead(
                    "of scikit-learn {made_with}, and {installed} is installed",
                    "of another version",
                ),
                "without 0.24.2",
            ),
            (
                """
def load_checked(path):
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["versions"]["scikit-learn"] == sklearn.__version__
    assert hashlib.sha256(path.read_bytes()).hexdigest() == card["sha256"]
    return pickle.loads(path.read_bytes())
""",
                "should raise a ValueError, and raises AssertionError",
            ),
            (
                Instead('path.with_suffix(".json")', 'Path("churn-model.json")'),
                'the card is at path.with_suffix(".json")',
            ),
            (
                Instead('path.with_suffix(".json")', 'Path(str(path).replace(".bin", ".json"))'),
                'the card is at path.with_suffix(".json")',
            ),
            (
                Instead(
                    "    card = json",
                    '    if not path.with_suffix(".json").exists():\n'
                    "        return pickle.loads(path.read_bytes())\n"
                    "    card = json",
                ),
                "there is no card, and load_checked raises no error",
            ),
            (Instead("return pickle.loads", "pickle.loads"), "returned None"),
            (
                Instead("return pickle.loads(pickled)", "return pickled"),
                "return the object in the file",
            ),
            (
                Instead("sklearn.__version__", "np.__version__"),
                "this model should be loaded, for the versions are equal",
            ),
            (
                Instead("raise ValueError(f", "return ValueError(f"),
                "raises no error: raise a ValueError. A warning",
            ),
            (
                Instead("made_with != installed", 'made_with != "1.2.2"'),
                "this model should be loaded, for the versions are equal",
            ),
        ],
    },
}
