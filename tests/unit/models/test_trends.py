"""Series taken apart add up; what was planted is found; chance alarms as seldom as is stated."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.trends import COLUMNS, TrendParameters, change_points, decompose
from tessera.trends import SERIES, take_apart

PARAMETERS = TrendParameters()
WHOLE = pd.date_range("2024-01-01", periods=104, freq="W-MON")


def noise(weeks: int, seed: int = 0, level: float = 1000, deviation: float = 60) -> np.ndarray:
    return np.random.default_rng(seed).normal(level, deviation, weeks)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0, 1e9), max_size=110))
def test_the_parts_always_add_up(values: list[float]) -> None:
    told = decompose(np.array(values), PARAMETERS)
    assert list(told.columns) == COLUMNS
    parts = told["trend"] + told["seasonal"].fillna(0) + told["residual"]
    if len(values) < PARAMETERS.least_weeks:
        assert told["trend"].isna().all()
    else:
        # To the last digits of the trend: a week of nothing has none of its own.
        np.testing.assert_allclose(parts, told["observed"], atol=1e-9 * told["trend"].abs().max())
    assert not (told["score"].isna() & told["is_anomaly"]).any()


@pytest.mark.parametrize("weeks", [30, 60])
def test_white_noise_alarms_no_more_often_than_stated(weeks: int) -> None:
    """Stated: 5 % of the series. 100 series: three standard errors are 6.5 points."""
    alarms = [decompose(noise(weeks, seed), PARAMETERS)["is_anomaly"].any() for seed in range(100)]
    assert np.mean(alarms) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 100)


def test_white_noise_of_counts_of_two_years_alarms_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(3)
    series = [rng.negative_binomial(20, 0.2, 104) for _ in range(40)]
    alarms = [decompose(one, PARAMETERS)["is_anomaly"].any() for one in series]
    assert np.mean(alarms) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 40)


@pytest.mark.parametrize("weeks", [60, 104])
def test_a_week_out_of_line_is_found_and_no_other(weeks: int) -> None:
    values = noise(weeks, level=1000, deviation=30)
    values[40] += 600
    told = decompose(values, PARAMETERS)
    assert list(np.flatnonzero(told["is_anomaly"])) == [40]


def test_a_yearly_sale_is_season_and_no_anomaly() -> None:
    values = noise(156, deviation=20)
    values[[47, 47 + 52, 47 + 104]] += 800
    told = decompose(values, PARAMETERS)
    assert not told["is_anomaly"].any()
    assert told["seasonal"][47] == pytest.approx(800, rel=0.1)


def test_within_a_year_season_is_not_told_from_trend() -> None:
    told = decompose(noise(60), PARAMETERS)
    assert told["seasonal"].isna().all()
    assert told["trend"].notna().all()


def test_a_change_of_level_is_found_where_it_is() -> None:
    values = np.concatenate([noise(30, 1, 1000, 40), noise(30, 2, 1400, 40)])
    found = change_points(decompose(values, PARAMETERS), PARAMETERS)
    assert list(found["position"]) == [30]
    assert found["level_after"][0] / found["level_before"][0] == pytest.approx(1.4, rel=0.03)


def test_white_noise_changes_level_in_few_series() -> None:
    series = [decompose(noise(60, seed), PARAMETERS) for seed in range(30)]
    assert np.mean([len(change_points(s, PARAMETERS)) > 0 for s in series]) <= 0.1


def test_direction_is_that_of_the_last_quarter() -> None:
    told = decompose(np.linspace(100, 200, 60), PARAMETERS)
    assert told["direction"].iloc[:13].isna().all()
    assert set(told["direction"].iloc[13:]) == {"rising"}
    assert decompose(np.linspace(200, 100, 60), PARAMETERS)["direction"].iloc[-1] == "falling"
    assert decompose(np.full(60, 5.0), PARAMETERS)["direction"].iloc[-1] == "steady"


@pytest.mark.parametrize(
    "values",
    [[], [5.0], [0.0] * 60, [7.0] * 120, [0.0] * 59 + [9.0]],
    ids=["none", "one week", "nothing sold", "always the same", "one sale"],
)
def test_what_cannot_be_judged_is_not_judged(values: list[float]) -> None:
    told = decompose(np.array(values), PARAMETERS)
    assert not told["is_anomaly"].any()
    assert change_points(told, PARAMETERS).empty


def shop(connection: duckdb.DuckDBPyConnection, orders: str) -> pd.DataFrame:
    """The series of a shop whose orders are the rows of a query (ordered_at, gross_amount)."""
    connection.execute(
        f"""
        create schema intermediate; create schema staging; create schema ml;
        create table intermediate.int_orders_assembled as
        select 'o' || row_number() over () as order_id, 'c' as customer_id, ordered_at,
               gross_amount, true as has_sale, null::varchar as excluded_because from ({orders});
        create table intermediate.int_order_lines_classified(
            order_id varchar, product_id varchar, category varchar, line_kind varchar,
            amount double);
        create table staging.stg_shop__products(product_id varchar, category varchar);
        create table ml.assignments(customer_id varchar, as_of date, segment_id varchar);
        insert into ml.assignments values
            ('c', date '2025-03-05', 'now'), ('c', date '2025-02-26', 'before');
        """
    )
    return connection.execute(SERIES, {"as_of": date(2025, 3, 5), "categories": 50}).df()


def test_weeks_are_whole_and_those_without_orders_are_zero(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    found = shop(
        connection,
        "select timestamp '2025-02-05 10:00' as ordered_at, 9 as gross_amount union all "
        "select timestamp '2025-02-10 00:00', 5 union all "
        "select timestamp '2025-03-02 23:59', 7 union all select timestamp '2025-03-04', 8",
    )
    weeks = found[found["dimension"] == "segment"]
    assert set(weeks["member"]) == {"now"}
    assert [f"{w:%m-%d}" for w in weeks["week"]] == ["02-10", "02-17", "02-24"]
    assert list(weeks["revenue"]) == [5, 0, 7]
    assert list(weeks["customers"]) == [1, 0, 1]


def test_all_orders_at_one_instant_of_a_busy_customer(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    orders = (
        "select timestamp '2025-01-06 10:00' as ordered_at, 1 as gross_amount from range(100000)"
    )
    found = shop(connection, orders)
    assert found["orders"].max() == 100_000
    apart, changes = take_apart(found, PARAMETERS)
    assert len(apart) == 3 * len(found)
    assert changes.empty
