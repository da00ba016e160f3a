from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from tessera import warehouse
from tessera.publish import published
from tessera.publish.about import About

AT = datetime(2026, 1, 1, 3)
TABLES = ("customer_segments", "segment_profiles", "segment_history")


def publish(connection: duckdb.DuckDBPyConnection, folder: Path, run: str, at: datetime) -> str:
    return published.publish(connection, folder, About(run, date(2026, 1, 1), at, "1.0"), TABLES)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(warehouse.SCHEMA)
        opened.execute("create schema if not exists segments")
        _fill(opened, 3)
        yield opened


def _fill(connection: duckdb.DuckDBPyConnection, customers: int) -> None:
    for table in TABLES:
        connection.execute(
            f"create or replace table segments.{table} as "
            "select i::varchar as customer_id, date '2026-01-01' as as_of, 'kmeans-1' as model_id "
            f"from range({customers}) r(i)"
        )


def count(folder: Path) -> int:
    with warehouse.open_published(folder / "segments.duckdb") as opened:
        query = "select count(*) from segments.customer_segments"
        return int(opened.execute(query).fetchall()[0][0])


def test_tables_are_published_with_their_time_as_duckdb_and_parquet(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    told = publish(connection, tmp_path, "a", AT)
    assert told == "3 customers in segments-a.duckdb"
    assert (tmp_path / "segments.duckdb").readlink() == Path("segments-a.duckdb")
    with warehouse.open_published(tmp_path / "segments.duckdb") as opened:
        query = "select distinct as_of::varchar, published_at from segments.customer_segments"
        assert opened.execute(query).fetchall() == [("2026-01-01", AT)]
    parquet = str(tmp_path / "parquet" / "customer_segments" / "as_of=2026-01-01" / "*.parquet")
    query = "select count(*), min(published_at), min(as_of) from read_parquet(?)"
    assert connection.execute(query, [parquet]).fetchall() == [(3, AT, date(2026, 1, 1))]


def test_what_is_published_says_what_it_is(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for load_id, newest, status in ((1, "2025-12-30", "loaded"), (2, "2025-12-31 12:00", "loaded"),
                                    (3, "2027-01-01", "withdrawn")):  # fmt: skip
        connection.execute(
            "insert into ops.loads (load_id, source, rows_loaded, newest_event_at, status) "
            "values (?, 'shop', 10, ?, ?)", [load_id, newest, status],
        )  # fmt: skip
    publish(connection, tmp_path, "a", AT)
    with warehouse.open_published(tmp_path / "segments.duckdb") as opened:
        about = opened.execute("from segments.about order by kind, name").fetchall()
    of_all = (date(2026, 1, 1), AT, "a", "kmeans-1", "1.0")
    assert about == [
        ("source", "shop", 20, datetime(2025, 12, 31, 12), *of_all),
        *(("table", table, 3, None, *of_all) for table in sorted(TABLES)),
    ]


def test_the_same_run_is_published_once(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    publish(connection, tmp_path, "a", AT)
    before = (tmp_path / "segments-a.duckdb").stat().st_mtime_ns
    assert publish(connection, tmp_path, "a", AT) == "unchanged"
    assert (tmp_path / "segments-a.duckdb").stat().st_mtime_ns == before


def test_a_reader_keeps_her_version_and_the_next_sees_the_new(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    publish(connection, tmp_path, "a", AT)
    query = "select count(*) from segments.customer_segments"
    with warehouse.open_published(tmp_path / "segments.duckdb") as reader:
        assert reader.execute(query).fetchall() == [(3,)]
        _fill(connection, 5)
        publish(connection, tmp_path, "b", AT)
        assert reader.execute(query).fetchall() == [(3,)]
        assert count(tmp_path) == 5


def test_what_was_published_stays_when_publishing_fails(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    publish(connection, tmp_path, "a", AT)
    connection.execute("drop table segments.customer_segments")
    with pytest.raises(duckdb.CatalogException):
        publish(connection, tmp_path, "b", AT)
    assert count(tmp_path) == 3
    _fill(connection, 4)
    assert publish(connection, tmp_path, "b", AT) == "4 customers in segments-b.duckdb"


def test_three_versions_stay(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    for run in "abcde":
        publish(connection, tmp_path, run, AT)
    assert sorted(path.name for path in tmp_path.glob("segments-*")) == [
        f"segments-{run}.duckdb" for run in "cde"
    ]
    assert sorted(path.name for path in tmp_path.glob("parquet-*")) == [
        f"parquet-{run}" for run in "cde"
    ]
    assert count(tmp_path) == 3


def test_a_published_file_opens_no_other_file(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    publish(connection, tmp_path, "a", AT)
    other = tmp_path / "secret.csv"
    other.write_text("a\n1\n")
    with (
        warehouse.open_published(tmp_path / "segments.duckdb") as opened,
        pytest.raises(duckdb.PermissionException),
    ):
        opened.execute("select * from read_csv(?)", [str(other)])


def test_what_no_dbt_model_makes_any_more_is_not_published(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    connection.execute("create table segments.gone as select 'an old secret' as name")
    told = publish(connection, tmp_path, "a", AT)
    assert told.endswith("; not published, as no dbt model makes them: gone")
    with warehouse.open_published(tmp_path / "segments.duckdb") as opened:
        found = opened.execute("select table_name from duckdb_tables() order by 1").fetchall()
    assert [name for (name,) in found] == sorted([*TABLES, "about"])
    assert {file.name for file in (tmp_path / "parquet").iterdir()} == {*TABLES, "about"}
    assert connection.execute("select count(*) from segments.gone").fetchall() == [(1,)]


def test_killed_at_any_point_readers_see_old_or_new_and_the_next_run_ends_well(
    tmp_path: Path,
) -> None:
    script = Path(__file__).with_name("killed.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    points = done.stdout.splitlines()
    assert sum(point.startswith("os.rename") for point in points) >= 4
    assert sum(point.startswith("copy ") for point in points) >= 3


def test_what_a_killed_run_left_is_gone_and_a_file_that_is_missing_is_made_again(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "segments-x.unfinished").write_text("half")
    (tmp_path / "segments-x.unfinished.wal").write_text("half")
    (tmp_path / "parquet-x.unfinished").mkdir()
    publish(connection, tmp_path, "a", AT)
    assert not list(tmp_path.glob("*unfinished*"))
    (tmp_path / "segments-a.duckdb").unlink()
    publish(connection, tmp_path, "a", AT)
    assert count(tmp_path) == 3


def test_the_versions_before_the_last_stay_when_the_clock_went_back(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for run in "abc":
        publish(connection, tmp_path, run, AT)
        ahead = time.time_ns() + 3600 * 10**9
        os.utime(tmp_path / f"segments-{run}.duckdb", ns=(ahead, ahead))
        os.utime(tmp_path / f"parquet-{run}", ns=(ahead, ahead))
    for run in "de":
        publish(connection, tmp_path, run, AT)
    for pattern in ("segments-*", "parquet-*"):
        names = sorted(path.stem for path in tmp_path.glob(pattern))
        assert names == [f"{pattern[:-1]}{run}" for run in "cde"]
