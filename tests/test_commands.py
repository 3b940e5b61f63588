"""Every command in the README and the lessons: run here, run by another test, or not run here."""

import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys

import nbformat
import psutil
import pytest
from conftest import copy_lab
from test_address import ADDRESS

from labkit import ROOT
from labkit.service import free_port, is_open, listens, start, wait_until

WINDOWS = "not run here: a line for Windows"
CURL = "test_curl_lines_get_the_answers_that_the_readme_promises"
PIPENV = "test_pipenv_way"
UV = "not run here: it downloads a Python"
PARSED = "not run here: needs an account (test_cloud.py: the EB CLI's own parser)"
LOCAL = "--url http://127.0.0.1:9696"
EB = "conftest.py"  # eb_python: the EB CLI in an environment of its own
WRITTEN = "test_scripts.py"  # the lesson writes the script of solutions/ (test_lessons.py)

# The README's third digit is that of the kernels that the tests ask for (lesson 01).
SAME_KERNELS = (platform.system(), platform.machine()) == ("Linux", "x86_64")
PREDICTION = re.search(r"`(prediction: 0\.\d+)`", (ROOT / "README.md").read_text("utf-8"))[1]

RUN = {  # command: what its output must contain
    "python solutions/train.py": "AUC 0.85",
    "python solutions/churn_serving_simple.py": (PREDICTION if SAME_KERNELS else "")
    + "\nverdict: Not churn\n",
    "python labkit/doctor.py": "✔ Python",
    "python labkit/doctor.py --report": "✔ Python",
    "python solutions/train.py --C 1.0 --out my/work/mine.bin": "AUC 0.85",
}
ELSEWHERE = {  # command: the test that runs it, or why it is not run
    "python3 start.py": "test_start.py",
    "LAB_PORT=9701 python3 start.py": "test_lab.py",
    "python3 start.py reset 03_ping_pong_lab": "test_start.py",
    "python3 start.py minutes": "test_start.py",
    "python3 start.py test": "tests/__main__.py is what it runs, and what runs this",
    "python solutions/churn_serving.py": CURL,
    "python solutions/marketing_service.py": "test_campaign.py",
    f"python solutions/marketing_service.py {LOCAL}": "test_campaign.py",
    f"python solutions/marketing_service.py --db my/work/mine.db --batch-size 1 {LOCAL}": (
        "test_campaign.py"
    ),
    f"python solutions/marketing_service.py --threshold 0.18 --db my/work/cheaper.db {LOCAL}": (
        "test_campaign.py"
    ),
    "curl http://localhost:9696/ping": CURL,
    "curl -i http://localhost:9696/ping": CURL,
    'curl -H "Content-Type: application/json" -d @data/customer.json '
    "http://localhost:9696/predict": CURL,
    "docker build -t churn .": "image.py",
    "docker run -it --rm -p 127.0.0.1:9696:9696 churn": "image.py",
    "docker build --pull --no-cache -t churn .": "not run here: it downloads everything anew",
    "docker build --platform linux/amd64 -t churn .": "not run here: for another processor",
    "docker exec -it churn bash": "not run here: needs a terminal",
    "docker run -it --rm --entrypoint bash churn": "not run here: needs a terminal",
    "docker image rm churn": "not run here: the image would be gone",
    'python -m pip install "pipenv>=2026.7"': "not run here: Pipenv is in the lock",
    "python -m pipenv sync --dev": PIPENV,
    'python -m pipenv sync --categories "packages dev-packages test"': PIPENV,
    "python -m pipenv run lab": PIPENV,
    "python -m pipenv run python solutions/churn_serving.py": "test_pipenv.py",
    "python -m pipenv shell": "test_pipenv.py",
    "python -m venv .venv": "test_pipenv.py",
    "source .venv/bin/activate": "test_pipenv.py",
    ".venv\\Scripts\\activate": WINDOWS,
    "granian --interface wsgi --blocking-threads 2 --port 9696 --working-dir solutions "
    "churn_serving:app": "test_pipenv.py",
    "python solutions/production.py": "test_pipenv.py",
    "python -m pipenv run test": "tests/__main__.py is what it runs, and what runs this",
    "python -m labkit.lab": "test_start.py",
    "python my/work/churn_serving_simple.py": WRITTEN,
    "python my/work/flask_test.py": WRITTEN,
    "python my/work/churn_serving_first.py": WRITTEN,
    "python my/work/my_service.py": "not run here: the learner makes it, it is an exercise",
    "python my/work/hello_service.py": "test_labs.py",  # the lab writes and starts it
    "python my/work/offer_service.py": "test_labs.py",
    "export CHURN_API_KEY=for-practice-only-1234": "not run here: the lab's cell sets it",
    "python my/work/gate_service.py": "test_labs.py",
    "python -m pytest -v my/work/test_churn_service.py": "test_papermill.py",
    "git status --short": "not run here: it says what you have changed",
    "python tools/bundle.py": "test_bundle.py",
    "pipx install awsebcli": "not run here: needs pipx (test_cloud.py takes the other way)",
    "python -m pipenv requirements --categories cloud --hash > my/work/eb.txt": EB,
    "python -m venv my/work/eb": EB,
    "my/work/eb/bin/python -m pip install --no-deps --require-hashes -r my/work/eb.txt": EB,
    "my/work/eb/bin/eb --version": EB,
    "my\\work\\eb\\Scripts\\python -m pip install --no-deps --require-hashes "
    "-r my/work/eb.txt": WINDOWS,
    "my\\work\\eb\\Scripts\\eb --version": WINDOWS,
    'eb init churn-service --platform "Docker running on 64bit Amazon Linux 2023" '
    "--region eu-central-1": PARSED,
    'export CHURN_API_KEY=$(python -c "import secrets; print(secrets.token_urlsafe(32))")': (
        "not run here: it sets a variable of a terminal (test_key.py has keys)"
    ),
    '$env:CHURN_API_KEY = python -c "import secrets; print(secrets.token_urlsafe(32))"': WINDOWS,
    "eb create churn-env --single --instance-types t3.small "
    "--envvars CHURN_API_KEY=$CHURN_API_KEY --timeout 30": PARSED,
    "eb open": PARSED,
    "eb status": PARSED,
    "python solutions/marketing_service.py --url http://ADDRESS --db my/work/cloud.db": (
        "not run here: needs an account (test_key.py sends the key)"
    ),
    "eb deploy --timeout 30": PARSED,
    "eb health": PARSED,
    "eb events": PARSED,
    "eb logs": PARSED,
    "eb setenv CHURN_API_KEY=$CHURN_API_KEY": PARSED,
    "eb scale 2": PARSED,
    "python -m zipfile -e churn-service.zip my/work/deployed": "test_cloud.py",
    "docker build -t churn-deployed my/work/deployed": "image.py",
    "docker run -it --rm -e CHURN_API_KEY -p 127.0.0.1:9696:9696 churn-deployed": "image.py",
    "eb terminate churn-env": PARSED,
    "eb terminate --all": PARSED,
    "kill 12345": "not run here: the number is an example",
    "conda env create -f environment.yml": "not run here: needs conda (test_environment.py)",
    "conda activate churn-lab": "not run here: needs conda (test_environment.py)",
    "python3 start.py setup": "test_set_up.py",
    "python3 start.py doctor --report": "test_set_up.py",
    "python3 start.py pack /media/stick/packages": "test_offline.py",
    "python3 start.py setup --from /media/stick/packages": "test_offline.py",
    "python3 -m http.server --directory packages 8000": "test_offline.py",
    "python3 start.py setup --from http://192.168.1.20:8000": "test_offline.py",
    "export UV_CACHE_DIR=/srv/churn-lab-cache": "test_set_up.py",
    "export PIP_INDEX_URL=https://mirror.example.org/simple": "test_package_settings.py",
    "export PIP_CERT=/etc/ssl/our-school.pem": "test_package_settings.py",
    "export HTTPS_PROXY=http://proxy.example.org:3128": "test_package_settings.py",
    "py start.py": WINDOWS,
    "python3 -m venv ~/uv": UV,
    "~/uv/bin/pip install uv": UV,
    "~/uv/bin/uv python install 3.13": UV,
    "~/.local/bin/python3.13 start.py": UV,
    "curl.exe http://localhost:9696/ping": WINDOWS,
    "curl.exe -i http://localhost:9696/ping": WINDOWS,
    "taskkill /F /T /PID 12345": WINDOWS,
    'curl.exe -H "Content-Type: application/json" -d "@data/customer.json" '
    "http://localhost:9696/predict": WINDOWS,
}

if ADDRESS:
    ELSEWHERE[f"git clone {ADDRESS}"] = "not run here: it downloads the lab"


def commands(text):
    """Return the command lines in a page's fenced blocks, without what stands behind them."""
    blocks = re.findall(r"^```(?!python|dockerfile)\w+\n(.*?)^```", text, re.M | re.S)
    lines = "\n".join(blocks).splitlines()
    return [re.sub(r"\s{2,}.*", "", line) for line in lines if line.strip()]


def pages():
    yield (ROOT / "README.md").read_text(encoding="utf-8")
    for path in sorted([*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("labs/*.ipynb")]):
        cells = nbformat.read(path, as_version=4).cells
        yield "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of what the commands use: they write beside the scripts."""
    copy = tmp_path_factory.mktemp("lab") / "churn lab"
    for name in ("solutions", "data", "labkit", "notebooks", "labs"):
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, copy / name, ignore=shutil.ignore_patterns("work*", "*.bin")
            )
    for name in ("Pipfile", "Pipfile.lock"):
        shutil.copy(ROOT / name, copy)
    (copy / "notebooks" / "work").mkdir()
    return copy


def test_every_command_is_run_or_said_not_to_be():
    assert {command for page in pages() for command in commands(page)} == {*RUN, *ELSEWHERE}


def test_every_test_that_runs_a_command_exists():
    here = globals()
    for where in ELSEWHERE.values():
        known = where in here or where.startswith(("not run here: ", "tests/__main__.py is"))
        assert known or (ROOT / "tests" / where).is_file(), where


@pytest.mark.parametrize("command", RUN)
def test_command_says_what_the_page_promises(command, tree):
    if "churn_serving_simple" in command and not (tree / "solutions/churn-model.bin").exists():
        test_command_says_what_the_page_promises("python solutions/train.py", tree)
    _, *arguments = command.split()
    done = subprocess.run(
        [sys.executable, "-X", "utf8", *arguments], cwd=tree, capture_output=True, encoding="utf-8"
    )
    assert RUN[command] in done.stdout, done.stderr


@pytest.mark.xdist_group("port9696")
@pytest.mark.skipif(not shutil.which("curl"), reason="left out: the curl lines need curl")
def test_curl_lines_get_the_answers_that_the_readme_promises(model_file):
    lines = [shlex.split(line) for line in ELSEWHERE if line.startswith("curl ")]
    with start("churn_serving.py", CHURN_MODEL=str(model_file)):
        answers = [
            subprocess.run(
                [*line, "-sS"], cwd=ROOT, capture_output=True, text=True, check=True
            ).stdout
            for line in lines
        ]
    assert answers[0] == "PONG"
    assert answers[1].startswith("HTTP/1.1 200 OK") and answers[1].endswith("PONG")
    assert json.loads(answers[2]).keys() == {"churn", "churn_probability"}


@pytest.mark.xdist_group("doctor")  # which also has one with Pipenv
@pytest.mark.slow
def test_pipenv_way(tmp_path):
    lab, port = copy_lab(tmp_path / "lab"), free_port()
    foreign = ("VIRTUAL_ENV", "PYTHONPATH")
    environment = {name: text for name, text in os.environ.items() if name not in foreign}
    environment |= {"PIPENV_VENV_IN_PROJECT": "1", "PIPENV_IGNORE_VIRTUALENVS": "1"}
    environment |= {"PIP_NO_COMPILE": "1"}  # which takes long, and is not what is asked
    pipenv = [sys.executable, "-m", "pipenv"]
    quiet = {"cwd": lab, "env": environment, "check": True, "capture_output": True}
    subprocess.run([*pipenv, "sync", "--dev"], **quiet)
    doctor = [*pipenv, "run", "python", "labkit/doctor.py"]
    said = subprocess.run(doctor, **quiet | {"check": False}, encoding="utf-8").stdout
    assert "✔ The packages are those of Pipfile.lock." in said, said
    has_tests = [*pipenv, "run", "python", "-c", "import hypothesis, playwright, xdist"]
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run(has_tests, **quiet)
    options = ["--no-browser", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    server = subprocess.Popen([*pipenv, "run", "lab", *options], cwd=lab, env=environment)
    try:
        assert wait_until(lambda: is_open(port), 60)
        program = " ".join(next(p for p in psutil.process_iter() if listens(p, port)).cmdline())
        assert program.startswith(str(lab / ".venv"))
    finally:
        for process in [*psutil.Process(server.pid).children(recursive=True), server]:
            process.terminate()
        server.wait(30)
    subprocess.run([*pipenv, "sync", "--categories", "packages dev-packages test"], **quiet)
    subprocess.run(has_tests, **quiet)
    few = ("--collect-only", "--ignore-glob=*/test_[!d]*.py")
    subprocess.run([*pipenv, "run", "test", *few], **quiet)


def test_a_page_with_an_unknown_command_is_refused():
    page = "```bash\npython solutions/train.py   (any system)\nrm -rf model\n```"
    assert commands(page) == ["python solutions/train.py", "rm -rf model"]
    assert not set(commands(page)) <= {*RUN, *ELSEWHERE}
