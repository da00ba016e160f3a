"""Mean silhouette of several labellings of the same rows, in one pass over their distances.

scikit-learn computes the distances anew for every labelling; a search over nine values of k would
spend nine times the work. The value is the same (a test compares the two).
Source: Rousseeuw (1987), "Silhouettes: a graphical aid to the interpretation and validation of
cluster analysis", J. Comput. Appl. Math. 20.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances_chunked

Matrix = NDArray[np.float64]
Labels = NDArray[np.intp]

_CHUNK_MEGABYTES = 64


class Silhouette(NamedTuple):
    """Mean silhouette (-1..1, 1 best) of a labelling, and the standard error of that mean."""

    mean: float
    error: float


def mean_silhouettes(rows: Matrix, labellings: Sequence[Labels]) -> list[Silhouette]:
    """Return the mean silhouette of each labelling of the rows.

    A labelling with a single cluster among these rows has no silhouette: NaN. A row alone in its
    cluster counts as 0, as in the source, and so does one of cluster -1, which is noise.
    Memory: chunks of distances, never the whole square.
    """
    if not labellings or not rows.shape[1]:
        return [Silhouette(float("nan"), float("nan"))] * len(labellings)
    memberships = [_one_hot(labels) for labels in labellings]
    borders = np.cumsum([0, *(membership.shape[1] for membership in memberships)])
    stacked = np.hstack(memberships)
    totals = np.zeros((len(labellings), 2))
    for start, sums in _distance_sums(rows, stacked):
        for i, membership in enumerate(memberships):
            to_clusters = sums[:, borders[i] : borders[i + 1]]
            own = labellings[i][start : start + len(sums)]
            scores = _row_silhouettes(to_clusters, own, membership.sum(axis=0))
            totals[i] += scores.sum(), np.square(scores).sum()
    return [_summed(total, squares, len(rows)) for total, squares in totals]


def _summed(total: float, squares: float, count: int) -> Silhouette:
    mean = total / count
    variance = max(squares / count - mean**2, 0.0) if count > 1 else float("nan")
    return Silhouette(float(mean), float(np.sqrt(variance / max(count - 1, 1))))


def _one_hot(labels: Labels) -> Matrix:
    membership: Matrix = (labels[:, None] == np.arange(labels.max() + 1)).astype("float64")
    return membership


def _distance_sums(rows: Matrix, membership: Matrix) -> Iterator[tuple[int, Matrix]]:
    """Yield (first row, sum of distances from each row of the chunk to each cluster)."""
    start = 0
    chunks = pairwise_distances_chunked(
        rows,
        reduce_func=lambda distances, _: distances @ membership,
        metric="euclidean",
        working_memory=_CHUNK_MEGABYTES,
    )
    for sums in chunks:
        yield start, sums
        start += len(sums)


def _row_silhouettes(sums: Matrix, own: Labels, sizes: Matrix) -> Matrix:
    """Silhouette of each row from its summed distances to every cluster (rows x clusters)."""
    if np.count_nonzero(sizes) < 2:
        return np.full(len(sums), np.nan)
    index = np.arange(len(sums))
    with np.errstate(divide="ignore", invalid="ignore"):
        within = sums[index, own] / (sizes[own] - 1)
        means = np.where(sizes > 0, sums / sizes, np.inf)
        means[index, own] = np.inf
        nearest = means.min(axis=1)
        scores: Matrix = (nearest - within) / np.maximum(within, nearest)
    alone = (sizes[own] == 1) | (own < 0)
    return np.where(alone, 0.0, np.nan_to_num(scores, nan=0.0))
