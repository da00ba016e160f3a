"""Outliers: customers unlike all others, and in what.

Two judges, who see different things. An isolation forest (Liu, Ting & Zhou 2008, "Isolation
Forest") finds those whom few random cuts set apart, DBSCAN (Ester, Kriegel, Sander & Xu 1996) those
with no dense neighbourhood near. A customer is an outlier when one of them says so and at least one
feature of hers is extreme: robust z-score of 3.5 or more (Iglewicz & Hoaglin 1993, "How to Detect
and Handle Outliers"), because a flag without a reason helps nobody.

Bounded: the forest learns from `tree_rows` customers a tree, DBSCAN from a sample of `sample_rows`;
all others are measured against that sample, and only those with an extreme feature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from models.preparation import Matrix, Treatment, numeric_features, signed_log1p

Flags = NDArray[np.bool_]

#: What customers are compared by, and how each is treated before.
OUTLIER_TREATMENTS: Mapping[str, Treatment] = {
    "frequency": "log",
    "monetary": "log",
    "average_order_value": "log",
    "basket_size": "log",
    "distinct_products": "log",
    "inter_purchase_days": "log",
    "discount_share": "share",
    "refund_share": "log",
    "void_orders": "log",
    "busiest_hour_orders": "log",
    "web_sessions": "log",
    "tickets": "log",
}
#: What kind of outlier a customer is by the feature that sticks out most, upwards; and from which
#: value on: where nearly nobody has a refund, one is extreme and proves nothing.
KINDS: Mapping[str, tuple[str, float]] = {
    "refund_share": ("fraud-like", 0.5),
    "void_orders": ("fraud-like", 3),
    "busiest_hour_orders": ("fraud-like", 4),
    "monetary": ("bulk buyer", 0),
    "average_order_value": ("bulk buyer", 0),
    "basket_size": ("bulk buyer", 0),
}
OTHER_KIND = "unusual"
#: Scores and distances are rounded before they are compared, so that the last bit decides nothing.
DECIMALS = 9


@dataclass(frozen=True)
class OutlierParameters:
    """What steers the judges.

    isolation_score: from here on (0 to 1) the forest calls a customer isolated; 0.6 is the contour
        that Liu et al. draw around anomalies.
    extreme_z: a feature is extreme from this robust z-score on.
    max_share: never more than this share of the customers, the most isolated first: when many are
        unlike the rest, they are a segment.
    sample_rows: customers among whom the neighbourhoods are learnt.
    """

    isolation_score: float = 0.6
    extreme_z: float = 3.5
    max_share: float = 0.05
    seed: int = 42
    trees: int = 100
    tree_rows: int = 256
    sample_rows: int = 5_000
    reasons: int = 3


def find_outliers(
    frame: pd.DataFrame,
    treatments: Mapping[str, Treatment] = OUTLIER_TREATMENTS,
    parameters: OutlierParameters | None = None,
) -> pd.DataFrame:
    """Judge every customer of `frame`: customer_id and the features; those it lacks are left out.

    One row each, sorted by customer_id: isolation_score (0 to 1); neighbour_distance (to the
    nearest dense neighbourhood, in units of its radius; above 1 there is none near; null where no
    feature is extreme, since it was not measured); is_isolated, is_noise, is_outlier; kind
    ('fraud-like', 'bulk buyer', 'unusual') and reasons (words), null for those who are no outliers.
    Raises ValueError for features that are infinite or not numbers, as `numeric_features` does.
    """
    parameters = parameters or OutlierParameters()
    ordered = frame.sort_values("customer_id", kind="stable", ignore_index=True)
    known = {name: t for name, t in treatments.items() if name in ordered.columns}
    numbers = numeric_features(ordered, list(known))
    scores = robust_scores(numbers, known)
    is_extreme = (scores.abs() >= parameters.extreme_z).any(axis=1).to_numpy()
    with threadpool_limits(limits=1):
        isolation = _isolation(scores, parameters)
        distance = _neighbour_distances(scores.to_numpy(), is_extreme, parameters)
    judged = pd.DataFrame(
        {
            "customer_id": ordered["customer_id"],
            "isolation_score": isolation,
            "neighbour_distance": distance,
            "is_isolated": (isolation >= parameters.isolation_score) & is_extreme,
            "is_noise": distance > 1,
        }
    )
    judged["is_outlier"] = _most_isolated(judged, parameters.max_share)
    return judged.join(_told(numbers, scores, judged["is_outlier"].to_numpy(), parameters))


def robust_scores(numbers: pd.DataFrame, treatments: Mapping[str, Treatment]) -> pd.DataFrame:
    """Robust z-scores, a column a feature: (treated value - median) / (1.4826 × MAD).

    Where more than half of the customers are alike the MAD is zero, and the standard deviation
    takes its place. Missing values count as the median. Features that are the same for all are
    left out.
    """
    scores = {}
    for name in numbers.columns:
        values = numbers[name].to_numpy()
        treated = signed_log1p(values) if treatments[name] == "log" else values
        if np.isnan(treated).all():
            continue
        centred = treated - np.nanmedian(treated)
        spread = 1.4826 * np.nanmedian(np.abs(centred)) or float(np.nanstd(treated))
        if spread > 1e-12:
            scores[name] = np.nan_to_num(centred / spread)
    return pd.DataFrame(scores, index=numbers.index, dtype="float64").round(DECIMALS)


def _isolation(scores: pd.DataFrame, parameters: OutlierParameters) -> Matrix:
    """The anomaly score of Liu et al.: near 1 set apart at once, below 0.5 never."""
    if scores.shape[1] == 0 or len(scores) < 2:
        return np.zeros(len(scores))
    forest = IsolationForest(
        n_estimators=parameters.trees,
        max_samples=min(parameters.tree_rows, len(scores)),
        random_state=parameters.seed,
    )
    rows = scores.to_numpy(dtype="float32")
    found: Matrix = -forest.fit(rows).score_samples(rows)
    return found.round(DECIMALS)


def _neighbour_distances(rows: Matrix, asked: Flags, parameters: OutlierParameters) -> Matrix:
    """Distance of the rows asked for to the nearest core point, in units of eps; NaN for others.

    As DBSCAN on the sample: a core point has `min_samples` points (itself one of them) within eps,
    and who has no core point within eps is noise. min_samples is twice the features (Sander et al.
    1998); eps is Tukey's outer fence of the distances to the min_samples-th point: Q3 + 3 × IQR.
    """
    distances = np.full(len(rows), np.nan)
    min_samples = 2 * rows.shape[1]
    sample = _sample(rows, parameters)
    if min_samples == 0 or len(sample) <= min_samples or not asked.any():
        return distances
    reach = NearestNeighbors(n_neighbors=min_samples).fit(sample).kneighbors(sample)[0][:, -1]
    lower, upper = np.quantile(reach, [0.25, 0.75])
    eps = upper + 3 * (upper - lower)
    if eps <= 0:
        return distances
    core = NearestNeighbors(n_neighbors=1).fit(sample[reach.round(DECIMALS) <= eps])
    distances[asked] = core.kneighbors(rows[asked])[0][:, 0] / eps
    return distances.round(DECIMALS)


def _sample(rows: Matrix, parameters: OutlierParameters) -> Matrix:
    if len(rows) <= parameters.sample_rows:
        return rows
    chosen = np.random.default_rng(parameters.seed).choice(
        len(rows), parameters.sample_rows, replace=False
    )
    return rows[np.sort(chosen)]


def _most_isolated(judged: pd.DataFrame, max_share: float) -> pd.Series:
    """Those flagged by either judge, or the most isolated of them when they are too many."""
    flagged = judged[judged["is_isolated"] | judged["is_noise"]]
    most = int(max_share * len(judged)) or min(len(flagged), 1)
    ranked = flagged.sort_values(
        ["isolation_score", "neighbour_distance", "customer_id"], ascending=[False, False, True]
    )
    return judged.index.to_series().isin(ranked.index[:most])


def _told(
    numbers: pd.DataFrame, scores: pd.DataFrame, is_outlier: Flags, parameters: OutlierParameters
) -> pd.DataFrame:
    """Kind and reasons of the outliers, by their most extreme features; null for the others."""
    long = scores[is_outlier].rename_axis("row").reset_index()
    long = long.melt(id_vars="row", var_name="feature", value_name="z")
    long = long[long["z"].abs() >= parameters.extreme_z]
    long = long.assign(size=long["z"].abs()).sort_values(
        ["row", "size", "feature"], ascending=[True, False, True]
    )
    shown = long.groupby("row").head(parameters.reasons)
    reasons = _in_words(shown, numbers).groupby(shown["row"]).agg("; ".join)
    kinds = _kinds(long, numbers).reindex(reasons.index).fillna(OTHER_KIND)
    told = pd.DataFrame({"kind": kinds, "reasons": reasons}, dtype="object")
    return told.reindex(numbers.index)


def _kinds(long: pd.DataFrame, numbers: pd.DataFrame) -> pd.Series:
    """The kind that the most extreme feature of each row speaks for, by row; absent where none."""
    telling = long[long["feature"].isin(KINDS) & (long["z"] > 0)]
    kinds = pd.DataFrame([KINDS[name] for name in telling["feature"]], columns=["kind", "at_least"])
    is_enough = _values(telling, numbers) >= kinds["at_least"].to_numpy()
    rows = telling["row"].to_numpy()
    return pd.Series(kinds["kind"].to_numpy(), index=rows)[is_enough].groupby(level=0).first()


def _values(shown: pd.DataFrame, numbers: pd.DataFrame) -> Matrix:
    """The value of each row's feature."""
    columns = numbers.columns.get_indexer(pd.Index(shown["feature"]))
    found: Matrix = numbers.to_numpy()[shown["row"].to_numpy(), columns]
    return found


def _in_words(shown: pd.DataFrame, numbers: pd.DataFrame) -> pd.Series:
    """'basket size 240 against a median of 3 (z 12.1)', one a row of feature and z."""
    medians = numbers.median()
    told = zip(shown["feature"], _values(shown, numbers), shown["z"], strict=True)
    words = [
        f"{name.replace('_', ' ')} {_figure(value)} against a median of {_figure(medians[name])} "
        f"(z {z:.1f})"
        for name, value, z in told
    ]
    return pd.Series(words, index=shown.index, dtype="object")


def _figure(value: float) -> str:
    """Whole numbers from a hundred on, else three digits that matter.

    >>> _figure(40000.4), _figure(3.14159)
    ('40,000', '3.14')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
