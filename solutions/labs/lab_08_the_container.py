# %% [markdown] name="title"
# # Lab 8 · The container
#
# *Lines in order, four broken Dockerfiles, and the words that start and stop a container.*
#
# **Time:** about 40 minutes (an estimate), 20 of them the core · **You need:** [lesson 8](../notebooks/08_the_container.ipynb)
#
# Put your answer where `____` stands, run the cell, and run the check below it: ✔ correct, ✘ not yet and why, ○ not started. `lab.hint` and `lab.solution` help. You need no Docker: the checks read a Dockerfile and follow it as `docker build` and `docker run` would. If you have Docker, `build(...)` in {mend-the-names} to {no-secrets} lets it build your answer, too.

# %% name="labkit"
try:
    import labkit
except ModuleNotFoundError:
    raise SystemExit(
        "This kernel is not the lab's. Start JupyterLab with start.py, or choose the kernel .venv."
    ) from None
labkit.work_folder()

# %% name="imports"
from labkit.exercises import ____
from labkit.labs.lab_08 import build, lab

# %% [markdown] name="order-the-lines-story"
# ## Order the lines
#
# Here are the nine lines of a Dockerfile, shuffled. `libgomp1` is a library of the system that a newer model will need.

# %% name="order-the-lines-given"
lines = {
    "A": 'CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "9696", "churn_serving:app"]',
    "B": "COPY churn_serving.py ./",
    "C": "RUN pip install --no-cache-dir -r requirements.txt",
    "D": "FROM python:3.13-slim",
    "E": "USER 10001",
    "F": "COPY churn-model.bin ./",
    "G": "RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*",
    "H": "WORKDIR /app",
    "I": "COPY requirements.txt ./",
}

# %% [markdown]
# Put them in an order that builds, and that the cache likes best. The code (`churn_serving.py`) changes several times a day, the model every week, `requirements.txt` every month, and the system's library never. After each of these changes, no `RUN` and no `COPY` should be done again that need not be. Answer with a text of the nine letters, such as `"ABCDEFGHI"`. More than one order is right.

# %% exercise="order-the-lines"
# [solution] order = ____
order = "DHGICFBEA"  # what changes seldom comes first; E and A may stand elsewhere, too
# [end]

# %%
lab.check("order-the-lines")

# %% [markdown]
# ## Who gets an answer?
#
# A service runs in a container and answers `/ping`. This machine is 192.168.1.20 in the office network, and no firewall stands between it and a colleague's. Every image has `EXPOSE 9696`.
#
# | | inside, it listens on | `docker run` | who asks | for |
# |---|---|---|---|---|
# | a | 0.0.0.0:9696 | `-p 127.0.0.1:9696:9696` | this machine | `http://127.0.0.1:9696/ping` |
# | b | 0.0.0.0:9696 | `-p 127.0.0.1:9696:9696` | a colleague's machine | `http://192.168.1.20:9696/ping` |
# | c | 127.0.0.1:9696 | `-p 127.0.0.1:9696:9696` | this machine | `http://127.0.0.1:9696/ping` |
# | d | 0.0.0.0:9696 | `-p 8080:9696` | this machine | `http://127.0.0.1:9696/ping` |
# | e | 0.0.0.0:9696 | `-p 8080:9696` | a colleague's machine | `http://192.168.1.20:8080/ping` |
# | f | 0.0.0.0:9696 | no `-p` | this machine | `http://127.0.0.1:9696/ping` |
# | g | 127.0.0.1:9696 | no `-p` | a program inside this container | `http://127.0.0.1:9696/ping` |
# | h | 0.0.0.0:8080 | `-p 127.0.0.1:9696:9696` | this machine | `http://127.0.0.1:9696/ping` |
# | i | 0.0.0.0:9696 | `-p 127.0.0.1:8080:9696` | a program inside this container | `http://127.0.0.1:9696/ping` |
# | j | 0.0.0.0:9696 | `-p 127.0.0.1:9696:9696` | a program in another container | `http://127.0.0.1:9696/ping` |
#
# In which rows does an answer come back? Write their letters as a text, such as `"abc"`.

# %% exercise="who-gets-an-answer" core=true
# [solution] answered = ____
answered = "aegi"
# [end]

# %%
lab.check("who-gets-an-answer")

# %% [markdown] name="mend-the-names-story"
# ## Names
#
# Now four broken Dockerfiles. In each, `ping.py` holds a Flask app named `app`, granian serves it, and a container started with `docker run -p 127.0.0.1:9696:9696` should answer `/ping` to this machine. Mend what is wrong and leave the rest.
#
# The folder of the first holds `requirements.txt` (flask and granian), `service/ping.py`, `notes.md` and `.env`, which keeps a secret. `docker build` stops at a file that is "not found", and it will not be the last.

# %% name="mend-the-names-given"
broken_names = """\
FROM python:3.13-slim
WORKDIR /app
COPY Requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY ping.py ./
EXPOSE 9696
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "9696", "pong:app"]
"""
broken_ignore_names = """\
*
!requirements.txt
!ping.py
"""

# %% [markdown]
# Write the mended Dockerfile as the text `mended_names`: copy it from the cell above, between three quotation marks. And write `ignore_names`, its `.dockerignore`: the build may see the two files that it needs and nothing else, not even a file that joins the folder tomorrow.

# %% exercise="mend-the-names" core=true
# [solution] mended_names = ____
mended_names = """\
FROM python:3.13-slim
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY service/ping.py ./
EXPOSE 9696
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "9696", "ping:app"]
"""
# [end]
# [solution] ignore_names = ____
ignore_names = """\
*
!requirements.txt
!service/ping.py
"""
# [end]

# %%
lab.check("mend-the-names")

# %% name="mend-the-names-build"
# build("mend-the-names", mended_names, ignore_names)

# %% [markdown] name="mend-the-quotes-story"
# ## Quotes
#
# The folder holds `requirements.txt` (flask and granian) and `ping.py`. This one builds, and the container ends at once. Its log says `/bin/sh: 1: [granian,: not found`.

# %% name="mend-the-quotes-given"
broken_quotes = """\
FROM python:3.13-slim
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY ping.py ./
ENV PORT=9696
CMD ['granian', '--interface', 'wsgi', '--host', '0.0.0.0', '--port', $PORT, 'ping:app']
"""

# %% [markdown]
# Write the mended Dockerfile as `mended_quotes`. granian itself should be the container's first process, with no shell before it: the shell keeps the signal of `docker stop` to itself, and after ten seconds Docker kills everything.

# %% exercise="mend-the-quotes"
# [solution] mended_quotes = ____
mended_quotes = """\
FROM python:3.13-slim
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY ping.py ./
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "9696", "ping:app"]
"""
# [end]

# %%
lab.check("mend-the-quotes")

# %% name="mend-the-quotes-build"
# build("mend-the-quotes", mended_quotes)

# %% [markdown] name="it-runs-on-my-machine-story"
# ## It runs on my machine
#
# On its author's machine all was well. The folder holds `ping.py`. This one builds; `docker run` says `exec: "granian": executable file not found in $PATH`. Somebody mended that, and then curl said `Connection reset by peer`.

# %% name="it-runs-on-my-machine-given"
broken_machine = """\
FROM python:3.13-slim
WORKDIR /app
RUN pip install --no-cache-dir flask==3.1.3
COPY ping.py ./
EXPOSE 9696
CMD ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "8000", "ping:app"]
"""

# %% [markdown]
# Write the mended Dockerfile as `mended_machine`. granian stays the server, and the container is still started with `-p 127.0.0.1:9696:9696`.

# %% exercise="it-runs-on-my-machine" core=true
# [solution] mended_machine = ____
mended_machine = """\
FROM python:3.13-slim
WORKDIR /app
RUN pip install --no-cache-dir flask==3.1.3 granian==2.8.7
COPY ping.py ./
EXPOSE 9696
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "9696", "ping:app"]
"""
# [end]

# %%
lab.check("it-runs-on-my-machine")

# %% name="it-runs-on-my-machine-build"
# build("it-runs-on-my-machine", mended_machine)

# %% [markdown] name="no-secrets-story"
# ## It builds, it runs, and must not go out
#
# The folder holds `requirements.txt` (flask and granian), `ping.py`, `customers.csv` and `.env`; it has no `.dockerignore`, and gets none. This image builds, starts and answers. Still, a colleague who reviews it finds three things.

# %% name="no-secrets-given"
broken_secrets = """\
FROM python:3.13-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
ENV CHURN_API_KEY=sunflower-over-the-hill
EXPOSE 9696
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "9696", "ping:app"]
"""

# %% [markdown]
# Write the mended Dockerfile as `mended_secrets`. No layer of the image holds customers or secrets, the key is not named any more (whoever starts the container brings it along, with `docker run -e`), and the service does not run as root.

# %% exercise="no-secrets"
# [solution] mended_secrets = ____
mended_secrets = """\
FROM python:3.13-slim
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY ping.py ./
USER 10001
EXPOSE 9696
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "9696", "ping:app"]
"""
# [end]

# %%
lab.check("no-secrets")

# %% name="no-secrets-build"
# build("no-secrets", mended_secrets)

# %% [markdown]
# ## What is in the image?
#
# A Dockerfile in stages. Its `requirements.txt` names flask and granian, and `docker build` makes an image of the last stage.
#
# ```dockerfile
# FROM python:3.13-slim AS base
# ENV TEAM=churn
# RUN python -m venv /opt/venv
#
# FROM base AS packages
# COPY requirements.txt /build/
# RUN /opt/venv/bin/pip install -r /build/requirements.txt
#
# FROM packages AS report
# RUN /opt/venv/bin/pip install pandas
# ENV MODE=report
# COPY customers.csv make_prices.py /build/
# RUN /opt/venv/bin/python /build/make_prices.py --out /build/prices.json
#
# FROM base
# COPY --from=packages /opt/venv /opt/venv
# COPY --from=report /build/prices.json /app/
# COPY ping.py token.txt /app/
# RUN rm /app/token.txt
# ```
#
# Which of these can be found by somebody who has the image, all of its layers and its settings? Give their names as a set, such as `{"flask", "pandas"}`.
#
# `flask` · `pandas` · `requirements.txt` · `customers.csv` · `prices.json` · `ping.py` · `token.txt` · `TEAM` · `MODE`

# %% exercise="what-is-in-the-image"
# [solution] held = ____
held = {"flask", "prices.json", "ping.py", "token.txt", "TEAM"}
# [end]

# %%
lab.check("what-is-in-the-image")

# %% [markdown]
# ## At the front desk
#
# The image `churn` is built. Its service listens on port 9696 inside, and its `ENTRYPOINT` is `python production.py`. Write four lines for a terminal, as texts that begin with `docker`.
#
# - `start`: a container named `desk` in the background, which answers on `http://127.0.0.1:8080`, to this machine only, and is removed when it ends.
# - `log`: all that it has printed so far.
# - `look`: Python, in a container of this image, runs `import pandas`. Do it in a new container that is removed afterwards, or in `desk`.
# - `stop`: `desk` ends, and may finish what it is doing.

# %% exercise="at-the-front-desk" core=true
# [solution] start = ____
start = "docker run --detach --rm --name desk --publish 127.0.0.1:8080:9696 churn"
# [end]
# [solution] log = ____
log = "docker logs desk"
# [end]
# [solution] look = ____
look = 'docker run --rm --entrypoint python churn -c "import pandas"'
# [end]
# [solution] stop = ____
stop = "docker stop desk"
# [end]

# %%
lab.check("at-the-front-desk")

# %% [markdown] name="how-far"
# ## How far you are
#
# A full box for each exercise that you have solved. The answers are in this notebook; save it (**Ctrl+S**, macOS: **Cmd+S**). To forget the boxes and begin anew, run `labkit.progress.reset(8)`.

# %% name="progress"
labkit.progress.show()

# %% [markdown] name="the-end"
# Back to [lesson 8](../notebooks/08_the_container.ipynb), or on to [lesson 9](../notebooks/09_the_cloud.ipynb), where the container leaves this machine.
