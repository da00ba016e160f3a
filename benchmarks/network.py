"""Communities and influence: `python -m benchmarks.network 1000000`.

On a synthetic network of that many ties among a tenth as many people, in communities of about
2,000, followed by popularity: our chain (graph, communities, influence, bridges) and as a floor
plain igraph calls (build, one Leiden at resolution 1, PageRank, coreness), each in a process of its
own. Then the e-mail network of email-eu-core, if it is there, against its departments.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import igraph
import numpy as np
import pyarrow as pa
from sklearn.metrics import normalized_mutual_info_score

from benchmarks import machine
from benchmarks.part import measure_part
from benchmarks.report import Figures
from tessera.network.communities import find_communities
from tessera.network.influence import betweenness, bridges, measure_influence
from tessera.network.ties import connect

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "email-eu-core"


def draw_ties(ties: int, seed: int = 1) -> tuple[pa.Table, np.ndarray]:
    """Ties as the step hands them over, and the planted community of each person."""
    rng = np.random.default_rng(seed)
    people = max(ties // 10, 10)
    planted = np.sort(rng.integers(0, max(people // 2_000, 2), people))
    starts = np.searchsorted(planted, np.arange(planted.max() + 2))
    source = rng.integers(0, people, ties)
    low, high = starts[planted[source]], starts[planted[source] + 1]
    inside = low + (rng.random(ties) ** 3 * (high - low)).astype(np.int64)
    target = np.where(rng.random(ties) < 0.8, inside, rng.integers(0, people, ties))
    keys = pa.array([f"{n:032x}" for n in range(people)])
    columns = {"source": keys.take(pa.array(source)), "target": keys.take(pa.array(target))}
    return pa.table(columns | {"weight": np.ones(ties)}), planted


def measure_ours(ties: int) -> dict[str, float]:
    """Seconds and quality of our chain."""
    table, planted = draw_ties(ties)
    started = time.perf_counter()
    network = connect(table)
    partition = find_communities(network.mutual)
    found = time.perf_counter()
    influence = measure_influence(network)
    bridges(network.mutual, partition.labels)
    ended = time.perf_counter()
    truth = planted[[int(key, 16) for key in network.keys.to_pylist()]]
    return {
        "seconds": ended - started,
        "communities": found - started,
        "influence": ended - found,
        "modularity": partition.modularity,
        "nmi": float(normalized_mutual_info_score(truth, partition.labels)),
        "sources": influence.sources,
    }


def measure_floor(ties: int) -> dict[str, float]:
    """Seconds and quality of plain igraph calls on numbered nodes."""
    table, planted = draw_ties(ties)
    pairs = [
        np.array([int(key, 16) for key in table[end].to_pylist()]) for end in ("source", "target")
    ]
    started = time.perf_counter()
    graph = igraph.Graph(n=len(planted), edges=np.column_stack(pairs), directed=True).simplify()
    both = graph.as_undirected()
    igraph.set_random_number_generator(random.Random(42))
    labels = both.community_leiden(objective_function="modularity").membership
    graph.pagerank()
    both.coreness()
    seconds = time.perf_counter() - started
    nmi = float(normalized_mutual_info_score(planted, labels))
    return {"seconds": seconds, "modularity": both.modularity(labels), "nmi": nmi}


def synthetic(sizes: list[int]) -> list[tuple[str, ...]]:
    """A row of figures for each size and way."""
    rows = []
    for ties in sizes:
        for name in ("floor", "ours"):
            found, cost = measure_part("network", str(ties), "--part", name, cap_seconds=900)
            if found is None:
                rows.append((f"{ties:,}: {name}", f"stopped by {cost.stopped}", "", "", "", ""))
                continue
            parts = f"{found.get('communities', 0):.1f} + {found.get('influence', 0):.1f}"
            rows.append(
                (f"{ties:,}: {name}", f"{found['seconds']:.1f}", parts if name == "ours" else "",
                 f"{found['modularity']:.3f}", f"{found['nmi']:.3f}",
                 f"{cost.peak_bytes / 1e9:.2f} GB")
            )  # fmt: skip
    return rows


def real() -> list[tuple[str, ...]]:
    """Departments found in the e-mail network, by seed, at the default and at resolution 1."""
    lines = [line.split() for line in (REAL / "email-Eu-core.txt").read_text().splitlines()]
    pairs = [line for line in lines if line]
    told = (REAL / "email-Eu-core-department-labels.txt").read_text().split()
    departments = dict(zip(told[::2], told[1::2], strict=True))
    ends = {"source": [a for a, _ in pairs], "target": [b for _, b in pairs]}
    network = connect(pa.table(ends | {"weight": np.ones(len(pairs))}))
    truth = [departments[key] for key in network.keys.to_pylist()]
    rows = []
    for resolution in (None, 1.0):
        for seed in (42, 1, 2, 3, 4):
            found = find_communities(network.mutual, seed, resolution)
            nmi = normalized_mutual_info_score(truth, found.labels)
            rows.append(
                (f"{'estimated' if resolution is None else 'plain'}, seed {seed}",
                 f"{found.resolution:.2f}", str(found.labels.max() + 1),
                 f"{found.modularity:.3f}", f"{nmi:.3f}")
            )  # fmt: skip
    exact, _ = betweenness(network)
    for sources in (50, 200):
        sampled, _ = betweenness(network, sources=sources)
        off = float(np.abs(sampled - exact).max())
        agree = float(
            np.corrcoef(np.argsort(np.argsort(exact)), np.argsort(np.argsort(sampled)))[0, 1]
        )
        text = f"greatest error {off:.4f}, rank correlation {agree:.3f}"
        rows.append((f"betweenness from {sources} of {network.size} sources", "", "", "", text))
    return rows


def main() -> None:
    """Measure each size, or, in a process of its own, one part of one size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.network", description=__doc__)
    parser.add_argument("ties", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--part", choices=("floor", "ours"), help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.part:
        part = measure_floor if told.part == "floor" else measure_ours
        print(json.dumps(part(told.ties[0])))
        return
    head: tuple[str, ...] = (
        "ties", "seconds", "communities + influence", "modularity", "NMI", "peak memory",
    )  # fmt: skip
    note = f"Load of the machine before: {machine.load():.1f}."
    tables = [Figures("Communities and influence", note, head, synthetic(told.ties))]
    if REAL.is_dir():
        head = ("way", "resolution", "communities", "modularity", "NMI")
        tables.append(Figures("email-eu-core against its 42 departments", "", head, real()))
    for figures in tables:
        figures.show()


if __name__ == "__main__":
    main()
