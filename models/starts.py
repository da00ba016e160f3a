"""K-means from where a former fit was, where that is about as good as what chance starts find.

K-means has several ends that are about as good, and chance would lead to another each week.
"""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans

from models.clusterers import Clusterer, NearestCentre
from models.distances import Labels, Matrix
from models.evidence import eta_squared
from models.search_parameters import SearchParameters

#: Of fits whose sum of squares differs by no more than this part, that near a former one is taken.
AS_GOOD = 0.05


def prefer(
    former: Matrix | None,
    found: Clusterer,
    rows: Matrix,
    counts: Labels,
    revenue: Matrix | None,
    parameters: SearchParameters,
) -> Clusterer:
    """K-means of as many clusters from where a former fit was, or `found` where that is better.

    Better is what has a sum of squares that is lower by more than AS_GOOD, and explains about as
    much of spend as the rule that chooses k asks for.
    former: the centres of its clusters among today's rows, or None. rows occur `counts` times each;
    revenue: the spend of each, NaN where unknown, or None.
    """
    if former is None or found.algorithm != "kmeans" or len(former) != len(found.centres):
        return found
    told = KMeans(len(former), init=former, n_init=1, random_state=parameters.seed)
    again = NearestCentre(np.asarray(told.fit(rows, sample_weight=counts).cluster_centers_))
    is_compact = _spread(again, rows, counts) <= (1 + AS_GOOD) * _spread(found, rows, counts)
    if is_compact or revenue is None or not parameters.tolerance:
        return again if is_compact else found
    own, others = (_explained(fit, rows, counts, revenue) for fit in (found, again))
    return again if own < (1 - parameters.revenue_tolerance) * others else found


def _spread(fit: Clusterer, rows: Matrix, counts: Labels) -> float:
    """Sum of the squared distances of the rows to the nearest centre."""
    return float((counts * np.square(fit.distances(rows).min(axis=1))).sum())


def _explained(fit: Clusterer, rows: Matrix, counts: Labels, revenue: Matrix) -> float:
    labels = fit.distances(rows).argmin(axis=1)
    return eta_squared(np.repeat(revenue, counts), np.repeat(labels, counts))
