from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from tessera import behaviour, ml_floor, settings, warehouse

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
    assert ml_floor.replace(table, "t", OTHER, "select 'x' as step, 9 as n") == 1
    for n in (1, 2):
        assert ml_floor.replace(table, "t", DAY, f"select {n} as n, 'x' as step") == 1
    found = table.execute("from ml.t order by as_of").fetchall()
    assert found == [("x", DAY, 2), ("x", OTHER, 9)]


def test_an_analysis_that_fails_leaves_the_day_as_it_was(
    table: duckdb.DuckDBPyConnection, told: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def good(connection: duckdb.DuckDBPyConnection, _: settings.Settings, as_of: date) -> str:
        return f"{ml_floor.replace(connection, 't', as_of, 'select 1 as n')} rows"

    def bad(*_: object) -> str:
        raise ValueError("no")

    monkeypatch.setattr(behaviour, "ANALYSES", (good,))
    assert behaviour.analyse(table, told, DAY) == "1 rows"
    monkeypatch.setattr(behaviour, "ANALYSES", (good, bad))
    with pytest.raises(ValueError, match="no"):
        behaviour.analyse(table, told, OTHER)
    assert table.execute("select as_of from ml.t").fetchall() == [(DAY,)]


EMPTY = """
    create schema intermediate;
    create table intermediate.int_web_transitions_counted (
        device_type varchar, from_step varchar, to_step varchar, transitions bigint,
        sessions bigint);
    create table intermediate.int_web_steps_counted (
        device_type varchar, step varchar, visits bigint, sessions bigint,
        converting_sessions bigint);
    create table intermediate.int_web_paths_counted (
        kind varchar, steps bigint, path varchar, sessions bigint, converting_sessions bigint,
        all_sessions bigint);
    create table intermediate.int_customer_visits_followed (
        category varchar, session_id varchar, customer_id varchar, sequence varchar,
        hours_to_buy double);
    create table intermediate.int_web_funnels_tried (
        funnel varchar, user_id varchar, customer_id varchar, device_type varchar,
        step_number integer, step varchar, reached_at timestamp, hours_since_previous double);
"""
TABLES = ("journey_transitions", "journey_steps", "journey_paths", "purchase_sequences", "funnels")


@pytest.fixture
def shop(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute(warehouse.SCHEMA)
    connection.execute(EMPTY)
    return connection


def test_without_any_visit_the_tables_are_empty(
    shop: duckdb.DuckDBPyConnection, told: settings.Settings
) -> None:
    for analysis in (behaviour.journeys, behaviour.purchase_sequences, behaviour.funnels):
        analysis(shop, told, DAY)
    assert [shop.execute(f"select count(*) from ml.{t}").fetchall() for t in TABLES] == [[(0,)]] * 5


def test_one_event_is_a_journey(shop: duckdb.DuckDBPyConnection, told: settings.Settings) -> None:
    shop.execute(
        "insert into intermediate.int_web_transitions_counted values "
        "('all', 'start', 'page', 1, 1), ('all', 'page', 'drop_off', 1, 1); "
        "insert into intermediate.int_web_steps_counted values ('all', 'page', 1, 1, 0)"
    )
    behaviour.journeys(shop, told, DAY)
    steps = shop.execute("select * exclude as_of from ml.journey_steps").fetchall()
    assert steps == [("all", "page", 1, 1, 0.0, 1.0, 0.0, None)]
    edges = shop.execute("select from_step, probability from ml.journey_transitions").fetchall()
    assert sorted(edges) == [("page", 1.0), ("start", 1.0)]


def test_steps_that_nobody_reached_have_their_row(
    shop: duckdb.DuckDBPyConnection, told: settings.Settings
) -> None:
    shop.execute(
        """
        insert into ml.assignments (customer_id, as_of, segment_id) values
            ('c', '2026-01-01', 'regulars'), ('c', '2025-01-01', 'new');
        insert into intermediate.int_web_funnels_tried values
            ('shop', 'c', 'c', 'mobile', 1, 'product_view', null, null),
            ('shop', 'c', 'c', 'mobile', 2, 'add_to_cart', null, 2),
            ('shop', 'device d', null, 'mobile', 1, 'product_view', null, null)
        """
    )
    behaviour.funnels(shop, told, DAY)
    found = shop.execute(
        "select dimension, value, list(users order by step_number), "
        "list(conversion_from_previous order by step_number), "
        "list(conversion_from_first order by step_number), max(median_hours_from_previous) "
        "from ml.funnels group by all order by all"
    ).fetchall()
    got = [2, 1, 0, 0], [None, 0.5, 0.0, None], [1.0, 0.5, 0.0, 0.0], 2.0
    assert found == [
        ("all", "all", *got),
        ("device", "mobile", *got),
        ("segment", "anonymous", [1, 0, 0, 0], [None, 0.0, None, None], [1.0, 0.0, 0.0, 0.0], None),
        ("segment", "regulars", [1, 1, 0, 0], [None, 1.0, 0.0, None], [1.0, 1.0, 0.0, 0.0], 2.0),
    ]


def test_coming_back_is_counted_by_category(
    shop: duckdb.DuckDBPyConnection, told: settings.Settings
) -> None:
    shop.execute(
        """
        insert into intermediate.int_customer_visits_followed values
            ('all', 's', 'a', 'view > cart > abandon', 10),
            ('all', 't', 'a', 'view > cart > abandon', 20),
            ('all', 'u', 'b', 'view > cart > abandon', null),
            ('Tea', 's', 'a', 'view', 10)
        """
    )
    behaviour.purchase_sequences(shop, told, DAY)
    found = shop.execute("select * exclude as_of from ml.purchase_sequences").fetchall()
    assert found == [
        ("Tea", "view", 1, 1, 1, 1.0, 10.0),
        ("all", "view > cart > abandon", 3, 2, 2, 2 / 3, 15.0),
    ]
