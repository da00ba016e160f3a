"""This week's fit: what the rule chooses, or what the ML model in use is, where that is as good.

Where several clusterings are about as good, chance would decide between them each week anew. So the
ML model in use is favoured in three ways: its algorithm and number of segments are kept unless the
rule prefers others by a clear lead to it, fitted anew or as it is; k-means starts from it, too; and
one segment more is looked at only where it beats the ML model in use by more than it did when that
was fitted, and explains about as much of spend. That a clustering should be true to its past as
well as to today: Chakrabarti, Kumar & Tomkins (2006), "Evolutionary clustering".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from models.clustering import ID_COLUMN, REVENUE, FittedSegments, fit_segments
from models.distances import sample_positions
from models.evidence import eta_squared, flaws, noise_apart
from models.judging import GateParameters, is_choice_kept
from models.lineage import LineageParameters
from models.moves import MoveParameters
from models.preparation import PreparationParameters, numeric_features, prepare
from models.search_parameters import SearchParameters
from models.silhouette import Silhouette, mean_silhouettes
from models.views import View

KEPT_REASON = "as the ML model in use, which the evidence does not beat"
FINER_REASON = "one more than the ML model in use, which has become worse than that"


@dataclass(frozen=True)
class WeekParameters:
    """What steers a run.

    preparation: its treatments name the features that are clustered.
    exclude_outliers: fit without customers whose `is_outlier` holds; they are placed all the same.
    settled_days: after so long in a segment a customer is settled there. Where she was settled
        tells a segment that splits from one that is born (see `models.lineage.match_segments`).
    """

    preparation: PreparationParameters = field(default_factory=PreparationParameters)
    search: SearchParameters = field(default_factory=SearchParameters)
    exclude_outliers: bool = True
    lineage: LineageParameters = field(default_factory=LineageParameters)
    moves: MoveParameters = field(default_factory=MoveParameters)
    gates: GateParameters = field(default_factory=GateParameters)
    settled_days: int = 28

    @property
    def features(self) -> list[str]:
        """Those that are clustered."""
        return list(self.preparation.treatments)


def silhouettes(rows: np.ndarray, groups: list[np.ndarray]) -> list[Silhouette]:
    """Mean silhouette of each grouping of the rows, whatever the groups are called."""
    return mean_silhouettes(rows, [np.unique(g, return_inverse=True)[1] for g in groups])


def choice(fitted: FittedSegments) -> tuple[str, int]:
    """What the rule chooses: algorithm and number of clusters."""
    return fitted.clusterer.algorithm, fitted.k


def fit_challenger(
    customers: pd.DataFrame,
    parameters: WeekParameters,
    champion: FittedSegments | None = None,
) -> FittedSegments:
    """This week's fit; of the champion's algorithm and k unless another choice is really better.

    champion: the ML model in use. K-means starts from it, too; and where one segment more is
    clearly better than it has become, there is one more.
    """
    if champion is None:
        return fit_typical(customers, parameters.search, parameters)
    shown = _typical(customers, parameters)
    view = View(champion, {}, known_features(shown, parameters, (REVENUE,)))
    near, in_use = view.nearest_cluster, choice(champion)
    fitted = fit_typical(customers, parameters.search, parameters, near)
    itself = _measured(view, fitted, parameters.search)
    if not _is_kept(fitted.evidence, in_use, itself, parameters):
        return fitted
    if _is_finer_better(fitted.evidence, champion, itself, parameters):
        return _fit_choice(customers, fitted, (in_use[0], in_use[1] + 1), FINER_REASON, parameters)
    return _fit_choice(customers, fitted, in_use, KEPT_REASON, parameters, near)


def _measured(view: View, fitted: FittedSegments, search: SearchParameters) -> pd.Series:
    """What the champion is worth today: silhouette and revenue_explained, as in the evidence."""
    rows, groups = prepare(fitted.preparation, view.frame), view.nearest_cluster.to_numpy()
    seen = sample_positions(len(rows), search.silhouette_rows, search.seed)
    apart = noise_apart(view.fitted.clusterer, groups[seen])
    told = {"silhouette": mean_silhouettes(rows[seen], [apart])[0].mean}
    if REVENUE in view.frame:
        told["revenue_explained"] = eta_squared(view.frame[REVENUE].to_numpy(), groups)
    return pd.Series(told)


def _is_kept(
    evidence: pd.DataFrame,
    in_use: tuple[str, int],
    itself: pd.Series,
    parameters: WeekParameters,
) -> bool:
    """Whether the rule still prefers the choice in use, fitted anew or as the champion has it.

    K-means fitted anew may end in another place that is as compact and explains less of spend: then
    chance, not the customers, would speak against that number of segments.
    """
    told = [evidence]
    same = (evidence["algorithm"] == in_use[0]) & (evidence["k"] == in_use[1])
    if same.any():
        told.append(evidence.copy())
        told[1].loc[same, itself.index] = itself.to_numpy()
    search, gates = parameters.search, parameters.gates
    return any(is_choice_kept(each, *in_use, search, gates) for each in told)


def _is_finer_better(
    evidence: pd.DataFrame,
    champion: FittedSegments,
    itself: pd.Series,
    parameters: WeekParameters,
) -> bool:
    """Whether one segment more beats the champion by more than it did when that was fitted.

    It must be eligible, and explain about as much of spend, as the rule asks of any choice.
    """
    algorithm, k = choice(champion)
    then, now = _by_k(champion.evidence, algorithm), _by_k(evidence, algorithm)
    finer = evidence[(evidence["algorithm"] == algorithm) & (evidence["k"] == k + 1)]
    if not {k, k + 1} <= set(then) or finer.empty:
        return False
    row, search = finer.iloc[0], parameters.search
    enough = (1 - search.revenue_tolerance) * itself.get("revenue_explained", np.nan)
    tells_less = bool(search.tolerance) and row["revenue_explained"] < enough
    if tells_less or flaws(finer, search).ne("").any():
        return False
    lead = max(then[k + 1] - then[k], 0.0)
    gain = now[k + 1] - itself["silhouette"]
    return bool(gain >= parameters.gates.choice_gain + lead)


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
    return fit_segments(_typical(customers, parameters), parameters.preparation, search, near)


def _typical(customers: pd.DataFrame, parameters: WeekParameters) -> pd.DataFrame:
    """Those the fit is made of: all when nobody else is left."""
    if not parameters.exclude_outliers or "is_outlier" not in customers:
        return customers
    typical = customers[~customers["is_outlier"].fillna(False).astype(bool)]
    return customers if typical.empty else typical


def known_features(
    customers: pd.DataFrame, parameters: WeekParameters, also: Iterable[str] = ()
) -> pd.DataFrame:
    """customer_id and raw features, ascending by customer; `also`: others, where there are such."""
    if customers.empty:
        raise ValueError("no customers to segment")
    ids = customers[ID_COLUMN]
    if ids.duplicated().any():
        raise ValueError(f"{ID_COLUMN} repeats, for example {ids[ids.duplicated()].iloc[0]!r}")
    features = dict.fromkeys([*parameters.features, *(c for c in also if c in customers.columns)])
    features.pop(ID_COLUMN, None)
    numbers = numeric_features(customers, list(features))
    numbers.insert(0, ID_COLUMN, ids)
    return numbers.sort_values(ID_COLUMN, ignore_index=True)
