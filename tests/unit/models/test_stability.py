from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clusterers import NearestCentre, fit_clusterer
from models.search_parameters import SearchParameters
from models.stability import Candidate, best_jaccard, segment_stability

TOLD = SearchParameters(n_init=2)


def _blobs(apart: float, count: int = 300) -> np.ndarray:
    kind = np.arange(count) % 3
    centres = apart * np.array([[0, 0], [1, 0], [0, 1]])
    return centres[kind] + np.random.default_rng(4).normal(size=(count, 2))


def _stability(rows: np.ndarray, k: int, told: SearchParameters = TOLD) -> np.ndarray:
    return segment_stability(rows, [Candidate(fit_clusterer("kmeans", rows, k, told), k)], told)[0]


def test_true_groups_are_found_again_and_made_up_ones_are_not() -> None:
    rows = _blobs(apart=12)
    true, made_up = _stability(rows, 3), _stability(rows, 6)
    assert true.min() > 0.99
    assert made_up.min() < 0.75
    assert _stability(_blobs(apart=0), 6).mean() < 0.75


def test_the_same_for_the_same_seed_only() -> None:
    rows = _blobs(apart=3)
    again = _stability(rows, 4)
    np.testing.assert_array_equal(_stability(rows, 4), again)
    assert (_stability(rows, 4, SearchParameters(n_init=2, seed=7)) != again).any()


def test_a_sample_is_enough_where_there_are_many() -> None:
    rows = _blobs(apart=12, count=3000)
    bounded = SearchParameters(n_init=2, stability_rows=300)
    assert _stability(rows, 3, bounded).min() > 0.99


def test_more_clusters_than_a_resample_has_kinds_of_customers_are_not_found() -> None:
    rows = np.repeat(np.eye(4), 2, axis=0)
    assert _stability(rows, 4).max() < 1


def test_not_measured() -> None:
    rows = _blobs(apart=3)
    one = Candidate(NearestCentre(rows[:2]), 2)
    told = segment_stability(rows, [one], SearchParameters(resamples=0))
    assert np.isnan(told[0]).all() and len(told[0]) == 2
    nothing = Candidate(NearestCentre(np.zeros((1, 0))), 1)
    assert np.isnan(segment_stability(np.zeros((5, 0)), [nothing], TOLD)[0]).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 4)), min_size=1, max_size=40))
def test_best_jaccard_is_that_of_sets(pairs: list[tuple[int, int]]) -> None:
    then, now = np.array(pairs).T
    found = best_jaccard(then, now, clusters=4)
    for cluster, value in enumerate(found):
        own = set(np.flatnonzero(then == cluster))
        others = [set(np.flatnonzero(now == other)) for other in range(5)]
        best = max((len(own & o) / len(own | o) if own | o else 0.0) for o in others)
        assert value == pytest.approx(best)
