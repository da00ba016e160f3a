from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy.stats import percentileofscore

from models.profiles import profile_segments

MakeCustomers = Callable[..., pd.DataFrame]


def _fact(profiles: pd.DataFrame, cluster: int, feature: str) -> pd.Series:
    found = profiles[(profiles["segment_id"] == cluster) & (profiles["feature"] == feature)]
    assert len(found) == 1
    return found.iloc[0]


def test_figures_by_hand() -> None:
    frame = pd.DataFrame(
        {
            "frequency": [1, 1, 2, 4, 10],
            "monetary": [Decimal(5), Decimal(7), Decimal(9), Decimal(20), Decimal(50)],
            "mean_sentiment": [None, None, 0.5, None, -0.5],
        }
    )
    profiles = profile_segments(frame, [0, 0, 0, 1, 1])
    few = _fact(profiles, 0, "frequency")
    assert (few["customers"], few["share"]) == (3, 0.6)
    assert (few["median"], few["mean"]) == (1, pytest.approx(4 / 3))
    assert few["percentile"] == pytest.approx(0.2)  # two of five equal to it, counted half
    assert few["z_score"] == pytest.approx((1 - 3.6) / np.std([1, 1, 2, 4, 10]))
    assert few["known_share"] == 1
    assert _fact(profiles, 1, "monetary")["median"] == 35
    assert _fact(profiles, 0, "mean_sentiment")["known_share"] == pytest.approx(1 / 3)
    assert _fact(profiles, 1, "mean_sentiment")["known_share"] == 0.5


def test_percentiles_equal_scipys(make_customers: MakeCustomers) -> None:
    frame = make_customers(400)
    clusters = np.arange(400) % 3
    profiles = profile_segments(frame, clusters, ["frequency", "mean_sentiment"])
    for row in profiles.itertuples():
        values = frame[row.feature].dropna()
        expected = percentileofscore(values, row.median, kind="mean") / 100
        assert row.percentile == pytest.approx(expected)


def test_missing_and_constant_features() -> None:
    frame = pd.DataFrame({"posts": [None, None], "discount_share": [0.0, 0.0]})
    profiles = profile_segments(frame, [0, 1])
    unknown = _fact(profiles, 0, "posts")
    assert unknown["known_share"] == 0
    assert unknown[["median", "percentile"]].isna().all()
    equal = _fact(profiles, 1, "discount_share")
    assert (equal["percentile"], equal["z_score"]) == (0.5, 0)
    assert set(profiles["feature"]) == {"posts", "discount_share"}  # absent ones are left out


def test_the_index_of_the_frame_plays_no_part(make_customers: MakeCustomers) -> None:
    frame = make_customers(100)
    clusters = np.arange(100) % 2
    shifted = frame.set_index(pd.Index(range(500, 600)))
    pd.testing.assert_frame_equal(
        profile_segments(frame, clusters), profile_segments(shifted, clusters)
    )


def test_clusters_and_customers_must_match() -> None:
    with pytest.raises(ValueError, match="1 segments for 2 customers"):
        profile_segments(pd.DataFrame({"frequency": [1, 2]}), [0])
