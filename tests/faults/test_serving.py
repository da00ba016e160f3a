"""kill -9 of PostgreSQL, and of the loading process, while the published tables are loaded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from tests.faults import trials
from tests.unit.ingest.fetch.served import postgresql
from tests.unit.publish.test_postgres import Server

pytestmark = pytest.mark.faults
ROWS = 1_500_000  # seconds of loading, so that a kill falls into it
SERVE = """
import sys, pathlib
from tessera import warehouse
from tessera.publish import postgres
with warehouse.open_published(pathlib.Path(sys.argv[1])) as published:
    print(postgres.serve(published, sys.argv[2]))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql() as started:
        made = Server(started)
        done = made.make_roles()
        assert done.returncode == 0, done.stderr
        yield made


def _write(folder: Path, run: str, rows: int) -> Path:
    file = folder / f"segments-{run}.duckdb"
    with duckdb.connect(str(file)) as opened:
        opened.execute("create schema segments")
        opened.execute(f"create table segments.about as select '{run}' as run")
        for table in ("customers", "orders"):
            opened.execute(
                f"create table segments.{table} as select md5(i::varchar) as customer_id, "
                f"'{run}' as run from range({rows}) r(i)"
            )
    return file


def _serve(server: Server, file: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SERVE, str(file), server.url("tessera_ops")],
        cwd=trials.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _await_copy(server: Server, rows: int) -> int:
    """Wait until the load is some rows on; the process of the server that loads."""
    until = time.monotonic() + 120
    query = "select pid from pg_stat_progress_copy where tuples_processed > %s"
    with psycopg.connect(server.running.get_uri(database="tessera"), autocommit=True) as asking:
        while time.monotonic() < until:
            found = asking.execute(query, [rows]).fetchone()
            if found:
                return int(found[0])
            time.sleep(0.01)
    raise AssertionError("no load was seen")


def _seen(server: Server) -> set[tuple[Any, ...]]:
    """The runs and rows that readers see, once the server answers again."""
    until = time.monotonic() + 60
    query = "select run, count(*) from segments.{} group by run"
    while True:
        try:
            return {row for t in ("customers", "orders") for row in server.ask(query.format(t))}
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _kill_loader(loading: subprocess.Popen[str], _: Server, __: int) -> None:
    loading.kill()


def _kill_backend(_: subprocess.Popen[str], __: Server, backend: int) -> None:
    os.kill(backend, signal.SIGKILL)  # the server ends all others and recovers


def _kill_server(_: subprocess.Popen[str], server: Server, __: int) -> None:
    """The whole of it, as a machine that loses power; then it is started again."""
    folder = Path(server.running.pgdata)
    first = int((folder / "postmaster.pid").read_text().splitlines()[0])
    every = [first, *(int(p) for p in _children(first))]
    for pid in every:
        os.kill(pid, signal.SIGKILL)
    # Where nobody takes leave of the dead, their entry would pass for a server that runs.
    for left in (folder / "postmaster.pid", *folder.glob(".s.PGSQL.*.lock")):
        left.unlink(missing_ok=True)
    _start_again(server)


def _start_again(server: Server) -> None:
    """Recovery may take longer than the ten seconds that the wheel waits."""
    until = time.monotonic() + 120
    while True:
        try:
            server.running.ensure_postgres_running()
        except (subprocess.TimeoutExpired, AssertionError):
            if time.monotonic() > until:
                raise
            time.sleep(1)
        else:
            return


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@pytest.mark.parametrize("kill", [_kill_loader, _kill_backend, _kill_server])
def test_killed_while_loading_the_old_tables_stay_and_the_next_try_is_right(
    kill: Callable[[subprocess.Popen[str], Server, int], None], server: Server, tmp_path: Path
) -> None:
    name = kill.__name__
    old, new = _write(tmp_path, f"{name}-old", 2_000), _write(tmp_path, f"{name}-new", ROWS)
    said, errors = _serve(server, old).communicate(timeout=120)
    assert "in PostgreSQL" in said, errors
    loading = _serve(server, new)
    kill(loading, server, _await_copy(server, 50_000))
    _, errors = loading.communicate(timeout=120)
    assert loading.returncode != 0
    if kill is not _kill_loader:
        assert "PostgreSQL has not taken" in errors
    assert _seen(server) == {(f"{name}-old", 2_000)}
    said, errors = _serve(server, new).communicate(timeout=300)
    assert "in PostgreSQL" in said, errors
    assert _seen(server) == {(f"{name}-new", ROWS)}
