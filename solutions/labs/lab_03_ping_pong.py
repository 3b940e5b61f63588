# %% [markdown] name="title"
# # Lab 3 · Ping pong
#
# *Three small services, and what is around them: callers, a port, a log.*
#
# **Time:** about 30 minutes (an estimate), 15 of them the core · **You need:** [lesson 3](../notebooks/03_ping_pong.ipynb)
#
# Put your code where `____` stands, run the cell (**Shift+Enter**), then the one below it, which checks your answer. ✔ is correct, ✘ not yet, ○ not started. `lab.hint` and `lab.solution` help: take away the `# ` before them. Three exercises ask for a *script*: its cell writes a file, the next cell starts it in a process of its own, and the check then asks the running service. After a change, run all three again.

# %% name="labkit"
try:
    import labkit
except ModuleNotFoundError:
    raise SystemExit(
        "This kernel is not the lab's. Start JupyterLab with start.py, or choose the kernel .venv."
    ) from None
labkit.work_folder()

# %% name="imports"
import re
import time
import urllib.error
import urllib.request

import psutil
import requests

import labkit.service
from labkit.exercises import ____
from labkit.labs.lab_03 import lab

# %% [markdown]
# ## Write a service and start it
#
# The marketing team wants to be greeted. The service below has a route already, and two gaps:
#
# - `GET /hello` is answered with the text `Hello, marketing!` and the status 200;
# - in place of `run = ____` goes the line that makes the app run, for this machine only (`127.0.0.1`), on port 9696.
#
# The second cell starts it. Or do it in a terminal (**File > New > Terminal**), and skip that cell:
#
# ```bash
# python my/work/hello_service.py
# ```

# %% exercise="write-a-service" core=true script="hello_service.py"

# %%
lab.start("hello_service.py", wait=20)

# %%
lab.check("write-a-service")

# %% [markdown]
# ## Call it three ways
#
# First by hand. While your service runs, open `http://localhost:9696/hello` in the browser, and in a terminal type `curl -i http://localhost:9696/hello` (Windows: `curl.exe`). For the service all callers look alike, but for a header: in `User-Agent` each says what it is, and anybody can write there what they like.
#
# Now by program. Write `call_three_ways(url)`: it sends `GET` to `url + "/hello"` three times,
#
# 1. with `requests`,
# 2. with Python's own `urllib.request`,
# 3. as a browser would, with a `User-Agent` that begins with `Mozilla`,
#
# and returns the three statuses in a list, in this order, such as `[200, 200, 200]`; `404` or `500` are statuses, too.


# %% exercise="call-it-three-ways"
def call_three_ways(url):
    # [solution] return ____
    address = url + "/hello"
    first = requests.get(address, timeout=5).status_code
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            second = response.status
    except urllib.error.HTTPError as error:  # urllib raises 404 and the like
        second = error.code
    browser = {"User-Agent": "Mozilla/5.0"}
    third = requests.get(address, headers=browser, timeout=5).status_code
    return [first, second, third]
    # [end]


# %%
lab.check("call-it-three-ways")

# %% [markdown]
# ## A route with a parameter
#
# Marketing counts in years, the model in months. Give the service below a second route, with decorator and function, where `months = ____` stands:
#
# - `GET /months?years=3` is answered with the JSON `{"months": 36}`, and so on for other years, 0 too;
# - when `years` is missing, or is no whole number (`three`, `2.5`), the answer is the status 400: the client has to change something.
#
# In a Flask function, `request.args` is a dictionary of the parameters, `return jsonify(months=36)` answers with JSON, and `abort(400)` ends the function with that status. To start it in a terminal: `python my/work/months_service.py`.

# %% exercise="a-route-with-a-parameter" core=true script="months_service.py"

# %%
lab.start("months_service.py")

# %%
lab.check("a-route-with-a-parameter")

# %% [markdown]
# ## The right status for a wrong method
#
# For each e-mail that goes out, marketing's program tells this service, with `POST` and JSON such as `{"customer": "8879-zkjof"}`. The service keeps them in the list `sent`. Write its route:
#
# - `POST /emails` adds what came to `sent`. The answer is `{"emails": 1}`, then `{"emails": 2}`: how many there are by now. The status is 201, *created*.
# - `GET /emails` gets the status 405, and so do `PUT` and `DELETE`.
# - `/email` does not exist: 404.
#
# Flask does part of this for you. In the function, `request.get_json()` is what came, and `return jsonify(...), 201` sends another status than 200. To start it in a terminal: `python my/work/inbox_service.py`.

# %% exercise="the-right-status" core=true script="inbox_service.py"

# %%
lab.start("inbox_service.py")

# %%
lab.check("the-right-status")

# %% [markdown] name="services-done"
# Done with the services? This stops the last one, if a cell has started it.

# %% name="stop"
lab.stop()

# %% [markdown]
# ## Free a busy port
#
# `Address already in use`, and nobody knows in which terminal it runs. Write `free(port)`: it ends the process of this machine that *listens* on the port, and no other, and returns when the port is free. When nobody listens there, it does nothing.
#
# `psutil.process_iter()` gives all processes. A process has `net_connections(kind="tcp")`, a list; an entry has a `status`, which is `psutil.CONN_LISTEN` for one that listens, and `laddr.port`. You may not look into some processes: that raises `psutil.AccessDenied`. `terminate()` asks a process to end, and returns before it has.
#
# The check starts processes of its own for this, and lets you end only those.


# %% exercise="free-a-busy-port"
def free(port):
    # [solution] return ____
    for process in psutil.process_iter():
        if labkit.service.listens(process, port):
            process.terminate()
            try:
                process.wait(5)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(5)
    # [end]


# %%
lab.check("free-a-busy-port")

# %% [markdown]
# ## Read a log
#
# Who asked for what, and what became of it? Write `parse(line)`. From a line of Flask's log such as
#
# `127.0.0.1 - - [21/Nov/2026 10:00:00] "GET /months?years=3 HTTP/1.1" 200 -`
#
# it returns the method, the path without its parameters, and the status as a number, in a tuple: `("GET", "/months", 200)`. Clients may have longer addresses (`::1`), methods other names. In a path a blank is written `%20`, and stays so.
#
# For any other line, such as ` * Running on http://127.0.0.1:9696`, an empty one, or a complaint like `127.0.0.1 - - [21/Nov/2026 10:00:00] code 400, message Bad request syntax ('hi')`, it returns `None`.


# %% exercise="read-a-log"
def parse(line):
    # [solution] return ____
    found = re.search(r'\] "([A-Z]+) (\S+) HTTP/[\d.]+" (\d+) ', line)
    if found is None:
        return None
    method, address, status = found.groups()
    return method, address.split("?")[0], int(status)
    # [end]


# %%
lab.check("read-a-log")

# %% [markdown] name="how-far"
# ## How far you are
#
# A full box for each exercise that you have solved. The answers are in this notebook; save it (**Ctrl+S**, macOS: **Cmd+S**). To forget the boxes and begin anew, run `labkit.progress.reset(3)`.

# %% name="progress"
labkit.progress.show()

# %% [markdown] name="the-end"
# Back to [lesson 3](../notebooks/03_ping_pong.ipynb), or on to [lesson 4](../notebooks/04_the_churn_service.ipynb), which puts the model behind a route.
