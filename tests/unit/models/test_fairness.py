from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from models.fairness import (
    ALL_FEATURES,
    AUDIT_COLUMNS,
    BELOW,
    NO_PROXY,
    PROXY,
    REFERENCE,
    TOO_FEW,
    WITHIN,
    AuditParameters,
    audit,
    misread,
    proxies,
    rank_auc,
)


def people(count: int = 4000, seed: int = 5) -> pd.DataFrame:
    """Two ages; the old buy seldom, in `frequency`, and are in s1 half as often."""
    rng = np.random.default_rng(seed)
    old = rng.random(count) < 0.4
    return pd.DataFrame(
        {
            "age_band": np.where(rng.random(count) < 0.1, None, np.where(old, "60+", "18-59")),
            "frequency": rng.poisson(np.where(old, 2, 8)) + 1.0,
            "recency_days": rng.integers(1, 300, count).astype("float64"),
            "segment": np.where(rng.random(count) < np.where(old, 0.3, 0.6), "s1", "s2"),
        }
    )


def audited(frame: pd.DataFrame, **told: object) -> pd.DataFrame:
    errors = {"unsure": pd.Series(frame.index % 5 == 0, frame.index)}
    parameters = AuditParameters(**told)  # type: ignore[arg-type]
    return audit(frame[["age_band"]], frame["segment"], errors, parameters)


def test_a_group_that_is_found_half_as_often_is_told() -> None:
    found = audited(people()).set_index(["outcome", "group_name"])
    row = found.loc[("s1", "60+")]
    assert row["verdict"] == BELOW and row["reference_group"] == "18-59"
    assert row["ratio"] == pytest.approx(0.5, abs=0.06)
    assert row["ratio_low"] < row["ratio"] < row["ratio_high"] < 0.8
    assert found.loc[("s1", "18-59"), "verdict"] == REFERENCE
    assert found.loc[("unsure", "60+"), "verdict"] in (WITHIN, REFERENCE)
    low, high = proportion_confint(row["counted"], row["customers"], method="wilson")
    assert (row["rate_low"], row["rate_high"]) == (pytest.approx(low), pytest.approx(high))


def test_shares_of_a_group_add_up_and_the_unknown_are_not_counted() -> None:
    frame = people()
    found = audited(frame)
    shares = found[found["kind"] == "share"].groupby("group_name")["rate"].sum()
    assert shares.to_numpy() == pytest.approx(1)
    assert list(found.columns) == list(AUDIT_COLUMNS)
    counted = found[found["outcome"] == "s1"]["customers"].sum()
    assert counted == frame["age_band"].notna().sum()


def test_of_errors_the_lowest_rate_is_the_best() -> None:
    frame = people()
    errors = {"misread": (frame["age_band"] == "60+") & (frame.index % 2 == 0)}
    found = audit(frame[["age_band"]], frame["segment"], errors)
    worse = found[(found["kind"] == "error") & (found["group_name"] == "60+")].iloc[0]
    assert worse["verdict"] == BELOW and worse["ratio"] == 0
    assert worse["reference_group"] == "18-59"


def test_few_are_too_few_to_tell() -> None:
    found = audited(people(60), least_customers=30)
    small = found[found["group_name"] == "60+"]
    assert set(small["verdict"]) == {TOO_FEW}
    assert small[["counted", "rate", "ratio"]].isna().all(axis=None), "only its size is told"
    assert found["reference_group"].isna().all(), "only one group is large enough"
    unclear = audited(people(120), least_customers=30).set_index(["outcome", "group_name"])
    row = unclear.loc[("s1", "60+")]
    assert row["verdict"] == TOO_FEW and row["ratio_low"] < 0.8 < row["ratio_high"]


@pytest.mark.parametrize("values", [None, "60+"])
def test_nobody_known_or_one_group_only(values: str | None) -> None:
    frame = people(300).assign(age_band=values)
    found = audited(frame)
    assert set(found["verdict"]) <= {TOO_FEW}
    assert len(found) == (0 if values is None else 3)


@given(seed=st.integers(0, 10_000), groups=st.integers(2, 6), segments=st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_chance_alone_is_not_called_unfair(seed: int, groups: int, segments: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age_band": rng.integers(0, groups, 600).astype("str"),
            "segment": rng.integers(0, segments, 600).astype("str"),
        }
    )
    found = audited(frame)
    assert (found["verdict"] == BELOW).sum() == 0
    told = found.dropna(subset=["rate"])
    assert told["rate"].between(told["rate_low"] - 1e-9, told["rate_high"] + 1e-9).all()


def test_a_feature_that_betrays_age_is_a_proxy() -> None:
    found = proxies(people(), ["age_band"], ["frequency", "recency_days"]).set_index("feature")
    assert found.loc["frequency", "verdict"] == PROXY and found.loc["frequency", "auc"] > 0.9
    assert found.loc["recency_days", "verdict"] == NO_PROXY
    assert found.loc["recency_days", "auc"] == pytest.approx(0.5, abs=0.06)
    assert found.loc[ALL_FEATURES, "verdict"] == PROXY


def test_the_area_by_ranks_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    chances = rng.random((300, 3)).round(1)
    chances /= chances.sum(axis=1, keepdims=True)
    groups = rng.integers(0, 3, 300)
    expected = roc_auc_score(groups, chances, multi_class="ovr")
    assert rank_auc(chances, groups[:, None] == np.arange(3)) == pytest.approx(expected)


def test_missing_values_may_betray_too_and_few_people_tell_nothing() -> None:
    frame = people()
    frame["posts"] = np.where(frame["age_band"] == "60+", np.nan, 1.0)
    assert proxies(frame, ["age_band"], ["posts"])["verdict"].tolist() == [PROXY, PROXY]
    few = proxies(frame.head(40), ["age_band"], ["posts"])
    assert set(few["verdict"]) == {TOO_FEW} and few["auc"].isna().all()
    assert proxies(frame, ["age_band"], []).empty


def test_whom_a_short_rule_misreads() -> None:
    frame = people()
    drawn = pd.Series(np.where(frame["frequency"] > 4, "s1", "s2"), frame.index)
    wrong = misread(frame, ["frequency"], drawn)
    assert wrong.dropna().sum() == 0
    tossed = misread(frame, ["recency_days"], frame["segment"])
    assert tossed.mean() == pytest.approx(0.5, abs=0.1)
    bounded = misread(frame, ["frequency"], drawn, AuditParameters(sample_size=100))
    assert bounded.notna().sum() == 100
    assert misread(frame.head(3), ["frequency"], drawn.head(3)).isna().all()
