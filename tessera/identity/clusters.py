"""From pairs to people: what is linked is one, unless that puts together what must be apart.

Plain connected components, and where a component is too large or holds two records that cannot be
one person, Kruskal's way: links are taken from the strongest on, and one that would break a rule
is left out. The weakest links are thus cut, whatever the order of the input.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Pair = tuple[int, int]


@dataclass(frozen=True)
class Links:
    """Which records belong together. Arrays of one length; `weight` in bits, higher is surer."""

    left: np.ndarray
    right: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Clustered:
    """`label`: a number per record, the least record of its cluster. `cut`: links left out."""

    label: np.ndarray
    cut: list[Pair]


def cluster(
    count: int,
    links: Links,
    together: Collection[Pair],
    apart: Collection[Pair],
    largest: int,
    find_contradictions: Callable[[np.ndarray], Iterable[Pair]],
) -> Clustered:
    """Cluster the records 0 … count − 1.

    `together` are always one, `apart` never, not even by way of others; of both for one pair,
    `apart` holds. `largest`: records in a cluster at most. `find_contradictions` is given labels,
    -1 for records that need no look, and tells which pairs of one label cannot be one person.
    """
    kept_apart = {_ordered(pair) for pair in apart}
    sure = {_ordered(pair) for pair in together} - kept_apart
    left = np.r_[links.left, np.array([p[0] for p in sorted(sure)], dtype=links.left.dtype)]
    right = np.r_[links.right, np.array([p[1] for p in sorted(sure)], dtype=links.right.dtype)]
    weight = np.r_[links.weight, np.full(len(sure), np.inf)]
    edges = _strongest_first(left, right, weight)
    component = _labels(count, *edges[:2])
    label, cut = _cut(component, edges, kept_apart, largest)
    look = np.bincount(label, minlength=count)[label] > 2
    while True:
        known = len(kept_apart)
        for pair in find_contradictions(np.where(look, label, -1)):
            if _ordered(pair) not in sure:
                kept_apart.add(_ordered(pair))
        if len(kept_apart) == known:
            return Clustered(label, cut)
        label, cut = _cut(component, edges, kept_apart, largest)
        look = np.bincount(label, minlength=count)[label] > 2


def _ordered(pair: Pair) -> Pair:
    return (min(pair), max(pair))


def _strongest_first(
    left: np.ndarray, right: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    low, high = np.minimum(left, right), np.maximum(left, right)
    order = np.lexsort((high, low, -weight))
    return low[order], high[order], weight[order]


def _labels(count: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The least record of each record's component."""
    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    parts, component = connected_components(graph, directed=False)
    least = np.empty(parts, dtype=np.intp)
    least[component[::-1]] = np.arange(count)[::-1]  # of several for one place, the last stays
    return least[component]


def _cut(
    component: np.ndarray,
    edges: tuple[np.ndarray, np.ndarray, np.ndarray],
    apart: set[Pair],
    largest: int,
) -> tuple[np.ndarray, list[Pair]]:
    label = component.copy()
    sizes = np.bincount(component, minlength=len(component))
    difficult = set(np.flatnonzero(sizes > largest).tolist())
    difficult |= {int(component[a]) for a, b in apart if component[a] == component[b]}
    if not difficult:
        return label, []
    touched = np.isin(component, sorted(difficult))
    inside = np.flatnonzero(touched[edges[0]])
    chosen = zip(*(column[inside].tolist() for column in edges), strict=True)
    forest = _Forest(apart, largest)
    cut = [(a, b) for a, b, weight in chosen if not forest.join(a, b, weight == np.inf)]
    for record in np.flatnonzero(touched).tolist():
        label[record] = forest.root(record)
    return label, cut


class _Forest:
    """Disjoint sets that know whom they must not meet. The root is the least of a set."""

    def __init__(self, apart: set[Pair], largest: int) -> None:
        self._parent: dict[int, int] = {}
        self._size: dict[int, int] = defaultdict(lambda: 1)
        self._largest = largest
        self._foes: dict[int, set[int]] = defaultdict(set)
        for a, b in apart:
            self._foes[a].add(b)
            self._foes[b].add(a)

    def root(self, record: int) -> int:
        """The least record of the set."""
        path = []
        while self._parent.get(record, record) != record:
            path.append(record)
            record = self._parent[record]
        for passed in path:
            self._parent[passed] = record
        return record

    def join(self, a: int, b: int, whatever_size: bool) -> bool:
        """Unite the sets of both; False where that must not be."""
        a, b = sorted((self.root(a), self.root(b)))
        if a == b:
            return True
        size = self._size[a] + self._size[b]
        if b in self._foes[a] or (size > self._largest and not whatever_size):
            return False
        self._parent[b] = a
        self._size[a] = size
        for foe in self._foes.pop(b, set()):
            self._foes[foe].discard(b)
            self._foes[foe].add(a)
            self._foes[a].add(foe)
        return True
