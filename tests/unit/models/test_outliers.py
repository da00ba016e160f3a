from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN

from models.outliers import (
    OUTLIER_TREATMENTS,
    OutlierParameters,
    find_outliers,
    robust_scores,
)
from models.preparation import numeric_features


def people(count: int, seed: int = 0) -> pd.DataFrame:
    """Ordinary customers: skewed amounts, few refunds, hardly any void order, sources that lack."""
    rng = np.random.default_rng(seed)
    frequency = rng.poisson(np.exp(1 + 0.7 * rng.normal(size=count))) + 1
    value = np.exp(rng.normal(3.6, 0.5, count))
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:06d}" for i in range(count)],
            "frequency": frequency,
            "monetary": frequency * value,
            "average_order_value": value,
            "basket_size": 1.0 + rng.poisson(1.5, count),
            "distinct_products": np.minimum(2 * frequency, 40) + rng.poisson(1, count),
            "inter_purchase_days": np.where(frequency > 1, rng.gamma(2, 30, count), np.nan),
            "discount_share": rng.beta(2, 8, count),
            "refund_share": np.where(rng.random(count) < 0.15, rng.beta(1, 6, count), 0),
            "void_orders": rng.binomial(1, 0.04, count),
            "busiest_hour_orders": 1 + rng.binomial(1, 0.02, count),
            "web_sessions": np.where(rng.random(count) < 0.3, np.nan, rng.poisson(8, count)),
            "tickets": np.where(rng.random(count) < 0.8, np.nan, 1 + rng.poisson(0.4, count)),
        }
    )


def plant(frame: pd.DataFrame, rows: list[int], **values: float) -> pd.DataFrame:
    changed = frame.astype(dict.fromkeys(values, "float64"))
    for name, value in values.items():
        changed.loc[rows, name] = value
    return changed


def test_planted_outliers_are_found_with_kind_and_reasons() -> None:
    frame = people(3000)
    frame = plant(frame, [0, 1, 2], basket_size=240, average_order_value=4000, monetary=40_000)
    frame = plant(frame, [10, 11], busiest_hour_orders=9, void_orders=6, refund_share=0.9)
    frame = plant(frame, [20], frequency=100_000)
    found = find_outliers(frame).set_index("customer_id")
    planted = found.iloc[[0, 1, 2, 10, 11, 20]]
    assert planted["is_outlier"].all()
    assert planted["kind"].tolist() == [*["bulk buyer"] * 3, *["fraud-like"] * 2, "unusual"]
    assert planted["reasons"].iloc[0].startswith("basket size 240 against a median of 2 (z 10.3); ")
    assert planted["reasons"].iloc[5] == "frequency 100,000 against a median of 4 (z 19.9)"
    assert found["is_outlier"].drop(planted.index).mean() < 0.005


@pytest.mark.parametrize("seed", [1, 2])
def test_ordinary_customers_give_few(seed: int) -> None:
    found = find_outliers(people(4000, seed))
    assert found["is_outlier"].mean() < 0.005
    normal = pd.DataFrame(
        np.random.default_rng(seed).normal(size=(4000, 6)), columns=list("abcdef")
    )
    told = find_outliers(
        normal.assign(customer_id=normal.index.astype(str)), dict.fromkeys("abcdef", "linear")
    )
    assert told["is_outlier"].mean() < 0.002


def test_noise_is_that_of_dbscan() -> None:
    frame = plant(people(1500), [3], void_orders=40)
    judged = find_outliers(frame)
    rows = robust_scores(
        numeric_features(frame, list(OUTLIER_TREATMENTS)), OUTLIER_TREATMENTS
    ).to_numpy()
    apart = np.sqrt(np.square(rows[:, None] - rows[None]).sum(axis=2))
    reach = np.sort(apart, axis=1)[:, 2 * rows.shape[1] - 1]
    lower, upper = np.quantile(reach, [0.25, 0.75])
    labels = (
        DBSCAN(eps=upper + 3 * (upper - lower), min_samples=2 * rows.shape[1]).fit(rows).labels_
    )
    measured = judged["neighbour_distance"].notna()
    assert judged["is_noise"].sum() > 0
    assert (judged["is_noise"] == (labels == -1))[measured].all()


def test_no_more_than_the_share_and_the_most_isolated_first() -> None:
    frame = plant(people(1000), list(range(100)), void_orders=50, refund_share=0.9)
    found = find_outliers(frame, parameters=OutlierParameters(max_share=0.01, isolation_score=0.5))
    assert found["is_outlier"].sum() == 10
    flagged = found["is_isolated"] | found["is_noise"]
    left = found.loc[flagged & ~found["is_outlier"], "isolation_score"]
    assert left.empty or left.max() <= found.loc[found["is_outlier"], "isolation_score"].min()


@settings(max_examples=8, deadline=None)
@given(count=st.integers(1, 60), seed=st.integers(0, 5), order=st.randoms(use_true_random=False))
def test_any_order_gives_the_same_and_every_flag_has_a_reason(
    count: int, seed: int, order: np.random.Generator
) -> None:
    frame = people(count, seed)
    positions = list(range(count))
    order.shuffle(positions)
    few = OutlierParameters(trees=10)
    found = find_outliers(frame, parameters=few)
    pd.testing.assert_frame_equal(found, find_outliers(frame.iloc[positions], parameters=few))
    assert found["customer_id"].tolist() == sorted(frame["customer_id"])
    assert (found["is_outlier"] == found["reasons"].notna()).all()
    assert (found["is_outlier"] == found["kind"].notna()).all()
    assert found["isolation_score"].between(0, 1).all()
    assert not (found["is_noise"] & found["neighbour_distance"].isna()).any()


def test_nothing_to_compare_by_gives_no_outliers() -> None:
    alike = pd.DataFrame({"customer_id": ["a", "b", "c"], "frequency": 1, "monetary": np.nan})
    assert not find_outliers(alike)["is_outlier"].any()
    assert find_outliers(alike.iloc[:0]).empty
    assert not find_outliers(alike[["customer_id"]])["is_outlier"].any()
