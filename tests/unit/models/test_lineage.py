from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.lineage import (
    COLUMNS,
    Lineage,
    LineageParameters,
    first_lineage,
    kept_lineage,
    match_segments,
    mean_positions,
    segment_order,
)

CUSTOMERS = st.lists(
    st.tuples(st.integers(1, 5), st.integers(0, 5), st.floats(-9, 9), st.floats(-9, 9)),
    min_size=1,
    max_size=60,
)


def _match(
    then: list[str], now: list[int], homes: list[str | None] | None = None, newest: int = 9
) -> Lineage:
    """Customers in a row; each segment and cluster stands at the mean of its members' positions."""
    index = pd.Index([f"C{i:03d}" for i in range(len(then))])
    rows = np.arange(len(then), dtype=float)[:, None]
    return match_segments(
        pd.Series(then, index),
        pd.Series(now, index),
        mean_positions(rows, pd.Series(then)),
        mean_positions(rows, pd.Series(now)),
        newest,
        homes=None if homes is None else pd.Series(homes, index, dtype="object"),
    )


def _told(lineage: Lineage) -> list[tuple[str, str, str | None]]:
    rows = lineage.events[["event", "segment_id", "from_segment_id"]].to_numpy().tolist()
    return [(event, new, None if pd.isna(old) else old) for event, new, old in rows]


def test_the_first_fit_numbers_by_size() -> None:
    lineage = first_lineage(pd.Series([4, 7, 7, 2, 7, 2], list("abcdef")), pd.Index([2, 4, 7]))
    assert lineage.ids == {7: "s1", 2: "s2", 4: "s3"}
    assert _told(lineage) == [("born", "s1", None), ("born", "s2", None), ("born", "s3", None)]
    assert lineage.newest_number == 3


def test_every_segment_goes_on_under_other_numbers() -> None:
    lineage = _match(["s1"] * 5 + ["s2"] * 5, [3] * 5 + [0] * 5)
    assert lineage.ids == {3: "s1", 0: "s2"}
    assert _told(lineage) == [("continued", "s1", "s1"), ("continued", "s2", "s2")]
    assert (lineage.events[["jaccard", "share_of_then", "share_of_now"]] == 1).all().all()
    assert (lineage.events["centroid_distance"] == 0).all()


def test_a_segment_that_parts_goes_on_in_its_larger_part() -> None:
    lineage = _match(["s1"] * 10 + ["s2"] * 5, [0] * 7 + [1] * 3 + [2] * 5)
    assert lineage.ids == {0: "s1", 1: "s10", 2: "s2"}
    split = lineage.events.set_index("event").loc["split"]
    assert (split["segment_id"], split["from_segment_id"]) == ("s10", "s1")
    assert (split["shared_customers"], split["share_of_then"], split["share_of_now"]) == (3, 0.3, 1)


def test_of_two_that_become_one_the_larger_goes_on() -> None:
    lineage = _match(["s1"] * 3 + ["s2"] * 7 + ["s3"] * 5, [0] * 10 + [1] * 5)
    assert lineage.ids == {0: "s2", 1: "s3"}
    assert ("merged", "s2", "s1") in _told(lineage)


def test_customers_from_elsewhere_are_a_birth() -> None:
    """The old ML model can only put them into s1, the nearest; nobody of s1 is among them."""
    then, now = ["s1"] * 10 + ["s2"] * 5, [0] * 6 + [2] * 4 + [1] * 5
    homes = ["s1"] * 6 + [None] * 3 + ["s2"] * 6
    assert _told(_match(then, now, homes))[-1] == ("born", "s10", None)
    assert _told(_match(then, now))[-1] == ("split", "s10", "s1")


def test_a_segment_whose_members_scatter_is_dead() -> None:
    then = ["s1"] * 3 + ["s2"] * 8 + ["s3"] * 8 + ["s4"] * 8
    now = [0, 1, 2] + [0] * 8 + [1] * 8 + [2] * 8
    lineage = _match(then, now)
    assert _told(lineage)[-1] == ("died", "s1", None)
    assert sorted(lineage.ids.values()) == ["s2", "s3", "s4"]


def test_a_segment_without_customers_is_dead_and_its_number_never_used_again() -> None:
    index = pd.Index(["a", "b"])
    then, now = pd.Series(["s1", "s1"], index), pd.Series([0, 1], index)
    here = pd.DataFrame({"x": [0.0, np.nan]}, index=["s1", "s4"])
    there = pd.DataFrame({"x": [0.0, 1.0]}, index=[0, 1])
    lineage = match_segments(then, now, here, there, newest_number=2)
    assert ("died", "s4", None) in _told(lineage)
    assert sorted(lineage.ids.values()) == ["s1", "s5"]


def test_the_nearer_of_two_equal_parts_goes_on() -> None:
    then = ["s1"] * 4
    here = pd.DataFrame({"x": [0.0]}, index=["s1"])
    there = pd.DataFrame({"x": [3.0, 1.0]}, index=[0, 1])
    index = pd.Index(list("abcd"))
    lineage = match_segments(
        pd.Series(then, index), pd.Series([0, 0, 1, 1], index), here, there, newest_number=1
    )
    assert lineage.ids == {0: "s2", 1: "s1"}


def test_the_same_ml_model_keeps_all() -> None:
    then = pd.Series(["s2", "s2", "noise"])
    lineage = kept_lineage({0: "s2", 1: "s7", 2: "noise"}, then, newest_number=8)
    assert _told(lineage) == [("continued", "s2", "s2"), ("continued", "s7", "s7")]
    assert lineage.events["shared_customers"].tolist() == [2, 0]
    assert lineage.newest_number == 8


def test_ids_are_ordered_by_birth() -> None:
    assert sorted(["s10", "noise", "s9", "s1"], key=segment_order) == ["s1", "s9", "s10", "noise"]


@pytest.mark.parametrize("name", ["least_jaccard", "centroid_weight", "origin_share"])
def test_senseless_parameters_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        LineageParameters(**{name: 1.5})


@settings(max_examples=25, deadline=None)
@given(CUSTOMERS, st.permutations(range(6)), st.randoms(use_true_random=False))
def test_neither_numbers_nor_order_matter(customers, numbers, random) -> None:
    shuffled = list(enumerate(customers))
    random.shuffle(shuffled)
    one = _matched(list(enumerate(customers)), list(range(6)))
    two = _matched(shuffled, numbers)
    assert {numbers[cluster]: s for cluster, s in one.ids.items()} == two.ids
    pd.testing.assert_frame_equal(one.events, two.events, check_exact=False, rtol=1e-9)


@settings(max_examples=25, deadline=None)
@given(CUSTOMERS)
def test_every_segment_and_every_cluster_is_told_once(customers) -> None:
    lineage = _matched(list(enumerate(customers)), list(range(6)))
    events = lineage.events
    assert list(events.columns) == COLUMNS
    before, after = {f"s{c[0]}" for c in customers}, {c[1] for c in customers}
    assert set(lineage.ids) == after
    assert len(set(lineage.ids.values())) == len(after)
    begun = events.loc[events["event"].isin(["continued", "split", "born"]), "segment_id"]
    assert sorted(begun) == sorted(lineage.ids.values())
    ended = events.loc[events["event"].isin(["continued", "merged"]), "from_segment_id"]
    dead = events.loc[events["event"] == "died", "segment_id"]
    assert sorted([*ended, *dead]) == sorted(before)
    fresh = set(lineage.ids.values()) - before
    assert all(segment_order(s)[1] > 5 for s in fresh)


def _matched(customers: list, numbers: list[int]) -> Lineage:
    index = pd.Index([f"C{i:03d}" for i, _ in customers])
    then = pd.Series([f"s{c[0]}" for _, c in customers], index)
    now = pd.Series([numbers[c[1]] for _, c in customers], index)
    rows = np.array([c[2:] for _, c in customers])
    return match_segments(
        then, now, mean_positions(rows, then), mean_positions(rows, now), newest_number=5
    )
