"""How far each node reaches, and between whom it stands.

Ties point from who pays attention to whom it is paid, so PageRank flows to the followed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.network.ties import Mutual, Network, Real, Whole

#: Betweenness is exact up to this many nodes × ties; above, from as many sources as cost the same.
EXACT_WORK = 40_000_000
FEWEST_SOURCES = 32
#: Guimerà & Amaral (2005): a hub's within-community degree stands 2.5 deviations above the mean.
HUB = 2.5
CONNECTOR, CONNECTOR_HUB = 0.62, 0.30


@dataclass(frozen=True)
class Influence:
    """Figures a node.

    incoming, outgoing: distinct nodes that pay it attention, and to which it does. pagerank: sums
    to 1. coreness: the greatest k such that it lies in a group whose members have k ties each
    inside (Seidman 1983). betweenness: share of shortest ways between others that lead over it.
    audience: ways by which at most two steps lead to it, so those who follow it and those who
    follow them, each way counted. sources: from how many nodes betweenness was counted.
    """

    incoming: Whole
    outgoing: Whole
    pagerank: Real
    coreness: Whole
    betweenness: Real
    audience: Whole
    sources: int


def measure_influence(network: Network, seed: int = 42) -> Influence:
    """Measure every node; time grows with the ties, whatever hubs there are."""
    incoming = np.bincount(network.target, minlength=network.size)
    outgoing = np.bincount(network.source, minlength=network.size)
    second = np.bincount(network.target, incoming[network.source], minlength=network.size)
    # Who follows back would hear herself.
    code = network.source * max(network.size, 1) + network.target
    back = np.isin(code, network.target * max(network.size, 1) + network.source)
    second = second - np.bincount(network.target[back], minlength=network.size)
    between, sources = betweenness(network, seed)
    return Influence(
        incoming,
        outgoing,
        pagerank(network),
        np.array(network.mutual.graph.coreness(), dtype=np.int64),
        between,
        incoming + second.astype(np.int64),
        sources,
    )


def pagerank(network: Network, damping: float = 0.85) -> Real:
    """Weighted PageRank (Brin & Page 1998), by igraph's PRPACK; empty for no node."""
    if not network.size:
        return np.empty(0)
    ranks = network.directed.pagerank(
        directed=True, damping=damping, weights=network.weight.tolist()
    )
    return np.array(ranks)


def betweenness(network: Network, seed: int = 42, sources: int | None = None) -> tuple[Real, int]:
    """Share of the shortest ways between other nodes that lead over each, unweighted, directed.

    Exact, or estimated from `sources` nodes drawn without replacement (Brandes & Pich 2007,
    "Centrality estimation in large networks"); how many is chosen by size when None. Of one node
    the estimate is off by more than √(ln(2/δ) / (2 · sources)) with probability at most δ
    (Hoeffding). Returns the shares and the number of sources.
    """
    size, ties = network.size, len(network.source)
    if size < 3 or not ties:
        return np.zeros(size), size
    if sources is None:
        sources = max(FEWEST_SOURCES, EXACT_WORK // ties)
    sources = min(sources, size)
    drawn = None
    if sources < size:
        drawn = np.sort(np.random.default_rng(seed).choice(size, sources, replace=False)).tolist()
    passed = np.array(network.directed.betweenness(directed=True, sources=drawn))
    return passed / (sources * (size - 2)), sources


def participation(ties: Mutual, labels: Whole) -> Real:
    """Share of a node's ties that go evenly over communities: 0 all in one, towards 1 spread.

    1 − Σ over communities of (weight into it ÷ strength)²; NaN without a tie. Guimerà & Amaral
    (2005), "Functional cartography of complex metabolic networks", Nature 433, 895.
    """
    node, into = np.concatenate([ties.low, ties.high]), np.concatenate([ties.high, ties.low])
    groups = int(labels.max()) + 1 if len(labels) else 1
    pair, position = np.unique(node * groups + labels[into], return_inverse=True)
    weight = np.bincount(position, np.concatenate([ties.weight] * 2), minlength=len(pair))
    squares = np.bincount(pair // groups, np.square(weight), minlength=ties.size)
    with np.errstate(invalid="ignore", divide="ignore"):
        return 1 - squares / np.square(ties.strength)


def bridges(ties: Mutual, labels: Whole) -> NDArray[np.bool_]:
    """Whether each node connects communities: a connector by Guimerà & Amaral (2005).

    Participation above 0.62, or above 0.30 for a hub: a node whose number of ties inside its own
    community stands 2.5 standard deviations above the mean there.
    """
    same = labels[ties.low] == labels[ties.high]
    ends = np.concatenate([ties.low[same], ties.high[same]])
    inside = np.bincount(ends, minlength=ties.size).astype(np.float64)
    groups = int(labels.max()) + 1 if len(labels) else 1
    size = np.maximum(np.bincount(labels, minlength=groups), 1)
    mean = np.bincount(labels, inside, minlength=groups) / size
    variance = np.bincount(labels, np.square(inside - mean[labels]), minlength=groups) / size
    deviation = np.sqrt(variance)[labels]
    hub = (deviation > 0) & (inside - mean[labels] >= HUB * deviation)
    spread = participation(ties, labels)
    return spread > np.where(hub, CONNECTOR_HUB, CONNECTOR)
