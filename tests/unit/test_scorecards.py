from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from models.preparation import Preparation, fit_preparation
from tessera import scorecards, settings, warehouse

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 1, 1)
# The old buy half as often, and are in s1 half as often.
FEATURES = """
    create schema features;
    create table features.customer_features as
    select 'c' || lpad(i::varchar, 4, '0') as customer_id, date '2026-01-01' as as_of,
        (1 + i * 7 % 13 + 8 * (i % 2))::bigint as frequency,
        (i * 37 % 300)::integer as recency_days,
        case when i % 10 > 0 then if(i % 2 = 0, '60+', '18-59') end as age_band,
        null::varchar as income_band, (i * 91 % 1000)::decimal(18, 4) as gross_revenue,
        (i * 17 % 90)::double as average_order_value, i % 3 > 0 as has_web,
        timestamp '2025-01-01' + to_days((i % 400)::integer) as first_order_at,
        (i % 4 * 10)::decimal(18, 4) as revenue_last_90_days,
        if(i % 5 = 0, 'dormant', 'active') as lifecycle_stage
    from range({customers}) r(i);
    create schema intermediate;
    create table intermediate.int_web_sessions_assembled as
    select 'c' || lpad((i % 300)::varchar, 4, '0') as customer_id, i % 2 as purchases
    from range(900) r(i);
    insert into ml.assignments
        (customer_id, as_of, model_id, segment_id, segment_name, distance, confidence)
    select customer_id, as_of, 'm1', if(frequency > 7, 's1', 's2'), 'Name', 0.5, recency_days / 300
    from features.customer_features
"""


@pytest.fixture(autouse=True)
def small_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scorecards, "MAPPED_CUSTOMERS", 50)


def open_with(customers: int) -> duckdb.DuckDBPyConnection:
    opened = duckdb.connect()
    opened.execute(warehouse.SCHEMA)
    opened.execute(FEATURES.format(customers=customers))
    return opened


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_with(600) as opened:
        yield opened


def fitted(connection: duckdb.DuckDBPyConnection) -> tuple[Preparation, pd.DataFrame]:
    customers = connection.sql("from features.customer_features order by customer_id").df()
    return fit_preparation(customers, {"frequency": "log", "recency_days": "log"}), customers


def told(**audit: object) -> settings.Settings:
    loaded = settings.load(ROOT / "settings.toml")
    return loaded.model_copy(update={"audit": settings.Audit(**audit)})  # type: ignore[arg-type]


def test_a_day_is_judged_whole_and_again_the_same(connection: duckdb.DuckDBPyConnection) -> None:
    found = []
    for _ in range(2):
        scorecards.judge(connection, *fitted(connection), told(), DAY, {"s1": 0.9, "s2": 0.5})
        found.append([connection.sql(f"from ml.{name}").fetchall() for name in scorecards.TABLES])
    assert found[0] == found[1]
    whole = connection.sql("from ml.fit_scorecards").to_arrow_table().to_pylist()[0]
    assert whole["segments"] == 2 and whole["customers"] == 600 and whole["model_id"] == "m1"
    assert whole["unsure_share"] == pytest.approx(0.1)
    assert {whole["map_feature_x"], whole["map_feature_y"]} == {"frequency", "recency_days"}
    standing = connection.sql("select segment_id, standing from ml.segment_scorecards").fetchall()
    assert dict(standing) == {"s1": "stable", "s2": "dissolves"}
    assert connection.sql("select count(*) from ml.segment_maps").fetchall() == [(50,)]


def test_measures_are_what_they_say(connection: duckdb.DuckDBPyConnection) -> None:
    scorecards.judge(connection, *fitted(connection), told(), DAY)
    measured = dict(
        connection.sql("select measure, customers from ml.segment_separations").fetchall()
    )
    assert measured["conversion_rate"] == 200, "of 300 with visits, two of three allow it"
    before = "first_order_at < timestamp '2025-10-03'"
    older = connection.sql(f"from features.customer_features where {before}")
    assert measured["is_retained"] == len(older.fetchall())
    assert measured["is_churned"] == measured["average_order_value"] == 600


def test_the_audit_tells_groups_apart(connection: duckdb.DuckDBPyConnection) -> None:
    scorecards.judge(connection, *fitted(connection), told(), DAY)
    asked = "select verdict from ml.bias_audit where group_name = '60+' and outcome = 's1'"
    assert connection.sql(asked).fetchall() == [("below four fifths",)]
    outcomes = connection.sql("select distinct outcome from ml.bias_audit order by 1").fetchall()
    assert outcomes == [("misread",), ("s1",), ("s2",), ("unsure",)]
    attributes = connection.sql("select distinct attribute from ml.bias_audit").fetchall()
    assert attributes == [("age_band",)], "of income nothing is known"
    proxy = "select verdict from ml.feature_proxies where feature = 'frequency' and groups = 2"
    assert connection.sql(proxy).fetchall() == [("proxy",)]


@pytest.mark.parametrize("customers", [1, 2, 12])
def test_few_customers(customers: int) -> None:
    with open_with(customers) as connection:
        scorecards.judge(connection, *fitted(connection), told(), DAY)
        verdicts = connection.sql("select distinct verdict from ml.bias_audit").fetchall()
        assert set(verdicts) <= {("too few to tell",)}
        assert connection.sql("select customers from ml.fit_scorecards").fetchall() == [
            (customers,)
        ]


def test_no_groups_and_unknown_groups(connection: duckdb.DuckDBPyConnection) -> None:
    scorecards.judge(connection, *fitted(connection), told(groups=[]), DAY)
    assert connection.sql("select count(*) from ml.bias_audit").fetchall() == [(0,)]
    with pytest.raises(ValueError, match=r"'age_bnd'.*did you mean 'age_band'.*\[audit\]"):
        scorecards.judge(connection, *fitted(connection), told(groups=["age_bnd"]), DAY)
    kept = connection.sql("select count(*) from ml.fit_scorecards").fetchall()
    assert kept == [(1,)], "what was judged before stays"


def test_barred_features_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_SEGMENTATION__FEATURES", '["frequency", "age_band"]')
    with pytest.raises(settings.SettingsError, match=r"age_band.*audit\.barred"):
        settings.load(ROOT / "settings.toml")
