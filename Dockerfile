# The churn service in a container: `docker build -t churn .`, then
# `docker run -p 127.0.0.1:9696:9696 churn` (without 127.0.0.1, the whole network may ask it).
#
# The stages below are images of their own, and only the last becomes ours. What the earlier ones
# needed (Pipenv, pandas, the customers' data) stays behind in them.
#
#     base ─┬─ packages ─── training
#           │     │ /opt/venv   │ the model
#           └─────┴─── final ───┘

# Python on a small Debian, for Intel, AMD and Arm alike. The tag moves on with every security fix.
# In production, pin what you tested: `docker buildx imagetools inspect python:3.13-slim` shows the
# digest, and `FROM python:3.13-slim@sha256:…` gets these very bytes every time.
FROM python:3.13-slim AS base

# An environment of its own, so that one COPY takes along all that was installed, and nothing else.
# First on the PATH, its Python is the one that `python` means from here on.
ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH


# ── packages: what the service needs in production ───────────────────────────────────────────────
FROM base AS packages

# Pipenv and all that it needs, from [build] in Pipfile.lock, each file with its hash.
WORKDIR /build
COPY pipenv.txt ./

# Pipenv goes to the system's Python, so it is not in the environment that we take along.
# The cache mount keeps downloads between builds, and out of the image. The secret stays out of it,
# too: it is for a pip that needs settings here (a mirror with a password, a proxy), which
# `docker build --secret id=pip,src=pip.conf .` lends to the lines that install.
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip install --root-user-action=ignore --require-hashes -r pipenv.txt \
    && python -m venv --without-pip "$VIRTUAL_ENV"

# These two files come before the code: as long as they stay the same, the cache has the layers up
# to here, and a change of the code is built in seconds.
COPY Pipfile Pipfile.lock ./

# verify stops the build if Pipfile.lock is not of this Pipfile. (It would take an index in pip's
# settings for a part of the Pipfile, so here it sees none.) Then the lock becomes lists for pip.
RUN export PIP_CONFIG_FILE=/dev/null PIPENV_VERBOSITY=-1 \
    && pipenv verify \
    && pipenv requirements --hash > packages.txt \
    && pipenv requirements --hash --categories train > train.txt

# Only [packages] is installed. The packages' own tests, 57 MB, go again in the same line: a later
# one could not make this layer smaller. (NumPy itself imports one of these files, _natype.) The
# compiled .pyc files, 35 MB, stay: without them the service takes three times as long to start.
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip --python "$VIRTUAL_ENV" install --require-hashes -r packages.txt \
    && find "$VIRTUAL_ENV" -regex '.*/tests?/.*' -type f ! -name '_natype.*' -delete


# ── training: the model is made here, with the same versions that will load it ───────────────────
FROM packages AS training

# [train] adds pandas, in this stage's copy of the environment only.
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip --python "$VIRTUAL_ENV" install --require-hashes -r train.txt

COPY data data
COPY solutions/train.py solutions/
# The last digits of what is learned are up to the processor that learns. With these settings every
# x86-64 processor computes like the same one, with one thread: so every build makes the same model.
ENV OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1
RUN python solutions/train.py --out churn-model.bin


# ── final: what runs in production ───────────────────────────────────────────────────────────────
FROM base AS final

WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY --from=training /build/churn-model.bin /build/churn-model.json ./
# Readable for everybody, whatever the access rights on the machine that builds.
COPY --chmod=644 solutions/churn_serving.py solutions/production.py ./

# Not root: a hole in the service is then not a hole in the container. A number needs no entry in
# /etc/passwd, and a platform can see that it is not root's 0. All files here belong to root, so the
# service can't change itself, and needs no place to write: `docker run --read-only` works.
USER 10001:10001

# Each can be changed without a new build: `docker run -e PORT=8080 -p 127.0.0.1:9696:8080 churn`.
# 0.0.0.0 is every address of the container: 127.0.0.1 in here can't be reached from outside.
# Python's output goes to `docker logs` at once, and it writes no .pyc files.
ENV CHURN_HOST=0.0.0.0 \
    PORT=9696 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

# Tells people and platforms which port to ask; `-p` is what opens it.
EXPOSE 9696

# `docker ps` then says healthy or unhealthy. The image has no curl, Python does as well.
# A proxy in the environment is for the outside, not for this question.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.build_opener(web.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"]

# production.py is a front door for churn_serving.py: it waits for slow clients so that the service
# need not, and writes one line a request. One process answers: for more load, run more containers.
# At SIGTERM (`docker stop`) it takes no new connection, finishes what runs, and ends; after 8
# seconds it ends what still hangs, since Docker itself kills everything after 10.
# The server in it is granian. If the service can't start (a damaged model), granian ends with an
# error, so the platform notices; gunicorn would start it again for ever, and waitress drops running
# requests at SIGTERM.
# The brackets start the program itself, with no shell between it and Docker's signals.
ENTRYPOINT ["python", "production.py"]

# What `docker image inspect` says of the image's origin. The commit, and the repository's address,
# the build is told: `docker build --build-arg REVISION=$(git rev-parse HEAD) --build-arg SOURCE=… .`
# They come last, so that a new commit by itself makes no layer anew.
ARG SOURCE=""
ARG REVISION=""
LABEL org.opencontainers.image.title="churn" \
      org.opencontainers.image.description="Answers how likely a customer is to leave" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.revision="$REVISION"
