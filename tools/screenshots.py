"""Take the screenshots, images/*.png, anew: `make screenshots` (maintainers, Linux).

Port 9696 must be free. Look at the pictures before you keep them.
"""

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import ProxyHandler, build_opener

import browser
from PIL import Image, ImageGrab
from playwright.sync_api import sync_playwright

from labkit import ROOT, service

sys.path.insert(0, str(ROOT / "tests"))
from conftest import copy_lab

IMAGES = ROOT / "images"
PING = "http://localhost:9696/ping"
WINDOW, PAGE = (700, 260), (1300, 800)
SPLIT = f"""() => {{
    const {{shell}} = window.jupyterapp;
    shell.add({browser.TERMINAL}, 'main', {{mode: 'split-right', ref: {browser.NOTEBOOK}.id}});
    shell.collapseLeft();
}}"""
SCROLL = f"""heading => {{
    const headings = [...{browser.NOTEBOOK}.node.querySelectorAll('h2')];
    headings.find(one => one.textContent.startsWith(heading)).scrollIntoView();
}}"""

# The rectangle around some cells, without the empty left edge of the page.
AROUND = f"""([first, last]) => {{
    const cells = {browser.NOTEBOOK}.content.widgets;
    const place = cells.findIndex(cell => cell.model.sharedModel.source.startsWith(first));
    const from = cells[place].node.getBoundingClientRect();
    const to = cells[place + last].node.getBoundingClientRect();
    return {{x: from.x, y: from.y, width: from.width, height: to.bottom - from.y - 4}};
}}"""


@contextmanager
def running(*command, **options):
    """Run a program until the end of the block."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        browser.end(process)


@contextmanager
def display(width, height):
    """A screen that nobody sees; yields its name."""
    reading, writing = os.pipe()
    screen = ["-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
    with running("Xvfb", "-displayfd", str(writing), *screen, pass_fds=[writing]):
        os.close(writing)
        with os.fdopen(reading) as answer:
            yield f":{answer.readline().strip()}"


def wait_until(done, what):
    deadline = time.monotonic() + 30
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} does not happen.")
        time.sleep(0.5)


def picture_of(name):
    """Take a picture of a display that has stood still for two seconds."""
    pictures = [None]

    def still():
        time.sleep(2)
        pictures.append(ImageGrab.grab(xdisplay=name))
        return pictures[-1] == pictures[-2]

    wait_until(still, "A display that stands still")
    return pictures[-1]


def ping_in_browser(folder):
    """Take a browser's window, address bar included."""
    width, height = WINDOW
    options = [
        *browser.QUIET,
        "--test-type",  # no bar that warns of --no-sandbox
        "--no-default-browser-check",
        "--password-store=basic",
        f"--user-data-dir={folder}",
        f"--window-size={width + 2},{height + 2}",  # its black edge stays outside
        "--window-position=0,0",
    ]
    with service.start("flask_test.py") as ping, display(width, height) as name:
        variables = os.environ | {"DISPLAY": name}
        with running(browser.chromium(), *options, PING, env=variables, stdout=subprocess.DEVNULL):
            wait_until(lambda: '"GET /ping' in ping.log(), "The request of the browser")
            return picture_of(name)


def terminal_beside_lesson(folder):
    """Take JupyterLab with lesson 3 and, beside it, the service in a terminal."""
    # The prompt and the debugger's PIN must tell nothing of this machine.
    (folder / ".bashrc").write_text("PS1='$ '\n", encoding="utf-8")
    variables = {"HOME": str(folder), "SHELL": "/bin/bash", "WERKZEUG_DEBUG_PIN": "123-456-789"}
    lab = copy_lab(folder / "lab")
    with browser.jupyterlab(folder, lab, **variables) as address, sync_playwright() as playwright:
        chromium = browser.open_browser(playwright)
        width, height = PAGE
        page = chromium.new_page(viewport={"width": width, "height": height})
        browser.open_notebook(page, address("my/03_ping_pong.ipynb"))
        terminal = browser.Terminal(page)
        page.evaluate(SPLIT)
        terminal.type("python solutions/flask_test.py")
        terminal.wait_for("Debugger PIN")
        build_opener(ProxyHandler({})).open(PING, timeout=10).close()
        terminal.wait_for('"GET /ping HTTP/1.1" 200')
        page.evaluate(SCROLL, "From function to service")
        page.wait_for_timeout(1000)
        page.screenshot(path=folder / "page.png")
        terminal.interrupt()
        terminal.wait_for_prompt()
        browser.shut_down(page)
        chromium.close()
    return Image.open(folder / "page.png")


def exercise_that_answers(folder):
    """Take an exercise of lab 1 with a wrong answer, and what its check and a hint say."""
    lab = copy_lab(folder / "lab")
    with browser.jupyterlab(folder, lab) as address, sync_playwright() as playwright:
        chromium = browser.open_browser(playwright)
        page = chromium.new_page(viewport={"width": 800, "height": 1000})
        browser.open_notebook(page, address("my/01_train_the_model_lab.ipynb"))
        page.evaluate("window.jupyterapp.shell.collapseLeft()")
        browser.run_all(page)
        browser.type_and_run(page, "auc = ", "auc = 0.5")
        browser.type_and_run(page, 'lab.check("auc-by-hand")')
        keys = ["ControlOrMeta+Home", "Delete", "Delete"]
        browser.type_and_run(page, '# lab.hint("auc-by-hand")', "", *keys)
        page.evaluate(SCROLL, "1.5")
        page.wait_for_timeout(1000)
        page.screenshot(path=folder / "page.png", clip=page.evaluate(AROUND, ["## 1.5", 3]))
        browser.shut_down(page)
        chromium.close()
    return Image.open(folder / "page.png")


def main():
    """Take all pictures, or say what is missing."""
    if not shutil.which("Xvfb"):
        sys.exit("Xvfb is missing: on Debian or Ubuntu run `apt-get install xvfb`.")
    if not browser.chromium():
        sys.exit("Chromium is missing: on Debian or Ubuntu run `apt-get install chromium`.")
    if service.is_open(9696):
        sys.exit(f"Port 9696 is taken by {service.holder(9696)}: end it first.")
    for take in (ping_in_browser, terminal_beside_lesson, exercise_that_answers):
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = IMAGES / f"{take.__name__.replace('_', '-')}.png"
            take(Path(folder)).convert("RGB").quantize(256).save(path, optimize=True)
            print(f"{path.name}: {path.stat().st_size // 1000} KB")


if __name__ == "__main__":
    main()
