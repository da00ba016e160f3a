"""Links become people; what must be apart stays apart, whatever the order."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.identity.clusters import Clustered, Links, Pair, cluster

COUNT = 8
pair = st.tuples(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1)).filter(
    lambda p: p[0] != p[1]
)
links = st.lists(st.tuples(pair, st.integers(1, 5)), max_size=14, unique_by=lambda link: link[0])
some_pairs = st.lists(pair, max_size=4)


def clustered(
    linked: list[tuple[Pair, int]],
    together: list[Pair],
    apart: list[Pair],
    largest: int = COUNT,
    contradictions: list[Pair] | None = None,
) -> Clustered:
    return cluster(
        COUNT,
        Links(
            np.array([p[0] for p, _ in linked], dtype=int),
            np.array([p[1] for p, _ in linked], dtype=int),
            np.array([w for _, w in linked], dtype=float),
        ),
        together,
        apart,
        largest,
        lambda label: [
            (a, b) for a, b in contradictions or [] if label[a] == label[b] and label[a] >= 0
        ],
    )


@settings(max_examples=30, deadline=None)
@given(links, some_pairs, some_pairs, st.randoms())
def test_any_order_gives_the_same(linked, together, apart, random) -> None:
    first = clustered(linked, together, apart).label
    flipped = [((b, a), w) for (a, b), w in linked]
    for pairs in (flipped, together, apart):
        random.shuffle(pairs)
    assert (clustered(flipped, together, apart).label == first).all()


@settings(max_examples=30, deadline=None)
@given(links, some_pairs, some_pairs)
def test_apart_holds_by_way_of_others_too(linked, together, apart) -> None:
    label = clustered(linked, together, apart).label
    assert all(label[a] != label[b] for a, b in apart)


@settings(max_examples=30, deadline=None)
@given(links, some_pairs)
def test_together_holds_whatever_was_found(linked, together) -> None:
    label = clustered(linked, together, [], largest=2, contradictions=together).label
    assert all(label[a] == label[b] for a, b in together)


@settings(max_examples=30, deadline=None)
@given(links, st.integers(2, 4))
def test_no_cluster_is_too_large(linked, largest) -> None:
    found = clustered(linked, [], [], largest)
    assert np.bincount(found.label).max() <= largest


@settings(max_examples=30, deadline=None)
@given(links, some_pairs)
def test_what_contradicts_is_not_chained_into_one(linked, contradictions) -> None:
    label = clustered(linked, [], [], contradictions=contradictions).label
    sizes = np.bincount(label, minlength=COUNT)
    for a, b in contradictions:
        assert label[a] != label[b] or sizes[label[a]] == 2


def test_the_weakest_link_is_cut() -> None:
    chain = [((0, 1), 9), ((1, 2), 3), ((2, 3), 8)]
    found = clustered(chain, [], [(0, 3)])
    assert found.label.tolist()[:4] == [0, 0, 2, 2]
    assert found.cut == [(1, 2)]


def test_the_label_is_the_least_record() -> None:
    assert clustered([((5, 2), 1), ((2, 7), 1)], [], []).label.tolist() == [0, 1, 2, 3, 4, 2, 6, 2]
