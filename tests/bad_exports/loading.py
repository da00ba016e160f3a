"""Load files of the corpus as the pipeline does, and look at what became of them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from tessera import warehouse
from tessera.ingest.kinds import KINDS
from tessera.ingest.load import create_raw_tables, load_source
from tessera.ingest.source import Source
from tests.bad_exports.made import FOLDER, content

LOADED_AT = datetime(2026, 1, 15)
TABLE = tomllib.loads((FOLDER / "table.toml").read_text(encoding="utf-8"))
SOURCES: dict[str, dict[str, Any]] = TABLE["sources"]
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Ledger:
    """What the ledger says of one file, summed over its kinds; status is empty when nothing."""

    status: str
    read: int
    loaded: int
    quarantined: int
    reason: str


def settings_of(source: str) -> dict[str, Any]:
    """The source as the settings would say it."""
    return {key: value for key, value in SOURCES[source].items() if key != "good"}


@contextmanager
def loaded(
    inbox: Path, source: Mapping[str, Any], files: Mapping[str, bytes]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse after the files (name → bytes) were put into the new inbox and loaded."""
    inbox.mkdir()
    for name, whole in files.items():
        (inbox / name).write_bytes(whole)
    with duckdb.connect(config={"threads": "2"}) as connection:
        connection.execute(warehouse.SCHEMA)
        create_raw_tables(connection)
        load_source(connection, inbox, "source", Source(**source), LOADED_AT)
        yield connection


def contents(names: Sequence[str]) -> dict[str, bytes]:
    """Files of the corpus by the names that they get in an inbox."""
    return {Path(name).name: content(name) for name in names}


def ledger(connection: duckdb.DuckDBPyConnection, file: str) -> Ledger:
    """What became of a file of the inbox."""
    row = connection.execute(
        """
        select coalesce(min(status), ''), coalesce(sum(rows_read), 0),
               coalesce(sum(rows_loaded), 0), coalesce(sum(rows_quarantined), 0),
               coalesce(min(reason), '')
        from ops.loads where file = ?
        """,
        [file],
    ).fetchone()
    assert row is not None
    return Ledger(*row)


def raw_rows(connection: duckdb.DuckDBPyConnection, file: str) -> Rows:
    """All raw rows of a file, of every kind, without the number of the load."""
    rows: Rows = []
    for kind in KINDS:
        rows += connection.execute(
            f"select '{kind}', * exclude (_load_id) from raw.{kind} where _load_id in "
            "(select load_id from ops.loads where file = ?) order by all",
            [file],
        ).fetchall()
    return rows


def quarantined_rows(connection: duckdb.DuckDBPyConnection, file: str) -> list[tuple[str, str]]:
    """Reason and text of each quarantined row of a file, by its line."""
    return connection.execute(
        "select reason, raw_row from quarantine.rows where file = ? order by line", [file]
    ).fetchall()


def rows_of_neighbours(
    connection: duckdb.DuckDBPyConnection, source: str
) -> dict[str, tuple[Rows, list[tuple[str, str]]]]:
    """What is in raw and in quarantine of each good file of a source."""
    files = [Path(name).name for name in SOURCES[source]["good"]]
    found = {
        file: (raw_rows(connection, file), quarantined_rows(connection, file)) for file in files
    }
    assert all(raw for raw, _ in found.values())
    return found
