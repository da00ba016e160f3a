"""This week's fit: what the rule chooses, or what the ML model in use is, where that is as good.

Where several clusterings are about as good, chance would decide between them each week anew. So the
ML model in use is favoured in three ways: its algorithm and number of segments are kept unless the
rule prefers others by a clear lead; k-means starts from it, too; and one segment more is looked at
only where it beats the ML model in use by more than it did when that was fitted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from models.clustering import ID_COLUMN, FittedSegments, fit_segments
from models.distances import sample_positions
from models.judging import GateParameters, is_choice_kept
from models.lineage import LineageParameters
from models.moves import MoveParameters
from models.preparation import (
    DEFAULT_TREATMENTS,
    PreparationParameters,
    Treatment,
    numeric_features,
)
from models.search_parameters import SearchParameters
from models.silhouette import Silhouette, mean_silhouettes
from models.views import View

KEPT_REASON = "as the ML model in use, which the evidence does not beat"
FINER_REASON = "one more than the ML model in use, which has become worse than that"


@dataclass(frozen=True)
class WeekParameters:
    """What steers a run.

    treatments: the features that are clustered; preparation: how else they are prepared, when not
        by the defaults.
    exclude_outliers: fit without customers whose `is_outlier` holds; they are placed all the same.
    settled_days: after so long in a segment a customer is settled there. Where she was settled
        tells a segment that splits from one that is born (see `models.lineage.match_segments`).
    """

    treatments: Mapping[str, Treatment] = field(default_factory=lambda: DEFAULT_TREATMENTS)
    preparation: PreparationParameters | None = None
    search: SearchParameters = field(default_factory=SearchParameters)
    exclude_outliers: bool = True
    lineage: LineageParameters = field(default_factory=LineageParameters)
    moves: MoveParameters = field(default_factory=MoveParameters)
    gates: GateParameters = field(default_factory=GateParameters)
    settled_days: int = 28


def silhouettes(rows: np.ndarray, groups: list[np.ndarray]) -> list[Silhouette]:
    """Mean silhouette of each grouping of the rows, whatever the groups are called."""
    return mean_silhouettes(rows, [np.unique(g, return_inverse=True)[1] for g in groups])


def choice(fitted: FittedSegments) -> tuple[str, int]:
    """What the rule chooses: algorithm and number of clusters."""
    return fitted.clusterer.algorithm, fitted.k


def fit_challenger(
    customers: pd.DataFrame,
    parameters: WeekParameters,
    in_use: tuple[str, int] | None = None,
    champion: FittedSegments | None = None,
) -> FittedSegments:
    """This week's fit; of the algorithm and k in use unless another choice is really better.

    champion: the ML model in use. K-means starts from it, too; and where one segment more is
    clearly better than it has become, there is one more.
    """
    view = None if champion is None else View(champion, {}, known_features(customers, parameters))
    near = None if view is None else view.nearest_cluster
    fitted = fit_typical(customers, parameters.search, parameters, near)
    if in_use is None or not is_choice_kept(
        fitted.evidence, *in_use, parameters.search, parameters.gates
    ):
        return fitted
    if view is not None and _is_finer_better(fitted.evidence, view, parameters):
        return _fit_choice(customers, fitted, (in_use[0], in_use[1] + 1), FINER_REASON, parameters)
    return _fit_choice(customers, fitted, in_use, KEPT_REASON, parameters, near)


def _is_finer_better(evidence: pd.DataFrame, view: View, parameters: WeekParameters) -> bool:
    """Whether one segment more beats the champion by more than it did when that was fitted."""
    champion, search = view.fitted, parameters.search
    algorithm, k = choice(champion)
    then, now = _by_k(champion.evidence, algorithm), _by_k(evidence, algorithm)
    if not {k, k + 1} <= set(then) or k + 1 not in now:
        return False
    lead = then[k + 1] - then[k]
    seen = sample_positions(len(view.rows), search.silhouette_rows, search.seed)
    today = silhouettes(view.rows[seen], [view.nearest_cluster.to_numpy()[seen]])[0].mean
    gain = now[k + 1] - today
    return gain >= parameters.gates.choice_gain + max(lead, 0.0)


def _by_k(evidence: pd.DataFrame, algorithm: str) -> dict[int, float]:
    """Number of clusters -> silhouette."""
    told = evidence[evidence["algorithm"] == algorithm]
    return {int(k): float(s) for k, s in zip(told["k"], told["silhouette"], strict=True)}


def _fit_choice(
    customers: pd.DataFrame,
    fitted: FittedSegments,
    wanted: tuple[str, int],
    told: str,
    parameters: WeekParameters,
    near: pd.Series | None = None,
) -> FittedSegments:
    """This week's fit, with this algorithm and number of clusters."""
    if choice(fitted) == wanted:
        return fitted
    algorithm, k = wanted
    search = replace(parameters.search, algorithms=(algorithm,), k_range=(k, k))
    again = fit_typical(customers, search, parameters, near)
    # What the other candidates were worth is kept: later runs compare with it.
    evidence = fitted.evidence
    is_chosen = (evidence["algorithm"] == algorithm) & (evidence["k"] == again.k)
    if not is_chosen.any():
        return again
    reason = evidence["reason"].where(~is_chosen, told)
    return replace(
        again,
        evidence=evidence.assign(is_chosen=is_chosen, reason=reason),
        reasoning=f"{k} segments by {algorithm}: {told}. The rule: {fitted.reasoning}",
    )


def fit_typical(
    customers: pd.DataFrame,
    search: SearchParameters,
    parameters: WeekParameters,
    near: pd.Series | None = None,
) -> FittedSegments:
    """Fit to the typical customers; k-means starts from a former fit, too."""
    typical = customers
    if parameters.exclude_outliers and "is_outlier" in customers:
        typical = customers[~customers["is_outlier"].fillna(False).astype(bool)]
    typical = customers if typical.empty else typical
    preparation = parameters.preparation or parameters.treatments
    return fit_segments(typical, preparation, search, near)


def known_features(
    customers: pd.DataFrame, parameters: WeekParameters, also: Iterable[str] = ()
) -> pd.DataFrame:
    """customer_id and raw features, ascending by customer; `also`: others, where there are such."""
    if customers.empty:
        raise ValueError("no customers to segment")
    ids = customers[ID_COLUMN]
    if ids.duplicated().any():
        raise ValueError(f"{ID_COLUMN} repeats, for example {ids[ids.duplicated()].iloc[0]!r}")
    features = dict.fromkeys([*parameters.treatments, *(c for c in also if c in customers.columns)])
    features.pop(ID_COLUMN, None)
    numbers = numeric_features(customers, list(features))
    numbers.insert(0, ID_COLUMN, ids)
    return numbers.sort_values(ID_COLUMN, ignore_index=True)
