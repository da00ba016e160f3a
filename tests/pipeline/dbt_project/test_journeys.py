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
def funnel_sql(dbt: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The funnel's SQL as dbt compiles it, reading a table `steps`."""
    scratch = tmp_path_factory.mktemp("funnel")
    dbt.new_warehouse(scratch / "warehouse.duckdb").close()
    chosen = ["compile", "--select", "int_web_funnels_tried"]
    result = dbt.run(chosen, scratch / "warehouse.duckdb", scratch, "2026-01-01")
    assert dbt.failures(result) == []
    sql = str(result.result[0].node.compiled_code)
    return sql.replace('"warehouse"."intermediate"."int_web_steps_ordered"', "steps")


@pytest.fixture(scope="module")
def steps() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty table `steps`."""
    with duckdb.connect() as connection:
        connection.execute(
            "create table steps (user_id varchar, customer_id varchar, device_type varchar, "
            "session_id varchar, step_number bigint, step varchar, occurred_at timestamp)"
        )
        yield connection


MOMENTS = st.integers(min_value=0, max_value=5).map(lambda n: BEGIN + n * timedelta(hours=56))
EVENTS = st.lists(st.tuples(MOMENTS, st.sampled_from([*STEPS, "search"])), max_size=8)


@settings(max_examples=25, deadline=None)
@given(users=st.lists(EVENTS, min_size=1, max_size=12))
def test_the_best_attempt_is_the_best_of_all(
    funnel_sql: str, steps: duckdb.DuckDBPyConnection, users: list[list[tuple[datetime, str]]]
) -> None:
    """Revisits, restarts, ties and windows that end to the minute: against every combination."""
    ordered = [sorted(events, key=lambda event: event[0]) for events in users]
    rows = [
        (f"u{user}", None, "desktop", "visit", number, step, moment)
        for user, events in enumerate(ordered)
        for number, (moment, step) in enumerate(events, start=1)
    ]
    steps.execute("delete from steps")
    if rows:
        steps.executemany("insert into steps values (?, ?, ?, ?, ?, ?, ?)", rows)
    found = steps.execute(
        f"select user_id, list(reached_at order by step_number) from ({funnel_sql}) group by 1"
    ).fetchall()
    wanted = {f"u{user}": best_attempt(events) for user, events in enumerate(ordered)}
    assert dict(found) == {user: times for user, times in wanted.items() if times}


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
