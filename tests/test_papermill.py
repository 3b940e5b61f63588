"""The lessons, run by papermill: other parameters, another working directory, nothing changed."""

import json
import re
import shutil

import nbformat
import papermill
import pytest

from labkit import DATA, ROOT
from labkit.service import free_port, is_open

SERVICE_LESSONS = {  # lesson: what it must have asked the service whose address it was given
    "03_ping_pong.ipynb": ["GET /ping", "GET /pong", "POST /ping"],
    "04_the_churn_service.ipynb": ["POST /predict", "GET /predict"],
    "05_bad_input.ipynb": ["POST /predict", "GET /health"],
    "06_the_campaign.ipynb": ["POST /predict", "POST /predict/batch"],
}
own_services = pytest.mark.xdist_group("port9696")


def run(name, tmp_path, folder=ROOT / "notebooks", **parameters):
    """Run a lesson from a foreign folder; return all that its cells printed or showed as text."""
    target = tmp_path / "out.ipynb"
    papermill.execute_notebook(
        folder / name, target, parameters,
        kernel_name="python3", cwd=tmp_path, progress_bar=False, execution_timeout=120,
    )  # fmt: skip
    notebook = nbformat.read(target, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs)


def contents():
    """All files that a lesson could spoil, with their contents."""
    folders = [ROOT / name for name in ("notebooks", "data", "solutions", "images")]
    files = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    return {path: path.read_bytes() for path in files}


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """Each lesson finds an empty work folder, and leaves all that is kept as it was."""
    work = f"work-{tmp_path.parent.name}-{tmp_path.name}"  # another one for each test
    monkeypatch.setenv("LAB_WORK", work)
    before = contents()
    yield
    shutil.rmtree(ROOT / "my" / work, ignore_errors=True)
    assert contents() == before


def test_start_page_runs(tmp_path):
    assert "known here: True - known there: False" in run("00_start_here.ipynb", tmp_path)


def test_training_lesson_takes_c_and_the_original_data(tmp_path):
    """IBM's own file has one column more, customerID."""
    lines = (DATA / "telco-customer-churn.csv").read_text(encoding="utf-8").splitlines()
    original = [f"{n:04}-ABCDE,{line}" for n, line in enumerate(lines)]
    original[0] = f"customerID,{lines[0]}"
    data = tmp_path / "original.csv"
    data.write_text("\n".join(original) + "\n", encoding="utf-8")

    cautious = run("01_train_the_model.ipynb", tmp_path, C=0.001, data_path=str(data))
    assert "(7043, 21)" in cautious and "(5634, 45)" in cautious
    converged = r"tolerance 1e-08: \d+ steps, (0\.\d+)"
    stored = (ROOT / "notebooks" / "01_train_the_model.ipynb").read_text(encoding="utf-8")
    usual, careful = (float(re.search(converged, text)[1]) for text in (stored, cautious))
    assert usual + 0.05 < careful < 0.2654, "a smaller C must draw her towards the average"


def test_training_lesson_stops_at_data_that_is_not_there(tmp_path):
    with pytest.raises(papermill.PapermillExecutionError, match="FileNotFoundError"):
        run("01_train_the_model.ipynb", tmp_path, data_path="nowhere.csv")


@pytest.mark.parametrize(
    "name",
    [  # flask_test.py and churn_serving_first.py know no other port than 9696
        pytest.param(name, marks=own_services if name < "05" else pytest.mark.slow)
        for name in SERVICE_LESSONS
    ],
)
def test_service_lesson_asks_the_service_at_the_given_address(
    name, tmp_path, churn_service, monkeypatch
):
    port = 9696 if name < "05" else free_port()
    monkeypatch.setenv("LAB_PORT", str(port))
    before = churn_service.log()
    run(name, tmp_path, url=churn_service.url)
    asked = churn_service.log().removeprefix(before)
    assert all(f'"{request} HTTP' in asked for request in SERVICE_LESSONS[name]), asked
    assert not is_open(port), "a service is left behind"


@pytest.mark.slow
def test_lesson_7_locks_where_the_path_is_a_trial_for_its_tools(tmp_path, monkeypatch):
    lab = tmp_path / "Tom's files" / "lab #1, 100%41 ü"
    (lab / "notebooks").mkdir(parents=True)
    shutil.copytree(ROOT / "labkit", lab / "labkit")
    shutil.copy(ROOT / "Pipfile.lock", lab)
    name = "07_the_environment.ipynb"
    lesson = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    [last] = [n for n, cell in enumerate(lesson.cells) if 'pipenv, "install"' in cell.source]
    lesson.cells = lesson.cells[: last + 1]  # what comes behind starts services
    nbformat.write(lesson, lab / "notebooks" / name)
    monkeypatch.setenv("PYTHONPATH", str(lab))
    assert "Installation Succeeded" in run(name, tmp_path, folder=lab / "notebooks")
    [lock] = lab.rglob("campaign/Pipfile.lock")
    assert json.loads(lock.read_text(encoding="utf-8"))["default"].keys() == {"phone-tariff"}


@own_services
def test_service_lesson_stops_at_an_address_where_nobody_answers(tmp_path):
    with pytest.raises(papermill.PapermillExecutionError, match="ConnectionError"):
        run("03_ping_pong.ipynb", tmp_path, url="http://127.0.0.1:9")
    assert not is_open(9696), "the kernel has ended, its service has not"
