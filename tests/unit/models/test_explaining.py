from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from models import explaining
from models.explaining import (
    MIN_REASON_SHARE,
    Placement,
    effect_sizes,
    explain_customers,
    figure,
    members,
    set_apart,
)

MakeCustomers = Callable[..., pd.DataFrame]


def _effect(effects: pd.DataFrame, segment: str, feature: str) -> pd.Series:
    found = effects[(effects["segment_id"] == segment) & (effects["feature"] == feature)]
    assert len(found) == 1
    return found.iloc[0]


def test_effects_equal_the_count_of_all_pairs(make_customers: MakeCustomers) -> None:
    frame = make_customers(150)
    segments = np.array(["s1", "s2", "s10"])[np.arange(150) % 3]
    effects = effect_sizes(frame, segments, ["frequency", "mean_sentiment"])
    for row in effects.itertuples():
        values = frame[row.feature]
        here = values[segments == row.segment_id].dropna().to_numpy()
        others = values[segments != row.segment_id].dropna().to_numpy()
        wins = np.sign(here[:, None] - others[None, :])
        assert row.effect_size == pytest.approx(wins.mean())
        assert row.segment_median == np.median(here)
        assert row.others_median == np.median(others)


def test_ranks_and_words_of_effects() -> None:
    frame = pd.DataFrame(
        {"frequency": [9, 8, 1, 2], "monetary": [1.0, 4.0, 2.0, 3.0], "posts": [None] * 4}
    )
    effects = effect_sizes(frame, ["a", "a", "b", "b"], ["frequency", "monetary", "posts", "nps"])
    often = _effect(effects, "a", "frequency")
    assert (often["effect_size"], often["magnitude"], often["feature_rank"]) == (1, "large", 1)
    spent = _effect(effects, "b", "monetary")
    assert (spent["effect_size"], spent["magnitude"], spent["feature_rank"]) == (0, "negligible", 2)
    unknown = _effect(effects, "a", "posts")
    assert unknown[["feature_rank", "magnitude", "effect_size", "segment_median"]].isna().all()
    assert unknown["known_share"] == 0
    assert set(effects["feature"]) == {"frequency", "monetary", "posts"}
    assert set_apart(effects).to_dict() == {
        "a": "Set apart by the medians of frequency (8.5 against 1.5 of the others).",
        "b": "Set apart by the medians of frequency (1.5 against 8.5 of the others).",
    }


def test_what_few_customers_have_sets_nobody_apart() -> None:
    frame = pd.DataFrame({"posts": [9.0] + [None] * 9 + [1.0] * 10, "frequency": [2] * 20})
    effects = effect_sizes(frame, ["a"] * 10 + ["b"] * 10, ["posts", "frequency"])
    few = _effect(effects, "a", "posts")
    assert (few["effect_size"], few["magnitude"], few["known_share"]) == (1, "large", 0.1)
    assert pd.isna(few["feature_rank"])
    assert set_apart(effects)["a"] == ""


def test_one_segment_alone_is_set_apart_by_nothing() -> None:
    effects = effect_sizes(pd.DataFrame({"frequency": [1, 2]}), ["s1", "s1"], ["frequency"])
    assert effects["effect_size"].isna().all() and effects["feature_rank"].isna().all()
    assert set_apart(effects).to_dict() == {"s1": ""}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.004, "0"),
        (-0.4, "-0.4"),
        (-0.001, "0"),
        (99.5, "99.5"),
        (1e6, "1,000,000"),
        (100.4, "100"),
    ],
)
def test_figures(value: float, told: str) -> None:
    assert figure(value) == told


def test_typical_members_are_near_the_mean_and_border_ones_unsure() -> None:
    placed = pd.DataFrame(
        {
            "customer_id": ["e", "d", "c", "b", "a"],
            "segment_id": ["s1", "s1", "s1", "s2", "s2"],
            "second_segment_id": ["s2", "s2", "s2", "s1", "s1"],
            "confidence": [0.9, 0.1, 0.5, 0.2, 0.2],
        }
    )
    rows = np.array([[0.0], [6.0], [3.0], [1.0], [2.0]])
    found = members(placed, rows, count=2)
    told = {
        (segment, kind): list(group["customer_id"])
        for (segment, kind), group in found.groupby(["segment_id", "kind"])
    }
    assert told == {
        ("s1", "typical"): ["c", "d"],  # d and e are equally far: by id
        ("s1", "border"): ["d", "c"],
        ("s2", "typical"): ["a", "b"],
        ("s2", "border"): ["a", "b"],
    }
    assert found["member_rank"].isin([1, 2]).all()
    first = found[(found["customer_id"] == "e") | (found["customer_id"] == "d")].iloc[0]
    assert first["centre_distance"] == 3


def _placement(rows: np.ndarray, centres: np.ndarray) -> Placement:
    order = cdist(rows, centres).argsort(axis=1, kind="stable")
    ids = np.array([f"s{i + 1}" for i in range(len(centres))], dtype="object")
    return Placement(
        features=[f"f{i}" for i in range(rows.shape[1])],
        rows=rows,
        values=rows * 10,
        centres=dict(zip(ids, centres, strict=True)),
        own=pd.Series(ids[order[:, 0]]),
        second=pd.Series(ids[order[:, 1]]),
    )


_space = st.tuples(st.integers(1, 8), st.integers(1, 6), st.integers(2, 5)).flatmap(
    lambda shape: st.tuples(
        arrays(float, (shape[0], shape[1]), elements=st.floats(-5, 5)),
        arrays(float, (shape[2], shape[1]), elements=st.floats(-5, 5)),
    )
)


@settings(max_examples=80, deadline=None)
@given(_space)
def test_the_parts_add_up_to_the_margin_and_the_strongest_come_first(
    space: tuple[np.ndarray, np.ndarray],
) -> None:
    rows, centres = space
    found = explain_customers(_placement(rows, centres))
    two = np.sort(cdist(rows, centres), axis=1)[:, :2]
    np.testing.assert_allclose(found["margin"], two[:, 1] ** 2 - two[:, 0] ** 2, atol=1e-6)
    shares = found[[f"reason_{i}_share" for i in (1, 2, 3)]].to_numpy(dtype=float)
    filled = np.nan_to_num(shares)
    assert (np.diff(filled, axis=1) <= 1e-9).all()
    assert (filled.sum(axis=1) <= 1 + 1e-5).all()
    assert (np.isnan(shares) == found[["reason_1", "reason_2", "reason_3"]].isna()).all(axis=None)
    if rows.shape[1] <= 3:
        whole = ~found["reason_1"].isna()
        assert (filled[whole].sum(axis=1) > 1 - 2 * MIN_REASON_SHARE).all()


def test_reasons_by_hand() -> None:
    placement = _placement(
        np.array([[0.0, 1.0, 9.0], [0.0, 5.0, 9.0]]), np.array([[0.0, 0.0, 9], [0.0, 10.0, 9]])
    )
    found = explain_customers(placement)
    assert found["margin"].tolist() == [80, 0]
    assert found["reason_1"].tolist()[0] == "f1"
    assert (found["reason_1_value"][0], found["reason_1_share"][0]) == (10, 1)
    assert found["reason_2"].isna().all() and found["reason_1"].isna()[1]


def test_what_is_guessed_is_no_reason() -> None:
    placement = _placement(np.array([[0.0, 1.0]]), np.array([[0.0, 0.0], [2.0, 9.0]]))
    placement.values[0, 1] = np.nan
    found = explain_customers(placement)
    assert found["reason_1"].tolist() == ["f0"] and found["reason_2"].isna().all()
    assert found["reason_1_share"][0] == pytest.approx(4 / (4 + 63), abs=1e-6)


def test_without_a_second_segment_there_is_nothing_to_explain() -> None:
    placement = _placement(np.array([[1.0]]), np.array([[0.0], [3.0]]))
    alone = replace(placement, second=pd.Series([None], dtype="object"))
    found = explain_customers(alone)
    assert found["margin"].isna().all() and found["reason_1"].isna().all()


def test_pieces_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    placement = _placement(rng.normal(size=(50, 4)), rng.normal(size=(3, 4)))
    whole = explain_customers(placement)
    monkeypatch.setattr(explaining, "CHUNK", 7)
    pd.testing.assert_frame_equal(explain_customers(placement), whole)
