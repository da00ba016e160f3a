from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.naming import (
    FALLBACK_LEAD,
    SegmentProfile,
    fits,
    is_neutral_name_of,
    name_segments,
    slug,
)
from models.naming_rules import (
    NAME_RULES,
    NOISE_ID,
    PHRASES,
    RESERVED,
    TRAITS,
    WITHOUT_PURCHASE_ID,
    Condition,
    NameRule,
)
from models.profiles import PROFILE_FEATURES

RULES = {rule.name: rule for rule in NAME_RULES}
NAMED = tuple(sorted({c.feature for rule in NAME_RULES for c in rule.conditions}))
ORDERS_ONLY = ("recency_days", "frequency", "monetary", "average_order_value", "tenure_days")

Facts = Mapping[str, tuple[float, float, float]]  # percentile, median, known share


def _profiles(*clusters: Facts, customers: list[int] | None = None) -> pd.DataFrame:
    sizes = customers or [100 + i for i in range(len(clusters))]
    rows = [
        {
            "segment_id": f"s{number + 1}",
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
    return _named(_profiles(*clusters))["segment_name"].tolist()


def _named(profiles: pd.DataFrame, **told: Mapping[str, str]) -> pd.DataFrame:
    return name_segments(profiles, NAME_RULES, "EUR", **told)


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
    named = _named(_profiles(plain)).iloc[0]
    assert named["segment_name"] == "Frequent Newer Customers"
    assert named["description"].startswith(FALLBACK_LEAD)


def test_average_clusters_still_get_different_names() -> None:
    average = _orders(0.5, 0.5, 0.5)
    profiles = _profiles(average, average, average, customers=[5, 50, 20])
    named = _named(profiles)["segment_name"].tolist()
    assert named == ["Average Customers 3", "Average Customers", "Average Customers 2"]


def test_description_tells_figures_in_the_currency() -> None:
    facts = _orders(0.4, 0.6, 0.4) | {"discount_share": (0.85, 0.7, 1.0)}
    named = name_segments(_profiles(facts), NAME_RULES, "GBP").iloc[0]
    assert named["description"] == (
        "Buy when prices are reduced: the typical customer has placed 4 orders, has spent GBP 250, "
        "last bought 30 days ago and saves 70% by discounts."
    )
    rule = RULES["Discount Shoppers"]
    assert named["suggested_action"] == rule.suggested_action
    assert named["suggested_channel"] == rule.suggested_channel


def test_one_order_and_one_day_are_singular() -> None:
    facts = _orders(0.6, 0.2, 0.2) | {"frequency": (0.2, 1.0, 1.0), "recency_days": (0.6, 1.0, 1.0)}
    description = _named(_profiles(facts))["description"].iloc[0]
    assert "has placed 1 order," in description
    assert "last bought 1 day ago" in description


def test_declared_names_and_words_are_sound() -> None:
    ids = [slug(rule.name) for rule in NAME_RULES]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & {slug(rule.name) for rule in RESERVED.values()}
    assert slug(RESERVED[WITHOUT_PURCHASE_ID].name) == WITHOUT_PURCHASE_ID
    assert [rule.name for rule in NAME_RULES[:4]] == [
        "Loyal Brand Advocates", "Discount Shoppers", "Occasional Browsers", "At-Risk Customers"
    ]  # fmt: skip
    assert len(NAME_RULES) >= 12
    used = {c.feature for rule in NAME_RULES for c in rule.conditions}
    assert used | {trait.feature for trait in TRAITS} | set(PHRASES) <= set(PROFILE_FEATURES)
    assert all(rule.conditions and rule.suggested_action for rule in NAME_RULES)


def test_own_rules_can_be_declared() -> None:
    own = NameRule(
        "Night Owls", (Condition("frequency", "median", at_least=3),), "Up late", "Tea.", "Radio"
    )
    named = name_segments(_profiles(_orders(0.5, 0.5, 0.5)), [own], "EUR")
    assert named["segment_name"].tolist() == ["Night Owls"]


def test_a_segment_keeps_its_name_while_it_meets_the_conditions() -> None:
    both = _orders(0.1, 0.9, 0.9)  # a champion, and a regular
    assert _names(both) == ["Champions"]
    held = {"s1": "Loyal Regulars"}
    assert _named(_profiles(both), held=held)["segment_name"].tolist() == ["Loyal Regulars"]
    gone_quiet = _profiles(_orders(0.8, 0.6, 0.6))
    assert _named(gone_quiet, held=held)["segment_name"].tolist() == ["At-Risk Customers"]


def test_a_neutral_name_goes_when_a_rule_fits_clearly() -> None:
    held = {"s1": "Frequent Customers"}
    just = _profiles(_orders(0.54, 0.61, 0.4))  # on the bounds of Loyal Regulars
    assert _named(just, held=held)["segment_name"].tolist() == ["Frequent Customers"]
    clearly = _profiles(_orders(0.5, 0.65, 0.4))
    assert _named(clearly, held=held)["segment_name"].tolist() == ["Loyal Regulars"]
    assert _named(just)["segment_name"].tolist() == ["Loyal Regulars"]


def test_a_neutral_name_goes_when_it_is_no_longer_true() -> None:
    named = _named(_profiles(_orders(0.5, 0.5, 0.5)), held={"s1": "Frequent Customers"})
    assert named["segment_name"].tolist() == ["Average Customers"]


def test_a_given_name_stays_whatever_the_profile() -> None:
    given = {"s1": "Friends of the House", "s9": "Long Gone"}
    champions, lapsed = _orders(0.1, 0.9, 0.9), _orders(0.9, 0.2, 0.2)
    for facts in (champions, lapsed):
        named = _named(_profiles(facts, champions), given=given, held={"s1": "Champions"})
        assert named["segment_name"].tolist() == ["Friends of the House", "Champions"]
    assert named["suggested_action"].iloc[0] == RULES["Lapsed Customers"].suggested_action


def test_one_name_given_twice_is_refused() -> None:
    profiles = _profiles(_orders(0.1, 0.9, 0.9), _orders(0.9, 0.2, 0.2))
    with pytest.raises(ValueError, match="'my people' is the given name of two segments"):
        _named(profiles, given={"s1": "My People", "s2": "my people"})


def test_noise_is_called_what_it_is() -> None:
    profiles = _profiles(_orders(0.1, 0.9, 0.9)).assign(segment_id=NOISE_ID)
    assert _named(profiles)["segment_name"].tolist() == ["Unlike Others"]


def test_any_number_of_rules_keeps_its_order() -> None:
    everybody = (Condition("frequency", at_least=0.0),)
    rules = [NameRule(f"Name {i}", everybody, "Are", "Wait.", "Post") for i in range(90)]
    segments = [_orders(0.1 * i, 0.1 * i, 0.5) for i in range(5)]
    named = name_segments(_profiles(*segments), rules, "EUR")["segment_name"]
    assert sorted(named) == [f"Name {i}" for i in range(5)]


@pytest.mark.parametrize(("name", "told"), [("Night Owls!", "night-owls"), ("Été 24", "été-24")])
def test_slugs(name: str, told: str) -> None:
    assert slug(name) == told


def test_a_z_score_condition_and_a_feature_without_a_phrase() -> None:
    rules = [
        NameRule("Talkers", (Condition("posts", "z_score", at_least=1),), "Talk", "Listen.", "Web")
    ]
    profiles = _profiles({"posts": (0.9, 3.0, 1.0)}).assign(z_score=1.5)
    named = name_segments(profiles, rules, "EUR").iloc[0]
    assert named["segment_name"] == "Talkers"
    assert named["description"] == "Talk: the typical customer has posts of 3.00."


_fact = st.tuples(st.floats(0, 1), st.floats(-5, 500), st.sampled_from([0.0, 0.1, 0.2, 0.6, 1.0]))


def _random_profiles(features: tuple[str, ...]) -> st.SearchStrategy[list[Facts]]:
    cluster = st.fixed_dictionaries({feature: _fact for feature in features})
    return st.lists(cluster, min_size=1, max_size=8)


def _is_true(name: str, facts: Facts) -> bool:
    """Whether a name of ours may be borne: its rule's conditions hold, or its words are true."""
    profile = _segment_profile(facts)
    return fits(RULES[name], profile) if name in RULES else is_neutral_name_of(name, profile)


_all_features = st.one_of(_random_profiles(NAMED), _random_profiles(ORDERS_ONLY))


@settings(max_examples=50, deadline=None)
@given(_all_features, st.lists(st.sampled_from([*RULES, "Frequent Customers"]), max_size=8))
def test_names_are_unique_and_their_conditions_met(
    clusters: list[Facts], last_names: list[str]
) -> None:
    held = {f"s{i + 1}": name for i, name in enumerate(dict.fromkeys(last_names))}
    named = _named(_profiles(*clusters), held=held)
    ids = [f"s{number + 1}" for number in range(len(clusters))]
    assert named["segment_id"].tolist() == ids
    assert named["segment_name"].map(slug).is_unique
    words = {word: (t.feature, high) for t in TRAITS for word, high in ((t.low, 0), (t.high, 1))}
    for key, name, facts in zip(ids, named["segment_name"], clusters, strict=True):
        assert _is_true(name, facts)
        if key in held and held[key] in RULES and _is_true(held[key], facts):
            assert name == held[key], "names that are true stay"
        for word in name.split():
            if name not in RULES and word in words:
                feature, high = words[word]
                percentile, _, known = facts[feature]
                assert known >= 0.2
                assert percentile >= 0.6 if high else percentile <= 0.4


@settings(max_examples=40, deadline=None)
@given(_random_profiles(NAMED))
def test_a_neutral_name_only_where_every_fitting_rule_is_taken(clusters: list[Facts]) -> None:
    names = _named(_profiles(*clusters))["segment_name"].tolist()
    for name, facts in zip(names, clusters, strict=True):
        if name not in RULES:
            fitting = {r.name for r in NAME_RULES if fits(r, _segment_profile(facts))}
            assert fitting <= set(names)


@settings(max_examples=40, deadline=None)
@given(_random_profiles(NAMED))
def test_the_same_profiles_keep_all_their_names(clusters: list[Facts]) -> None:
    first = _named(_profiles(*clusters))
    held = dict(zip(first["segment_id"], first["segment_name"], strict=True))
    pd.testing.assert_frame_equal(_named(_profiles(*clusters), held=held), first)


@settings(max_examples=40, deadline=None)
@given(_random_profiles(NAMED), st.randoms(use_true_random=False))
def test_other_ids_sort_the_rows_anew_and_no_more(
    clusters: list[Facts], random: np.random.Generator
) -> None:
    ids = [f"s{number + 1}" for number in range(len(clusters))]
    others = list(ids)
    random.shuffle(others)
    profiles = _profiles(*clusters)
    renumbered = profiles.assign(
        segment_id=profiles["segment_id"].map(dict(zip(ids, others, strict=True)))
    )
    before = _named(profiles).set_index("segment_id")
    after = _named(renumbered.sample(frac=1, random_state=1)).set_index("segment_id")
    moved = after.loc[[dict(zip(ids, others, strict=True))[key] for key in before.index]]
    pd.testing.assert_frame_equal(before.reset_index(drop=True), moved.reset_index(drop=True))


def _segment_profile(facts: Facts) -> SegmentProfile:
    features = {
        feature: {"percentile": p, "median": m, "known_share": known, "z_score": 0.0}
        for feature, (p, m, known) in facts.items()
    }
    return SegmentProfile(100, features)
