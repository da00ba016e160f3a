"""Segments as dense regions; who is in none is noise.

DBSCAN (Ester, Kriegel, Sander & Xu 1996) has one radius for all, HDBSCAN (Campello, Moulavi &
Sander 2013) finds regions of different density. Both are fitted to a bounded sample, and every
customer is then compared with the members of the sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.neighbors import NearestNeighbors

from models.distances import Labels, Matrix, group_means, nearest_of_groups, sample_positions
from models.search_parameters import SearchParameters

#: How coarse the regions may be. DBSCAN: the share of customers whose neighbourhood is dense.
#: HDBSCAN: the least share of the customers in a region.
GRAINS = {"dbscan": (0.5, 0.7, 0.9), "hdbscan": (0.01, 0.02, 0.05)}
LEAST_MEMBERS = 5


@dataclass(frozen=True)
class DenseSegments:
    """Dense regions and, last, noise.

    The distance is that to the region's nearest core member, times `reach` / the region's radius;
    that to noise is `reach`: who is farther than a region's radius from its core members is not in
    it. points: core members x features; groups: the region of each; radii: of each region.
    """

    centres: Matrix
    points: Matrix
    groups: Labels
    radii: Matrix
    reach: float
    algorithm: str
    has_noise: bool = True

    def distances(self, rows: Matrix) -> Matrix:
        """Distance of each row to each region, and to noise, n x (regions + 1)."""
        found = nearest_of_groups(rows, self.points, self.groups) * (self.reach / self.radii)
        return np.column_stack([found, np.full(len(rows), self.reach)])


def fit_dense(
    algorithm: str, rows: Matrix, grains: Sequence[float], parameters: SearchParameters
) -> list[DenseSegments | None]:
    """Fit for every grain, see GRAINS; None where fewer than two regions are found."""
    seen = rows[sample_positions(len(rows), parameters.density_rows, parameters.seed)]
    neighbours = min(2 * seen.shape[1], len(seen))
    reaches = NearestNeighbors(n_neighbors=neighbours).fit(seen).kneighbors(seen)[0][:, -1]
    if algorithm == "dbscan":
        return [_dbscan(seen, grain, reaches, neighbours) for grain in grains]
    return [_hdbscan(seen, grain) for grain in grains]


def _dbscan(rows: Matrix, grain: float, reaches: Matrix, neighbours: int) -> DenseSegments | None:
    """`neighbours` is twice the features, as Sander et al. (1998) advise."""
    eps = float(np.quantile(reaches, grain))
    if eps <= 0:
        return None
    found = DBSCAN(eps=eps, min_samples=neighbours).fit(rows)
    core = np.zeros(len(rows), dtype=bool)
    core[found.core_sample_indices_] = True
    return _told("dbscan", rows, found.labels_, core, eps)


def _hdbscan(rows: Matrix, grain: float) -> DenseSegments | None:
    size = max(int(np.ceil(grain * len(rows))), LEAST_MEMBERS)
    if len(rows) < 2 * size:
        return None
    found = HDBSCAN(min_cluster_size=size, min_samples=LEAST_MEMBERS, copy=True).fit(rows)
    return _told("hdbscan", rows, found.labels_, found.labels_ >= 0, None)


def _told(
    algorithm: str, rows: Matrix, labels: Labels, core: np.ndarray, eps: float | None
) -> DenseSegments | None:
    regions = int(labels.max()) + 1
    if regions < 2:
        return None
    points, groups = rows[core], labels[core].astype(np.intp)
    radii = np.full(regions, eps) if eps else _radii(points, groups)
    if not (radii > 0).all():
        return None
    reach = float(np.median(radii))
    fitted = DenseSegments(np.empty((0, 0)), points, groups, radii, reach, algorithm)
    nearest = fitted.distances(rows).argmin(axis=1)
    otherwise = np.vstack([group_means(points, groups, points[:regions]), rows.mean(axis=0)])
    centres = group_means(rows, nearest, otherwise)
    return DenseSegments(centres, points, groups, radii, reach, algorithm)


def _radii(points: Matrix, groups: Labels) -> Matrix:
    """Of each region: how far nine in ten members are from their nearest fellow members."""
    radii = []
    for group in range(groups.max() + 1):
        members = points[groups == group]
        near = NearestNeighbors(n_neighbors=min(LEAST_MEMBERS, len(members))).fit(members)
        radii.append(np.quantile(near.kneighbors(members)[0][:, -1], 0.9))
    return np.array(radii)
