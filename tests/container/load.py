"""Keep a service busy while it is being stopped, and print what became of the requests, as JSON.

`python load.py PORT CUSTOMER`, where CUSTOMER is JSON. It prints "busy" when the service may be
stopped. It runs in a container beside the service, with nothing but Python's own library.
"""

import http.client
import json
import sys
import threading
import time

PORT, CUSTOMER = int(sys.argv[1]), sys.argv[2]
BODIES = {"/predict": CUSTOMER, "/predict/batch": f"[{', '.join([CUSTOMER] * 100)}]"}
YOUNG = 1  # seconds
BUSY, HELD = 6, 60  # clients that ask again and again, and bodies that arrive after the stop

closed = threading.Event()  # the service takes no new connection
answered = []
silent = []  # when the connections were made that got no answer
problems = []
held = []


def ask(path, wait=False):
    """Post one request on a new connection; with wait, its second half when new ones are refused.

    Returns False when the connection is refused.
    """
    body = BODIES[path].encode()
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=15)
    try:
        connection.connect()
    except (ConnectionRefusedError, ConnectionResetError):
        closed.set()
        return False
    made = time.monotonic()
    response = None
    try:
        connection.putrequest("POST", path)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Connection", "close")
        connection.endheaders(body[:100])
        if wait:
            closed.wait(timeout=15)
        connection.send(body[100:])
        response = connection.getresponse()
        json.loads(response.read())
        if response.status == 200:
            (held if wait else answered).append(path)
        else:
            problems.append(f"{path}: status {response.status}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        if response is None and not wait:
            silent.append(made)
        else:
            problems.append(f"{path}: {error!r}")
    finally:
        connection.close()
    return True


def client(path):
    while not closed.is_set() and time.monotonic() < deadline and ask(path):
        pass


deadline = time.monotonic() + 20
paths = list(BODIES)
threads = [threading.Thread(target=ask, args=(path, True)) for path in paths * (HELD // 2)]
threads += [threading.Thread(target=client, args=(path,)) for path in paths * (BUSY // 2)]
for thread in threads:
    thread.start()
while len(answered) < 50 and time.monotonic() < deadline:
    time.sleep(0.05)
print("busy", flush=True)
closed.wait(timeout=20)
closed_at = time.monotonic()
for thread in threads:
    thread.join()

# A connection that the kernel has made, but the service not yet taken, is reset when the service
# closes its socket. The service never knew of it, and no server can do better. Such a one is young.
young = sum(made > closed_at - YOUNG for made in silent)
print(json.dumps({
    "clients": BUSY,
    "held": HELD,
    "answered": len(answered),
    "finished after the stop": len(held),
    "never taken": young,
    "lost": len(silent) - young,
    "problems": problems,
    "closed": closed.is_set(),
}))  # fmt: skip
