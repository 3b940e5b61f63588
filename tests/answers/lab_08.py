"""Lab 8: right answers in another style, and wrong ones with what each must be told."""

from proof import Instead

CMD = 'CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "9696", "ping:app"]'
PIP = "RUN pip install --no-cache-dir -r requirements.txt"
FLASK = "RUN pip install --no-cache-dir flask==3.1.3 granian==2.8.7"
LINES = {"start": "docker run -d --rm --name desk -p 127.0.0.1:8080:9696 churn",
         "log": "docker logs desk",
         "look": "docker run --rm --entrypoint python churn -c 'import pandas'",
         "stop": "docker stop desk"}  # fmt: skip


def desk(**other):
    """Return an answer to 8.8 with other lines."""
    return "\n".join(f"{name} = {line!r}" for name, line in (LINES | other).items())


ANSWERS = {
    "order-the-lines": {
        "right": [
            'order = "DGHICFBEA"',
            "order = 'dh gic fbae'",
            'order = "".join(["D", "A", "H", "G", "I", "C", "E", "F", "B"])',
            "order = ', '.join('DHGICEAFB')",
        ],
        "wrong": [
            ('order = "ABCDEFGHI"', "begins with A: a Dockerfile begins with FROM"),
            ('order = "DHGBFICEA"', "Docker does B, F, I, C again"),
            ('order = "DHGICBFEA"', "when the code changes, several times a day, Docker does B, F"),
            ('order = "DHGFICBEA"', "when the model changes, every week, Docker does F, I, C, B"),
            ('order = "DHICGFBEA"', "and G, which installs the system's library"),
            ('order = "DHICFBGEA"', "when the code changes"),
            ('order = "DHGCIFBEA"', "I stands before C|pip reads requirements.txt"),
            ('order = "DGICHFBEA"', "H stands before|before that it is /"),
            ('order = "DHGEICFBA"', "user 10001 may not write where pip installs"),
            ('order = "DHEGICFBA"', "user 10001 may not write|apt-get must be root"),
            ('order = "DHGICFB"', "lacks A, E"),
            ('order = "DHGICFBEAA"', "holds A 2 times"),
            ('order = "DHGICFBEK"', "holds 'K': the letters are A to I"),
            ('order = ["D", "H", "G", "I", "C", "F", "B", "E", "A"]', "should be of type str"),
        ],
    },
    "who-gets-an-answer": {
        "right": ['answered = "g, i, a, e"', 'answered = "AEGI"'],
        "wrong": [
            ('answered = "abegi"', "only this machine can ask"),
            ('answered = "acegi"', "in row c no answer comes: 127.0.0.1 inside is the container's"),
            ('answered = "adegi"', "the number on the left is the outside"),
            ('answered = "agi"', "in row e an answer comes"),
            ('answered = "aefgi"', "EXPOSE is a note for people"),
            ('answered = "aei"', "in row g an answer comes"),
            ('answered = "aeghi"', "the service listens on 8080 there"),
            ('answered = "aeg"', "inside the container the service's own port counts"),
            ('answered = "aegij"', "127.0.0.1 is that other container itself"),
            ('answered = "egi"', "127.0.0.1 outside is this machine"),
            ('answered = "abcdefghij"', "(rows to look at, with this one: 6)"),
            ('answered = ""', "in row a an answer comes"),
            ('answered = "aegik"', "holds 'k': the letters are a to j"),
            ('answered = {"a": True}', "should be of type str"),
        ],
    },
    "mend-the-names": {
        "right": [
            Instead(
                "COPY requirements.txt ./",
                'COPY ["requirements.txt", "/app/"]',
                "COPY service/ping.py ./",
                "ADD --chmod=644 ./service/*.py ./",
                "CMD [",
                "ENTRYPOINT [",
                "!service/ping.py",
                "# the code\n!./service/ping.py",
            ),
            Instead(
                "COPY service/ping.py ./",
                "COPY service service",
                "ping:app",
                "service.ping:app",
                "!service/ping.py",
                "!service/\nservice/*\n! service/ping.py",
            ),
            Instead(
                "COPY requirements.txt ./",
                "COPY . .",
                "COPY service/ping.py ./\n",
                "",
                "ping:app",
                "/app/service/ping.py:app",
                "!service/ping.py",
                "!/service/ping.py",
            ),
            # Docker takes a way that leads above the folder for one that begins in it
            Instead(
                "COPY service/ping.py ./",
                "COPY ../service/ping.py ping.py",
                '"ping:app"]',
                '"ping:app"] \\\\',
            ),
            Instead(
                "COPY service/ping.py ./",
                "WORKDIR /app/service\nCOPY service/ .",
                "EXPOSE 9696\n",
                "",
            ),
            # An environment of its own, in stages, as in the lab's own Dockerfile
            Instead(
                "FROM python:3.13-slim\n",
                "FROM python:3.13-slim AS base\n"
                "ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH\n\nFROM base AS packages\n"
                'RUN /usr/local/bin/python -m venv "$VIRTUAL_ENV"\n',
                PIP,
                f"{PIP}\n\nFROM base\nWORKDIR /app\nCOPY --from=packages /opt/venv /opt/venv",
                CMD,
                'ENV PORT=9696\nENTRYPOINT ["/usr/bin/env", "-S", "granian --interface wsgi '
                '--host 0.0.0.0 --port ${PORT} ping:app"]',
            ),
            # With what else the lab's own Dockerfile has
            Instead(
                "FROM python:3.13-slim\n",
                "FROM python:3.13-slim AS base\n"
                "ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH\n\nFROM base AS packages\n",
                PIP,
                "RUN --mount=type=cache,target=/root/.cache/pip "
                "--mount=type=secret,id=pip,target=/etc/pip.conf \\\\\n"
                '    python -m venv --without-pip "$VIRTUAL_ENV" \\\\\n'
                '    && pip --python "$VIRTUAL_ENV" install -r requirements.txt \\\\\n'
                "    && find \"$VIRTUAL_ENV\" -regex '.*/tests?/.*' -type f -delete\n\n"
                "FROM base\nWORKDIR /app\nCOPY --from=packages /opt/venv /opt/venv",
                CMD,
                f'{CMD}\nARG REVISION=""\nLABEL org.opencontainers.image.licenses="MIT" \\\\\n'
                '      org.opencontainers.image.revision="$REVISION"',
            ),
        ],
        "wrong": [
            (
                Instead("install --no-cache-dir", "install --require-hashes"),
                "pip install --require-hashes refuses",
            ),
            (
                Instead("pip install", "pip --python /opt/venv install"),
                "there is no environment in /opt/venv by then",
            ),
            (
                "mended_names, ignore_names = broken_names, broken_ignore_names",
                "the file's name is requirements.txt",
            ),
            (Instead("COPY service/ping.py", "COPY ping.py"), "it is service/ping.py"),
            (
                Instead("ping:app", "pong:app"),
                "/app/pong.py is not in the image: it has /app/ping.py",
            ),
            (Instead("!service/ping.py", "!ping.py"), "it is there, and .dockerignore"),
            (
                Instead('"ping:app"', '"service.ping:app"'),
                "/app/service/ping.py is not in the image",
            ),
            (Instead("COPY requirements.txt", "COPY Requirements.txt"), "capitals matter"),
            (Instead("*\n!requirements", "!requirements"), "sees notes.md as well"),
            (
                Instead("*\n!requirements.txt\n!service/ping.py", ".env\nnotes.md"),
                "customers.csv, when it joins the folder,",
            ),
            (Instead("!service/ping.py", "!**/ping.py"), "sees old/ping.py, when it joins"),
            (Instead("!service/ping.py", "!service"), "sees service/old.py, when it joins"),
            (Instead("!service/ping.py", "!service/*.py"), "each by its whole name"),
            (Instead("!requirements.txt", "!*.txt"), "sees old.txt, when it joins"),
            (Instead("*\n!requirements", "**/*.*\n!requirements"), "sees key, when it joins"),
            (Instead("ping.py ./\nEXPOSE", "ping.py ./  # code\nEXPOSE"), "a line of its own"),
            (Instead("python:3.13-slim", "python:3.13-slim # the base"), "line 1: # begins"),
            (
                Instead(
                    "!requirements.txt\n!service/ping.py\n",
                    "!requirements.txt\n!service/ping.py\n*\n",
                ),
                "it is there, and .dockerignore leaves it out",
            ),
            (Instead("COPY service/ping.py ./\n", ""), "it has no ping.py at all"),
            (
                Instead("COPY requirements.txt ./\n", ""),
                "there is no /app/requirements.txt in the image",
            ),
            (
                Instead("COPY service/ping.py ./", "COPPY service/ping.py ./"),
                "begins with 'COPPY', which is no instruction",
            ),
            (Instead("COPY service/ping.py ./", "COPY"), "has nothing behind it"),
            (
                Instead("COPY service/ping.py ./", "COPY service/ping.py"),
                "takes what to copy, and where",
            ),
            (
                Instead("COPY service/ping.py ./", "service/ping.py"),
                "begins with 'service/ping.py', which is no instruction",
            ),
            (Instead("FROM python:3.13-slim\n", ""), "begins with FROM"),
            (Instead("./\nEXPOSE", "./ping/\nEXPOSE"), "it has /app/ping/ping.py"),
            (Instead('"ping:app"', '"ping:ping"'), "the Flask app in ping.py is named app"),
            ("mended_names = 3\nignore_names = ''", "should be of type str"),
        ],
    },
    "mend-the-quotes": {
        "right": [
            Instead(
                CMD,
                'ENV GRANIAN_PORT=9696\nENTRYPOINT ["granian", "--interface=wsgi", '
                '"--host=0.0.0.0"]\nCMD ["ping:app"]',
            ),
            Instead(
                CMD,
                'ENV PORT=9696\nCMD ["sh", "-c", "exec granian --interface wsgi --host '
                '0.0.0.0 --port $PORT ping:app"]',
            ),
            Instead(
                CMD,
                "ENV GRANIAN_HOST=0.0.0.0 GRANIAN_PORT=9696 \\\n    GRANIAN_INTERFACE=wsgi\n"
                'cmd ["python", "-m", "granian", "ping:app"]',
            ),
            Instead(CMD, "CMD exec granian --interface wsgi --host 0.0.0.0 --port 9696 ping"),
            """
mended_quotes = broken_quotes.replace("'", '"').replace("$PORT", '"9696"')
""",
        ],
        "wrong": [
            ("mended_quotes = broken_quotes", "single quotes are none in JSON"),
            (
                "mended_quotes = broken_quotes.replace('$PORT', '9696')",
                "single quotes are none in JSON",
            ),
            (
                "mended_quotes = broken_quotes.replace(\"'\", '\"')",
                "something in the brackets is not in double",
            ),
            (
                "mended_quotes = broken_quotes.replace(\"'\", '\"').replace('$PORT', '\"$PORT\"')",
                "granian gets the text $PORT as it stands",
            ),
            (Instead('"9696"', "9696"), "put numbers in quotes, too"),
            (
                Instead(CMD, "CMD granian --interface wsgi --host 0.0.0.0 --port 9696 ping:app"),
                "a shell as its first process",
            ),
            (
                Instead(
                    CMD, "ENTRYPOINT granian --interface wsgi --host 0.0.0.0 --port 9696 ping:app"
                ),
                "waits ten seconds and then kills",
            ),
            (
                Instead(
                    CMD,
                    'CMD ["sh", "-c", "granian --interface wsgi --host 0.0.0.0 --port 9696 ping:app"]',
                ),
                "a shell as its first process",
            ),
            (
                Instead(
                    CMD, 'CMD ["granian --interface wsgi --host 0.0.0.0 --port 9696 ping:app"]'
                ),
                "each word is a text of its own",
            ),
            (
                Instead(CMD, CMD.replace('face", "wsgi', "face wsgi").replace('ort", "', "ort ")),
                "takes '--interface wsgi' for one word",
            ),
            (Instead(CMD, f'ENTRYPOINT ["granian"]\n{CMD}'), "names granian twice"),
            (Instead(CMD, CMD.replace('"', "”")), "the curly quotation mark ”"),
            (Instead(', "ping:app"]', ', "ping:app",]'), "or a comma is wrong"),
            (Instead(', "ping:app"]', "]"), "is not told what to serve"),
            (Instead('"--port", "9696", ', ""), "without --port granian takes 8000"),
            (Instead(CMD, ""), "nothing says what to start"),
            (Instead(CMD, 'CMD ["python", "ping.py"]'), "Flask's development server"),
            (Instead(CMD, "CMD granian 'ping:app"), "is opened and not closed"),
        ],
    },
    "it-runs-on-my-machine": {
        "right": [
            Instead(
                FLASK,
                "RUN pip install --no-cache-dir flask==3.1.3\n"
                "RUN python -m pip install --no-cache-dir 'granian>=2'",
            ),
            Instead(
                FLASK,
                "RUN --mount=type=cache,target=/root/.cache \\\n"
                "    pip install --upgrade pip && \\\n"
                "    pip --no-cache-dir install Flask granian[reload] granian>=2  # that's it",
                '"--port", "9696", ',
                "",
                '"--host", "0.0.0.0", ',
                "",
                "EXPOSE 9696",
                "ENV GRANIAN_HOST=0.0.0.0\nENV GRANIAN_PORT 9696",
            ),
            Instead(
                FLASK,
                'RUN ["pip", "install", "uv"]\nRUN uv pip install --system flask granian',
                "FROM python:3.13-slim",
                "# syntax=docker/dockerfile:1\nFROM python:3.13-slim AS final",
                "WORKDIR /app",
                "RUN mkdir -p /srv/ping\nWORKDIR /srv/ping",
            ),
            Instead(
                CMD,
                CMD.replace("CMD", "EXPOSE 9696\nHEALTHCHECK NONE\nCMD").replace("0.0.0.0", "::"),
            ),
        ],
        "wrong": [
            ("mended_machine = broken_machine", "executable file not found"),
            (Instead("0.0.0.0", "127.0.0.1"), "listens on 127.0.0.1, where it talks to itself"),
            (Instead("0.0.0.0", "localhost"), "listens on localhost"),
            (Instead('"--host", "0.0.0.0", ', ""), "without --host granian takes 127.0.0.1"),
            (Instead('"9696"', '"8000"'), "granian listens on port 8000, and -p"),
            (Instead('"--port", "9696", ', ""), "without --port granian takes 8000"),
            (Instead(" granian==2.8.7", ""), "pip has not installed granian"),
            (Instead(" granian==2.8.7", " gunicorn"), "pip has not installed granian"),
            (Instead(FLASK, "RUN pip install --no-cache-dir granian"), "ping.py imports flask"),
            (
                Instead(FLASK, "RUN pip install --no-cache-dir -r requirements.txt"),
                "there is no /app/requirements.txt",
            ),
            (Instead(FLASK, "COPY requirements.txt ./\n" + FLASK), "has no such file"),
            (Instead(FLASK, "RUN apt-get install -y granian"), "pip has not installed granian"),
            (Instead(FLASK, FLASK.replace("an==", "an=")), "can't read 'granian=2.8.7': blanks"),
            (Instead(FLASK, "RUN pip install flask, granian"), "can't read 'flask,'"),
            (Instead(FLASK, "RUN pip install flask granian 2.8.7"), "can't read '2.8.7'"),
            (Instead(FLASK, "RUN pip install --no-cache-dir"), "says nothing of what to install"),
            (
                Instead(
                    FLASK, "RUN python -m venv /opt/venv && /opt/venv/bin/pip install flask granian"
                ),
                "not found in $PATH",
            ),
            (Instead(FLASK, "RUN uv pip install --system flask granian"), "the image has no uv"),
            (
                Instead(
                    CMD,
                    'CMD ["flask", "--app", "ping", "run", "--host", "0.0.0.0", "--port", "9696"]',
                ),
                "development server",
            ),
            (
                Instead(CMD, 'CMD ["gunicorn", "--bind", "0.0.0.0:9696", "ping:app"]'),
                "granian stays the server",
            ),
            (Instead('"--interface", "wsgi", ', ""), "Flask speaks WSGI"),
            (Instead("FROM python:3.13-slim", "FROM ubuntu:24.04"), "another base"),
            (
                Instead("EXPOSE 9696", "EXPOSE 9696:9696", "0.0.0.0", "192.168.1.20"),
                "192.168.1.20, which is no address of the container",
            ),
            (
                Instead(FLASK, "RUN <<EOF\npip install flask granian\nEOF"),
                "no check here does: use &&",
            ),
        ],
    },
    "no-secrets": {
        "right": [
            Instead(
                "COPY ping.py ./",
                "COPY --chown=nobody ping.py ./",
                "USER 10001",
                "USER nobody:nogroup",
            ),
            Instead(
                "USER 10001\n",
                "",
                "COPY ping.py ./",
                "RUN useradd --system --comment '' app\nUSER app\nCOPY ./ping.py /app",
            ),
            Instead(
                "COPY requirements.txt ./",
                "COPY requirements.txt ping.py ./",
                "COPY ping.py ./\n",
                "",
                "USER 10001",
                "ENV NOBODY=65534\nUSER ${NOBODY}:${NOBODY}",
            ),
            # Only the last stage is the image
            Instead(
                "FROM python:3.13-slim\n",
                "FROM python:3.13-slim AS all\nCOPY . /all\n\nFROM python:3.13-slim\n",
                "COPY ping.py ./",
                "COPY --from=0 /all/ping.py ./",
            ),
        ],
        "wrong": [
            (
                Instead("COPY requirements.txt ./", "COPY requirements.txt ping.py ./code"),
                "write ./code/, a folder",
            ),
            (
                "mended_secrets = broken_secrets",
                ".env, customers.csv can be found in a layer of the image: copy",
            ),
            (Instead("COPY ping.py ./", "COPY . ."), ".env, customers.csv can be found"),
            (
                Instead("COPY ping.py ./", "COPY . .\nRUN rm .env customers.csv"),
                "though a later line deletes it",
            ),
            (
                Instead("COPY ping.py ./", "COPY . .\nRUN rm -f /app/.env"),
                ".env, customers.csv can be found",
            ),
            (Instead("COPY ping.py ./", "COPY ping.py .env ./"), ".env can be found in a layer"),
            (
                Instead(
                    "COPY ping.py ./", "COPY ping.py ./\nENV CHURN_API_KEY=sunflower-over-the-hill"
                ),
                "the key's name or value still stands in ENV",
            ),
            (Instead("COPY ping.py ./", "COPY ping.py ./\nARG CHURN_API_KEY"), "docker history"),
            (
                Instead(
                    "COPY ping.py ./",
                    "COPY ping.py ./\nARG CHURN_API_KEY\nENV CHURN_API_KEY=$CHURN_API_KEY",
                ),
                "docker run -e brings the key",
            ),
            (
                Instead(
                    "COPY ping.py ./",
                    "COPY ping.py ./\n# ENV CHURN_API_KEY=sunflower-over-the-hill",
                ),
                "the key's name or value still stands",
            ),
            (Instead("USER 10001\n", ""), "the service runs as root"),
            (Instead("USER 10001", "USER root"), "the service runs as root"),
            (Instead("USER 10001", "USER 0:0"), "the service runs as root"),
            (Instead("USER 10001\n", "USER 10001\nUSER root\n"), "the service runs as root"),
            (Instead("USER 10001", "USER app"), "the image has no such user"),
            (Instead("USER 10001", "RUN useradd app"), "the service runs as root"),
            (Instead("USER 10001", "RUN adduser -S app\nUSER app"), "it has useradd"),
            (Instead("USER 10001", "USER 10001\nENV CHURN_API_KEY="), "take the line out"),
            (
                Instead("USER 10001\n", "", "WORKDIR /app\n", "WORKDIR /app\nUSER 10001\n"),
                "this user may not write where pip installs",
            ),
            (Instead("COPY ping.py ./", "COPY *.py *.csv ./"), "customers.csv can be found"),
            (Instead("FROM python:3.13-slim", "FROM python"), "another Python some day"),
            (
                Instead(
                    "FROM python:3.13-slim\n",
                    "FROM python:3.13-slim AS all\nCOPY . /all\n\nFROM python:3.13-slim\n",
                    "COPY ping.py ./",
                    "COPY --from=all /all ./",
                ),
                ".env, customers.csv can be found",
            ),
            (Instead("COPY ping.py ./", "COPY --from=code ping.py ./"), "no stage of this name"),
        ],
    },
    "what-is-in-the-image": {
        "right": [
            'held = ["TEAM", "token.txt", "ping.py", "prices.json", "flask"]',
            'held = set("flask prices.json ping.py token.txt TEAM".split())',
        ],
        "wrong": [
            (
                'held = {"flask", "prices.json", "ping.py", "TEAM"}',
                "RUN rm makes a new layer that hides it",
            ),
            (
                'held = {"flask", "pandas", "prices.json", "ping.py", "token.txt", "TEAM"}',
                "pandas is not in the image: report has a copy",
            ),
            ('held = {"flask", "prices.json", "ping.py", "token.txt"}', "TEAM is in the image"),
            (
                'held = {"flask", "prices.json", "ping.py", "token.txt", "TEAM", "MODE"}',
                "settings do not come along with COPY --from",
            ),
            (
                'held = {"flask", "prices.json", "ping.py", "token.txt", "TEAM", "customers.csv"}',
                "it stays in the stage report",
            ),
            (
                'held = {"flask", "requirements.txt", "prices.json", "ping.py", "token.txt", "TEAM"}',
                "it is in /build of the stage packages",
            ),
            (
                'held = {"prices.json", "ping.py", "token.txt", "TEAM"}',
                "flask is in the image: pip put it",
            ),
            (
                'held = {"flask", "ping.py", "token.txt", "TEAM"}',
                "COPY --from=report takes it along",
            ),
            ('held = {"flask", "prices.json", "token.txt", "TEAM"}', "COPY in the last stage"),
            ('held = {"Flask", "prices.json"}', "which is none of the nine"),
            ('held = "flask prices.json"', "should be of type set"),
            ("held = [[]]", "held names [], which is none"),
        ],
    },
    "at-the-front-desk": {
        "right": [
            desk(
                start="docker container run --rm -dit --name=desk -p 127.0.0.1:8080:9696/tcp churn:latest",
                look='docker exec -it desk python -c "import pandas"',
                log="docker container logs -f desk",
                stop="docker container stop --time 5 desk",
            ),
            desk(
                start="docker run --publish=127.0.0.1:8080:9696 --detach=true --rm --name desk -e CHURN_API_KEY churn",
                look='docker run --entrypoint=python3 -it --rm churn -c "import pandas;"',
                log="docker logs desk --timestamps --tail all",
                stop="!docker stop desk",
            ),
            desk(
                start="docker run -dp 127.0.0.1:8080:9696 \\\n  --rm --name desk churn",
                look="docker container exec desk /opt/venv/bin/python -c 'import pandas'",
            ),
            desk(
                start="docker run -d --rm --name desk -p=127.0.0.1:8080:9696 churn",
                look="docker run --rm --entrypoint '' churn python3.13 -c 'import pandas as pd'",
            ),
        ],
        "wrong": [
            (
                desk(start=LINES["start"].replace("127.0.0.1:", "")),
                "opens the port to the whole network",
            ),
            (desk(start=LINES["start"].replace("127.0.0.1:", "0.0.0.0:")), "to the whole network"),
            (
                desk(start=LINES["start"].replace("8080:9696", "9696:8080")),
                "has the sides exchanged",
            ),
            (
                desk(start=LINES["start"].replace("8080:9696", "8080:8080")),
                "does not lead from 8080 outside to 9696",
            ),
            (
                desk(start=LINES["start"].replace("127.0.0.1:8080:9696", "127.0.0.1:8080")),
                "does not lead from 8080",
            ),
            (
                desk(start=LINES["start"].replace("127.0.0.1", "localhost")),
                "wants an address here and no name",
            ),
            (
                desk(start=LINES["start"].replace("127.0.0.1", "192.168.1.20")),
                "is bound to 192.168.1.20",
            ),
            (
                desk(start="docker run churn -d --rm --name desk -p 127.0.0.1:8080:9696"),
                "behind the image",
            ),
            (desk(start=LINES["start"].replace("-d ", "")), "-d (--detach) lets it run"),
            (desk(start=LINES["start"].replace("-d ", "-it ")), "start keeps the terminal"),
            (desk(start=LINES["start"].replace("--rm ", "")), "--rm removes it"),
            (desk(start=LINES["start"].replace("--name desk ", "")), "should name the container"),
            (desk(start=LINES["start"].replace(" churn", "")), "names no image"),
            (desk(start=LINES["start"].replace("churn", "desk")), "takes 'desk' for the image"),
            (
                desk(start=LINES["start"].replace("-p 127.0.0.1:8080:9696", "--network host")),
                "nobody asked for",
            ),
            (desk(start=LINES["start"].replace("-p 127.0.0.1:8080:9696 ", "")), "opens 0"),
            (desk(start=LINES["start"].replace("--name", "-name")), "can't be read"),
            (desk(start="docker start desk"), "this one is new"),
            (desk(start="churn"), "should begin with docker"),
            (desk(log="docker logs churn"), "churn, which is the image"),
            (desk(log="docker logs"), "and names none"),
            (desk(log="docker logs --tail 10 desk"), "shows a part only"),
            (desk(log="docker logs --time desk"), "--timestamps only if it is written in full"),
            (desk(log="docker attach desk"), "what comes from now on"),
            (
                desk(look='docker run --rm churn python -c "import pandas"'),
                "hands 'python -c import pandas' to the ENTRYPOINT",
            ),
            (
                desk(look='docker run --rm churn --entrypoint python -c "import pandas"'),
                "before churn, replaces it",
            ),
            (
                desk(look="docker run --rm --entrypoint \"python -c 'import pandas'\" churn"),
                "its name is python alone",
            ),
            (
                desk(look="docker run --rm --entrypoint python churn -c import pandas"),
                "the code is one word",
            ),
            (
                desk(look='docker run --entrypoint python churn -c "import pandas"'),
                "leaves its container behind",
            ),
            (
                desk(
                    look='docker run --rm --name desk --entrypoint python churn -c "import pandas"'
                ),
                "desk is running",
            ),
            (
                desk(look="docker run --rm --entrypoint pip churn list"),
                "python -c, and the code, is asked for",
            ),
            (
                desk(look='docker exec churn python -c "import pandas"'),
                "the container is named desk",
            ),
            (
                desk(look="docker exec -it desk python"),
                "look starts 'python': python -c, and the code",
            ),
            (desk(look="docker exec desk"), "look starts '': python -c"),
            (
                desk(look="docker run --rm --entrypoint python churn -c 'import numpy'"),
                "look runs 'import numpy': import pandas",
            ),
            (
                desk(look=LINES["start"].replace("--name desk", "--entrypoint python")),
                "leave --name and -p out",
            ),
            (desk(stop="docker"), "stop is docker alone"),
            (desk(stop="docker kill desk"), "gives it no time to finish"),
            (desk(stop="docker rm -f desk"), "without any time to finish"),
            (desk(stop="docker stop churn"), "the container is named desk"),
            (desk(stop="docker stop -t 0 desk"), "0 seconds"),
            (desk(stop="docker stop --signal KILL desk"), "names a signal"),
            (desk(stop='docker stop "desk'), "opened and not closed"),
        ],
    },
}
