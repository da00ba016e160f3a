from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kruskal
from sklearn.metrics import silhouette_score

from models.preparation import fit_preparation, prepare
from models.scorecard import (
    MEASURES,
    eta_squared,
    fit_scorecard,
    sample_silhouettes,
    segment_scorecards,
    separations,
)


def members(count: int = 300, seed: int = 1) -> pd.DataFrame:
    """Customers of three segments who differ in order value and in nothing else."""
    rng = np.random.default_rng(seed)
    segment = rng.integers(0, 3, count)
    return pd.DataFrame(
        {
            "segment_id": [f"s{number + 1}" for number in segment],
            "confidence": rng.random(count),
            "gross_revenue": rng.gamma(2, 50, count),
            "average_order_value": rng.normal(20, 3, count) + 10 * segment,
            "conversion_rate": np.where(rng.random(count) < 0.3, np.nan, rng.random(count)),
            "is_retained": rng.integers(0, 2, count).astype("float64"),
            "is_churned": rng.integers(0, 2, count),
        }
    )


def test_separations_are_those_of_scipy_and_tell_signal_from_none() -> None:
    customers = members()
    told = separations(customers).set_index("measure")
    parts = [g.to_numpy() for _, g in customers.groupby("segment_id")["average_order_value"]]
    expected = kruskal(*parts)
    assert told.loc["average_order_value", "kruskal_h"] == pytest.approx(expected.statistic)
    assert told.loc["average_order_value", "p_value"] == pytest.approx(expected.pvalue)
    assert told.loc["average_order_value", "effect"] == "large"
    assert set(told.loc[["is_retained", "is_churned"], "effect"]) <= {"negligible", "small"}
    assert told.loc["conversion_rate", "customers"] == customers["conversion_rate"].notna().sum()


def test_eta_squared_is_the_share_of_variance_between_groups() -> None:
    values, groups = pd.Series([1.0, 1.0, 3.0, 3.0, None]), pd.Series([*"aabba"])
    assert eta_squared(values, groups) == 1.0
    assert eta_squared(pd.Series([1.0, 3.0, 1.0, 3.0]), pd.Series([*"aabb"])) == 0.0
    assert np.isnan(eta_squared(pd.Series([2.0, 2.0]), pd.Series([*"ab"])))


def test_silhouettes_of_the_sample_are_those_of_scikit_learn(
    make_customers: Callable[..., pd.DataFrame],
) -> None:
    customers = make_customers(400)
    rows = prepare(fit_preparation(customers), customers)
    segments = pd.Series(np.where(customers["frequency"] > 5, "s1", "s2"))
    sampled = sample_silhouettes(rows, segments)
    assert sampled.silhouettes.mean() == pytest.approx(silhouette_score(rows, segments))
    fewer = sample_silhouettes(rows, segments, size=100)
    assert len(fewer.positions) == 100 and (np.diff(fewer.positions) > 0).all()


def test_a_segment_scorecard_adds_up() -> None:
    customers = members()
    sampled = sample_silhouettes(customers[["average_order_value"]].to_numpy(),
                                 customers["segment_id"], size=120)  # fmt: skip
    cards = segment_scorecards(customers, sampled, {"s1": 0.8, "s2": 0.61, "s3": 0.2})
    assert cards["customers"].is_monotonic_decreasing and cards["customers"].sum() == 300
    assert cards["customer_share"].sum() == pytest.approx(1)
    assert cards["revenue_share"].sum() == pytest.approx(1)
    assert cards["silhouette_customers"].sum() == 120
    standing = cards.set_index("segment_id")["standing"].to_dict()
    assert standing == {"s1": "stable", "s2": "doubtful", "s3": "dissolves"}
    whole = fit_scorecard(customers, sampled)
    assert whole["segments"] == 3 and whole["customers"] == 300
    by_segment = (cards["misfit_share"] * cards["silhouette_customers"]).sum() / 120
    assert whole["misfit_share"] == pytest.approx(by_segment)


@pytest.mark.parametrize("count", [1, 2])
def test_of_one_or_two_customers_little_can_be_said(count: int) -> None:
    customers = members(count).assign(segment_id="s1")
    sampled = sample_silhouettes(np.zeros((count, 2)), customers["segment_id"])
    cards = segment_scorecards(customers, sampled)
    assert cards.loc[0, "customers"] == count and np.isnan(cards.loc[0, "silhouette"])
    whole = fit_scorecard(customers, sampled)
    assert whole["silhouette"] is None and whole["segments"] == 1
    told = separations(customers)
    assert list(told["measure"]) == list(MEASURES)
    assert set(told["effect"]) == {"cannot be told"}


def test_without_features_and_without_revenue() -> None:
    customers = members(20).assign(gross_revenue=0.0)
    sampled = sample_silhouettes(np.zeros((20, 0)), customers["segment_id"])
    assert segment_scorecards(customers, sampled)["revenue_share"].isna().all()
    assert fit_scorecard(customers, sampled)["revenue_explained"] is None
