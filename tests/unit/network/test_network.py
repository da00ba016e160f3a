from __future__ import annotations

import igraph
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.network.communities import find_communities
from tessera.network.influence import (
    betweenness,
    bridges,
    measure_influence,
    pagerank,
    participation,
)
from tessera.network.ties import Network, connect
from tests.conftest import shared

PAIRS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=40)


def _network(pairs: list[tuple[str, str]]) -> Network:
    return connect(
        pa.table(
            {
                "source": pa.array([a for a, _ in pairs], pa.string()),
                "target": pa.array([b for _, b in pairs], pa.string()),
                "weight": pa.array([1.0] * len(pairs), pa.float64()),
            }
        )
    )


def _cliques(*sizes: int) -> list[tuple[str, str]]:
    """Groups in which everybody follows everybody; the first of each follow one another."""
    pairs = [
        (f"{group}-{a}", f"{group}-{b}")
        for group, size in enumerate(sizes)
        for a in range(size)
        for b in range(size)
        if a != b
    ]
    return pairs + [(f"{g}-0", f"{g + 1}-0") for g in range(len(sizes) - 1)]


def test_an_empty_network_has_nobody() -> None:
    network = _network([])
    assert network.size == 0
    assert len(find_communities(network.mutual).labels) == 0
    influence = measure_influence(network)
    assert len(influence.pagerank) == len(influence.betweenness) == 0
    assert len(bridges(network.mutual, np.empty(0, dtype=np.int64))) == 0


def test_who_only_follows_herself_is_alone() -> None:
    network = _network([("a", "a"), ("a", "a")])
    assert network.keys.to_pylist() == ["a"]
    assert find_communities(network.mutual).labels.tolist() == [0]
    influence = measure_influence(network)
    assert influence.pagerank.tolist() == [1.0]
    assert influence.coreness.tolist() == influence.audience.tolist() == [0]


def test_repeated_ties_add_up_and_loops_fall_away() -> None:
    network = _network([("b", "a"), ("b", "a"), ("a", "a"), ("a", "b")])
    assert network.source.tolist() == [0, 1]
    assert network.weight.tolist() == [1.0, 2.0]
    assert network.mutual.weight.tolist() == [3.0]


def test_a_tie_without_an_end_is_left_out_and_a_bad_weight_refused() -> None:
    columns = {"source": ["a", None], "target": ["b", "c"], "weight": [1.0, 1.0]}
    assert connect(pa.table(columns)).keys.to_pylist() == ["a", "b"]
    with pytest.raises(ValueError, match="weight"):
        connect(pa.table({"source": ["a"], "target": ["b"], "weight": [0.0]}))


def test_cliques_are_communities_largest_first() -> None:
    network = _network(_cliques(4, 6, 5))
    labels = dict(
        zip(network.keys.to_pylist(), find_communities(network.mutual).labels, strict=True)
    )
    assert {key: label for key, label in labels.items() if key.endswith("-0")} == {
        "0-0": 2, "1-0": 0, "2-0": 1,
    }  # fmt: skip
    assert len(set(labels.values())) == 3


def test_small_communities_are_seen_in_a_large_network() -> None:
    """A ring of cliques: plain modularity joins neighbours (Fortunato & Barthélemy 2007)."""
    network = _network(_cliques(*[4] * 60))
    assert find_communities(network.mutual).labels.max() + 1 == 60
    assert find_communities(network.mutual, resolution=1.0).labels.max() + 1 < 60


def test_separate_parts_are_communities() -> None:
    network = _network([("a", "b"), ("c", "d"), ("d", "e")])
    found = find_communities(network.mutual)
    assert found.labels.tolist() == [1, 1, 0, 0, 0]


def test_influence_on_a_star() -> None:
    network = _network([(leaf, "z") for leaf in "abcd"] + [("e", "a")])
    influence = measure_influence(network)
    assert influence.incoming.tolist() == [1, 0, 0, 0, 0, 4]
    assert influence.outgoing.tolist() == [1, 1, 1, 1, 1, 0]
    assert influence.audience.tolist() == [1, 0, 0, 0, 0, 5]
    assert influence.coreness.tolist() == [1] * 6
    assert int(influence.pagerank.argmax()) == 5
    # One way of 20 between others (e to z) leads over a.
    assert influence.betweenness.tolist() == [pytest.approx(1 / 24), 0, 0, 0, 0, 0]


def test_nobody_is_in_her_own_audience() -> None:
    assert measure_influence(_network([("a", "b"), ("b", "a")])).audience.tolist() == [1, 1]


def test_participation_and_bridges() -> None:
    pairs = [*_cliques(4, 4, 4), *[("x", f"{group}-{n}") for group in range(3) for n in (1, 2)]]
    network = _network(pairs)
    groups = {"0": 0, "1": 1, "2": 2, "x": 0}
    labels = np.array([groups[key[0]] for key in network.keys.to_pylist()])
    spread = dict(zip(network.keys.to_pylist(), participation(network.mutual, labels), strict=True))
    assert spread["x"] == pytest.approx(2 / 3)
    assert spread["0-3"] == 0
    connects = dict(zip(network.keys.to_pylist(), bridges(network.mutual, labels), strict=True))
    assert [key for key, is_bridge in connects.items() if is_bridge] == ["x"]


def test_sampled_betweenness_is_close_and_exact_with_all_sources() -> None:
    drawn = igraph.Graph.Erdos_Renyi(n=400, m=2400, directed=True)
    network = _network([(f"{a:03d}", f"{b:03d}") for a, b in drawn.get_edgelist()])
    exact, sources = betweenness(network)
    assert sources == network.size
    sampled, _ = betweenness(network, sources=200)
    assert np.abs(sampled - exact).max() < np.sqrt(np.log(2 * 400 / 0.01) / (2 * 200))
    assert np.corrcoef(sampled, exact)[0, 1] > 0.9


@pytest.mark.parametrize("ties", [50_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_a_huge_hub_stays_in_bounds(ties: int) -> None:
    leaves = pa.array([f"{n:07d}" for n in range(ties)])
    hub = pa.array(["hub"]).take(pa.array(np.zeros(ties, dtype=np.int64)))
    network = connect(pa.table({"source": leaves, "target": hub, "weight": np.ones(ties)}))
    assert find_communities(network.mutual).labels.max() == 0
    influence = measure_influence(network)
    assert influence.audience.max() == influence.incoming.max() == ties


@settings(deadline=None, max_examples=40)
@given(PAIRS, st.randoms())
def test_what_always_holds(pairs: list[tuple[str, str]], random) -> None:
    network = _network(pairs)
    found = find_communities(network.mutual)
    influence = measure_influence(network)
    assert len(found.labels) == network.size
    assert sorted(set(found.labels)) == list(range(len(set(found.labels))))
    assert np.all(np.diff(np.bincount(found.labels)) <= 0) or not network.size
    if network.size:
        assert influence.pagerank.sum() == pytest.approx(1)
    spread = participation(network.mutual, found.labels)
    assert np.all((spread[~np.isnan(spread)] >= 0) & (spread[~np.isnan(spread)] < 1))
    assert np.all((influence.betweenness >= 0) & (influence.betweenness <= 1))
    random.shuffle(pairs)
    again = _network(pairs)
    assert find_communities(again.mutual).labels.tolist() == found.labels.tolist()
    assert pagerank(again).tolist() == influence.pagerank.tolist()


def test_departments_are_found_in_a_real_network() -> None:
    """The default must be no worse than Louvain, whose NMI there is 0.596."""
    from sklearn.metrics import normalized_mutual_info_score

    folder = shared("email-eu-core")
    pairs = np.loadtxt(folder / "email-Eu-core.txt", dtype=str)
    told = (folder / "email-Eu-core-department-labels.txt").read_text().split()
    departments = dict(zip(told[::2], told[1::2], strict=True))
    network = _network([(a, b) for a, b in pairs])
    truth = [departments[key] for key in network.keys.to_pylist()]
    assert network.size == 1005
    for seed in (42, 1, 2):
        found = find_communities(network.mutual, seed)
        assert normalized_mutual_info_score(truth, found.labels) > 0.70
        assert found.modularity > 0.35
