"""Evidence: every candidate clustering measured by the same figures, and the rule that picks one.

Sources: silhouette, Rousseeuw (1987); Davies & Bouldin (1979), "A cluster separation measure";
Caliński & Harabasz (1974), "A dendrite method for cluster analysis"; eta squared, the share of the
variance of spend that lies between the segments (Fisher 1925).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

from models.clusterers import DISTANCE_DECIMALS, Clusterer, Labels, sample_positions
from models.preparation import Matrix
from models.search_parameters import SearchParameters
from models.silhouette import mean_silhouettes

#: Columns of the evidence, in order.
EVIDENCE_COLUMNS = (
    "algorithm",
    "k",
    "silhouette",
    "silhouette_error",
    "davies_bouldin",
    "calinski_harabasz",
    "inertia",
    "gap",
    "stability",
    "least_stability",
    "smallest_share",
    "revenue_explained",
    "is_chosen",
    "reason",
)


def measure(
    rows: Matrix,
    candidates: Sequence[Clusterer],
    revenue: Matrix | None,
    parameters: SearchParameters,
) -> pd.DataFrame:
    """Measure every candidate on `rows`: one row each, without stability and choice.

    `revenue` is the spend of each row, NaN where unknown; None when there is none to explain.
    silhouette_error is the standard error of the sampled mean; inertia the sum of squared distances
    to the centres. Figures that need two clusters are NaN with one.
    """
    labellings = [candidate.distances(rows).argmin(axis=1) for candidate in candidates]
    seen = sample_positions(len(rows), parameters.silhouette_rows, parameters.seed)
    scores = mean_silhouettes(rows[seen], [labels[seen] for labels in labellings])
    measured = [
        _measure_one(rows, candidate, labels, revenue)
        for candidate, labels in zip(candidates, labellings, strict=True)
    ]
    frame = pd.DataFrame(measured)
    frame["silhouette"] = [score.mean for score in scores]
    frame["silhouette_error"] = [score.error for score in scores]
    frame["stability"] = np.nan
    frame["least_stability"] = np.nan
    return frame.round(DISTANCE_DECIMALS)


def _measure_one(
    rows: Matrix, candidate: Clusterer, labels: Labels, revenue: Matrix | None
) -> dict[str, object]:
    k = len(candidate.centres)
    separable = rows.shape[1] > 0 and 1 < len(np.unique(labels)) < len(rows)
    return {
        "algorithm": candidate.algorithm,
        "k": k,
        "davies_bouldin": davies_bouldin_score(rows, labels) if separable else np.nan,
        "calinski_harabasz": calinski_harabasz_score(rows, labels) if separable else np.nan,
        "inertia": float(np.square(rows - candidate.centres[labels]).sum()),
        "smallest_share": np.bincount(labels, minlength=k).min() / len(rows),
        "revenue_explained": np.nan if revenue is None else eta_squared(revenue, labels),
    }


def eta_squared(values: Matrix, labels: Labels) -> float:
    """Share of the variance of `values` (NaN is left out) between the groups: 0 none, 1 all.

    NaN when the values do not differ.

    >>> eta_squared(np.array([1.0, 1.0, 5.0, 5.0]), np.array([0, 0, 1, 1]))
    1.0
    """
    known = ~np.isnan(values)
    values, groups = values[known], np.unique(labels[known], return_inverse=True)[1]
    total = float(np.square(values - values.mean()).sum()) if len(values) else 0.0
    if not total > 0:
        return float("nan")
    means = np.bincount(groups, weights=values) / np.bincount(groups)
    return 1.0 - float(np.square(values - means[groups]).sum()) / total


def choose(measured: pd.DataFrame, parameters: SearchParameters) -> pd.DataFrame:
    """Add gap, is_chosen and reason to what `measure` tells of each candidate.

    Of the candidates whose smallest cluster holds at least `min_share` of the customers, the one
    with the greatest k whose silhouette is within `tolerance` of the best one. If none is
    eligible, the one with the greatest smallest cluster is taken, and its reason says so.
    gap: silhouette less that of the best other candidate; above zero it leads.
    """
    min_share, tolerance = parameters.min_share, parameters.tolerance
    told = measured.assign(gap=_gaps(measured["silhouette"]))
    if len(told) == 1 and told["k"].iloc[0] == 1:
        return _finished(told, told.index[0], "too few different customers: one segment")
    eligible = told["silhouette"].notna() & (told["smallest_share"] >= min_share)
    if eligible.any():
        best = told.loc[eligible, "silhouette"].max()
        near = told[eligible & (told["silhouette"] >= best - tolerance)]
        chosen = near.sort_values(["k", "silhouette"], ascending=False, kind="stable").index[0]
        won = f"greatest k within {tolerance} of the best silhouette {best:.3f}"
        reason = won if tolerance else "best silhouette"
    else:
        chosen = told.sort_values(["smallest_share", "k"], ascending=[False, True]).index[0]
        reason = f"no k keeps every segment above {min_share:.1%}: the least small one taken"
    small = f"smallest segment below {min_share:.1%}"
    reasons = pd.Series(np.where(eligible, "eligible", small), told.index, dtype="object")
    return _finished(told.assign(reason=reasons), chosen, reason)


def _finished(told: pd.DataFrame, chosen: object, reason: str) -> pd.DataFrame:
    is_chosen = told.index == chosen
    others = told["reason"] if "reason" in told.columns else reason
    told = told.assign(is_chosen=is_chosen, reason=np.where(is_chosen, reason, others))
    return told[list(EVIDENCE_COLUMNS)]


def _gaps(silhouettes: pd.Series) -> pd.Series:
    """Each value less the greatest of the others; NaN where there is no other."""
    others = [silhouettes.drop(index).max() for index in silhouettes.index]
    return (silhouettes - others).round(DISTANCE_DECIMALS)


def reasoning(evidence: pd.DataFrame, parameters: SearchParameters) -> str:
    """Say in a paragraph why the chosen candidate was chosen."""
    chosen = evidence[evidence["is_chosen"]].iloc[0]
    if chosen["k"] == 1:
        return "One segment: too few different customers to tell any apart."
    return (
        f"{chosen['algorithm']} with {chosen['k']} segments of {len(evidence)} candidates: "
        f"{chosen['reason']}. Silhouette {chosen['silhouette']:.3f} "
        f"± {chosen['silhouette_error']:.3f}, smallest segment {chosen['smallest_share']:.1%} of "
        f"the customers (at least {parameters.min_share:.1%} are asked for)."
    )
