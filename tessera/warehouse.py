"""The only place that opens the warehouse. warehouse.sql: the tables that Python writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

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
def in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection with no file, for work that leaves nothing in the warehouse."""
    connection = duckdb.connect()
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()


@contextmanager
def open_published(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published tables, read-only and with no way to other files of the machine."""
    config = {"enable_external_access": "false", "lock_configuration": "true"}
    connection = duckdb.connect(str(file.resolve()), read_only=True, config=config)  # type: ignore[arg-type]
    try:
        yield connection
    finally:
        connection.close()
