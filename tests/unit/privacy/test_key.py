from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from tessera.privacy.key import KeyRefused, key_of_warehouse
from tessera.privacy.pseudonym import fingerprint, pseudonym
from tessera.warehouse import open_warehouse

AT = datetime(2025, 1, 1)
KEY = "a key that is long enough to be one"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "pseudonym.key"


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(tmp_path / "warehouse.duckdb") as connection:
        yield connection


def test_without_any_a_private_file_is_made_once(
    warehouse: duckdb.DuckDBPyConnection, file: Path
) -> None:
    key = key_of_warehouse(warehouse, None, file, AT)
    assert len(key) == 64
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert key_of_warehouse(warehouse, None, file, AT) == key
    known = warehouse.execute("select * from ops.pseudonym_key").fetchall()
    assert known == [(fingerprint(key), AT)]


def test_a_given_key_goes_first_and_needs_no_file(
    warehouse: duckdb.DuckDBPyConnection, file: Path
) -> None:
    assert key_of_warehouse(warehouse, KEY, file, AT) == KEY
    assert not file.exists()
    file.parent.mkdir()
    file.write_text("what lies in the file is not asked for\n")
    assert key_of_warehouse(warehouse, KEY, file, AT) == KEY


@pytest.mark.parametrize("how", ["environment", "file"])
def test_another_key_is_refused(warehouse: duckdb.DuckDBPyConnection, file: Path, how: str) -> None:
    key_of_warehouse(warehouse, KEY, file, AT)
    other = "another key that is long enough to be one"
    file.parent.mkdir()
    file.write_text(other)
    with pytest.raises(KeyRefused) as refusal:
        key_of_warehouse(warehouse, other if how == "environment" else None, file, AT)
    assert ("TESSERA_PSEUDONYM_KEY" if how == "environment" else str(file)) in str(refusal.value)
    assert "every customer would get another id" in str(refusal.value)
    assert other not in str(refusal.value) and KEY not in str(refusal.value)


def test_a_lost_key_is_not_replaced(warehouse: duckdb.DuckDBPyConnection, file: Path) -> None:
    key_of_warehouse(warehouse, None, file, AT)
    file.unlink()
    with pytest.raises(KeyRefused, match="is missing: set TESSERA_PSEUDONYM_KEY"):
        key_of_warehouse(warehouse, None, file, AT)
    assert not file.exists()


def test_a_short_key_is_refused(warehouse: duckdb.DuckDBPyConnection, file: Path) -> None:
    with pytest.raises(KeyRefused, match="has 6 characters"):
        key_of_warehouse(warehouse, "secret", file, AT)
    assert warehouse.execute("select * from ops.pseudonym_key").fetchall() == []


def test_ids_from_before_become_pseudonyms(
    warehouse: duckdb.DuckDBPyConnection, file: Path
) -> None:
    warehouse.execute("insert into ml.assignments (customer_id) values ('ada')")
    warehouse.execute("insert into enriched.text_scores (text_hash) values ('plain hash')")
    for _ in range(2):
        key_of_warehouse(warehouse, KEY, file, AT)
    ids = warehouse.execute("select customer_id from ml.assignments").fetchall()
    assert ids == [(pseudonym(KEY, "customer", "ada"),)]
    assert warehouse.execute("select * from enriched.text_scores").fetchall() == []
