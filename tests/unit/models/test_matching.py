from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from models.matching import match_members, match_similar, match_vectors

GROUPS = st.dictionaries(st.integers(0, 40).map(str), st.sampled_from("abcdef"), max_size=40)


def _frame(groups: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({"member": list(groups), "group": list(groups.values())}, dtype="str")


def test_nothing_continues_nothing() -> None:
    assert match_members(_frame({}), _frame({"1": "a"})) == {}
    assert match_members(_frame({"1": "a"}), _frame({})) == {}


def test_the_sum_is_greatest_not_the_first_pair() -> None:
    similarity = csr_array(np.array([[0.9, 0.8], [0.8, 0.0]]))
    assert match_similar(similarity, 0.3) == [(0, 1), (1, 0)]


def test_a_split_group_keeps_its_name_in_its_larger_part() -> None:
    before = _frame({str(i): "whole" for i in range(10)})
    now = _frame({str(i): "large" if i < 7 else "small" for i in range(10)})
    assert match_members(now, before) == {"large": "whole"}


def test_a_merged_group_is_the_larger_of_the_two() -> None:
    before = _frame({str(i): "large" if i < 7 else "small" for i in range(10)})
    now = _frame({str(i): "whole" for i in range(10)})
    assert match_members(now, before) == {"whole": "large"}


def test_too_little_in_common_is_another_group() -> None:
    before = _frame({str(i): "a" for i in range(10)})
    now = _frame({str(i): "b" for i in range(8, 18)})
    assert match_members(now, before) == {}


def test_opposite_and_empty_vectors_match_nothing() -> None:
    assert match_vectors(np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.0, 1.0]]), 0.5) == []
    assert match_vectors(np.empty((0, 2)), np.eye(2), 0.5) == []


@settings(deadline=None, max_examples=25)
@given(GROUPS)
def test_the_same_groups_keep_all_their_names(groups: dict[str, str]) -> None:
    again = _frame({member: group.upper() for member, group in groups.items()})
    assert match_members(again, _frame(groups)) == {g.upper(): g for g in set(groups.values())}


@settings(deadline=None, max_examples=25)
@given(GROUPS, GROUPS, st.randoms())
def test_one_to_one_whatever_the_order(now, before, random) -> None:
    found = match_members(_frame(now), _frame(before))
    assert len(set(found.values())) == len(found)
    shuffled = list(now)
    random.shuffle(shuffled)
    assert match_members(_frame({m: now[m] for m in shuffled}), _frame(before)) == found


def test_thousands_of_groups_take_no_time() -> None:
    members = pd.Series(range(60_000)).astype(str)
    before = pd.DataFrame({"member": members, "group": (pd.Series(range(60_000)) // 3).astype(str)})
    now = before.assign(group="n" + before["group"])
    assert len(match_members(now, before)) == 20_000
