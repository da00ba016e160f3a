"""The only place that opens the warehouse. warehouse.sql: the tables that Python writes."""

from __future__ import annotations

import fcntl
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlencode

import duckdb

# What everybody who reads the published file opens it with: read-only alone would let SQL read and
# write other files of the machine. All connections of a process to a file must say the same.
HARDENED = {
    "enable_external_access": "false",
    "lock_configuration": "true",
    "threads": "2",
    "memory_limit": "1GB",
}
log = logging.getLogger(__name__)
SCHEMA = Path(__file__).with_name("warehouse.sql").read_text(encoding="utf-8")


class WarehouseBusy(RuntimeError):
    """Another process holds the warehouse."""


@contextmanager
def open_warehouse(
    file: Path, memory_limit: str = "1500MB", threads: int = 2
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for writing and close it again; it is made when it is not there.

    Raises WarehouseBusy when another process holds it: DuckDB allows one writing process a file.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    config = {"memory_limit": memory_limit, "threads": str(threads)}
    try:
        connection = duckdb.connect(str(file), config=config)  # type: ignore[arg-type]
    except duckdb.IOException as error:
        if "Could not set lock" in str(error):
            raise WarehouseBusy(
                f"another process holds the warehouse {file}. Wait until it ends, or close the "
                f"program that has it open ({_holder(error)}); BI tools read "
                "data/published/segments.duckdb instead"
            ) from None
        raise
    try:
        connection.execute(SCHEMA)
        yield connection
    finally:
        connection.close()


def _holder(error: Exception) -> str:
    found = re.search(r"PID \d+", str(error))
    return found.group() if found else "unknown process"


@contextmanager
def hold(file: Path, wait_seconds: float) -> Iterator[None]:
    """Keep other runs off the warehouse for the block, which may open it several times.

    Waits for one that is at work. The lock is the operating system's and ends with the process,
    however that ends. Raises WarehouseBusy when the wait is over.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("a") as lock:
        _wait(lock, file, wait_seconds)
        yield


def _wait(lock: IO[str], file: Path, wait_seconds: float) -> None:
    until = time.monotonic() + wait_seconds
    has_told = False
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise WarehouseBusy(
                    f"another run is at work on the warehouse {file}, still after "
                    f"{wait_seconds:,.0f} s. Let it end, then run again; `wait_seconds` under "
                    "[warehouse] in the settings says how long to wait"
                ) from None
        if not has_told:
            log.warning("another run is at work on the warehouse %s: waiting for its step", file)
            has_told = True
        time.sleep(0.2)


@contextmanager
def in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection with no file, for work that leaves nothing in the warehouse."""
    connection = duckdb.connect()
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()


def published_url(file: Path) -> str:
    """The published file for SQLAlchemy, hardened: the connection string that we hand out."""
    options = urlencode({"access_mode": "read_only", **HARDENED})
    return f"duckdb:///{quote(str(file.absolute()))}?{options}"


@contextmanager
def open_published(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published tables, read-only and with no way to other files of the machine."""
    # The version, not the link: DuckDB keeps an open database by its path.
    connection = duckdb.connect(str(file.resolve()), read_only=True, config=HARDENED)  # type: ignore[arg-type]
    try:
        yield connection
    finally:
        connection.close()
