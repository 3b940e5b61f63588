# %% [markdown] name="title"
# # Lab 2 · Save and load
#
# *Files that keep a model, files that lose it, and one that should never be opened.*
#
# **Time:** about 30 minutes (an estimate), 15 of them the core · **You need:** [lesson 2](../notebooks/02_save_and_load.ipynb)
#
# Put your code where `____` stands, run the cell, then the one below it, which checks your answer. Stuck? Take away the `# ` before `lab.hint`. The exercises don't need each other, so you may skip one and come back.

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
import os
import pickle
import pickletools
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import sklearn

from labkit.exercises import ____
from labkit.labs.lab_02 import lab, three_files

# %% [markdown]
# ## Three in, three out
#
# Who gets an e-mail? Those above a *threshold*: marketing has settled on 0.18 (lesson 1 says why, after its core). It belongs to the model, so it should travel with it. Write two functions:
#
# - `save(path, dv, model, threshold)` pickles the three into the file `path`, as one tuple in this order;
# - `load(path)` returns this tuple.
#
# `path` is a `Path` such as `Path("mine.bin")`. After both, `dv, model, threshold = load(path)` gives back what was saved, in this process or in another.


# %% exercise="three-in-three-out" core=true
def save(path, dv, model, threshold):
    # [solution] return ____
    with open(path, "wb") as f_out:
        pickle.dump((dv, model, threshold), f_out)
    # [end]


def load(path):
    # [solution] return ____
    with open(path, "rb") as f_in:
        return pickle.load(f_in)
    # [end]


# %%
lab.check("three-in-three-out")

# %% [markdown]
# ## Mend what destroys
#
# A colleague wants to add the threshold to a model that is saved already. It worked in her head; in the folder it left 0 bytes:
#
# ```python
# def add_threshold(path, threshold):
#     with open(path, "wb") as f:
#         dv, model = pickle.load(f)
#         pickle.dump((dv, model, threshold), f)
# ```
#
# Write it so that the file at `path`, which holds the tuple `(dv, model)`, holds `(dv, model, threshold)` afterwards. And no accident may cost the model: if the threshold can't be pickled (a `lambda`, say), the error comes out of the function, and the file is as it was, byte for byte.


# %% exercise="mend-what-destroys" core=true
def add_threshold(path, threshold):
    # [solution] return ____
    with open(path, "rb") as f_in:
        dv, model = pickle.load(f_in)
    pickled = pickle.dumps((dv, model, threshold))  # if this fails, nothing has happened yet
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(pickled)
    temporary.replace(path)
    # [end]


# %%
lab.check("mend-what-destroys")

# %% [markdown] name="who-loads-it-story"
# ## Who loads it?
#
# Here is a file that gives, whenever it is unpickled, the id of the process that does it. In this notebook that is the notebook's own id:


# %% name="who-loads-it-given"
class WhoLoadsMe:
    def __reduce__(self):
        return os.getpid, ()


Path("who-loads-me.bin").write_bytes(pickle.dumps(WhoLoadsMe()))
os.getpid(), pickle.loads(Path("who-loads-me.bin").read_bytes())

# %% [markdown]
# Write `loaded_by(path)`: it starts another Python, which unpickles the file and prints the object; the function returns what was printed, as an `int`. So `loaded_by("who-loads-me.bin")` gives another number each time.
#
# The Python to start is `sys.executable`, the one that runs this notebook. Any path must do, even `"Anna's $5 model.bin"`, and from any folder.


# %% exercise="who-loads-it"
def loaded_by(path):
    # [solution] return ____
    code = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')))"
    command = [sys.executable, "-c", code, path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout)
    # [end]


# %%
lab.check("who-loads-it")

# %% [markdown]
# ## A model card
#
# Write `card_of(path, auc)`: it returns the card of a saved model, as a dictionary with the keys of this one:
#
# ```python
# {
#     "sha256": "9f86d081884c7d65...",
#     "versions": {"scikit-learn": "1.2.2"},
#     "auc": 0.8581,
#     "trained": "2025-01-31",
# }
# ```
#
# `sha256` is the hash of the bytes in the file (64 letters and digits), then come the scikit-learn that is installed here, the AUC, and today's date. `json.dumps` must be able to write the card, although `auc` may come as any number of Python or NumPy, such as `np.float32(0.8581)`. The function needs no look into the pickle.


# %% exercise="a-model-card" core=true
def card_of(path, auc):
    # [solution] return ____
    return {
        "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(),
        "versions": {"scikit-learn": sklearn.__version__},
        "auc": float(auc),
        "trained": date.today().isoformat(),
    }
    # [end]


# %%
lab.check("a-model-card")

# %% [markdown] name="mail-from-strangers-story"
# ## Mail from strangers
#
# Three models came by e-mail. One of them runs code when it is loaded. (Here that code is harmless: it writes a file `you-loaded-me.txt`.) Each run of the cell makes new ones, and mixes them.

# %% name="mail-from-strangers-given"
paths = three_files()
[(path.name, path.stat().st_size) for path in paths]

# %% [markdown]
# Write `hostile(paths)`: it returns the one of three paths whose file asks for anything but functions and classes of NumPy and scikit-learn. It must not load that file as usual, in any process. Texts in the data are harmless, even `"os.system"`.
#
# For each function or class that a file asks for, an `Unpickler` calls its method `find_class(module, name)`, with two texts such as `"numpy"`, `"ndarray"`. A class of your own, made from `pickle.Unpickler`, may look at them and raise an error: that ends the loading before anything was called. `Unpickler(f_in).load()` does what `pickle.load(f_in)` does.


# %% exercise="mail-from-strangers"
def hostile(paths):
    # [solution] return ____
    class Guard(pickle.Unpickler):
        def find_class(self, module, name):
            if module.split(".")[0] not in ("numpy", "sklearn"):
                raise pickle.UnpicklingError(f"It asks for {module}.{name}.")
            return super().find_class(module, name)

    for path in paths:
        with open(path, "rb") as f_in:
            try:
                Guard(f_in).load()
            except pickle.UnpicklingError:
                return path
    # [end]


# %%
lab.check("mail-from-strangers")

# %% [markdown] name="mail-from-strangers-after"
# (For these files it will do. A guard for real life it is not: NumPy is large, and has functions that run code as well.)

# %% [markdown]
# ## Refuse politely
#
# The churn service leaves the program when a model does not fit. A function that others call should let *them* decide. Write `load_checked(path)`. The card lies beside the model, at `path.with_suffix(".json")`; it has `card["sha256"]` and `card["versions"]["scikit-learn"]`, as in the lesson.
#
# - The card names another scikit-learn than the one installed (even in the last digit only): raise a `ValueError` whose text names both versions.
# - The file's bytes don't have the card's hash: raise a `ValueError`.
# - There is no card: raise a `FileNotFoundError` or a `ValueError`.
# - Else return the object in the file.
#
# Nothing may be unpickled before all that is checked.


# %% exercise="refuse-politely"
def load_checked(path):
    # [solution] return ____
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    made_with, installed = card["versions"]["scikit-learn"], sklearn.__version__
    if made_with != installed:
        raise ValueError(f"{path} is of scikit-learn {made_with}, and {installed} is installed.")
    pickled = path.read_bytes()
    if hashlib.sha256(pickled).hexdigest() != card["sha256"]:
        raise ValueError(f"{path} is not the file that its card describes.")
    return pickle.loads(pickled)  # the very bytes that were checked
    # [end]


# %%
lab.check("refuse-politely")

# %% [markdown] name="how-far"
# ## How far you are
#
# A full box for each exercise that you have solved. The answers are in this notebook; save it (**Ctrl+S**, macOS: **Cmd+S**). To forget the boxes and begin anew, run `labkit.progress.reset(2)`.

# %% name="progress"
labkit.progress.show()

# %% [markdown] name="the-end"
# Back to [lesson 2](../notebooks/02_save_and_load.ipynb), or on to [lesson 3](../notebooks/03_ping_pong.ipynb), which builds a web service.
