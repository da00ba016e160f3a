"""Which number of segments this week's fit has, beside the ML model in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models import challengers
from models.challengers import FINER_REASON, KEPT_REASON, WeekParameters, choice, fit_challenger
from models.clustering import FittedSegments
from models.preparation import PreparationParameters
from models.search_parameters import SearchParameters

PLACES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
SPEND = np.array([10.0, 100.0, 1000.0])
SEARCH = SearchParameters(k_range=(3, 5), n_init=3, tolerance=0.1, resamples=0)
PARAMETERS = WeekParameters(
    preparation=PreparationParameters(treatments={"x": "linear", "y": "linear"}), search=SEARCH
)


def _customers() -> pd.DataFrame:
    """Three places, each of those who spend alike."""
    rng = np.random.default_rng(0)
    place = np.repeat([0, 1, 2], 40)
    frame = pd.DataFrame(PLACES[place] + rng.normal(0, 1, (120, 2)), columns=["x", "y"])
    frame["monetary"] = SPEND[place] * rng.uniform(0.9, 1.1, 120)
    return frame.assign(customer_id=[f"C{i:03d}" for i in range(120)])


@pytest.fixture
def champion() -> FittedSegments:
    """Three segments, which separate best and explain all spend."""
    fitted = challengers.fit_typical(_customers(), SEARCH, PARAMETERS)
    assert choice(fitted) == ("kmeans", 3)
    return fitted


@pytest.fixture
def finding(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, dict], None]:
    """Let the fit of all k choose this one and say this of each k: silhouette, spend explained."""
    fit = challengers.fit_typical

    def find(chosen: int, told: dict[int, tuple[float, float]]) -> None:
        def fit_typical(customers, search, parameters, near=None) -> FittedSegments:
            if search.k_range[0] == search.k_range[1]:
                return fit(customers, search, parameters, near)
            k = chosen
            fitted = fit(customers, replace(search, k_range=(k, k)), parameters, near)
            all_k = fit(customers, search, parameters, near).evidence.set_index("k", drop=False)
            for each, (silhouette, explained) in told.items():
                all_k.loc[each, ["silhouette", "revenue_explained"]] = [silhouette, explained]
            all_k["is_chosen"] = all_k["k"] == k
            return replace(fitted, evidence=all_k.reset_index(drop=True))

        monkeypatch.setattr(challengers, "fit_typical", fit_typical)

    return find


def _reason(fitted: FittedSegments) -> str:
    return fitted.evidence.loc[fitted.evidence["is_chosen"], "reason"].item()


def test_without_a_champion_the_rule_chooses(finding: Callable) -> None:
    finding(4, {})
    assert fit_challenger(_customers(), PARAMETERS).k == 4


def test_k_is_kept_where_the_champion_itself_is_as_good(
    finding: Callable, champion: FittedSegments
) -> None:
    """Fitted anew, three segments end elsewhere: as compact, and blind to spend."""
    finding(4, {3: (0.8, 0.2), 4: (0.75, 0.9), 5: (0.6, 0.9)})
    again = fit_challenger(_customers(), PARAMETERS, champion)
    assert again.k == 3
    assert _reason(again) == KEPT_REASON


def test_k_changes_where_the_champion_has_become_worse(
    finding: Callable, champion: FittedSegments
) -> None:
    finding(4, {3: (0.8, 0.2), 4: (0.75, 0.9), 5: (0.6, 0.9)})
    shuffled = _customers()
    shuffled["monetary"] = np.random.default_rng(1).permutation(shuffled["monetary"])
    assert fit_challenger(shuffled, PARAMETERS, champion).k == 4


@pytest.mark.parametrize(("explained", "k"), [(0.95, 4), (0.5, 3)])
def test_one_segment_more_must_not_explain_less(
    finding: Callable, champion: FittedSegments, explained: float, k: int
) -> None:
    finding(3, {3: (0.9, 0.99), 4: (0.98, explained), 5: (0.5, explained)})
    again = fit_challenger(_customers(), PARAMETERS, champion)
    assert again.k == k
    assert (_reason(again) == FINER_REASON) == (k == 4)
