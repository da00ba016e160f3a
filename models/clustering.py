"""K-means segments: the number of clusters by silhouette, the same result for the same customers.

Reproducible: customers are sorted by id, everything random is seeded, and scikit-learn runs on one
thread, because its threaded sums add up in another order and change the last bits. (On a busy
machine its threads are also slower than one.) Distances come from scipy's direct differences, so a
customer's own result never depends on who else is in the frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from models.preparation import (
    DEFAULT_TREATMENTS,
    DEFAULT_WINSOR_QUANTILES,
    Matrix,
    Preparation,
    Treatment,
    fit_preparation,
    prepare,
)
from models.silhouette import mean_silhouettes

Labels = NDArray[np.intp]

#: Distances are rounded before they are compared, so that a tie in the last bit stays a tie.
DISTANCE_DECIMALS = 9
ID_COLUMN = "customer_id"


@dataclass(frozen=True)
class SearchParameters:
    """What steers the search. Everything here is part of the fit's fingerprint.

    k_range: least and greatest number of clusters, both included.
    min_share: a k whose smallest cluster holds less than this share of customers is not eligible.
    tolerance: among eligible k, take the greatest whose silhouette is within this of the best
        (0: simply the best). Segments that are too fine can be merged, too coarse ones not split.
    n_init: starts of k-means on the search sample; the best start is refined on all customers.
    search_rows, silhouette_rows: above this many customers a seeded sample is used.
    """

    k_range: tuple[int, int] = (2, 10)
    min_share: float = 0.01
    tolerance: float = 0.0
    seed: int = 42
    n_init: int = 10
    search_rows: int = 20_000
    silhouette_rows: int = 10_000
    winsor_quantiles: tuple[float, float] = DEFAULT_WINSOR_QUANTILES

    def __post_init__(self) -> None:
        """Refuse ranges that mean nothing."""
        if not 2 <= self.k_range[0] <= self.k_range[1]:
            raise ValueError(f"k_range must rise from 2 or more, not {self.k_range}")
        if not 0 <= self.min_share < 1:
            raise ValueError(f"min_share must be within 0 and 1, not {self.min_share}")
        if self.tolerance < 0:
            raise ValueError(f"tolerance must not be negative, not {self.tolerance}")


@dataclass(frozen=True)
class FittedSegments:
    """A fitted clustering.

    preparation: the fitted pipeline, the features used and those dropped with the reason.
    centres: k x used features, in the prepared (standardised) space; all a k-means has learnt.
    assignments: one row per customer, see `assign`.
    selection: one row per k: k, silhouette, inertia (the elbow), smallest_share, is_chosen, reason.
    silhouette: of the chosen k, over `silhouette_rows` customers; NaN when there is one cluster.
    inertia: sum of squared distances of all customers to their own centre.
    """

    preparation: Preparation
    centres: Matrix
    assignments: pd.DataFrame
    selection: pd.DataFrame
    k: int
    silhouette: float
    silhouette_rows: int
    inertia: float
    parameters: SearchParameters


def fit_segments(
    frame: pd.DataFrame,
    treatments: Mapping[str, Treatment] = DEFAULT_TREATMENTS,
    parameters: SearchParameters | None = None,
) -> FittedSegments:
    """Cluster customers: one row each, with customer_id and every feature named in `treatments`.

    With fewer different customers than k_range asks for, the range shrinks; with a single customer,
    or all equal, there is one cluster.
    Raises ValueError for no customers, missing or repeated ids, and as `fit_preparation` does.
    """
    parameters = parameters or SearchParameters()
    ordered = _by_customer(frame)
    if ordered.empty:
        raise ValueError("no customers to segment")
    with threadpool_limits(limits=1):
        preparation = fit_preparation(ordered, treatments, parameters.winsor_quantiles)
        rows = prepare(preparation, ordered)
        candidates = _search(rows, parameters)
        selection, silhouette_rows = _measure(rows, candidates, parameters)
    chosen = selection.loc[selection["is_chosen"]].iloc[0]
    centres = candidates[int(chosen["k"])]
    return FittedSegments(
        preparation=preparation,
        centres=centres,
        assignments=_assignments(ordered, rows, centres),
        selection=selection,
        k=len(centres),
        silhouette=float(chosen["silhouette"]),
        silhouette_rows=silhouette_rows,
        inertia=float(chosen["inertia"]),
        parameters=parameters,
    )


def assign(fitted: FittedSegments, frame: pd.DataFrame) -> pd.DataFrame:
    """Assign customers, known or new, to the fitted clusters; sorted by customer_id.

    Columns: customer_id; cluster (0..k-1, a number without meaning); distance to the own centre in
    prepared units; confidence, the margin (d2 - d1) / d2 between the nearest and second nearest
    centre: 0 on the border of two clusters, 1 on the own centre or when there is one cluster only.
    On the frame of the fit the result equals `fitted.assignments`.
    """
    ordered = _by_customer(frame)
    return _assignments(ordered, prepare(fitted.preparation, ordered), fitted.centres)


def _by_customer(frame: pd.DataFrame) -> pd.DataFrame:
    if ID_COLUMN not in frame.columns:
        raise ValueError(f"the frame has no column {ID_COLUMN}")
    ids = frame[ID_COLUMN]
    if ids.isna().any():
        raise ValueError(f"{int(ids.isna().sum())} rows without {ID_COLUMN}")
    if ids.duplicated().any():
        raise ValueError(f"{ID_COLUMN} repeats, for example {ids[ids.duplicated()].iloc[0]!r}")
    return frame.sort_values(ID_COLUMN, kind="stable", ignore_index=True)


def _search(rows: Matrix, parameters: SearchParameters) -> dict[int, Matrix]:
    """Fit centres for every k the rows allow: many starts on a sample, refined on all rows."""
    sample = rows[_sample(len(rows), parameters.search_rows, parameters.seed)]
    distinct = len(pd.DataFrame(sample).drop_duplicates()) if sample.shape[1] else 1
    greatest = min(parameters.k_range[1], distinct, len(rows) - 1)
    if greatest < 2:
        return {1: rows.mean(axis=0, keepdims=True)}
    least = min(parameters.k_range[0], greatest)
    return {k: _fit_centres(rows, sample, k, parameters) for k in range(least, greatest + 1)}


def _fit_centres(rows: Matrix, sample: Matrix, k: int, parameters: SearchParameters) -> Matrix:
    search = KMeans(k, n_init=parameters.n_init, random_state=parameters.seed).fit(sample)
    if len(sample) == len(rows):
        return np.asarray(search.cluster_centers_)
    refined = KMeans(k, init=search.cluster_centers_, n_init=1, random_state=parameters.seed)
    return np.asarray(refined.fit(rows).cluster_centers_)


def _measure(
    rows: Matrix, candidates: Mapping[int, Matrix], parameters: SearchParameters
) -> tuple[pd.DataFrame, int]:
    """Judge every candidate: the selection frame, and how many rows the silhouette has seen."""
    seen = _sample(len(rows), parameters.silhouette_rows, parameters.seed)
    nearest = {k: _nearest(rows, centres) for k, centres in candidates.items()}
    measured = pd.DataFrame(
        {
            "k": list(candidates),
            "silhouette": mean_silhouettes(rows[seen], [n[0][seen] for n in nearest.values()]),
            "inertia": [float(np.square(n[1]).sum()) for n in nearest.values()],
            "smallest_share": [
                np.bincount(n[0], minlength=k).min() / len(rows) for k, n in nearest.items()
            ],
        }
    ).round(DISTANCE_DECIMALS)
    return choose_k(measured, parameters.min_share, parameters.tolerance), len(seen)


def choose_k(measured: pd.DataFrame, min_share: float, tolerance: float = 0.0) -> pd.DataFrame:
    """Add is_chosen and reason to one row per k (k, silhouette, inertia, smallest_share).

    Of the k whose smallest cluster holds at least `min_share` of the customers, the greatest whose
    silhouette is within `tolerance` of the best one. If no k is eligible, the one with the greatest
    smallest cluster is taken, and its reason says so.
    """
    if len(measured) == 1 and measured["k"].iloc[0] == 1:
        return measured.assign(is_chosen=True, reason="too few different customers: one segment")
    eligible = measured["silhouette"].notna() & (measured["smallest_share"] >= min_share)
    if eligible.any():
        best = measured.loc[eligible, "silhouette"].max()
        near = eligible & (measured["silhouette"] >= best - tolerance)
        chosen = measured.loc[near, "k"].idxmax()
        won = f"greatest k within {tolerance} of the best silhouette {best:.3f}"
        reason = won if tolerance else "best silhouette"
    else:
        chosen = measured.sort_values(["smallest_share", "k"], ascending=[False, True]).index[0]
        reason = f"no k keeps every segment above {min_share:.1%}: the least small one taken"
    small = f"smallest segment below {min_share:.1%}"
    reasons = pd.Series(np.where(eligible, "eligible", small), measured.index, dtype="object")
    reasons[chosen] = reason
    return measured.assign(is_chosen=measured.index == chosen, reason=reasons)


def _sample(total: int, size: int, seed: int) -> Labels:
    """Positions of all rows, or of a seeded sample of them, in rising order."""
    if total <= size:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).choice(total, size, replace=False))


def _nearest(rows: Matrix, centres: Matrix) -> tuple[Labels, Matrix, Matrix]:
    """Nearest centre of each row, the distance to it, and to the second nearest (inf if none)."""
    distances = cdist(rows, centres) if rows.shape[1] else np.zeros((len(rows), 1))
    distances = distances.round(DISTANCE_DECIMALS)
    labels = distances.argmin(axis=1)
    if len(centres) == 1:
        return labels, distances[:, 0], np.full(len(rows), np.inf)
    two = np.partition(distances, 1, axis=1)
    return labels, two[:, 0], two[:, 1]


def _assignments(ordered: pd.DataFrame, rows: Matrix, centres: Matrix) -> pd.DataFrame:
    labels, own, second = _nearest(rows, centres)
    confidence = np.ones(len(rows))
    np.divide(second - own, second, out=confidence, where=np.isfinite(second) & (second > 0))
    return pd.DataFrame(
        {
            ID_COLUMN: ordered[ID_COLUMN],
            "cluster": labels.astype("int64"),
            "distance": own,
            "confidence": confidence.round(DISTANCE_DECIMALS),
        }
    )
