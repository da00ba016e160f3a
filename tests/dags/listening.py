"""Small servers on loopback that keep what is sent to them: HTTP, SMTP and StatsD."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def http() -> Iterator[tuple[int, list[tuple[str, dict[str, Any]]]]]:
    """Port, and (path, JSON body) of each POST."""
    posts: list[tuple[str, dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posts.append((self.path, json.loads(body)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with _served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield port, posts


@contextmanager
def smtp() -> Iterator[tuple[int, list[str]]]:
    """Port, and each message as it came."""
    messages: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline().decode().strip():
                word = line.split()[0].upper()
                if word == "DATA":
                    self.wfile.write(b"354 go on\r\n")
                    messages.append("".join(iter(lambda: self.rfile.readline().decode(), ".\r\n")))
                self.wfile.write(b"221 bye\r\n" if word == "QUIT" else b"250 ok\r\n")
                if word == "QUIT":
                    return

    with _served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port, messages


@contextmanager
def statsd() -> Iterator[tuple[int, list[str]]]:
    """Port, and each metric as it came."""
    metrics: list[str] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            metrics.extend(self.request[0].decode().splitlines())

    with _served(socketserver.UDPServer(("127.0.0.1", 0), Handler)) as port:
        yield port, metrics


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[int]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]  # type: ignore[index,misc]
    finally:
        server.shutdown()
        server.server_close()
