"""Loads responses of social networks for the tests of their formats."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from tessera import warehouse
from tessera.ingest.formats.registry import FORMATS
from tessera.ingest.load import Loaded, create_raw_tables, load_source
from tessera.ingest.source import Source

LOADED_AT = datetime(2026, 1, 15)


class Landing:
    """An empty warehouse and one source of a format; every load is accounted for."""

    def __init__(self, format_: str) -> None:
        self.connection = duckdb.connect()
        self.connection.execute(warehouse.SCHEMA)
        create_raw_tables(self.connection)
        self.format = format_

    def put(self, folder: Path, *records: Any, name: str = "a.jsonl") -> Loaded:
        """Load these records, one a line, from a file."""
        text = "".join(json.dumps(record) + "\n" for record in records)
        (folder / name).write_text(text, encoding="utf-8")
        return self.load(folder, "*")

    def load(self, folder: Path, files: str) -> Loaded:
        source = Source(format=self.format, files=files)
        loaded = load_source(self.connection, folder, self.format, source, LOADED_AT)
        assert loaded.rows_read == loaded.rows_loaded + loaded.rows_quarantined
        return loaded

    def rows(self, kind: str, columns: str) -> list[tuple[Any, ...]]:
        """These columns in the order of the files."""
        query = f"select {columns} from raw.{kind} order by _file, _line, _item"
        return self.connection.execute(query).fetchall()

    def reasons(self) -> list[tuple[str, int, str]]:
        """File, line and reason of what is in quarantine."""
        query = "select file, line, reason from quarantine.rows order by all"
        return self.connection.execute(query).fetchall()

    def count(self, what: str) -> int:
        row = self.connection.execute(f"select count(*) from {what}").fetchone()
        assert row is not None
        return int(row[0])


def check_example(name: str, folder: Path, records: Iterable[Any]) -> int:
    """Load records by the settings example of a format; returns how many rows it gives."""
    (told,) = tomllib.loads(FORMATS[name].example)["sources"].values()
    file = folder / told["files"].replace("*", "a")
    file.parent.mkdir(parents=True)
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    landing = Landing(name)
    loaded = load_source(landing.connection, folder, name, Source(**told), LOADED_AT)
    assert loaded.rows_quarantined == 0
    return loaded.rows_loaded
