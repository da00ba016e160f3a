"""Communities: groups of people with more ties among themselves than chance would give them.

Leiden algorithm on modularity: Traag, Waltman & van Eck (2019), "From Louvain to Leiden:
guaranteeing well-connected communities", Scientific Reports 9, 5233. Plain modularity does not see
communities that are small beside the network (Fortunato & Barthélemy 2007), so its resolution is
estimated from the ties themselves: Newman (2016), "Equivalence between modularity optimization and
maximum likelihood methods for community detection", Physical Review E 94, 052315.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import igraph
import numpy as np

from tessera.network.ties import Mutual, Whole

#: Seeds tried, and estimates of the resolution, on a network of up to SMALL ties; above, fewer in
#: proportion, so that the time stays in bounds.
MOST_SEEDS, FEWEST_SEEDS = 10, 2
MOST_ESTIMATES, FEWEST_ESTIMATES = 12, 4
SMALL = 100_000
#: Estimates that differ by less than this share are the same.
CLOSE = 0.005
#: An estimate outside is chance, not structure.
LOWEST, HIGHEST = 0.1, 100.0


@dataclass(frozen=True)
class Partition:
    """Communities of a network.

    labels: a community a node, 0 the largest; ties in size go by the first member. modularity: at
    resolution 1, as the literature reports it. resolution: the one used. tried: modularity of each
    seed at that resolution; the best was taken.
    """

    labels: Whole
    modularity: float
    resolution: float
    tried: tuple[float, ...]


def find_communities(ties: Mutual, seed: int = 42, resolution: float | None = None) -> Partition:
    """Partition the nodes; the same ties and seed give the same communities.

    `resolution` None estimates it; 1 is plain modularity, more gives smaller communities. A node
    without a tie is a community of its own.
    """
    if not len(ties.low):
        return Partition(np.arange(ties.size), 0.0, resolution or 1.0, ())
    used = resolution or _estimate_resolution(ties, seed)
    seeds = range(seed, seed + _fewer(MOST_SEEDS, FEWEST_SEEDS, len(ties.low)))
    found = [_leiden(ties, used, s) for s in seeds]
    tried = tuple(_modularity(ties, labels, used) for labels in found)
    best = _by_size(found[int(np.argmax(tried))])
    return Partition(best, _modularity(ties, best, 1.0), used, tried)


def _estimate_resolution(ties: Mutual, seed: int) -> float:
    """Newman's fixed point: find communities, estimate from them, find again."""
    used = 1.0
    for _ in range(_fewer(MOST_ESTIMATES, FEWEST_ESTIMATES, len(ties.low))):
        estimate = _resolution_of(ties, _leiden(ties, used, seed))
        if estimate is None or abs(estimate - used) <= CLOSE * used:
            break
        used = estimate
    return used


def _resolution_of(ties: Mutual, labels: Whole) -> float | None:
    """The most likely resolution, given communities; None when they say nothing.

    (ω_in − ω_out) / (ln ω_in − ln ω_out), where ω_in and ω_out are the ties seen inside and between
    communities over those that chance would give (Newman 2016, equations 15 and 17).
    """
    total = ties.weight.sum()
    inside = ties.weight[labels[ties.low] == labels[ties.high]].sum() / total
    chance = float(np.square(np.bincount(labels, ties.strength) / (2 * total)).sum())
    if not (0 < inside < 1 and 0 < chance < 1):
        return None
    within, between = inside / chance, (1 - inside) / (1 - chance)
    if within <= between:
        return None
    estimate = float((within - between) / (np.log(within) - np.log(between)))
    return estimate if LOWEST <= estimate <= HIGHEST else None


def _leiden(ties: Mutual, resolution: float, seed: int) -> Whole:
    igraph.set_random_number_generator(random.Random(seed))
    found = ties.graph.community_leiden(
        objective_function="modularity",
        weights=ties.weight.tolist(),
        resolution=resolution,
        n_iterations=-1 if len(ties.low) <= SMALL else 2,
    )
    return np.array(found.membership, dtype=np.int64)


def _modularity(ties: Mutual, labels: Whole, resolution: float) -> float:
    total = ties.weight.sum()
    inside = ties.weight[labels[ties.low] == labels[ties.high]].sum() / total
    chance = np.square(np.bincount(labels, ties.strength) / (2 * total)).sum()
    return float(inside - resolution * chance)


def _by_size(labels: Whole) -> Whole:
    """The same communities, numbered by size, then by first member."""
    _, first, position, size = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(size), dtype=np.int64)
    rank[np.lexsort((first, -size))] = np.arange(len(size))
    return rank[position]


def _fewer(most: int, fewest: int, ties: int) -> int:
    return int(np.clip(most * SMALL // max(ties, 1), fewest, most))
