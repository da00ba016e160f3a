from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.moves import CAUSES, MoveParameters, causes, flapping, place

IDS = ["s1", "s2", "s10", "noise"]
STILL = pd.Series(dtype="float64")
NOBODY = pd.Series(dtype="object")
SEGMENT = st.sampled_from(IDS)
PLACES = st.lists(st.tuples(st.none() | SEGMENT, *[SEGMENT] * 4), min_size=1, max_size=30)
NEAR = st.integers(0, 20).map(lambda tenths: tenths / 10)


def _place(to_own: float, to_other: float, shift: float = 0.0, former: str | None = "s1") -> str:
    distances = pd.DataFrame({"s1": [to_own], "s2": [to_other]}, index=["ann"])
    previous = NOBODY if former is None else pd.Series({"ann": former})
    return str(place(distances, previous, pd.Series({"ann": shift}))["segment_id"].item())


@pytest.mark.parametrize(
    ("to_own", "to_other", "shift", "former", "expected"),
    [
        (1.0, 0.85, 0.0, "s1", "s1"),  # nearer, but not by a fifth
        (1.0, 0.79, 0.0, "s1", "s2"),
        (1.0, 0.95, 3.0, "s1", "s2"),  # she really changed
        (1.0, 1.00, 9.0, "s1", "s1"),  # changed, but no other is nearer
        (1.0, 0.95, 0.0, None, "s2"),  # new
        (1.0, 0.95, 0.0, "s7", "s2"),  # her segment is no more
        (0.0, 0.00, 0.0, "s2", "s2"),  # a tie
        (1.0, 0.95, float("nan"), "s1", "s1"),
    ],
)
def test_who_moves(to_own, to_other, shift, former, expected) -> None:
    assert _place(to_own, to_other, shift, former) == expected


def test_all_columns_of_a_held_customer() -> None:
    distances = pd.DataFrame({"s2": [0.95, 4.0], "s1": [1.0, 1.0]}, index=["ben", "ann"])
    placed = place(distances, pd.Series({"ben": "s1"}), STILL)
    assert placed["customer_id"].tolist() == ["ann", "ben"]
    assert placed["segment_id"].tolist() == ["s1", "s1"]
    assert placed["nearest_segment_id"].tolist() == ["s1", "s2"]
    assert placed["second_segment_id"].tolist() == ["s2", "s2"]
    assert placed["distance"].tolist() == [1.0, 1.0]
    assert placed["second_distance"].tolist() == [4.0, 0.95]
    assert placed["confidence"].tolist() == [0.75, 0.0]
    assert placed["is_held"].tolist() == [False, True]


def test_one_segment_has_no_second() -> None:
    placed = place(pd.DataFrame({"s1": [1.0, 0.0]}, index=["ann", "ben"]), NOBODY, STILL)
    assert placed["second_segment_id"].isna().all()
    assert placed["second_distance"].isna().all()
    assert placed["confidence"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("wrong", [{"margin": 1.0}, {"margin": -0.1}, {"changed": 0.0}])
def test_senseless_parameters_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MoveParameters(**wrong)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.none() | SEGMENT, NEAR, NEAR, NEAR, NEAR, NEAR), min_size=1, max_size=20),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.randoms(use_true_random=False),
)
def test_placing_again_changes_nothing_whatever_the_order(customers, margin, random) -> None:
    index = [f"C{i}" for i in range(len(customers))]
    distances = pd.DataFrame([c[1:5] for c in customers], index=index, columns=IDS)
    previous = pd.Series({i: c[0] for i, c in zip(index, customers, strict=True) if c[0]})
    shift = pd.Series([2 * c[5] for c in customers], index=index)
    parameters = MoveParameters(margin=margin)
    placed = place(distances, previous.astype("object"), shift, parameters)
    where = placed.set_index("customer_id")["segment_id"]
    pd.testing.assert_series_equal(
        place(distances, where, STILL, parameters).set_index("customer_id")["segment_id"], where
    )
    columns = random.sample(IDS, len(IDS))
    shuffled = distances.sample(frac=1, random_state=random.randrange(99))[columns]
    pd.testing.assert_frame_equal(place(shuffled, previous, shift, parameters), placed)
    moved = placed[placed["customer_id"].isin(previous.index)].set_index("customer_id")
    changed = moved[moved["segment_id"] != previous.reindex(moved.index)]
    assert (changed["segment_id"] == changed["nearest_segment_id"]).all()
    assert not changed["is_held"].any()


def _cause(before, corrected, behaved, bounded, after) -> str:
    told = [pd.Series({"ann": s}, dtype="object") for s in (before, after, corrected, behaved)]
    moves = causes(*told, pd.Series({"ann": bounded}, dtype="object"))
    return str(moves["cause"].item()) if len(moves) else "stays"


@pytest.mark.parametrize(
    ("before", "corrected", "behaved", "bounded", "after", "expected"),
    [
        ("s1", "s1", "s1", "s1", "s1", "stays"),
        ("s1", "s2", "s2", "s2", "s1", "stays"),
        (None, None, "s2", "s2", "s2", "new"),
        ("s1", "s2", "s2", "s2", "s2", "correction"),
        ("s1", "s1", "s2", "s2", "s2", "behaviour"),
        ("s1", "s1", "s1", "s2", "s2", "boundary"),
        ("s1", "s1", "s2", "s10", "s10", "boundary"),  # what alone brings her there goes first
        ("s1", "s2", "s10", "s1", "s10", "behaviour"),
        ("s1", "s1", "s2", "s1", "s10", "behaviour"),  # none alone brings her there
        ("s1", "s1", "s1", "s1", "s2", "boundary"),  # only both together
    ],
)
def test_the_cause_of_a_move(before, corrected, behaved, bounded, after, expected) -> None:
    assert _cause(before, corrected, behaved, bounded, after) == expected


@settings(max_examples=30, deadline=None)
@given(PLACES, st.randoms(use_true_random=False))
def test_causes_are_exhaustive_and_exclusive(places, random) -> None:
    index = [f"C{i:02d}" for i in range(len(places))]
    frame = pd.DataFrame(
        places, index=index, columns=["before", "after", "corrected", "behaved", "bounded"]
    )
    told = [frame[name].dropna() for name in frame]
    moves = causes(*told)
    moved = frame[frame["before"] != frame["after"]]
    assert moves["customer_id"].tolist() == moved.index.tolist()
    assert set(moves["cause"]) <= set(CAUSES)
    new = moves["cause"] == "new"
    assert (moves["from_segment_id"].isna() == new).all()
    assert (moves["to_segment_id"].to_numpy() == moved["after"].to_numpy()).all()
    shuffled = [series.sample(frac=1, random_state=random.randrange(99)) for series in told]
    pd.testing.assert_frame_equal(causes(*shuffled), moves)


@settings(max_examples=20, deadline=None)
@given(PLACES)
def test_the_same_ml_model_moves_nobody_by_a_boundary(places) -> None:
    frame = pd.DataFrame(places, columns=["before", "after", "corrected", "_", "__"])
    frame["before"] = frame["before"].fillna("s1")
    moves = causes(
        frame["before"], frame["after"], frame["corrected"], behaved=frame["after"],
        bounded=frame["corrected"],
    )  # fmt: skip
    assert set(moves["cause"]) <= {"correction", "behaviour"}


def _history(*runs: str) -> pd.DataFrame:
    """One word a run; the n-th letter is the segment of the n-th customer, '.' when not there."""
    rows = [
        (run, number, letter)
        for run, word in enumerate(runs)
        for number, letter in enumerate(word)
        if letter != "."
    ]
    return pd.DataFrame(rows, columns=["as_of", "customer_id", "segment_id"])


def test_flapping_counts_who_comes_back_soon() -> None:
    measured = flapping(_history("aaa.", "aba.", "aaab", "aabb"), within=2)
    assert measured["customers"].tolist() == [0, 3, 3, 4]
    assert measured["moved"].tolist() == [0, 1, 1, 1]
    assert measured["moved_back"].tolist() == [0, 0, 1, 0]
    assert measured["moved_back_share"].tolist() == [0, 0, pytest.approx(1 / 3), 0]


def test_who_comes_back_late_does_not_flap() -> None:
    history = _history("a", "b", "b", "b", "a")
    assert flapping(history, within=2)["moved_back"].sum() == 0
    assert flapping(history, within=3)["moved_back"].sum() == 1


def test_who_was_away_has_not_moved() -> None:
    assert flapping(_history("ab", "a.", "aa"))["moved"].sum() == 0


def test_nobody_flaps_in_an_empty_history() -> None:
    assert flapping(_history()).empty
    assert np.isfinite(flapping(_history("a", "b"))["moved_share"]).all()
