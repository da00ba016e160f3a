from __future__ import annotations

import numpy as np
import pytest

from models.clusterers import NearestCentre
from models.search_parameters import SearchParameters
from models.starts import prefer

#: Three places: {0, 4} and {10} is more compact than {0} and {4, 10}.
ROWS = np.repeat([[0.0], [4.0], [10.0]], 10, axis=0)
ONCE = np.ones(30, dtype=np.intp)
COMPACT = NearestCentre(np.array([[2.0], [10.0]]))
FORMER = np.array([[0.0], [7.0]])
PARAMETERS = SearchParameters(tolerance=0.1)


def _spend(*told: float) -> np.ndarray:
    return np.repeat(told, 10)


@pytest.mark.parametrize(
    ("revenue", "centres"),
    [
        (_spend(10, 999, 999), [0, 7]),  # the compact one is blind to spend
        (_spend(10, 10, 999), [2, 10]),
        (_spend(10, 10, 10), [2, 10]),  # no spend to explain
        (_spend(np.nan, np.nan, np.nan), [2, 10]),
        (None, [2, 10]),
    ],
)
def test_a_former_fit_goes_on_where_the_other_explains_less(
    revenue: np.ndarray | None, centres: list[float]
) -> None:
    found = prefer(FORMER, COMPACT, ROWS, ONCE, revenue, PARAMETERS)
    assert sorted(found.centres.ravel()) == pytest.approx(centres)


def test_spend_counts_only_where_the_rule_looks_at_it() -> None:
    plain = SearchParameters(tolerance=0.0)
    assert prefer(FORMER, COMPACT, ROWS, ONCE, _spend(10, 999, 999), plain) is COMPACT


def test_who_is_drawn_often_counts_often() -> None:
    """With the middle place nearly absent, both partitions are as compact."""
    rarely = np.repeat([100, 1, 100], 10).astype(np.intp)
    found = prefer(FORMER, COMPACT, ROWS, rarely, None, PARAMETERS)
    assert found is not COMPACT


def test_another_number_of_clusters_starts_anew() -> None:
    three = NearestCentre(np.array([[0.0], [4.0], [10.0]]))
    assert prefer(FORMER, three, ROWS, ONCE, None, PARAMETERS) is three
    assert prefer(None, COMPACT, ROWS, ONCE, None, PARAMETERS) is COMPACT
