"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"

# Tests never touch the project's own data and settings, whatever the shell says.
for _name in [name for name in os.environ if name.startswith("TESSERA_")]:
    del os.environ[_name]
os.environ["GX_ANALYTICS_ENABLED"] = "false"
os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty DuckDB in memory."""
    with duckdb.connect() as opened:
        yield opened


def shared(name: str) -> Path:
    """A folder of the real data, or a skip that says where it was looked for."""
    folder = SHARED_DATA / name
    if not folder.is_dir():
        pytest.skip(f"real data is not there: {folder.relative_to(ROOT.parent)} beside the project")
    return folder
