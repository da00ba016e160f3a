"""Scorecards: how good a segmentation is, as a whole and segment by segment.

Quality is the silhouette of a seeded sample of customers; stability comes from the fit. Whether the
segments differ in what matters to the business is asked of measures that customers were mostly not
clustered by: the test of Kruskal and Wallis (1952), "Use of Ranks in One-Criterion Variance
Analysis", J. Am. Stat. Assoc. 47, and how much of each measure the segments explain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import kruskal
from sklearn.metrics import silhouette_samples
from threadpoolctl import threadpool_limits

from models.distances import sample_positions
from models.preparation import Matrix

#: What is asked of every customer: an amount, a share, or yes and no as 1 and 0.
MEASURES = ("average_order_value", "conversion_rate", "is_retained", "is_churned")
#: Shares of explained rank variance from which an effect has a name.
#: Source: Cohen (1988), Statistical Power Analysis, chapter 8 (f = .10, .25, .40).
EFFECTS = ((0.14, "large"), (0.06, "medium"), (0.01, "small"), (0.0, "negligible"))
#: Mean Jaccard similarity of resampled segments from which a segment counts as what it says.
#: Source: Hennig (2007), "Cluster-wise assessment of cluster stability", Comput. Stat. Data Anal.
STANDINGS = ((0.75, "stable"), (0.6, "doubtful"), (0.0, "dissolves"))
SAMPLE_SIZE = 5_000
DECIMALS = 9


@dataclass(frozen=True)
class Sampled:
    """Some customers of a frame.

    positions: their rows in the frame, rising. silhouettes: of each among the others of the sample,
    -1..1; NaN when there are fewer than two segments or no features.
    """

    positions: NDArray[np.intp]
    silhouettes: Matrix


def sample_silhouettes(
    rows: Matrix, segments: pd.Series, size: int = SAMPLE_SIZE, seed: int = 42
) -> Sampled:
    """Silhouette of each of at most `size` customers; `rows` is the prepared matrix, one row each.

    Source: Rousseeuw (1987), "Silhouettes", J. Comput. Appl. Math. 20.
    """
    seen = sample_positions(len(rows), size, seed)
    labels = segments.to_numpy()[seen]
    groups = len(pd.unique(labels))
    if not rows.shape[1] or not 2 <= groups < len(seen):
        return Sampled(seen, np.full(len(seen), np.nan))
    with threadpool_limits(limits=1):
        return Sampled(seen, silhouette_samples(rows[seen], labels).round(DECIMALS))


def segment_scorecards(
    customers: pd.DataFrame, sampled: Sampled, stability: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """One row a segment, largest first; `customers` has one row each with a segment.

    It reads segment_id, confidence, gross_revenue and MEASURES. Columns: segment_id; customers,
    customer_share; gross_revenue, revenue_share (NaN when there is none); silhouette (mean of the
    sampled), silhouette_customers (how many those are), misfit_share (of them, nearer to another
    segment: a silhouette below 0); stability (0..1, NaN when not measured) and standing;
    mean_confidence; the mean of each measure over those who have one.
    """
    grouped = customers.groupby("segment_id", sort=True)
    revenue = grouped["gross_revenue"].sum()
    table = pd.DataFrame({"customers": grouped.size()})
    table["customer_share"] = table["customers"] / len(customers)
    table["gross_revenue"] = revenue
    table["revenue_share"] = revenue / revenue.sum() if revenue.sum() else np.nan
    table = table.join(_sampled_quality(customers["segment_id"], sampled))
    told = dict(stability or {})
    table["stability"] = [told.get(str(segment), np.nan) for segment in table.index]
    table["standing"] = [_named(value, STANDINGS) for value in table["stability"]]
    table["mean_confidence"] = grouped["confidence"].mean()
    table = table.join(grouped[list(MEASURES)].mean())
    ordered = table.reset_index().sort_values(["customers", "segment_id"], ascending=[False, True])
    return ordered.round(DECIMALS).reset_index(drop=True)


def fit_scorecard(customers: pd.DataFrame, sampled: Sampled) -> dict[str, float | int | None]:
    """The whole in one row; None is "cannot be said".

    segments, customers; silhouette with its standard error (of the sampled mean), misfit_share;
    smallest_share, largest_share; revenue_explained: eta squared of gross revenue, the share of its
    variance that lies between segments.
    """
    shares = customers["segment_id"].value_counts(normalize=True)
    known = sampled.silhouettes[~np.isnan(sampled.silhouettes)]
    explained = eta_squared(customers["gross_revenue"], customers["segment_id"])
    figures = {
        "silhouette": known.mean() if len(known) else np.nan,
        "silhouette_error": known.std(ddof=1) / np.sqrt(len(known)) if len(known) > 1 else np.nan,
        "misfit_share": (known < 0).mean() if len(known) else np.nan,
        "smallest_share": shares.min(),
        "largest_share": shares.max(),
        "revenue_explained": explained,
    }
    rounded = {
        name: None if pd.isna(value) else round(float(value), DECIMALS)
        for name, value in figures.items()
    }
    return {"segments": len(shares), "customers": len(customers), **rounded}


def separations(customers: pd.DataFrame) -> pd.DataFrame:
    """How far the segments lie apart in each of MEASURES; one row a measure.

    customers and segments: those with a value. kruskal_h, p_value: the test that all segments have
    one distribution. epsilon_squared: H ÷ (n - 1), the share of the variance of ranks between
    segments (Tomczak & Tomczak 2014, "The need to report effect size estimates revisited").
    eta_squared: the same of the values themselves. effect: epsilon squared in words; 'cannot be
    told' with fewer than two segments or where all values are equal.
    """
    rows = [_separation(customers, name) for name in MEASURES]
    return pd.DataFrame(rows).round({"kruskal_h": 6, "epsilon_squared": 9, "eta_squared": 9})


def eta_squared(values: pd.Series, groups: pd.Series) -> float:
    """Variance between groups ÷ all variance of the known values, 0..1; NaN without variance."""
    known = pd.to_numeric(values).astype("float64").dropna()
    spread = float(((known - known.mean()) ** 2).sum())
    if not spread > 0:
        return float("nan")
    means = known.groupby(groups.loc[known.index]).transform("mean")
    return min(float(((means - known.mean()) ** 2).sum()) / spread, 1.0)


def _separation(customers: pd.DataFrame, name: str) -> dict[str, object]:
    values = pd.to_numeric(customers[name]).astype("float64").dropna()
    groups = customers["segment_id"].loc[values.index]
    parts = [part.to_numpy() for _, part in values.groupby(groups, sort=True)]
    told = {"measure": name, "customers": len(values), "segments": len(parts)}
    if len(parts) < 2 or values.nunique() < 2:
        nothing = dict.fromkeys(("kruskal_h", "p_value", "epsilon_squared", "eta_squared"), np.nan)
        return {**told, **nothing, "effect": "cannot be told"}
    found = kruskal(*parts)
    epsilon = min(float(found.statistic) / (len(values) - 1), 1.0)
    return {
        **told,
        "kruskal_h": float(found.statistic),
        "p_value": float(found.pvalue),
        "epsilon_squared": epsilon,
        "eta_squared": eta_squared(values, groups),
        "effect": _named(epsilon, EFFECTS),
    }


def _sampled_quality(segments: pd.Series, sampled: Sampled) -> pd.DataFrame:
    values = pd.Series(sampled.silhouettes)
    grouped = values.groupby(segments.to_numpy()[sampled.positions], sort=True)
    return pd.DataFrame(
        {
            "silhouette": grouped.mean(),
            "silhouette_customers": grouped.count(),
            "misfit_share": (values < 0).where(values.notna()).groupby(grouped.ngroup()).mean()
            .set_axis(grouped.size().index),
        }
    )  # fmt: skip


def _named(value: float, names: tuple[tuple[float, str], ...]) -> str | None:
    return next((name for bound, name in names if value >= bound), None)
