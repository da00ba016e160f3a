from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tessera import warehouse
from tessera.ingest.load import create_raw_tables
from tests.unit.ingest.exports import Inbox, empty_warehouse


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse with the tables of exports, in memory."""
    with duckdb.connect() as opened:
        opened.execute(warehouse.SCHEMA)
        create_raw_tables(opened)
        yield opened


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    """An empty inbox before an empty warehouse."""
    with empty_warehouse() as connection:
        yield Inbox(connection, tmp_path)
