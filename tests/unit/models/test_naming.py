from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.naming import (
    FALLBACK_LEAD,
    WITHOUT_PURCHASE_ID,
    WITHOUT_PURCHASE_NAME,
    ClusterProfile,
    fits,
    name_clusters,
    slug,
)
from models.naming_rules import NAME_RULES, PHRASES, TRAITS, Condition, NameRule
from models.profiles import PROFILE_FEATURES

RULES = {rule.name: rule for rule in NAME_RULES}
ORDERS_ONLY = ("recency_days", "frequency", "monetary", "average_order_value", "tenure_days")

Facts = Mapping[str, tuple[float, float, float]]  # percentile, median, known share


def _profiles(*clusters: Facts, customers: list[int] | None = None) -> pd.DataFrame:
    sizes = customers or [100 + i for i in range(len(clusters))]
    rows = [
        {
            "cluster": number,
            "customers": sizes[number],
            "share": sizes[number] / sum(sizes),
            "feature": feature,
            "known_share": known,
            "median": median,
            "mean": median,
            "percentile": percentile,
            "z_score": 0.0,
        }
        for number, facts in enumerate(clusters)
        for feature, (percentile, median, known) in facts.items()
    ]
    return pd.DataFrame(rows)


def _names(*clusters: Facts) -> list[str]:
    return name_clusters(_profiles(*clusters), "EUR")["segment_name"].tolist()


def _orders(recency: float, frequency: float, monetary: float, tenure: float = 0.5) -> Facts:
    return {
        "recency_days": (recency, 30.0, 1.0),
        "frequency": (frequency, 4.0, 1.0),
        "monetary": (monetary, 250.0, 1.0),
        "tenure_days": (tenure, 400.0, 1.0),
    }


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (_orders(0.3, 0.8, 0.7) | {"mean_sentiment": (0.8, 0.6, 0.5)}, "Loyal Brand Advocates"),
        (_orders(0.2, 0.9, 0.9) | {"engagement_score": (0.9, 80.0, 0.9)}, "Power Users"),
        (_orders(0.4, 0.6, 0.4) | {"discount_share": (0.85, 0.7, 1.0)}, "Discount Shoppers"),
        (_orders(0.3, 0.3, 0.3, tenure=0.1), "New Customers"),
        (_orders(0.1, 0.9, 0.9), "Champions"),
        (_orders(0.5, 0.6, 0.8) | {"average_order_value": (0.9, 200.0, 1.0)}, "Big Spenders"),
        (_orders(0.4, 0.7, 0.6), "Loyal Regulars"),
        (_orders(0.8, 0.6, 0.6), "At-Risk Customers"),
        (_orders(0.9, 0.2, 0.2), "Lapsed Customers"),
        (_orders(0.6, 0.2, 0.2) | {"engagement_score": (0.3, 2.0, 0.9)}, "Occasional Browsers"),
        (_orders(0.6, 0.2, 0.2), "Occasional Buyers"),
    ],
)
def test_classic_profiles_bear_their_names(facts: Facts, name: str) -> None:
    assert _names(facts) == [name]


def test_a_feature_few_customers_have_names_nobody() -> None:
    happy = _orders(0.3, 0.8, 0.7) | {"mean_sentiment": (0.9, 0.8, 0.05)}
    assert _names(happy) == ["Loyal Regulars"]


def test_no_discount_shoppers_where_nobody_gets_a_discount() -> None:
    assert "Discount Shoppers" not in _names(
        _orders(0.4, 0.5, 0.4) | {"discount_share": (0.9, 0.02, 1.0)}
    )


def test_the_better_match_takes_the_name_the_other_the_next_rule() -> None:
    strong = _orders(0.1, 0.95, 0.7) | {"mean_sentiment": (0.95, 0.8, 0.6)}
    weak = _orders(0.4, 0.7, 0.6) | {"mean_sentiment": (0.6, 0.3, 0.6)}
    assert _names(weak, strong) == ["Loyal Regulars", "Loyal Brand Advocates"]


def test_nobody_loses_the_only_name_that_fits() -> None:
    versatile = _orders(0.1, 0.95, 0.9) | {"mean_sentiment": (0.95, 0.8, 0.6)}
    advocate_only = _orders(0.5, 0.56, 0.5) | {"mean_sentiment": (0.6, 0.3, 0.6)}
    assert _names(versatile, advocate_only) == ["Champions", "Loyal Brand Advocates"]


def test_without_a_rule_the_strongest_traits_make_the_name() -> None:
    plain = _orders(0.52, 0.95, 0.5, tenure=0.1) | {"average_order_value": (0.45, 40.0, 1.0)}
    named = name_clusters(_profiles(plain), "EUR").iloc[0]
    assert named["segment_name"] == "Frequent Newer Customers"
    assert named["description"].startswith(FALLBACK_LEAD)


def test_average_clusters_still_get_different_names() -> None:
    average = _orders(0.5, 0.5, 0.5)
    profiles = _profiles(average, average, average, customers=[5, 50, 20])
    named = name_clusters(profiles, "EUR")["segment_name"].tolist()
    assert named == ["Average Customers 3", "Average Customers", "Average Customers 2"]


def test_description_tells_figures_in_the_currency() -> None:
    facts = _orders(0.4, 0.6, 0.4) | {"discount_share": (0.85, 0.7, 1.0)}
    named = name_clusters(_profiles(facts), "GBP").iloc[0]
    assert named["description"] == (
        "Buy when prices are reduced: the typical customer has placed 4 orders, has spent GBP 250, "
        "last bought 30 days ago and saves 70% by discounts."
    )
    assert named["suggested_action"] == RULES["Discount Shoppers"].suggested_action
    assert named["segment_id"] == "discount-shoppers"


def test_one_order_and_one_day_are_singular() -> None:
    facts = _orders(0.6, 0.2, 0.2) | {"frequency": (0.2, 1.0, 1.0), "recency_days": (0.6, 1.0, 1.0)}
    description = name_clusters(_profiles(facts), "EUR")["description"].iloc[0]
    assert "has placed 1 order," in description
    assert "last bought 1 day ago" in description


def test_declared_names_and_words_are_sound() -> None:
    ids = [slug(rule.name) for rule in NAME_RULES]
    assert len(set(ids)) == len(ids)
    assert WITHOUT_PURCHASE_ID not in ids
    assert slug(WITHOUT_PURCHASE_NAME) == WITHOUT_PURCHASE_ID
    used = {c.feature for rule in NAME_RULES for c in rule.conditions}
    assert used | {trait.feature for trait in TRAITS} | set(PHRASES) <= set(PROFILE_FEATURES)
    assert all(rule.conditions and rule.suggested_action for rule in NAME_RULES)


def test_own_rules_can_be_declared() -> None:
    own = NameRule("Night Owls", (Condition("frequency", "median", at_least=3),), "Up late", "Tea.")
    named = name_clusters(_profiles(_orders(0.5, 0.5, 0.5)), "EUR", [own])
    assert named["segment_name"].tolist() == ["Night Owls"]


_fact = st.tuples(st.floats(0, 1), st.floats(-5, 500), st.sampled_from([0.0, 0.1, 0.2, 0.6, 1.0]))


def _random_profiles(features: tuple[str, ...]) -> st.SearchStrategy[list[Facts]]:
    cluster = st.fixed_dictionaries({feature: _fact for feature in features})
    return st.lists(cluster, min_size=1, max_size=8)


@settings(max_examples=50, deadline=None)
@given(st.one_of(_random_profiles(PROFILE_FEATURES), _random_profiles(ORDERS_ONLY)))
def test_names_are_unique_and_their_conditions_met(clusters: list[Facts]) -> None:
    named = name_clusters(_profiles(*clusters), "EUR")
    assert named["cluster"].tolist() == list(range(len(clusters)))
    assert named["segment_name"].is_unique
    assert named["segment_id"].is_unique
    assert WITHOUT_PURCHASE_ID not in set(named["segment_id"])
    words = {word: (t.feature, high) for t in TRAITS for word, high in ((t.low, 0), (t.high, 1))}
    for name, facts in zip(named["segment_name"], clusters, strict=True):
        profile = _cluster_profile(facts)
        if name in RULES:
            assert fits(RULES[name], profile)
        for word in name.split():
            if name not in RULES and word in words:
                feature, high = words[word]
                percentile, _, known = facts[feature]
                assert known >= 0.2
                assert percentile >= 0.6 if high else percentile <= 0.4


@settings(max_examples=40, deadline=None)
@given(_random_profiles(PROFILE_FEATURES))
def test_a_neutral_name_only_where_every_fitting_rule_is_taken(clusters: list[Facts]) -> None:
    names = name_clusters(_profiles(*clusters), "EUR")["segment_name"].tolist()
    for name, facts in zip(names, clusters, strict=True):
        if name not in RULES:
            fitting = {r.name for r in NAME_RULES if fits(r, _cluster_profile(facts))}
            assert fitting <= set(names)


@settings(max_examples=40, deadline=None)
@given(_random_profiles(PROFILE_FEATURES), st.randoms(use_true_random=False))
def test_renumbering_clusters_renumbers_names_only(
    clusters: list[Facts], random: np.random.Generator
) -> None:
    new_numbers = list(range(len(clusters)))
    random.shuffle(new_numbers)
    profiles = _profiles(*clusters)
    renumbered = profiles.assign(cluster=profiles["cluster"].map(lambda i: new_numbers[i]))
    before = name_clusters(profiles, "EUR")
    after = name_clusters(renumbered.sample(frac=1, random_state=1), "EUR").set_index("cluster")
    moved = after.loc[new_numbers].reset_index(drop=True)
    pd.testing.assert_frame_equal(before.drop(columns="cluster"), moved)


def _cluster_profile(facts: Facts) -> ClusterProfile:
    features = {
        feature: {"percentile": p, "median": m, "known_share": known, "z_score": 0.0}
        for feature, (p, m, known) in facts.items()
    }
    return ClusterProfile(100, features)
