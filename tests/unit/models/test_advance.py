"""A run after another, on few customers; a year of them stands in test_weeks.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.clusterers import NearestCentre
from models.clustering import FittedSegments
from models.moves import MoveParameters
from models.preparation import PreparationParameters
from models.search_parameters import SearchParameters
from models.weeks import Outcome, Week, WeekParameters, advance

DAYS = [date(2025, 1, 5), date(2025, 1, 12), date(2025, 1, 19)]
TREATMENTS = {"x": "linear", "y": "linear"}
PARAMETERS = WeekParameters(
    preparation=PreparationParameters(treatments=TREATMENTS),
    search=SearchParameters(k_range=(3, 3), n_init=3),
    moves=MoveParameters(margin=0.1, changed=1.0),
)
PLACES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])


def _customers(sizes: tuple[int, ...] = (60, 50, 40), seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    where = np.repeat(PLACES, sizes, axis=0) + rng.normal(0, 1, (sum(sizes), 2))
    frame = pd.DataFrame(where, columns=["x", "y"])
    return frame.assign(customer_id=[f"C{i:03d}" for i in range(len(frame))])


def _run(previous: Week | None, customers: pd.DataFrame, day: int, **told) -> Outcome:
    parameters = told.pop("parameters", PARAMETERS)
    return advance(previous, customers, told.pop("restated", None), parameters, as_of=DAYS[day],
                   **told)  # fmt: skip


@pytest.fixture(scope="module")
def first() -> Outcome:
    return _run(None, _customers(), 0)


def test_the_first_run_numbers_by_size_and_all_are_new(first: Outcome) -> None:
    sizes = first.week.placed["segment_id"].value_counts()
    assert sizes.to_dict() == {"s1": 60, "s2": 50, "s3": 40}
    assert first.verdict.is_promoted
    assert set(first.moves["cause"]) == {"new"}
    assert set(first.lineage.events["event"]) == {"born"}
    assert first.week.placed["since"].isna().all()


def test_the_same_customers_again_change_nothing(first: Outcome) -> None:
    again = _run(first.week, _customers(), 1)
    assert again.verdict.is_equal
    assert not again.verdict.is_refused
    assert again.week.fitted is first.week.fitted
    assert again.moves.empty
    pd.testing.assert_frame_equal(again.week.placed, first.week.placed)


def test_who_changes_moves_by_behaviour_and_newcomers_are_new(first: Outcome) -> None:
    customers = _customers((60, 50, 42)).iloc[5:]
    customers.loc[7, ["x", "y"]] = [10.0, 0.0]
    run = _run(first.week, customers, 1, refit=False)
    told = run.moves.set_index("customer_id")
    assert told.loc["C007"].tolist() == ["s1", "s2", "behaviour"]
    assert (told.drop(index="C007")["cause"] == "new").all()
    assert run.challenger is None
    assert run.verdict.told == "The ML model in use assigns; nothing was fitted."
    placed = run.week.placed.set_index("customer_id")
    assert placed.loc["C007", "since"] == pd.Timestamp(DAYS[1])
    assert placed.loc["C007", "home"] == "s1"
    assert pd.isna(placed.loc["C151", "home"])
    assert "C000" not in placed.index


def test_late_data_is_a_correction(first: Outcome) -> None:
    customers = _customers()
    customers.loc[7, ["x", "y"]] = [10.0, 0.0]
    run = _run(first.week, customers, 1, refit=False, restated=customers.iloc[[7]])
    assert run.moves[["customer_id", "cause"]].to_numpy().tolist() == [["C007", "correction"]]


def test_restated_customers_who_were_not_there_are_new(first: Outcome) -> None:
    customers = _customers((60, 50, 41))
    run = _run(first.week, customers, 1, refit=False, restated=customers)
    assert run.moves[["customer_id", "cause"]].to_numpy().tolist() == [["C150", "new"]]


def _with_border_at(fitted: FittedSegments, x: float) -> FittedSegments:
    """The same ML model with another border between the first two places."""
    centres = fitted.clusterer.centres.copy()
    scale = (centres[:, 0].max() - centres[:, 0].min()) / 10
    centres[centres[:, 0].argmax(), 0] += 2 * (x - 5) * scale
    return replace(fitted, clusterer=NearestCentre(centres))


def test_a_border_that_moves_is_refused_unless_an_operator_wants_it(first: Outcome) -> None:
    moved = _with_border_at(first.week.fitted, 9.5)
    customers = _customers()
    run = _run(first.week, customers, 1, chosen=moved)
    assert run.verdict.is_promoted
    assert not run.verdict.reasons.set_index("gate").loc["migration", "passed"]
    assert set(run.moves["cause"]) == {"boundary"}
    assert run.week.fitted is moved
    assert set(run.lineage.events["event"]) == {"continued"}


def test_a_refused_challenger_leaves_the_champion(
    first: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = _with_border_at(first.week.fitted, 9.5)
    monkeypatch.setattr("models.challengers.fit_segments", lambda *_: moved)
    run = _run(first.week, _customers(), 1)
    assert run.verdict.is_refused
    assert run.week.fitted is first.week.fitted
    assert run.moves.empty
    assert run.challenger is moved


def test_a_second_segment_of_the_same_place_is_a_split(first: Outcome) -> None:
    customers = _customers()
    customers.loc[:24, "x"] -= 12
    parameters = replace(PARAMETERS, search=replace(PARAMETERS.search, k_range=(4, 4)))
    run = _run(first.week, customers, 1, parameters=parameters)
    events = run.lineage.events.set_index("event")
    assert events.loc["split", ["segment_id", "from_segment_id"]].tolist() == ["s4", "s1"]
    assert run.week.newest_number == 4


def test_newcomers_of_another_kind_are_a_birth(first: Outcome) -> None:
    more = _customers((60, 50, 70))
    more.loc[150:, ["x", "y"]] -= [12, 10]
    parameters = replace(PARAMETERS, search=replace(PARAMETERS.search, k_range=(4, 4)))
    run = _run(first.week, more, 1, parameters=parameters)
    assert run.lineage.events["event"].tolist() == ["continued"] * 3 + ["born"]


def test_a_dead_number_is_never_used_again(first: Outcome) -> None:
    two = replace(PARAMETERS, search=replace(PARAMETERS.search, k_range=(2, 2)))
    fewer = _run(first.week, _customers((60, 50, 0)), 1, parameters=two)
    assert fewer.lineage.events["event"].tolist() == ["continued", "continued", "died"]
    more = _run(fewer.week, _customers(), 2)
    assert set(more.week.ids.values()) == {"s1", "s2", "s4"}


def test_the_order_of_rows_changes_nothing(first: Outcome) -> None:
    customers = _customers((60, 52, 44), seed=1)
    one = _run(first.week, customers, 1)
    two = _run(first.week, customers.sample(frac=1, random_state=3), 1)
    pd.testing.assert_frame_equal(one.week.placed, two.week.placed)
    pd.testing.assert_frame_equal(one.moves, two.moves)
    pd.testing.assert_frame_equal(one.lineage.events, two.lineage.events)


def test_other_cluster_numbers_change_nothing(first: Outcome) -> None:
    customers = _customers((60, 52, 44), seed=1)
    week = first.week
    other = [2, 0, 1]
    renumbered = replace(
        week,
        fitted=replace(week.fitted, clusterer=NearestCentre(week.fitted.clusterer.centres[other])),
        ids={new: week.ids[old] for new, old in enumerate(other)},
    )
    one, two = _run(week, customers, 1), _run(renumbered, customers, 1)
    pd.testing.assert_frame_equal(one.week.placed, two.week.placed)
    pd.testing.assert_frame_equal(one.moves, two.moves)


def test_outliers_are_placed_but_not_fitted() -> None:
    customers = _customers().assign(is_outlier=False)
    customers.loc[0, ["x", "y", "is_outlier"]] = [500.0, 500.0, True]
    run = _run(None, customers, 0)
    assert len(run.week.placed) == 150
    assert run.week.placed["segment_id"].value_counts().max() == 59


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda frame: frame.drop(columns="y"), "missing from the frame: y"),
        (lambda frame: frame.assign(x=np.inf), "infinite values in: x"),
        (lambda frame: frame.head(0), "no customers"),
        (lambda frame: pd.concat([frame, frame.head(1)]), "customer_id repeats"),
    ],
)
def test_bad_frames_are_refused(first: Outcome, damage: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _run(first.week, damage(_customers()), 1)


def test_a_day_that_is_not_later_is_refused(first: Outcome) -> None:
    with pytest.raises(ValueError, match="2025-01-05 is not after it"):
        _run(first.week, _customers(), 0)


def test_one_customer_and_equal_customers_have_one_segment() -> None:
    one = _run(None, _customers().head(1), 0)
    assert one.week.placed["segment_id"].tolist() == ["s1"]
    equal = _run(one.week, _customers().assign(x=1.0, y=1.0), 1)
    assert set(equal.week.placed["segment_id"]) == {"s1"}


def test_a_new_feature_does_not_stop_the_run(first: Outcome) -> None:
    parameters = replace(
        PARAMETERS, preparation=PreparationParameters(treatments={**TREATMENTS, "z": "linear"})
    )
    customers = _customers((60, 52, 44), seed=1)
    run = _run(first.week, customers.assign(z=range(len(customers))), 1, parameters=parameters)
    assert list(run.week.inputs.columns) == ["customer_id", "x", "y", "z"]
    assert set(run.week.ids.values()) == {"s1", "s2", "s3"}
