"""The learner's copies in JupyterLab, in a real browser: pictures are there, nothing is red.

Every lesson is opened, and of some all cells are run, too; nbval runs the cells of all. It is
another copy of the lab, so that no learner's own is touched.

CHROMIUM names the browser, SCREENSHOTS a folder for pictures of each page.
"""

import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from conftest import assert_one_sentence, copy_lab
from playwright.sync_api import sync_playwright

from labkit import ROOT
from labkit.service import is_open, wait_until

sys.path.insert(0, str(ROOT / "tools"))
import browser

NOTEBOOKS = ROOT / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))
RUN = {"00", "01", "03"}  # lessons of which all cells are run, 03 beside a terminal
PORT = 9696
AUTOSAVE = """() => window.jupyterapp.serviceManager.settings
    .fetch('@jupyterlab/docmanager-extension:plugin').then(plugin => plugin.raw)"""

own_services = pytest.mark.xdist_group("port9696")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A copy of the lab, for this test's learner."""
    return copy_lab(tmp_path_factory.mktemp("lab") / "churn lab")


@pytest.fixture(scope="module")
def lab(root, tmp_path_factory):
    """JupyterLab, as a learner starts it; gives the address of a file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LAB_WORK", raising=False)  # there it is my/work, as a learner's is
        with browser.jupyterlab(tmp_path_factory.mktemp("jupyter"), root) as address:
            yield address


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        try:
            chromium = browser.open_browser(playwright)
        except browser.NoBrowser as reason:
            pytest.skip(f"left out: {reason}")
        yield chromium
        chromium.close()


@pytest.fixture
def page(chromium, lab):
    """A page of its own for each test; afterwards no kernel and no terminal is left."""
    context = chromium.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(60_000)
    page = context.new_page()
    yield page
    page.bring_to_front()
    browser.shut_down(page)
    context.close()


def screenshot(page, name):
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def red(cells):
    """What a learner would see in red: errors, and what was written to stderr."""
    for cell in cells:
        for output in cell["outputs"]:
            if output["output_type"] == "error" or output.get("name") == "stderr":
                yield cell["source"], output


def assert_all_well(cells, counting_from=1):
    counts = [cell["count"] for cell in cells]
    assert counts == list(range(counting_from, counting_from + len(cells)))
    assert not list(red(cells))


def open_lesson(page, lab, name):
    """Open a lesson and hold that the pictures of its text are there."""
    lesson = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in lesson.cells if cell.cell_type == "markdown")
    expected = set(re.findall(r"!\[(.*?)\]\(", text))
    assert expected
    browser.open_notebook(page, lab(f"my/{name}.ipynb"))
    assert not browser.has_outputs(page), "there is nothing left to find out"
    screenshot(page, name)

    def loaded():
        return {picture["name"] for picture in browser.pictures(page) if picture["loaded"]}

    # JupyterLab makes the cells one by one, the pictures with them.
    assert wait_until(lambda: loaded() >= expected, 60), expected - loaded()


@pytest.mark.xdist_group("browser")
@pytest.mark.parametrize("name", [path.stem for path in LESSONS if path.stem[:2] not in RUN])
def test_lesson_opens_in_the_browser(page, lab, name):
    open_lesson(page, lab, name)


@pytest.mark.xdist_group("browser")
def test_start_page_runs_in_the_browser(page, lab):
    open_lesson(page, lab, "00_start_here")
    assert_all_well(browser.run_all(page))
    assert browser.has_outputs(page)
    assert page.locator("text=Would you like").count() == 0, "JupyterLab asks about news"
    assert not browser.cut_names(page), "the file browser shows a name in part"
    page.goto(page.url.partition("/lab/")[0])
    page.wait_for_url("**/lab/tree/my/00_start_here.ipynb*")
    assert "86400" in page.evaluate(AUTOSAVE), "JupyterLab would save into the lessons"


@pytest.mark.xdist_group("browser")
def test_lesson_1_runs_in_the_browser(page, lab):
    open_lesson(page, lab, "01_train_the_model")
    cells = browser.run_all(page)
    screenshot(page, "01_train_the_model-run")
    assert_all_well(cells)


@pytest.mark.xdist_group("browser")
def test_a_lab_is_worked_with_the_keyboard(page, lab, root):
    path = root / "my" / "01_train_the_model_lab.ipynb"
    before = path.read_bytes()

    def check():
        return browser.type_and_run(page, 'lab.check("auc-by-hand")')

    browser.open_notebook(page, lab("my/01_train_the_model.ipynb"))
    browser.follow(page, "lab 1", path.name)
    cells = browser.run_all(page)
    assert_all_well(cells)
    checks = [cell for cell in cells if cell["source"].startswith("lab.check")]
    said = [cell["outputs"][0]["data"]["text/plain"] for cell in checks]
    assert said[0] == "○ 1.1  not started: put your answer where ____ stands."
    assert all(line.startswith("○ 1.") for line in said) and len(said) == 9
    assert "■" not in cells[-1]["outputs"][0]["text"]
    screenshot(page, "lab-untouched")

    assert browser.type_and_run(page, "auc = ", "auc = 0.5") == ""
    wrong = check()
    assert_one_sentence(wrong, "✘ 1.5  auc is 0.5: that is the share of right verdicts")
    screenshot(page, "lab-wrong")

    keys = ["ControlOrMeta+Home", "Delete", "Delete"]  # takes the "# " away
    hint = browser.type_and_run(page, '# lab.hint("auc-by-hand")', "", *keys)
    assert_one_sentence(hint, "Hint 1 of 3: AUC: take one who left and one who stayed.")
    assert "Hint 2 of 3" in browser.type_and_run(page, 'lab.hint("auc-by-hand")')
    screenshot(page, "lab-hint")

    assert browser.type_and_run(page, "auc = ", "auc = 3 / 4") == ""
    assert_one_sentence(check(), "✔ 1.5  Correct: three of the four pairs")
    screenshot(page, "lab-right")
    bars = browser.type_and_run(page, "labkit.progress.show()")
    assert bars.startswith("Lab 1 ") and bars.partition("\n")[0].count("■") == 1
    screenshot(page, "lab-progress")

    browser.open_notebook(page, lab("my/00_start_here.ipynb"))
    cells = browser.run_all(page)
    [again] = [cell["outputs"][0]["text"] for cell in cells if "progress.show()" in cell["source"]]
    assert again == bars
    browser.type_and_run(page, "from labkit import progress")  # scrolls there
    screenshot(page, "lab-progress-on-the-start-page")
    assert path.read_bytes() == before


@pytest.fixture
def terminal(page, lab):
    """A terminal beside lesson 3."""
    open_lesson(page, lab, "03_ping_pong")
    assert not is_open(PORT), f"port {PORT} is in use: end what uses it, then test"
    return browser.Terminal(page)


@own_services
def test_service_runs_in_a_terminal_and_answers_in_a_second_tab(page, terminal, lab):
    with pytest.raises(TimeoutError, match="does not show 'Running on"):
        terminal.wait_for("Running on http://127.0.0.1:9696", seconds=1)

    terminal.type("python solutions/flask_test.py")
    terminal.wait_for("Running on http://127.0.0.1:9696")
    assert '"GET /ping HTTP/1.1" 200' not in terminal.text()
    with pytest.raises(TimeoutError, match="does not show the prompt"):
        terminal.wait_for_prompt(seconds=1)

    tab = page.context.new_page()
    tab.goto("http://localhost:9696/ping")
    assert tab.locator("body").inner_text() == "PONG"
    tab.goto("http://localhost:9696/pong")
    assert tab.locator("body").inner_text() != "PONG"
    tab.goto(lab("9696/ping", "proxy"))  # for a browser on another machine
    assert tab.locator("body").inner_text() == "PONG"
    tab.close()
    terminal.wait_for('"GET /ping HTTP/1.1" 200')
    terminal.wait_for('"GET /pong HTTP/1.1" 404')
    screenshot(page, "terminal")

    terminal.interrupt()
    terminal.wait_for_prompt()
    assert not is_open(PORT)
    assert_all_well(browser.run_all(page))


@own_services
def test_lesson_3_says_who_has_the_port(page, terminal):
    terminal.type("python solutions/flask_test.py")
    terminal.wait_for("Running on http://127.0.0.1:9696")

    cells = browser.run_all(page)
    screenshot(page, "port-taken")
    starts = next(cell["source"] for cell in cells if "service.start(" in cell["source"])
    [(source, error)] = red(cells)
    assert source == starts
    [seen] = error["traceback"]
    assert_one_sentence(seen, "✘ Port 9696 is taken by python flask_test.py (process ", "Ctrl+C")

    # Nothing ran after that, and what the sentence says to do helps.
    ran = [cell for cell in cells if cell["count"]]
    assert ran[-1]["source"] == source
    terminal.interrupt()
    terminal.wait_for_prompt()
    assert_all_well(browser.run_all(page), counting_from=len(ran) + 1)


def test_red_output_is_seen():
    error = {"output_type": "error", "ename": "NameError"}
    warning = {"output_type": "stream", "name": "stderr", "text": "careful"}
    fine = {"output_type": "stream", "name": "stdout", "text": "42"}
    cells = [{"source": "x", "outputs": [fine, output]} for output in (error, warning, fine)]
    assert [output for _, output in red(cells)] == [error, warning]


def test_chromium_that_is_named_and_not_there_is_an_error(monkeypatch):
    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    with pytest.raises(FileNotFoundError, match="CHROMIUM is no-such-browser"):
        browser.open_browser(None)


def test_without_any_browser_the_tests_are_left_out_and_say_why(monkeypatch):
    def launch(args, channel):
        raise browser.Error(f"Chromium distribution '{channel}' is not found at /opt/google/chrome")

    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(browser, "PROGRAMS", [])
    playwright = SimpleNamespace(chromium=SimpleNamespace(launch=launch))
    with pytest.raises(browser.NoBrowser, match="needs Chromium, Chrome or Edge"):
        browser.open_browser(playwright)
