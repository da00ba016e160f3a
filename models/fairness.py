"""Bias audit: do demographic groups fare alike, and do features betray them?

Four fifths: a group's rate below 4/5 of the best group's is taken as a sign of adverse impact
(Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D, 1978). Here no segment is an
award: a ratio below four fifths says that a group is found there less often, and asks why.

What chance alone could do is told apart: a verdict needs the whole interval of the ratio on one
side of 4/5. Intervals are Bonferroni's over all pairs of groups and outcomes of one attribute, so
that the best group, which is picked after looking, may be compared with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from threadpoolctl import threadpool_limits

from models.distances import sample_positions
from models.preparation import Matrix, numeric_features

FOUR_FIFTHS = 0.8
ALL_FEATURES = "all features"
REFERENCE, WITHIN, BELOW, TOO_FEW = (
    "reference", "within four fifths", "below four fifths", "too few to tell",
)  # fmt: skip
PROXY, NO_PROXY = "proxy", "no proxy"
AUDIT_COLUMNS = (
    "attribute", "group_name", "kind", "outcome", "customers", "counted", "rate", "rate_low",
    "rate_high", "reference_group", "ratio", "ratio_low", "ratio_high", "verdict",
)  # fmt: skip
PROXY_COLUMNS = ("attribute", "feature", "customers", "groups", "auc", "auc_error", "verdict")
DECIMALS = 9


@dataclass(frozen=True)
class AuditParameters:
    """What steers the audit.

    least_customers: a smaller group is too small to tell anything of. alpha: how often chance alone
    may give one attribute a false verdict. proxy_auc: an area under the ROC curve from which a
    feature counts as a proxy (0.5: knows nothing, 1: knows all). sample_size, folds: of the trees.
    """

    least_customers: int = 30
    alpha: float = 0.05
    proxy_auc: float = 0.6
    sample_size: int = 5_000
    folds: int = 5
    seed: int = 42


def audit(
    groups: pd.DataFrame,
    segments: pd.Series,
    errors: Mapping[str, pd.Series],
    parameters: AuditParameters | None = None,
) -> pd.DataFrame:
    """Compare the groups of each attribute, a column of `groups`, in segments and in errors.

    `groups`, `segments` and the errors share an index of customers; missing means not known, and
    is not counted. One row per attribute, group and outcome (AUDIT_COLUMNS). kind 'share': how many
    of the group are in the segment `outcome`; its reference is the group with the highest rate, and
    ratio = own rate ÷ highest. kind 'error': how many the error `outcome` befell; the reference is
    the lowest rate, and ratio = lowest ÷ own rate. So 1 is even, and below 0.8 is to the group's
    disadvantage. Intervals of rates: Wilson (1927); of ratios: Katz et al. (1978), with 1/2 added.
    Of a group below `least_customers` only its size is told.
    """
    parameters = parameters or AuditParameters()
    outcomes = {
        ("share", str(name)): segments == name for name in sorted(segments.dropna().unique())
    }
    outcomes |= {("error", name): befell for name, befell in errors.items()}
    tables = [
        _compare(groups[attribute], outcomes, parameters).assign(attribute=attribute)
        for attribute in groups.columns
    ]
    found = [table for table in tables if not table.empty]
    if not found:
        return pd.DataFrame(columns=list(AUDIT_COLUMNS))
    return pd.concat(found, ignore_index=True)[list(AUDIT_COLUMNS)]


def misread(
    frame: pd.DataFrame,
    features: Sequence[str],
    segments: pd.Series,
    parameters: AuditParameters | None = None,
) -> pd.Series:
    """Of whom would a short rule say the wrong segment? True, False; missing if not in the sample.

    The rule is a decision tree of at most 8 leaves over the features, grown on other customers than
    those it is asked of (cross-validation): those whom a description of the segments does not fit.
    """
    parameters = parameters or AuditParameters()
    told = pd.Series(pd.NA, index=frame.index, dtype="boolean")
    known = np.flatnonzero(segments.notna().to_numpy())
    seen = known[sample_positions(len(known), parameters.sample_size, parameters.seed)]
    labels = segments.to_numpy()[seen]
    if not features or len(seen) < 2 * parameters.folds or len(pd.unique(labels)) < 2:
        return told
    rows = numeric_features(frame, list(features)).to_numpy()[seen]
    folds = KFold(parameters.folds, shuffle=True, random_state=parameters.seed)
    with threadpool_limits(limits=1):
        tree = DecisionTreeClassifier(max_leaf_nodes=8, random_state=parameters.seed)
        said = cross_val_predict(tree, rows, labels, cv=folds)
    told.iloc[seen] = said != labels
    return told


def proxies(
    frame: pd.DataFrame,
    attributes: Sequence[str],
    features: Sequence[str],
    parameters: AuditParameters | None = None,
) -> pd.DataFrame:
    """Which features tell a group of an attribute? One row per attribute and feature, and all.

    auc: how well a decision tree (8 leaves, cross-validated) on that feature alone tells the groups
    apart: area under the ROC curve, mean over groups of one against the rest; auc_error: its
    standard error over the folds. verdict: 'proxy' where auc - 2 errors reaches `proxy_auc`,
    'no proxy' where auc + 2 errors does not, else 'too few to tell'. A missing value is told apart,
    as it may itself betray a group. Groups below `least_customers` are left out.
    """
    parameters = parameters or AuditParameters()
    rows = numeric_features(frame, list(features))
    found = []
    for attribute in attributes:
        labels = _large_groups(frame[attribute], parameters)
        together = [(name, [name]) for name in features] + [(ALL_FEATURES, list(features))]
        for name, columns in together if features else []:
            measured = _auc(rows.loc[labels.index, columns], labels, parameters)
            verdict = _proxy_verdict(*measured, parameters.proxy_auc)
            size = (len(labels), labels.nunique())
            found.append((attribute, name, *size, *np.round(measured, DECIMALS), verdict))
    return pd.DataFrame(found, columns=list(PROXY_COLUMNS))


def _compare(
    group: pd.Series, outcomes: Mapping[tuple[str, str], pd.Series], parameters: AuditParameters
) -> pd.DataFrame:
    """All outcomes over the groups of one attribute."""
    pairs = group.nunique() * (group.nunique() - 1) / 2
    alpha = parameters.alpha / max(pairs * len(outcomes), 1)
    tables = []
    for (kind, name), happened in outcomes.items():
        counted = _counts(group, happened)
        if not counted.empty:
            compared = _against_best(counted, kind == "error", alpha, parameters)
            tables.append(compared.assign(kind=kind, outcome=name))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _counts(group: pd.Series, happened: pd.Series) -> pd.DataFrame:
    """group_name, customers (of whom the outcome is known), counted (to whom it happened)."""
    known = group.notna() & happened.notna()
    befell = happened[known].astype("int64").groupby(group[known].astype("str"), sort=True)
    table = pd.DataFrame({"customers": befell.size(), "counted": befell.sum()})
    return table.rename_axis("group_name").reset_index()


def _against_best(
    table: pd.DataFrame, is_error: bool, alpha: float, parameters: AuditParameters
) -> pd.DataFrame:
    counted, customers = table["counted"].to_numpy(), table["customers"].to_numpy()
    low, high = proportion_confint(counted, customers, alpha=parameters.alpha, method="wilson")
    rate = counted / customers
    table = table.assign(counted=counted.astype("float64"), rate=rate, rate_low=low, rate_high=high)
    large = customers >= parameters.least_customers
    table.loc[~large, ["counted", "rate", "rate_low", "rate_high"]] = np.nan
    if large.sum() < 2:
        return _untold(table)
    best = int(np.where(large, -rate if is_error else rate, -np.inf).argmax())
    own, reference = (counted, customers), (np.full_like(counted, counted[best]), customers[best])
    above, below = (reference, own) if is_error else (own, reference)
    ratio_low, ratio_high = confint_proportions_2indep(
        *above, *below, compare="ratio", method="log-adjusted", alpha=alpha
    )
    top, bottom = above[0] / above[1], below[0] / below[1]
    ratio = np.divide(top, bottom, out=np.full(len(table), np.nan), where=bottom > 0)
    verdicts = np.select(
        [ratio_low >= FOUR_FIFTHS, ratio_high < FOUR_FIFTHS], [WITHIN, BELOW], TOO_FEW
    )
    verdicts = np.where(large, verdicts, TOO_FEW)
    verdicts[best] = REFERENCE
    others = np.arange(len(table)) != best
    limits = {"ratio_low": ratio_low, "ratio_high": ratio_high}
    limits = {n: np.where(others & large, value, np.nan) for n, value in limits.items()}
    ratio = np.where(large, ratio, np.nan)
    return table.assign(
        reference_group=table["group_name"].iloc[best], ratio=ratio, **limits, verdict=verdicts
    ).round(DECIMALS)


def _untold(table: pd.DataFrame) -> pd.DataFrame:
    """Fewer than two groups are large enough: rates, and no comparison."""
    nothing = dict.fromkeys(("ratio", "ratio_low", "ratio_high"), np.nan)
    return table.assign(reference_group=None, **nothing, verdict=TOO_FEW).round(DECIMALS)


def _large_groups(group: pd.Series, parameters: AuditParameters) -> pd.Series:
    """The known groups of a seeded sample of customers, without those that are too small."""
    known = group.dropna().astype("str")
    seen = known.iloc[sample_positions(len(known), parameters.sample_size, parameters.seed)]
    sizes = seen.map(seen.value_counts())
    return seen[sizes >= max(parameters.least_customers, parameters.folds)]


def _auc(rows: pd.DataFrame, labels: pd.Series, parameters: AuditParameters) -> tuple[float, float]:
    """Mean area under the curve over the folds, and its standard error; NaN with one group."""
    if labels.nunique() < 2:
        return float("nan"), float("nan")
    folds = StratifiedKFold(parameters.folds, shuffle=True, random_state=parameters.seed)
    numbers, names = rows.to_numpy(), labels.to_numpy()
    areas = []
    with threadpool_limits(limits=1):
        for train, test in folds.split(numbers, names):
            tree = DecisionTreeClassifier(max_leaf_nodes=8, random_state=parameters.seed)
            tree.fit(numbers[train], names[train])
            is_group = names[test][:, None] == tree.classes_
            areas.append(rank_auc(tree.predict_proba(numbers[test]), is_group))
    return float(np.mean(areas)), float(np.std(areas, ddof=1) / np.sqrt(len(areas)))


def rank_auc(chances: Matrix, is_group: NDArray[np.bool_]) -> float:
    """Mean over groups (columns) of the area under the ROC curve of one against the rest.

    By ranks, all groups at once (Hanley & McNeil 1982, "The meaning and use of the area under a
    ROC curve"); scikit-learn's takes ten times as long to check its input.
    """
    ranks = rankdata(chances, axis=0)
    inside = is_group.sum(axis=0)
    outside = len(chances) - inside
    above = (ranks * is_group).sum(axis=0) - inside * (inside + 1) / 2
    return float((above / (inside * outside)).mean())


def _proxy_verdict(auc: float, error: float, bound: float) -> str:
    if auc - 2 * error >= bound:
        return PROXY
    return NO_PROXY if auc + 2 * error < bound else TOO_FEW
