"""What the warehouse computes equals an independent, plain computation on random data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

AS_OF = pd.Timestamp("2025-07-01")
GAP = pd.Timedelta(minutes=30)


def random_lines(seed: int) -> pd.DataFrame:
    """Order lines with refunds, free and anonymous ones, some on or after the as-of date."""
    rng = np.random.default_rng(seed)
    orders, lines = 400, 1200
    order = rng.integers(0, orders, lines)
    customer = np.where(np.arange(orders) % 9 == 0, "", (np.arange(orders) % 60).astype(str) + ".0")
    days = rng.integers(0, 420, orders)
    return pd.DataFrame(
        {
            "order_id": [f"o{i}" for i in order],
            "product_id": [f"p{i}" for i in rng.integers(0, 20, lines)],
            "quantity": rng.integers(-2, 5, lines).astype(str),
            "unit_price": [f"{p / 100:.2f}" for p in rng.integers(0, 900, lines)],
            "customer_id": customer[order],
            "ordered_at": (AS_OF - pd.Timedelta(days=400) + pd.to_timedelta(days, unit="D"))[
                order
            ].strftime("%Y-%m-%dT%H:%M:%S"),
        }
    )


def random_events(seed: int) -> pd.DataFrame:
    """Web events of a few devices whose gaps are often exactly, nearly or just over 30 minutes."""
    rng = np.random.default_rng(seed)
    frames = []
    for device in range(12):
        gaps = rng.choice([0, 1, 60, 1799, 1800, 1801, 5000, 86400], 150)
        seconds = np.cumsum(gaps) + rng.integers(0, 3600)
        known = rng.random(150) < 0.1
        frames.append(
            pd.DataFrame(
                {
                    "anonymous_id": f"d{device}",
                    "customer_id": [f"u{device}" if k else None for k in known],
                    "event_type": rng.choice(["page", "track"], 150),
                    "occurred_at": pd.Timestamp("2025-06-01") + pd.to_timedelta(seconds, unit="s"),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def inputs() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The random order lines and web events."""
    return random_lines(seed=3), random_events(seed=4)


@pytest.fixture(scope="module")
def warehouse(
    dbt: Any,
    inputs: tuple[pd.DataFrame, pd.DataFrame],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse built from them, open for reading."""
    lines, events = inputs
    scratch = tmp_path_factory.mktemp("pandas")
    with dbt.new_warehouse(scratch / "warehouse.duckdb") as connection:
        dbt.fill_raw(connection, "order_lines", lines)
        iso = events["occurred_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        # Shuffled: files do not come in the order of time.
        shuffled = events.assign(occurred_at=iso).sample(frac=1.0, random_state=5)
        dbt.fill_raw(connection, "web_events", shuffled)
    built = scratch / "warehouse.duckdb"
    only = ("--exclude-resource-type", "unit_test")
    assert dbt.build(built, scratch, AS_OF.date().isoformat(), *only) == []
    with duckdb.connect(str(scratch / "warehouse.duckdb"), read_only=True) as connection:
        yield connection


def rfm_by_pandas(lines: pd.DataFrame) -> pd.DataFrame:
    """RFM in cents, by customer, from the lines alone."""
    frame = lines.assign(
        ordered_at=pd.to_datetime(lines["ordered_at"]),
        customer_id=lines["customer_id"].str.removesuffix(".0"),
        quantity=lines["quantity"].astype(int),
        cents=[int(Decimal(p) * 100) for p in lines["unit_price"]],
    )
    frame = frame[(frame["customer_id"] != "") & (frame["ordered_at"] < AS_OF)]
    frame["amount"] = frame["quantity"] * frame["cents"]
    priced = frame[frame["cents"] > 0]
    sales, refunds = priced[priced["quantity"] >= 0], priced[priced["quantity"] < 0]
    by = sales.groupby("customer_id")
    return pd.DataFrame(
        {
            "recency_days": (AS_OF - by["ordered_at"].max()).dt.days,
            "frequency": by["order_id"].nunique(),
            "gross": by["amount"].sum(),
            "refunds": (-refunds.groupby("customer_id")["amount"].sum()),
        }
    ).fillna({"refunds": 0, "gross": 0, "frequency": 0})


def test_rfm_equals_pandas_to_the_cent_and_the_day(
    dbt: Any, warehouse: duckdb.DuckDBPyConnection, inputs: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    expected = rfm_by_pandas(inputs[0])
    expected.index = pd.Index(map(dbt.customer, expected.index))
    expected = expected.sort_index()
    actual = warehouse.execute(
        "select customer_id, recency_days, frequency, cast(gross_revenue * 100 as bigint) as gross,"
        " cast(refunds * 100 as bigint) as refunds from features.customer_features"
        " where has_orders order by customer_id"
    ).df()
    actual = actual[actual["customer_id"].isin(expected.index)].set_index("customer_id")
    pd.testing.assert_frame_equal(
        actual.astype(float), expected[list(actual)].astype(float), check_names=False
    )
    assert len(actual) > 40


def test_scores_are_the_share_of_buyers_strictly_worse(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    buyers = warehouse.execute(
        "select recency_days, frequency, monetary, r_score, f_score, m_score"
        " from features.customer_features where frequency > 0"
    ).df()
    for value, score, sign in [
        ("recency_days", "r_score", -1),
        ("frequency", "f_score", 1),
        ("monetary", "m_score", 1),
    ]:
        goodness = sign * buyers[value].astype(float).to_numpy()
        worse = (goodness[None, :] < goodness[:, None]).sum(axis=1)
        assert (buyers[score].to_numpy() == 1 + 5 * worse // len(buyers)).all(), score


def test_sessions_equal_a_walk_through_the_events(
    warehouse: duckdb.DuckDBPyConnection, inputs: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """Condensing events into time slots before sorting them changes nothing."""
    events = inputs[1].sort_values(["anonymous_id", "occurred_at"])
    events = events[events["occurred_at"] < AS_OF]
    expected: list[list[Any]] = []
    for device, moments in events.groupby("anonymous_id")["occurred_at"]:
        last = None
        for moment in moments:
            if last is None or moment - last >= GAP:
                expected.append([device, moment, moment, 0])
            expected[-1][2:] = [moment, expected[-1][3] + 1]
            last = moment
    actual = warehouse.execute(
        "select device_id, started_at, ended_at, events"
        " from intermediate.int_web_sessions_assembled order by 1, 2"
    ).fetchall()
    assert [list(row) for row in actual] == expected
    assert len(expected) > 100


def test_engagement_equals_the_sum_over_events(
    dbt: Any, warehouse: duckdb.DuckDBPyConnection, inputs: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """Every device here has one customer, so all its events are hers; all of them weigh 1."""
    events = inputs[1][inputs[1]["occurred_at"] < AS_OF].sort_values("occurred_at")
    moments = events.groupby("anonymous_id")["occurred_at"]
    begins = ~(moments.diff() < GAP)  # the first of a device has no difference
    begun_at = events["occurred_at"].where(begins).groupby(events["anonymous_id"]).ffill()
    age = (AS_OF - begun_at.dt.normalize()).dt.days
    customers = events["anonymous_id"].str.replace("d", "u").map(dbt.customer)
    expected = (0.5 ** (age / 30)).groupby(customers).sum()
    actual = warehouse.execute(
        "select customer_id, engagement_score"
        " from features.customer_features where has_web order by 1"
    ).df()
    assert list(actual["customer_id"]) == list(expected.index)
    np.testing.assert_allclose(actual["engagement_score"], expected, atol=1e-5)


Bought = list[tuple[date, int]]


def orders_by_day(lines: pd.DataFrame) -> dict[str, Bought]:
    """Dates with a sale and their orders, by customer, in order of time."""
    frame = lines.assign(
        day=pd.to_datetime(lines["ordered_at"]).dt.date,
        customer_id=lines["customer_id"].str.removesuffix(".0"),
    )
    is_sale = (frame["quantity"].astype(int) >= 0) & (frame["unit_price"].astype(float) > 0)
    frame = frame[is_sale & (frame["customer_id"] != "") & (frame["day"] < AS_OF.date())]
    counts = frame.groupby(["customer_id", "day"])["order_id"].nunique()
    found: dict[str, Bought] = {}
    for (customer_id, day), orders in counts.items():
        found.setdefault(customer_id, []).append((day, orders))
    return found


def stage_on(day: date, bought: Bought, firsts: list[tuple[date, int]]) -> str:
    """The stage as the docs define it, of a run as of `day`. `firsts`: second order dates, gaps."""
    known = [(d, orders) for d, orders in bought if d < day]
    if not known:
        return "prospect"

    def limits(last: int) -> list[int]:
        month = known[last][0].replace(day=1)
        gaps = sorted(gap for second, gap in firsts if second < month)
        usual = gaps[(len(gaps) - 1) // 2] if len(gaps) >= 30 else 90
        rhythm = max((usual + (known[last][0] - known[0][0]).days) / (last + 1), 7)
        return [math.floor(round(ratio * rhythm, 6)) for ratio in (1.5, 3.0, 6.0)]

    silence = (day - known[-1][0]).days
    over = sum(silence > limit for limit in limits(len(known) - 1))
    if over:
        return ("slipping", "dormant", "churned")[over - 1]
    if len(known) > 1 and (known[-1][0] - known[-2][0]).days > limits(len(known) - 2)[2]:
        return "won_back"
    is_new = (day - known[0][0]).days <= 90 and sum(orders for _, orders in known) <= 2
    return "onboarding" if is_new else "active"


def test_stages_equal_a_walk_through_the_days(
    dbt: Any, warehouse: duckdb.DuckDBPyConnection, inputs: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """What events tell of a day is the stage that a run as of the day after would have given."""
    bought = orders_by_day(inputs[0])
    firsts = [(b[1][0], (b[1][0] - b[0][0]).days) for b in bought.values() if len(b) > 1]
    days = [AS_OF.date() - timedelta(days=n) for n in range(402)][::-1]
    expected = []
    for customer_id, dates in bought.items():
        stages = [stage_on(day, dates, firsts) for day in days]
        expected += [
            (dbt.customer(customer_id), day - timedelta(days=1), before, after)
            for day, before, after in zip(days[1:], stages, stages[1:], strict=False)
            if before != after
        ]
    actual = warehouse.execute(
        "select customer_id, changed_on, from_stage, to_stage from segments.lifecycle_transitions"
    ).fetchall()
    assert sorted(actual) == sorted(expected)
    assert {row[3] for row in actual} >= {"onboarding", "active", "slipping", "dormant"}
    today = dict(
        warehouse.execute(
            "select customer_id, lifecycle_stage from features.customer_features where has_orders"
        ).fetchall()
    )
    last = {dbt.customer(c): stage_on(AS_OF.date(), dates, firsts) for c, dates in bought.items()}
    assert {c: today[c] for c in last} == last
