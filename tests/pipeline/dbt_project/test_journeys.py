"""Journeys and funnels: equal to Retentioneering's, and to what is plainly so.

`retentioneering.json` was made by Retentioneering 5.2.4 on the same file, in an environment of its
own: `Eventstream.split_sessions(timeout="30m")`, then `transition_graph_data` with count,
unique_paths and proba_out per session, and `funnel_data` per user. benchmarks/journeys.py makes it
again and compares anew, at any size.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.journeys import step_effects
from tests.conftest import shared

STEPS = ["product_view", "add_to_cart", "checkout_start", "purchase"]
WINDOW = timedelta(hours=168)
BEGIN = datetime(2025, 1, 1)
THEIRS = json.loads(Path(__file__).with_name("retentioneering.json").read_text(encoding="utf-8"))
STATES = {"path_start": "start", "path_end": "drop_off"}


def best_attempt(events: list[tuple[datetime, str]]) -> list[datetime]:
    """When the best attempt reached its steps, trying every choice of events there is."""
    for length in range(len(STEPS), 0, -1):
        fitting = [
            [events[i][0] for i in chosen]
            for chosen in combinations(range(len(events)), length)
            if [events[i][1] for i in chosen] == STEPS[:length]
            and events[chosen[-1]][0] - events[chosen[0]][0] <= WINDOW
        ]
        if fitting:
            return min(fitting)
    return []


@pytest.fixture(scope="module")
def compiled(dbt: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """SQL as dbt compiles it, reading tables called as the dbt models are."""
    scratch = tmp_path_factory.mktemp("compiled")
    dbt.new_warehouse(scratch / "warehouse.duckdb").close()
    chosen = ["compile", "--select", "int_web_funnels_tried", "int_customer_velocity_timed"]
    result = dbt.run(chosen, scratch / "warehouse.duckdb", scratch, "2026-01-01")
    assert dbt.failures(result) == []
    return {
        r.node.name: r.node.compiled_code.replace('"warehouse"."intermediate".', "")
        for r in result.result
    }


@pytest.fixture(scope="module")
def shop() -> Iterator[duckdb.DuckDBPyConnection]:
    """The empty tables that the dbt models read."""
    with duckdb.connect() as connection:
        connection.execute(
            "create table int_web_steps_ordered (user_id varchar, customer_id varchar, "
            "device_type varchar, session_id varchar, step_number bigint, step varchar, "
            "occurred_at timestamp); "
            "create table int_orders_assembled (customer_id varchar, ordered_at timestamp, "
            "excluded_because varchar, has_sale boolean); "
            "create table int_web_sessions_assembled (customer_id varchar, started_at timestamp); "
            "create table int_consents_decided (customer_id varchar, purpose varchar, "
            "is_granted boolean)"
        )
        yield connection


MOMENTS = st.integers(min_value=0, max_value=5).map(lambda n: BEGIN + n * timedelta(hours=56))
EVENTS = st.lists(st.tuples(MOMENTS, st.sampled_from([*STEPS, "search"])), max_size=8)


@settings(max_examples=25, deadline=None)
@given(users=st.lists(EVENTS, min_size=1, max_size=12))
def test_the_best_attempt_is_the_best_of_all(
    compiled: dict[str, str],
    shop: duckdb.DuckDBPyConnection,
    users: list[list[tuple[datetime, str]]],
) -> None:
    """Revisits, restarts, ties and windows that end to the minute: against every combination."""
    ordered = [sorted(events, key=lambda event: event[0]) for events in users]
    rows = [
        (f"u{user}", None, "desktop", "visit", number, step, moment)
        for user, events in enumerate(ordered)
        for number, (moment, step) in enumerate(events, start=1)
    ]
    shop.execute("delete from int_web_steps_ordered")
    if rows:
        places = ", ".join("?" * 7)
        shop.executemany(f"insert into int_web_steps_ordered values ({places})", rows)
    found = shop.execute(
        "select user_id, list(reached_at order by step_number) "
        f"from ({compiled['int_web_funnels_tried']}) group by 1"
    ).fetchall()
    wanted = {f"u{user}": best_attempt(events) for user, events in enumerate(ordered)}
    assert dict(found) == {user: times for user, times in wanted.items() if times}


def test_a_customer_with_a_hundred_thousand_orders(
    compiled: dict[str, str], shop: duckdb.DuckDBPyConnection
) -> None:
    """Orders of one day are one date; orders of one instant give no rhythm."""
    shop.execute(
        """
        insert into int_orders_assembled
        select 'many', timestamp '2025-01-01' + to_minutes(14 * n), null, true
        from range(37000) r(n)
        union all
        select 'many', timestamp '2023-01-01' + to_seconds(n), null, true from range(63000) r(n)
        union all
        select 'at once', timestamp '2025-06-01', null, true from range(100000) r(n)
        """
    )
    found = shop.execute(
        "select customer_id, median_purchase_gap_days, overdue_ratio "
        f"from ({compiled['int_customer_velocity_timed']}) order by 1"
    ).fetchall()
    assert found == [("at once", None, None), ("many", 1.0, pytest.approx(6 / 7))]


@pytest.fixture(scope="module")
def simple_shop(
    dbt: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The public clickstream in a warehouse, journeys and funnels built."""
    file = shared("simple-shop-clickstream") / "simple-onlineshop.csv"
    scratch = tmp_path_factory.mktemp("simple-shop")
    warehouse = scratch / "warehouse.duckdb"
    with dbt.new_warehouse(warehouse) as connection:
        rows = connection.sql(
            "select user_id as anonymous_id, event as event_name, timestamp as occurred_at "
            f"from read_csv('{file}', all_varchar=true)"
        ).df()
        dbt.fill_raw(connection, "web_events", rows)
    wanted = ["+int_web_transitions_counted", "+int_web_funnels_tried"]
    only = ["--exclude-resource-type", "unit_test"]
    told = {
        "journey_days": 400,
        "journey_min_users": 1,
        "journey_conversions": [],
        "funnels": {"shop": {"steps": list(THEIRS["funnel"]), "window_hours": 400 * 24}},
    }
    built = dbt.run(["build", *only, "--select", *wanted], warehouse, scratch, "2020-06-01", told)
    assert dbt.failures(built) == []
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set schema = 'intermediate'")
        yield connection


def test_transitions_are_retentioneerings(simple_shop: duckdb.DuckDBPyConnection) -> None:
    ours = simple_shop.execute(
        "select from_step, to_step, transitions, sessions, "
        "round(transitions / sum(transitions) over (partition by from_step), 12) "
        "from int_web_transitions_counted where device_type = 'all'"
    ).fetchall()
    theirs = [(STATES.get(a, a), STATES.get(b, b), *rest) for a, b, *rest in THEIRS["transitions"]]
    assert len(theirs) == 40 and sorted(ours) == sorted(theirs)
    started = sum(row[3] for row in ours if row[0] == "start")
    assert started == THEIRS["sessions"]


def test_the_funnel_is_retentioneerings(simple_shop: duckdb.DuckDBPyConnection) -> None:
    ours = simple_shop.execute(
        "select step, count(*) from int_web_funnels_tried group by step, step_number"
    ).fetchall()
    assert dict(ours) == THEIRS["funnel"]


def test_every_step_of_the_shop_has_its_worth(simple_shop: duckdb.DuckDBPyConnection) -> None:
    counted = simple_shop.execute("from int_web_transitions_counted").df()
    paid = counted["to_step"].where(counted["to_step"] != "payment_done", "conversion")
    counted = counted.assign(to_step=paid)[counted["from_step"] != "payment_done"]
    effects = step_effects(counted).query("device_type == 'all'").set_index("step")
    assert effects.loc["payment_choice", "removal_effect"] == 1.0
    assert 0 < effects.loc["product1", "removal_effect"] < 1
