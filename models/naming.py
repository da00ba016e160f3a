"""Names for segments, from their profiles by declared rules and never from their numbers.

A rule may fit several segments and a segment several rules. A segment keeps the name it had while
it meets its conditions, so that names do not come and go. What is left is handed out by matching:
rule by rule in order of priority, each finds a bearer if it can without taking one away from a rule
before it; then each name goes to the segment it fits best. No segment stays without a declared name
that it could have had (the sets of rules that find bearers are a transversal matroid, on which the
greedy way is the best one: Edmonds & Fulkerson 1965, "Transversals and matroid partition").
(Segment by segment in order, one that fits two rules could take the only name another one fits.)
Who fits no rule gets a neutral name built from the strongest traits.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from models.naming_rules import (
    FALLBACK_ACTION,
    FALLBACK_CHANNEL,
    FALLBACK_LEAD,
    PHRASES,
    RESERVED,
    TRAITS,
    Condition,
    NameRule,
)
from models.preparation import Matrix

#: Below this share of a segment's customers with a value, the feature says nothing about it.
MIN_KNOWN_SHARE = 0.2
#: How far from the middle of the population (percentile 0.5) a median must stand to be a trait.
MIN_TRAIT_STRENGTH = 0.1
#: By how much more a segment that has a neutral name must meet a rule's conditions to take its
#: name: without it, one who stands on a bound would change names from week to week.
ENTRY_MARGIN = {"percentile": 0.03, "z_score": 0.1, "median": 0.0}

_MEASURES = ("known_share", "percentile", "median", "z_score")
#: Figures every description tells, in this order.
_ALWAYS_TOLD = ("frequency", "monetary", "recency_days")
_COLUMNS = ("segment_id", "segment_name", "description", "suggested_action", "suggested_channel")

Eligible = NDArray[np.bool_]


@dataclass(frozen=True)
class SegmentProfile:
    """One segment: its size and, per feature, percentile, median, z_score and known_share."""

    customers: int
    features: Mapping[str, Mapping[Hashable, float]]

    def value(self, feature: str, measure: str) -> float:
        """Return one measure of a feature; NaN where too few customers have the feature."""
        facts = self.features.get(feature)
        if facts is None or not facts["known_share"] >= MIN_KNOWN_SHARE:
            return float("nan")
        return facts[measure]


def name_segments(
    profiles: pd.DataFrame,
    rules: Sequence[NameRule],
    currency: str,
    given: Mapping[str, str] | None = None,
    held: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Name every segment; one row each, sorted by segment_id.

    `profiles` is the frame of `profile_segments`. `given`: names that people gave, by segment_id;
    they go before every rule. `held`: names of the last run, by segment_id; a segment keeps its
    own while it meets the conditions, and a neutral one until a rule fits clearly.
    Columns: segment_id, segment_name (unique), description (a sentence with figures),
    suggested_action, suggested_channel. Apart from `given` and `held` the result depends on the
    profiles alone: other ids only sort the rows anew.
    Raises ValueError when one name is given to two segments.
    """
    segments = _read_profiles(profiles)
    bearers = _Bearers(segments, rules)
    bearers.give({**{k: v.name for k, v in RESERVED.items()}, **(given or {})})
    bearers.keep_declared(held or {})
    bearers.match(held or {})
    bearers.keep_neutral(held or {})
    bearers.fall_back()
    rows = [
        (
            key,
            rule.name,
            describe(segments[key], rule, currency),
            rule.suggested_action,
            rule.suggested_channel,
        )
        for key, rule in sorted(bearers.chosen.items())
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def slug(name: str) -> str:
    """Turn a name into an id; two names with one slug are one name.

    >>> slug("At-Risk Customers")
    'at-risk-customers'
    """
    return re.sub(r"[\W_]+", "-", name.casefold()).strip("-")


def is_met(condition: Condition, segment: SegmentProfile, margin: float = 0.0) -> bool:
    """Say whether the condition holds, by `margin` or more; never over a missing feature."""
    value = segment.value(condition.feature, condition.measure)
    lower = -np.inf if condition.at_least is None else condition.at_least + margin
    upper = np.inf if condition.at_most is None else condition.at_most - margin
    return bool(lower <= value <= upper)  # NaN compares false


def fits(rule: NameRule, segment: SegmentProfile, *, clearly: bool = False) -> bool:
    """Say whether the segment meets all conditions of the rule; `clearly`: by a margin."""
    return all(
        is_met(condition, segment, ENTRY_MARGIN[condition.measure] if clearly else 0.0)
        for condition in rule.conditions
    )


def is_neutral_name_of(name: str, segment: SegmentProfile) -> bool:
    """Say whether every word of a neutral name is a trait that the segment has.

    'Average Customers' is the name of a segment without traits.
    """
    words = re.sub(r" \d+$", "", name).split()
    traits = {word for word, _ in _traits(segment)}
    if words == ["Average", "Customers"]:
        return not traits
    return len(words) > 1 and words[-1] == "Customers" and set(words[:-1]) <= traits


def describe(segment: SegmentProfile, rule: NameRule, currency: str) -> str:
    """One sentence: who they are, and the typical (median) customer's figures."""
    told = dict.fromkeys(chain(_ALWAYS_TOLD, (c.feature for c in rule.conditions)))
    figures = [
        _phrase(feature, segment.value(feature, "median"), currency)
        for feature in told
        if not np.isnan(segment.value(feature, "median"))
    ]
    if not figures:
        return f"{rule.lead}."
    listed = " and ".join(filter(None, [", ".join(figures[:-1]), figures[-1]]))
    return f"{rule.lead}: the typical customer {listed}."


def _phrase(feature: str, value: float, currency: str) -> str:
    told = PHRASES.get(feature, f"has {feature.replace('_', ' ')} of {{value:,.2f}}")
    said = told.format(value=value, currency=currency)
    return re.sub(r"(?<![\d,.])1 (order|day)s\b", r"1 \1", said)


def _read_profiles(profiles: pd.DataFrame) -> dict[str, SegmentProfile]:
    """The segments by id, in an order that depends on their profiles only."""
    read = []
    for key, group in profiles.groupby("segment_id", sort=True):
        facts = group.set_index("feature")[list(_MEASURES)].astype("float64").sort_index()
        features = {str(name): dict(row) for name, row in facts.iterrows()}
        segment = SegmentProfile(int(group["customers"].iloc[0]), features)
        values = np.nan_to_num(facts.to_numpy(), nan=-np.inf).ravel()
        read.append(((-segment.customers, *values), str(key), segment))
    read.sort(key=lambda item: item[0])
    return {key: segment for _, key, segment in read}


class _Bearers:
    """Who bears which name so far."""

    def __init__(self, segments: Mapping[str, SegmentProfile], rules: Sequence[NameRule]) -> None:
        self.segments = segments
        self.rules = rules
        self.chosen: dict[str, NameRule] = {}
        self.taken = {slug(rule.name) for rule in RESERVED.values()}

    @property
    def nameless(self) -> list[str]:
        return [key for key in self.segments if key not in self.chosen]

    @property
    def free(self) -> list[NameRule]:
        return [rule for rule in self.rules if slug(rule.name) not in self.taken]

    def give(self, names: Mapping[str, str]) -> None:
        """Names that stand whatever the profile; the words are those of the rule that fits."""
        named = {key: names[key] for key in self.segments if key in names}
        repeated = [slug(name) for name in named.values()]
        for key, name in named.items():
            if repeated.count(slug(name)) > 1:
                raise ValueError(f"'{name}' is the given name of two segments, one of them {key}")
            fitting = (rule for rule in self.rules if fits(rule, self.segments[key]))
            words = RESERVED.get(key) or next(fitting, _neutral("", ()))
            self._name(key, replace(words, name=name))

    def keep_declared(self, held: Mapping[str, str]) -> None:
        """Segments keep a declared name while they meet its conditions."""
        declared = {slug(rule.name): rule for rule in self.free}
        for key in self.nameless:
            rule = declared.get(slug(held.get(key, "")))
            if rule and slug(rule.name) not in self.taken and fits(rule, self.segments[key]):
                self._name(key, rule)

    def match(self, held: Mapping[str, str]) -> None:
        """Hand the free names out among the segments without one."""
        keys, rules = self.nameless, self.free
        eligible = np.zeros((len(keys), len(rules)), dtype=bool)
        for i, key in enumerate(keys):
            clearly = is_neutral_name_of(held.get(key, ""), self.segments[key])
            eligible[i] = [fits(rule, self.segments[key], clearly=clearly) for rule in rules]
        goodness = np.array(
            [[_goodness(rule, self.segments[key]) for rule in rules] for key in keys]
        ).reshape(eligible.shape)
        for i, j in _match(eligible, goodness):
            self._name(keys[i], rules[j])

    def keep_neutral(self, held: Mapping[str, str]) -> None:
        """Segments keep a neutral name while its words are true of them."""
        for key in self.nameless:
            name = held.get(key, "")
            if slug(name) not in self.taken and is_neutral_name_of(name, self.segments[key]):
                self._name(key, _neutral(name, _traits(self.segments[key])))

    def fall_back(self) -> None:
        """A neutral name for whoever is left; never a declared one."""
        declared = {slug(rule.name) for rule in self.rules}
        for key in self.nameless:
            traits = _traits(self.segments[key])
            names = _trait_names([word for word, _ in traits])
            name = next(name for name in names if slug(name) not in self.taken | declared)
            self._name(key, _neutral(name, traits))

    def _name(self, key: str, rule: NameRule) -> None:
        self.chosen[key] = rule
        self.taken.add(slug(rule.name))


def _match(eligible: Eligible, goodness: Matrix) -> list[tuple[int, int]]:
    """Match segments (rows) to rules (columns, in order of priority): pairs of positions."""
    found: list[int] = []
    for j in range(eligible.shape[1]):
        tried = csr_array(eligible[:, [*found, j]].astype("int8"))
        if (maximum_bipartite_matching(tried, perm_type="column") >= 0).sum() > len(found):
            found.append(j)
    worth = np.where(eligible, goodness, -float(len(eligible) + 1))[:, found]
    pairs = zip(*linear_sum_assignment(worth, maximize=True), strict=True)
    return [(int(i), found[j]) for i, j in pairs]


def _goodness(rule: NameRule, segment: SegmentProfile) -> float:
    """Mean distance inside the percentile bounds, as a share of the room there is (0..1)."""
    rooms = []
    for bound in rule.conditions:
        value = segment.value(bound.feature, bound.measure)
        if bound.measure == "percentile" and bound.at_least is not None and bound.at_least < 1:
            rooms.append((value - bound.at_least) / (1 - bound.at_least))
        if bound.measure == "percentile" and bound.at_most is not None and bound.at_most > 0:
            rooms.append((bound.at_most - value) / bound.at_most)
    return float(np.nan_to_num(np.clip(np.mean(rooms), 0, 1))) if rooms else 0.0


def _neutral(name: str, traits: Sequence[tuple[str, Condition]]) -> NameRule:
    """A rule that the segment meets: the traits among the words of its name."""
    words = name.split()
    conditions = tuple(condition for word, condition in traits if word in words)
    return NameRule(name, conditions, FALLBACK_LEAD, FALLBACK_ACTION, FALLBACK_CHANNEL)


def _traits(segment: SegmentProfile) -> list[tuple[str, Condition]]:
    """Words for the features whose median stands apart, strongest first, with what they claim."""
    percentiles: Matrix = np.array([segment.value(trait.feature, "percentile") for trait in TRAITS])
    found = []
    for i in np.argsort(-np.abs(np.nan_to_num(percentiles, nan=0.5) - 0.5), kind="stable"):
        trait = TRAITS[i]
        high = Condition(trait.feature, at_least=0.5 + MIN_TRAIT_STRENGTH)
        low = Condition(trait.feature, at_most=0.5 - MIN_TRAIT_STRENGTH)
        claims = ((trait.high, high), (trait.low, low))
        found += [(word, claim) for word, claim in claims if is_met(claim, segment)]
    return found


def _trait_names(words: Sequence[str]) -> Iterator[str]:
    """Names to try in order: two strongest traits, other pairs, three, one; then counted ones."""
    for size in (2, 3, 1):
        for combination in combinations(words, size):
            yield " ".join([*combination, "Customers"])
    stem = " ".join([*words[:2], "Customers"]) if words else "Average Customers"
    yield stem
    for count in range(2, 1000):
        yield f"{stem} {count}"  # counted by size of the segment, greatest first
