from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from tessera import behaviour, settings

ROOT = Path(__file__).resolve().parents[2]
DAY, OTHER = date(2026, 1, 1), date(2026, 1, 8)


@pytest.fixture
def told() -> settings.Settings:
    return settings.load(ROOT / "settings.toml")


@pytest.fixture
def table(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute("create schema ml; create table ml.t (step varchar, as_of date, n integer)")
    return connection


def test_a_day_is_replaced_and_others_stay(table: duckdb.DuckDBPyConnection) -> None:
    assert behaviour.replace(table, "t", OTHER, "select 'x' as step, 9 as n") == 1
    for n in (1, 2):
        assert behaviour.replace(table, "t", DAY, f"select {n} as n, 'x' as step") == 1
    found = table.execute("from ml.t order by as_of").fetchall()
    assert found == [("x", DAY, 2), ("x", OTHER, 9)]


def test_an_analysis_that_fails_leaves_the_day_as_it_was(
    table: duckdb.DuckDBPyConnection, told: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def good(connection: duckdb.DuckDBPyConnection, _: settings.Settings, as_of: date) -> str:
        return f"{behaviour.replace(connection, 't', as_of, 'select 1 as n')} rows"

    def bad(*_: object) -> str:
        raise ValueError("no")

    monkeypatch.setattr(behaviour, "ANALYSES", (good,))
    assert behaviour.analyse(table, told, DAY) == "1 rows"
    monkeypatch.setattr(behaviour, "ANALYSES", (good, bad))
    with pytest.raises(ValueError, match="no"):
        behaviour.analyse(table, told, OTHER)
    assert table.execute("select as_of from ml.t").fetchall() == [(DAY,)]
