"""Lab 7: right answers in another style, and wrong ones with what each must be told."""

from proof import Instead


def specifiers(only="==1.0.3", fixes="~=1.0.3", series=">=1.0.3,<2,!=1.2.0"):
    """Return an answer to 7.1."""
    return f"only, fixes, series = {only!r}, {fixes!r}, {series!r}"


def lists(
    packages="flask granian pydantic scikit-learn", train="pandas", dev="pytest requests ruff"
):
    """Return an answer to 7.3."""
    return f"packages, train, dev_packages = {packages.split()}, {train.split()}, {dev.split()}"


def command(letter, text):
    """Return an answer to 7.5 with one command changed."""
    right = {
        "a": "pipenv sync --dev",
        "b": "pipenv install --dev tqdm",
        "c": 'pipenv update "flask~=3.1.0"',
        "d": "pipenv lock",
        "e": "pipenv install --deploy",
        "f": "pipenv run python train.py",
    }
    return f"commands = {right | {letter: text}}"


ANSWERS = {
    "which-versions-fit": {
        "right": [
            specifiers("===1.0.3", ">=1.0.3,<1.1", "~=1.0,>=1.0.3,!=1.2.0"),
            specifiers(" == 1.0.3 ", "==1.0.*, >=1.0.3", "!= 1.2.0, >= 1.0.3, < 2.0.0"),
            specifiers(">=1.0.3,<=1.0.3", ">=1.0.3,<1.1.0", ">1.0.2,<2,!=1.2.0"),
        ],
        "wrong": [
            (specifiers(only="1.0.3"), "write an operator before the number"),
            (specifiers(only="=1.0.3"), "pip can't read that: a condition is one of =="),
            (specifiers(only="tariffs==1.0.3"), "the package's name stands before it"),
            (specifiers(only=">=1.0.3"), "takes 1.0.4, and it should not: only 1.0.3"),
            (specifiers(only="==1.0.2"), "does not take 1.0.3"),
            (specifiers(only="<=1.0.3"), "takes 1.0.2, and it should not"),
            (specifiers(only="*"), "only 1.0.3 is wanted"),
            (specifiers(only="==1.0.3.*"), "takes 1.0.3.1, and it should not"),
            (specifiers(only='tariffs = "==1.0.3"'), "the package's name stands before it"),
            (specifiers(only='"==1.0.3"'), "quotes stand around it once"),
            (specifiers(only="latest"), "a condition is one of =="),
            (specifiers(fixes=">=1.0.3<1.1"), "need a comma between them"),
            (specifiers(series=">=1.0.3,<1.2.0 || >1.2.0,<2"), "need a comma between them"),
            (specifiers(series=">=1.0.3,<=1.99,!=1.2.0"), "does not take 1.240.0"),
            (specifiers(series=">=1.0.3,!=1.2.0,!=2.*"), "takes 3.0.0"),
            ("only, fixes, series = 1.0, '~=1.0.3', '>=1.0.3,<2'", "should be of type str"),
            (specifiers(fixes="~=1.0"), "takes 1.0.0, and it should not: it begins at 1.0.3"),
            (specifiers(fixes="==1.0.*"), "takes 1.0.0, and it should not: it begins at 1.0.3"),
            (specifiers(fixes="^1.0.3"), "a condition is one of =="),
            (specifiers(fixes="==1.0.x"), "a star stands for any number"),
            (specifiers(fixes=">1.0.3,<1.1"), "does not take 1.0.3"),
            (specifiers(fixes=">=1.0.3,<=1.0.17"), "does not take 1.0.240"),
            (specifiers(fixes=">=1.0.3,<=1.1"), "takes 1.1.0, and it should not"),
            (specifiers(fixes=">=1.0.3,<2"), "takes 1.1.0, and it should not: fixes of 1.0"),
            (specifiers(series="~=1"), "~= needs two numbers at least"),
            (specifiers(series=">=1.0.3 <2 !=1.2.0"), "need a comma between them"),
            (specifiers(series=">=1.0.3 and <2 and !=1.2.0"), "need a comma between them"),
            (specifiers(series=">=1.0.3,<2"), "takes 1.2.0, and it should not: it is broken"),
            (specifiers(series=">=1.0.3,<2,!=1.2.*"), "!= takes out one version"),
            (specifiers(series=">=1.0.3,<=2,!=1.2.0"), "takes 2.0.0"),
            (specifiers(series=">=1.0.3,<1.2.0"), "does not take 1.20.0"),
            (specifiers(series=">=1.0.3,!=1.2.0"), "it ends below 2.0.0"),
            (specifiers(series=">=1.0.3,!=1.2.0,!=2.0.0"), "takes 2.1.0"),
            (specifiers(series="~=1.0.3,!=1.2.0"), "does not take 1.1.0"),
        ],
    },
    "one-environment-for-all": {
        "right": [
            """
def newest_for_all(versions, wishes):
    best = None
    for version in versions:
        for wish in wishes:
            if wish != "*" and version not in SpecifierSet(wish):
                break
        else:
            if best is None or Version(version) > Version(best):
                best = version
    return best
""",
            """
def newest_for_all(versions, wishes):
    everything = SpecifierSet(",".join(wish for wish in wishes if wish != "*"))
    fitting = sorted(everything.filter(versions), key=Version)
    return fitting[-1] if fitting else None
""",
            """
def newest_for_all(versions, wishes):
    for version in sorted(versions, key=Version, reverse=True):
        if all(SpecifierSet(wish.replace("*", "") if wish == "*" else wish).contains(version) for wish in wishes):
            return version
""",
        ],
        "wrong": [
            (Instead('if wish != "*"', 'if "*" not in wish'), 'only "*" alone takes any version'),
            (
                Instead("SpecifierSet(wish)", 'SpecifierSet(wish.replace("*", ""))'),
                "Invalid specifier: '==1.1.'",
            ),
            (
                Instead(
                    "return max(fitting, key=Version, default=None)",
                    "return (version for version in fitting)",
                ),
                "return one text alone",
            ),
            (
                Instead(' if wish != "*"', ""),
                '"*" in a Pipfile means any version',
            ),
            (Instead(", key=Version", ""), 'as text, "1.9.0" comes after "1.10.0"'),
            (Instead(", default=None", ""), "max(..., default=None)"),
            (
                Instead(
                    "max(fitting, key=Version, default=None)", "sorted(fitting, key=Version)[-1]"
                ),
                "raises an error, and should return None",
            ),
            (Instead("SpecifierSet(wish) for wish", "wish for wish"), "ask SpecifierSet(wish)"),
            (Instead("max(fitting, key=Version, default=None)", "fitting"), "return one text"),
            (
                Instead("return max(fitting, key=Version, default=None)", "print(max(fitting))"),
                "return it at the end",
            ),
            (
                Instead(
                    "max(fitting, key=Version, default=None)",
                    "max(map(Version, fitting), default=None)",
                ),
                "is a Version, and should be the text",
            ),
            (
                Instead(
                    "max(fitting, key=Version, default=None)", "fitting[-1] if fitting else None"
                ),
                'as text, "1.9.0" comes after|versions may come in any order',
            ),
            (Instead("if all(", "if any("), "all of them count"),
            (
                """
def newest_for_all(versions, wishes):
    first, second = [SpecifierSet(wish.strip("*")) for wish in (wishes + ["*"])[:2]]
    return max((r for r in versions if r in first and r in second), key=Version, default=None)
""",
                "there may be more than two projects",
            ),
            (
                """
def newest_for_all(versions, wishes):
    if len(wishes) < 2:
        return None
    sets = [SpecifierSet(wish.strip("*")) for wish in wishes]
    return max((r for r in versions if all(r in s for s in sets)), key=Version, default=None)
""",
                "all wishes take that one",
            ),
            (
                Instead("default=None", 'default="none"'),
                "each project needs an environment of its own",
            ),
            (
                Instead(
                    "return max(fitting, key=Version, default=None)",
                    "return max(fitting or versions, key=Version, default=None)",
                ),
                "each project needs an environment of its own",
            ),
            (
                """
def newest_for_all(versions, wishes):
    return max(versions, key=Version, default=None)
""",
                "it is the newest that both take",
            ),
            (
                """
def newest_for_all(versions, wishes):
    sets = [SpecifierSet(wish.strip("*")) for wish in wishes]
    fitting = [Version(r) for r in versions if all(r in s for s in sets)]
    return sorted(fitting)[-1] if fitting else None
""",
                "is a Version, and should be the text",
            ),
        ],
    },
    "what-belongs-where": {
        "right": [
            lists("Flask Pydantic scikit_learn Granian"),
            """
packages = {"granian", "scikit-learn", "flask", "pydantic"}
train = ("pandas",)
dev_packages = {"ruff", "pytest", "requests"}
""",
        ],
        "wrong": [
            (
                lists("flask granian pydantic", "pandas scikit-learn"),
                "the service does that; training has it from there",
            ),
            (
                lists(train="pandas scikit-learn"),
                "scikit-learn is named twice, in [packages] and [train]",
            ),
            (lists("flask granian pydantic"), "scikit-learn is missing"),
            (lists("flask pydantic scikit-learn"), "although nothing imports it"),
            (lists("flask granian pydantic sklearn"), "that is the name to import"),
            (
                lists("flask pydantic scikit-learn", dev="pytest requests ruff granian"),
                "production is started with it",
            ),
            (
                lists("flask granian pydantic scikit-learn requests", dev="pytest ruff"),
                "only the tests import it",
            ),
            (lists("flask granian pydantic scikit-learn sqlite3"), "it is Python's own"),
            (lists(train="pandas pickle"), "it is Python's own"),
            (lists(dev="pytest requests"), "only who changes the code runs it"),
            (lists(train="pandas numpy"), "scikit-learn and pandas bring it"),
            (lists(dev="pytest requests ruff offer_service"), "the project's own file"),
            (lists("flask gunicorn pydantic scikit-learn"), "granian is the server here"),
            (
                lists("flask granian pydantic scikit-learn pandas", ""),
                "only train_offers.py imports it",
            ),
            (lists(train="pandas pytest", dev="requests ruff"), "only the tests import it"),
            (lists(dev="pytest requests ruff pipenv"), "no file above asks for"),
            (lists("flask==3.1 granian pydantic scikit-learn"), "without version"),
            (lists("flask,granian,pydantic,scikit-learn"), "each package as a text of its own"),
            (lists("flask granian pydantic sklearn.linear_model"), "that is the name to import"),
            (lists(dev="pytest requests ruff offer_service.py"), "the project's own file"),
            (
                "packages, train, dev_packages = ['flask', ('granian', '2')], ['pandas'], ['ruff']",
                "each package as a text of its own",
            ),
            (
                "packages, train, dev_packages = 'flask', ['pandas'], ['ruff']",
                "should be of type list",
            ),
            (
                lists("flask granian pydantic scikit-learn flask"),
                "named twice, in [packages] and [packages]",
            ),
        ],
    },
    "write-a-pipfile": {
        "right": [
            '''
pipfile = """
[requires]
python_version = "3.13"

[packages]
Flask = "~=3.1"
scikit_learn = {version = "==1.9.1"}
granian = {version = ">=0"}

[dev-packages]
colorama = {version = "*", sys_platform = "== 'win32'"}
pytest = ">0"

[train]
pandas = "*"

[scripts]
serve = "granian --interface=wsgi reminders:app"
"""
''',
            '''
pipfile = """
[packages]
flask = "<4, >=3.1"   # the routes
granian = "*"
scikit-learn = "===1.9.1"
[train]
pandas = "*"
[dev-packages]
pytest = "*"
[dev-packages.colorama]
version = "*"
markers = "platform_system == 'Windows'"
[requires]
python_version = '3.13'
[scripts]
serve = {cmd = "granian --interface wsgi reminders:app"}
"""
''',
            Instead("sys_platform == 'win32'", "os_name == 'nt'"),
            Instead('{version = "*", markers', "{markers"),
        ],
        "wrong": [
            (Instead('granian = "*"', "granian = *"), "can't be read as a Pipfile"),
            (Instead('granian = "*"\n', "granian\n"), "can't be read as a Pipfile"),
            (Instead("[train]", "[packages]"), "each table comes once"),
            (Instead("[dev-packages]", "[develop]"), "the lock calls it so"),
            (Instead("[dev-packages]", "[dev]"), "in a Pipfile it is [dev-packages]"),
            (
                Instead("[packages]\nflask", '[[source]]\nname = "main"\n\n[packages]\nflask'),
                "the index that it is set up for",
            ),
            (Instead("[packages]\n", ""), "flask stands in no table"),
            (
                Instead("[train]", "[pipenv]\nallow_prereleases = true\n\n[train]"),
                "nothing above asks for one of this name",
            ),
            (Instead('[requires]\npython_version = "3.13"\n', ""), "no table [requires]"),
            (Instead(">=3.1,<4", "*"), "takes 3.0.3, and it should not: from 3.1 on"),
            (Instead(">=3.1,<4", ">=3.1"), "takes 4.0.0"),
            (Instead(">=3.1,<4", "==3.1"), "does not take 3.1.3"),
            (Instead(">=3.1,<4", "==3.*"), "takes 3.0.3"),
            (Instead(">=3.1,<4", "~=3.1.0"), "does not take 3.2.0"),
            (Instead(">=3.1,<4", ">=3.1,<=4"), "takes 4.0.0"),
            (Instead(">=3.1,<4", ">=3.1,<=3.99"), "does not take 3.240.1"),
            (Instead(">=3.1,<4", ">=3.1<4"), "need a comma between them"),
            (Instead("==1.9.1", "==1.9.1.*"), "takes 1.9.1.1"),
            (Instead('granian = "*"', 'granian = "latest"'), '"*" alone is any'),
            (Instead("[scripts]", "[script]"), "asks for one of this name"),
            (Instead("[packages]", "[[packages]]"), "in one pair of square brackets"),
            (Instead("sys_platform == 'win32'", 'sys_platform == "win32"'), "are single ones"),
            (
                Instead(
                    """{version = "*", markers = "sys_platform == 'win32'"}""",
                    """"*; sys_platform == 'win32'\"""",
                ),
                "a condition on the system is a text of its own",
            ),
            (
                Instead("""markers = "sys_platform == 'win32'\"""", """sys_platform = "win32\""""),
                "it takes a name, == and the value",
            ),
            (
                Instead('granian = "*"', 'granian = {version = "*", index = "pypi"}'),
                "leave the rest out",
            ),
            (Instead("==1.9.1", "1.9.1"), "write an operator before the number"),
            (Instead("==1.9.1", ">=1.9.1"), "the model was made with 1.9.1"),
            (Instead("==1.9.1", "~=1.9.1"), "takes 1.9.2"),
            (Instead('"==1.9.1"', "1.9"), "should be a text in quotes"),
            (Instead("scikit-learn =", "sklearn ="), "the package is called scikit-learn"),
            (Instead('granian = "*"', 'gunicorn = "*"'), "granian is the server here"),
            (Instead('granian = "*"\n', ""), "does not name granian"),
            (
                Instead('granian = "*"', 'granian = "*"\npandas = "*"'),
                "it belongs in [train]",
            ),
            (Instead('pandas = "*"', 'pandas = "==3.1.1"'), "any version is wanted"),
            (
                Instead("""{version = "*", markers = "sys_platform == 'win32'"}""", '"*"'),
                "every system would get it",
            ),
            (Instead("'win32'", "win32"), "pip can't read colorama's markers"),
            (Instead("'win32'", "'windows'"), "do not hold on Windows"),
            (Instead("== 'win32'", "!= 'win32'"), "do not hold on Windows"),
            (Instead("== 'win32'", "!= 'linux'"), "hold on macOS, and should hold on Windows"),
            (Instead("sys_platform ==", "platform =="), "pip can't read colorama's markers"),
            (
                Instead(
                    'pytest = "*"', """pytest = {version = "*", markers = "os_name == 'nt'"}"""
                ),
                "it is needed on every system",
            ),
            (Instead('python_version = "3.13"', "python_version = 3.13"), "as a text"),
            (Instead('python_version = "3.13"', 'python = "3.13"'), "named python_version"),
            (Instead('"3.13"', '">=3.13"'), "without an operator"),
            (
                Instead('python_version = "3.13"', 'python_full_version = "3.13.1"'),
                "named python_version",
            ),
            (Instead("serve = ", "start = "), "serve in [scripts] should be"),
            (Instead("serve = ", "pipenv-run-serve = "), "and is None"),
            (
                Instead("granian --interface wsgi reminders:app", "python reminders.py"),
                "serve in [scripts] should be",
            ),
            ("pipfile = {'packages': {'flask': '*'}}", "should be of type str"),
            ('pipfile = ""', "no table [packages]"),
        ],
    },
    "which-command": {
        "right": [
            """
commands = dict(
    a="pipenv sync -d",
    b="pipenv install tqdm --dev",
    c="pipenv  update flask~=3.1.0",
    d="$ pipenv lock",
    e="python -m pipenv install --deploy",
    f="pipenv run python3 train.py",
)
""",
            """
commands = {
    "a": 'pipenv sync --categories "packages dev-packages"',
    "b": "pipenv install --categories=dev-packages tqdm",
    "c": 'pipenv update "flask~=3.1.0"',
    "d": "pipenv lock",
    "e": "pipenv install --deploy",
    "f": "pipenv run python train.py",
}
""",
            command("a", "pipenv install --ignore-pipfile --dev"),
            command("c", "pipenv install 'flask~=3.1.0'"),
            command("c", 'pipenv update "Flask ~= 3.1.0"'),
            command("f", "pipenv run -- python train.py"),
        ],
        "wrong": [
            (command("a", "pipenv sync"), "that is production alone"),
            (command("a", "pipenv install --dev"), "that writes another lock; sync never does"),
            (command("a", "pipenv install"), "that writes another lock first"),
            (command("a", "pipenv update --dev"), "looks for newer versions"),
            (command("a", "pipenv sync --all"), "training as well"),
            (command("a", "pipenv lock"), "installs nothing"),
            (command("a", "pipenv install --deploy --dev"), "if Pipfile has changed, that stops"),
            (command("a", "pipenv sync dev"), "--dev takes development along"),
            (command("a", "pip install -r Pipfile.lock"), "write the whole command as a text"),
            (command("b", "pipenv install tqdm"), "--dev is missing"),
            (command("b", "pip install tqdm"), "others know neither Pipfile nor lock"),
            (command("b", "pipenv run pip install tqdm"), "neither Pipfile nor the lock"),
            (command("b", "pipenv install --dev"), "it wants the package's name"),
            (command("b", "pipenv add tqdm --dev"), "install adds a package"),
            (command("b", "pipenv update --dev tqdm"), "names already"),
            (command("c", "pipenv update"), "newer versions of all packages"),
            (command("c", "pipenv update flask"), "replaces the limit in Pipfile"),
            (command("c", "pipenv install flask"), "replaces the limit in Pipfile"),
            (command("c", "pipenv install"), "that installs the old flask"),
            (command("c", "pipenv update flask==3.1.3"), "the limit that Pipfile has"),
            (command("c", "pipenv update flask ~= 3.1.0"), "the limit that Pipfile has"),
            (command("c", "pipenv update flask~=3.1"), "the limit that Pipfile has"),
            (command("c", "pipenv upgrade flask~=3.1.0"), "the environment keeps the old flask"),
            (command("c", "pipenv lock flask"), "update takes a name"),
            (command("c", "pipenv sync flask"), "which is the old one"),
            (command("c", "pipenv update --dev flask~=3.1.0"), "leave --dev out"),
            (command("d", "pipenv install"), "then installs it as well"),
            (command("d", "pipenv update"), "then installs it as well"),
            (command("d", "pipenv lock --dev"), "one word behind pipenv will do"),
            (command("d", "pipenv verify"), "only says whether the lock is old"),
            (command("e", "pipenv sync"), "does not compare it with Pipfile"),
            (command("e", "pipenv install"), "writes another one and goes on"),
            (command("e", "pipenv install --deploy --dev"), "this is for production"),
            (command("e", "pipenv verify"), "installs nothing"),
            (command("e", "pipenv install --deploy --ignore-pipfile"), "nothing is compared"),
            (command("f", "pipenv shell"), "opens a shell"),
            (command("f", "pipenv run train.py"), "begins with python"),
            (command("f", "pipenv run python solutions/train.py"), "here python train.py"),
            (command("f", "python train.py"), "write the whole command as a text"),
            (command("f", "pipenv python train.py"), "run starts the program"),
            (command("f", "pipenv run 'python train.py"), "write the whole command as a text"),
            (command("f", None), "there is no command for 'f'"),
            (command("f", ["pipenv", "run"]), "write the whole command as a text"),
            ("commands = ['pipenv sync --dev', 'pipenv lock']", "should be of type dict"),
            ("commands = {'A': 'pipenv sync --dev'}", "the keys are the letters a to f"),
        ],
    },
    "read-a-lock": {
        "right": [
            """
def installs(lock, dev):
    result = {}
    for category in ["default", "develop"] if dev else ["default"]:
        for name, entry in lock[category].items():
            if "version" not in entry:
                continue
            if "markers" in entry and not Marker(entry["markers"]).evaluate():
                continue
            result[name] = entry["version"][2:]
    return result
""",
            """
def installs(lock, dev):
    def wanted(entry):
        marker = entry.get("markers")
        return "path" not in entry and (not marker or Marker(marker).evaluate())

    entries = {**lock["default"]}
    if dev:
        entries.update(lock["develop"])
    return {name: entry["version"].strip("=") for name, entry in entries.items() if wanted(entry)}
""",
        ],
        "wrong": [
            (
                Instead('lock["default"] |', 'lock["packages"] |'),
                "the lock has default and develop",
            ),
            (Instead('lock["default"] |', 'lock["default"] +'), "| joins two dictionaries"),
            (
                Instead(
                    'lock["default"] | (lock["develop"] if dev else {})',
                    "{n: e for entries in lock.values() for n, e in entries.items()}",
                ),
                "_meta is no category of packages",
            ),
            (Instead('.removeprefix("==")', ""), "without the two signs =="),
            (Instead('.removeprefix("==")', '.lstrip("=123")'), "with all of its numbers"),
            (Instead('.removeprefix("==")', "[2:7]"), "with all of its numbers"),
            (
                Instead(' and ("markers" not in entry or Marker(entry["markers"]).evaluate())', ""),
                ".evaluate() is False here",
            ),
            (
                Instead('"markers" not in entry or ', ""),
                "KeyError: 'markers'",
            ),
            (
                Instead(
                    '("markers" not in entry or Marker(entry["markers"]).evaluate())',
                    'Marker(entry.get("markers")).evaluate()',
                ),
                "make a Marker only of those that are there",
            ),
            (
                Instead('Marker(entry["markers"])', 'entry["markers"]'),
                "Marker(...) makes a condition of it",
            ),
            (
                Instead('"markers" not in entry or ', '"markers" in entry and '),
                "it stands in default, and it has no markers|lacks 'tariffs'",
            ),
            (Instead('"version" in entry and ', ""), "an entry need not have a version"),
            (
                Instead(
                    'entry["version"].removeprefix("==")',
                    'entry.get("version", "").removeprefix("==")',
                    '"version" in entry and ',
                    "",
                ),
                "it has no version, and is own code",
            ),
            (
                Instead('(lock["develop"] if dev else {})', '(lock["default"] if dev else {})'),
                "lacks 'ruff': it stands in develop",
            ),
            (
                Instead(
                    'lock["default"] | (lock["develop"] if dev else {})',
                    'lock["develop" if dev else "default"]',
                ),
                "it stands in default",
            ),
            (
                Instead('(lock["develop"] if dev else {})', 'lock["develop"]'),
                "it stands in develop, which this command does not take",
            ),
            (
                Instead(
                    'lock["default"] | (lock["develop"] if dev else {})',
                    '{n: e for s in lock if s != "_meta" and (dev or s == "default") for n, e in lock[s].items()}',
                ),
                "it stands in train, which this command does not take",
            ),
            (
                Instead('Marker(entry["markers"]).evaluate()', "'python' in entry['markers']"),
                ".evaluate() is False here",
            ),
            (
                Instead(
                    'Marker(entry["markers"]).evaluate()', "'sys_platform' not in entry['markers']"
                ),
                "'backport', which is not installed",
            ),
            (
                Instead('Marker(entry["markers"]).evaluate()', 'Marker(entry["markers"])'),
                ".evaluate() is False here",
            ),
            (
                Instead(
                    'lock["default"] | (lock["develop"] if dev else {})',
                    'lock["default"]\\n    if dev:\\n        entries.update(lock["develop"])'.replace(
                        "\\n", "\n"
                    ),
                ),
                "changes the lock that it is given",
            ),
            (
                """
def installs(lock, dev):
    return [(name, entry["version"]) for name, entry in lock["default"].items() if "version" in entry]
""",
                "should be of type dict",
            ),
            (
                """
def installs(lock, dev):
    lock = json.loads((labkit.ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    entries = lock["default"] | (lock["develop"] if dev else {})
    return {name: entry["version"][2:] for name, entry in entries.items() if "version" in entry and Marker(entry.get("markers", "os_name != ''")).evaluate()}
""",
                "it is no package of this lock",
            ),
            (
                Instead("return {\n        name", "result = {\n        name"),
                "returned None",
            ),
        ],
    },
    "the-tampered-file": {
        "right": [
            """
def tampered(files, locked):
    return {
        name
        for name, data in files.items()
        if f"sha256:{hashlib.sha256(data).hexdigest()}" not in locked.get(name, {}).get("hashes", [])
    }
""",
            """
def tampered(files, locked):
    refused = []
    for name in sorted(files):
        allowed = [h.split(":")[1] for h in locked[name]["hashes"]] if name in locked else []
        if not any(hashlib.sha256(files[name]).hexdigest() == one for one in allowed):
            refused.append(name)
    return refused
""",
            """
def tampered(files, locked):
    def good(name):
        try:
            hashes = locked[name]["hashes"]
        except KeyError:
            return False
        digest = hashlib.new("sha256", files[name]).hexdigest()
        return any(one.endswith(digest) for one in hashes)

    return [name for name in files if not good(name)]
""",
        ],
        "wrong": [
            (
                """
def tampered(files, locked):
    refused = []
    for name in locked:
        if "sha256:" + hashlib.sha256(files[name]).hexdigest() not in locked[name]["hashes"]:
            refused.append(name)
    return refused
""",
                "not all that is locked has come; go through files",
            ),
            (
                """
def tampered(files, locked):
    pairs = zip(files.items(), locked.values())
    return [n for (n, d), e in pairs if "sha256:" + hashlib.sha256(d).hexdigest() not in e["hashes"]]
""",
                "where mails came under the name of dates",
            ),
            (
                Instead("name not in locked or ", "", "locked[name]", "locked.get(name)"),
                "ask first whether name in locked",
            ),
            (Instead("sha256(data)", "sha256(data.encode())"), "hash them as they are"),
            (Instead('"sha256:" + ', ""), "rates is refused, and one of its hashes fits"),
            (
                Instead('locked[name]["hashes"]:', 'locked[name]["hashes"][0]:'),
                "look in all of them",
            ),
            (
                Instead('locked[name]["hashes"]:', 'locked[name]["hashes"][-1]:'),
                "look in all of them",
            ),
            (Instead("hashlib.sha256(data)", "hashlib.md5(data)"), "one of its hashes fits"),
            (Instead("hexdigest()", "hexdigest().upper()"), "one of its hashes fits"),
            (Instead("sha256(data)", "sha256(name.encode())"), "one of its hashes fits"),
            (Instead("sha256(data)", "sha256(str(data).encode())"), "one of its hashes fits"),
            (
                Instead("sha256(data)", "sha256(data.decode().encode())"),
                "a file is bytes; hash them as they are",
            ),
            (
                Instead("sha256(data)", "sha256(data.strip())"),
                "mails is refused, and one of its hashes fits",
            ),
            (Instead("name not in locked or ", ""), "ask first whether name in locked"),
            (
                Instead("name not in locked or ", "name in locked and "),
                "what the lock does not name",
            ),
            (
                """
def tampered(files, locked):
    allowed = {one for entry in locked.values() for one in entry["hashes"]}
    return [n for n, d in files.items() if "sha256:" + hashlib.sha256(d).hexdigest() not in allowed]
""",
                "only its own hashes count",
            ),
            (
                """
def tampered(files, locked):
    refused = []
    for name, data in files.items():
        for one in locked.get(name, {"hashes": [""]})["hashes"]:
            if one != "sha256:" + hashlib.sha256(data).hexdigest():
                refused.append(name)
    return refused
""",
                "look in all of them",
            ),
            (
                """
def tampered(files, locked):
    for name, data in files.items():
        if "sha256:" + hashlib.sha256(data).hexdigest() not in locked.get(name, {}).get("hashes", ""):
            return [name]
    return []
""",
                "should be refused, and is not",
            ),
            (
                """
def tampered(files, locked):
    for name, data in files.items():
        if "sha256:" + hashlib.sha256(data).hexdigest() not in locked[name]["hashes"]:
            return name
""",
                "returned None",
            ),
            (
                """
def tampered(files, locked):
    good = []
    for name, data in files.items():
        if name in locked and "sha256:" + hashlib.sha256(data).hexdigest() in locked[name]["hashes"]:
            good.append(name)
    return good
""",
                "rates is refused, and one of its hashes fits",
            ),
            (
                """
def tampered(files, locked):
    return [(name, data) for name, data in files.items() if "sha256:" + hashlib.sha256(data).hexdigest() not in locked.get(name, {}).get("hashes", [])]
""",
                "give names from the argument files",
            ),
            (
                """
def tampered(files, locked):
    refused = []
    for name, data in files.items():
        came = "sha256:" + hashlib.sha256(data).hexdigest()
        if name not in locked:
            refused.append(name)
        if came not in locked.get(name, {}).get("hashes", []):
            refused.append(name)
    return refused
""",
                "a name comes twice",
            ),
            (
                """
def tampered(files, locked):
    return [name for name, data in files.items() if hash(data) not in locked[name]["hashes"]]
""",
                "one of its hashes fits",
            ),
            (
                Instead("in files.items()", "in globals()['files'].items()"),
                "give names from the argument files",
            ),
        ],
    },
    "what-the-update-changed": {
        "right": [
            """
def changes(old, new):
    def version(lock, name):
        for category in lock:
            if category != "_meta" and name in lock[category]:
                if "version" in lock[category][name]:
                    return lock[category][name]["version"].replace("==", "")
        return None

    names = {name for lock in (old, new) for category in lock if category != "_meta" for name in lock[category]}
    result = {}
    for name in sorted(names):
        before, after = version(old, name), version(new, name)
        if before != after:
            result[name] = before, after
    return result
""",
            """
def changes(old, new):
    before, after = (
        {n: e["version"][2:] for s, es in lock.items() if s != "_meta" for n, e in es.items() if "version" in e}
        for lock in (old, new)
    )
    different = dict(before.items() ^ after.items())
    return {name: [before.get(name), after.get(name)] for name in different}
""",
        ],
        "wrong": [
            (
                Instead(
                    "for category, entries in lock.items()",
                    "for entries in [lock['packages']]",
                    'if category != "_meta":',
                    "if True:",
                ),
                "the lock has default and develop",
            ),
            (Instead("before | after", "before + after"), "| joins two dictionaries"),
            (Instead('if category != "_meta":', "if True:"), "_meta is no category of packages"),
            (
                Instead('if category != "_meta":', 'if category == "default":'),
                "'ruff', of the category develop|changes(old, new) names 'tqdm'",
            ),
            (
                Instead('if category != "_meta":', 'if category in ("default", "develop"):'),
                "'mistune', of the category docs",
            ),
            (
                Instead(
                    'if category != "_meta":', 'if category in ("default", "develop", "train"):'
                ),
                "'mistune', of the category docs",
            ),
            (Instead('.removeprefix("==")', ""), "without =="),
            (
                Instead('if "version" in entry:', "if True:"),
                "an entry need not have a version",
            ),
            (
                Instead(
                    'if "version" in entry:\n                        found[name] = entry["version"].removeprefix("==")',
                    'found[name] = entry.get("version", "==own")[2:]',
                ),
                "it has no version, being own code",
            ),
            (Instead("for name in before | after", "for name in before"), "should name 'blinker'"),
            (Instead("for name in before | after", "for name in after"), "should name 'six'"),
            (
                Instead("for name in before | after", "for name in before.keys() & after"),
                "should name 'six'|should name 'blinker'",
            ),
            (
                Instead("(before.get(name), after.get(name))", "(before[name], after[name])"),
                ".get(name) is None then",
            ),
            (
                Instead(
                    "(before.get(name), after.get(name))", "(after.get(name), before.get(name))"
                ),
                "the version before and the one after",
            ),
            (Instead("(before.get(name), after.get(name))", "after.get(name)"), "give a pair"),
            (
                Instead(
                    "(before.get(name), after.get(name))",
                    'before.get(name, ""), after.get(name, "")',
                    "name: before",
                    "name: (before",
                    '(name, "")\n',
                    '(name, ""))\n',
                ),
                "None where it is not in the lock",
            ),
            (
                Instead("if before.get(name) != after.get(name)", "if True"),
                "that is no change",
            ),
            (
                Instead(
                    "if before.get(name) != after.get(name)",
                    "if (before.get(name) or '') < (after.get(name) or '')",
                ),
                "should name 'six'|should name 'ruff'",
            ),
            (
                """
def changes(old, new):
    result = {}
    for category in new:
        if category == "_meta":
            continue
        for name, entry in new[category].items():
            before = old.get(category, {}).get(name)
            if before != entry:
                result[name] = before and before["version"][2:], entry.get("version", "==")[2:]
    return result
""",
                "and that is no change",
            ),
            (
                """
def changes(old, new):
    result = {}
    for category in (old | new).keys() - {"_meta"}:
        a, b = old.get(category, {}), new.get(category, {})
        for name in a | b:
            pair = tuple(lock[name]["version"][2:] if "version" in lock.get(name, {}) else None for lock in (a, b))
            if pair[0] != pair[1]:
                result[name] = pair
    return result
""",
                "names 'tqdm', and that is no change|names 'click'",
            ),
            (
                """
def changes(old, new):
    result = {}
    for category in old:
        if category != "_meta":
            for name in old[category] | new[category]:
                a, b = old[category].get(name, {}), new[category].get(name, {})
                if a.get("version") != b.get("version"):
                    result[name] = a.get("version"), b.get("version")
    return result
""",
                "should be|that is no change",
            ),
            (
                """
def changes(old, new):
    def entries(lock):
        return {n: e for s in lock if s != "_meta" for n, e in lock[s].items() if "version" in e}

    a, b = entries(old), entries(new)
    both = {n: (a.get(n), b.get(n)) for n in a | b if a.get(n) != b.get(n)}
    return {n: tuple(e and e["version"][2:] for e in pair) for n, pair in both.items()}
""",
                "only its hashes are others",
            ),
            (
                """
def changes(old, new):
    for category in new:
        if category != "_meta":
            for name in old[category]:
                pass
    return {}
""",
                "a category need not be in both locks",
            ),
            (
                "def changes(old, new):\n    return {'flask': ('3.1.2', '3.1.3'), 'blinker': (None, '1.9.0'), 'six': ('1.17.0', None)}",
                "should name 'ruff'|should name 'mistune'",
            ),
            (
                Instead("return {\n        name:", "result = {\n        name:"),
                "returned None",
            ),
        ],
    },
}
