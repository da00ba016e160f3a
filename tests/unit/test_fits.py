from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from tessera import fits, settings
from tests.unit.fitted import DAY, features_of

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 2, 1)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with features_of(200) as opened:
        yield opened


@pytest.fixture
def told(tmp_path: Path) -> settings.Settings:
    read = settings.load(ROOT / "settings.toml")
    quick = read.segmentation.model_copy(update={"resamples": 2, "k_max": 4})
    return read.model_copy(update={"data_dir": tmp_path, "segmentation": quick})


def test_a_fit_is_written_once_a_day_with_its_evidence(
    connection: duckdb.DuckDBPyConnection, told: settings.Settings
) -> None:
    fit = fits.fit(fits.read_customers(connection, DAY), told, DAY)
    for _ in range(2):
        fits.write(connection, fit, told, DAY, NOW)
    ((k, customers, features, stability),) = connection.execute(
        "select k, customers, features, stability from ml.fits"
    ).fetchall()
    assert (k, customers) == (fit.fitted.k, 180)
    assert 0 < stability <= 1
    chosen = connection.execute("select k from ml.fit_evidence where is_chosen").fetchall()
    assert chosen == [(k,)]
    assert connection.execute("select model_id, k from ml.models").fetchall() == [(fit.model_id, k)]
    read = json.loads(features)
    assert "mean_sentiment" in read["dropped"] and "recency_days" in read["used"]
    assert connection.execute("select count(*) from ml.assignments").fetchall() == [(0,)]


def test_fits_of_other_days_stay(
    connection: duckdb.DuckDBPyConnection, told: settings.Settings
) -> None:
    for day in (DAY, date(2026, 1, 8)):
        connection.execute("update features.customer_features set as_of = ?", [day])
        fits.write(
            connection, fits.fit(fits.read_customers(connection, day), told, day), told, day, NOW
        )
    days = connection.execute("select distinct as_of from ml.fit_evidence order by 1").fetchall()
    assert days == [(DAY,), (date(2026, 1, 8),)]


def test_the_choice_in_use_is_kept_where_it_is_as_good(
    connection: duckdb.DuckDBPyConnection, told: settings.Settings
) -> None:
    customers = fits.read_customers(connection, DAY)
    free = fits.fit(customers, told, DAY)
    evidence = free.fitted.evidence
    other = int(evidence[~evidence["is_chosen"]].sort_values("silhouette").iloc[-1]["k"])
    narrow = told.segmentation.model_copy(update={"k_min": other, "k_max": other})
    champion = fits.fit(customers, told.model_copy(update={"segmentation": narrow}), DAY).fitted
    assert champion.k == other
    assert fits.fit(customers, told, DAY, champion).fitted.k in (free.fitted.k, other)
    assert fits.fit(customers, told, DAY, free.fitted).fitted.k == free.fitted.k


def test_an_unknown_feature_is_named(
    connection: duckdb.DuckDBPyConnection, told: settings.Settings
) -> None:
    wrong = told.model_copy(
        update={"segmentation": told.segmentation.model_copy(update={"features": ["recency_day"]})}
    )
    with pytest.raises(ValueError, match=r"'recency_day', by which.*'recency_days'"):
        fits.fit(fits.read_customers(connection, DAY), wrong, DAY)


def test_outliers_are_kept_out_of_the_fit(
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
    assert without.customers == 179
    typical = fits.fit(customers[~customers["is_outlier"]], told, DAY)
    assert (without.fitted.clusterer.centres == typical.fitted.clusterer.centres).all()
    both = told.segmentation.model_copy(update={"exclude_outliers": False})
    with_her = fits.fit(customers, told.model_copy(update={"segmentation": both}), DAY)
    assert with_her.model_id != without.model_id
