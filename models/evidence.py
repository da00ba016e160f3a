"""Evidence: every candidate clustering measured by the same figures, and the rule that picks one.

Sources: silhouette, Rousseeuw (1987); Davies & Bouldin (1979), "A cluster separation measure";
Caliński & Harabasz (1974), "A dendrite method for cluster analysis"; eta squared, the share of the
variance of spend that lies between the segments (Fisher 1925).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

from models.clusterers import Clusterer
from models.distances import DISTANCE_DECIMALS, Labels, Matrix, sample_positions
from models.search_parameters import ALGORITHMS, SearchParameters
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
ONE_SEGMENT = "no two segments can be told apart: one segment"


def measure(
    rows: Matrix,
    candidates: Sequence[Clusterer],
    stabilities: Sequence[Matrix],
    revenue: Matrix | None,
    parameters: SearchParameters,
) -> pd.DataFrame:
    """Measure every candidate on `rows`: one row each, the choice not yet made.

    stabilities: bootstrap Jaccard of each candidate's clusters; revenue: the spend of each row, NaN
    where unknown; None when there is none to explain.
    k counts noise too. silhouette_error is the standard error of the sampled mean, inertia the sum
    of squared distances to the centres. Noise has a silhouette of 0, no stability, and may be as
    small as it is. Figures that need two clusters are NaN with one.
    """
    labellings = [candidate.distances(rows).argmin(axis=1) for candidate in candidates]
    seen = sample_positions(len(rows), parameters.silhouette_rows, parameters.seed)
    apart = [
        noise_apart(candidate, labels[seen])
        for candidate, labels in zip(candidates, labellings, strict=True)
    ]
    scores = mean_silhouettes(rows[seen], apart)
    told = zip(candidates, labellings, scores, stabilities, strict=True)
    measured = [
        {
            **_separation(rows, candidate, labels, revenue),
            "silhouette": score.mean,
            "silhouette_error": score.error,
            "stability": _known(np.nanmean, jaccards),
            "least_stability": _known(np.nanmin, jaccards),
        }
        for candidate, labels, score, jaccards in told
    ]
    return pd.DataFrame(measured).round(DISTANCE_DECIMALS)


def _separation(
    rows: Matrix, candidate: Clusterer, labels: Labels, revenue: Matrix | None
) -> dict[str, object]:
    k = len(candidate.centres)
    segments = k - 1 if candidate.has_noise else k
    separable = rows.shape[1] > 0 and 1 < len(np.unique(labels)) < len(rows)
    return {
        "algorithm": candidate.algorithm,
        "k": k,
        "davies_bouldin": davies_bouldin_score(rows, labels) if separable else np.nan,
        "calinski_harabasz": calinski_harabasz_score(rows, labels) if separable else np.nan,
        "inertia": float(np.square(rows - candidate.centres[labels]).sum()),
        "smallest_share": np.bincount(labels, minlength=k)[:segments].min() / len(rows),
        "revenue_explained": np.nan if revenue is None else eta_squared(revenue, labels),
    }


def noise_apart(candidate: Clusterer, labels: Labels) -> Labels:
    """Return labels of real clusters, -1 for noise."""
    is_noise = labels == len(candidate.centres) - 1 if candidate.has_noise else False
    apart: Labels = np.where(is_noise, -1, labels)
    return apart


def _known(of: Callable[[Matrix], float], values: Matrix) -> float:
    """The mean or the least of what is known; NaN where nothing is."""
    return float(of(values)) if np.isfinite(values).any() else float("nan")


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

    Eligible is a candidate of whose segments the smallest holds at least `min_share` of the
    customers and the least stable is found again with a Jaccard of `min_stability`. Of those whose
    silhouette is within `tolerance` of the best, the one with the fewest segments is taken that
    explains of spend at most the part `revenue_tolerance` less than the one that explains most; of
    equal k the better silhouette, then the algorithm named first. Where no spend is known, the best
    silhouette decides. If none is eligible, the most stable of those that are large enough is
    taken, or else the one whose smallest segment is largest.
    gap: silhouette less that of the best other candidate; above zero it leads.
    """
    told = measured.assign(gap=_gaps(measured["silhouette"]))
    if len(told) == 1 and told["k"].iloc[0] == 1:
        return _with_choice(told.assign(reason=""), told.index[0], ONE_SEGMENT)
    found = flaws(told, parameters)
    chosen, reason = _pick(told, found == "", parameters)
    return _with_choice(told.assign(reason=found.replace("", "eligible")), chosen, reason)


def flaws(told: pd.DataFrame, parameters: SearchParameters) -> pd.Series:
    """Why a candidate is not eligible; empty where it is."""
    small = (told["smallest_share"] < parameters.min_share).to_numpy()
    unstable = (told["least_stability"] < parameters.min_stability).to_numpy()
    undefined = told["silhouette"].isna().to_numpy()
    reasons = (
        f"smallest segment below {parameters.min_share:.1%}",
        f"a segment less stable than {parameters.min_stability:.2f}",
        "no silhouette",
    )
    found = np.select([small, unstable, undefined], reasons, default="")
    return pd.Series(found, told.index, dtype="object")


def _pick(
    told: pd.DataFrame, eligible: pd.Series, parameters: SearchParameters
) -> tuple[object, str]:
    """The index of the chosen candidate, and why."""
    if eligible.any():
        best = told.loc[eligible, "silhouette"].max()
        near = told[eligible & (told["silhouette"] >= best - parameters.tolerance)]
        most = near["revenue_explained"].max()
        if not parameters.tolerance or np.isnan(most):
            return near.sort_values("silhouette", ascending=False, kind="stable").index[0], (
                "best silhouette"
            )
        enough = 1 - parameters.revenue_tolerance
        telling = near[near["revenue_explained"] >= enough * most]
        ranked = telling.sort_values(["k", "silhouette"], ascending=[True, False], kind="stable")
        return ranked.index[0], (
            f"fewest segments that explain at least {enough:.0%} of the most that can be explained "
            f"of spend ({most:.2f}), of those within {parameters.tolerance} of the best silhouette "
            f"({best:.3f})"
        )
    large = told[told["smallest_share"] >= parameters.min_share]
    if large["least_stability"].notna().any():
        ranked = large.sort_values(["least_stability", "k"], ascending=[False, True])
        return ranked.index[0], (
            f"none has only segments of a stability of {parameters.min_stability:.2f}: "
            "the most stable taken"
        )
    ranked = told.sort_values(["smallest_share", "k"], ascending=[False, True])
    return ranked.index[0], (
        f"none keeps every segment above {parameters.min_share:.1%}: the least small one taken"
    )


def _with_choice(told: pd.DataFrame, chosen: object, reason: str) -> pd.DataFrame:
    is_chosen = told.index == chosen
    told = told.assign(is_chosen=is_chosen, reason=np.where(is_chosen, reason, told["reason"]))
    return told[list(EVIDENCE_COLUMNS)]


def _gaps(silhouettes: pd.Series) -> pd.Series:
    """Each value less the greatest of the others; NaN where there is no other."""
    others = [silhouettes.drop(index).max() for index in silhouettes.index]
    return (silhouettes - others).round(DISTANCE_DECIMALS)


def reasoning(evidence: pd.DataFrame, customers: int, parameters: SearchParameters) -> str:
    """Say in a paragraph why the chosen candidate was chosen, measured on so many customers."""
    chosen = evidence[evidence["is_chosen"]].iloc[0]
    if chosen["k"] == 1:
        return "One segment: no two can be told apart among these customers."
    tried = evidence.groupby("algorithm", sort=False)["k"].agg(["min", "max"])
    ranges = "; ".join(
        f"{ALGORITHMS[str(name)]} with {low} to {high}" for name, low, high in tried.itertuples()
    )
    paragraph = [
        f"Tried: {ranges} segments, measured on {customers:,} customers.",
        f"Taken: {ALGORITHMS[chosen['algorithm']]} with {chosen['k']}, {chosen['reason']}.",
        f"Its silhouette is {chosen['silhouette']:.3f} ± {chosen['silhouette_error']:.3f}, its "
        f"smallest segment holds {chosen['smallest_share']:.1%} of the customers "
        f"(at least {parameters.min_share:.1%} are asked for).",
    ]
    if pd.notna(chosen["least_stability"]):
        paragraph.append(
            f"In {parameters.resamples} resamples its segments were found again with a mean "
            f"Jaccard of {chosen['stability']:.2f}, the least stable with "
            f"{chosen['least_stability']:.2f} (at least {parameters.min_stability:.2f})."
        )
    if pd.notna(chosen["revenue_explained"]):
        paragraph.append(f"It explains {chosen['revenue_explained']:.0%} of how spend differs.")
    refused = evidence[~evidence["reason"].isin(["eligible"]) & ~evidence["is_chosen"]]
    if len(refused):
        paragraph.append(f"Not eligible: {_listed(refused)}.")
    return " ".join(paragraph)


def _listed(refused: pd.DataFrame) -> str:
    """Reasons, each with those it holds of."""
    return "; ".join(
        f"{', '.join(f'{one.algorithm} {one.k}' for one in group.itertuples())} ({reason})"
        for reason, group in refused.groupby("reason", sort=False)
    )
