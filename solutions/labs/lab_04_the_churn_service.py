# %% [markdown] name="title"
# # Lab 4 · The churn service
#
# *What goes into a service, what comes out, and whether to believe it.*
#
# **Time:** about 30 minutes (an estimate), 15 of them the core · **You need:** [lesson 4](../notebooks/04_the_churn_service.ipynb)
#
# As in lab 1: your code goes where `____` stands, the cell below checks it, and `lab.hint` and `lab.solution` help. Each exercise can be done without the others.

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
import pickle

import numpy as np
import requests

from labkit.exercises import ____
from labkit.labs.lab_04 import first_service, lab

customer = json.loads((labkit.DATA / "customer.json").read_text(encoding="utf-8"))

# %% [markdown]
# ## What to do
#
# The marketing team would rather be told what to do than do arithmetic. Write `answer(probability, threshold)`: it returns a dictionary, such as
#
# ```python
# {"churn_probability": 0.31, "decision": "e-mail"}
# ```
#
# The decision is `"e-mail"` if the probability is at or above the threshold, and `"nothing"` if not. The probability comes from the model, so it is NumPy's. In the dictionary it is Python's own `float`, with all its digits.


# %% exercise="what-to-do" core=true
def answer(probability, threshold):
    # [solution] return ____
    decision = "e-mail" if probability >= threshold else "nothing"
    return {"churn_probability": float(probability), "decision": decision}
    # [end]


# %%
lab.check("what-to-do")

# %% [markdown]
# ## Make it JSON
#
# Another service answers with more, and whoever wrote it took no care of types:
#
# ```python
# {"churn": np.True_, "tenure": np.int64(41), "city": "Köln", "why": [np.float32(0.5), None]}
# ```
#
# Write `as_json(answer)`: it returns JSON text for any such dictionary, so that `json.loads` gives the same values back, as Python's own. What was a whole number stays one, what was true or false stays so, and no digit gets lost. NumPy's values may also stand in lists and dictionaries inside. The dictionary that it was given stays as it was.


# %% exercise="make-it-json"
def as_json(answer):
    # [solution] return ____
    # json.dumps calls `default` for each value that it does not know.
    return json.dumps(answer, default=lambda value: value.item())
    # [end]


# %%
lab.check("make-it-json")

# %% [markdown]
# ## A service that decides
#
# In place of `predict = ____`, write the route with its function. `POST /predict` with a customer as JSON is answered with JSON that has two keys:
#
# - `churn_probability`, the number that the model says, with all its digits;
# - `decision`, as in exercise {what-to-do} the text `"e-mail"` or `"nothing"`. The threshold is `THRESHOLD`: 0.18 is the cheapest, as lesson 1 finds after its core.
#
# `dv` and `model` are loaded for you. The second cell starts the service (and first trains a model, if there is none here yet). From then on you can also do it in a terminal: `python my/work/decision_service.py`.

# %% exercise="a-service-that-decides" core=true script="decision_service.py"

# %%
lab.start("decision_service.py", CHURN_MODEL=str(labkit.model().resolve()))

# %%
lab.check("a-service-that-decides")

# %% [markdown] name="a-service-that-decides-after"
# To see what it answers, and why it breaks, run these lines in a cell of your own:
#
# ```python
# print(requests.post("http://127.0.0.1:9696/predict", json=customer, timeout=5).text)
# print(lab.service.log()[-500:])
# ```
#
# Done with the service? This stops it, if a cell has started it.

# %% name="stop"
lab.stop()

# %% [markdown] name="it-answers-anything-story"
# ## It answers anything
#
# The lesson's service takes whatever comes. Here it is without a port: `first_service(body)` asks it, and returns the status with what it says.

# %% name="it-answers-anything-given"
first_service(customer)

# %% [markdown]
# Find three bodies that are no customers, and that it answers with `200` and a probability all the same. Each is wrong in one way only, and the three ways are different: not three times a missing field. A customer has the fields of `data/customer.json`, with values of the kind that stands there. Write the list `bodies`; its elements are Python values as you would give them to `json=`.

# %% exercise="it-answers-anything"
# [solution] bodies = ____
bodies = [
    customer | {"tenure": "41"},  # a text where a number belongs
    customer | {"contract": "three_years"},  # nobody has such a contract
    {name: customer[name] for name in customer if name != "tenure"},  # no tenure at all
]
# [end]

# %%
lab.check("it-answers-anything")

# %% [markdown]
# ## Status before body
#
# Marketing asks at night, when nobody watches. Write `ask(url, customer, timeout)`: it sends the customer as JSON in one `POST` to `url + "/predict"`, waits at most `timeout` seconds for the answer, and returns the `churn_probability` in it.
#
# If the status is any other than 200, or the answer is no JSON, it raises a `RuntimeError`. The error's text has the status and the first 100 characters of the body, for example `503: <h1>Back at six</h1>`. If nobody answers in time, let the error of `requests` pass.


# %% exercise="status-before-body" core=true
def ask(url, customer, timeout):
    # [solution] return ____
    response = requests.post(f"{url}/predict", json=customer, timeout=timeout)
    kind = response.headers.get("Content-Type", "")
    if response.status_code != 200 or not kind.startswith("application/json"):
        raise RuntimeError(f"{response.status_code}: {response.text[:100]}")
    return response.json()["churn_probability"]
    # [end]


# %%
lab.check("status-before-body")

# %% [markdown] name="the-same-as-in-the-notebook-story"
# ## The same as in the notebook?
#
# A service may run with last month's model, or mix up its customers. So ask it about many, and compare its numbers with those of your own model. Here it is:

# %% name="the-same-as-in-the-notebook-given"
with open(labkit.model(), "rb") as f_in:
    dv, model = pickle.load(f_in)

# %% [markdown]
# Write `differing(url, customers, dv, model)`: it returns the list of the indexes, in order, of those customers for whom the `churn_probability` from `url + "/predict"` and your own model's differ by more than `1e-9`. (A smaller difference is rounding in the 16th digit, which other machines do differently.) The service takes one customer in each request.
#
# If its answers to the first and the fourth of five customers are wrong, `differing` returns `[0, 3]`.


# %% exercise="the-same-as-in-the-notebook"
def differing(url, customers, dv, model):
    # [solution] return ____
    expected = model.predict_proba(dv.transform(customers))[:, 1]
    found = []
    for index, customer in enumerate(customers):
        response = requests.post(f"{url}/predict", json=customer, timeout=5)
        response.raise_for_status()
        if abs(response.json()["churn_probability"] - expected[index]) > 1e-9:
            found.append(index)
    return found
    # [end]


# %%
lab.check("the-same-as-in-the-notebook")

# %% [markdown] name="how-far"
# ## How far you are
#
# A full box for each exercise that you have solved. To forget this lab's boxes and begin anew, run `labkit.progress.reset(4)`.

# %% name="progress"
labkit.progress.show()

# %% [markdown] name="the-end"
# Back to [lesson 4](../notebooks/04_the_churn_service.ipynb), or on to [lesson 5](../notebooks/05_bad_input.ipynb), which closes the door that exercise {it-answers-anything} finds open. The core goes on with [lesson 7](../notebooks/07_the_environment.ipynb).
