"""From one run to the next: fit, match, judge, place, and say why who moved.

Frames in, frames out. Of the past a run knows what the last run handed on, a `Week`, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import pandas as pd

from models.challengers import (
    WeekParameters,
    choice,
    fit_challenger,
    fit_typical,
    known_features,
    silhouettes,
)
from models.clustering import ID_COLUMN, FittedSegments
from models.distances import sample_positions
from models.judging import Challenge, Verdict, judge, judge_first, kept
from models.lineage import (
    NOISE_ID,
    Lineage,
    first_lineage,
    kept_lineage,
    match_segments,
    mean_positions,
)
from models.moves import causes, place
from models.preparation import numeric_features
from models.views import View, least_stability, real_clusters, shift, smallest_share, with_noise

__all__ = ["Outcome", "Week", "WeekParameters", "advance", "choice", "fit_challenger"]


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
    challenger: FittedSegments | None = None,
    chosen: FittedSegments | None = None,
) -> Outcome:
    """Run once: place today's customers, with this week's fit if it may go live.

    customers: one row each, with customer_id and the features; is_outlier where known.
    restated: features as of the last run as they are known now, of those whose past changed.
    refit: False places with the champion only, between weekly fits.
    challenger: this week's fit, when it was made already (by `fit_challenger`).
    chosen: an ML model that an operator wants; it goes live whatever the gates say.
    Without a previous week there is no champion: the fit goes live, its evidence told.
    Raises ValueError for a day that is not after the previous one, and as `fit_segments` does.
    """
    parameters = parameters or WeekParameters()
    today = known_features(
        customers, parameters, () if previous is None else previous.inputs.columns
    )
    if previous is None:
        return _begin(customers, today, chosen or challenger, parameters, as_of)
    if as_of <= previous.as_of:
        raise ValueError(f"the last run was as of {previous.as_of}: {as_of} is not after it")
    run = _Run(previous, today, restated, parameters, as_of)
    challenger = chosen or challenger
    if challenger is None and not refit:
        return run.keep(None, None, kept())
    if challenger is None:
        challenger = fit_challenger(customers, parameters, previous.fitted)
    view, proposed = run.match(challenger)
    if chosen is None and _is_equal(proposed, previous):
        return run.keep(challenger, proposed, replace(kept(), is_equal=True))
    placed, moves = run.try_on(view)
    verdict = judge(run.challenge(view, proposed, moves), parameters.gates)
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
    fitted = chosen or fit_typical(customers, parameters.search, parameters)
    now, clusters = View(fitted, {}, today).nearest_cluster, real_clusters(fitted)
    lineage = first_lineage(now, clusters)
    lineage = replace(lineage, ids=with_noise(lineage.ids, fitted))
    verdict = judge_first(
        least_stability(fitted), fitted.silhouette, smallest_share(now, clusters), parameters.gates
    )
    nowhere = pd.Series(dtype="object")
    view = View(fitted, lineage.ids, today)
    placed = place(view.distances, nowhere, nowhere.astype(float), parameters.moves)
    moves = causes(nowhere, placed.set_index(ID_COLUMN)["segment_id"], nowhere, nowhere)
    never = pd.Series(pd.NaT, index=placed.index, dtype="datetime64[s]")
    placed = placed.assign(since=never, home=placed["segment_id"])
    week = Week(as_of, fitted, lineage.ids, lineage.newest_number, placed, today)
    return Outcome(week, fitted, lineage, lineage, verdict, moves)


@dataclass(frozen=True)
class _Run:
    """One run after another: what both ML models make of customers last run and today."""

    previous: Week
    today: pd.DataFrame
    restated: pd.DataFrame | None
    parameters: WeekParameters
    as_of: date

    @cached_property
    def before(self) -> pd.DataFrame:
        """placed of the last run, by customer."""
        return self.previous.placed.set_index(ID_COLUMN)

    @cached_property
    def past(self) -> pd.DataFrame:
        """Features as of the last run, as they are known now."""
        known = self.previous.inputs
        if self.restated is None or self.restated.empty:
            return known
        features = [c for c in known.columns if c != ID_COLUMN]
        told = numeric_features(self.restated, features)
        told.insert(0, ID_COLUMN, self.restated[ID_COLUMN])
        told = told[told[ID_COLUMN].isin(known[ID_COLUMN])]
        rest = known[~known[ID_COLUMN].isin(told[ID_COLUMN])]
        return pd.concat([rest, told]).sort_values(ID_COLUMN, ignore_index=True)

    @cached_property
    def champion(self) -> View:
        """Today, seen by the champion."""
        return View(self.previous.fitted, self.previous.ids, self.today)

    @cached_property
    def champion_then(self) -> View:
        """The last run as it was known, seen by the champion."""
        return replace(self.champion, frame=self.previous.inputs)

    def match(self, challenger: FittedSegments) -> tuple[View, Lineage]:
        """Say which cluster of the challenger is which segment, by today's customers."""
        then, view = self.champion.nearest, View(challenger, {}, self.today)
        now, segments = (
            view.nearest_cluster,
            [s for s in self.previous.ids.values() if s != NOISE_ID],
        )
        lineage = match_segments(
            then,
            now,
            mean_positions(view.rows, then).reindex(segments),
            mean_positions(view.rows, now).reindex(real_clusters(challenger)),
            self.previous.newest_number,
            self.parameters.lineage,
            self.before["home"],
        )
        lineage = replace(lineage, ids=with_noise(lineage.ids, challenger))
        return view.named(lineage.ids), lineage

    def put(self, now: View, then: View | None, who: pd.Index | None = None) -> pd.DataFrame:
        """Place customers from where they were last run, `then` being their figures of that run."""
        went = pd.Series(dtype="float64") if then is None else shift(then, now)
        found = now.distances if who is None else now.distances[now.customers.isin(who)]
        return place(found, self.before["segment_id"], went, self.parameters.moves)

    def try_on(self, view: View) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Placements and moves if the ML model of this view assigned."""
        # A feature that was not looked at last run cannot tell how far anybody went.
        known = set(self.parameters.features) <= set(self.previous.inputs.columns)
        then = self.champion_then if view is self.champion else None
        if then is None and known:
            then = replace(view, frame=self.previous.inputs)
        placed = self.put(view, then)
        after, before = placed.set_index(ID_COLUMN)["segment_id"], self.before["segment_id"]
        who = after.index[before.reindex(after.index).ne(after).to_numpy()]
        behaved = self._alone(self.champion, self.champion_then, who)
        if self.restated is None or then is None:
            bounded = None if then is None else self._alone(then, then, who)
            return placed, causes(before, after, before, behaved, bounded)
        corrected = self._alone(replace(self.champion, frame=self.past), self.champion_then, who)
        bounded = self._alone(replace(view, frame=self.past), then, who)
        return placed, causes(before, after, corrected, behaved, bounded)

    def challenge(self, view: View, lineage: Lineage, moves: pd.DataFrame) -> Challenge:
        """Gather what the gates ask for."""
        search = self.parameters.search
        then, now = self.champion.nearest, view.nearest
        seen = sample_positions(len(now), search.silhouette_rows, search.seed)
        own, champion = silhouettes(view.rows[seen], [now.to_numpy()[seen], then.to_numpy()[seen]])
        real = [[s for s in ids.values() if s != NOISE_ID] for ids in (view.ids, self.previous.ids)]
        return Challenge(
            least_stability=least_stability(view.fitted),
            silhouette=own.mean,
            champion_silhouette=champion.mean,
            is_rechosen=choice(view.fitted) != choice(self.previous.fitted),
            smallest_share=smallest_share(now, real[0]),
            champion_smallest_share=smallest_share(then, real[1]),
            events=lineage.events,
            moves=moves,
            customers=int(self.before.index.isin(now.index).sum()),
        )

    def keep(
        self, challenger: FittedSegments | None, proposed: Lineage | None, verdict: Verdict
    ) -> Outcome:
        """The champion goes on assigning."""
        week = self.previous
        lineage = kept_lineage(week.ids, self.champion.nearest, week.newest_number)
        placed, moves = self.try_on(self.champion)
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

    def _alone(self, now: View, then: View, who: pd.Index) -> pd.Series:
        """Where these customers would be with one thing changed alone."""
        return self.put(now, then, who).set_index(ID_COLUMN)["segment_id"]


def _is_equal(proposed: Lineage, previous: Week) -> bool:
    """Whether both ML models put everybody into the same segments."""
    same = set(proposed.ids.values()) == set(previous.ids.values())
    return same and bool((proposed.events["jaccard"] == 1).all())
