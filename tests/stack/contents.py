"""What published tables hold, as hashes: equal hashes, equal tables."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb

# When something happened differs from run to run; what was found does not.
MOMENTS = ("published_at",)
ABOUT_RUNS = ("about", "pipeline_")


def contents(file: Path) -> dict[str, str]:
    """Rows and hash of each table of a published file, without the moments of its making."""
    with duckdb.connect(str(file), read_only=True) as connection:
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'segments' order by all"
        ).fetchall()
        return {
            name: _content(connection, name)
            for (name,) in tables
            if not name.startswith(ABOUT_RUNS)
        }


def _content(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    told = connection.execute(
        f'select columns(lambda c: not list_contains(?, c)) from segments."{table}" order by all',
        [list(MOMENTS)],
    )
    digest = hashlib.sha256()
    rows = 0
    while batch := told.fetchmany(5000):
        rows += len(batch)
        digest.update(repr(batch).encode())
    return f"{rows} rows {digest.hexdigest()[:16]}"
