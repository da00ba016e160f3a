from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tessera import fits, settings, warehouse

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 1, 1)
FEATURES = """
    create schema features;
    create table features.customer_features as
    select 'c' || lpad(i::varchar, 3, '0') as customer_id, date '2026-01-01' as as_of,
           case when i % 10 = 0 then null else 1 + i % 7 end as frequency,
           (i * 37 % 300)::integer as recency_days, (i * 91 % 1000)::decimal(18,4) as monetary,
           (i * 13 % 700)::integer as tenure_days, (i * 7 % 10) / 10 as discount_share,
           (i * 3 % 50)::double as engagement_score, null::double as mean_sentiment
    from range(200) r(i)
"""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(warehouse.SCHEMA)
        opened.execute(FEATURES)
        yield opened


@pytest.fixture
def told() -> settings.Settings:
    return settings.load(ROOT / "settings.toml")


def test_every_customer_is_written_once_for_the_day(
    connection: duckdb.DuckDBPyConnection, told: settings.Settings
) -> None:
    fit = fits.fit(fits.read_customers(connection, DAY), told, DAY)
    for _ in range(2):
        fits.write(connection, fit, DAY)
    assigned = connection.execute(
        "select count(*), count(distinct customer_id), count(distinct model_id), "
        "count(*) filter (segment_id = 'without-purchase'), "
        "count(*) filter (distance is null) from ml.assignments"
    ).fetchall()
    assert assigned == [(200, 200, 1, 20, 20)]
    unnamed = "select * from ml.assignments anti join ml.segment_names using (segment_id)"
    assert connection.execute(unnamed).fetchall() == []
    chosen = connection.execute("select k from ml.k_selection where is_chosen").fetchall()
    assert chosen == connection.execute("select k from ml.fits").fetchall()
    told_of = json.loads(connection.execute("select features from ml.fits").fetchall()[0][0])
    assert "mean_sentiment" in told_of["dropped"] and "recency_days" in told_of["used"]


def test_history_of_other_days_stays(
    connection: duckdb.DuckDBPyConnection, told: settings.Settings
) -> None:
    fit = fits.fit(fits.read_customers(connection, DAY), told, DAY)
    fits.write(connection, fit, DAY)
    later = date(2026, 1, 8)
    connection.execute("update features.customer_features set as_of = ?", [later])
    fits.write(connection, fits.fit(fits.read_customers(connection, later), told, later), later)
    days = connection.execute("select distinct as_of from ml.assignments order by 1").fetchall()
    assert days == [(DAY,), (later,)]


def test_an_unknown_feature_is_named(
    connection: duckdb.DuckDBPyConnection, told: settings.Settings
) -> None:
    wrong = told.model_copy(
        update={"segmentation": told.segmentation.model_copy(update={"features": ["recency_day"]})}
    )
    with pytest.raises(ValueError, match=r"'recency_day', by which.*'recency_days'"):
        fits.fit(fits.read_customers(connection, DAY), wrong, DAY)


def test_outliers_are_kept_out_of_the_fit_and_still_assigned(
    connection: duckdb.DuckDBPyConnection, told: settings.Settings
) -> None:
    connection.execute(
        "update features.customer_features set monetary = 10000000 where customer_id = 'c007'"
    )
    connection.execute(
        "insert into ml.customer_outliers (customer_id, as_of, is_outlier) "
        "values ('c007', ?, true)",
        [DAY],
    )
    customers = fits.read_customers(connection, DAY)
    assert customers["is_outlier"].sum() == 1
    without = fits.fit(customers, told, DAY)
    assert len(without.assignments) == len(customers) == 180
    typical = fits.fit(customers[~customers["is_outlier"]], told, DAY)
    assert (without.fitted.clusterer.centres == typical.fitted.clusterer.centres).all()
    both = told.segmentation.model_copy(update={"exclude_outliers": False})
    with_her = fits.fit(customers, told.model_copy(update={"segmentation": both}), DAY)
    assert with_her.model_id != without.model_id
    fits.write(connection, without, DAY)
    rows = connection.execute("select count(*), count(distinct customer_id) from ml.assignments")
    assert rows.fetchall() == [(200, 200)]
