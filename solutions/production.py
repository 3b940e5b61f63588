"""The churn service as the container runs it: `python production.py`, on CHURN_HOST and PORT.

A front door: an event loop reads the requests, hundreds side by side, and calls the Flask app when
a body is whole. So a slow client costs some memory for some seconds, and holds up nobody.
"""

import asyncio
import io
import json
import os
import re
import socket
import sys
import time
import traceback
from datetime import UTC, datetime
from uuid import uuid4

from asgiref.wsgi import WsgiToAsgiInstance
from granian import Granian
from granian.http import HTTP1Settings
from granian.log import LOGGING_CONFIG
from werkzeug import exceptions
from werkzeug.wrappers import Response

SECONDS = 10  # for the headers, and for a whole body
LARGEST = 2**20  # bytes: of a longer body no more is read, and the app refuses it
MEMORY = 2**28  # bytes of all the bodies that are still arriving


class FrontDoor:
    """An ASGI application that hands whole requests to a WSGI application."""

    def __init__(self, app):
        self.app, self.adapter, self.arriving = app, WsgiToAsgiInstance(app, None), 0

    async def __call__(self, scope, receive, send):
        begin, headers = time.perf_counter(), dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if re.fullmatch(rb"[\w.-]{1,64}", given) else uuid4().hex
        try:
            too_long = int(headers.get(b"content-length", 0)) > LARGEST + 1  # so much is read
            response = self.ask(scope, b"" if too_long else await self.read_body(receive))
        except Exception as error:
            response = refuse(error)
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "id": request_id,
            "method": scope["method"][:20],
            # As it was sent, so %0a ends no line; without the query, which may hold a secret.
            "path": scope["raw_path"].decode("ascii", "backslashreplace")[:200],
            "status": (status := response.status_code),
            "ms": round(1000 * (time.perf_counter() - begin), 1),
            "model": response.headers.get("Churn-Model"),
        }
        print(json.dumps(line), flush=True)
        pairs = [*response.headers, ("X-Request-ID", request_id)]
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": response.get_data()})

    async def read_body(self, receive):
        """Return the body, or a little more of it than LARGEST."""
        body, more = bytearray(), True
        try:
            async with asyncio.timeout(SECONDS):
                while more and len(body) <= LARGEST:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise exceptions.ClientDisconnected
                    body += message["body"]
                    more = message["more_body"]
                    self.arriving += len(message["body"])
                    if self.arriving > MEMORY:
                        raise exceptions.ServiceUnavailable(retry_after=SECONDS)
        except TimeoutError:
            raise exceptions.RequestTimeout(f"The body took over {SECONDS} seconds.") from None
        finally:
            self.arriving -= len(body)
        return bytes(body)

    def ask(self, scope, body):
        query = scope["query_string"].decode("ascii", "ignore").encode()  # no other belongs there
        self.adapter.scope = scope
        environ = self.adapter.build_environ(scope | {"query_string": query}, io.BytesIO(body))
        if environ.pop("HTTP_TRANSFER_ENCODING", None):  # the body came in chunks
            environ["CONTENT_LENGTH"] = str(len(body))
        return Response.from_app(self.app, environ, buffered=True)


def refuse(error):
    if not isinstance(error, exceptions.HTTPException):
        traceback.print_exception(error)
        error = exceptions.InternalServerError()
    data = json.dumps({"error": error.description})
    headers = [pair for pair in error.get_headers() if pair[0] != "Content-Type"]
    return Response(data, error.code, headers, content_type="application/json")


def churn_door():
    from churn_serving import app  # here, as the door itself needs no model

    return FrontDoor(app)


if __name__ == "__main__":
    if sys.argv[1:]:  # what stands behind the image's name in `docker run churn ...`
        sys.exit(f"production.py takes no arguments, and was given {' '.join(sys.argv[1:])}.")
    host, port = os.environ.get("CHURN_HOST") or "127.0.0.1", os.environ.get("PORT") or "9696"
    try:
        socket.create_server((host, int(port))).close()  # granian would share the port
    except (OSError, ValueError, OverflowError) as error:
        sys.exit(f"{host}:{port} can't be used ({error}): free that port, or set another PORT.")
    console = LOGGING_CONFIG["handlers"]["console"] | {"stream": "ext://sys.stderr"}
    options = {"interface": "asginl", "factory": True, "http": "1", "websockets": False}
    options["http1_settings"] = HTTP1Settings(header_read_timeout=1000 * SECONDS)
    options["backpressure"] = 8192  # connections at a time, the silent ones included
    options["log_dictconfig"] = {"handlers": {"console": console, "access": console}}
    # Workers get 8 seconds to finish, since Docker kills everything after 10.
    Granian(f"{__file__}:churn_door", host, int(port), workers_kill_timeout=8, **options).serve()
