"""From one run to the next: fit, match, judge, place, and say why who moved.

Frames in, frames out. Of the past a run knows what the last run handed on, a `Week`, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from models.clustering import ID_COLUMN, FittedSegments, distances, fit_segments
from models.distances import sample_positions
from models.judging import (
    Challenge,
    GateParameters,
    Verdict,
    is_choice_kept,
    judge,
    judge_first,
    kept,
)
from models.lineage import (
    NOISE_ID,
    Lineage,
    LineageParameters,
    first_lineage,
    kept_lineage,
    match_segments,
    mean_positions,
    segment_order,
)
from models.moves import MoveParameters, causes, place
from models.preparation import DEFAULT_TREATMENTS, Treatment, numeric_features, prepare
from models.search_parameters import SearchParameters
from models.silhouette import mean_silhouettes


@dataclass(frozen=True)
class WeekParameters:
    """What steers a run.

    exclude_outliers: fit without customers whose `is_outlier` holds; they are placed all the same.
    settled_days: after so long in a segment a customer is settled there. Where she was settled
        tells a segment that splits from one that is born (see `models.lineage.match_segments`).
    """

    treatments: Mapping[str, Treatment] = field(default_factory=lambda: DEFAULT_TREATMENTS)
    search: SearchParameters = field(default_factory=SearchParameters)
    exclude_outliers: bool = True
    lineage: LineageParameters = field(default_factory=LineageParameters)
    moves: MoveParameters = field(default_factory=MoveParameters)
    gates: GateParameters = field(default_factory=GateParameters)
    settled_days: int = 28


@dataclass(frozen=True)
class Week:
    """What a run hands on to the next.

    fitted: the champion; ids: its cluster -> segment_id; newest_number: of the newest id ever.
    placed: one row per customer ascending, see `models.moves.place`; and since (the day of the run
    that put her there, missing if the first run did), home (the segment she was last settled in,
    missing for newcomers).
    inputs: customer_id and raw features, as they were known at this run.
    """

    as_of: date
    fitted: FittedSegments
    ids: Mapping[int, str]
    newest_number: int
    placed: pd.DataFrame
    inputs: pd.DataFrame


@dataclass(frozen=True)
class Outcome:
    """What a run found.

    challenger: this week's fit; none when nothing was fitted. proposed: its lineage, had it gone
    live. lineage: what really happened to the segments. moves: see `models.moves.causes`.
    """

    week: Week
    challenger: FittedSegments | None
    proposed: Lineage | None
    lineage: Lineage
    verdict: Verdict
    moves: pd.DataFrame


def advance(
    previous: Week | None,
    customers: pd.DataFrame,
    restated: pd.DataFrame | None = None,
    parameters: WeekParameters | None = None,
    refit: bool = True,
    *,
    as_of: date,
    chosen: FittedSegments | None = None,
) -> Outcome:
    """Run once: place today's customers, with this week's fit if it may go live.

    customers: one row each, with customer_id and the features; is_outlier where known.
    restated: features as of the last run as they are known now, of those whose past changed.
    refit: False places with the champion only, between weekly fits.
    chosen: an ML model that an operator wants; it goes live whatever the gates say.
    Without a previous week there is no champion: the fit goes live, its evidence told.
    Raises ValueError for a day that is not after the previous one, and as `fit_segments` does.
    """
    parameters = parameters or WeekParameters()
    today = _inputs(customers, previous, parameters)
    if previous is None:
        return _begin(customers, today, chosen, parameters, as_of)
    if as_of <= previous.as_of:
        raise ValueError(f"the last run was as of {previous.as_of}: {as_of} is not after it")
    run = _Run(previous, today, restated, parameters, as_of)
    if not refit and chosen is None:
        return run.keep(None, None, kept())
    challenger = chosen or _challenger(customers, previous.fitted, parameters)
    proposed = run.match(challenger)
    if _is_equal(proposed, previous):
        return run.keep(challenger, proposed, replace(kept(), is_equal=True))
    placed, moves = run.try_on(challenger, proposed)
    verdict = judge(run.challenge(challenger, proposed, moves), parameters.gates)
    if chosen is not None:
        verdict = replace(verdict, is_promoted=True)
    if not verdict.is_promoted:
        return run.keep(challenger, proposed, verdict)
    week = run.week(challenger, proposed, placed)
    return Outcome(week, challenger, proposed, proposed, verdict, moves)


def _begin(
    customers: pd.DataFrame,
    today: pd.DataFrame,
    chosen: FittedSegments | None,
    parameters: WeekParameters,
    as_of: date,
) -> Outcome:
    """The first run: the fit goes live, everybody is new."""
    fitted = chosen or _fit(customers, parameters.search, parameters)
    found = distances(fitted, today)
    now = _nearest(found)
    lineage = _with_noise(first_lineage(now, _clusters(fitted)), fitted)
    nowhere = pd.Series(dtype="object")
    placed = place(_named(found, lineage.ids), nowhere, nowhere.astype(float), parameters.moves)
    where = placed.set_index(ID_COLUMN)["segment_id"]
    verdict = judge_first(
        _least_stability(fitted),
        fitted.silhouette,
        _smallest(now, _clusters(fitted)),
        parameters.gates,
    )
    never = pd.Series(pd.NaT, index=placed.index, dtype="datetime64[s]")
    placed = placed.assign(since=never, home=placed["segment_id"])
    week = Week(as_of, fitted, lineage.ids, lineage.newest_number, placed, today)
    return Outcome(
        week, fitted, lineage, lineage, verdict, causes(nowhere, where, nowhere, nowhere)
    )


@dataclass(frozen=True)
class _Run:
    """One run after another: what both ML models make of today's customers."""

    previous: Week
    today: pd.DataFrame
    restated: pd.DataFrame | None
    parameters: WeekParameters
    as_of: date

    @property
    def before(self) -> pd.DataFrame:
        """placed of the last run, by customer."""
        return self.previous.placed.set_index(ID_COLUMN)

    @property
    def past(self) -> pd.DataFrame:
        """Features as of the last run, as they are known now."""
        known = self.previous.inputs
        if self.restated is None or self.restated.empty:
            return known
        told = self.restated[[c for c in known.columns if c in self.restated.columns]]
        told = told[told[ID_COLUMN].isin(known[ID_COLUMN])]
        rest = known[~known[ID_COLUMN].isin(told[ID_COLUMN])]
        numbers = numeric_features(told, [c for c in told.columns if c != ID_COLUMN])
        return pd.concat([rest, numbers.assign(**{ID_COLUMN: told[ID_COLUMN]})])

    def put(
        self, fitted: FittedSegments, ids: Mapping[int, str], frame: pd.DataFrame
    ) -> pd.DataFrame:
        """Place customers with these features, from where they were last run."""
        shift = _shift(fitted, self.previous.inputs, frame)
        found = _named(distances(fitted, frame), ids)
        return place(found, self.before["segment_id"], shift, self.parameters.moves)

    def match(self, challenger: FittedSegments) -> Lineage:
        """Say which cluster of the challenger is which segment, by today's customers."""
        then = self._then()
        now = _nearest(distances(challenger, self.today))
        rows = _positions(challenger, self.today)
        centres_then = mean_positions(rows, then).reindex(
            [s for s in self.previous.ids.values() if s != NOISE_ID]
        )
        centres_now = mean_positions(rows, now).reindex(_clusters(challenger))
        told = (self.previous.newest_number, self.parameters.lineage, self.before["home"])
        lineage = match_segments(then, now, centres_then, centres_now, *told)
        return _with_noise(lineage, challenger)

    def try_on(self, fitted: FittedSegments, lineage: Lineage) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Placements and moves if this ML model assigned."""
        placed = self.put(fitted, lineage.ids, self.today)
        return placed, self._moves(placed, fitted, lineage.ids)

    def challenge(
        self, challenger: FittedSegments, lineage: Lineage, moves: pd.DataFrame
    ) -> Challenge:
        """Gather what the gates ask for."""
        now, then = _nearest(distances(challenger, self.today)), self._then()
        seen = sample_positions(
            len(self.today), self.parameters.search.silhouette_rows, self.parameters.search.seed
        )
        codes = [np.unique(s.to_numpy()[seen], return_inverse=True)[1] for s in (now, then)]
        own, champion = mean_silhouettes(_positions(challenger, self.today)[seen], codes)
        return Challenge(
            _least_stability(challenger),
            own.mean,
            champion.mean,
            self.parameters.search.tolerance if challenger.k > self.previous.fitted.k else 0.0,
            _smallest(now, _clusters(challenger)),
            _smallest(then, [s for s in self.previous.ids.values() if s != NOISE_ID]),
            lineage.events,
            moves,
            int(self.before.index.isin(self.today[ID_COLUMN]).sum()),
        )

    def keep(
        self, challenger: FittedSegments | None, proposed: Lineage | None, verdict: Verdict
    ) -> Outcome:
        """The champion goes on assigning."""
        week = self.previous
        lineage = kept_lineage(week.ids, self._then(), week.newest_number)
        placed, moves = self.try_on(week.fitted, lineage)
        onward = self.week(week.fitted, lineage, placed)
        return Outcome(onward, challenger, proposed, lineage, verdict, moves)

    def week(self, fitted: FittedSegments, lineage: Lineage, placed: pd.DataFrame) -> Week:
        """What is handed on: placements with `since` and `home`."""
        before = self.before.reindex(placed[ID_COLUMN])
        stays = (before["segment_id"] == placed["segment_id"].to_numpy()).to_numpy()
        day = pd.Timestamp(self.as_of)
        since = before["since"].where(stays, day).astype("datetime64[s]")
        settled = since.isna() | ((day - since).dt.days >= self.parameters.settled_days)
        home = before["home"].where(~settled.to_numpy(), placed["segment_id"].to_numpy())
        placed = placed.assign(since=since.to_numpy(), home=home.to_numpy())
        return Week(self.as_of, fitted, lineage.ids, lineage.newest_number, placed, self.today)

    def _then(self) -> pd.Series:
        """Where the champion alone, without hysteresis, puts today's customers."""
        return _nearest(_named(distances(self.previous.fitted, self.today), self.previous.ids))

    def _moves(
        self, placed: pd.DataFrame, fitted: FittedSegments, ids: Mapping[int, str]
    ) -> pd.DataFrame:
        """Who moved and why; only movers are placed again with one thing changed."""
        week, before = self.previous, self.before["segment_id"]
        after = placed.set_index(ID_COLUMN)["segment_id"]
        movers = after.index[before.reindex(after.index).ne(after).to_numpy()]
        movers = movers[movers.isin(before.index)]
        today = self.today[self.today[ID_COLUMN].isin(movers)]
        past = self.past[self.past[ID_COLUMN].isin(movers)]
        comparable = set(self.parameters.treatments) <= set(past.columns)
        nobody = pd.Series(dtype="object")

        def alone(
            other: FittedSegments, names: Mapping[int, str], frame: pd.DataFrame
        ) -> pd.Series:
            if frame.empty:
                return nobody
            return self.put(other, names, frame).set_index(ID_COLUMN)["segment_id"]

        corrected = alone(week.fitted, week.ids, past) if self.restated is not None else nobody
        behaved = alone(week.fitted, week.ids, today)
        bounded = alone(fitted, ids, past) if comparable else None
        return causes(before, after, corrected, behaved, bounded)


def _challenger(
    customers: pd.DataFrame, champion: FittedSegments, parameters: WeekParameters
) -> FittedSegments:
    """This week's fit; of the champion's algorithm and k unless another choice is really better."""
    fitted = _fit(customers, parameters.search, parameters)
    algorithm, k = champion.clusterer.algorithm, champion.k
    if not is_choice_kept(
        fitted.evidence, algorithm, k, parameters.search.tolerance, parameters.gates
    ):
        return fitted
    if (fitted.clusterer.algorithm, fitted.k) == (algorithm, k):
        return fitted
    same = replace(parameters.search, algorithms=(algorithm,), k_range=(k, k))
    return _fit(customers, same, parameters)


def _fit(
    customers: pd.DataFrame, search: SearchParameters, parameters: WeekParameters
) -> FittedSegments:
    typical = customers
    if parameters.exclude_outliers and "is_outlier" in customers:
        typical = customers[~customers["is_outlier"].fillna(False).astype(bool)]
    return fit_segments(customers if typical.empty else typical, parameters.treatments, search)


def _inputs(
    customers: pd.DataFrame, previous: Week | None, parameters: WeekParameters
) -> pd.DataFrame:
    """Ids and raw features, those of the last run among them, ascending by customer."""
    features = dict.fromkeys(parameters.treatments)
    if previous is not None:
        features |= dict.fromkeys(c for c in previous.inputs.columns if c in customers.columns)
    features.pop(ID_COLUMN, None)
    numbers = numeric_features(customers, list(features))
    numbers.insert(0, ID_COLUMN, customers[ID_COLUMN])
    return numbers.sort_values(ID_COLUMN, ignore_index=True)


def _is_equal(proposed: Lineage, previous: Week) -> bool:
    """Whether both ML models put everybody into the same segments."""
    same = set(proposed.ids.values()) == set(previous.ids.values())
    return same and bool((proposed.events["jaccard"] == 1).all())


def _positions(fitted: FittedSegments, frame: pd.DataFrame) -> np.ndarray:
    """Prepared rows, as the frame's."""
    return prepare(fitted.preparation, frame)


def _shift(fitted: FittedSegments, then: pd.DataFrame, now: pd.DataFrame) -> pd.Series:
    """How far each customer went, in prepared units; only of those who are in both frames."""
    if not set(now.columns) <= set(then.columns):
        return pd.Series(dtype="float64")
    both = now[[ID_COLUMN]].merge(then, on=ID_COLUMN)
    here = now[now[ID_COLUMN].isin(both[ID_COLUMN])]
    gone = _positions(fitted, here) - _positions(fitted, both)
    return pd.Series(np.linalg.norm(gone, axis=1), index=pd.Index(here[ID_COLUMN]))


def _named(found: pd.DataFrame, ids: Mapping[int, str]) -> pd.DataFrame:
    order = sorted(ids, key=lambda cluster: segment_order(ids[cluster]))
    return found[order].rename(columns=dict(ids))


def _nearest(found: pd.DataFrame) -> pd.Series:
    """customer -> column of the least distance."""
    columns = found.columns.to_numpy()
    return pd.Series(columns[found.to_numpy().argmin(axis=1)], index=found.index)


def _clusters(fitted: FittedSegments) -> pd.Index:
    """Numbers of the clusters, without noise."""
    return pd.RangeIndex(fitted.k - int(fitted.clusterer.has_noise))


def _with_noise(lineage: Lineage, fitted: FittedSegments) -> Lineage:
    if not fitted.clusterer.has_noise:
        return lineage
    return replace(lineage, ids={**lineage.ids, fitted.k - 1: NOISE_ID})


def _smallest(now: pd.Series, groups: pd.Index | list[str]) -> float:
    """Share of the customers in the smallest of the groups."""
    sizes = now.value_counts().reindex(groups, fill_value=0)
    return float(sizes.min()) / max(len(now), 1) if len(sizes) else 0.0


def _least_stability(fitted: FittedSegments) -> float:
    chosen = fitted.evidence[fitted.evidence["is_chosen"]]
    return float(chosen["least_stability"].iloc[0])
