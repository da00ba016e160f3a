"""Distances of rows to points, each row by itself: who else is asked for never changes a bit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Matrix = NDArray[np.float64]
Labels = NDArray[np.intp]

#: Distances are rounded before they are compared, so that a tie in the last bit stays a tie.
DISTANCE_DECIMALS = 9
_CHUNK_VALUES = 16_000_000


def euclidean(rows: Matrix, points: Matrix) -> Matrix:
    """Euclidean distance of each row to each point, n x points, rounded."""
    if not rows.shape[1]:  # all customers are equal
        return np.zeros((len(rows), len(points)))
    found: Matrix = cdist(rows, points).round(DISTANCE_DECIMALS)
    return found


def nearest_of_groups(rows: Matrix, points: Matrix, groups: Labels) -> Matrix:
    """Distance of each row to the nearest point of each group 0..k-1, n x k, rounded.

    Every group has a point. In chunks of rows, so that memory is bounded.
    """
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(groups.max() + 1))
    found = np.empty((len(rows), len(starts)))
    for part in _chunks(len(rows), _CHUNK_VALUES // len(points)):
        found[part] = np.minimum.reduceat(cdist(rows[part], points[order]), starts, axis=1)
    return found.round(DISTANCE_DECIMALS)


def group_means(rows: Matrix, labels: Labels, otherwise: Matrix) -> Matrix:
    """Mean of the rows of each group; of a group without rows its row of `otherwise`."""
    k = len(otherwise)
    sizes = np.bincount(labels, minlength=k)
    sums = np.column_stack([np.bincount(labels, column, minlength=k) for column in rows.T])
    means: Matrix = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], otherwise)
    return means


def sample_positions(total: int, size: int, seed: int) -> Labels:
    """Positions of all rows, or of a seeded sample of them, in rising order."""
    if total <= size:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).choice(total, size, replace=False))


def _chunks(total: int, size: int) -> Iterator[slice]:
    for start in range(0, total, max(size, 1)):
        yield slice(start, start + max(size, 1))
