from __future__ import annotations

from collections.abc import Callable
from functools import cache

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.sql_rules import RuleParameters, roundest, sql_rules

MakeCustomers = Callable[..., pd.DataFrame]
FEATURES = ["recency_days", "frequency", "monetary", "discount_share", "mean_sentiment", "odd name"]


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def _asked(frame: pd.DataFrame, rule: str) -> np.ndarray:
    """Whom the rule takes, by DuckDB."""
    numbered = frame.assign(row_number=range(len(frame)))
    _connection().register("customers", numbered)
    asked = _connection().execute(f"select row_number from customers where {rule} order by 1")
    found = asked.fetchnumpy()
    taken = np.zeros(len(frame), dtype=bool)
    taken[found["row_number"]] = True
    return taken


def _assert_measured(frame: pd.DataFrame, segments: np.ndarray, rules: pd.DataFrame) -> None:
    for row in rules.itertuples():
        taken, is_member = _asked(frame, row.sql_rule), segments == row.segment_id
        assert row.rule_recall == pytest.approx((taken & is_member).sum() / is_member.sum())
        assert row.rule_precision == pytest.approx((taken & is_member).sum() / taken.sum())
        assert row.rule_fidelity == pytest.approx((taken == is_member).mean())


def test_duckdb_finds_whom_the_rule_says(make_customers: MakeCustomers) -> None:
    frame = make_customers(600).rename(columns={"engagement_score": "odd name"})
    recent = (frame["recency_days"] < 60).to_numpy()
    rich = (frame["monetary"] > 400).to_numpy()
    segments = np.select([recent & rich, recent], ["s1", "s2"], "s3")
    rules = sql_rules(frame, segments, FEATURES)
    assert rules["segment_id"].tolist() == ["s1", "s2", "s3"]
    _assert_measured(frame, segments, rules)
    assert (rules["rule_fidelity"] > 0.99).all()
    assert '"recency_days"' in rules["sql_rule"].iloc[0]


def test_a_short_rule_with_round_bounds() -> None:
    frame = pd.DataFrame({"frequency": np.arange(1, 201), "noise": np.tile([1, 2, 3, 4], 50)})
    segments = np.where(frame["frequency"] > 43, "s1", "s2")
    rules = sql_rules(frame, segments, ["frequency", "noise"]).set_index("segment_id")
    assert rules["sql_rule"].to_dict() == {"s1": '"frequency" > 43', "s2": '"frequency" <= 43'}
    assert (rules[["rule_precision", "rule_recall", "rule_fidelity"]] == 1).all(axis=None)


def test_nulls_are_where_the_rule_says_so() -> None:
    frame = pd.DataFrame(
        {"tone": [None] * 50 + list(np.linspace(-1, 0, 50)) + list(np.linspace(0.5, 1, 50))}
    )
    with_null = np.array(["s1"] * 100 + ["s2"] * 50)
    rules = sql_rules(frame, with_null, ["tone"]).set_index("segment_id")["sql_rule"]
    assert rules["s1"] == '("tone" <= 0 or "tone" is null)'
    assert rules["s2"] == '"tone" > 0'
    only_null = np.array(["s1"] * 50 + ["s2"] * 100)
    rules = sql_rules(frame, only_null, ["tone"])
    _assert_measured(frame, only_null, rules)
    assert (rules["rule_fidelity"] == 1).all()


def test_what_all_rows_meet_is_part_of_the_rule() -> None:
    frame = pd.DataFrame({"frequency": np.arange(1, 41)})
    segments = np.where((frame["frequency"] < 11) | (frame["frequency"] > 30), "s1", "s2")
    rules = sql_rules(frame, segments, ["frequency"], '"frequency" > 0')
    assert rules["sql_rule"].tolist() == [
        '"frequency" > 0 and (("frequency" <= 10) or ("frequency" > 30))',
        '"frequency" > 0 and "frequency" > 10 and "frequency" <= 30',
    ]
    _assert_measured(frame, segments, rules)


@pytest.mark.parametrize("frame", [{"frequency": [1]}, {"frequency": [3, 3], "posts": [None] * 2}])
def test_one_customer_and_all_equal(frame: dict[str, list[float]]) -> None:
    customers = pd.DataFrame(frame)
    rules = sql_rules(customers, ["s1"] * len(customers), list(frame), '"frequency" > 0')
    assert rules.iloc[0].tolist() == ["s1", '"frequency" > 0', 1, 1, 1]


def test_equal_customers_in_two_segments_have_a_rule_that_says_how_bad_it_is() -> None:
    frame = pd.DataFrame({"frequency": [3, 3, 3, 3]})
    segments = np.array(["s1", "s1", "s1", "s2"])
    rules = sql_rules(frame, segments, ["frequency"]).set_index("segment_id")
    assert rules.loc["s2"].tolist() == ["true", 0.25, 1, 0.25]
    _assert_measured(frame, segments, rules.reset_index())


def test_names_are_quoted() -> None:
    name = 'a" or true; drop table customers; --'
    frame = pd.DataFrame({name: np.arange(20.0)})
    segments = np.where(frame[name] > 9, "s1", "s2")
    _assert_measured(frame, segments, sql_rules(frame, segments, [name]))


def test_a_sample_teaches_all_are_measured(make_customers: MakeCustomers) -> None:
    frame = make_customers(2000)
    segments = np.where(frame["frequency"] > 6, "s1", "s2")
    rules = sql_rules(frame, segments, FEATURES, parameters=RuleParameters(rows=300))
    _assert_measured(frame, segments, rules)
    assert (rules["rule_fidelity"] > 0.95).all()
    pd.testing.assert_frame_equal(
        rules, sql_rules(frame, segments, FEATURES, parameters=RuleParameters(rows=300))
    )


_value = st.one_of(st.none(), st.integers(-3, 3).map(float), st.floats(-1e6, 1e6, width=32))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(_value, _value, st.sampled_from(["s1", "s2", "s3"])), min_size=1, max_size=40
    )
)
def test_any_rule_takes_whom_it_claims(rows: list[tuple[float | None, float | None, str]]) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b", "segment"]).astype({"a": float, "b": float})
    segments = frame.pop("segment").to_numpy(dtype=object)
    _assert_measured(frame, segments, sql_rules(frame, segments, ["a", "b"]))


@given(st.floats(-1e9, 1e9), st.floats(0.001, 1e6))
def test_round_bounds_lie_within(low: float, width: float) -> None:
    bound = roundest(low, low + width)
    assert low <= bound < low + width
