"""Rules from counted baskets equal what FP-growth finds by itself, and chance gives hardly any."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlxtend.frequent_patterns import association_rules, fpgrowth

from models.baskets import COLUMNS, CountedItems, RuleParameters, find_rules
from tessera.baskets import Period, _count, periods

ALL = Period("all", date.min, date(2026, 1, 1))
EVERY_RULE = RuleParameters(min_baskets=2, min_support=1e-9, false_discovery_rate=1e12)


def counted(baskets: list[set[str]], parameters: RuleParameters) -> CountedItems:
    """The baskets as the warehouse counts them."""
    with duckdb.connect() as connection:
        rows = [(str(i), item) for i, b in enumerate(baskets) for item in sorted(b)]
        lines = pd.DataFrame(rows, columns=["order_id", "product"], dtype="str")  # noqa: F841
        connection.execute(
            "create table basket_lines as select *, date '2025-01-01' as day from lines"
        )
        return _count(connection, "product", ALL, parameters)


def rules_of(baskets: list[set[str]], parameters: RuleParameters = EVERY_RULE) -> pd.DataFrame:
    found = counted(baskets, parameters)
    return find_rules(found, parameters)


def peer(baskets: list[set[str]], least: int) -> dict[tuple[tuple[str, ...], str], float]:
    """Lift of each rule by mlxtend alone, on the whole matrix."""
    if len(baskets) < least:
        return {}
    items = sorted(set().union(*baskets))
    matrix = pd.DataFrame([[item in basket for item in items] for basket in baskets], columns=items)
    sets = fpgrowth(matrix, (least - 0.5) / len(baskets), max_len=3, use_colnames=True)
    if sets.empty:
        return {}
    rules = association_rules(sets, len(baskets), metric="lift", min_threshold=1.0)
    rules = rules[(rules["consequents"].map(len) == 1) & (rules["lift"] > 1 + 1e-9)]
    return {(tuple(sorted(r.antecedents)), min(r.consequents)): r.lift for r in rules.itertuples()}


def as_lifts(rules: pd.DataFrame) -> dict[tuple[tuple[str, ...], str], float]:
    return {
        ((r.first_item,) if pd.isna(r.second_item) else (r.first_item, r.second_item),
         r.consequent): r.lift
        for r in rules.itertuples()
    }  # fmt: skip


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sets(st.sampled_from("abcdef"), min_size=1), min_size=1, max_size=40))
def test_every_rule_is_that_of_fp_growth_on_the_whole_matrix(baskets: list[set[str]]) -> None:
    assert as_lifts(rules_of(baskets)) == pytest.approx(peer(baskets, 2))


def test_a_planted_pair_is_found_and_its_figures_are_right() -> None:
    baskets = [{"tea", "pot"}] * 30 + [{"tea"}] * 10 + [{"pot"}] * 10 + [{"mug"}] * 150
    rules = rules_of(baskets, RuleParameters())
    assert list(rules.columns) == COLUMNS
    assert set(zip(rules["first_item"], rules["consequent"], strict=True)) == {
        ("tea", "pot"), ("pot", "tea"),
    }  # fmt: skip
    rule = rules.iloc[0]
    assert (rule.antecedent_baskets, rule.consequent_baskets, rule.rule_baskets) == (40, 40, 30)
    assert (rule.support, rule.confidence) == (0.15, 0.75)
    assert rule.lift == pytest.approx(3.75)
    assert rule.leverage == pytest.approx(0.15 - 0.2 * 0.2)


def test_items_of_independent_choice_give_hardly_a_rule() -> None:
    """A false discovery rate of 5 %, and nothing to discover: rules in 5 % of the shops at most."""
    rng = np.random.default_rng(1)
    with_rules = 0
    for _ in range(10):
        chosen = rng.random((1000, 10)) < 0.15
        baskets = [{f"p{i}" for i in np.flatnonzero(row)} for row in chosen]
        with_rules += len(rules_of([b for b in baskets if b], RuleParameters())) > 0
    assert with_rules <= 3


def test_a_third_item_that_adds_nothing_gives_no_rule() -> None:
    """{tea, soap} → pot is tea → pot told twice: soap is bought whatever else is."""
    rng = np.random.default_rng(2)
    baskets = [
        ({"tea", "pot"} if i % 4 == 0 else {"mug"}) | ({"soap"} if rng.random() < 0.5 else set())
        for i in range(2000)
    ]
    rules = rules_of(baskets, RuleParameters())
    assert {"tea", "pot"} == set(rules["consequent"])
    assert rules["second_item"].isna().all()


@pytest.mark.parametrize(
    "baskets",
    [[], [{"a"}], [{"a"}] * 500, [{"a", "b"}], [{"a", "b"}] * 500],
    ids=["none", "one order", "one product", "one pair once", "always the same pair"],
)
def test_nothing_to_find_is_no_rule(baskets: list[set[str]]) -> None:
    rules = rules_of(baskets, RuleParameters())
    assert list(rules.columns) == COLUMNS
    assert rules.empty


def test_a_stock_up_is_no_basket_and_costs_nothing() -> None:
    stock_up = {f"p{i}" for i in range(20_000)}
    found = counted([stock_up, {"a", "b"}], RuleParameters())
    assert found.baskets == 1


def test_of_too_many_pairs_the_most_frequent_are_looked_at_and_ties_go_together() -> None:
    baskets = [{"a", "b"}] * 5 + [{"c", "d"}] * 3 + [{"e", "f"}] * 3
    few = RuleParameters(min_baskets=2, min_support=1e-9, max_pairs=2)
    assert list(counted(baskets, few).pairs["first"]) == ["a"]


def test_periods_end_at_the_as_of_date_and_quarters_follow_one_another() -> None:
    told = {p.name: (p.first, p.stop) for p in periods(date(2026, 1, 1))}
    assert list(told) == ["all", "last-365-days", "2025-Q4", "2025-Q3", "2025-Q2", "2025-Q1"]
    assert told["2025-Q4"] == (date(2025, 10, 1), date(2026, 1, 1))
    assert told["2025-Q3"] == (date(2025, 7, 1), date(2025, 10, 1))
    assert periods(date(2026, 2, 10))[2] == Period("2026-Q1", date(2026, 1, 1), date(2026, 2, 10))
