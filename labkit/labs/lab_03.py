"""Checks and hints of lab 3, ping pong."""

import os
import subprocess
import sys
import threading
import urllib.error
from contextlib import contextmanager, suppress
from unittest.mock import patch

import psutil
import requests

from labkit import service
from labkit.exercises import Lab, Wrong, describe, expect, same, show
from labkit.labs.live import JSON, Live, check_keys, failure, json_of, stand_in

lab = Lab("03_ping_pong")


@lab.exercise(
    "write-a-service",
    lesson="From function to service",
    hints=[
        "The function returns the text, as ping did in the lesson.",
        "The last line of the lesson's script fits: app.run(...) with debug, host and port.",
        'return "Hello, marketing!" above, and app.run(debug=True, host="127.0.0.1", '
        f"port={service.PORT}) below. Then run the cell that writes, the one that starts, and the "
        "check.",
    ],
)
def hello_service(answer):
    try:
        live = Live("hello_service.py")
    except Wrong as reason:
        if "start the service" not in str(reason):
            raise
        raise Wrong(
            f"{reason}. If it is running: without port={service.PORT} in app.run(...), Flask takes "
            "5000."
        ) from None
    remedy = "a text that a route returns has this status by itself"
    response = live.status(200, "GET", "/hello", remedy)
    if response.headers.get("Content-Type", "").startswith(JSON):
        raise Wrong(
            f"GET /hello should be answered with a text, and is with JSON, {show(response.text)}: "
            "return the text itself, without jsonify or curly brackets."
        )
    expect("the body of GET /hello", response.text, "Hello, marketing!", "compare each letter")
    return "Correct: somebody is there."


CALLERS = {  # what a User-Agent begins with: who that is, and how to be it
    "python-requests": ("requests", 'requests.get(url + "/hello") says who it is by itself'),
    "Python-urllib": (
        "urllib", 'urllib.request.urlopen(url + "/hello") says who it is by itself',
    ),
    "Mozilla": ("a browser", 'send the header with it: headers={"User-Agent": "Mozilla/5.0"}'),
}  # fmt: skip


def caller(asked):
    agent = asked.headers.get("User-Agent", "")
    return next((begin for begin in CALLERS if agent.startswith(begin)), agent)


@lab.exercise(
    "call-it-three-ways",
    lesson="Ask it: with requests",
    hints=[
        "requests.get(address, timeout=5).status_code is the first.",
        "urllib.request.urlopen(address, timeout=5).status is the second. For 400 and more it "
        "raises urllib.error.HTTPError, and the status is the error's .code.",
        'requests.get(address, headers={"User-Agent": "Mozilla/5.0"}, timeout=5) says that it is '
        "a browser.",
    ],
)
def call_three_ways(answer):
    function = answer.function("call_three_ways", returns=(list, tuple))
    for codes in ((200, 201, 202), (503, 200, 404), (200, 404, 200), (403, 500, 201)):
        statuses = dict(zip(CALLERS, codes, strict=True))

        def reply(asked, _, statuses=statuses):
            return statuses.get(caller(asked), 200), "Hello, marketing!"

        with stand_in(reply) as fake:
            error = function.error(fake.url)
            refuse_requests(fake, error)
            refuse_error(error)
            came = list(function(fake.url))
        for status in came:
            if type(status) is not int:
                raise Wrong(
                    f"call_three_ways(url) should return statuses, numbers such as 200, and one of "
                    f"them is {show(status)}: a response of requests has .status_code, one of "
                    "urllib .status."
                )
        remedy = "return the statuses that came, in the order requests, urllib, browser"
        expect("call_three_ways(url)", came, list(codes), remedy)


def refuse_requests(fake, error):
    """Raise Wrong unless the stand-in was asked by all three, in the right way."""
    if not fake.requests:
        why = f" (it raised {describe(error)})" if error is not None else ""
        raise Wrong(
            f"call_three_ways({fake.url!r}) sent no request to that address{why}: use the "
            'argument, url + "/hello".'
        )
    for asked in fake.requests:
        if (asked.method, asked.path) != ("GET", "/hello"):
            raise Wrong(
                f"call_three_ways(url) should ask GET /hello, and asks {asked.method} "
                f'{asked.path}: the address is url + "/hello", and nothing is sent with it.'
            )
    callers = [caller(asked) for asked in fake.requests]
    for begin, (who, remedy) in CALLERS.items():
        if begin not in callers and error is None:
            raise Wrong(
                f"no request came from {who}, by the header User-Agent; the callers were "
                f"{', '.join(callers)}: {remedy}."
            )
    if len(callers) > 3:
        raise Wrong(f"call_three_ways(url) should send three requests, and sends {len(callers)}.")


def refuse_error(error):
    if isinstance(error, urllib.error.HTTPError):
        raise Wrong(
            f"when the service answers {error.code}, urllib raises HTTPError: catch "
            "urllib.error.HTTPError; its .code is the status."
        )
    if isinstance(error, requests.HTTPError):
        raise Wrong(
            "when the service answers 400 or more, your code raises HTTPError: leave "
            "raise_for_status() out, the status itself is wanted here."
        )


@lab.exercise(
    "a-route-with-a-parameter",
    lesson="Request and response",
    hints=[
        'The path in the decorator is "/months" alone; what is behind the ? is in request.args.',
        'request.args.get("years") is the text "3", or None if there is no years.',
        "int(text) makes a number of it, and raises ValueError when it is none: try, except.",
        'abort(400, "why") answers with 400 at once; jsonify(months=12 * years) is the good end.',
    ],
)
def months_service(answer):
    live = Live("months_service.py")
    for years in (3, 1, 10, 0):
        ask_months(live, years)
    for query, what in (
        ("", "no years"),
        ("?years=three", "no number"),
        ("?years=2.5", "no whole number"),
        ("?years=", "an empty one"),
    ):
        response = live.ask("GET", f"/months{query}")
        came = response.status_code
        remedies = {
            200: "200 says that all is well: abort(400), or return a second value, 400",
            404: "the path is right, it is the parameter that is not: 400",
            500: f"your code failed there{failure(response)}. Catch that, and abort(400)",
        }
        if came == 500 and "BadRequestKeyError" in response.text:
            remedies[500] = (
                'request.args["years"] fails when there is none; request.args.get("years") is None '
                "then, so look for that, and abort(400)"
            )
        if came != 400:
            raise Wrong(
                f"GET /months{query} ({what}) should be answered with 400, and is with {came}: "
                f"{remedies.get(came, 'this mistake of the client has the status 400')}."
            )


def ask_months(live, years):
    path = f"/months?years={years}"
    what, response = f"GET {path}", live.ask("GET", path)
    begin = f"{what} should be answered with 200, and is with {response.status_code}"
    match response.status_code:
        case 404 if live.ask("GET", f"/months/{years}").status_code == 200:
            raise Wrong(
                f"{begin}: your route has the years in its path, /months/{years}. A parameter "
                'stands behind the ?: the path is "/months" alone, and request.args has the years.'
            )
        case 400 | 415 if years == 3:  # the first that is asked
            raise Wrong(
                f"{begin}: the years come as a parameter, not in the body: read request.args, "
                "neither get_json() nor form."
            )
        case 400 if not years:
            raise Wrong(
                f"{begin}: 0 is a whole number, too, and `if not years` holds for it: ask for None."
            )
    response = live.status(200, "GET", path, "a whole number of years is a good question")
    result = json_of(what, response)
    months = result.get("months") if isinstance(result, dict) else None
    slips = {
        str(12 * years): "give the number itself, without quotes and without str()",
        str(years) * 12: "the years are text, and text times 12 is text: int(...) first",
        str(years): "int(...) makes a number of it, and 12 times that are the months",
    }
    if isinstance(months, str):
        remedy = slips.get(months, "a number has no quotes in JSON")
        raise Wrong(f"{what} should give months as number, and gives {show(months)}: {remedy}.")
    months = check_keys(what, result, {"months": "number"})["months"]
    remedy = "12 months a year, for whatever number of years is asked"
    expect(f"months in the answer to {what}", months, 12 * years, remedy)
    if not response.headers.get("Content-Type", "").startswith(JSON):
        raise Wrong(
            f"{what} is answered with JSON, and its header Content-Type says "
            f"{response.headers.get('Content-Type')}: return jsonify(...), which sets it."
        )


@lab.exercise(
    "the-right-status",
    lesson="The wrong path, the wrong method",
    hints=[
        "The decorator says which methods a route takes. What it does not name is refused with "
        "405, without a line of yours; so is a wrong path with 404.",
        '@app.route("/emails", methods=["POST"]), and in the function sent.append(...).',
        "request.get_json() is what came, len(sent) how many there are now.",
        "return jsonify(...), 201 sends another status than 200.",
    ],
)
def inbox_service(answer):
    live = Live("inbox_service.py")
    count = None
    for customer in ("8879-zkjof", "4183-myfrb", "8879-zkjof"):
        count = record(live, customer, count)
    for method in ("GET", "PUT", "DELETE"):
        response = live.ask(method, "/emails")
        came = response.status_code
        remedies = {
            200: "the words in the body don't count, programs look at the status",
            201: "this route takes more methods than it should",
            400: "400 says that what was sent makes no sense, 405 that the method does not",
            404: "the path is right, the method is not",
            500: f"your code failed there{failure(response)}",
        }
        if came != 405:
            raise Wrong(
                f"{method} /emails should be answered with 405, and is with {came}: "
                f"{remedies.get(came, 'the path is right, the method is not')}. Name POST alone "
                "in methods=[...], and Flask refuses all others."
            )
    for method in ("GET", "POST"):
        came = live.ask(method, "/email", json={"customer": "8879-zkjof"}).status_code
        if came != 404:
            raise Wrong(
                f"{method} /email should be answered with 404, and is with {came}: no route may "
                "have that path, nor catch all paths; Flask does the rest."
            )
    record(live, "4183-myfrb", count)


def record(live, customer, before):
    """Tell the service of an e-mail; return how many there are, which must be one more."""
    remedy = (
        "what came is in request.get_json(); put it into sent, and return jsonify(...), 201, which "
        "means created"
    )
    options = {"json": {"customer": customer}, "status": 201}
    try:
        count = live.json({"emails": "number"}, "POST", "/emails", remedy, **options)["emails"]
    except Wrong as reason:
        if "BadRequestKeyError" not in str(reason):
            raise
        raise Wrong(
            "POST /emails should be answered with 201, and your code failed there: the e-mail "
            "comes as JSON, which is in request.get_json(), neither in form nor in args."
        ) from None
    what = "emails in the answer to POST /emails"
    if before is None:
        if count < 1:
            raise Wrong(f"{what} is {show(count)}: record the e-mail first, and count it, too.")
    else:
        remedy = (
            f"it was {show(before)} the last time, and each POST, and nothing else, adds one to a "
            "list that lives outside the function"
        )
        expect(what, count, before + 1, remedy)
    return count


# --- free-a-busy-port ---

PROGRAM = """
import os, signal, socket, sys, threading, time

def end_slowly(*_):  # as a service does that finishes what it is at
    time.sleep(0.3)
    os._exit(0)

def welcome():
    while True:
        guests.append(server.accept())

guests = []
server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=welcome, daemon=True).start()
if sys.argv[2] == "slow":
    signal.signal(signal.SIGTERM, end_slowly)
print(server.getsockname()[1], flush=True)
for port in sys.stdin:  # ends with the check, at the latest
    host = socket.create_connection(("127.0.0.1", int(port)))
    print(host.getsockname()[1], flush=True)
"""


class Listening:
    """A small program of the check's own that listens on a port."""

    def __init__(self, kind):
        command = [sys.executable, "-I", "-S", "-c", PROGRAM, "lab-free-a-busy-port", kind]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, encoding="utf-8")
        # Somebody must wait for a process that ends, or it stays, as a zombie.
        self.waiter = threading.Thread(target=self.process.wait, daemon=True)
        self.waiter.start()

    def read(self):
        return self.process.stdout.readline().strip()

    def talk_to(self, other):
        """Become a client of another; remember the port that the connection has on this side."""
        self.process.stdin.write(f"{other.port}\n")
        self.process.stdin.flush()
        self.client_port = int(self.read())

    def ended(self, seconds):
        self.waiter.join(seconds)
        return not self.waiter.is_alive()

    def numbers(self):
        """Return its process id, and on Windows that of the Python behind it."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        return {self.process.pid, *(one.pid for one in family)}


@contextmanager
def two_programs():
    """Start two programs that listen; the second is also a client of the first."""
    programs = []
    try:
        for kind in ("quick", "slow"):
            programs.append(Listening(kind))
        for program in programs:
            program.port = int(program.read())
        bystander, busy = programs
        bystander.talk_to(busy)
        yield busy, bystander
    finally:
        for program in programs:
            program.process.kill()
        for program in programs:
            program.waiter.join(5)
            with suppress(OSError):  # what was not sent yet
                program.process.stdin.close()
            program.process.stdout.close()


@contextmanager
def only_these(numbers):
    """Let processes with these numbers be ended, and no others; yield what was tried on others.

    A slip such as "end all Pythons" would otherwise take JupyterLab along. Nobody may look into
    the others, either: who is root, as in some containers, would never meet AccessDenied.
    """
    tried = []

    def careful(end):
        def end_if_allowed(process, *signals):
            number = getattr(process, "pid", process)
            if number in numbers or 0 in signals:  # signal 0 is a question only
                return end(process, *signals)
            tried.append(number)
            raise Wrong("not that process")

        return end_if_allowed

    names = ("terminate", "kill", "send_signal")
    methods = {name: careful(getattr(psutil.Process, name)) for name in names}
    look = psutil.Process.net_connections

    def look_if_allowed(process, *arguments, **options):
        if process.pid not in numbers:
            raise psutil.AccessDenied(process.pid)
        return look(process, *arguments, **options)

    methods["net_connections"] = look_if_allowed
    with patch.multiple(psutil.Process, **methods), patch.object(os, "kill", careful(os.kill)):
        yield tried


@lab.exercise(
    "free-a-busy-port",
    lesson="The busy port",
    hints=[
        "Three steps: find the process that listens, ask it to end, wait until it has.",
        "labkit.service.listens(process, port) says whether a process listens on a port, and is "
        "False for those that you may not look into.",
        "for process in psutil.process_iter(): if it listens there, process.terminate().",
        "Behind terminate(), process.wait(5) returns when the process has ended; so the port is "
        "free.",
    ],
)
def free(answer):
    function = answer.function("free")
    with two_programs() as (busy, bystander):
        call, ours = f"free({busy.port})", busy.numbers() | bystander.numbers()
        end(function, busy.port, ours)
        still_open = service.is_open(busy.port)
        if bystander.ended(0.1):
            raise Wrong(
                f"{call} ended another process, which listens on port {bystander.port} and only "
                f"talks to port {busy.port}: look for a connection that has the status "
                "psutil.CONN_LISTEN and this laddr.port."
            )
        if still_open and busy.ended(0.7):
            raise Wrong(
                f"{call} returned while the process was still ending, and the port not yet free: "
                "wait until it has ended, with process.wait(5)."
            )
        if still_open:
            raise Wrong(
                f"{call} returned, and process {busy.process.pid} still listens there: find the "
                "process that listens on this port, end it with terminate(), and wait."
            )
        port = bystander.client_port  # its connection with the first has this number
        try:
            end(function, port, ours)
        except Wrong as reason:
            raise Wrong(
                f"nobody listens on port {port}, so there is nothing to end, but {reason}"
            ) from None
        if bystander.ended(0.1):
            raise Wrong(
                f"free({port}) ended a process that does not listen on this port; it has a "
                "connection there. End only one with the status psutil.CONN_LISTEN, and when "
                "there is none, nothing."
            )


def end(function, port, numbers):
    """Call free(port); raise Wrong when it wants to end what is none of the check's processes."""
    failed = None
    with only_these(numbers) as strangers:
        try:
            function(port)
        except Wrong as reason:
            failed = reason
    if strangers:
        raise Wrong(
            f"free({port}) wants to end process {strangers[0]}, which does not listen on that "
            "port (the check has prevented it): look at status and laddr.port of its connections."
        )
    if failed and "AccessDenied" in str(failed):
        failed = f"{failed} Catch psutil.AccessDenied for each process, and go on to the next."
    if failed:
        raise Wrong(str(failed))


# --- read-a-log ---

REQUESTS = [  # client, method, address, version, status
    ("127.0.0.1", "GET", "/ping", "1.1", 200),
    ("127.0.0.1", "GET", "/months?years=3", "1.1", 200),
    ("192.168.1.20", "GET", "/", "1.0", 404),
    ("::1", "POST", "/emails", "1.1", 201),
    ("2001:db8::17", "OPTIONS", "/predict", "1.1", 200),
    ("127.0.0.1", "DELETE", "/e%20mail/200?why=a?b/c", "1.1", 405),
]
OTHERS = [
    " * Running on http://127.0.0.1:9696",
    "",
    "Press CTRL+C to quit",
    " * Debugger PIN: 200-300-404",
    "127.0.0.1 - - [21/Nov/2026 10:00:00] code 400, message Bad request syntax ('hi')",
    '  File "/lab/months_service.py", line 12, in months',
]


@lab.exercise(
    "read-a-log",
    lesson="The log",
    hints=[
        "The lesson took a line apart with one pattern. You need three of its nine fields.",
        r"""In a pattern: '"(\S+) (\S+) HTTP/\S+" (\d+) ' is what stands between the quotes, and """
        "the status behind.",
        "re.search with a pattern like that is None for a line that is no request; else .groups() "
        "are the three.",
        'address.split("?")[0] is the path, int(...) makes a number of the status.',
    ],
)
def parse(answer):
    function = answer.function("parse")
    for client, method, address, version, status in REQUESTS:
        line = f'{client} - - [21/Nov/2026 10:00:00] "{method} {address} HTTP/{version}" {status} -'
        what, came = f"parse({line!r})", function(line)
        expected = (method, address.partition("?")[0], status)
        if came is None:
            raise Wrong(f"{what} is None, and the line is a request: it should be {expected}.")
        if isinstance(came, list):
            raise Wrong(f"{what} should be a tuple, and is a list: return method, path, status.")
        slips = {
            (method, address, str(status)): "cut the address at the ?, and int(...) the status",
            (method, address, status): "cut the address at the ?, what follows are parameters",
            (method, expected[1], str(status)): "the status should be a number: int(...)",
            (method, expected[1].replace("%20", " "), status): "leave %20 as it is",
            expected[::-1]: "first the method, then the path, then the status",
        }
        remedy = "method, path and status stand in and behind the quotes"
        for slip, explanation in slips.items():
            if same(came, slip) and slip != expected:
                remedy = explanation
        expect(what, came, expected, remedy)
    for line in OTHERS:
        what, error = f"parse({line!r})", function.error(line)
        remedy = "this line is no request, so look first whether it is one"
        if error is not None:
            raise Wrong(f"{what} should be None, and raises {describe(error)}: {remedy}.")
        expect(what, function(line), None, remedy)
