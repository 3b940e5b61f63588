"""Exercises that answer at once: the machinery under the labs. The checks are in labkit/labs/.

    lab = Lab("01_train_the_model")

    @lab.exercise("auc-by-hand", lesson="How good is it?", hints=["Count.", "Four pairs."])
    def auc_by_hand(answer):
        expect("auc", answer.value("auc"), 0.75, "count the pairs in the right order")

A learner writes `auc = 0.75` and calls `lab.check("auc-by-hand")`, which prints one line: ✔
(correct), ✘ (not yet, and why) or ○ (not started). Whatever the learner's code does, there is no
stack trace. An exercise is known by its name; its number is its place in the lab, for the eye only.
"""

import builtins
import contextlib
import ctypes
import linecache
import math
import os
import re
import reprlib
import sys
import threading
import time
import warnings
from html import escape
from pathlib import Path

from IPython import get_ipython
from IPython.display import Markdown, display
from IPython.utils.capture import capture_output

from labkit import SOLVED_LABS, LabError, copies, progress, service

SECONDS = 20  # a check may take no longer
BUILTINS = dict(vars(builtins))  # as they were before anybody could change them


class Blank:
    """What stands where a learner's answer will be: `____`."""

    def __repr__(self):
        return "____"


____ = Blank()


class NotStarted(Exception):
    """There is no answer yet. The text says what to do, if it isn't plain."""


class Wrong(Exception):
    """The answer is not right: what was expected, what came, what to do, in a sentence."""


class OutOfTime(BaseException):
    """Raised inside code that runs too long; `except Exception` does not hold it."""


class Line(str):
    """A line to display. JupyterLab breaks plain text within words, HTML between them."""

    def __repr__(self):
        return str(self)

    def _repr_html_(self):
        return f'<div style="white-space: pre-wrap">{escape(self)}</div>'


class NotPassed(LabError):
    """Under LAB_STRICT, for grading and tests: the exercise is not solved."""

    def _render_traceback_(self):
        return [str(self)]


class Lab:
    """The exercises of one lab: `check`, `hint` and `solution` are what a notebook calls.

    name: of the lesson, and of solutions/labs/lab_NAME.py, where the solutions stand.
    """

    def __init__(self, name: str):
        self.name = name
        self.exercises = {}
        self._hints_shown = {}
        self.service = None
        if get_ipython() and not graded():
            with contextlib.suppress(LabError):  # the first check says it
                progress.opened(name)

    def exercise(self, name: str, *, lesson: str, hints: list[str]):
        """Make a function the check of an exercise; register them in the lab's order.

        name: "price-a-threshold", which never changes. lesson: the heading of the lesson's section
        that taught it. hints: from a nudge to nearly there. The function gets an Answer; it raises
        Wrong, and may return a sentence that goes with the ✔.
        """

        def register(check):
            check.lesson, check.hints = lesson, hints
            self.exercises[name] = check
            return check

        return register

    def number(self, name: str) -> str:
        """Return the number of an exercise, "1.8": its lab's, and its place there."""
        return f"{int(self.name[:2])}.{list(self.exercises).index(name) + 1}"

    def check(self, name: str) -> None:
        """Print how the answer is, in a line; with LAB_STRICT raise NotPassed unless it is ✔."""
        namespace = sys._getframe(1).f_globals
        mark, sentence = judge(self._find(name), Answer(namespace))
        line = f"{mark} {self.number(name)}  {sentence}"
        if graded():
            if mark != "✔":
                raise NotPassed(line)
        elif get_ipython():  # else solutions/labs/lab_*.py runs as a script: nobody's progress
            try:
                progress.record(name, mark)
            except LabError as error:
                line += f" ({error})"
        display(Line(line))

    def hint(self, name: str) -> None:
        """Print the next hint; the last one stays."""
        hints = self._find(name).hints
        shown = min(self._hints_shown.get(name, 0) + 1, len(hints))
        self._hints_shown[name] = shown
        line = f"Hint {shown} of {len(hints)}: {hints[shown - 1]}"
        if shown == len(hints):
            line += f' (The last one; lab.solution("{name}") shows a solution.)'
        display(Line(line))

    def solution(self, name: str):
        """Show a solution: the lines of solutions/labs/, with the learner's port."""
        self._find(name)
        code = solution(self.name, name)
        code = copies.with_port(code, f"lab_{self.name}", service.PORT)
        return Markdown(f"```python\n{code}\n```")

    def start(self, script: str, **options) -> None:
        """Start a service as labkit.service.start does; if that fails, print why."""
        try:
            self.service = service.start(script, **options)
        except LabError as reason:
            line = f"✘ {reason}"
            if "name '____' is not defined" in line:
                line = f"○ {script} is not started: put your code where ____ stands first."
            display(Line(line))

    def stop(self) -> None:
        """Stop the service that was started last, if there is one."""
        if self.service:
            self.service.stop()

    def _find(self, name):
        if name not in self.exercises:
            known = ", ".join(self.exercises)
            raise LabError(
                f"There is no exercise {name!r} in this lab (there are {known}): if the lab has "
                "been updated, stop JupyterLab and start it again, and your copy will be, too."
            )
        return self.exercises[name]


def graded() -> bool:
    """Say whether somebody marks the answers, or a test runs them: no learner is there."""
    return bool(os.environ.get("LAB_STRICT") or os.environ.get("NBGRADER_EXECUTION"))


def solution(lab: str, name: str) -> str:
    """Return an exercise's solution, from solutions/labs/lab_LAB.py or the script it names."""
    text = (SOLVED_LABS / f"lab_{lab}.py").read_text(encoding="utf-8")
    cell = rf'^# %% exercise="{name}"([^\n]*)\n(.*?)(?=^# %%|\Z)'
    settings, lines = re.search(cell, text, re.M | re.S).groups()
    if script := re.search(r'script="(.+?)"', settings):
        lines = (SOLVED_LABS / script[1]).read_text(encoding="utf-8")
    return re.sub(r"^ *# \[(solution\].*|end\])\n", "", lines, flags=re.M).strip()


# --- Running a check, whatever the learner's code does ---


def judge(check, answer) -> tuple[str, str]:
    """Run a check within SECONDS and return its mark and sentence."""
    try:
        with undisturbed():
            return "✔", in_time(lambda: check(answer)) or "Correct."
    except NotStarted as reason:
        return "○", one_line(str(reason) or "not started: put your answer where ____ stands.")
    except Wrong as reason:
        return "✘", one_line(str(reason))
    except KeyboardInterrupt:
        return "○", "interrupted: run this cell again."
    except BaseException as error:
        return "✘", one_line(
            f"the check could not finish ({describe(error)}): the answer has a form that it does "
            "not know, or something that it needs was changed. Kernel > Restart Kernel and Run "
            "All Cells helps in the second case."
        )


@contextlib.contextmanager
def undisturbed():
    """Keep what is printed or warned away, and undo what the code changes around it."""
    folder, environment, paths = Path.cwd(), dict(os.environ), list(sys.path)
    vars(builtins).update(BUILTINS)
    try:
        with capture_output(), children_silent(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        vars(builtins).update(BUILTINS)
        os.chdir(folder)
        sys.path[:] = paths
        for name in set(os.environ) - set(environment):
            del os.environ[name]
        os.environ.update(environment)


@contextlib.contextmanager
def children_silent():
    """Send what child processes print to nowhere: their stack traces are stack traces, too."""
    try:
        saved = [os.dup(1), os.dup(2)]
    except OSError:  # a program without a console, on Windows, has none
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        for number, copy in zip((1, 2), saved, strict=True):
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)


def in_time(call, seconds: float | None = None):
    """Return what `call` returns; raise what it raises, or Wrong after a number of seconds.

    It runs in a thread, because that can be left alone: an endless loop is stopped from outside,
    and what can't be stopped (a long sleep) is not waited for.
    """
    seconds, outcome = seconds or SECONDS, {}

    def run():
        try:
            outcome["value"] = call()
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:  # also when the learner interrupts
        stop(thread)
    if thread.is_alive():
        raise Wrong(
            f"your code should answer at once, and is not done after {seconds} s and can't be "
            "stopped: look for a loop that never ends or a wait, and choose Kernel > Restart."
        )
    if not outcome or isinstance(outcome.get("error"), OutOfTime):
        raise Wrong(
            f"your code should answer at once, and is not done after {seconds} s: look for a loop "
            "that never ends, or a wait."
        )
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def stop(thread: threading.Thread) -> None:
    """Raise OutOfTime in a thread until it ends; give up after a second."""
    deadline = time.monotonic() + 1
    while thread.is_alive() and time.monotonic() < deadline:
        number = ctypes.c_ulong(thread.ident)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(OutOfTime))
        thread.join(0.05)


# --- What checks are made of ---


class Answer:
    """A learner's answers: the names of the notebook."""

    def __init__(self, namespace: dict):
        self.namespace = namespace

    def value(self, name: str, kind=object):
        """Return the value of a name; raise NotStarted while it is ____, Wrong for another kind."""
        if name not in self.namespace:
            raise NotStarted(f"there is no {name} yet: run the cell above.")
        value = self.namespace[name]
        if value is ____:
            raise NotStarted
        return of_kind(name, value, kind)

    def function(self, name: str, returns=object) -> "Function":
        """Return the function of this name, to be called safely; it must return this kind."""
        function = self.value(name)
        if not callable(function):
            raise Wrong(
                f"{name} should be a function, and is {show(function)}: begin with def {name}(."
            )
        return Function(name, function, returns)


class Function:
    """A learner's function. What goes wrong inside becomes a sentence."""

    def __init__(self, name, function, returns):
        self.name, self.function, self.returns = name, function, returns

    def __call__(self, *arguments):
        """Call it; raise Wrong when it raises, or returns None or another kind than promised."""
        result, error = self.attempt(arguments)
        call = self.call(*arguments)
        if error:
            raise Wrong(f"{call} raised {describe(error)}{self.place(error)}: mend that first.")
        if result is None and self.returns not in (object, type(None)):
            raise Wrong(f"{call} returned None: does every way through it end with return?")
        return of_kind(call, result, self.returns)

    def error(self, *arguments):
        """Call it and return the exception that it raises, or None."""
        return self.attempt(arguments)[1]

    def call(self, *arguments) -> str:
        """Return the call as text, shortened."""
        return f"{self.name}({', '.join(map(show, arguments))})"

    def attempt(self, arguments):
        """Call it and return what it returns, and the exception that it raises or None."""
        try:
            result = self.function(*arguments)
        except (OutOfTime, NotStarted, Wrong):
            raise
        except BaseException as error:  # sys.exit, too
            return None, error
        finally:
            vars(builtins).update(BUILTINS)  # the check needs them
        if result is ____:
            raise NotStarted
        return result, None

    def place(self, error):
        """Return ", in line 2: `code`" for the learner's own line where it happened."""
        code, place = getattr(self.function, "__code__", None), ""
        traceback = error.__traceback__
        while code and traceback:
            if traceback.tb_frame.f_code.co_filename == code.co_filename:
                line = linecache.getline(code.co_filename, traceback.tb_lineno).strip()
                place = f", in line {traceback.tb_lineno} of its cell"
                if line:
                    place += f" ({line})"
            traceback = traceback.tb_next
        return place


def expect(what: str, came, expected, remedy: str, tolerance: float | None = None) -> None:
    """Raise Wrong unless what came is what was expected.

    what: names it, such as 'clean("Two year")'. remedy: what to do. tolerance: for numbers, the
    difference that is fine; without it, type and value must be equal (True is not 1).
    """
    if tolerance is not None:
        if not is_number(came):
            raise Wrong(
                f"{what} should be the number {show(expected)}, and is {show(came)}: {remedy}."
            )
        right = math.isclose(came, expected, rel_tol=0, abs_tol=tolerance)
    else:
        right = isinstance(came, bool) == isinstance(expected, bool) and same(came, expected)
    if not right:
        seen = show(came)
        if seen == show(expected):  # 0.75 and 0.7500000001, 1 and True
            seen = f"{one_line(SHORT.repr(came), 120)} of type {type(came).__name__}"
        raise Wrong(f"{what} should be {show(expected)}, and is {seen}: {remedy}.")


def same(came, expected) -> bool:
    """Say whether two values are equal; what can't be compared is not."""
    try:
        return bool(came == expected)
    except Exception:
        return False


def is_number(value) -> bool:
    """Say whether it is a real number, Python's or NumPy's, and not True, False or NaN."""
    import numpy as np

    real = isinstance(value, (int, float, np.integer, np.floating))
    return real and not isinstance(value, bool) and not math.isnan(value)


def of_kind(what, value, kind):
    """Return the value; raise Wrong when it is not of this type, or one of these types."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    strange_bool = isinstance(value, bool) and bool not in kinds and object not in kinds
    if strange_bool or not isinstance(value, kinds):
        names = " or ".join(one.__name__ for one in kinds)
        raise Wrong(
            f"{what} should be of type {names}, and is {show(value)}, of type "
            f"{type(value).__name__}: look at what you return or assign."
        )
    return value


def show(value) -> str:
    """Return a value as short text in one line, whatever it is."""
    kinds = {"DataFrame": "table", "Series": "column", "ndarray": "NumPy array"}
    if type(value).__name__ in kinds and value.ndim:
        kind = f"a {kinds[type(value).__name__]}"
        if value.size > 6 or value.ndim > 1:
            return f"{kind} of {' x '.join(map(str, value.shape))}"
        return f"{kind} with {SHORT.repr(value.tolist())}"
    if isinstance(value, Path):
        return repr(str(value))
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    with contextlib.suppress(Exception):  # NumPy's numbers as numbers, without np.float64( )
        value = value.item() if type(value).__module__ == "numpy" else value
    if isinstance(value, float):
        return f"{value:.6g}"
    return one_line(SHORT.repr(value), 120)


SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = 60
SHORT.maxdict = SHORT.maxlist = SHORT.maxtuple = 5


def describe(error: BaseException) -> str:
    """Return an exception's type and message in one line."""
    try:
        message = one_line(str(error), 160)
    except Exception:  # its own text may be broken, too
        message = ""
    name = type(error).__name__
    return f"{name}: {message.rstrip('.:')}" if message else name


def one_line(text: str, limit: int = 700) -> str:
    """Return the text in one line, shortened to a number of characters."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
