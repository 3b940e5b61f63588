"""The texts in the boxes "If it goes wrong": each is provoked for real, so that it is exact."""

import os
import re
import shutil
import socket
import subprocess
import sys

import nbformat
import pytest

from labkit import ROOT, SOLUTIONS
from labkit.service import start

LOAD = """
import pandas as pd
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
customers, left = [{"contract": "one_year"}, {"contract": "two_year"}], [0, 1]
"""
PICKLE = """
import pickle
dv, model = pickle.load(open("churn-model.bin", "rb"))
"""
OLD_MODEL = """
import pickle
from unittest.mock import patch
from sklearn.linear_model import LogisticRegression
with patch("sklearn.base.__version__", "1.2.2"):
    old = pickle.dumps(LogisticRegression())
pickle.loads(old)
"""
OWN_CLASS = """
import pickle, subprocess, sys
class MyClass: pass
pickle.dump(MyClass(), open("mine.bin", "wb"))
subprocess.run([sys.executable, "-c", "import pickle; pickle.load(open('mine.bin', 'rb'))"])
"""
PING = "import runpy; ping = runpy.run_path('flask_test.py')['app'].test_client()\n"
FIRST = "import runpy; first = runpy.run_path('churn_serving_first.py')['app'].test_client()\n"
BUSY = """
import runpy, socket
taken = socket.create_server(("127.0.0.1", 9696))
runpy.run_path("flask_test.py", run_name="__main__")
"""
DAMAGED = """
import os, shutil, subprocess, sys
from pathlib import Path
Path("damaged.bin").write_bytes(Path("churn-model.bin").read_bytes() + b" ")
shutil.copy("churn-model.json", "damaged.json")
"""
OTHER_VERSION = """
import json, os, shutil, subprocess, sys
from pathlib import Path
card = json.loads(Path("churn-model.json").read_text())
card["versions"]["scikit-learn"] = "1.0"
shutil.copy("churn-model.bin", "other.bin")
Path("other.json").write_text(json.dumps(card))
"""
UNFIT = """
import json, os, shutil, subprocess, sys
from pathlib import Path
card = json.loads(Path("churn-model.json").read_text())
for name, other in [("fibre", {"features": {}}), ("swapped", {"example_probability": 0.5})]:
    shutil.copy("churn-model.bin", f"{name}.bin")
    Path(f"{name}.json").write_text(json.dumps(card | other))
"""
SERVE = """
script = os.environ["SOLUTIONS"] + "/churn_serving.py"
subprocess.run([sys.executable, script], env=os.environ | {})
"""
CAMPAIGN = """
import os, subprocess, sys
def campaign(*options, url=os.environ.get("CHURN")):
    script = os.environ["SOLUTIONS"] + "/marketing_service.py"
    subprocess.run([sys.executable, script, "--db", "campaign.db", "--url", url, *options])
"""
DATABASE = """
import sqlite3
db = sqlite3.connect("shop.db", isolation_level=None)
"""
HTML = "import requests; page = requests.Response(); page._content = b'<!doctype html>'\n"
NOBODY = "ConnectionError: HTTPConnectionPool(host='127.0.0.1', port=9696): Max retries exceeded"
NO_FLASK = "import flask"
SHELF = """
import os, subprocess, sys
from pathlib import Path
import nbformat
lesson = Path(os.environ["SOLUTIONS"]).parent / "notebooks" / "07_the_environment.ipynb"
for cell in nbformat.read(lesson, as_version=4).cells:
    if cell.source.startswith(("def contents", "import hashlib", "def publish", "OLD =")):
        exec(cell.source)
publish(Path("shelf"), "phone-tariff", "1.0.0", OLD)
for name in [name for name in os.environ if name.startswith("PIP")]:
    del os.environ[name]
os.environ |= {"PIP_CONFIG_FILE": os.devnull, "COLUMNS": "1000", "VIRTUAL_ENV": sys.prefix}
def pip(*words):
    pip = [sys.executable, "-m", "pip", "download", "--index-url", Path("shelf").resolve().as_uri()]
    subprocess.run([*pip, *words])
def pipenv(*words):
    Path("Pipfile").write_text("[packages]")
    Path("Pipfile.lock").write_text('{"_meta": {"hash": {"sha256": "0"}, "sources": []}}')
    subprocess.run([sys.executable, "-m", "pipenv", *words])
"""
GRANIAN = """
import socket, subprocess, sys
with socket.create_server(("127.0.0.1", 0)) as door:
    port = str(door.getsockname()[1])
granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--blocking-threads", "2"]
subprocess.run([*granian, "--port", port, "churn_serving:app"])
"""
EB = """# for a Python that has the EB CLI
import os, sys
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
here = os.getcwd()
os.environ |= {"HOME": here, "USERPROFILE": here, "AWS_EC2_METADATA_DISABLED": "true"}
def initialised():
    os.mkdir(".elasticbeanstalk")
    with open(".elasticbeanstalk/config.yml", "w") as config:
        config.write("global: {application_name: churn, default_region: eu-central-1, ")
        config.write("default_platform: Docker}")
def eb(line):
    sys.argv = line.split()
    from ebcli.core.ebcore import main
    main()
"""
TWO_LINUXES = """
from unittest.mock import patch
linux = ["64bit Amazon Linux 2023 v4.9.0", "64bit Amazon Linux 2 v4.3.0"]
aws = {"list_platform_branches": {"PlatformBranchSummaryList": []},
       "list_available_solution_stacks": {"SolutionStacks": [f"{x} running Docker" for x in linux]}}
initialised()
with patch("ebcli.lib.aws.make_api_call", lambda service, call, **options: aws[call]):
    eb("eb local run")
"""
KEYED = """
import os, runpy
os.environ |= {"CHURN_MODEL": "churn-model.bin", "CHURN_API_KEY": KEY}
service = runpy.run_path(os.environ["SOLUTIONS"] + "/churn_serving.py")
print(service["app"].test_client().post("/predict", json={}).text)
"""
GATE = """
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
class Gate(BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(401)
        self.end_headers()
        self.wfile.write(b"{}")
gate = HTTPServer(("127.0.0.1", 0), Gate)
Thread(target=gate.serve_forever, daemon=True).start()
campaign(url=f"http://127.0.0.1:{gate.server_port}")
"""
REPOSITORY = """
import os, subprocess, sys
from pathlib import Path
for name in [name for name in os.environ if name.startswith("GIT_")]:
    del os.environ[name]
sys.path.insert(0, os.environ["SOLUTIONS"] + "/../tools")
import bundle
who = ["-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "commit.gpgsign=false"]
def git(*words):
    subprocess.run(["git", *who, *words], check=True)
for name in bundle.contents(bundle.ROOT):
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).touch()
Path(".dockerignore").write_bytes((bundle.ROOT / ".dockerignore").read_bytes())
git("init")
"""
# What a Docker engine says is in the record of lesson 8: tools/record_docker.py provokes it.
RECORDED = """
from labkit.labs.container import record
print(*(run["output"] for run in record()["run"] if run["line"] == {!r}))
"""

PROVOKED = {  # lesson: {text in the box: code that provokes it}
    "00_start_here": {
        "ModuleNotFoundError: No module named 'labkit'": "import labkit",
        "NameError: name 'labkit' is not defined": "labkit.work_folder()",
    },
    "01_train_the_model": {
        "FileNotFoundError: [Errno 2] No such file or directory": LOAD + "pd.read_csv('nowhere')",
        "ValueError: The 'liblinear' solver does not support multiclass classification "
        "(n_classes >= 3).": LOAD + "LogisticRegression(solver='liblinear').fit("
        "DictVectorizer(sparse=False).fit_transform(customers), [0, 0])",
        "ValueError: orient 'rows' not understood": LOAD
        + "pd.DataFrame(customers).to_dict(orient='rows')",
        "ValueError: Only sparse matrices with 32-bit integer indices are accepted.": LOAD
        + "LogisticRegression(solver='liblinear').fit("
        "DictVectorizer().fit_transform(customers), left)",
    },
    "02_save_and_load": {
        "FileNotFoundError: [Errno 2] No such file or directory: 'churn-model.bin'": "import os; "
        "os.chdir('/'); open('churn-model.bin', 'rb')",
        "UnsupportedOperation: read": "import pickle; pickle.load(open('lost.bin', 'wb'))",
        "EOFError: Ran out of input": "import pickle; open('empty.bin', 'wb').close(); "
        "pickle.load(open('empty.bin', 'rb'))",
        "TypeError: '_io.BufferedWriter' object cannot be interpreted as an integer": PICKLE
        + "pickle.dump(dv, model, open('both.bin', 'wb'))",
        "TypeError: a bytes-like object is required, not 'str'": "open('text.bin', 'wb').write('')",
        "TypeError: write() argument must be str, not bytes": PICKLE
        + "pickle.dump(model, open('text.bin', 'w'))",
        "UnicodeDecodeError: 'utf-8' codec can't decode byte": "open('churn-model.bin').read()",
        "ValueError: X has 20 features, but LogisticRegression is expecting 45 features as "
        "input.": PICKLE + LOAD + "import json; customer = json.load(open('customer.json')); "
        "model.predict_proba(DictVectorizer(sparse=False).fit_transform([customer]))",
        "InconsistentVersionWarning: Trying to unpickle estimator": OLD_MODEL,
        "ModuleNotFoundError: No module named 'sklearn'": "import pickle; "
        "pickle.load(open('churn-model.bin', 'rb'))",
        "AttributeError: Can't get attribute 'MyClass' on": OWN_CLASS,
        "AttributeError: module '__main__' has no attribute 'MyClass'": OWN_CLASS,
    },
    "03_ping_pong": {
        "Address already in use": BUSY,
        "Port 9696 is in use by another program.": BUSY,
        NOBODY + " with url: /ping": "import requests; requests.get('http://127.0.0.1:9696/ping')",
        "curl: (7) Failed to connect to localhost port 9696": "import subprocess; "
        "subprocess.run(['curl', 'http://localhost:9696/ping'])",
        "InvalidSchema: No connection adapters were found for 'localhost:9696/ping'": "import "
        "requests; requests.get('localhost:9696/ping')",
        "404 Not Found": PING + "print(ping.get('/pong').text)",
        "405 Method Not Allowed": PING + "print(ping.post('/ping').text)",
        "ModuleNotFoundError: No module named 'flask'": NO_FLASK,
        "can't open file": "import subprocess, sys; subprocess.run([sys.executable, 'nowhere.py'])",
        "[Errno 2] No such file or directory": "import subprocess, sys; "
        "subprocess.run([sys.executable, 'nowhere.py'])",
    },
    "04_the_churn_service": {
        "415 Unsupported Media Type": FIRST + "print(first.post('/predict', data='{}').text)",
        "JSONDecodeError: Expecting value: line 1 column 1 (char 0)": HTML + "page.json()",
        "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 "
        "(char 1)": "import json; json.loads(str({'churn': True}))",
        "400 Bad Request": FIRST + "print(first.post('/predict', data='{tenure: 41}', "
        "content_type='application/json').text)",
        "TypeError: Object of type bool is not JSON serializable": "import json, numpy; "
        "json.dumps({'churn': numpy.float64(0.06) >= 0.5})",
        "TypeError: Object of type int64 is not JSON serializable": "import pandas, requests; "
        "requests.post('http://127.0.0.1', json={'tenure': pandas.Series([41])[0]})",
        "500 Internal Server Error": FIRST
        + "print(first.post('/predict', json={'tenure': None}).text)",
        "405 Method Not Allowed": FIRST + "print(first.get('/predict').text)",
        NOBODY + " with url: /predict": "import requests; "
        "requests.post('http://127.0.0.1:9696/predict')",
        "FileNotFoundError: [Errno 2] No such file or directory": "import os, runpy; "
        "os.remove('churn-model.bin'); runpy.run_path('churn_serving_first.py')",
    },
    "05_bad_input": {
        "Send JSON, with the header Content-Type: application/json.": "import os, requests; "
        "print(requests.post(os.environ['CHURN'] + '/predict', data={'tenure': 41}).text)",
        "requests.exceptions.JSONDecodeError: Expecting value: line 1 column 1 (char 0)": HTML
        + "page.json()",
        "requests.exceptions.InvalidJSONError: Out of range float values are not JSON compliant": (
            "import requests; requests.post('http://127.0.0.1', json={'tenure': float('nan')})"
        ),
        "No model and card at": "import os, subprocess, sys"
        + SERVE.format("{'CHURN_MODEL': 'nowhere.bin'}"),
        "is not the file that its card describes: run train.py again.": DAMAGED
        + SERVE.format("{'CHURN_MODEL': 'damaged.bin'}"),
        "is of scikit-learn": OTHER_VERSION + SERVE.format("{'CHURN_MODEL': 'other.bin'}"),
        "was trained on other fields or values than Customer's: train again.": UNFIT
        + SERVE.format("{'CHURN_MODEL': 'fibre.bin'}"),
        "does not give the answer that its card knows: run train.py again.": UNFIT
        + SERVE.format("{'CHURN_MODEL': 'swapped.bin'}"),
        "is in use by another program": "import os, subprocess, sys; "
        "port = os.environ['CHURN'].rpartition(':')[2]"
        + SERVE.format("{'CHURN_MODEL': 'churn-model.bin', 'PORT': port}"),
    },
    "06_the_campaign": {
        "does not answer (ConnectionError), tried six times": CAMPAIGN
        + "campaign('--patience', '0.2', url='http://127.0.0.1:9')",
        "Read timed out.": "import requests, socket; silent = socket.create_server(('', 0)); "
        "requests.get(f'http://127.0.0.1:{silent.getsockname()[1]}', timeout=0.2)",
        "InvalidSchema: No connection adapters were found for": "import requests; "
        "requests.get('127.0.0.1:9696')",
        "MissingSchema: Invalid URL": "import requests; requests.get('churn-service/predict')",
        "it must begin with http:// or https://": CAMPAIGN + "campaign(url='127.0.0.1:9696')",
        "JSONDecodeError: Expecting value: line 1 column 1 (char 0)": HTML + "page.json()",
        "IntegrityError: UNIQUE constraint failed: email.customer": DATABASE
        + "db.execute('CREATE TABLE email (customer INTEGER, UNIQUE (customer))'); "
        "db.execute('INSERT INTO email VALUES (8)'); db.execute('INSERT INTO email VALUES (8)')",
        "OperationalError: database is locked": DATABASE + "db.execute('BEGIN IMMEDIATE'); "
        "sqlite3.connect('shop.db', timeout=0.1).execute('CREATE TABLE email (id)')",
        "OperationalError: cannot start a transaction within a transaction": DATABASE
        + "db.execute('BEGIN'); db.execute('BEGIN')",
        "OperationalError: no such table: customer": DATABASE
        + "db.execute('SELECT * FROM customer')",
        "The campaign was begun with threshold": CAMPAIGN
        + "campaign('--batch-size', '1000'); campaign('--threshold', '0.4')",
        "The campaign was begun with model": CAMPAIGN
        + "campaign('--batch-size', '1000'); import sqlite3; db = sqlite3.connect('campaign.db'); "
        "db.execute('UPDATE campaign SET model_sha256 = 0'); db.commit(); campaign('--add', '2')",
    },
    "07_the_environment": {
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.": SHELF
        + "line = 'phone-tariff==1.0.0 --hash=sha256:' + 64 * '0'; "
        "Path('lines.txt').write_text(line); pip('-r', 'lines.txt')",
        "ERROR: Cannot install": SHELF + "pip('phone-tariff==1.0.0', 'phone-tariff>=1.3')",
        "because these package versions have conflicting dependencies.": SHELF
        + "pip('phone-tariff==1.0.0', 'phone-tariff>=1.3')",
        "ERROR: No matching distribution found for": SHELF + "pip('phone-tarif')",
        "Pipfile.lock is out-of-date.": SHELF + "pipenv('verify')",
        "ERROR:: Aborting deploy": SHELF + "pipenv('install', '--deploy')",
        "Pipenv found itself running within a virtual environment": SHELF + "pipenv('verify')",
        "ModuleNotFoundError: No module named 'phone_tariff'": "import phone_tariff",
        "No module named pipenv": "import subprocess, sys; "
        "subprocess.run([sys.executable, '-I', '-S', '-m', 'pipenv'])",
        "RuntimeError: Could not import 'churn_serving'.": GRANIAN,
        "Unexpected exit from worker-1": GRANIAN,
    },
    "08_the_container": {
        "Cannot connect to the Docker daemon": RECORDED.format("docker -H tcp://127.0.0.1:9 ps"),
        "failed to read dockerfile": RECORDED.format("docker build -t churn-mistake notebooks"),
        "failed to compute cache key": RECORDED.format(
            "docker build -t churn-mistake -f Dockerfile solutions"
        ),
        "not found": RECORDED.format("docker build -t churn-mistake -f Dockerfile solutions"),
        "port is already allocated": RECORDED.format(
            "docker run --rm --name churn-2 -p 127.0.0.1:9696:9696 churn"
        ),
        'Conflict. The container name "/churn" is already in use': RECORDED.format(
            "docker run --rm --name churn churn"
        ),
        "Unable to find image": RECORDED.format("docker run --rm localhost:9/churm"),
        "executable file not found in $PATH": RECORDED.format(
            "docker run --rm --entrypoint gunicorn churn"
        ),
        "No such container": RECORDED.format("docker logs churn-mistake"),
    },
    "09_the_cloud": {
        "ERROR: This directory has not been set up with the EB CLI": EB + "eb('eb status')",
        "ERROR: CredentialsError - Operation Denied. You appear to have no credentials": EB
        + "initialised(); eb('eb local status')",
        "eb: error: unrecognized arguments:": EB + "eb('eb terminate --now')",
        'ERROR: InvalidOptionsError - You cannot use the "--single" and "--scale" options '
        "together.": EB + "initialised(); eb('eb create churn-env --single --scale 2')",
        'ERROR: NotSupportedError - You can use "eb local" only with preconfigured, generic and '
        "multicontainer Docker platforms.": EB + TWO_LINUXES,
        "changed since the last commit. Commit, then pack.": REPOSITORY + "git('add', '.'); "
        "git('commit', '-m', 'x'); Path('Dockerfile').write_text('FROM x'); "
        "bundle.bundle(Path('x.zip'), Path.cwd())",
        "not in the last commit": REPOSITORY + "git('add', 'Pipfile'); git('commit', '-m', 'x'); "
        "bundle.bundle(Path('x.zip'), Path.cwd())",
        "Send Authorization: Bearer KEY": "KEY = 16 * 'k'" + KEYED,
        "CHURN_API_KEY must have 16 or more ASCII characters, no spaces: or leave it unset.": (
            "KEY = 'short'" + KEYED
        ),
        "wants its key (401): set CHURN_API_KEY to the key.": CAMPAIGN + GATE,
    },
}
BEFORE_3_14 = {"AttributeError: Can't get attribute 'MyClass' on"}
SINCE_3_14 = {"AttributeError: module '__main__' has no attribute 'MyClass'"}
OF_OTHER_PYTHONS = BEFORE_3_14 if sys.version_info >= (3, 14) else SINCE_3_14
NEEDS_GIT = pytest.mark.skipif(not shutil.which("git"), reason="left out: needs git")
BARE = {"import labkit", NO_FLASK, "import pickle; pickle.load(open('churn-model.bin', 'rb'))"}
CASES = [  # what one run says is looked up in it together
    pytest.param(
        lesson,
        [text for text in cases if cases[text] == code],
        code,
        id=f"{lesson[:2]}-{next(text for text in cases if cases[text] == code)[:40]}",
        marks=[
            *([pytest.mark.xdist_group("port9696")] if "9696" in code else []),
            *([pytest.mark.xdist_group("eb"), pytest.mark.slow] if code.startswith(EB) else []),
            *([NEEDS_GIT] if code.startswith(REPOSITORY) else []),
        ],
    )
    for lesson, cases in PROVOKED.items()
    for code in dict.fromkeys(cases.values())
]


def summaries(lesson):
    """The exact texts that a lesson's boxes name: what is set in bold."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{lesson}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells)
    boxes = re.findall(r"<details>(.+?)</details>", text, re.DOTALL)
    return [bold for box in boxes for bold in re.findall(r"<b>(.+?)</b>", box)]


@pytest.mark.parametrize(("lesson", "expected", "code"), CASES)
def test_error_text_is_what_python_says(lesson, expected, code, tmp_path, model_file, request):
    if "'curl'" in code and not shutil.which("curl"):
        pytest.skip("left out: needs curl")
    if code == BUSY and sys.platform == "win32":
        pytest.skip("Windows words it otherwise")
    for name in ("flask_test.py", "churn_serving_first.py"):
        shutil.copy(SOLUTIONS / name, tmp_path)
    for file in (model_file, model_file.with_suffix(".json"), ROOT / "data" / "customer.json"):
        shutil.copy(file, tmp_path)
    environment = os.environ | {"SOLUTIONS": str(SOLUTIONS)}
    if "CHURN" in code:
        environment["CHURN"] = request.getfixturevalue("churn_service").url
    bare = ["-I", "-S"] if code in BARE else []  # as a Python without the lab
    python = request.getfixturevalue("eb_python") if code.startswith(EB) else sys.executable
    command = [python, *bare, "-X", "utf8", "-c", code]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", cwd=tmp_path, env=environment, timeout=60
    )
    missing = {text for text in expected if text not in done.stderr + done.stdout}
    assert missing == OF_OTHER_PYTHONS & set(expected)
    assert set(expected) <= set(summaries(lesson))


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_every_error_text_in_a_box_is_provoked(path):
    assert set(summaries(path.stem)) == set(PROVOKED[path.stem])


# The README's table "By what it says". Texts of other systems and of shells are not run here.

README = (ROOT / "README.md").read_text(encoding="utf-8")
OURS = {  # text in the README: the file that says it
    "This is Python": "start.py",
    "and the lab needs ": "start.py",
    "This Python lacks its modules venv and ensurepip: ": "labkit/set_up.py",
    "Getting and installing the packages": "labkit/set_up.py",
    "failed, the lines above say why: ": "labkit/set_up.py",
    "start.py lies in ": "start.py",
    ", and the lab does not ": "start.py",
    " was not made by start.py, so it stays as it is: ": "labkit/set_up.py",
    "`, which separates folders in PATH, ": "labkit/set_up.py",
    " MB free, and setting up needs ": "labkit/set_up.py",
    " can't be replaced ": "labkit/set_up.py",
    "Until then: JupyterLab opens with the environment as it was.": "labkit/set_up.py",
    "JupyterLab answers at": "labkit/lab.py",
    "There is no folder for temporary files: ": "labkit/lab.py",
    "Nothing can be written to the home folder ": "labkit/doctor.py",
    "This kernel is not the lab's.": "notebooks/00_start_here.ipynb",
    "There is no model ": "solutions/churn_serving_simple.py",
    ": run train.py first.": "solutions/churn_serving_simple.py",
}


@pytest.mark.parametrize("text", OURS)
def test_readme_quotes_our_messages(text):
    assert text.strip() in README
    assert text in (ROOT / OURS[text]).read_text(encoding="utf-8")


@pytest.mark.xdist_group("port9696")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows words it otherwise")
def test_readme_quotes_what_flask_says_of_a_busy_port():
    with socket.create_server(("127.0.0.1", 9696)):
        command = [sys.executable, SOLUTIONS / "flask_test.py"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert said.returncode != 0
    for text in ("Address already in use", "Port 9696 is in use by another program"):
        assert text in said.stderr and f"`{text}`" in README


@pytest.mark.xdist_group("port9696")
@pytest.mark.skipif(not shutil.which("curl"), reason="left out: needs curl")
def test_readme_quotes_what_curl_and_flask_say():
    command = ["curl", "http://localhost:9696/ping"]
    said = subprocess.run(command, capture_output=True, text=True).stderr
    text = "curl: (7) Failed to connect to localhost port 9696"
    assert text in said and text in README
    with start("flask_test.py") as service:
        assert "Running on http://127.0.0.1:9696" in service.log()
    assert "Running on http://127.0.0.1:9696" in README
