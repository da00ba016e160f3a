from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clusterers import NearestCentre
from models.evidence import EVIDENCE_COLUMNS, choose, eta_squared, measure, reasoning
from models.search_parameters import SearchParameters


def _measured(silhouettes: list[float], shares: list[float]) -> pd.DataFrame:
    told = {"algorithm": "kmeans", "k": range(2, 2 + len(shares)), "silhouette": silhouettes}
    frame = pd.DataFrame({**told, "smallest_share": shares})
    return frame.reindex(
        columns=[c for c in EVIDENCE_COLUMNS if c not in ("gap", "is_chosen", "reason")]
    )


def _rule(min_share: float = 0.01, tolerance: float = 0.0) -> SearchParameters:
    return SearchParameters(min_share=min_share, tolerance=tolerance)


def _chosen(selection: pd.DataFrame) -> int:
    return int(selection.loc[selection["is_chosen"], "k"].item())


def test_a_k_with_a_tiny_segment_is_not_eligible() -> None:
    selection = choose(_measured([0.3, 0.5, 0.2], [0.3, 0.004, 0.1]), _rule())
    assert _chosen(selection) == 2
    assert selection["reason"].tolist() == [
        "best silhouette",
        "smallest segment below 1.0%",
        "eligible",
    ]


def test_without_an_eligible_k_the_guard_is_waived_and_said_so() -> None:
    selection = choose(_measured([0.5, 0.4], [0.001, 0.004]), _rule())
    assert _chosen(selection) == 3
    assert "none keeps every segment above 1.0%" in selection["reason"].iloc[1]


def test_of_those_that_separate_well_the_fewest_that_tell_who_spends_what_are_taken() -> None:
    measured = _measured([0.50, 0.47, 0.46, 0.45, 0.30], [0.2] * 5)
    told = measured.assign(revenue_explained=[0.2, 0.5, 0.6, 0.62, 0.9])
    assert _chosen(choose(told, _rule())) == 2
    selection = choose(told, _rule(tolerance=0.1))
    assert _chosen(selection) == 4
    assert "0.62" in selection.loc[selection["is_chosen"], "reason"].item()


def test_where_no_spend_is_known_the_best_silhouette_decides() -> None:
    measured = _measured([0.46, 0.50, 0.47], [0.2] * 3)
    assert _chosen(choose(measured, _rule(tolerance=0.1))) == 3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 0.5)), min_size=1, max_size=9),
    st.floats(0, 0.2),
)
def test_exactly_one_k_is_chosen_and_it_is_the_best_eligible(
    judged: list[tuple[float, float]], min_share: float
) -> None:
    measured = _measured([s for s, _ in judged], [share for _, share in judged])
    selection = choose(measured, _rule(min_share))
    assert selection["is_chosen"].sum() == 1
    eligible = selection[selection["smallest_share"] >= min_share]
    if not eligible.empty:
        chosen = selection[selection["is_chosen"]].iloc[0]
        assert chosen["silhouette"] == eligible["silhouette"].max()
        assert chosen["smallest_share"] >= min_share


def test_gap_is_the_lead_over_the_best_other() -> None:
    told = choose(_measured([0.5, 0.4, 0.3], [0.2] * 3), _rule())
    np.testing.assert_allclose(told["gap"], [0.1, -0.1, -0.2])
    assert np.isnan(choose(_measured([0.5], [0.2]), _rule())["gap"].iloc[0])


def test_figures_of_two_clear_groups() -> None:
    rows = np.array([[0.0], [0.2], [9.8], [10.0]])
    found = measure(
        rows,
        [NearestCentre(np.array([[0.1], [9.9]]))],
        [np.array([0.9, 0.7])],
        rows[:, 0],
        SearchParameters(),
    ).iloc[0]
    assert found["silhouette"] == pytest.approx(0.98, abs=0.001)
    assert found["inertia"] == pytest.approx(0.04)
    assert found["davies_bouldin"] == pytest.approx(0.2 / 9.8)
    assert found["smallest_share"] == 0.5
    assert found["revenue_explained"] == pytest.approx(1, abs=0.001)


def test_eta_squared_leaves_out_what_is_not_known() -> None:
    values = np.array([1.0, 2.0, np.nan, 8.0, 9.0])
    labels = np.array([0, 0, 0, 1, 1])
    assert eta_squared(values, labels) == pytest.approx(1 - 1 / 50)
    assert np.isnan(eta_squared(np.array([3.0, 3.0]), np.array([0, 1])))
    assert np.isnan(eta_squared(np.array([np.nan]), np.array([0])))


def _stable(stabilities: list[float], shares: list[float]) -> pd.DataFrame:
    measured = _measured([0.5 - 0.01 * i for i in range(len(shares))], shares)
    return measured.assign(least_stability=stabilities)


def test_an_unstable_k_is_not_eligible() -> None:
    told = choose(_stable([0.59, 0.9, 0.4], [0.3, 0.2, 0.1]), _rule())
    assert _chosen(told) == 3
    assert told["reason"].iloc[2] == "a segment less stable than 0.60"


def test_without_a_stable_k_the_most_stable_large_one_is_taken_and_said_so() -> None:
    told = choose(_stable([0.4, 0.5, 0.59], [0.3, 0.2, 0.001]), _rule())
    assert _chosen(told) == 3
    assert "the most stable taken" in told["reason"].iloc[1]


def test_of_equal_k_the_better_silhouette_is_taken_then_the_algorithm_named_first() -> None:
    measured = _measured([0.4, 0.4, 0.39], [0.2] * 3)
    measured = measured.assign(algorithm=["ward", "kmeans", "gaussian_mixture"], k=3)
    chosen = choose(measured, _rule(tolerance=0.05)).query("is_chosen")
    assert chosen["algorithm"].tolist() == ["ward"]


def test_the_reasoning_says_what_was_tried_and_refused() -> None:
    told = choose(_stable([0.9, 0.8, 0.4], [0.3, 0.2, 0.1]), _rule(tolerance=0.05))
    paragraph = reasoning(told, 1234, _rule(tolerance=0.05))
    assert "k-means with 2 to 4 segments, measured on 1,234 customers" in paragraph
    assert "Taken: k-means with 2, best silhouette" in paragraph
    assert "Not eligible: kmeans 4 (a segment less stable than 0.60)." in paragraph
    assert "the least stable with 0.90 (at least 0.60)" in paragraph
