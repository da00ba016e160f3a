"""Which items are bought together: association rules from counted itemsets.

Single items and pairs come counted. Sets of three are found by FP-growth (Han, Pei & Yin 2000, in
mlxtend) among the baskets that can hold one, a small part of all. A rule is kept when it says more
than each rule with one condition less does, by Fisher's exact test (Webb 2007, "Discovering
significant patterns"), at a false discovery rate over all rules that could have been found
(Benjamini & Hochberg 1995).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, comb

import numpy as np
import pandas as pd

COLUMNS = [
    "first_item", "second_item", "consequent", "antecedent_baskets", "consequent_baskets",
    "rule_baskets", "support", "confidence", "lift", "leverage", "p_value",
]  # fmt: skip


@dataclass(frozen=True)
class RuleParameters:
    """What bounds the search.

    A set must be in `min_baskets` baskets and in `min_support` (a share) of them, and in as many as
    the rarest of the `max_pairs` most frequent pairs, where there are more. Baskets with more than
    `max_basket_items` items are stock-ups, not choices. Over `max_matrix_rows` baskets, sets of
    three are not sought.
    """

    min_baskets: int = 10
    min_support: float = 1e-4
    max_pairs: int = 500
    max_basket_items: int = 100
    max_matrix_rows: int = 200_000
    false_discovery_rate: float = 0.05

    def least_baskets(self, baskets: int) -> int:
        """In how many of `baskets` baskets an itemset must be."""
        return max(self.min_baskets, ceil(self.min_support * baskets))


@dataclass(frozen=True)
class CountedItems:
    """Baskets of one period, counted.

    items: (item, baskets), every item of `pairs`. pairs: (first, second, baskets), first < second.
    rows: (basket, item), those baskets with three or more items of `pairs`. baskets: all of them.
    least: in how many of them a set had to be. frequent_items: how many items are in as many.
    """

    items: pd.DataFrame
    pairs: pd.DataFrame
    rows: pd.DataFrame
    baskets: int
    least: int
    frequent_items: int


def find_rules(counted: CountedItems, parameters: RuleParameters) -> pd.DataFrame:
    """Rules with one or two items before the arrow and one after, of lift above 1.

    COLUMNS, one row a rule, ordered by lift, then by items; second_item is None for one item.
    No rule is no row.
    """
    from mlxtend.frequent_patterns import association_rules

    if counted.pairs.empty:
        return pd.DataFrame(columns=COLUMNS)
    itemsets = _itemsets(counted)
    rules = association_rules(
        itemsets,
        num_itemsets=counted.baskets,
        metric="lift",
        min_threshold=1.0,
        return_metrics=["antecedent support", "consequent support", "support", "confidence",
                        "lift", "leverage"],
    )  # fmt: skip
    rules = rules[(rules["consequents"].map(len) == 1) & (rules["lift"] > 1 + 1e-9)]
    return _told(_significant(rules, itemsets, counted, parameters), counted.baskets)


def _itemsets(counted: CountedItems) -> pd.DataFrame:
    """Frequent itemsets of one to three items as mlxtend has them: (support, itemsets)."""
    items, pairs = counted.items, counted.pairs
    ones = [frozenset([item]) for item in items["item"]]
    twos = [frozenset(p) for p in zip(pairs["first"], pairs["second"], strict=True)]
    known = pd.DataFrame(
        {"support": [*items["baskets"], *pairs["baskets"]], "itemsets": [*ones, *twos]}
    )
    threes = _triples(counted.rows, counted.least)
    # Of three items each pair must be among those looked at: else a rule could not be judged.
    looked_at = set(twos)
    held = [
        all(itemset - {item} in looked_at for item in itemset) for itemset in threes["itemsets"]
    ]
    found = pd.concat([known, threes[held]], ignore_index=True)
    return found.assign(support=found["support"].astype(float) / counted.baskets)


def _triples(rows: pd.DataFrame, least: int) -> pd.DataFrame:
    """Sets of three items in `least` baskets or more: (support: baskets, itemsets)."""
    from mlxtend.frequent_patterns import fpgrowth
    from scipy.sparse import csr_matrix

    none = pd.DataFrame({"support": pd.Series(dtype=float), "itemsets": pd.Series(dtype=object)})
    basket, baskets = pd.factorize(rows["basket"], sort=True)
    item, names = pd.factorize(rows["item"], sort=True)
    if len(baskets) < least:
        return none
    ones = np.ones(len(rows), dtype=bool)
    matrix = csr_matrix((ones, (basket, item)), shape=(len(baskets), len(names)))
    of_matrix = pd.DataFrame.sparse.from_spmatrix  # type: ignore[attr-defined]
    frame = of_matrix(matrix, columns=[str(name) for name in names])
    # Half a basket less: least ÷ rows × rows may come out a hair above a whole number.
    found = fpgrowth(frame, min_support=(least - 0.5) / len(baskets), max_len=3, use_colnames=True)
    found = found[found["itemsets"].map(len) == 3]
    return found.assign(support=(found["support"] * len(baskets)).round()) if len(found) else none


def _significant(
    rules: pd.DataFrame, itemsets: pd.DataFrame, counted: CountedItems, parameters: RuleParameters
) -> pd.DataFrame:
    """Rules that hold at the false discovery rate, those of two and of three items apart."""
    counts = dict(zip(itemsets["itemsets"], itemsets["support"] * counted.baskets, strict=True))
    counts = {itemset: round(count) for itemset, count in counts.items()}
    counts[frozenset()] = counted.baskets
    rules = rules.assign(p_value=_p_values(rules, counts))
    size = rules["antecedents"].map(len)
    n = counted.frequent_items
    possible = {1: comb(n, 2), 2: 3 * comb(n, 3)}
    rate = parameters.false_discovery_rate
    kept = [_discoveries(rules[size == length], tests, rate) for length, tests in possible.items()]
    return pd.concat(kept, ignore_index=True)


def _p_values(rules: pd.DataFrame, counts: dict[frozenset[str], int]) -> np.ndarray:
    """The greatest p of Fisher's exact test against each rule with one condition less."""
    from scipy.stats import hypergeom

    tests: list[tuple[int, int, int, int, int]] = []
    for position, (before, after) in enumerate(
        zip(rules["antecedents"], rules["consequents"], strict=True)
    ):
        for item in before:
            rest = before - {item}
            tests.append(
                (position, counts[before | after], counts[rest], counts[before],
                 counts[rest | after])
            )  # fmt: skip
    told = np.array(tests, dtype=np.int64).reshape(-1, 5)
    p = hypergeom.sf(told[:, 1] - 1, told[:, 2], told[:, 3], told[:, 4])
    worst = np.zeros(len(rules))
    np.maximum.at(worst, told[:, 0], p)
    return worst


def _discoveries(rules: pd.DataFrame, tests: int, rate: float) -> pd.DataFrame:
    """Benjamini and Hochberg's step-up among `tests` tests, those not made having failed.

    A pair of items is one test with two rules, so both directions share a p.
    """
    p = np.sort(rules["p_value"].to_numpy())
    if not len(p):
        return rules
    per_test = 2 if (rules["antecedents"].map(len) == 1).all() else 1
    rank = np.ceil(np.arange(1, len(p) + 1) / per_test)
    passing = p[p <= rate * rank / max(tests, 1)]
    return rules[rules["p_value"] <= passing.max()] if len(passing) else rules.iloc[:0]


def _told(rules: pd.DataFrame, baskets: int) -> pd.DataFrame:
    befores = [sorted(before) for before in rules["antecedents"]]
    told = pd.DataFrame(
        {
            "first_item": [before[0] for before in befores],
            "second_item": [before[1] if len(before) > 1 else None for before in befores],
            "consequent": [next(iter(after)) for after in rules["consequents"]],
            "antecedent_baskets": (rules["antecedent support"] * baskets).round().astype(int),
            "consequent_baskets": (rules["consequent support"] * baskets).round().astype(int),
            "rule_baskets": (rules["support"] * baskets).round().astype(int),
            **{name: rules[name] for name in COLUMNS[6:]},
        },
        columns=COLUMNS,
    )
    order = ["lift", "first_item", "second_item", "consequent"]
    return told.sort_values(
        order, ascending=[False, True, True, True], na_position="first", ignore_index=True
    )
