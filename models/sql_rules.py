"""A short rule for each segment that a person can read and a database can run.

A shallow decision tree learns to tell the segment from all others by raw features (a surrogate:
Craven & Shavlik 1996, "Extracting tree-structured representations of trained networks"); its leaves
become conditions. Bounds are the roundest numbers that divide the customers in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.tree import DecisionTreeClassifier

from models.distances import sample_positions
from models.preparation import Matrix, numeric_features

Positions = NDArray[np.intp]


@dataclass(frozen=True)
class RuleParameters:
    """What steers the rules.

    max_depth: conditions in a row at most. rows: the tree learns from so many customers, seeded;
    how good the rule is, is measured on all. slack: a shorter rule is taken when its F1 is within
    this of the best one.
    """

    max_depth: int = 3
    rows: int = 20_000
    slack: float = 0.02
    seed: int = 42


@dataclass(frozen=True)
class Bounds:
    """Values of a feature: above `lower`, up to `upper`, and null or not."""

    lower: float = -math.inf
    upper: float = math.inf
    with_null: bool = True

    def below(self, bound: float, with_null: bool) -> Bounds:
        """Those of them up to `bound`."""
        return replace(self, upper=min(self.upper, bound), with_null=self.with_null and with_null)

    def above(self, bound: float, with_null: bool) -> Bounds:
        """Those of them above `bound`."""
        return replace(self, lower=max(self.lower, bound), with_null=self.with_null and with_null)


Conditions = dict[str, Bounds]


@dataclass(frozen=True)
class Leaf:
    """A leaf: what leads to it, and the customers in it."""

    conditions: Conditions
    rows: Positions
    path: str

    def share(self, is_member: NDArray[np.bool_]) -> float:
        """The share of its customers who are in the segment."""
        return float(is_member[self.rows].mean()) if len(self.rows) else 0.0


def sql_rules(
    frame: pd.DataFrame,
    segments: ArrayLike,
    features: Sequence[str],
    within: str = "",
    parameters: RuleParameters | None = None,
) -> pd.DataFrame:
    """Write a rule for each segment; one row each, sorted by segment_id.

    `frame` has one row per customer, `segments` the segment_id of each row. `within`: a condition
    that all rows meet, which every rule repeats.
    Columns: segment_id; sql_rule (a condition on columns of the frame, names in double quotes;
    never true because of a null unless it says so); rule_precision (of those whom the rule takes,
    the share in the segment), rule_recall (of the segment, the share whom it takes), rule_fidelity
    (of all customers, the share of whom rule and segment say the same); NaN where it takes nobody.
    """
    parameters = parameters or RuleParameters()
    numbers = numeric_features(frame, [name for name in features if name in frame.columns])
    numbers = numbers.loc[:, numbers.nunique() > 1]
    keys = np.asarray(segments, dtype="str")
    rows = []
    for key in np.unique(keys):
        is_member = keys == key
        chosen = _choose(_leaves(numbers, is_member, parameters), is_member, parameters.slack)
        rows.append((key, _as_sql(chosen, numbers, within), *_measured(chosen, is_member)))
    return pd.DataFrame(
        rows,
        columns=["segment_id", "sql_rule", "rule_precision", "rule_recall", "rule_fidelity"],
    )


def roundest(low: float, high: float) -> float:
    """The number with the fewest digits from `low` (included) to `high` (not included).

    >>> roundest(43.2, 57.1), roundest(44, 45), roundest(0.1234, 0.1279), roundest(-3.2, -0.5)
    (50.0, 44.0, 0.125, -3.0)
    """
    for digits in range(-15, 16):
        for step in (10, 5, 1):  # 40, 45 and 43 are equally long, and not equally round
            count = math.ceil(low * 10.0**digits / step) * step
            bound = count / 10**digits if digits > 0 else float(count * 10**-digits)
            if low <= bound < high:
                return bound
    return low


def _leaves(
    numbers: pd.DataFrame, is_member: NDArray[np.bool_], parameters: RuleParameters
) -> list[Leaf]:
    everybody = np.arange(len(numbers))
    if not numbers.shape[1] or is_member.all():
        return [Leaf({}, everybody, "")]
    sample = sample_positions(len(numbers), parameters.rows, parameters.seed)
    tree = DecisionTreeClassifier(
        max_depth=parameters.max_depth,
        min_samples_leaf=max(1, len(sample) // 1000),
        class_weight="balanced",
        random_state=parameters.seed,
    )
    values = numbers.to_numpy()
    learnt = tree.fit(values[sample], is_member[sample]).tree_
    return list(_walk(learnt, 0, values, list(numbers.columns), Leaf({}, everybody, "")))


def _walk(tree: object, node: int, values: Matrix, names: list[str], here: Leaf) -> Iterator[Leaf]:
    """The leaves below a node, with the customers that the rounded bounds lead there."""
    left, right = tree.children_left[node], tree.children_right[node]  # type: ignore[attr-defined]
    if left == right:
        yield here
        return
    feature, threshold = tree.feature[node], tree.threshold[node]  # type: ignore[attr-defined]
    null_left = bool(tree.missing_go_to_left[node])  # type: ignore[attr-defined]
    column = values[here.rows, feature]
    is_null = np.isnan(column)
    is_low = column.astype("float32") <= threshold  # as the tree compares
    low, high = column[is_low], column[~is_low & ~is_null]
    bound = roundest(low.max(), high.min()) if len(low) and len(high) else float(threshold)
    goes_left = np.where(is_null, null_left, column <= bound)
    name = names[feature]
    bounds = here.conditions.get(name, Bounds())
    sides = ((left, goes_left, bounds.below(bound, null_left)),
             (right, ~goes_left, bounds.above(bound, not null_left)))  # fmt: skip
    for child, goes, kept in sides:
        path = here.path + ("l" if child == left else "r")
        below = Leaf({**here.conditions, name: kept}, here.rows[goes], path)
        yield from _walk(tree, child, values, names, below)


def _choose(leaves: list[Leaf], is_member: NDArray[np.bool_], slack: float) -> list[Leaf]:
    """The purest leaves, as many as serve the F1 score: the fewest within `slack` of the best."""
    ordered = sorted(leaves, key=lambda leaf: (-leaf.share(is_member), -len(leaf.rows), leaf.path))
    taken = np.cumsum([len(leaf.rows) for leaf in ordered])
    right = np.cumsum([int(is_member[leaf.rows].sum()) for leaf in ordered])
    scores = 2 * right / (taken + is_member.sum())
    count = int(np.argmax(scores >= scores.max() - slack)) + 1
    return sorted(ordered[:count], key=lambda leaf: leaf.path)


def _measured(chosen: list[Leaf], is_member: NDArray[np.bool_]) -> tuple[float, float, float]:
    taken = np.zeros(len(is_member), dtype=bool)
    taken[np.concatenate([leaf.rows for leaf in chosen])] = True
    right = float((taken & is_member).sum())
    precision = right / taken.sum() if taken.any() else float("nan")
    return precision, right / is_member.sum(), float((taken == is_member).mean())


def _as_sql(chosen: list[Leaf], numbers: pd.DataFrame, within: str) -> str:
    merged = _merged({leaf.path: leaf.conditions for leaf in chosen})
    has_null = {str(name) for name in numbers.columns[numbers.isna().any()]}
    ways = []
    for conditions in merged:
        told = [_bounds_as_sql(name, bounds, has_null) for name, bounds in conditions.items()]
        ways.append(" and ".join(filter(None, told)))
    rule = f"({') or ('.join(ways)})" if len(ways) > 1 else ways[0]
    if not rule:
        return within or "true"
    if not within:
        return rule
    return f"{within} and ({rule})" if len(ways) > 1 else f"{within} and {rule}"


def _merged(leaves: dict[str, Conditions]) -> list[Conditions]:
    """Two leaves of one parent become the parent, as often as that goes."""
    for path, conditions in leaves.items():
        twin = path[:-1] + ("r" if path.endswith("l") else "l")
        if path and twin in leaves:
            rest = {k: v for k, v in leaves.items() if k not in (path, twin)}
            parent = _united(conditions, leaves[twin])
            return _merged(dict(sorted({**rest, path[:-1]: parent}.items())))
    return list(leaves.values())


def _united(left: Conditions, right: Conditions) -> Conditions:
    """What holds in either of two neighbours, which differ in the bounds of one feature."""
    united = {
        name: Bounds(
            min(bounds.lower, right[name].lower),
            max(bounds.upper, right[name].upper),
            bounds.with_null or right[name].with_null,
        )
        for name, bounds in left.items()
    }
    return {name: bounds for name, bounds in united.items() if bounds != Bounds()}


def _bounds_as_sql(name: str, bounds: Bounds, has_null: set[str]) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if bounds.lower == math.inf:  # beyond all values: nulls, or nobody
        return f"{column} is null" if bounds.with_null else "false"
    told = []
    if bounds.lower > -math.inf:
        told.append(f"{column} > {_number(bounds.lower)}")
    if bounds.upper < math.inf:
        told.append(f"{column} <= {_number(bounds.upper)}")
    both = " and ".join(told)
    if name not in has_null:
        return both
    if not bounds.with_null:
        return both or f"{column} is not null"
    if not both:
        return ""
    return f"({both} or {column} is null)" if len(told) == 1 else f"(({both}) or {column} is null)"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
