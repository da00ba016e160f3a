"""A small landing zone for the tests of formats: files in, tables out."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tessera import warehouse
from tessera.ingest.formats.registry import FORMATS
from tessera.ingest.load import Loaded, create_raw_tables, load_source
from tessera.ingest.source import Source

LOADED_AT = datetime(2026, 1, 15)
Land = Callable[..., Loaded]
Ask = Callable[[str], list[Any]]


@pytest.fixture
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse in memory with empty raw tables."""
    with duckdb.connect() as connection:
        connection.execute(warehouse.SCHEMA)
        connection.execute("set timezone = 'UTC'")
        create_raw_tables(connection)
        yield connection


@pytest.fixture
def land(raw: duckdb.DuckDBPyConnection, tmp_path: Path) -> Land:
    """land(format, {file name: content}, **settings) loads the files and accounts for all rows.

    The source is the format's own example, so the names must be such as it asks for.
    """

    def load(format_: str, files: dict[str, str | bytes], **settings: Any) -> Loaded:
        (told,) = tomllib.loads(FORMATS[format_].example)["sources"].values()
        folder = tmp_path / told["files"].partition("*")[0].rpartition("/")[0]
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (folder / name).write_bytes(data)
        source = Source.model_validate({**told, **settings})
        loaded = load_source(raw, tmp_path, "vendor", source, LOADED_AT)
        assert loaded.files_found == len(files)
        assert loaded.files_refused == 0, raw.execute("from quarantine.files").fetchall()
        assert loaded.rows_read == loaded.rows_loaded + loaded.rows_quarantined
        return loaded

    return load


@pytest.fixture
def ask(raw: duckdb.DuckDBPyConnection) -> Ask:
    """The rows of a query; a row of one column is its value."""

    def query(sql: str) -> list[Any]:
        rows = raw.execute(sql).fetchall()
        return [row[0] if len(row) == 1 else row for row in rows]

    return query
