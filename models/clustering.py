"""Segments: the best of several clusterings by evidence, the same for the same customers.

Reproducible: customers are sorted by id, everything random is seeded, and scikit-learn runs on one
thread, because its threaded sums add up in another order and change the last bits. (On a busy
machine its threads are also slower than one.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from models.clusterers import Clusterer, NearestCentre, fit_grains, refine
from models.density import GRAINS
from models.distances import DISTANCE_DECIMALS, Labels, Matrix, sample_positions
from models.evidence import choose, measure, reasoning
from models.preparation import (
    Preparation,
    PreparationParameters,
    Treatment,
    fit_preparation,
    numeric_features,
    prepare,
)
from models.search_parameters import SearchParameters
from models.stability import Candidate, segment_stability
from models.starts import prefer

__all__ = ["FittedSegments", "SearchParameters", "assign", "distances", "fit_segments"]

ID_COLUMN = "customer_id"
#: What the segments are to explain: `evidence.revenue_explained`.
REVENUE = "monetary"


@dataclass(frozen=True)
class FittedSegments:
    """A fitted clustering; who was in the frame of the fit is not in here.

    preparation: the fitted pipeline, the features used and those dropped with the reason.
    clusterer: what tells any prepared row's distance to each cluster.
    evidence: one row per candidate, see `models.evidence`.
    reasoning: why this candidate was chosen, a paragraph.
    segment_stability: mean bootstrap Jaccard of each cluster, indexed by its number; NaN for noise
        and where it was not measured.
    """

    preparation: Preparation
    clusterer: Clusterer
    evidence: pd.DataFrame
    reasoning: str
    parameters: SearchParameters
    segment_stability: pd.Series

    @property
    def k(self) -> int:
        """Number of clusters, noise among them."""
        return len(self.clusterer.centres)

    @property
    def silhouette(self) -> float:
        """Mean silhouette of the chosen candidate; NaN when there is one cluster."""
        return self._chosen("silhouette")

    @property
    def inertia(self) -> float:
        """Sum of squared distances of the customers measured to their centres."""
        return self._chosen("inertia")

    @property
    def stability(self) -> float:
        """Mean over the segments of the bootstrap Jaccard; NaN where it was not measured."""
        return self._chosen("stability")

    def _chosen(self, column: str) -> float:
        return float(self.evidence.loc[self.evidence["is_chosen"], column].iloc[0])


def fit_segments(
    frame: pd.DataFrame,
    preparation: PreparationParameters | Mapping[str, Treatment] | None = None,
    parameters: SearchParameters | None = None,
    near: pd.Series | None = None,
) -> FittedSegments:
    """Cluster customers: one row each, with customer_id and every feature that is to be used.

    `preparation` may be the treatments alone, a feature each. near: customer_id -> group of a
    former fit; k-means with as many clusters starts there, too, and what it finds from there counts
    unless another start is clearly better.

    With fewer different customers than k_range asks for, the range shrinks; with a single customer,
    or all equal, there is one cluster.
    Raises ValueError for no customers, missing or repeated ids, and as `fit_preparation` does.
    """
    parameters = parameters or SearchParameters()
    ordered = _by_customer(frame)
    if ordered.empty:
        raise ValueError("no customers to segment")
    with threadpool_limits(limits=1):
        fitted = fit_preparation(ordered, preparation)
        rows = prepare(fitted, ordered)
        seen = sample_positions(len(rows), parameters.search_rows, parameters.seed)
        former = (
            None
            if near is None or not rows.shape[1]
            else _former(rows[seen], ordered.iloc[seen], near)
        )
        found = _search(rows[seen], _revenue(ordered.iloc[seen]), parameters, former)
        clusterer = refine(found.clusterer, rows, parameters)
    return FittedSegments(
        preparation=fitted,
        clusterer=clusterer,
        evidence=found.evidence,
        reasoning=reasoning(found.evidence, len(seen), parameters),
        parameters=parameters,
        segment_stability=pd.Series(found.stability.round(DISTANCE_DECIMALS)),
    )


def distances(fitted: FittedSegments, frame: pd.DataFrame) -> pd.DataFrame:
    """Distance of each customer, known or new, to each cluster, in prepared units.

    Index customer_id, sorted; columns 0..k-1. A customer belongs to the nearest.
    Raises ValueError as `prepare` does, for example when a feature is missing.
    """
    ordered = _by_customer(frame)
    found = fitted.clusterer.distances(prepare(fitted.preparation, ordered))
    return pd.DataFrame(found, index=pd.Index(ordered[ID_COLUMN]))


def assign(fitted: FittedSegments, frame: pd.DataFrame) -> pd.DataFrame:
    """Assign customers, known or new, to the fitted clusters; sorted by customer_id.

    Columns: customer_id; cluster (0..k-1, a number without meaning); distance to the own cluster
    in prepared units; confidence, the margin (d2 - d1) / d2 between the nearest and second nearest
    cluster: 0 on the border of two, 1 on the own centre or when there is one cluster only;
    second_cluster, the second nearest, missing (Int64) when there is one only.
    """
    found = distances(fitted, frame)
    values = found.to_numpy()
    nearest, second, own, next_best = _two_nearest(values)
    confidence = np.ones(len(values))
    np.divide(next_best - own, next_best, out=confidence, where=next_best > 0)
    alone = values.shape[1] == 1
    return pd.DataFrame(
        {
            ID_COLUMN: found.index.to_numpy(),
            "cluster": nearest.astype("int64"),
            "distance": own,
            "confidence": confidence.round(DISTANCE_DECIMALS),
            "second_cluster": pd.array([pd.NA] * len(values) if alone else second, dtype="Int64"),
        }
    )


def _by_customer(frame: pd.DataFrame) -> pd.DataFrame:
    if ID_COLUMN not in frame.columns:
        raise ValueError(f"the frame has no column {ID_COLUMN}")
    ids = frame[ID_COLUMN]
    if ids.isna().any():
        raise ValueError(f"{int(ids.isna().sum())} rows without {ID_COLUMN}")
    if ids.duplicated().any():
        raise ValueError(f"{ID_COLUMN} repeats, for example {ids[ids.duplicated()].iloc[0]!r}")
    return frame.sort_values(ID_COLUMN, kind="stable", ignore_index=True)


def _revenue(frame: pd.DataFrame) -> Matrix | None:
    if REVENUE not in frame.columns:
        return None
    spend: Matrix = numeric_features(frame, [REVENUE])[REVENUE].to_numpy()
    return spend


class _Found(NamedTuple):
    clusterer: Clusterer
    stability: Matrix
    evidence: pd.DataFrame


def _former(rows: Matrix, frame: pd.DataFrame, near: pd.Series) -> Matrix:
    """The mean of each group of a former fit."""
    groups = near.reindex(frame[ID_COLUMN]).to_numpy()
    centres: Matrix = pd.DataFrame(rows).groupby(groups).mean().to_numpy()
    return centres


def _search(
    rows: Matrix,
    revenue: Matrix | None,
    parameters: SearchParameters,
    former: Matrix | None = None,
) -> _Found:
    """Fit all candidates to the rows, measure them, and choose."""
    once = np.ones(len(rows), dtype=np.intp)
    candidates = [
        Candidate(prefer(former, fit, rows, once, revenue, parameters), grain)
        for fit, grain in _candidates(rows, parameters)
    ]
    stabilities = segment_stability(rows, candidates, parameters, former, revenue)
    clusterers = [candidate.clusterer for candidate in candidates]
    evidence = choose(measure(rows, clusterers, stabilities, revenue, parameters), parameters)
    chosen = int(evidence["is_chosen"].to_numpy().argmax())
    return _Found(clusterers[chosen], stabilities[chosen], evidence)


def _candidates(rows: Matrix, parameters: SearchParameters) -> list[Candidate]:
    """Fit every algorithm with every k the rows allow; of density algorithms one fit a k found."""
    distinct = len(np.unique(rows, axis=0)) if rows.shape[1] else 1
    greatest = min(parameters.k_range[1], distinct, len(rows) - 1)
    once = np.ones(len(rows), dtype=np.intp)
    found = []
    for algorithm in parameters.algorithms if greatest >= 2 else ():
        least = min(parameters.k_range[0], greatest)
        grains = GRAINS.get(algorithm, tuple(range(least, greatest + 1)))
        fits = fit_grains(algorithm, rows, once, grains, parameters)
        told = {len(f.centres): Candidate(f, g) for f, g in zip(fits, grains, strict=True) if f}
        found += [told[k] for k in sorted(told)]
    return found or [Candidate(NearestCentre(rows.mean(axis=0, keepdims=True)), 1)]


def _two_nearest(values: Matrix) -> tuple[Labels, Labels, Matrix, Matrix]:
    """Nearest and second nearest column of each row, and the distances; of equals the first."""
    row = np.arange(len(values))
    nearest = values.argmin(axis=1)
    own = values[row, nearest]
    if values.shape[1] == 1:
        return nearest, nearest, own, np.zeros(len(values))
    rest = values.copy()
    rest[row, nearest] = np.inf
    second = rest.argmin(axis=1)
    return nearest, second, own, rest[row, second]
