from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from tessera import runs, settings, warehouse

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 1, 5, 3)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(warehouse.SCHEMA)
        yield opened


@pytest.fixture
def told() -> settings.Settings:
    return settings.load(ROOT / "settings.toml")


def loaded(connection: duckdb.DuckDBPyConnection, load_id: int, newest: datetime | None) -> None:
    connection.execute(
        "insert into ops.loads "
        "values (?, 's', 'orders', 'f', ?, 1, 1, 1, 0, 0, ?, 'loaded', null, ?)",
        [load_id, f"hash-{load_id}", newest, AT],
    )


def test_the_default_day_is_the_one_after_the_newest_event(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(runs.NothingLoaded, match="doctor"):
        runs.newest_day(connection)
    loaded(connection, 1, None)
    loaded(connection, 2, datetime(2025, 12, 30, 23, 59, 59))
    loaded(connection, 3, datetime(2025, 12, 31))
    assert runs.newest_day(connection) == date(2026, 1, 1)


def test_a_fingerprint_changes_with_whatever_decides_the_tables(
    connection: duckdb.DuckDBPyConnection, told: settings.Settings
) -> None:
    day = date(2026, 1, 1)
    loaded(connection, 1, AT)
    first = runs.fingerprint(connection, told, day)
    assert runs.fingerprint(connection, told, day) == first
    moved = told.model_copy(update={"data_dir": Path("elsewhere")})
    assert runs.fingerprint(connection, moved, day) == first, "where the data lies decides nothing"
    other = told.model_copy(update={"currency": "GBP"})
    assert runs.fingerprint(connection, other, day) != first
    assert runs.fingerprint(connection, told, date(2026, 1, 2)) != first
    loaded(connection, 2, AT)
    assert runs.fingerprint(connection, told, day) != first


def test_a_fingerprint_of_some_kinds_heeds_only_those(
    connection: duckdb.DuckDBPyConnection, told: settings.Settings
) -> None:
    loaded(connection, 1, AT)
    of_orders = runs.fingerprint(connection, told, None, ["orders"])
    of_posts = runs.fingerprint(connection, told, None, ["posts"])
    loaded(connection, 2, AT)
    assert runs.fingerprint(connection, told, None, ["posts"]) == of_posts
    assert runs.fingerprint(connection, told, None, ["orders"]) != of_orders


def test_a_step_is_done_when_its_latest_success_was_on_the_same_input(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert not runs.is_done(connection, "publish", "a")
    for hour, mark in enumerate("aba"):
        runs.record(connection, "publish", AT.date(), mark, AT.replace(hour=hour), 1.0, "")
        assert runs.is_done(connection, "publish", mark)
        assert not runs.is_done(connection, "fit_segments", mark)
        assert runs.is_done(connection, "publish", "b") == (mark == "b")
    runs.record(connection, "publish", AT.date(), None, AT.replace(hour=4), 1.0, "failed: no")
    assert not runs.is_done(connection, "publish", "a")


def test_a_step_that_has_begun_is_not_done_until_it_ends(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    for step in ("publish", "fit_segments"):
        runs.record(connection, step, AT.date(), "a", AT, 1.0, "")
    runs.begin(connection, "publish")  # and is killed
    assert not runs.is_done(connection, "publish", "a")
    assert runs.is_done(connection, "fit_segments", "a")


def test_what_was_done_last_counts_also_when_the_clock_went_back(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    runs.record(connection, "publish", AT.date(), "a", AT.replace(year=2030), 1.0, "")
    runs.record(connection, "publish", AT.date(), "b", AT, 1.0, "")
    assert not runs.is_done(connection, "publish", "a")
    assert runs.is_done(connection, "publish", "b")
