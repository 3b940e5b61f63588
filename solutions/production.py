"""The churn service as the container runs it: `python production.py`, on CHURN_HOST and PORT.

A front door: an event loop reads the requests, hundreds side by side, and calls the Flask app when
a body is whole. So a slow client costs some memory for some seconds, and holds up nobody.
"""

import asyncio
import io
import json
import multiprocessing
import os
import re
import socket
import sys
import threading
import time
import traceback
from contextlib import suppress
from datetime import UTC, datetime

from asgiref.wsgi import WsgiToAsgiInstance
from granian import Granian
from granian.http import HTTP1Settings
from werkzeug import exceptions
from werkzeug.wrappers import Response

SECONDS = 10  # for the headers, and for a whole body
LARGEST = 2**20  # bytes: of a longer body no more is read, and the app refuses it
MEMORY = 2**28  # bytes of all the bodies that are still arriving; those up to 16 KiB always may


class FrontDoor:  # an ASGI application that hands whole requests to a WSGI application
    def __init__(self, app, headers):  # which the door's own answers bear, too
        self.adapter, self.headers, self.arriving = WsgiToAsgiInstance(app, None), headers, 0

    async def __call__(self, scope, receive, send):
        begin, headers, errors = time.perf_counter(), dict(scope["headers"]), io.StringIO()
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if re.fullmatch(r"[\w.-]{1,64}", given, re.A) else os.urandom(16).hex()
        try:
            too_long = int(headers.get(b"content-length", 0)) > LARGEST + 1  # so much is read
            response = self.ask(scope, b"" if too_long else await self.read_body(receive), errors)
        except Exception as error:
            response = self.refuse(error, errors)
        path = scope["raw_path"].decode("ascii", "backslashreplace")[:200]  # as sent, without query
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "id": request_id}
        line |= {"method": scope["method"][:20], "path": path, "status": response.status_code}
        line["ms"] = round(1000 * (time.perf_counter() - begin), 1)
        line["model"] = response.headers.get("Churn-Model")
        with suppress(OSError):  # a full disk, or nobody reads the log: the answer matters more
            print(json.dumps(line) + "\n", end="", flush=True)  # with its end in one piece
            if errors.tell():  # a traceback, which may quote the client
                print(json.dumps({"id": request_id, "errors": errors.getvalue()}), file=sys.stderr)
        response.headers["X-Request-ID"] = request_id
        pairs = [(key.lower().encode(), value.encode("latin-1")) for key, value in response.headers]
        await send({"type": "http.response.start", "status": line["status"], "headers": pairs})
        await send({"type": "http.response.body", "body": response.get_data()})

    async def read_body(self, receive):
        body, message = bytearray(), {"more_body": True}
        try:
            async with asyncio.timeout(SECONDS):
                while message["more_body"] and len(body) <= LARGEST:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise exceptions.ClientDisconnected
                    body += message["body"]
                    self.arriving += len(message["body"])
                    if self.arriving > MEMORY and len(body) > 2**14:
                        raise exceptions.ServiceUnavailable(retry_after=SECONDS)
        except TimeoutError:
            raise exceptions.RequestTimeout(f"The body took over {SECONDS} seconds.") from None
        finally:
            self.arriving -= len(body)
        return bytes(body)

    def ask(self, scope, body, errors):
        self.adapter.scope = scope
        environ = self.adapter.build_environ(scope | {"query_string": b""}, io.BytesIO(body))
        environ |= {"QUERY_STRING": scope["query_string"].decode("latin-1"), "wsgi.errors": errors}
        if environ.pop("HTTP_TRANSFER_ENCODING", None):  # the body came in chunks
            environ["CONTENT_LENGTH"] = str(len(body))
        return Response.from_app(self.adapter.wsgi_application, environ, buffered=True)

    def refuse(self, error, errors):
        if not isinstance(error, exceptions.HTTPException):
            traceback.print_exception(error, file=errors)
            error = exceptions.InternalServerError()
        headers = dict(error.get_headers()) | self.headers | {"Content-Type": "application/json"}
        return Response(json.dumps({"error": error.description}), error.code, headers)


def churn_door():
    from churn_serving import MODEL, app  # here, as the door itself needs no model

    def end_with_parent():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    return FrontDoor(app, MODEL)


if __name__ == "__main__":
    if sys.argv[1:]:  # what stands behind the image's name in `docker run churn ...`
        sys.exit(f"production.py takes no arguments, and was given {' '.join(sys.argv[1:])}.")
    host, port = os.environ.get("CHURN_HOST") or "127.0.0.1", os.environ.get("PORT") or "9696"
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, int(port)), family=family) as probe:
            host, port = probe.getsockname()[:2]  # free again: granian would share it
    except (OSError, ValueError, OverflowError) as error:
        sys.exit(f"{host}:{port} can't be used ({error}): free that port, or set another PORT.")
    console = {"class": "logging.StreamHandler", "formatter": "generic"}  # on standard error
    options = {"interface": "asginl", "factory": True, "http": "1", "websockets": False}
    options["http1_settings"] = HTTP1Settings(1000 * SECONDS, max_buffer_size=2**16)
    options["backpressure"] = 8192  # connections at a time, the silent ones included
    options["log_dictconfig"] = {"handlers": {"console": console, "access": console}}
    # Workers get 8 seconds to finish, since Docker kills everything after 10.
    Granian(f"{__file__}:churn_door", host, port, workers_kill_timeout=8, **options).serve()
