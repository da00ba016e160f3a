"""An inbox before a warehouse in memory: files in, rows out."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from tessera import warehouse
from tessera.ingest.formats.registry import FORMATS
from tessera.ingest.kinds import KINDS
from tessera.ingest.load import create_raw_tables, load_source
from tessera.ingest.source import Source

LOADED_AT = datetime(2026, 11, 15)


@contextmanager
def empty_warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse in memory with the tables that loading needs."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(warehouse.SCHEMA)
        create_raw_tables(connection)
        yield connection


class Inbox:
    """One source's files, and what became of them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.connection = connection
        self.folder = folder

    def put(self, name: str, content: str | bytes) -> None:
        """Write an export file."""
        data = content.encode() if isinstance(content, str) else content
        (self.folder / name).write_bytes(data)

    def load(self, format_: str, **keys: Any) -> None:
        """Load all files by the settings example of the format, with other `keys` if given."""
        (told,) = tomllib.loads(FORMATS[format_].example)["sources"].values()
        self.load_as({**told, "files": "*", **keys})

    def load_as(self, told: dict[str, Any]) -> None:
        """Load the files of a source; the sums of each file and kind must add up."""
        source = Source.model_validate(told)
        load_source(self.connection, self.folder, "source", source, LOADED_AT)
        unbalanced = self._all(
            "select * from ops.loads "
            "where rows_read <> rows_loaded + rows_quarantined + rows_already_there"
        )
        assert unbalanced == []

    def rows(self, kind: str) -> list[dict[str, str]]:
        """The rows of a kind in the order of the files, without what is missing in each."""
        columns = list(KINDS[kind].columns)
        query = f"select {', '.join(columns)} from raw.{kind} order by _file, _line, _item"
        return [
            {
                name: value
                for name, value in zip(columns, row, strict=True)
                if value not in (None, "")
            }
            for row in self._all(query)
        ]

    def extra(self, kind: str) -> list[dict[str, Any]]:
        """What the format did not read of each row's record."""
        query = f"select _extra from raw.{kind} order by _file, _line, _item"
        return [json.loads(extra) if extra else {} for (extra,) in self._all(query)]

    def quarantined(self) -> list[tuple[str, int, str]]:
        """File, line and reason of each row in quarantine."""
        return self._all("select file, line, reason from quarantine.rows order by all")

    def refused(self) -> dict[str, str]:
        """The reason of each file that was refused whole."""
        return dict(self._all("select file, reason from quarantine.files"))

    def _all(self, query: str) -> list[Any]:
        return self.connection.execute(query).fetchall()
