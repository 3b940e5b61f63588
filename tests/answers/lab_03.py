"""Lab 3: right answers in another style, and wrong ones with what each must be told."""

from proof import Instead

# --- write-a-service: of the script, the place that changes ---

TEXT = 'return "Hello, marketing!"'
RUN = 'app.run(debug=True, host="127.0.0.1", port=9696)'
ROUTE = '@app.route("/hello", methods=["GET"])'

# --- a-route-with-a-parameter and the-right-status: the whole route ---

MONTHS = '''"""A service with two routes."""

import os
import json

from flask import Flask, Response, abort, jsonify, request

app = Flask("months")


@app.route("/hello", methods=["GET"])
def hello():
    return "Hello, marketing!"


ROUTE


if __name__ == "__main__":
    app.run(debug=True, host="127.0.0.1", port=int(os.environ.get("PORT", 9696)))
'''

INBOX = '''"""A service that counts e-mails."""

import os

from flask import Flask, abort, jsonify, request

app = Flask("inbox")
sent = []


ROUTE


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", 9696)))
'''


def months(route):
    return MONTHS.replace("ROUTE", route.strip())


def inbox(route):
    return INBOX.replace("ROUTE", route.strip())


# --- free-a-busy-port: none of these may touch any process but the two of the check ---

OURS = '[p for p in psutil.Process().children() if "lab-free-a-busy-port" in p.cmdline()]'


def free(body):
    return f"def free(port):\n    ours = {OURS}\n{body.rstrip()}"


ANSWERS = {
    "write-a-service": {
        "right": [
            Instead(RUN, 'app.run("localhost", 9696)'),
            Instead(RUN, "app.run(port=9696)", ROUTE, '@app.get("/hello")'),
            Instead(TEXT, 'team = "marketing"\n    return f"Hello, {team}!", 200'),
        ],
        "wrong": [
            (Instead("9696", "5000"), "Flask takes 5000"),
            (Instead(RUN, "app.run(debug=True)"), "nothing answers on http://127.0.0.1"),
            (Instead(RUN, "port = 9696"), "which says why if it ends at once"),
            (Instead('"/hello"', '"/helo"'), "your service knows no such path"),
            (Instead('"/hello"', '"/hello/"'), "ends with a / that nobody asked for"),
            (Instead("GET", "POST"), "allows OPTIONS, POST only"),
            (Instead(TEXT, 'return "Hello, " + marketing'), "NameError: name 'marketing' is not"),
            (Instead(TEXT, 'print("Hello, marketing!")'), "did not return a valid response"),
            (Instead("Hello, m", "Hello, M"), "should be 'Hello, marketing!', and is 'Hello, M"),
            (Instead("!", ""), "compare each letter"),
            (Instead(TEXT, f"{TEXT}, 201"), "should be answered with 200, and is with 201"),
            (Instead(TEXT, 'return {"text": "Hello, marketing!"}'), "and is with JSON"),
            (Instead("127.0.0.1", "0.0.0.0"), "where everybody in your network can ask it"),
            (Instead("hello():", "hello()"), "is not Python yet, line 9: expected ':'"),
            (
                Instead(TEXT, f"import time\n    time.sleep(30)\n    {TEXT}"),
                "is there a loop that never ends, or a wait",
            ),
        ],
    },
    "call-it-three-ways": {
        "right": [
            """
def call_three_ways(url):
    def ask(agent=None):
        headers = {"User-Agent": agent} if agent else {}
        try:
            return urllib.request.urlopen(urllib.request.Request(url + "/hello", headers=headers)).status
        except urllib.error.HTTPError as error:
            return error.status

    session = requests.Session()
    return session.get(f"{url}/hello").status_code, ask(), ask("Mozilla/5.0 (X11; Linux) Firefox/130")
""",
            """
def call_three_ways(url):
    browser = requests.get(url + "/hello", headers={"user-agent": "Mozilla/5.0"}).status_code
    try:
        python = urllib.request.urlopen(url + "/hello")
    except urllib.error.HTTPError as response:
        python = response
    return [requests.get(url + "/hello").status_code, python.getcode(), browser]
""",
        ],
        "wrong": [
            (
                """
def call_three_ways(url):
    return [requests.get(url + "/hello").status_code for _ in range(3)]
""",
                "no request came from urllib",
            ),
            (
                Instead('{"User-Agent": "Mozilla/5.0"}', '{"UserAgent": "Mozilla/5.0"}'),
                "no request came from a browser, by the header User-Agent",
            ),
            (Instead("Mozilla/5.0", "Firefox"), "python-requests, Python-urllib, Firefox"),
            (Instead(", headers=browser", ", params=browser"), "asks GET /hello?User-Agent="),
            (
                Instead(
                    "urllib.request.urlopen(address, timeout=5)",
                    "urllib.request.urlopen(urllib.request.Request(address, headers="
                    '{"User-Agent": "urllib"}))',
                ),
                "says who it is by itself",
            ),
            (
                """
def call_three_ways(url):
    address = url + "/hello"
    first = requests.get(address).status_code
    second = urllib.request.urlopen(address).status
    third = requests.get(address, headers={"User-Agent": "Mozilla/5.0"}).status_code
    return [first, second, third]
""",
                "urllib raises HTTPError: catch",
            ),
            (
                Instead(
                    "requests.get(address, headers=browser, timeout=5).status_code",
                    "urllib.request.urlopen(urllib.request.Request(address, headers=browser)).status",
                ),
                "when the service answers 404, urllib raises HTTPError",
            ),
            (
                """
def call_three_ways(url):
    address = url + "/hello"
    response = requests.get(address)
    response.raise_for_status()
    second = urllib.request.urlopen(address).status
    third = requests.get(address, headers={"User-Agent": "Mozilla/5.0"}).status_code
    return [response.status_code, second, third]
""",
                "leave raise_for_status() out",
            ),
            (
                Instead("return [first, second, third]", "return [200, 200, 200]"),
                "should be [200, 201, 202], and is [200, 200, 200]",
            ),
            (Instead("return [first, second, third]", "return [third, second, first]"), "in the order"),
            (Instead("second = error.code", "second = 404"), "should be [200, 404, 200]|[403, 500"),
            (Instead("second = error.code", "second = error.reason"), "one of them is 'NOT FOUND'"),
            (Instead("timeout=5).status_code", "timeout=5)"), "one of them is <Response [200]>"),
            (Instead('url + "/hello"', "url"), "asks GET /: the address is url"),
            (Instead('url + "/hello"', 'url + "hello"'), "sent no request to that address"),
            (Instead("requests.get(", "requests.post("), "should ask GET /hello, and asks POST"),
            (Instead("return [first", 'requests.get(address)\n    return [first'), "and sends 4"),
            (Instead("return [first, second, third]", "print(first, second, third)"), "returned None"),
        ],
    },
    "a-route-with-a-parameter": {
        "right": [
            months("""
@app.get("/months")
def months():
    years = request.args.get("years", type=int)
    if years is None:
        return {"error": "years should be a whole number"}, 400
    return {"months": years * 12}
"""),
            months("""
@app.route("/months")
def in_months():
    text = request.args.get("years") or ""
    if not text.isdigit():
        return jsonify(error="years?"), 400
    return Response(json.dumps({"months": int(text) * 12}), content_type="application/json")
"""),
        ],
        "wrong": [
            (Instead("except ValueError", "except KeyError"), "and is with 500: your code failed there (ValueError"),
            (Instead('request.args.get("years", "")', 'request.args.get("years", "1")'), "200 says that all is well"),
            (
                Instead('request.args.get("years", "")', 'request.args["years"]'),
                'request.args["years"] fails when there is none',
            ),
            (
                months("""
@app.route("/months")
def months():
    years = request.args.get("years", "")
    if len(years) != 1:
        abort(400)
    return jsonify(months=12 * int(years))
"""),
                "a whole number of years is a good question",
            ),
            (Instead("abort(400", "abort(404"), "it is the parameter that is not: 400"),
            (Instead("abort(400", "abort(422"), "should be answered with 400, and is with 422"),
            (Instead("abort(400, f", "return jsonify(error=f"), "(no years) should be answered with 400, and is with 200"),
            (Instead("int(text)", "int(float(text))"), "(no whole number) should be answered with 400"),
            (
                months("""
@app.route("/months/<int:years>")
def months(years):
    return jsonify(months=12 * years)
"""),
                "your route has the years in its path, /months/3",
            ),
            (
                months("""
@app.route("/months?years=<years>")
def months(years):
    return jsonify(months=12 * int(years))
"""),
                "your service knows no such path",
            ),
            (
                months("""
@app.route("/months")
def months(years):
    return jsonify(months=12 * int(years))
"""),
                "missing 1 required positional argument: 'years'",
            ),
            (
                months("""
@app.route("/months")
def hello():
    return jsonify(months=12 * int(request.args["years"]))
"""),
                "which says why if it ends at once",
            ),
            (
                months("""
@app.route("/months")
def months():
    years = request.args.get("years", type=int)
    if not years:
        abort(400)
    return jsonify(months=12 * years)
"""),
                "0 is a whole number, too",
            ),
            (Instead("request.args.get", "request.form.get"), "read request.args, neither"),
            (Instead('request.args.get("years", "")', 'request.get_json()["years"]'), "and is with 415: the years come as"),
            (Instead("12 * years", "12 * text"), "text times 12 is text"),
            (Instead("12 * years", "str(12 * years)"), "give the number itself, without quotes"),
            (Instead("12 * years", "text"), "makes a number of it, and 12 times that"),
            (Instead("12 * years", "years"), "should be 36, and is 3"),
            (Instead("12 * years", "36"), "should be 12, and is 36: 12 months a year"),
            (Instead("months=12", "years=12"), "there is months missing and years not asked for"),
            (Instead("jsonify(months=12 * years)", "str(12 * years)"), "with a JSON object, and is with 36"),
            (Instead("jsonify(months=12 * years)", 'f"{12 * years} months"'), "should be answered with JSON, and is with a web page or plain text"),
            (
                Instead("jsonify(months=12 * years)", """'{"months": %d}' % (12 * years)"""),
                "its header Content-Type says text/html",
            ),
            (Instead("return jsonify", "jsonify"), "did not return a valid response"),
            (Instead('"/months", methods=["GET"]', '"/months", methods=["POST"]'), "and is with 405"),
        ],
    },
    "the-right-status": {
        "right": [
            inbox("""
@app.post("/emails")
def record():
    sent.append(request.json["customer"])
    return {"emails": len(sent)}, 201
"""),
            inbox("""
count = 0


@app.route("/emails", methods=["GET", "POST", "PUT", "DELETE"])
def emails():
    global count
    if request.method != "POST":
        abort(405)
    count += 1
    response = jsonify(emails=count)
    response.status_code = 201
    return response
"""),
        ],
        "wrong": [
            (
                inbox("""
@app.route("/emails", methods=["GET", "POST"])
def emails():
    if request.method != "POST":
        return "wrong method"
    sent.append(request.get_json())
    return jsonify(emails=len(sent)), 201
"""),
                "programs look at the status",
            ),
            (
                inbox("""
@app.route("/emails", methods=["GET", "POST"])
def emails():
    if request.method == "GET":
        return jsonify(error="wrong method"), 400
    sent.append(request.get_json())
    return jsonify(emails=len(sent)), 201
"""),
                "400 says that what was sent makes no sense",
            ),
            (
                inbox("""
@app.route("/emails", methods=["GET", "POST"])
def emails():
    sent.append(request.get_json())
    return jsonify(emails=len(sent)), 201
"""),
                "GET /emails should be answered with 405, and is with 415: the path is right",
            ),
            (
                inbox("""
@app.route("/emails", methods=["GET", "POST", "PUT", "DELETE"])
def emails():
    sent.append("one")
    return jsonify(emails=len(sent)), 201
"""),
                "takes more methods than it should",
            ),
            (Instead('["POST"]', '["POST", "PUT"]'), "PUT /emails should be answered with 405"),
            (
                Instead('["POST"]', '["POST", "DELETE"]', "sent.append(", 'request.method == "DELETE" and sent.clear()\n    sent.append('),
                "DELETE /emails should be answered with 405",
            ),
            (Instead(', methods=["POST"]', ""), "should be answered with 201, and is with 405"),
            (Instead(", 201", ""), "should be answered with 201, and is with 200: what came is in"),
            (Instead(", 201", ", 204"), "should be answered with 201, and is with 204"),
            (
                Instead("jsonify(emails=len(sent)), 201", 'jsonify(emails=len(sent), status=201)'),
                "and is with 200",
            ),
            (Instead("len(sent)", "1"), "should be 2, and is 1: it was 1 the last time"),
            (
                Instead("sent.append(", "sent = []\n    sent.append("),
                "adds one to a list that lives outside the function",
            ),
            (Instead("len(sent)", "len({str(one) for one in sent})"), "should be 3, and is 2"),
            (
                inbox("""
@app.route("/emails", methods=["POST"])
def emails():
    count = len(sent)
    sent.append(request.get_json())
    return jsonify(emails=count), 201
"""),
                "record the e-mail first, and count it, too",
            ),
            (Instead("len(sent)", "sent"), "should give emails as number, and gives [{"),
            (Instead("len(sent)", "str(len(sent))"), 'should give emails as number, and gives "1"'),
            (Instead("emails=len", "count=len"), "there is emails missing and count not asked for"),
            (Instead("jsonify(emails=len(sent))", "str(len(sent))"), "with a JSON object, and is with 1"),
            (Instead("request.get_json()", 'request.form["customer"]'), "the e-mail comes as JSON, which is in request.get_json()"),
            (
                inbox("""
count = 0


@app.route("/emails", methods=["POST"])
def emails():
    count += 1
    return jsonify(emails=count), 201
"""),
                "your code failed there: the service's log says where",
            ),
            (Instead('"/emails"', '"/email"'), "POST /emails should be answered with 201, and is with 404"),
            (
                Instead("@app.route", '@app.route("/email", methods=["POST"])\n@app.route'),
                "GET /email should be answered with 404, and is with 405: no route may have that path",
            ),
            (
                Instead("@app.route", '@app.route("/email", methods=["GET", "POST"])\ndef misspelt():\n    return "You mean /emails", 201\n\n\n@app.route'),
                "GET /email should be answered with 404, and is with 201",
            ),
            (
                Instead("@app.route", '@app.route("/<path>", methods=["GET"])\ndef other(path):\n    return "unknown path", 405\n\n\n@app.route'),
                "nor catch all paths",
            ),
        ],
    },
    "free-a-busy-port": {
        "right": [
            """
def free(port):
    for process in list(psutil.process_iter()):
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.Error:
            continue
        if any(c.laddr.port == port and c.status == "LISTEN" for c in connections):
            process.kill()
            process.wait()
""",
            """
def free(port):
    holder = labkit.service.holder(port)
    if number := re.search(r"process (\\d+)", holder):
        psutil.Process(int(number[1])).terminate()
        while labkit.service.is_open(port):
            time.sleep(0.01)
""",
            """
def free(port):
    import os
    import signal

    numbers = [p.pid for p in psutil.process_iter() if labkit.service.listens(p, port)]
    for number in numbers:
        os.kill(number, signal.SIGTERM)
    while any(psutil.pid_exists(number) for number in numbers):
        time.sleep(0.01)
    return numbers
""",
            """
def free(port):
    for process in psutil.process_iter(["net_connections"]):
        for c in process.info["net_connections"] or []:
            if c.status == psutil.CONN_LISTEN and c.laddr.port == port:
                process.terminate()
                process.wait(5)
                return
""",
        ],
        "wrong": [
            (free("    print(ours)"), "still listens there"),
            (
                free("    return [p.pid for p in ours if labkit.service.listens(p, port)]"),
                "still listens there",
            ),
            (
                free("""
    for process in ours:
        if labkit.service.listens(process, port):
            process.terminate()
"""),
                "while the process was still ending",
            ),
            (
                free("""
    for process in ours:
        if labkit.service.listens(process, port):
            process.terminate()
            time.sleep(0.02)
"""),
                "wait until it has ended, with process.wait(5)",
            ),
            (
                free("""
    ours[0].terminate()
    ours[0].wait(5)
"""),  # which of the two is the first depends on their numbers
                "ended another process|ended a process that does not listen",
            ),
            (
                free("""
    for process in ours:
        process.kill()
        process.wait(5)
"""),
                "ended another process",
            ),
            (
                free("""
    for process in ours:
        for c in process.net_connections(kind="tcp"):
            if c.laddr.port == port or c.raddr and c.raddr.port == port:
                process.kill()
                process.wait(5)
                break
"""),
                "only talks to port",
            ),
            (
                free("""
    for process in ours:
        if labkit.service.listens(process, port):
            break
    process.kill()
    process.wait(5)
"""),
                "does not listen on this port; it has a connection there",
            ),
            (
                free("""
    for process in ours:
        if any(c.laddr.port == port for c in process.net_connections(kind="tcp")):
            process.terminate()
            process.wait(5)
"""),
                "does not listen on this port; it has a connection there",
            ),
            (
                """
def free(port):
    for process in psutil.process_iter():
        for c in process.net_connections(kind="tcp"):
            if c.status == psutil.CONN_LISTEN and c.laddr.port == port:
                process.terminate()
                process.wait(5)
""",
                "Catch psutil.AccessDenied for each process",
            ),
            (
                """
def free(port):
    try:
        for process in psutil.process_iter():
            for c in process.net_connections(kind="tcp"):
                if c.status == psutil.CONN_LISTEN and c.laddr.port == port:
                    process.terminate()
                    process.wait(5)
    except psutil.AccessDenied:
        pass
""",
                "still listens there",
            ),
            (
                free("""
    process = next(p for p in ours if labkit.service.listens(p, port))
    process.kill()
    process.wait(5)
"""),
                "nothing to end, but free(",
            ),
            (
                free("""
    for process in ours:
        if any(c.laddr.port == port for c in process.connections_of_mine()):
            process.kill()
"""),
                "raised AttributeError",
            ),
            (
                """
def free(port):
    import subprocess
    import sys

    stranger = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(2)"])
    try:
        psutil.Process(stranger.pid).kill()
    except Exception:
        pass
""",
                "wants to end process",
            ),
        ],
    },
    "read-a-log": {
        "right": [
            """
def parse(line):
    parts = line.split('"')
    if len(parts) != 3 or "HTTP/" not in parts[1]:
        return None
    method, address, _ = parts[1].split()
    path, _, _ = address.partition("?")
    return method, path, int(parts[2].split()[0])
""",
            """
def parse(line):
    match line.split():
        case [_, "-", "-", _, _, method, address, _, status, _] if status.isdigit():
            return method.strip('"'), urllib.parse.urlsplit(address).path, int(status)
""",
        ],
        "wrong": [
            (Instead('address.split("?")[0]', "address"), "cut the address at the ?"),
            (Instead("int(status)", "status"), "the status should be a number"),
            (
                "def parse(line):\n    return re.search(r'\"(\\S+) (\\S+) .*\" (\\d+)', line).groups()",
                "the status should be a number",
            ),
            (
                Instead("    if found is None:\n        return None\n", ""),
                "should be None, and raises AttributeError: 'NoneType'",
            ),
            (
                """
def parse(line):
    words = line.split()
    return words[5][1:], words[6].split("?")[0], int(words[8])
""",
                "this line is no request, so look first whether it is one",
            ),
            (
                """
def parse(line):
    parts = line.split('"')
    if len(parts) < 3:
        return None
    method, address, _ = parts[1].split()
    return method, address.split("?")[0], int(parts[2].split()[0])
""",
                "should be None, and raises ValueError",
            ),
            (
                """
def parse(line):
    if "HTTP" not in line:
        return ()
    words = line.split()
    return words[5][1:], words[6].split("?")[0], int(words[8])
""",
                "should be None, and is ()",
            ),
            (Instead("[A-Z]+", "GET|POST"), "the line is a request: it should be ('OPTIONS'"),
            (Instead("[A-Z]+", "[A-Z]{3,4}"), "the line is a request: it should be ('OPTIONS'"),
            (Instead(r"'\] ", r"r'^[\d.]+ - - \[.*\] ", "rr", "r"), "'::1 - - "),
            (Instead(r"HTTP/[\d.]+", "HTTP/1.1"), "it should be ('GET', '/', 404)"),
            (
                Instead('address.split("?")[0]', 'urllib.parse.unquote(address.split("?")[0])'),
                "leave %20 as it is",
            ),
            (
                Instead("return method, address.split(\"?\")[0], int(status)", "return [method, address.split(\"?\")[0], int(status)]"),
                "should be a tuple, and is a list",
            ),
            (
                Instead("return method, address.split(\"?\")[0], int(status)", "return int(status), address.split(\"?\")[0], method"),
                "first the method, then the path, then the status",
            ),
            ("def parse(line):\n    return 'GET', '/ping', 200", "should be ('GET', '/months', 200)"),
            ("def parse(line):\n    print(line.split()[5:9])", "is None, and the line is a request"),
        ],
    },
}  # fmt: skip
