# %% [markdown] name="title"
# # Lab 1 · Train the model
#
# *The lesson's tools, on questions that the lesson did not ask.*
#
# **Time:** about 45 minutes (an estimate), 20 of them the core · **You need:** [lesson 1](../notebooks/01_train_the_model.ipynb)
#
# In each exercise, put your code where `____` stands, run the cell (**Shift+Enter**), and run the one below it, which checks your answer. ✔ means correct, ✘ not yet, with the reason, and ○ not started. Stuck? Take away the `# ` before `lab.hint` and run that cell; each run gives one more hint. `lab.solution` shows one way to do it.

# %% name="labkit"
try:
    import labkit
except ModuleNotFoundError:
    raise SystemExit(
        "This kernel is not the lab's. Start JupyterLab with start.py, or choose the kernel .venv."
    ) from None
labkit.work_folder()

# %% name="imports"
import json
import math
import pickle

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from labkit.exercises import ____
from labkit.labs.lab_01 import lab

# %% [markdown]
# ## Clean a column
#
# The call centre types contracts as it likes: `" Two Year"`, `"MONTH-TO-MONTH "`, `"one  year"` with two blanks. The model knows `two_year`, `month-to-month`, `one_year`. Write `clean(column)`: it takes a pandas column of such texts and returns it in the model's spelling, for these and any other words, with any number of blanks. The result keeps the index; the column that it was given stays as it was.


# %% exercise="clean-a-column" core=true
def clean(column):
    # [solution] return ____
    words = column.str.lower().str.split()  # splits at blanks, and drops those at the ends
    return words.str.join("_")
    # [end]


# %%
lab.check("clean-a-column")

# %% [markdown]
# ## Find the text columns
#
# The lesson asked for what is *not a number*. Another table has dates and true-or-false columns as well, and those are not text either. Write `text_columns(df)`: it returns the list of the names of the columns that hold text, whatever the table, and in the table's order.


# %% exercise="find-the-text-columns"
def text_columns(df):
    # [solution] return ____
    return list(df.select_dtypes(exclude=["number", "bool", "datetime"]).columns)
    # [end]


# %%
lab.check("find-the-text-columns")

# %% [markdown]
# ## A number column that isn't
#
# Sales sends what customers paid last month, as text: `"29.85"`, and `" "` or `""` for those who have not had a bill yet. Write `to_numbers(column)`: it returns a column of numbers with the same index. Blanks become `0.0`, other texts the number that they spell. A text that is neither (`"n/a"`) is a mistake in the data, and must raise a `ValueError`, never vanish.


# %% exercise="a-number-column-that-isnt" core=true
def to_numbers(column):
    # [solution] return ____
    return pd.to_numeric(column.str.strip().replace("", "0")).astype(float)
    # [end]


# %%
lab.check("a-number-column-that-isnt")

# %% [markdown]
# ## Split in three
#
# Whoever tries several values of `C` and keeps the one that is best on the test customers has trained on them, too. So three parts are needed: 60% to train, 20% to choose (*validation*), 20% to judge (*test*). Write `split_in_three(df)`: it returns `train, validation, test`. The test part is the lesson's (20% of all, `random_state=1`), and every call gives the same parts.


# %% exercise="split-in-three"
def split_in_three(df):
    # [solution] return ____
    rest, test = train_test_split(df, test_size=0.2, random_state=1)
    train, validation = train_test_split(rest, test_size=0.25, random_state=1)  # 0.25 of 80%
    return train, validation, test
    # [end]


# %%
lab.check("split-in-three")

# %% [markdown]
# ## AUC by hand
#
# Four customers, with the scores that a model gave them:
#
# | customer | score | what became of them |
# |---|---|---|
# | Anna | 0.9 | left |
# | Ben | 0.6 | stayed |
# | Cleo | 0.4 | left |
# | Dan | 0.2 | stayed |
#
# What is the AUC? Use paper: its plain meaning from the lesson is enough.

# %% exercise="auc-by-hand" core=true
# [solution] auc = ____
auc = 3 / 4  # of the four pairs, only Cleo against Ben is in the wrong order
# [end]

# %%
lab.check("auc-by-hand")

# %% [markdown]
# ## AUC by library
#
# Now for any number of customers. Write `auc_of(left, scores)`: `left` says who left (`True` or `False`), `scores` are the model's probabilities, both NumPy arrays. scikit-learn is at hand as `roc_auc_score`.


# %% exercise="auc-by-library"
def auc_of(left, scores):
    # [solution] return ____
    return roc_auc_score(left, scores)
    # [end]


# %%
lab.check("auc-by-library")

# %% [markdown] name="what-if-story"
# ## What if?
#
# Here are our customer and the lesson's model. (If you have none yet, it is trained now, in a few seconds.)

# %% name="what-if-given"
with open(labkit.model(), "rb") as f_in:
    dv, model = pickle.load(f_in)
customer = json.loads((labkit.DATA / "customer.json").read_text(encoding="utf-8"))
customer["contract"], customer["tenure"]

# %% [markdown]
# What if she had a contract from month to month? Write `what_if(customer, changes, dv, model)`: it returns the probability that this customer *leaves*, as a plain `float`, with some fields changed. `changes` is a dictionary such as `{"contract": "month-to-month"}`. The customer herself stays as she is.


# %% exercise="what-if" core=true
def what_if(customer, changes, dv, model):
    # [solution] return ____
    changed = customer | changes
    X = dv.transform([changed])
    return float(model.predict_proba(X)[0, 1])
    # [end]


# %%
lab.check("what-if")

# %% [markdown]
# ## The threshold for a given price
#
# The lesson was kind: everybody who got the discount stayed. Let us say that only a share of them does. `promotion` is what one discount costs, `loss` what a lost customer costs, and `kept` is the share (from 0 to 1) of the leaving customers who stay when they get the discount. So a threshold costs
#
# - `promotion` for everybody whose score is at or above it, and
# - `loss` for everybody who leaves in the end: all leavers below it, and of the leavers at or above it the share `1 - kept`.
#
# Write `best_threshold(scores, left, promotion, loss, kept)`: which of the thresholds 0.00, 0.01, ..., 1.00 is the cheapest? `scores` and `left` are NumPy arrays.


# %% exercise="price-a-threshold"
def best_threshold(scores, left, promotion, loss, kept):
    # [solution] return ____
    def cost(threshold):
        mailed = scores >= threshold
        lost = (left & ~mailed).sum() + (1 - kept) * (left & mailed).sum()
        return promotion * mailed.sum() + loss * lost

    return min(np.linspace(0, 1, 101), key=cost)
    # [end]


# %%
lab.check("price-a-threshold")

# %% [markdown]
# ## Read a coefficient
#
# Bookmakers speak of *odds*: a probability of 0.2 means odds of 0.2 / 0.8, one to four. Odds make a logistic regression readable. When a column grows by `change`, the sum grows by weight times `change`, and the odds of leaving are *multiplied* by e to the power of that. With a weight of -0.05 per month, a year more multiplies the odds by e to the power of -0.6, which is 0.55: they nearly halve.
#
# Write `odds_factor(column, change, dv, model)`: by what are the odds multiplied when the column of this name, such as `tenure` or `contract=two_year`, grows by `change`? The weights are in `model.coef_[0]`, the names, in the same order, in `dv.get_feature_names_out()`.


# %% exercise="read-a-coefficient"
def odds_factor(column, change, dv, model):
    # [solution] return ____
    weights = dict(zip(dv.get_feature_names_out(), model.coef_[0], strict=True))
    return math.exp(weights[column] * change)
    # [end]


# %%
lab.check("read-a-coefficient")

# %% [markdown] name="how-far"
# ## How far you are
#
# A full box for each exercise that you have solved. The answers are in this notebook; save it (**Ctrl+S**, macOS: **Cmd+S**). To forget the boxes and begin anew, run `labkit.progress.reset(1)`.

# %% name="progress"
labkit.progress.show()

# %% [markdown] name="the-end"
# Back to [lesson 1](../notebooks/01_train_the_model.ipynb), or on to [lesson 2](../notebooks/02_save_and_load.ipynb), which brings the model out of the notebook.
