"""The lessons in JupyterLab, in a real browser: all cells run, nothing is red, pictures are there.

CHROMIUM names the browser, SCREENSHOTS a folder for pictures of each page.
"""

import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from labkit import ROOT
from labkit.service import free_port

sync_api = pytest.importorskip("playwright.sync_api")

NAMES = [os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "chrome"]
CHROMIUM = next(filter(None, map(shutil.which, filter(None, NAMES))), None)
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
QUIET = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

# With --LabApp.expose_app_in_browser JupyterLab stands in the page as window.jupyterapp.
READY = """path => {
    const main = [...(window.jupyterapp?.shell.widgets('main') ?? [])];
    const session = main.find(w => w.context?.path === path)?.sessionContext;
    return session?.isReady && session.session?.kernel?.status === 'idle';
}"""
RUN_ALL = """async () => {
    await window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs');
    await window.jupyterapp.commands.execute('notebook:run-all-cells');
    const cells = window.jupyterapp.shell.currentWidget.content.widgets;
    return cells.filter(cell => cell.model.type === 'code').map(cell => ({
        source: cell.model.sharedModel.source,
        count: cell.model.executionCount,
        outputs: cell.model.outputs.toJSON(),
    }));
}"""
PICTURES = """() => window.jupyterapp.shell.currentWidget.content.widgets.flatMap(cell =>
    [...cell.node.querySelectorAll('.jp-RenderedMarkdown img')].map(picture =>
        ({name: picture.alt, loaded: picture.naturalWidth > 0})))"""

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(
        not CHROMIUM, reason="left out: driving JupyterLab needs Chromium (or set CHROMIUM)"
    ),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab as start.py opens it; yields its address and its token."""
    home = tmp_path_factory.mktemp("jupyter")
    port, token = free_port(), secrets.token_hex(16)
    own = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "RUNTIME", "DATA")}
    # JupyterLab saves every two minutes: a slow run must not store its outputs in the lessons.
    settings = home / "CONFIG/lab/user-settings/@jupyterlab/docmanager-extension"
    settings.mkdir(parents=True)
    (settings / "plugin.jupyterlab-settings").write_text('{"autosaveInterval": 86400}', "utf-8")
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "labkit.lab", "--no-browser", f"--ServerApp.port={port}",
             f"--IdentityProvider.token={token}", "--LabApp.expose_app_in_browser=True",],
            cwd=home, env=os.environ | own, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(url, token, server, home / "log")
            yield url, token
        finally:
            server.terminate()  # Jupyter ends its kernels and terminals first
            server.wait(30)


def wait_for(url, token, server, log):
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            return urlopen(f"{url}/api/status?token={token}", timeout=2).close()
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text())


@pytest.fixture
def page(lab):
    url, token = lab
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(60_000)
        page.open_lab = lambda path: page.goto(f"{url}/lab/tree/{path}?token={token}&reset")
        yield page
        browser.close()


def screenshot(page, name):
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def red(cells):
    """What a learner would see in red: errors, and what was written to stderr."""
    for cell in cells:
        for output in cell["outputs"]:
            if output["output_type"] == "error" or output.get("name") == "stderr":
                yield cell["source"], output


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_runs_in_the_browser(page, path):
    name = f"notebooks/{path.name}"
    page.open_lab(name)
    page.wait_for_function(READY, arg=name)
    screenshot(page, path.stem)
    pictures = page.evaluate(PICTURES)
    assert pictures and all(picture["loaded"] for picture in pictures), pictures

    cells = page.evaluate(RUN_ALL)
    screenshot(page, f"{path.stem}-run")
    assert [cell["count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not list(red(cells))
    if path == LESSONS[0]:
        assert page.locator("text=Would you like").count() == 0, "JupyterLab asks about news"


def test_red_output_is_seen():
    error = {"output_type": "error", "ename": "NameError"}
    warning = {"output_type": "stream", "name": "stderr", "text": "careful"}
    fine = {"output_type": "stream", "name": "stdout", "text": "42"}
    cells = [{"source": "x", "outputs": [fine, output]} for output in (error, warning, fine)]
    assert [output for _, output in red(cells)] == [error, warning]
