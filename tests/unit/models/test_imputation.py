from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.imputation import ATTRIBUTES, ImputationParameters, Strategy, impute

STRATEGIES: tuple[Strategy, ...] = ("median", "knn", "iterative")


def customers(count: int, seed: int = 0, missing: float = 0.4) -> pd.DataFrame:
    """Families spend much and often, students little: attributes follow from behaviour."""
    rng = np.random.default_rng(seed)
    is_family = rng.random(count) < 0.4
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{i:05d}" for i in rng.permutation(count)],
            "frequency": np.where(is_family, 20, 3) + rng.integers(0, 3, count),
            "monetary": np.where(is_family, 2000.0, 60.0) + rng.normal(0, 10, count),
            "household_size": np.where(is_family, 4.0, 1.0),
            "age_band": np.where(is_family, "45-59", "18-29"),
            "occupation": None,
        }
    )
    truth = frame[["household_size", "age_band"]]
    frame = frame.assign(income_band="middle", education="school", home_ownership=None)
    for name in truth:
        frame[name] = frame[name].mask(rng.random(count) < missing)
    return frame.assign(true_size=truth["household_size"], true_band=truth["age_band"])


@pytest.mark.parametrize("strategy", ["knn", "iterative"])
def test_likeness_beats_the_most_frequent(strategy: Strategy) -> None:
    frame = customers(600)
    found = impute(frame, ImputationParameters(strategy)).merge(
        frame[["customer_id", "true_size", "true_band"]], on="customer_id"
    )
    guessed = found[found["is_household_size_imputed"]]
    assert len(guessed) > 150
    assert (guessed["household_size"] == guessed["true_size"]).mean() > 0.95
    guessed = found[found["is_age_band_imputed"]]
    assert (guessed["age_band"] == guessed["true_band"]).mean() > 0.95


def test_median_and_most_frequent_are_what_they_say() -> None:
    found = impute(customers(600)).query("is_household_size_imputed and is_age_band_imputed")
    assert set(found["household_size"]) == {1.0}
    assert set(found["age_band"]) == {"18-29"}


@settings(max_examples=12, deadline=None)
@given(
    count=st.integers(1, 40),
    seed=st.integers(0, 9),
    missing=st.sampled_from([0.0, 0.5, 1.0]),
    strategy=st.sampled_from(STRATEGIES),
)
def test_what_is_known_stays_and_every_guess_is_marked(
    count: int, seed: int, missing: float, strategy: Strategy
) -> None:
    frame = customers(count, seed, missing).sort_values("customer_id", ignore_index=True)
    found = impute(frame, ImputationParameters(strategy, donors=20))
    assert found["customer_id"].tolist() == frame["customer_id"].tolist()
    for name in ATTRIBUTES:
        known = frame[name].notna()
        assert (found.loc[known, name] == frame.loc[known, name]).all()
        assert (found[f"is_{name}_imputed"] == (~known & known.any())).all()
        assert found[name].notna().all() == known.any()
    again = impute(frame.sample(frac=1, random_state=1), ImputationParameters(strategy, donors=20))
    pd.testing.assert_frame_equal(found, again)


def test_nobody_gives_nothing() -> None:
    assert impute(customers(5).iloc[:0]).empty
    only_a_name = pd.DataFrame({"customer_id": ["a"], **dict.fromkeys(ATTRIBUTES)})
    assert impute(only_a_name)[list(ATTRIBUTES)].isna().all(axis=None)
