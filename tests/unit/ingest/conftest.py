from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.ingest.exports import Inbox, empty_warehouse


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    """An empty inbox before an empty warehouse."""
    with empty_warehouse() as connection:
        yield Inbox(connection, tmp_path)
