"""Profiles: what the customers of each segment have in common, against all customers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from models.preparation import Matrix, numeric_features

#: What segments are described by: more than what they are clustered by. Rules for names may add.
PROFILE_FEATURES = (
    "recency_days",
    "frequency",
    "monetary",
    "average_order_value",
    "basket_size",
    "discount_share",
    "inter_purchase_days",
    "purchase_trend",
    "tenure_days",
    "engagement_score",
    "cart_abandonment_rate",
    "mean_sentiment",
    "posts",
    "app_minutes",
    "mean_satisfaction",
    "mean_nps",
)


def profile_segments(
    frame: pd.DataFrame,
    segments: ArrayLike,
    features: Iterable[str] = PROFILE_FEATURES,
) -> pd.DataFrame:
    """Describe each segment by each feature; one row per segment and feature.

    `frame` has one row per customer, `segments` the segment_id of each row; features the frame does
    not have are left out. Columns: segment_id; customers; share (of all customers); feature;
    known_share (of the segment's customers who have a value); median and mean (of those);
    percentile (0..1: where the segment's median stands among all customers, ties counted half);
    z_score ((segment median - mean of all) / standard deviation of all, 0 when all are equal).
    Medians of nothing are NaN.
    """
    names = [name for name in features if name in frame.columns]
    numbers = numeric_features(frame, names).reset_index(drop=True)
    groups = np.asarray(segments)
    if len(groups) != len(numbers):
        raise ValueError(f"{len(groups)} segments for {len(numbers)} customers")
    sizes = pd.Series(groups).value_counts().sort_index().rename_axis("segment_id")
    parts = [_profile_feature(name, numbers[name], groups) for name in names]
    long = pd.concat(parts, ignore_index=True).sort_values(["segment_id", "feature"], kind="stable")
    customers = long["segment_id"].map(sizes)
    long.insert(1, "customers", customers)
    long.insert(2, "share", customers / len(groups))
    return long.reset_index(drop=True)


def _profile_feature(name: str, values: pd.Series, groups: NDArray[np.generic]) -> pd.DataFrame:
    grouped = values.groupby(groups)
    medians = grouped.median()
    known = np.sort(values.dropna().to_numpy())
    spread = known.std() if len(known) else 0.0
    centred = medians - known.mean() if len(known) else medians
    return pd.DataFrame(
        {
            "segment_id": medians.index,
            "feature": name,
            "known_share": (grouped.count() / grouped.size()).to_numpy(),
            "median": medians.to_numpy(),
            "mean": grouped.mean().to_numpy(),
            "percentile": _percentile(known, medians.to_numpy()),
            "z_score": (centred / spread if spread > 0 else centred * 0.0).to_numpy(),
        }
    )


def _percentile(known: Matrix, values: Matrix) -> Matrix:
    """Share of the sorted known values below each value, plus half of those equal to it."""
    if not len(known):
        return np.full(len(values), np.nan)
    below = np.searchsorted(known, values, side="left")
    up_to = np.searchsorted(known, values, side="right")
    percentiles: Matrix = np.where(np.isnan(values), np.nan, (below + up_to) / (2 * len(known)))
    return percentiles
