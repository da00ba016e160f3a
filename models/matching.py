"""Which group of today is which of last time: names that stay while members come and go.

Groups are matched one to one so that the sum of their similarities is greatest (Kuhn 1955, "The
Hungarian method"), among pairs that are similar enough, as Greene, Doyle & Cunningham (2010),
"Tracking the evolution of communities in dynamic social networks", do with Jaccard at 0.3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

#: Least Jaccard similarity of two groups that are the same one.
SAME_MEMBERS = 0.3

Pairs = list[tuple[int, int]]


def match_members(
    current: pd.DataFrame, previous: pd.DataFrame, least: float = SAME_MEMBERS
) -> dict[str, str]:
    """Say of each current group which previous one it continues: {current: previous}.

    Both frames have a row a member and the columns `member` and `group`, a member in one group.
    Similarity is Jaccard's: shared members ÷ members of either. A group that continues none is not
    in the answer. Neither the order of rows nor of members changes it.

    >>> before = pd.DataFrame({"member": [*"abcdef"], "group": ["x", "x", "x", "y", "y", "y"]})
    >>> now = pd.DataFrame({"member": [*"abcdez"], "group": ["1", "1", "2", "2", "2", "3"]})
    >>> match_members(now, before)
    {'1': 'x', '2': 'y'}
    """
    shared = current.merge(previous, on="member", suffixes=("_now", "_then"))
    if shared.empty:
        return {}
    overlap = (
        shared.groupby(["group_now", "group_then"], observed=True).size().reset_index(name="n")
    )
    now, then = current["group"].value_counts(), previous["group"].value_counts()
    either = overlap["group_now"].map(now) + overlap["group_then"].map(then) - overlap["n"]
    names_now, names_then = sorted(now.index), sorted(then.index)
    rows = pd.Index(names_now).get_indexer(overlap["group_now"])
    columns = pd.Index(names_then).get_indexer(overlap["group_then"])
    shape = (len(names_now), len(names_then))
    jaccard = csr_array(coo_array((overlap["n"] / either, (rows, columns)), shape=shape))
    return {names_now[i]: names_then[j] for i, j in match_similar(jaccard, least)}


def match_vectors(
    current: NDArray[np.float64], previous: NDArray[np.float64], least: float
) -> Pairs:
    """Match rows of two matrices by cosine similarity: pairs (current row, previous row).

    >>> match_vectors(np.eye(2), np.array([[0.0, 2.0], [1.0, 0.1]]), least=0.5)
    [(0, 1), (1, 0)]
    """
    if not len(current) or not len(previous):
        return []
    return match_similar(csr_array(_unit(current) @ _unit(previous).T), least)


def match_similar(similarity: csr_array, least: float) -> Pairs:
    """Match rows to columns one to one: the greatest sum among entries of at least `least`.

    Returns pairs (row, column), ascending. What is not connected by such entries is solved apart,
    so that thousands of groups take no time. Of equal sums one is taken, always the same.
    """
    found = similarity.tocoo()
    kept = found.data >= max(least, np.finfo(float).tiny)
    rows, columns, values = found.row[kept], found.col[kept], found.data[kept]
    height, width = similarity.shape
    links = coo_array(
        (np.ones(len(rows)), (rows, columns + height)), shape=(height + width, height + width)
    )
    part = connected_components(links, directed=False)[1][rows]
    pairs: Pairs = []
    for chosen in _groups_of(part):
        pairs += _assign(rows[chosen], columns[chosen], values[chosen])
    return sorted(pairs)


def _groups_of(part: NDArray[np.int32]) -> Sequence[NDArray[np.intp]]:
    """Positions of equal values, a list a value."""
    order = np.argsort(part, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(part[order])) + 1) if len(order) else []


def _assign(rows: NDArray, columns: NDArray, values: NDArray) -> Pairs:
    row_names, r = np.unique(rows, return_inverse=True)
    column_names, c = np.unique(columns, return_inverse=True)
    dense = np.zeros((len(row_names), len(column_names)))
    dense[r, c] = values
    chosen = zip(*linear_sum_assignment(dense, maximize=True), strict=True)
    return [(int(row_names[i]), int(column_names[j])) for i, j in chosen if dense[i, j] > 0]


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
