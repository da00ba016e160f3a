"""A year of weekly runs over a simulated company, without any true change and with planted ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from models.moves import flapping
from models.search_parameters import SearchParameters
from models.weeks import Outcome, WeekParameters, advance
from tests.unit.models.simulated import GROUPS, Company, Group

#: Customers of kinds that there were not before.
RESELLERS = Group(0.1, 4.0, 2500, 0.55, 14.0, -0.4, 15)
UNHAPPY = Group(0.1, 3.5, 900, 0.35, 0.3, -0.7, 15)
REGULARS, SPENDERS = 0, 2
#: Some big spenders spend not much more than spenders do.
BETWEEN = Group(0.05, 0.5, 2700, 0.02, 1.0, 0.6, 90, 0.1)

FIRST = date(2025, 1, 5)
#: Few starts and few k, so that a year takes seconds; stability has its own tests.
SEARCH = SearchParameters(k_range=(5, 9), n_init=6, tolerance=0.1, silhouette_rows=800, resamples=0)
PARAMETERS = WeekParameters(search=SEARCH)
CUSTOMERS = 1500


def others(*seeds: int) -> list[Any]:
    """Seeds of the long tests."""
    return [pytest.param(seed, marks=pytest.mark.long) for seed in seeds]


@dataclass(frozen=True)
class Year:
    """Outcomes of weeks 1, 2, … and who was planted in which change."""

    outcomes: dict[int, Outcome]
    planted: dict[str, pd.Index]

    def events(self, weeks: range) -> list[tuple[str, str, str | None]]:
        """All events but 'continued' of these weeks."""
        told = pd.concat([self.outcomes[week].lineage.events for week in weeks])
        told = told[told["event"] != "continued"]
        rows = told[["event", "segment_id", "from_segment_id"]].to_numpy().tolist()
        return [(event, new, None if pd.isna(old) else old) for event, new, old in rows]

    def moves(self, weeks: range) -> pd.DataFrame:
        """Moves of these weeks, newcomers left out."""
        told = pd.concat([self.outcomes[week].moves.assign(week=week) for week in weeks])
        return told[told["cause"] != "new"]

    def placed(self, week: int) -> pd.Series:
        return self.outcomes[week].week.placed.set_index("customer_id")["segment_id"]


@dataclass(frozen=True)
class Plan:
    """In which week what changes; 0: never."""

    birth: int = 0
    split: int = 0
    prices: int = 0
    late: int = 0


def _run(company: Company, weeks: int, plan: Plan = Plan(), parameters=PARAMETERS) -> Year:
    outcomes: dict[int, Outcome] = {}
    planted: dict[str, pd.Index] = {}
    week, restated = None, None
    for number in range(1, weeks + 1):
        if number == plan.birth:
            planted["birth"] = company.join(RESELLERS, 150)
        if number == plan.split:
            planted["split"] = company.members(REGULARS, 0.5)
            company.change(planted["split"], UNHAPPY)
        if number == plan.prices:
            company.reprice(company.members(SPENDERS, 1.0), 3.0)
        as_of = FIRST + timedelta(weeks=number)
        outcome = advance(week, company.features(), restated, parameters, as_of=as_of)
        outcomes[number], week, restated = outcome, outcome.week, None
        if number == plan.late - 10:
            company.people["is_late"] = company.rng.random(len(company.people)) < 0.1
        if number == plan.late - 1:
            # What nobody knew of this week comes to light in the next.
            planted["late"] = company.reveal()
            restated = company.features().query("customer_id in @planted['late']")
        company.week()
    return Year(outcomes, planted)


def _assert_nothing_happened(year: Year) -> None:
    weeks = range(2, len(year.outcomes) + 1)
    assert year.events(weeks) == []
    for number in weeks:
        both = year.placed(number - 1).to_frame("then").join(year.placed(number), how="inner")
        stayed = (both["then"] == both["segment_id"]).mean()
        assert stayed >= 0.99, f"week {number}: {1 - stayed:.2%} moved"
    first, last = year.placed(1), year.placed(len(weeks) + 1)
    both = first.to_frame("first").join(last, how="inner")
    # No segment has swapped its id: of each, most members of the first week are there in the last.
    kept = both["first"].eq(both["segment_id"]).groupby(both["first"]).mean()
    assert (kept > 0.7).all()
    assert set(first) == set(last)


@pytest.mark.parametrize("seed", [1, *others(2, 3, 4)])
def test_a_year_without_a_true_change(seed: int) -> None:
    year = _run(Company(CUSTOMERS, seed), 52)
    _assert_nothing_happened(year)
    placed = [o.week.placed.assign(as_of=o.week.as_of) for o in year.outcomes.values()]
    measured = flapping(pd.concat(placed), within=4)
    assert measured["moved_back_share"].mean() < 0.002


def _assert_told_as_what_it_is(year: Year, plan: Plan) -> None:
    soon = {name: range(week, week + 2) for name, week in vars(plan).items() if week}
    quiet = set(range(2, len(year.outcomes) + 1)) - {w for weeks in soon.values() for w in weeks}

    [(event, born, _)] = year.events(soon["birth"])
    assert event == "born"
    placed = year.placed(soon["birth"][-1])
    assert (placed.reindex(year.planted["birth"]).dropna() == born).mean() > 0.9

    regulars = year.placed(plan.split - 1).reindex(year.planted["split"]).mode().item()
    [(event, part, whole)] = year.events(soon["split"])
    assert (event, whole) == ("split", regulars)
    placed = year.placed(soon["split"][-1])
    assert (placed.reindex(year.planted["split"]).dropna() == part).mean() > 0.9

    if plan.prices:
        _assert_a_border_moved(year, plan, soon)

    corrections = year.moves(range(2, len(year.outcomes) + 1)).query("cause == 'correction'")
    assert set(corrections["week"]) == {plan.late}
    assert set(corrections["customer_id"]) <= set(year.planted["late"])
    moved = year.moves(range(plan.late, plan.late + 1))
    late = moved[moved["customer_id"].isin(year.planted["late"])]
    assert late["cause"].value_counts().idxmax() == "correction"

    assert year.events(range(2, plan.birth)) == []
    assert all(year.events(range(w, w + 1)) == [] for w in quiet if w < plan.late)


def _assert_a_border_moved(year: Year, plan: Plan, planted: dict[str, range]) -> None:
    """More move by the boundary than in any quiet week before, and more than by anything else."""
    soon, boundary = planted["prices"], _weekly(year, "boundary")
    assert year.events(soon) == []
    before = set(range(2, plan.prices)) - {w for weeks in planted.values() for w in weeks}
    week = max(soon, key=lambda w: boundary.get(w, 0))
    assert boundary.get(week, 0) > max(5, 2 * max(boundary.get(w, 0) for w in before))
    told = year.moves(range(week, week + 1))["cause"].value_counts()
    assert told.idxmax() == "boundary"


def _weekly(year: Year, cause: str) -> dict[int, int]:
    moves = year.moves(range(2, len(year.outcomes) + 1))
    return moves[moves["cause"] == cause].groupby("week").size().to_dict()


@pytest.mark.parametrize("seed", [1, *others(2)])
def test_changes_planted_in_a_year_are_told_as_what_they_are(seed: int) -> None:
    plan = Plan(birth=20, split=30, prices=40, late=45)
    _assert_told_as_what_it_is(_run(Company(CUSTOMERS, seed, (*GROUPS, BETWEEN)), 46, plan), plan)


@pytest.mark.long
def test_changes_are_told_with_the_settings_as_they_come() -> None:
    """All numbers of segments, ten starts, and stability in twenty resamples; a shorter year."""
    as_it_comes = WeekParameters(search=SearchParameters(tolerance=0.1))
    plan = Plan(birth=3, split=5, prices=8, late=12)
    company = Company(CUSTOMERS, 1, (*GROUPS, BETWEEN))
    year = _run(company, 12, plan, as_it_comes)
    _assert_told_as_what_it_is(year, plan)
