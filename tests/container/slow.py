"""Hold slow clients on a service while it is asked other things; print how it did, as JSON.

`python slow.py PORT CUSTOMER SECONDS`, where CUSTOMER is JSON. SILENT connections never say a word,
HALF more send half a body and no more; for each that the service ends, a new one is made. It prints
"held" when all are there. After its result the connections stay until the service ends them. It
runs in a container beside the service, with nothing but Python's own library.
"""

import http.client
import json
import selectors
import socket
import sys
import threading
import time

PORT, CUSTOMER, SECONDS = int(sys.argv[1]), sys.argv[2].encode(), float(sys.argv[3])
SILENT, HALF = 500, 200
HALF_SENT = b"POST /predict HTTP/1.1\r\nHost: churn\r\nContent-Type: application/json\r\n"
HALF_SENT += b"Content-Length: 500\r\n\r\n{"

selector = selectors.DefaultSelector()
late = []  # of each half body: the status, the answer, and after how many seconds it came


def hold(sent):
    connection = socket.create_connection(("127.0.0.1", PORT), timeout=10)
    connection.sendall(sent)
    selector.register(connection, selectors.EVENT_READ, (sent, time.monotonic()))


def hold_on():
    """Read what the service says to the slow clients, and make new ones, until it is closed."""
    try:
        while True:
            for key, _ in selector.select(timeout=0.1):
                sent, begin = key.data
                selector.unregister(key.fileobj)
                if sent:
                    response = http.client.HTTPResponse(key.fileobj)
                    response.begin()
                    seconds = time.monotonic() - begin
                    late.append((response.status, json.loads(response.read()), seconds))
                key.fileobj.close()
                hold(sent)
    except (OSError, http.client.HTTPException):  # it is closed, or it has cut the connection
        pass


def ask(path, body):
    """Return the status and after how many seconds it came."""
    begin = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    try:
        connection.request("POST" if body else "GET", path, body, headers)
        response = connection.getresponse()
        response.read()
        return response.status, time.monotonic() - begin
    except OSError as error:
        return repr(error), time.monotonic() - begin
    finally:
        connection.close()


for sent in [b""] * SILENT + [HALF_SENT] * HALF:
    hold(sent)
holding = threading.Thread(target=hold_on)
holding.start()
print("held", flush=True)

headers = {"Content-Type": "application/json"}
asked = {"/ping": None, "/health": None, "/predict": CUSTOMER}
seen = {path: [] for path in asked}
end = time.monotonic() + SECONDS
while time.monotonic() < end:
    for path, body in asked.items():
        seen[path].append(ask(path, body))
    time.sleep(0.1)
answered = late.copy()
waited = [seconds for *_, seconds in answered] or [0]
print(json.dumps({
    "statuses": sorted({str(status) for times in seen.values() for status, _ in times}),
    "slowest": {path: round(max(seconds for _, seconds in seen[path]), 3) for path in seen},
    "late": len(answered),
    "late statuses": sorted({status for status, _, _ in answered}),
    "late errors": sorted({answer["error"] for _, answer, _ in answered}),
    "late after": [round(min(waited), 1), round(max(waited), 1)],
}), flush=True)  # fmt: skip
holding.join()
