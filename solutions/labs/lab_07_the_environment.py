# %% [markdown] name="title"
# # Lab 7 · The environment
#
# *Which versions, for whom, and are these really the files?*
#
# **Time:** about 40 minutes (an estimate), 20 of them the core · **You need:** [lesson 7](../notebooks/07_the_environment.ipynb)
#
# Put your code where `____` stands, run the cell, then the check below it: ✔ correct, ✘ not yet and why, ○ not started. `lab.hint` and `lab.solution` help. No exercise needs another one, the internet or a terminal: nothing is installed here.

# %% name="labkit"
try:
    import labkit
except ModuleNotFoundError:
    raise SystemExit(
        "This kernel is not the lab's. Start JupyterLab with start.py, or choose the kernel .venv."
    ) from None
labkit.work_folder()

# %% name="imports"
import hashlib
import json

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from labkit.exercises import ____
from labkit.labs.lab_07 import delivery, lab

# %% [markdown]
# ## Which versions fit?
#
# A package `tariffs` has had the versions 0.9.5, 1.0.0, 1.0.2, 1.0.3, 1.0.4, 1.1.0, 1.2.0, 1.2.1 and 2.0.0, and more will come. What would you write behind its name in a Pipfile? Give three texts.
#
# - `only` takes 1.0.3 and nothing else.
# - `fixes` takes 1.0.3 and its later fixes: 1.0.4, one day 1.0.17, and no 1.1.
# - `series` takes 1.0.3 and all that is newer, below 2.0.0; but never 1.2.0, which is broken.

# %% exercise="which-versions-fit" core=true
# [solution] only = ____
only = "==1.0.3"
# [end]
# [solution] fixes = ____
fixes = "~=1.0.3"
# [end]
# [solution] series = ____
series = ">=1.0.3,<2,!=1.2.0"
# [end]

# %%
lab.check("which-versions-fit")

# %% [markdown]
# ## One environment for all?
#
# Several projects want to share an environment, and an environment holds one version of a package. Write `newest_for_all(versions, wishes)`:
#
# - `versions` is a list of texts, in any order: `["1.9.0", "1.10.0"]`;
# - `wishes` is a list with one text for each project, as its Pipfile has it: `"==1.9.0"`, `">=1.1,<2"`, `"==1.9.*"`, or `"*"` for any version.
#
# It returns the newest version that *all* projects take, as the text from the list, or `None` if there is none. Two tools know how versions count:
#
# - `"1.9.0" in SpecifierSet(">=1.1,<2")` is `True` (it does not know `"*"` alone);
# - `Version("1.10.0") > Version("1.9.0")` is `True`, although as text `"1.9.0"` comes last.


# %% exercise="one-environment-for-all" core=true
def newest_for_all(versions, wishes):
    # [solution] return ____
    sets = [SpecifierSet(wish) for wish in wishes if wish != "*"]
    fitting = [version for version in versions if all(version in one for one in sets)]
    return max(fitting, key=Version, default=None)
    # [end]


# %%
lab.check("one-environment-for-all")

# %% [markdown]
# ## What belongs where?
#
# A project predicts who will take an offer. Its three files begin like this:
#
# ```python
# # train_offers.py saves offers.bin, a model of scikit-learn
# import pickle
# import pandas as pd
# from sklearn.linear_model import LogisticRegression
#
# # offer_service.py unpickles offers.bin
# import pickle, sqlite3
# from flask import Flask
# from pydantic import BaseModel
#
# # test_offer_service.py
# import pytest, requests
# import offer_service
# ```
#
# In production `granian --interface wsgi offer_service:app` runs. Whoever changes the code runs `ruff check`.
#
# Which packages belong in `[packages]`, `[train]` and `[dev-packages]`? Give three lists of names, as `pip install` knows them. Name each package once: training has `[packages]` at hand, and development all three. Leave out what needs no line.

# %% exercise="what-belongs-where"
# [solution] packages = ____
packages = ["flask", "granian", "pydantic", "scikit-learn"]  # unpickling needs the library
# [end]
# [solution] train = ____
train = ["pandas"]
# [end]
# [solution] dev_packages = ____
dev_packages = ["pytest", "requests", "ruff"]
# [end]

# %%
lab.check("what-belongs-where")

# %% [markdown]
# ## Write a Pipfile
#
# Write the Pipfile of another service, as one text between `"""` and `"""`:
#
# - In production it needs `flask` from 3.1 on and below 4, `granian` in any version, and `scikit-learn` 1.9.1 and no other, since that made the model.
# - Training needs `pandas` on top, any version, in a category `[train]`.
# - Development needs `pytest`, any version, and `colorama`, any version, on Windows only.
# - It is for Python 3.13 and binds everybody to that.
# - `pipenv run serve` starts `granian --interface wsgi reminders:app`.
#
# There is no `[[source]]`: each pip asks the index that it is set up for.

# %% exercise="write-a-pipfile"
# [solution] pipfile = ____
pipfile = """
[packages]
flask = ">=3.1,<4"
granian = "*"
scikit-learn = "==1.9.1"

[train]
pandas = "*"

[dev-packages]
pytest = "*"
colorama = {version = "*", markers = "sys_platform == 'win32'"}

[requires]
python_version = "3.13"

[scripts]
serve = "granian --interface wsgi reminders:app"
"""
# [end]

# %%
lab.check("write-a-pipfile")

# %% [markdown]
# ## Which command?
#
# For each of these, one command of Pipenv does it:
#
# - **a** Install what a colleague's lock says, for production and development, whatever Pipfile says by now.
# - **b** Add `tqdm`, a tool for development, to Pipfile, lock and environment.
# - **c** There is a fix of `flask`. Its limit in Pipfile, `"~=3.1.0"`, stays. Put the newest that this allows into lock and environment, and renew nothing else.
# - **d** Pipfile was edited. Write the lock anew, and install nothing.
# - **e** Install for production, but stop with an error if the lock is not of this Pipfile.
# - **f** Run `python train.py` in the environment, without opening a shell in it.
#
# Give a dictionary of the six, as you would type them: `{"a": "pipenv ...", "b": ...}`.

# %% exercise="which-command"
# [solution] commands = ____
commands = {
    "a": "pipenv sync --dev",
    "b": "pipenv install --dev tqdm",
    "c": 'pipenv update "flask~=3.1.0"',
    "d": "pipenv lock",
    "e": "pipenv install --deploy",
    "f": "pipenv run python train.py",
}
# [end]

# %%
lab.check("which-command")

# %% [markdown] name="read-a-lock-story"
# ## Read a lock
#
# Here is this lab's own lock, and one entry of its category `default`:

# %% name="read-a-lock-given"
lock = json.loads((labkit.ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
entry = lock["default"]["flask"]
entry["version"], entry["markers"], list(lock)

# %% [markdown]
# Write `installs(lock, dev)`: what does `pipenv sync` install on *this* machine from such a dictionary? With `dev=True` it is `pipenv sync --dev`. It returns a dictionary such as `{"flask": "3.1.3"}`, each version without the `==`.
#
# - `pipenv sync` takes the category `default`, and with `--dev` also `develop`, and nothing else.
# - An entry may have `markers`, a condition. It is installed where that holds: `Marker("sys_platform == 'win32'").evaluate()` is `True` on Windows and `False` elsewhere.
# - An entry without `version` is own code, named by its path: leave it out.


# %% exercise="read-a-lock" core=true
def installs(lock, dev):
    # [solution] return ____
    entries = lock["default"] | (lock["develop"] if dev else {})
    return {
        name: entry["version"].removeprefix("==")
        for name, entry in entries.items()
        if "version" in entry and ("markers" not in entry or Marker(entry["markers"]).evaluate())
    }
    # [end]


# %%
lab.check("read-a-lock")

# %% [markdown] name="the-tampered-file-story"
# ## Spot the tampered file
#
# Four packages came over the network. `files` has the bytes of each. `locked` is the category of a lock that names them, with the hashes that are allowed: a package has one for each of its files, since Windows and Linux may get different ones. Each run of the cell delivers anew, and each time somebody has tampered with one.

# %% name="the-tampered-file-given"
files, locked = delivery()
for name, data in files.items():
    print(name, data, locked[name]["hashes"], sep="\n   ")

# %% [markdown]
# Write `tampered(files, locked)`: it returns the list of the names to refuse. Refused is a package
#
# - whose bytes have none of *its own* hashes in `locked`, or
# - that `locked` does not name at all.
#
# A hash in a lock is `"sha256:"` and the hexdigest of the file's bytes.


# %% exercise="the-tampered-file" core=true
def tampered(files, locked):
    # [solution] return ____
    refused = []
    for name, data in files.items():
        came = "sha256:" + hashlib.sha256(data).hexdigest()
        if name not in locked or came not in locked[name]["hashes"]:
            refused.append(name)
    return refused
    # [end]


# %%
lab.check("the-tampered-file")

# %% [markdown]
# ## What has the update changed?
#
# An update may change hundreds of lines of a lock, most of them hashes. Write `changes(old, new)`, which tells it in short. Both are whole locks, as in exercise {read-a-lock}. It returns a dictionary of the packages whose version is another one now, with the version before and after:
#
# ```python
# {"flask": ("3.1.2", "3.1.3"), "blinker": (None, "1.9.0"), "six": ("1.17.0", None)}
# ```
#
# `blinker` is new, and `six` is gone. All categories count (`default`, `develop`, others with any name), but not `_meta`. It is no change if a package only moves to another category, if only its hashes change, or if it has no version (own code). Take it that a package in several categories has one version.


# %% exercise="what-the-update-changed"
def changes(old, new):
    # [solution] return ____
    def versions(lock):
        found = {}
        for category, entries in lock.items():
            if category != "_meta":
                for name, entry in entries.items():
                    if "version" in entry:
                        found[name] = entry["version"].removeprefix("==")
        return found

    before, after = versions(old), versions(new)
    return {
        name: (before.get(name), after.get(name))
        for name in before | after
        if before.get(name) != after.get(name)
    }
    # [end]


# %%
lab.check("what-the-update-changed")

# %% [markdown] name="how-far"
# ## How far you are
#
# A full box for each exercise that you have solved. The answers are in this notebook; save it (**Ctrl+S**, macOS: **Cmd+S**). To forget the boxes and begin anew, run `labkit.progress.reset(7)`.

# %% name="progress"
labkit.progress.show()

# %% [markdown] name="the-end"
# Back to [lesson 7](../notebooks/07_the_environment.ipynb), or on to [lesson 8](../notebooks/08_the_container.ipynb), where the environment gets a computer of its own.
