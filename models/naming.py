"""Names for clusters, from their profiles by declared rules and never from their numbers.

A rule may fit several clusters and a cluster several rules. Names are handed out by optimal
assignment: first the rules of the highest priority find a bearer, then each name goes to the
cluster it fits best, and no cluster stays without a declared name that it could have had. (Rule by
rule in order, a cluster that fits two rules could take the only name another cluster fits.) What is
left gets a neutral name built from its strongest traits.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from models.naming_rules import (
    FALLBACK_ACTION,
    FALLBACK_LEAD,
    NAME_RULES,
    PHRASES,
    TRAITS,
    Condition,
    NameRule,
)
from models.preparation import Matrix

#: Below this share of a cluster's customers with a value, the feature says nothing about it.
MIN_KNOWN_SHARE = 0.2
#: How far from the middle of the population (percentile 0.5) a median must stand to be a trait.
MIN_TRAIT_STRENGTH = 0.1
#: The segment of customers who were never clustered; no cluster may take its id.
WITHOUT_PURCHASE_ID = "without-purchase"
WITHOUT_PURCHASE_NAME = "Without Purchase"

_MEASURES = ("known_share", "percentile", "median", "z_score")
#: Figures every description tells, in this order.
_ALWAYS_TOLD = ("frequency", "monetary", "recency_days")


@dataclass(frozen=True)
class ClusterProfile:
    """One cluster: its size and, per feature, percentile, median, z_score and known_share."""

    customers: int
    features: Mapping[str, Mapping[Hashable, float]]

    def value(self, feature: str, measure: str) -> float:
        """Return one measure of a feature; NaN where too few customers have the feature."""
        facts = self.features.get(feature)
        if facts is None or not facts["known_share"] >= MIN_KNOWN_SHARE:
            return float("nan")
        return facts[measure]


def name_clusters(
    profiles: pd.DataFrame,
    currency: str,
    rules: Sequence[NameRule] = NAME_RULES,
) -> pd.DataFrame:
    """Name every cluster; one row per cluster, sorted by cluster.

    `profiles` is the frame of `profile_clusters`. Columns: cluster, segment_id (slug of the name),
    segment_name (unique), description (one sentence with figures), suggested_action.
    The result depends on the profiles alone: renumbering the clusters only renumbers the rows.
    """
    numbers, clusters = _read_profiles(profiles)
    chosen = _match(clusters, rules)
    taken = {rule.name for rule in rules} | {WITHOUT_PURCHASE_NAME}
    rows = []
    for number, cluster, rule in zip(numbers, clusters, chosen, strict=True):
        named = rule or _fallback(cluster, taken)
        taken.add(named.name)
        rows.append(
            {
                "cluster": number,
                "segment_id": slug(named.name),
                "segment_name": named.name,
                "description": describe(cluster, named, currency),
                "suggested_action": named.suggested_action,
            }
        )
    return pd.DataFrame(rows).sort_values("cluster", ignore_index=True)


def slug(name: str) -> str:
    """Turn a name into an id.

    >>> slug("At-Risk Customers")
    'at-risk-customers'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def is_met(condition: Condition, cluster: ClusterProfile) -> bool:
    """Say whether the condition holds for the cluster; never over a missing feature."""
    value = cluster.value(condition.feature, condition.measure)
    lower = -np.inf if condition.at_least is None else condition.at_least
    upper = np.inf if condition.at_most is None else condition.at_most
    return bool(lower <= value <= upper)  # NaN compares false


def fits(rule: NameRule, cluster: ClusterProfile) -> bool:
    """Say whether the cluster meets all conditions of the rule."""
    return all(is_met(condition, cluster) for condition in rule.conditions)


def describe(cluster: ClusterProfile, rule: NameRule, currency: str) -> str:
    """One sentence: who they are, and the typical (median) customer's figures."""
    told = dict.fromkeys(chain(_ALWAYS_TOLD, (c.feature for c in rule.conditions)))
    figures = [
        PHRASES[feature].format(value=cluster.value(feature, "median"), currency=currency)
        for feature in told
        if feature in PHRASES and not np.isnan(cluster.value(feature, "median"))
    ]
    if not figures:
        return f"{rule.lead}."
    listed = " and ".join(filter(None, [", ".join(figures[:-1]), figures[-1]]))
    return f"{rule.lead}: the typical customer {listed}.".replace(" 1 orders", " 1 order").replace(
        " 1 days", " 1 day"
    )


def _read_profiles(profiles: pd.DataFrame) -> tuple[list[int], list[ClusterProfile]]:
    """Return the clusters in an order that depends on their profiles only, and their numbers."""
    read = []
    for number, group in profiles.groupby("cluster"):
        facts = group.set_index("feature")[list(_MEASURES)].astype("float64").sort_index()
        features = {str(name): dict(row) for name, row in facts.iterrows()}
        cluster = ClusterProfile(int(group["customers"].iloc[0]), features)
        values = np.nan_to_num(facts.to_numpy(), nan=-np.inf).ravel()
        read.append(((-cluster.customers, *values), int(str(number)), cluster))
    read.sort(key=lambda item: item[0])
    return [item[1] for item in read], [item[2] for item in read]


def _match(clusters: Sequence[ClusterProfile], rules: Sequence[NameRule]) -> list[NameRule | None]:
    """Give each cluster at most one rule that it fits, each rule to at most one cluster."""
    # A rule outweighs all lower ones together; how well it fits decides only between clusters.
    weights = np.zeros((len(clusters), len(rules)))
    for j, rule in enumerate(rules):
        for i, cluster in enumerate(clusters):
            if fits(rule, cluster):
                fit = _goodness(rule, cluster) / (len(clusters) + 1)
                weights[i, j] = 2.0 ** (len(rules) - j) + fit
    chosen: list[NameRule | None] = [None] * len(clusters)
    for row, column in np.transpose(linear_sum_assignment(weights, maximize=True)):
        if weights[row, column] > 0:
            chosen[row] = rules[column]
    return chosen


def _goodness(rule: NameRule, cluster: ClusterProfile) -> float:
    """Mean distance inside the percentile bounds, as a share of the room there is (0..1)."""
    rooms = []
    for bound in rule.conditions:
        value = cluster.value(bound.feature, bound.measure)
        if bound.measure == "percentile" and bound.at_least is not None and bound.at_least < 1:
            rooms.append((value - bound.at_least) / (1 - bound.at_least))
        if bound.measure == "percentile" and bound.at_most is not None and bound.at_most > 0:
            rooms.append((bound.at_most - value) / bound.at_most)
    return float(np.clip(np.mean(rooms), 0, 1)) if rooms else 0.0


def _fallback(cluster: ClusterProfile, taken: set[str]) -> NameRule:
    """Build a rule that the cluster meets from its strongest traits, with a name not yet taken."""
    held = _held_traits(cluster)
    name = next(name for name in _trait_names([word for word, _ in held]) if name not in taken)
    words = name.split()
    conditions = tuple(condition for word, condition in held if word in words)
    return NameRule(name, conditions, FALLBACK_LEAD, FALLBACK_ACTION)


def _held_traits(cluster: ClusterProfile) -> list[tuple[str, Condition]]:
    """Words for the features whose median stands apart, strongest first, with what they claim."""
    strengths: Matrix = np.array(
        [cluster.value(trait.feature, "percentile") - 0.5 for trait in TRAITS]
    )
    held = []
    for i in np.argsort(-np.abs(np.nan_to_num(strengths)), kind="stable"):
        trait = TRAITS[i]
        if strengths[i] >= MIN_TRAIT_STRENGTH:
            high = Condition(trait.feature, at_least=0.5 + MIN_TRAIT_STRENGTH)
            held.append((trait.high, high))
        elif strengths[i] <= -MIN_TRAIT_STRENGTH:
            low = Condition(trait.feature, at_most=0.5 - MIN_TRAIT_STRENGTH)
            held.append((trait.low, low))
    return held


def _trait_names(words: Sequence[str]) -> Iterator[str]:
    """Names to try in order: two strongest traits, other pairs, three, one; then counted ones."""
    for size in (2, 3, 1):
        for combination in combinations(words, size):
            yield " ".join([*combination, "Customers"])
    stem = " ".join([*words[:2], "Customers"]) if words else "Average Customers"
    yield stem
    for count in range(2, 1000):
        yield f"{stem} {count}"  # counted by size of the cluster, greatest first
