"""Clusterers: one small protocol, whatever the algorithm.

A fitted clusterer is a plain frozen dataclass of arrays. It can be saved, and it tells for any rows
how far they are from each of its clusters; a row belongs to the nearest. Distances are direct
differences, so a customer's own result never depends on who else is in the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from threadpoolctl import threadpool_limits

from models.density import GRAINS, fit_dense
from models.distances import Labels, Matrix, euclidean, sample_positions
from models.hierarchy import fit_ward
from models.mixtures import MixtureSegments, fit_mixtures, refine_mixture
from models.search_parameters import ALGORITHMS, SearchParameters

__all__ = ["Clusterer", "Labels", "Matrix", "NearestCentre", "sample_positions"]


class Clusterer(Protocol):
    """What every fitted clusterer tells.

    algorithm: one of `ALGORITHMS`.
    centres: k x features in prepared units, the mean of each cluster's members.
    has_noise: the last cluster is of those who are in no dense region.
    """

    @property
    def algorithm(self) -> str:
        """Name of the algorithm."""
        ...

    @property
    def centres(self) -> Matrix:
        """The mean of each cluster's members, k x features."""
        ...

    @property
    def has_noise(self) -> bool:
        """Whether the last cluster is noise."""
        ...

    def distances(self, rows: Matrix) -> Matrix:
        """n x k, zero or more, rounded; a row belongs to the cluster of its least distance."""
        ...


@dataclass(frozen=True)
class NearestCentre:
    """K-means: the distance is the Euclidean one to the centre (Lloyd 1982)."""

    centres: Matrix
    algorithm: str = "kmeans"
    has_noise: bool = False

    def distances(self, rows: Matrix) -> Matrix:
        """Euclidean distance of each row to each centre, n x k, rounded."""
        return euclidean(rows, self.centres)


def fit_clusterer(
    algorithm: str, rows: Matrix, k: int | None, parameters: SearchParameters
) -> Clusterer:
    """Fit `algorithm` with `k` clusters to prepared rows; density algorithms find their own k,
    by the coarsest grain that finds any.

    Above `parameters.search_rows` rows it is fitted to a seeded sample and refined on all rows.
    Raises ValueError for an unknown algorithm, for a `k` that it cannot take, and where a density
    algorithm finds fewer than two dense regions.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"unknown algorithm: {algorithm}; use one of {', '.join(ALGORITHMS)}")
    if (k is None) != (algorithm in GRAINS):
        raise ValueError(f"{algorithm} {'needs' if k is None else 'finds'} its number of clusters")
    sample = rows[sample_positions(len(rows), parameters.search_rows, parameters.seed)]
    grains = GRAINS[algorithm] if k is None else (k,)
    fits = fit_grains(algorithm, sample, np.ones(len(sample), dtype=np.intp), grains, parameters)
    found = [fit for fit in fits if fit is not None]
    if not found:
        raise ValueError(f"{algorithm} finds fewer than two dense regions")
    return refine(found[-1], rows, parameters)


def fit_grains(
    algorithm: str,
    rows: Matrix,
    counts: Labels,
    grains: Sequence[float],
    parameters: SearchParameters,
) -> list[Clusterer | None]:
    """Fit to different rows that occur `counts` times each, once for every grain.

    A grain is a number of clusters, at most that of the rows; of DBSCAN and HDBSCAN see `GRAINS`,
    and they pay no heed to the counts: a repeated row would look like a dense region.
    """
    ks = [int(grain) for grain in grains]
    with threadpool_limits(limits=1):
        if algorithm == "gaussian_mixture":
            return list(fit_mixtures(rows, counts, ks, parameters))
        if algorithm == "ward":
            return list(fit_ward(rows, counts, ks, parameters))
        if algorithm in GRAINS:
            return list(fit_dense(algorithm, rows, grains, parameters))
        return [_kmeans(rows, counts, k, parameters) for k in ks]


def refine(fitted: Clusterer, rows: Matrix, parameters: SearchParameters) -> Clusterer:
    """Fit again on all rows from where it is, where that is more than it has seen.

    The clusters keep their numbers. Ward's hierarchy and dense regions stay as they are.
    """
    if len(rows) <= parameters.search_rows:
        return fitted
    with threadpool_limits(limits=1):
        if isinstance(fitted, MixtureSegments):
            return refine_mixture(fitted, rows, parameters)
        if isinstance(fitted, NearestCentre):
            return _refine_kmeans(fitted, rows, parameters)
    return fitted


def _refine_kmeans(
    fitted: NearestCentre, rows: Matrix, parameters: SearchParameters
) -> NearestCentre:
    told = {"init": fitted.centres, "n_init": 1, "random_state": parameters.seed}
    if len(rows) <= parameters.mini_batch_above:
        found = KMeans(len(fitted.centres), **told).fit(rows)
    else:
        found = MiniBatchKMeans(
            len(fitted.centres), **told, batch_size=16_384, reassignment_ratio=0.0
        ).fit(rows)
    return NearestCentre(np.asarray(found.cluster_centers_))


def _kmeans(rows: Matrix, counts: Labels, k: int, parameters: SearchParameters) -> NearestCentre:
    """The best of `n_init` starts."""
    found = KMeans(k, n_init=parameters.n_init, random_state=parameters.seed)
    return NearestCentre(np.asarray(found.fit(rows, sample_weight=counts).cluster_centers_))
