from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from tessera import warehouse
from tessera.publish import lake, published
from tessera.publish.about import About

TABLES = ("customer_segments", "segment_profiles", "segment_history")
DAYS = (date(2026, 1, 1), date(2026, 1, 8))


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(warehouse.SCHEMA)
        opened.execute("create schema if not exists segments")
        _fill(opened, 3, DAYS[0])
        yield opened


def _fill(connection: duckdb.DuckDBPyConnection, customers: int, day: date) -> None:
    for table in TABLES:
        connection.execute(
            f"create or replace table segments.{table} as "
            f"select i as customer_id, 'm' as model_id, date '{day}' as as_of "
            f"from range({customers}) r(i)"
        )


def _publish(connection: duckdb.DuckDBPyConnection, folder: Path, run: str, day: date) -> None:
    published.publish(connection, folder, About(run, day, datetime(2026, 2, 1), "1.0"), TABLES)


def parquet(folder: Path, table: str = "customer_segments") -> str:
    return str(folder / "parquet" / table / "*" / "*.parquet")


def _days(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[tuple[date, int]]:
    query = "select as_of, count(*) from read_parquet(?) group by as_of order by as_of"
    return connection.execute(query, [parquet(folder)]).fetchall()


def test_earlier_days_stay_as_partitions_and_a_day_replaces_its_own(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    _publish(connection, tmp_path, "a", DAYS[0])
    _fill(connection, 3, DAYS[1])
    _publish(connection, tmp_path, "b", DAYS[1])
    assert _days(connection, tmp_path) == [(DAYS[0], 3), (DAYS[1], 3)]
    _fill(connection, 5, DAYS[0])
    _publish(connection, tmp_path, "c", DAYS[0])
    assert _days(connection, tmp_path) == [(DAYS[0], 5), (DAYS[1], 3)]
    with_types = connection.execute("describe from read_parquet(?)", [parquet(tmp_path)]).fetchall()
    assert ("as_of", "DATE") in [row[:2] for row in with_types]


def test_the_oldest_days_go(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake, "KEPT_DAYS", 1)
    for run, day in zip("ab", DAYS, strict=True):
        _fill(connection, 3, day)
        _publish(connection, tmp_path, run, day)
    assert _days(connection, tmp_path) == [(DAYS[1], 3)]


def test_a_table_without_rows_or_without_a_day_is_readable(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    connection.execute("delete from segments.segment_profiles")
    connection.execute("alter table segments.segment_history drop as_of")
    _publish(connection, tmp_path, "a", DAYS[0])
    query = "select count(*), min(as_of) from read_parquet(?)"
    for table, found in (("segment_profiles", (0, None)), ("segment_history", (3, DAYS[0]))):
        assert connection.execute(query, [parquet(tmp_path, table)]).fetchall() == [found]
