"""A ratio's interval holds what it states; what cannot be judged is not judged."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import COLUMNS, EventParameters, dispersion, join_weeks, ratios
from tessera import settings, warehouse
from tessera.events import event_ratios, found_events

PARAMETERS = EventParameters()
ROOT = Path(__file__).resolve().parents[3]
AS_OF, LATER = date(2025, 3, 1), date(2025, 12, 17)
Counts = list[int] | np.ndarray


def days(during: Counts, before: Counts, event: str = "sale") -> pd.DataFrame:
    phases = ["during"] * len(during) + ["before"] * len(before)
    happened = np.concatenate([np.asarray(during, int), np.asarray(before, int)])
    return pd.DataFrame(
        {"event": event, "measure": "orders", "phase": phases, "happened": happened}
    )


def judged(during: Counts, before: Counts) -> pd.Series:
    told = ratios(days(during, before), PARAMETERS)
    assert list(told.columns) == ["event", "measure", *COLUMNS]
    return told.iloc[0]


def test_twice_as_much_is_twice_as_much() -> None:
    told = judged([20, 22, 18, 20], [10, 9, 11, 10] * 7)
    assert told["ratio"] == 2.0
    assert 1.5 < told["ratio_low"] < 2.0 < told["ratio_high"] < 2.7
    assert told["dispersion"] == 1.0
    assert (told["happened"], told["days"], told["happened_before"]) == (80, 4, 280)


def test_days_that_vary_more_widen_the_interval() -> None:
    even, wild = judged([20] * 4, [10] * 28), judged([5, 35, 5, 35], [0, 20] * 14)
    assert even["ratio"] == wild["ratio"]
    assert wild["dispersion"] == pytest.approx((28 * 10 + 4 * 11.25) / 30)
    assert wild["ratio_low"] < 1 < even["ratio_low"]


@pytest.mark.parametrize(("size", "of_success"), [(1e6, 1e6 / (1e6 + 8)), (4.0, 1 / 3)])
def test_an_event_that_changes_nothing_alarms_as_seldom_as_stated(
    size: float, of_success: float
) -> None:
    """Stated: 5 % of the events, also of counts that vary three times more than Poisson's.

    400 events: three standard errors are 3.3 points.
    """
    rng = np.random.default_rng(11)
    told = pd.concat(
        days(
            rng.negative_binomial(size, of_success, 10),
            rng.negative_binomial(size, of_success, 28),
            f"e{n}",
        )
        for n in range(400)
    )
    found = ratios(told, PARAMETERS)
    alarms = ((found["ratio_low"] > 1) | (found["ratio_high"] < 1)).mean()
    assert 0.01 <= alarms <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=40),
    st.lists(st.integers(0, 10**6), max_size=28),
)
def test_a_ratio_always_lies_in_its_interval(during: list[int], before: list[int]) -> None:
    told = judged(during, before)
    if pd.isna(told["ratio"]):
        assert len(before) < PARAMETERS.least_days_before or sum(before) == 0
        assert pd.isna(told["ratio_high"])
    else:
        assert 0 <= told["ratio_low"] <= told["ratio"] <= told["ratio_high"] < np.inf


def test_what_cannot_be_judged_is_not_judged() -> None:
    assert judged([5] * 3, [5] * 13)[["dispersion", "ratio", "ratio_low"]].isna().all()
    assert judged([0] * 3, [0] * 28)[["dispersion", "ratio", "ratio_low"]].isna().all()
    new = judged([9] * 3, [0] * 28)
    assert pd.isna(new["ratio"])
    assert new["ratio_low"] > 1
    assert judged([0] * 7, [9] * 28)["ratio_low"] == 0
    assert judged([100_000], [1] * 28)["ratio"] == 100_000
    assert ratios(days([], [5] * 28), PARAMETERS).empty
    assert ratios(days([], []), PARAMETERS).empty


def test_one_day_alone_does_not_vary() -> None:
    assert dispersion(np.array([5.0])) == 1.0
    assert dispersion(np.array([0.0, 0.0])) == 1.0


def test_ratios_replace_those_of_the_day(connection: duckdb.DuckDBPyConnection) -> None:
    told = settings.load(ROOT / "settings.toml")
    connection.execute(warehouse.SCHEMA)
    connection.execute(
        "create schema intermediate; create table intermediate.int_event_days_counted "
        "(event varchar, measure varchar, phase varchar, day date, happened bigint)"
    )
    assert event_ratios(connection, told, AS_OF) == "0 events"
    connection.execute(
        "insert into intermediate.int_event_days_counted "
        "select 'sale', 'orders', if(n < 28, 'before', 'during'), date '2025-01-01' + n::integer, "
        "if(n < 28, 10, 20) from range(32) t(n) "
        "union all select 'sale', 'orders', 'after', '2025-02-10', 999"
    )
    for _ in range(2):
        assert event_ratios(connection, told, AS_OF) == "1 events"
    found = connection.execute(
        "select as_of, event, measure, happened, days, happened_before, days_before, ratio "
        "from ml.event_ratios"
    ).fetchall()
    assert found == [(AS_OF, "sale", "orders", 80, 4, 280, 28, 2.0)]


def out_of_line(*told: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(told, columns=["measure", "week", "score"])


def declared(*told: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(told, columns=["starts_on", "ends_on"])


def test_weeks_on_end_are_one_event_and_explained_ones_none() -> None:
    weeks = out_of_line(
        ("orders", "2025-03-10", 4.0), ("orders", "2025-03-03", -5.0), ("posts", "2025-03-03", 6.0),
        ("posts", "2025-03-24", -4.0), ("orders", "2025-05-05", 4.0), ("orders", "2025-06-02", 4.0),
    )  # fmt: skip
    # The first day of one week and the last of another; and a day beside a week.
    known = declared(("2025-05-11", "2025-05-20"), ("2025-05-30", "2025-06-02"),
                     ("2025-03-31", "2025-04-01"))  # fmt: skip
    found = join_weeks(weeks, known)
    assert found.astype(str).to_numpy().tolist() == [
        ["week of 2025-03-03", "2025-03-03", "2025-03-16", "orders low, posts high"],
        ["week of 2025-03-24", "2025-03-24", "2025-03-30", "posts low"],
    ]


def test_without_weeks_or_events() -> None:
    assert join_weeks(out_of_line(), declared()).empty
    assert join_weeks(out_of_line(), declared(("2025-05-11", "2025-05-20"))).empty
    assert len(join_weeks(out_of_line(("orders", "2025-03-10", 4.0)), declared())) == 1


@pytest.fixture
def year(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Posts of a year, ten a day and more or fewer; in one week of March fivefold."""
    connection.execute(warehouse.SCHEMA)
    connection.execute(
        "create schema intermediate; create table intermediate.int_events_begun "
        "(event varchar, starts_on date, ends_on date); "
        "create table intermediate.int_days_counted as select 'posts' as measure, "
        "date '2025-01-01' + n::integer as day, "
        "(10 + hash(n) % 5) * if(n between 68 and 74, 5, 1) as happened from range(350) t(n)"
    )
    return connection


def test_a_week_of_many_posts_is_found(year: duckdb.DuckDBPyConnection) -> None:
    told = settings.load(ROOT / "settings.toml")
    for _ in range(2):
        assert found_events(year, told, LATER) == "1 events found"
    found = year.execute("select * from ml.found_events").fetchall()
    week = (date(2025, 3, 10), date(2025, 3, 16))
    assert found == [(LATER, "week of 2025-03-10", *week, "posts high")]
    declared = "insert into intermediate.int_events_begun values ('x', '2025-03-01', '2025-03-10')"
    year.execute(declared)
    assert found_events(year, told, LATER) == "0 events found"
    assert year.execute("select count(*) from ml.found_events").fetchall() == [(0,)]


def test_without_posts_or_orders_nothing_is_found(year: duckdb.DuckDBPyConnection) -> None:
    year.execute("delete from intermediate.int_days_counted")
    told = settings.load(ROOT / "settings.toml")
    assert found_events(year, told, LATER) == "0 events found"
