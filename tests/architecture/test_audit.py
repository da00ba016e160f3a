"""`make audit`: real pip-audit, asking an advisory database on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WEAK = {
    "id": "EX-2026-1", "modified": "2026-01-01T00:00:00Z", "details": "an example",
    "affected": [
        {
            "package": {"name": "six", "ecosystem": "PyPI"},
            "versions": ["1.16.0"],
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.17.0"}]}],
        }
    ],
}  # fmt: skip


@contextmanager
def advisories(found: list[dict[str, Any]], status: int = 200) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
    finally:
        server.shutdown()
        server.server_close()


def audit(folder: Path, url: str, lock: str | None = None) -> subprocess.CompletedProcess[str]:
    file = folder / "requirements.lock"
    file.write_text(lock or f"six==1.16.0 \\\n    --hash=sha256:{'0' * 64}\n")
    options = ["--vulnerability-service", "osv", "--osv-url", url]
    return subprocess.run(
        [str(ROOT / "deploy" / "audit"), *options, "--cache-dir", str(folder), "--timeout", "5"],
        env={
            **os.environ, "LOCK": str(file), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
            "PIP_AUDIT": str(Path(sys.executable).with_name("pip-audit")),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip


def test_nothing_known_is_good(tmp_path: Path) -> None:
    with advisories([]) as url:
        done = audit(tmp_path, url)
    assert (done.returncode, "No known weakness" in done.stdout) == (0, True), done.stderr


def test_a_weakness_fails_and_is_named(tmp_path: Path) -> None:
    with advisories([WEAK]) as url:
        done = audit(tmp_path, url)
    assert done.returncode == 1, done.stderr
    assert "EX-2026-1" in done.stdout and "1.17.0" in done.stdout and "make lock" in done.stdout


def test_where_nobody_can_be_asked_it_says_so_and_goes_on(tmp_path: Path) -> None:
    done = audit(tmp_path, "http://127.0.0.1:9/v1/query")
    assert done.returncode == 0, done.stderr
    assert "Not audited: the advisory database could not be asked" in done.stdout
    assert "No known weakness" not in done.stdout


def test_what_the_database_cannot_say_is_counted(tmp_path: Path) -> None:
    hashes = f"--hash=sha256:{'0' * 64}"
    lock = f"six==1.16.0 {hashes}\nours @ https://example.org/ours-1.zip {hashes}\n"
    with advisories([]) as url:
        done = audit(tmp_path, url, lock)
    assert done.returncode == 0, done.stderr
    assert "1 packages were not audited" in done.stdout and "ours" in done.stdout
    assert "No known weakness" not in done.stdout


def test_a_lock_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with advisories([]) as url:
        done = audit(tmp_path, url, lock="six==1.16.0 --hash=\n;;;")
    assert done.returncode == 2, done.stdout + done.stderr
