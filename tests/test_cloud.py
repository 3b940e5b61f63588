"""Lesson 9 without an account: its eb lines, what eb uploads, the settings, the archive's use."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
import yaml
from answers import lab_09
from conftest import copy_lab, git

from labkit import ROOT, SOLUTIONS

LESSON = ROOT / "notebooks" / "09_the_cloud.ipynb"
SETTINGS = ROOT / ".ebextensions" / "churn.config"
WRONG = {  # line: what the EB CLI says against it
    "eb terminate --now": "unrecognized arguments: --now",
    "eb crate x": "unrecognized arguments: crate x",
    "eb create --instance_typo t3.micro": "unrecognized arguments: --instance_typo",
    "eb scale two": "invalid int value: 'two'",
    "eb scale": "required: number",
    "eb setenv": "required: varKey",
    "eb terminate churn-env another-env": "unrecognized arguments: another-env",
    "eb create churn-env --single --scale 2": 'the "--single" and "--scale" options together',
    "eb deploy churn-env --archive x.zip": 'without the "--region" option',
    "eb logs --all --zip": '"--all" and "--zip" options together',
    "aws s3 ls": "this is no eb line",
}
in_eb_group = pytest.mark.xdist_group("eb")  # one worker: it installs the EB CLI once


def texts_in(code):
    """Yield the texts that stand in Python code; magic lines left out."""
    lines = [line for line in code.splitlines() if not line.lstrip().startswith(("%", "!"))]
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def eb_lines(notebook):
    """Return the notebook's eb lines: in fenced blocks, as `eb ...` in prose, in texts of code."""
    found = set()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```", cell.source, re.M | re.S))
            prose = re.sub(r"^```.*?^```", "", cell.source, flags=re.M | re.S)
            found |= set(re.findall(r"^(?:eb|aws) .+", blocks, re.M))
            named = re.findall(r"`((?:eb|aws) [^`]+)`", prose)
            # `eb setenv` in a sentence names the command, and leaves out what it needs.
            found |= {f"{line} --help" if line.count(" ") == 1 else line for line in named}
        else:
            found |= {
                text for text in texts_in(cell.source) if re.match(r"eb [a-z-]+( |$)", text.strip())
            }
    return {re.sub(r"\s{2,}#.*", "", line).strip() for line in found}


def answers_of_lab_9():
    """Return the eb lines of the right answers that the lab is tested with."""
    right = [text for one in lab_09.ANSWERS.values() for text in one["right"]]
    texts = [text for code in right if isinstance(code, str) for text in texts_in(code)]
    return {text for text in texts if text.startswith("eb ")}


def all_lines():
    paths = [LESSON, *sorted((ROOT / "labs").glob("lab_09*.ipynb"))]
    lines = {line for path in paths for line in eb_lines(nbformat.read(path, as_version=4))}
    for path in (SOLUTIONS / "labs").glob("lab_09*.py"):
        lines |= {text for text in texts_in(path.read_text(encoding="utf-8")) if text[:3] == "eb "}
    return sorted(lines | answers_of_lab_9())


def ask_eb(python, code, folder, *arguments, **variables):
    """Run code by the EB CLI's Python, with no account and a home of its own; return its JSON."""
    bare = {name: text for name, text in os.environ.items() if name[:4] not in ("AWS_", "GIT_")}
    bare |= {"HOME": str(folder), "USERPROFILE": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [python, "-X", "utf8", "-c", code, *arguments],
        cwd=folder,
        env=bare | variables,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def verdicts(python, lines):
    """Return {line: what the EB CLI's own parser says against it}; an empty text if nothing."""
    done = subprocess.run(
        [python, "-X", "utf8", ROOT / "tests" / "eb_parser.py"],
        input=json.dumps(lines),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(lines, json.loads(done.stdout), strict=True))


def test_the_lesson_has_the_commands_that_it_should():
    verbs = {line.split()[1] for line in eb_lines(nbformat.read(LESSON, as_version=4))}
    assert verbs >= {
        "init", "create", "deploy", "open", "status", "health", "events", "logs", "printenv",
        "setenv", "scale", "terminate", "local",
    }  # fmt: skip


def test_eb_lines_are_found_wherever_they_stand():
    cells = [
        nbformat.v4.new_markdown_cell(
            "Say `eb status`.\n\n```bash\neb open\nls\n```\n\neb is fine"
        ),
        nbformat.v4.new_code_cell('commands = ["eb deploy", "ebb"]\n!ls'),
    ]
    found = eb_lines(nbformat.v4.new_notebook(cells=cells))
    assert found == {"eb status --help", "eb open", "eb deploy"}


@pytest.mark.slow
@in_eb_group
def test_every_eb_line_is_one_that_the_eb_cli_takes(eb_python):
    refused = {line: why for line, why in verdicts(eb_python, all_lines()).items() if why}
    assert not refused


@pytest.mark.slow
@in_eb_group
def test_wrong_eb_lines_are_refused(eb_python):
    for line, why in verdicts(eb_python, list(WRONG)).items():
        assert WRONG[line] in why, line


@pytest.mark.slow
@in_eb_group
def test_the_eb_cli_is_the_one_that_the_lesson_speaks_of(eb_python):
    version = json.loads((ROOT / "Pipfile.lock").read_text("utf-8"))["cloud"]["awsebcli"]["version"]
    prose = "\n".join(cell.source for cell in nbformat.read(LESSON, as_version=4).cells)
    assert set(re.findall(r"version (\d+\.\d+\.\d+)", prose)) == {version.removeprefix("==")}
    eb = eb_python.with_name("eb.exe" if sys.platform == "win32" else "eb")
    said = subprocess.run([eb, "--version"], capture_output=True, text=True, check=True).stdout
    assert version.removeprefix("==") in said


def test_the_eb_cli_and_the_lab_can_not_share_an_environment():
    lock = json.loads((ROOT / "Pipfile.lock").read_text("utf-8"))
    lab = lock["default"] | lock["train"] | lock["develop"]
    other = {
        name
        for name, package in lock["cloud"].items()
        if lab.get(name, package).get("version") != package["version"]
    }
    assert other == {"wcwidth", "python-dateutil"}  # the lesson names them


UPLOADS = """
import io, json, sys, zipfile
from contextlib import redirect_stdout
from unittest.mock import patch
from ebcli.operations import commonops
uploaded = {}

def upload(bucket, key, path, **options):
    with zipfile.ZipFile(path) as archive:
        uploaded.update({n: archive.read(n).decode() for n in archive.namelist() if n[-1] != "/"})

def no_such_object(*_):
    from ebcli.objects.exceptions import NotFoundError
    raise NotFoundError("nothing there")

said = io.StringIO()
with (
    patch("ebcli.lib.s3.upload_application_version", upload),
    patch("ebcli.lib.s3.get_object_info", no_such_object),
    patch("ebcli.lib.elasticbeanstalk.get_storage_location", lambda: "bucket"),
    patch("ebcli.operations.commonops.get_app_version_s3_location", lambda *_: (None, None)),
    patch("ebcli.operations.commonops._create_application_version", lambda *_, **__: "label"),
    redirect_stdout(said),
):
    commonops.create_app_version("churn", staged=sys.argv[1:] == ["--staged"])
print(json.dumps([uploaded, said.getvalue()]))
"""


@pytest.fixture
def folder(tmp_path):
    """A project of the EB CLI with a file that is other in the folder than what is staged."""
    (tmp_path / ".elasticbeanstalk").mkdir()
    config = "global: {application_name: churn, default_region: eu-central-1}\n"
    (tmp_path / ".elasticbeanstalk" / "config.yml").write_text(config, encoding="utf-8")
    (tmp_path / "service.py").write_text("version 1")
    return tmp_path


@pytest.mark.slow
@in_eb_group
@pytest.mark.skipif(not shutil.which("git"), reason="left out: needs git")
def test_what_eb_uploads_is_what_the_lesson_says(folder, eb_python):
    """The table in The archive, row by row from below: the folder, the commit, what is named."""

    def uploaded(*options):
        files, said = ask_eb(eb_python, UPLOADS, folder, *options)
        assert "uncommitted" not in said  # the warning that never comes
        return files

    assert uploaded()["service.py"] == "version 1"  # no git: the folder
    git(folder, "init")
    git(folder, "add", "service.py")
    git(folder, "commit", "-m", "First version")
    (folder / "service.py").write_text("version 2")
    git(folder, "add", "service.py")
    (folder / "service.py").write_text("version 3")
    (folder / "secret.txt").write_text("a key")
    assert uploaded() == {"service.py": "version 1"}
    assert uploaded("--staged") == {"service.py": "version 2"}

    (folder / ".ebignore").write_text(".git\n")
    files = uploaded()
    assert files["service.py"] == "version 3" and files["secret.txt"] == "a key"

    git(folder, "archive", "--format=zip", "--output=mine.zip", "HEAD")
    with (folder / ".elasticbeanstalk" / "config.yml").open("a", encoding="utf-8") as config:
        config.write("deploy:\n  artifact: mine.zip\n")
    assert uploaded() == {"service.py": "version 1"}


EMPTY = """
import json
from ebcli.controllers.create import get_and_validate_envars
from ebcli.operations.envvarops import create_environment_variables_list
created = get_and_validate_envars("CHURN_API_KEY=")
set_, removed = create_environment_variables_list(["CHURN_API_KEY="])
print(json.dumps([created, set_, sorted(map(str, removed))]))
"""


@pytest.mark.slow
@in_eb_group
def test_an_empty_key_is_left_out_or_taken_away_without_a_word(folder, eb_python):
    created, set_, removed = ask_eb(eb_python, EMPTY, folder)
    assert (created, set_) == ([], [])
    assert len(removed) == 1 and "CHURN_API_KEY" in removed[0]


PLATFORM = """
import json
from unittest.mock import patch
from ebcli.operations.platformops import get_platform_for_platform_string
chosen = []
linux = [f"64bit Amazon Linux {x} running Docker" for x in ("2 v4.3.0", "2023 v4.9.0")]
for stacks in (linux, linux[::-1]):
    aws = {"list_platform_branches": {"PlatformBranchSummaryList": []},
           "list_available_solution_stacks": {"SolutionStacks": stacks}}
    with patch("ebcli.lib.aws.make_api_call", lambda service, call, **options: aws[call]):
        chosen.append(get_platform_for_platform_string("docker").name)
print(json.dumps(chosen))
"""


@pytest.mark.slow
@in_eb_group
def test_the_short_platform_name_leaves_the_choice_to_a_list(folder, eb_python):
    one, other = ask_eb(eb_python, PLATFORM, folder)
    assert one != other


def faults_of(config):
    """Return what is wrong with Elastic Beanstalk's settings; an empty text if nothing."""
    settings = yaml.safe_load(config)["option_settings"]
    wanted = {
        "aws:elasticbeanstalk:application": {"Application Healthcheck URL": "/health"},
        "aws:elasticbeanstalk:environment:process:default": {"HealthCheckPath": "/health"},
        # No EnvironmentType, which is up to eb create.
        "aws:elasticbeanstalk:environment": {"LoadBalancerType": "application"},
        # For launch templates, by AWS's page "Migrating your Elastic Beanstalk environment to
        # launch templates"; DisableIMDSv1 alone did not do with new accounts (2024).
        "aws:autoscaling:launchconfiguration": {"RootVolumeType": "gp3"},
        "aws:elasticbeanstalk:command": {"Timeout": 1200},  # AWS allows 1 to 3600
    }
    return " ".join(name for name in wanted | settings if settings.get(name) != wanted.get(name))


def test_the_settings_are_those_that_elastic_beanstalk_needs():
    assert faults_of(SETTINGS.read_text(encoding="utf-8")) == ""


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("RootVolumeType: gp3", "RootVolumeType: gp2", "aws:autoscaling:launchconfiguration"),
        ("RootVolumeType: gp3", "DisableIMDSv1: true", "aws:autoscaling:launchconfiguration"),
        ("aws:autoscaling:launchconfiguration", "aws:ec2:instances", "aws:autoscaling"),
        ("LoadBalancerType: application", "LoadBalancerType: classic", "aws:elasticbeanstalk:env"),
        (
            "LoadBalancerType: application",
            "LoadBalancerType: application\n    EnvironmentType: LoadBalanced",
            "aws:elasticbeanstalk:environment",
        ),
        ("HealthCheckPath: /health", "HealthCheckPath: /predict", "process:default"),
        ("Timeout: 1200", "Timeout: 7200", "aws:elasticbeanstalk:command"),
    ],
)
def test_wrong_settings_are_noticed(right, wrong, fault):
    config = SETTINGS.read_text(encoding="utf-8")
    assert right in config
    assert fault in faults_of(config.replace(right, wrong))


SENT = """
import json, sys
from ebcli.objects.requests import CreateEnvironmentRequest
request = CreateEnvironmentRequest(
    app_name="churn", env_name="churn-env", platform=None, single_instance=True,
    instance_types="t3.small",
)
options = request.convert_to_kwargs()["OptionSettings"]
print(json.dumps([[one["Namespace"], one["OptionName"], one["Value"]] for one in options]))
"""


@pytest.mark.slow
@in_eb_group
def test_eb_create_single_sends_nothing_against_our_settings(folder, eb_python):
    """What a command sends goes before churn.config; settings of a balancer are sent anyway."""
    sent = {(namespace, name): value for namespace, name, value in ask_eb(eb_python, SENT, folder)}
    assert sent["aws:elasticbeanstalk:environment", "EnvironmentType"] == "SingleInstance"
    assert sent["aws:elb:loadbalancer", "CrossZone"] == "true"
    settings = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))["option_settings"]
    assert not sent.keys() & {(space, name) for space in settings for name in settings[space]}


def test_the_lesson_shows_all_of_the_settings():
    cells = nbformat.read(LESSON, as_version=4).cells
    outputs = [out.get("text", "") for cell in cells for out in cell.get("outputs", [])]
    assert any(SETTINGS.read_text(encoding="utf-8").strip() in text for text in outputs)


@pytest.mark.skipif(not shutil.which("git"), reason="left out: needs git")
def test_the_archive_unpacks_as_the_lesson_says_and_trains(tmp_path):
    lab = copy_lab(tmp_path / "lab")
    git(lab, "init")
    git(lab, "add", "--force", ".")
    git(lab, "commit", "--quiet", "-m", "What is deployed")
    work = lab / "my" / "work"
    work.mkdir(parents=True)
    deployed = work / "deployed"
    for line in (
        "tools/bundle.py",
        "-m zipfile -e churn-service.zip my/work/deployed",
        "my/work/deployed/solutions/train.py --out my/work/churn-model.bin",
    ):
        subprocess.run([sys.executable, *line.split()], cwd=lab, check=True, capture_output=True)
    assert (deployed / "Dockerfile").read_bytes() == (ROOT / "Dockerfile").read_bytes()
    assert (work / "churn-model.bin").exists()
