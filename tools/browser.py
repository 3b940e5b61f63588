"""Drive JupyterLab in a real browser: what tests/test_browser.py and screenshots.py share.

    with jupyterlab(folder, lab) as address, sync_playwright() as playwright:
        page = open_browser(playwright).new_page()
        open_notebook(page, address("my/00_start_here.ipynb"))
        cells = run_all(page)

The environment variable CHROMIUM names the browser; without it one is looked for.
"""

import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import psutil
from playwright.sync_api import Error

from labkit.lab import write_layout
from labkit.service import free_port

PROGRAMS = ["chromium", "chromium-browser", "google-chrome", "chrome"]
QUIET = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

# With --LabApp.expose_app_in_browser JupyterLab stands in the page as window.jupyterapp.
MAIN = "[...(window.jupyterapp?.shell.widgets('main') ?? [])]"
NOTEBOOK = f"{MAIN}.find(widget => widget.context?.path.endsWith('.ipynb'))"
TERMINAL = f"{MAIN}.find(widget => widget.content?._term)"

# The toolbar says "idle" before there is a kernel, so ask the session.
READY = f"""() => {{
    const session = {NOTEBOOK}?.sessionContext;
    return session?.isReady && session.session?.kernel?.status === 'idle';
}}"""
RUN_ALL = f"""async () => {{
    const {{commands, shell}} = window.jupyterapp;
    shell.activateById({NOTEBOOK}.id);
    await commands.execute('notebook:clear-all-cell-outputs');
    await commands.execute('notebook:run-all-cells');
    const cells = {NOTEBOOK}.content.widgets;
    return cells.filter(cell => cell.model.type === 'code').map(cell => ({{
        source: cell.model.sharedModel.source,
        count: cell.model.executionCount,
        outputs: cell.model.outputs.toJSON(),
    }}));
}}"""
PICTURES = f"""() => {NOTEBOOK}.content.widgets.flatMap(cell =>
    [...cell.node.querySelectorAll('.jp-RenderedMarkdown img')].map(picture =>
        ({{name: picture.alt, loaded: picture.naturalWidth > 0}})))"""
# Scrolling first: JupyterLab makes a cell's editor when the cell comes into view.
EDIT = f"""async begins => {{
    const notebook = {NOTEBOOK}.content;
    const place = notebook.widgets.findIndex(
        cell => cell.model.sharedModel.source.startsWith(begins));
    await notebook.scrollToItem(place, 'center');
    notebook.activeCellIndex = place;
    notebook.mode = 'edit';
    notebook.activeCell.editor.focus();
    return place;
}}"""
CELL = f"""place => {{
    const {{model}} = {NOTEBOOK}.content.widgets[place];
    const outputs = model.outputs.toJSON();
    return {{
        source: model.sharedModel.source,
        running: model.executionState === 'running' || model.executionCount === null,
        text: outputs.map(output => output.text ?? output.data?.['text/plain']).join(''),
    }};
}}"""
OUTPUTS = f"""() => {NOTEBOOK}.content.widgets.some(cell =>
    cell.model.type === 'code' && (cell.model.outputs.length || cell.model.executionCount))"""
# Leave no tab but the one of this name, once it is there.
LEAVE = f"""name => {{
    const named = {MAIN}.find(widget => widget.context?.path.endsWith(name));
    if (named) {MAIN}.filter(widget => widget !== named).forEach(widget => widget.dispose());
    return Boolean(named);
}}"""
# A name that is cut is wider than what is seen of it.
CUT_NAMES = """() => [...document.querySelectorAll('.jp-DirListing-itemText')]
    .filter(item => item.scrollWidth > item.clientWidth + 1).map(item => item.textContent)"""
CLEAR = f"place => {NOTEBOOK}.content.widgets[place].model.clearExecution()"
SHUT_DOWN = """async () => {
    const services = window.jupyterapp?.serviceManager;
    await services?.sessions.shutdownAll();
    await services?.terminals.shutdownAll();
}"""
# The terminal's text is not in the page: xterm draws it. A long line stands there in pieces.
TERMINAL_TEXT = f"""() => {{
    const buffer = {TERMINAL}?.content._term.buffer.active;
    const lines = [...Array(buffer?.length ?? 0).keys()].map(i => buffer.getLine(i));
    const text = line => (line.isWrapped ? '' : '\\n') + line.translateToString(true);
    return lines.map(text).join('').trim();
}}"""


class NoBrowser(Exception):
    """No browser that we could drive was found."""


# --- JupyterLab ---


@contextmanager
def jupyterlab(folder: Path, lab: Path, **environment: str):
    """Run JupyterLab on a copy of the lab, with its settings in `folder`.

    Yields a function that gives a file's address, or another page's: address("9696/ping", "proxy").
    The user's own lab, settings and open tabs are left alone, and nothing is saved by itself.
    """
    port, token, workspaces = free_port(), secrets.token_hex(16), folder / "workspaces"

    def address(path, page="lab/tree"):
        shutil.rmtree(workspaces, ignore_errors=True)  # the tabs of the last page
        write_layout(workspaces)
        return f"http://127.0.0.1:{port}/{page}/{path}?token={token}"

    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        environment.setdefault(name, str(folder / name))
    environment.setdefault("JUPYTERLAB_SETTINGS_DIR", str(folder / "settings"))
    # JupyterLab saves every two minutes: a slow run must not store its outputs in the lessons.
    settings = folder / "settings" / "@jupyterlab" / "docmanager-extension"
    settings.mkdir(parents=True)
    (settings / "plugin.jupyterlab-settings").write_text('{"autosaveInterval": 86400}', "utf-8")
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "labkit.lab"),
                "--no-browser",
                f"--ServerApp.port={port}",
                "--ServerApp.port_retries=0",
                f"--IdentityProvider.token={token}",
                "--LabApp.expose_app_in_browser=True",
                f"--LabApp.workspaces_dir={workspaces}",
            ],
            cwd=lab,
            env=os.environ | {"PYTHONPATH": str(lab)} | environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until_up(address("status", "api"), server, folder / "log")
        yield address
    finally:
        end(server)


def wait_until_up(url, server, log):
    no_proxy, deadline = build_opener(ProxyHandler({})), time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        try:
            return no_proxy.open(url, timeout=2).close()
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab does not start. It said:\n{log.read_text()}")


def end(process: subprocess.Popen) -> None:
    """End a process (JupyterLab first ends its kernels and terminals) and all that it started."""
    family = []
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in psutil.wait_procs(family, timeout=5)[1]:
        with suppress(psutil.NoSuchProcess):
            child.kill()


# --- The browser ---


def chromium() -> str | None:
    """Return the path of the browser that CHROMIUM names, else of one on the PATH, else None.

    Raises FileNotFoundError when CHROMIUM is set and there is no such program.
    """
    named = os.environ.get("CHROMIUM")
    found = filter(None, map(shutil.which, [named] if named else PROGRAMS))
    path = next(found, None)
    if named and not path:
        raise FileNotFoundError(f"CHROMIUM is {named}, and there is no such program.")
    return path


def open_browser(playwright):
    """Start a browser without a window; raise NoBrowser when none is found (see also chromium)."""
    path = chromium()
    # Chrome and Edge on Windows and macOS: playwright knows their usual places.
    places = [{"executable_path": path}] if path else [{"channel": "chrome"}, {"channel": "msedge"}]
    for place in places:
        try:
            return playwright.chromium.launch(args=QUIET, **place)
        except Error as error:
            if path or "is not found" not in str(error):
                raise
    raise NoBrowser("driving JupyterLab needs Chromium, Chrome or Edge (CHROMIUM may name it)")


def open_notebook(page, address: str) -> None:
    """Open a notebook's address and wait until its kernel is ready."""
    page.goto(address)
    page.wait_for_function(READY)


def pictures(page) -> list[dict]:
    """Return the pictures in the notebook's text: name, loaded."""
    return page.evaluate(PICTURES)


def has_outputs(page) -> bool:
    """Say whether a cell of the notebook has an output or a number."""
    return page.evaluate(OUTPUTS)


def cut_names(page) -> list[str]:
    """Return the names that the file browser shows in part."""
    page.locator(".jp-DirListing-itemText").first.wait_for()
    return page.evaluate(CUT_NAMES)


def follow(page, text: str, name: str) -> None:
    """Click a link in the notebook's text; wait for the notebook of this name, alone there then."""
    page.locator(".jp-RenderedMarkdown a").get_by_text(text, exact=True).last.click()
    page.wait_for_function(LEAVE, arg=name)
    page.wait_for_function(READY)


def run_all(page) -> list[dict]:
    """Clear the outputs and run all cells; return the code cells: source, count, outputs."""
    return page.evaluate(RUN_ALL)


def type_and_run(page, begins: str, text: str = "", *keys: str) -> str:
    """Click into the cell that begins so, type, press Shift+Enter; return what it printed.

    text replaces what stands there; without it the keys are pressed (none: the cell runs as it is).
    """
    place = page.evaluate(EDIT, begins)
    page.evaluate(CLEAR, place)
    if text:
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type(text)
        page.wait_for_function(f"place => ({CELL})(place).source === {text!r}", arg=place)
    for key in keys:
        page.keyboard.press(key)
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(f"place => !({CELL})(place).running", arg=place)
    return page.evaluate(CELL, place)["text"]


def menu(page, bar: str, *items: str) -> None:
    """Choose from JupyterLab's menu; the last item may stand in submenus."""
    page.locator(".lm-MenuBar-itemLabel").get_by_text(bar, exact=True).click()
    for item in items:
        label = page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).last
        label.click()  # a submenu opens, or it is done


def shut_down(page) -> None:
    """End all kernels and terminals of the page's JupyterLab."""
    page.evaluate(SHUT_DOWN)


class Terminal:
    """A terminal in JupyterLab, opened through the menu and ready to type."""

    def __init__(self, page):
        self.page = page
        menu(page, "File", "New", "Terminal")
        self._wait("a prompt", lambda: re.search(r"[$#%>❯]$", self.text()), 30)
        self.prompt = self.text().rpartition("\n")[2]

    def text(self) -> str:
        """Return all that stands in the terminal, without blanks at its end."""
        return self.page.evaluate(TERMINAL_TEXT)

    def type(self, command: str) -> None:
        """Type a command and press Enter."""
        self._click()
        self.page.keyboard.type(command)
        self.wait_for(command)
        self.page.keyboard.press("Enter")

    def interrupt(self) -> None:
        """Press Ctrl+C."""
        self._click()
        self.page.keyboard.press("Control+c")

    def wait_for(self, words: str, seconds: float = 30) -> None:
        """Return when the words stand in the terminal; raise TimeoutError with its text if not."""
        self._wait(repr(words), lambda: words in self.text(), seconds)

    def wait_for_prompt(self, seconds: float = 30) -> None:
        """Return when the text ends with the prompt again, so when no command runs."""
        self._wait("the prompt", lambda: self.text().endswith(self.prompt), seconds)

    def _wait(self, what, is_there, seconds):
        deadline = time.monotonic() + seconds
        while not is_there():
            if time.monotonic() > deadline:
                raise TimeoutError(f"The terminal does not show {what}, but:\n{self.text()}")
            self.page.wait_for_timeout(100)

    def _click(self):
        self.page.evaluate(f"window.jupyterapp.shell.activateById({TERMINAL}.id)")
        self.page.locator(".jp-Terminal").click()
