"""Ward's hierarchy, on k-means micro-clusters where there are many customers.

Sources: Ward (1963), "Hierarchical grouping to optimize an objective function"; the two stages are
those of BIRCH (Zhang, Ramakrishnan & Livny 1996). Micro-clusters merge with their sizes, which
neither scipy's nor scikit-learn's Ward takes, by the recurrence of Lance & Williams (1967).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import cut_tree
from scipy.spatial.distance import cdist
from sklearn.cluster import MiniBatchKMeans

from models.distances import Labels, Matrix, group_means, nearest_of_groups
from models.search_parameters import SearchParameters


@dataclass(frozen=True)
class WardSegments:
    """A cut through the tree: the distance is that to the cluster's nearest micro-cluster.

    points: micro-clusters x features; groups: the cluster of each; linkage: the whole tree as
    scipy's dendrogram reads it, heights in prepared units.
    """

    centres: Matrix
    points: Matrix
    groups: Labels
    linkage: Matrix
    algorithm: str = "ward"
    has_noise: bool = False

    def distances(self, rows: Matrix) -> Matrix:
        """Distance of each row to the nearest micro-cluster of each cluster, n x k."""
        return nearest_of_groups(rows, self.points, self.groups)


def fit_ward(
    rows: Matrix, counts: Labels, ks: Sequence[int], parameters: SearchParameters
) -> list[WardSegments]:
    """Build one tree on rows that occur `counts` times, and cut it for every k of `ks`."""
    points, sizes = _micro_clusters(rows, counts, parameters)
    linkage = ward_linkage(points, sizes)
    fits = []
    for k in ks:
        groups = cut_tree(linkage, n_clusters=[k])[:, 0].astype(np.intp)
        labels = nearest_of_groups(rows, points, groups).argmin(axis=1)
        weights = np.repeat(labels, counts)
        centres = group_means(np.repeat(rows, counts, axis=0), weights, points[:k])
        fits.append(WardSegments(centres, points, groups, linkage))
    return fits


def _micro_clusters(
    rows: Matrix, counts: Labels, parameters: SearchParameters
) -> tuple[Matrix, Matrix]:
    """Points and how many rows each stands for: the different rows, or fewer of k-means."""
    different, which = np.unique(rows, axis=0, return_inverse=True)
    sizes = np.bincount(which.ravel(), weights=counts).astype("float64")
    if len(different) <= parameters.micro_clusters:
        return different, sizes
    found = MiniBatchKMeans(
        parameters.micro_clusters,
        random_state=parameters.seed,
        n_init=1,
        batch_size=4096,
        reassignment_ratio=0.0,
    ).fit(different, sample_weight=sizes)
    labels = np.asarray(found.labels_, dtype=np.intp)
    most = parameters.micro_clusters
    members = np.bincount(labels, weights=sizes, minlength=most).astype("float64")
    kept = members > 0
    return np.asarray(found.cluster_centers_)[kept], members[kept]


def ward_linkage(points: Matrix, sizes: Matrix) -> Matrix:
    """Merge points that stand for `sizes` rows each; scipy's linkage, (n - 1) x 4.

    A height is sqrt(2ab / (a + b)) x the distance of two clusters' means, a and b their sizes: of
    sizes 1 it is scipy's. Of equal heights the first pair merges.
    """
    count = len(points)
    sizes = sizes.astype("float64").copy()
    squared = cdist(points, points, "sqeuclidean")
    squared *= 2 * np.outer(sizes, sizes) / np.add.outer(sizes, sizes)
    np.fill_diagonal(squared, np.inf)
    names = np.arange(count)
    linkage = np.empty((count - 1, 4))
    for step in range(count - 1):
        i, j = sorted(divmod(int(squared.argmin()), count))
        pair = sorted((names[i], names[j]))
        height = squared[i, j]
        linkage[step] = *pair, np.sqrt(height), 0.0
        merged = (sizes + sizes[i]) * squared[i] + (sizes + sizes[j]) * squared[j] - sizes * height
        with np.errstate(invalid="ignore"):  # infinity stays where a cluster is gone
            merged /= sizes + sizes[i] + sizes[j]
        gone = ~np.isfinite(squared[i]) | ~np.isfinite(squared[j])
        merged[gone] = np.inf
        squared[i], squared[:, i] = merged, merged
        squared[j], squared[:, j] = np.inf, np.inf
        squared[i, i] = np.inf
        sizes[i] += sizes[j]
        names[i] = count + step
    linkage[:, 3] = _members(linkage, count)
    return linkage


def _members(linkage: Matrix, count: int) -> Matrix:
    """Number of points below each merge."""
    below = np.ones(2 * count - 1)
    for step, (left, right) in enumerate(linkage[:, :2].astype(int)):
        below[count + step] = below[left] + below[right]
    return below[count:]
