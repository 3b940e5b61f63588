# %% [markdown] name="title"
# # Lab 9 · The cloud
#
# *A story in commands, a bill, an archive that may be stale, and a key that nobody else reads.*
#
# **Time:** about 40 minutes (an estimate) · **You need:** [lesson 9](../notebooks/09_the_cloud.ipynb)
#
# Put your code where `____` stands, run the cell, and run the check below it: ✔ correct, ✘ not yet and why, ○ not started. `lab.hint` and `lab.solution` help. You need no account, and nothing here costs money: no command reaches the cloud.

# %% name="labkit"
try:
    import labkit
except ModuleNotFoundError:
    raise SystemExit(
        "This kernel is not the lab's. Start JupyterLab with start.py, or choose the kernel .venv."
    ) from None
labkit.work_folder()

# %% name="imports"
from urllib.parse import urlsplit

import requests

from labkit.exercises import ____
from labkit.labs.lab_09 import lab

# %% [markdown]
# ## A day in the cloud
#
# Write `commands`, a list of texts: what you type, in order, one `eb` command in each. The story:
#
# 1. The folder becomes the application `churn` in Stockholm (`eu-north-1`), on the platform `Docker running on 64bit Amazon Linux 2023`.
# 2. An environment `churn-prod` is made, without a load balancer.
# 3. It gets its `CHURN_API_KEY`. Your terminal has the key in a variable of that name; write `$CHURN_API_KEY`, for a notebook is no place for a key.
# 4. A colleague has committed a correction. You deploy it.
# 5. Something is odd: you look at the logs.
# 6. In the evening the environment goes. The application stays.
#
# One command may do two steps. The check reads your lines as the EB CLI would; nothing is run.

# %% exercise="a-day-in-the-cloud"
# [solution] commands = ____
commands = [
    'eb init churn --platform "Docker running on 64bit Amazon Linux 2023" --region eu-north-1',
    "eb create churn-prod --single --envvars CHURN_API_KEY=$CHURN_API_KEY",
    "eb deploy churn-prod",
    "eb logs churn-prod",
    "eb terminate churn-prod",
]
# [end]

# %%
lab.check("a-day-in-the-cloud")

# %% [markdown] name="what-still-costs-story"
# ## What still costs
#
# "Everything is terminated", says a colleague. The account says:

# %% name="what-still-costs-given"
account = [
    {"kind": "application", "name": "churn", "state": "no environments"},
    {"kind": "instance", "name": "churn-old", "state": "stopped"},
    {"kind": "disk", "name": "disk-of-churn-old", "state": "in use"},
    {"kind": "address", "name": "18.0.2.44", "state": "not in use"},
    {"kind": "bucket", "name": "archives", "state": "kept", "bytes": 4_100_000},
    {"kind": "security group", "name": "web", "state": "kept"},
]

# %% [markdown]
# Write `still_costs(account)`: the list of the names of what costs money, in the account's order.
#
# - An instance costs while it is `running`. Its disk is an entry of its own.
# - A disk, an address and a load balancer cost as long as they are there, used or not.
# - A bucket costs when it holds any `bytes`.
# - Free: an application, an environment (its parts are entries of their own), a security group, a role.
# - What is `terminated` or `deleted` costs no more, and is shown for a while.
# - A kind that is not named here goes on the list: somebody must look at it.


# %% exercise="what-still-costs"
def still_costs(account):
    # [solution] return ____
    def costs(entry):
        if entry["state"] in ("terminated", "deleted"):
            return False
        match entry["kind"]:
            case "instance":
                return entry["state"] == "running"
            case "bucket":
                return entry["bytes"] > 0
            case "application" | "environment" | "security group" | "role":
                return False
        return True

    return [entry["name"] for entry in account if costs(entry)]
    # [end]


# %%
lab.check("what-still-costs")

# %% [markdown] name="how-long-the-credit-lasts-story"
# ## How long does the credit last?
#
# A new account has a credit. Here are prices and two environments. (The figures are invented. The real ones change; the lesson says where they stand.)

# %% name="how-long-the-credit-lasts-given"
prices = {
    "instance": 0.013,  # dollars an hour
    "load balancer": 0.031,  # an hour
    "address": 0.005,  # an hour
    "disk": 0.096,  # a GB and month
}
alone = {"instances": 1, "balanced": False, "disk": 10}
many = {"instances": 3, "balanced": True, "disk": 30}

# %% [markdown]
# Write `hours_left(credit, environment, prices)`: for how many whole hours does a credit, in dollars, pay for this environment? An hour that it pays in part only does not count.
#
# - Each instance has one address, and one disk of as many GB as `disk` says.
# - Where `balanced` is `True`, there is one load balancer, and it has two addresses of its own.
# - A disk's price is for a month, and a month has 730 hours.
#
# So a credit of 100 dollars lasts 5177 hours for `alone`, seven months, and 936 for `many`.


# %% exercise="how-long-the-credit-lasts"
def hours_left(credit, environment, prices):
    # [solution] return ____
    instances = environment["instances"]
    balancers = 1 if environment["balanced"] else 0
    per_hour = (
        instances * prices["instance"]
        + balancers * prices["load balancer"]
        + (instances + 2 * balancers) * prices["address"]
        + instances * environment["disk"] * prices["disk"] / 730
    )
    return int(credit / per_hour)
    # [end]


# %%
lab.check("how-long-the-credit-lasts")

# %% [markdown] name="what-goes-up-story"
# ## What goes up
#
# A morning with git and `bundle.py`:

# %% name="what-goes-up-given"
events = [
    ("write", "app.py", "v1"),  # the folder's file has this text now
    ("add", "app.py"),  # git add app.py
    ("commit",),  # git commit
    ("pack",),  # bundle.py: what is committed goes into the archive
    ("write", "app.py", "v2"),
    ("add", "app.py"),
    ("commit",),
    ("write", "app.py", "v3"),
    ("add", "app.py"),
    ("ignore", "key.txt"),  # a line in .gitignore: git add takes no *new* file of this name
]

# %% [markdown]
# Write `goes_up(events, way)`: the files that reach the cloud, as a dictionary of names and texts. `way` is
#
# - `"commit"`: `eb deploy`, without an artifact;
# - `"staged"`: `eb deploy --staged`;
# - `"archive"`: `eb deploy`, with the archive as its artifact.
#
# Here these are `{"app.py": "v2"}`, `{"app.py": "v3"}` and `{"app.py": "v1"}`. A file that is staged stays so after a commit, and also when it is ignored later; `git add` then goes on taking it. What has never been committed or packed is `{}`.


# %% exercise="what-goes-up"
def goes_up(events, way):
    # [solution] return ____
    folder, index, commit, archive, ignored = {}, {}, {}, {}, set()
    for event in events:
        match event:
            case "write", name, text:
                folder[name] = text
            case "ignore", name:
                ignored.add(name)
            case "add", name if name in index or name not in ignored:
                index[name] = folder[name]
            case ("commit",):
                commit = dict(index)  # a copy: what is staged stays, and may change
            case ("pack",):
                archive = commit
    return {"commit": commit, "staged": index, "archive": archive}[way]
    # [end]


# %%
lab.check("what-goes-up")

# %% [markdown] name="preflight-story"
# ## Preflight
#
# `git status --short` says what differs from the last commit: two letters, a blank, a path.

# %% name="preflight-given"
status = """ M solutions/train.py
A  Dockerfile
R  Pipfile.old -> Pipfile.lock
?? data/
?? notes.txt
"""
needed = ["Dockerfile", "Pipfile.lock", "solutions/train.py", "data/customer.json", "Pipfile"]

# %% [markdown]
# Write `preflight(status, needed)`: a dictionary of the needed files that would be wrong in the archive, which is made from the last commit. The value is
#
# - `"missing"` where the commit has no such file: git does not know it (`??`; a whole folder is one line, with `/` at its end), its first letter is `A`, or it is the *new* name of a renamed one (`R`);
# - `"stale"` for all other letters, and for the *old* name.
#
# Here `solutions/train.py` is stale, `Pipfile` is not in the dictionary, and the others are missing. When all is well: `{}`.


# %% exercise="preflight"
def preflight(status, needed):
    # [solution] return ____
    found = {}
    for line in status.splitlines():
        letters, path = line[:2], line[3:]
        old, _, new = path.rpartition(" -> ")
        missing = letters == "??" or letters[0] in "AR"
        for file in needed:
            if file == new or (new.endswith("/") and file.startswith(new)):
                found[file] = "missing" if missing else "stale"
            elif file == old:
                found[file] = "stale"  # the commit still has it
    return found
    # [end]


# %%
lab.check("preflight")

# %% [markdown]
# ## Where may the key go?
#
# Over `http`, whoever carries the request can read the key. Only a request to this very machine is carried by nobody. Write `may_send(url)`: it returns `True` if a request with the key may go to this address, that is
#
# - over `https` to any machine;
# - over `http` to `localhost`, `127.0.0.1` or `::1` (in an address: `[::1]`), on any port, and to nobody else.
#
# Anything else is `False`: another scheme, and a text that is no address. Capital letters don't matter (`HTTPS://...`). Take care: `http://localhost.example.com` and `http://127.0.0.1@example.com` both lead to example.com's machines.


# %% exercise="where-the-key-may-go"
def may_send(url):
    # [solution] return ____
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname  # in small letters, both
    except ValueError:
        return False
    if scheme == "https":
        return bool(host)
    return scheme == "http" and host in ("localhost", "127.0.0.1", "::1")
    # [end]


# %%
lab.check("where-the-key-may-go")

# %% [markdown]
# ## A service that wants its key
#
# The script has two routes. Write `gate`, which Flask calls before every request, also for a path that does not exist.
#
# - `KEY` is `None`: everybody may ask.
# - Open are exactly `GET` and `HEAD` of `/ping`: not `OPTIONS`, not `get` in small letters, not `//ping`. What was sent stands in `request.environ["REQUEST_METHOD"]` and `request.environ["PATH_INFO"]`; `request.method` and `request.path` are tidied up.
# - All other requests need the header `Authorization: Bearer KEY`, exactly. Compare with `hmac.compare_digest`, whose time betrays nothing.
# - Whoever has no key or a wrong one, of whatever characters, gets 401, the header `WWW-Authenticate: Bearer`, and JSON, `{"error": "..."}`.
# - Neither the key nor what was sent stands in an answer or in the log.

# %% exercise="a-service-that-wants-its-key" script="gate_service.py"

# %% [markdown] name="a-service-that-wants-its-key-terminal"
# Start it here, or in a terminal, where this line comes first (PowerShell: `$env:CHURN_API_KEY = "for-practice-only-1234"`):
#
# ```bash
# export CHURN_API_KEY=for-practice-only-1234
# python my/work/gate_service.py
# ```

# %%
lab.start("gate_service.py", CHURN_API_KEY="for-practice-only-1234")

# %%
lab.check("a-service-that-wants-its-key")

# %% [markdown] name="services-done"
# This stops the service, if the cell above has started it.

# %% name="stop"
lab.stop()

# %% [markdown]
# ## A client that sends it
#
# Write `ask(url, customer, key)`, for a service such as the lesson's. It sends the customer, as JSON, with `POST` to `url + "/predict"`, and the key in the header `Authorization: Bearer KEY` and nowhere else. When `key` is `None`, there is no such header.
#
# - 200: return the answer's dictionary.
# - 401: raise a `PermissionError`, whose text names `CHURN_API_KEY`, so that somebody knows what to set. Never ask twice with a wrong key.
# - Any other status: raise another exception; `response.raise_for_status()` will do.
#
# The key stands in no exception, and nothing is printed. The check plays the service.


# %% exercise="a-client-that-sends-it"
def ask(url, customer, key):
    # [solution] return ____
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    response = requests.post(url + "/predict", json=customer, headers=headers, timeout=10)
    if response.status_code == 401:
        raise PermissionError("The service does not know the key: set CHURN_API_KEY.")
    response.raise_for_status()
    return response.json()
    # [end]


# %%
lab.check("a-client-that-sends-it")

# %% [markdown] name="how-far"
# ## How far you are
#
# A full box for each exercise that you have solved. The answers are in this notebook; save it (**Ctrl+S**, macOS: **Cmd+S**). To forget the boxes and begin anew, run `labkit.progress.reset(9)`.

# %% name="progress"
labkit.progress.show()

# %% [markdown] name="the-end"
# Back to [lesson 9](../notebooks/09_the_cloud.ipynb). This was the last lab. If you have deployed something: walk once more through the lesson's list, so that nothing is left running.
