"""Ties between people as a graph: who follows, mentions or answers whom, and how strongly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import igraph
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Real = NDArray[np.float64]


@dataclass(frozen=True)
class Network:
    """People and their directed ties; no tie twice, none to oneself.

    keys: a key a node, ascending; a node's number is its position. source, target: a node number a
    tie, ascending by (source, target): the source pays attention to the target. weight: above 0.
    """

    keys: pa.Array
    source: Whole
    target: Whole
    weight: Real

    @property
    def size(self) -> int:
        """Number of nodes."""
        return len(self.keys)

    @cached_property
    def directed(self) -> igraph.Graph:
        """The ties as they are; weights are passed beside it."""
        return _graph(self.size, self.source, self.target, directed=True)

    @cached_property
    def mutual(self) -> Mutual:
        """The ties without their direction: what goes both ways is one tie, weights added."""
        low, high = np.minimum(self.source, self.target), np.maximum(self.source, self.target)
        pair, weight = _summed(low * self.size + high, self.weight)
        return Mutual(self.size, pair // max(self.size, 1), pair % max(self.size, 1), weight)


@dataclass(frozen=True)
class Mutual:
    """Undirected ties of `size` nodes: numbers of the two ends and a weight each."""

    size: int
    low: Whole
    high: Whole
    weight: Real

    @cached_property
    def graph(self) -> igraph.Graph:
        """The same for igraph; weights are passed beside it."""
        return _graph(self.size, self.low, self.high, directed=False)

    @cached_property
    def strength(self) -> Real:
        """Sum of the weights of each node's ties."""
        ends = np.concatenate([self.low, self.high])
        weight = np.concatenate([self.weight, self.weight])
        return np.bincount(ends, weight, minlength=self.size).astype(np.float64)


def connect(edges: pa.Table) -> Network:
    """Make a network of rows (source, target, weight); the keys are texts.

    Rows with the same ends add up. A row from a key to itself makes a node and no tie. Rows without
    both keys are left out. Raises ValueError for a weight that is not above 0.

    >>> told = {"source": ["b", "a", "a"], "target": ["a", "b", "a"], "weight": [1.0, 2.0, 9.0]}
    >>> found = connect(pa.table(told))
    >>> found.keys.to_pylist(), found.source.tolist(), found.weight.tolist()
    (['a', 'b'], [0, 1], [2.0, 1.0])
    """
    edges = edges.filter(pc.and_(edges["source"].is_valid(), edges["target"].is_valid()))
    weight = edges["weight"].cast(pa.float64()).to_numpy()
    if not (weight > 0).all():
        raise ValueError("a tie has a weight that is not above 0")
    ends = pa.chunked_array([*edges["source"].chunks, *edges["target"].chunks], pa.string())
    keys = ends.unique()
    keys = keys.take(pc.sort_indices(keys))
    source, target = _numbers(edges["source"], keys), _numbers(edges["target"], keys)
    between = source != target
    size = max(len(keys), 1)
    tie, weight = _summed(source[between] * size + target[between], weight[between])
    return Network(keys, tie // size, tie % size, weight)


def _numbers(column: pa.ChunkedArray, keys: pa.Array) -> Whole:
    found: Whole = pc.index_in(column.cast(pa.string()), keys).to_numpy().astype(np.int64)
    return found


def _summed(code: Whole, weight: Real) -> tuple[Whole, Real]:
    """Distinct codes, ascending, with the sum of their weights."""
    distinct, position = np.unique(code, return_inverse=True)
    return distinct, np.bincount(position, weight, len(distinct)).astype(np.float64)


def _graph(size: int, source: Whole, target: Whole, *, directed: bool) -> igraph.Graph:
    return igraph.Graph(n=size, edges=np.column_stack([source, target]), directed=directed)
