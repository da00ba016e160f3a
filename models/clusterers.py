"""Clusterers: one small protocol, whatever the algorithm.

A fitted clusterer is a plain frozen dataclass of arrays. It can be saved, and it tells for any rows
how far they are from each of its clusters; a row belongs to the nearest. Distances are direct
differences, so a customer's own result never depends on who else is in the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from models.preparation import Matrix
from models.search_parameters import SearchParameters

Labels = NDArray[np.intp]

#: Distances are rounded before they are compared, so that a tie in the last bit stays a tie.
DISTANCE_DECIMALS = 9


class Clusterer(Protocol):
    """What every fitted clusterer tells.

    algorithm: "kmeans".
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
        if not rows.shape[1]:  # all customers are equal
            return np.zeros((len(rows), len(self.centres)))
        found: Matrix = cdist(rows, self.centres).round(DISTANCE_DECIMALS)
        return found


def fit_clusterer(
    algorithm: str, rows: Matrix, k: int | None, parameters: SearchParameters
) -> Clusterer:
    """Fit `algorithm` with `k` clusters to prepared rows.

    Above `parameters.search_rows` rows: many starts on a seeded sample, the best one refined on all
    rows. Raises ValueError for an unknown algorithm, and for a `k` that the algorithm cannot take.
    """
    if algorithm != "kmeans":
        raise ValueError(f"unknown algorithm: {algorithm}; use kmeans")
    if k is None:
        raise ValueError("kmeans needs a number of clusters")
    sample = rows[sample_positions(len(rows), parameters.search_rows, parameters.seed)]
    found = KMeans(k, n_init=parameters.n_init, random_state=parameters.seed).fit(sample)
    if len(sample) == len(rows):
        return NearestCentre(np.asarray(found.cluster_centers_))
    refined = KMeans(k, init=found.cluster_centers_, n_init=1, random_state=parameters.seed)
    return NearestCentre(np.asarray(refined.fit(rows).cluster_centers_))


def sample_positions(total: int, size: int, seed: int) -> Labels:
    """Positions of all rows, or of a seeded sample of them, in rising order."""
    if total <= size:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).choice(total, size, replace=False))
