# %% [markdown] name="title"
# # Lab 5 · Bad input
#
# *A small service of your own, and a gate before it.*
#
# **Time:** about 30 minutes (an estimate) · **You need:** [lesson 5](../notebooks/05_bad_input.ipynb)
#
# Put your code where `____` stands, run the cell, and run the one below it: ✔ correct, ✘ not yet, and why, ○ not started. `lab.hint` and `lab.solution` help when you are stuck.

# %% name="labkit"
try:
    import labkit
except ModuleNotFoundError:
    raise SystemExit(
        "This kernel is not the lab's. Start JupyterLab with start.py, or choose the kernel .venv."
    ) from None
labkit.work_folder()

# %% name="imports"
from typing import Annotated, Literal

import requests
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labkit.exercises import ____
from labkit.labs.lab_05 import lab

# %% [markdown] name="the-offer-form"
# ## The offer form
#
# A customer calls and asks for a new contract. Sales fills in a form, and a service says what the contract costs per month: 10% less than she pays now for one year, 20% less for two. The form has four fields, and all four must be there:
#
# | field | what may be there |
# |---|---|
# | `contract` | `"month-to-month"`, `"one_year"` or `"two_year"`: the new one |
# | `tenure` | her months with us: a whole number from 0 to 600 |
# | `monthlycharges` | what she pays now: a number above 0 |
# | `seniorcitizen` | 0 or 1 |
#
# All exercises are about this form. Here are its fields, and one that is filled in well:

# %% name="the-offer-form-given"
FIELDS = {"contract", "tenure", "monthlycharges", "seniorcitizen"}
good = {"contract": "one_year", "tenure": 41, "monthlycharges": 80, "seniorcitizen": 0}

# %% [markdown]
# ## All at once
#
# Whoever hears of one mistake at a time sends the form four times. Write `problems(form)`: it returns the sorted list of the names of *all* fields that are missing or unknown, and `[]` when there are none. So `problems({"tenur": 41, "contract": "one_year"})` returns `["monthlycharges", "seniorcitizen", "tenur", "tenure"]`. It asks for the names only; the values don't matter yet.
#
# What is no dictionary (a list, a text, `None`) has no fields to speak of: raise a `ValueError`.


# %% exercise="all-at-once"
def problems(form):
    # [solution] return ____
    if not isinstance(form, dict):
        raise ValueError("a form is a dictionary")
    return sorted(FIELDS ^ form.keys())  # what is in one of the two and not in the other
    # [end]


# %%
lab.check("all-at-once")

# %% [markdown]
# ## A schema without holes
#
# Now the values. Write a pydantic class `Form` that lets through what the table above allows, and nothing else. A price of 80 is as good as one of 80.5. Refused are
#
# - a field that is missing, unknown, or `None`;
# - a number as text, `"41"`, and `True` where a number belongs;
# - `"One year"`, and any other contract that is not in the table;
# - 41.5 months, and whatever is out of range;
# - a price that is NaN or infinite.
#
# Keep the first line of your class `class Form(BaseModel):`; `Form.model_validate(good)` should return an object.


# %% exercise="a-schema-without-holes"
# [solution] Form = ____
class Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    contract: Literal["month-to-month", "one_year", "two_year"]
    tenure: Annotated[int, Field(ge=0, le=600)]
    monthlycharges: Annotated[float, Field(gt=0)]
    seniorcitizen: Annotated[int, Field(ge=0, le=1)]


# [end]


# %%
lab.check("a-schema-without-holes")

# %% [markdown] name="an-answer-that-helps-story"
# ## An answer that helps
#
# A `ValidationError` is Python's; the sender needs something to read. Here is one, from a sketch of a schema with two fields:


# %% name="an-answer-that-helps-given"
class Sketch(BaseModel):
    contract: str
    tenure: int


try:
    Sketch.model_validate({"tenure": "forty-one"})
except ValidationError as caught:
    example = caught
example.errors(include_url=False)

# %% [markdown]
# Write `explain(error)`: it takes the `ValidationError` of any schema and returns a list with one dictionary for *each* problem:
#
# - `"field"`: the field's name; `"form"` if the whole is no dictionary, for then `loc` is empty;
# - `"problem"`: pydantic's sentence, `msg`;
# - `"given"`: what came, as Python writes it (`repr`: `'41'` with quotes is a text), at most 50 characters of it. For a missing field it is `None`, because nothing came.
#
# So all of it can be sent as JSON. The first dictionary for the example: `{"field": "contract", "problem": "Field required", "given": None}`.


# %% exercise="an-answer-that-helps"
def explain(error):
    # [solution] return ____
    answer = []
    for one in error.errors():
        missing = one["type"] == "missing"
        answer.append(
            {
                "field": one["loc"][0] if one["loc"] else "form",
                "problem": one["msg"],
                "given": None if missing else repr(one["input"])[:50],
            }
        )
    return answer
    # [end]


# %%
lab.check("an-answer-that-helps")

# %% [markdown]
# ## The service refuses
#
# The script has the schema and the price. Write the route and the two handlers. All answers are JSON:
#
# - `POST /offer` with a good form: 200 and `{"price": 72.0}`;
# - a form that the schema refuses: 400 and `{"problems": [...]}`, with an object for each problem that has at least `field` and `problem`. A list instead of a form is refused like this, too; its `field` is up to you.
# - all else: Flask's own status (400 for what is no JSON, 415 without the JSON header, 404, 405) and `{"error": "..."}`. `as_json` gets the exception, with its `code` and `description`.

# %% exercise="the-service-refuses" script="offer_service.py"

# %% [markdown] name="the-service-refuses-terminal"
# Start it here, or in a terminal (**File > New > Terminal**):
#
# ```bash
# python my/work/offer_service.py
# ```

# %%
lab.start("offer_service.py")

# %%
lab.check("the-service-refuses")

# %% [markdown]
# ## A batch
#
# Now many forms at once, in a service of its own (in a terminal: `python my/work/batch_service.py`). It imports `Form` and `price` from your `offer_service.py`, where both are given: run the cell that writes that file, even if {the-service-refuses} is not solved. `FORMS.validate_python(...)` checks a whole list. Write the route `POST /offer/batch`:
#
# - it answers with a list such as `[{"price": 72.0}, {"price": 64.0}]`, in the order of the forms, and to `[]` with `[]`;
# - one bad form refuses the batch: 400 and `{"problems": [...]}`. There is an object for each problem of each bad form, with the form's `index` (counted from 0), `field` and `problem`;
# - no list, or an item that is no form at all (`7`): 400 and `problems` as well, and there index and field may be missing;
# - more than 100 forms, good or bad: 413; `abort(413)` will do.

# %% exercise="a-batch" script="batch_service.py"

# %%
lab.start("batch_service.py")

# %%
lab.check("a-batch")

# %% [markdown] name="services-done"
# This stops the service, if the cell above has started it. To check {the-service-refuses} or {a-batch} once more, start the one concerned again.

# %% name="stop"
lab.stop()

# %% [markdown]
# ## A test that can fail
#
# Next month somebody writes the service anew. Write `test_service(url)`, with `assert`, as for pytest. It sends forms by `POST /offer` to the service at `url` (such as `http://127.0.0.1:9696`). It passes on every service that keeps these promises, and fails where one is broken:
#
# 1. The form `good` gets 200 and JSON with a `price` of 72.0.
# 2. `{}`, `good` with the tenure `"41"`, and `good` with the contract `"One year"` get 400.
# 3. That answer is JSON. Its `problems` has one object for each bad field and for no other, with the name as `field`; for `{}` there are four.
#
# All else is open: sentences, the order of the problems, further keys. The check tries your test on good and on bad services.


# %% exercise="a-test-that-can-fail"
def test_service(url):
    # [solution] return ____
    def ask(form):
        return requests.post(url + "/offer", json=form, timeout=10)

    answer = ask(good)
    assert answer.status_code == 200
    assert answer.json()["price"] == 72.0
    text_as_number = good | {"tenure": "41"}
    no_such_contract = good | {"contract": "One year"}
    for form, bad in [({}, FIELDS), (text_as_number, {"tenure"}), (no_such_contract, {"contract"})]:
        answer = ask(form)
        assert answer.status_code == 400, form
        assert {problem["field"] for problem in answer.json()["problems"]} == bad, form
    # [end]


# %%
lab.check("a-test-that-can-fail")

# %% [markdown] name="how-far"
# ## How far you are
#
# A full box for each exercise that you have solved. The answers are in this notebook; save it (**Ctrl+S**, macOS: **Cmd+S**). To forget the boxes and begin anew, run `labkit.progress.reset(5)`.

# %% name="progress"
labkit.progress.show()

# %% [markdown] name="the-end"
# Back to [lesson 5](../notebooks/05_bad_input.ipynb), or on to [lesson 6](../notebooks/06_the_campaign.ipynb), where another program asks the churn service, and not for one customer only.
