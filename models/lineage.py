"""Which cluster of this fit is which segment of before: ids that live across fits.

A fit numbers its clusters as it likes. Here each cluster gets the id of the segment that it
continues, or a new one: one to one, so that the sum of similarities is greatest (Kuhn 1955, "The
Hungarian method"), among pairs that share enough members (Greene, Doyle & Cunningham 2010,
"Tracking the evolution of communities in dynamic social networks"). What continues nothing, and
what nothing continues, is told as an event; the kinds follow Palla, Barabási & Vicsek (2007),
"Quantifying social group evolution".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist

from models.matching import Pairs, match_similar

NOISE_ID = "noise"
EVENTS = ("continued", "split", "born", "merged", "died")
COLUMNS = ["event", "segment_id", "from_segment_id", "shared_customers", "jaccard",
           "centroid_distance", "share_of_then", "share_of_now"]  # fmt: skip


@dataclass(frozen=True)
class LineageParameters:
    """What is one and the same segment.

    least_jaccard: a cluster continues a segment only with so large a part in common: shared members
        divided by members of either.
    centroid_weight: what nearness of the centres counts beside shared members, when a cluster could
        continue several segments; 0 looks at members alone.
    origin_share: a new cluster is a split of the segment from which at least this share of its
        members come; a segment is merged into the one that takes at least this share of its own.
    """

    least_jaccard: float = 0.3
    centroid_weight: float = 0.25
    origin_share: float = 0.5

    def __post_init__(self) -> None:
        """Refuse shares outside 0..1."""
        for name, value in vars(self).items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must be within 0 and 1, not {value}")


@dataclass(frozen=True)
class Lineage:
    """The id of each cluster, and what happened to each segment.

    ids: cluster -> segment_id. newest_number: of the newest id ever given ("s7": 7).
    events: one row per segment of before or now, with COLUMNS. `from_segment_id` is the segment it
        comes from: itself when continued, the divided one when split, the one that ceased when
        merged (`segment_id` is then the one that took it in), none when born; of a dead one,
        `segment_id` is its own. shared_customers are members of both, share_of_then and
        share_of_now their part of the segment before and of the one now.
    """

    ids: Mapping[int, str]
    events: pd.DataFrame
    newest_number: int


def match_segments(
    then: pd.Series,
    now: pd.Series,
    centres_then: pd.DataFrame,
    centres_now: pd.DataFrame,
    newest_number: int,
    parameters: LineageParameters | None = None,
    homes: pd.Series | None = None,
) -> Lineage:
    """Say which cluster of now is which segment of then, and what happened.

    then: customer_id -> segment_id; now: customer_id -> cluster; of the same customers, in any
    order: where the ML model of before and that of now put them, both today.
    centres_*: one row per segment_id or cluster, in one space (see `mean_positions`). Only what has
    a row is matched: every segment and cluster, even without members, except noise.
    homes: customer_id -> the segment in which she was settled; missing for a newcomer. It tells a
    split (members of one segment, who part) from a birth (others, whom the old ML model could only
    put into the segment nearest to them). Without it, `then` is taken.
    Numbers of clusters and the order of rows do not change the answer.

    >>> then = pd.Series({"ann": "s1", "ben": "s1", "cleo": "s2"})
    >>> now = pd.Series({"ann": 1, "ben": 1, "cleo": 0})
    >>> here = pd.DataFrame({"x": [0.0, 5.0]}, index=["s1", "s2"])
    >>> lineage = match_segments(then, now, here, here.set_axis([1, 0]), newest_number=2)
    >>> lineage.ids
    {0: 's2', 1: 's1'}
    >>> set(lineage.events["event"])
    {'continued'}
    """
    parameters = parameters or LineageParameters()
    now = now.reindex(then.index)
    segments = sorted((str(s) for s in centres_then.index), key=segment_order)
    clusters = _canonical(now, centres_now.index)
    apart = _apart(centres_then.reindex(segments), centres_now.reindex(clusters))
    shared = _share(then, now, segments, clusters, apart)
    settled = shared if homes is None else _share(homes, now, segments, clusters, apart)
    pairs = _continued(shared, parameters)
    ids, newest = _ids(pairs, shared, newest_number)
    events = [
        *[shared.event("continued", segments[i], i, j) for i, j in pairs],
        *_beginnings({j for _, j in pairs}, ids, settled, parameters),
        *_endings({i for i, _ in pairs}, ids, shared, parameters),
    ]
    return Lineage(dict(sorted(ids.items())), _ordered(events), newest)


def first_lineage(now: pd.Series, clusters: pd.Index) -> Lineage:
    """The lineage of the first fit: every cluster is born, the largest is s1."""
    nobody = pd.Series(index=now.index, dtype="object")
    nowhere = pd.DataFrame(index=pd.Index([], dtype="object"))
    return match_segments(nobody, now, nowhere, pd.DataFrame(index=clusters), newest_number=0)


def kept_lineage(ids: Mapping[int, str], then: pd.Series, newest_number: int) -> Lineage:
    """The lineage when the same ML model goes on: each segment continues, whole."""
    sizes = then.value_counts()
    rows = [
        ("continued", s, s, int(sizes.get(s, 0)), 1.0, 0.0, 1.0, 1.0)
        for s in sorted(ids.values(), key=segment_order)
        if s != NOISE_ID
    ]
    return Lineage(dict(ids), _ordered(rows), newest_number)


def mean_positions(rows: NDArray[np.float64], groups: pd.Series) -> pd.DataFrame:
    """Where each group stands: mean of its members' rows, one row per group."""
    return pd.DataFrame(rows).groupby(groups.to_numpy()).mean()


def segment_order(segment_id: str) -> tuple[bool, int, str]:
    """The order of ids by number of birth, s2 before s10; reserved words last.

    >>> sorted(["noise", "s10", "s2"], key=segment_order)
    ['s2', 's10', 'noise']
    """
    number = segment_id.removeprefix("s")
    return (True, 0, segment_id) if not number.isdigit() else (False, int(number), "")


def _canonical(now: pd.Series, clusters: pd.Index) -> list[int]:
    """Clusters by size, the largest first, then by their least member: free of their numbers."""
    sizes = now.value_counts()
    least = now.index.to_series().groupby(now.to_numpy()).min()
    ranked = [(-int(sizes.get(c, 0)), str(least.get(c, "")), int(c)) for c in clusters]
    return [cluster for *_, cluster in sorted(ranked)]


@dataclass(frozen=True)
class _Shared:
    """Members that each segment (row) and cluster (column) share, and how far they are apart."""

    segments: list[str]
    clusters: list[int]
    members: NDArray[np.int64]
    then: NDArray[np.int64]
    now: NDArray[np.int64]
    apart: NDArray[np.float64]

    @property
    def jaccard(self) -> NDArray[np.float64]:
        either = self.then[:, None] + self.now[None, :] - self.members
        similar: NDArray[np.float64] = self.members / np.maximum(either, 1)
        return similar

    def event(self, event: str, segment_id: str, row: int, column: int) -> tuple:
        """One row of events about a segment and a cluster."""
        both = int(self.members[row, column])
        return (
            event, segment_id, self.segments[row], both, float(self.jaccard[row, column]),
            float(self.apart[row, column]), both / max(int(self.then[row]), 1),
            both / max(int(self.now[column]), 1),
        )  # fmt: skip


def _share(
    then: pd.Series,
    now: pd.Series,
    segments: list[str],
    clusters: list[int],
    apart: NDArray[np.float64],
) -> _Shared:
    rows = pd.Index(segments, dtype="object").get_indexer(
        pd.Index(then.reindex(now.index), dtype="object")
    )
    columns = pd.Index(clusters).get_indexer(pd.Index(now))
    members = np.zeros((len(segments), len(clusters)), dtype="int64")
    both = (rows >= 0) & (columns >= 0)
    np.add.at(members, (rows[both], columns[both]), 1)
    sizes_then = np.bincount(rows[rows >= 0], minlength=len(segments))
    sizes_now = np.bincount(columns[columns >= 0], minlength=len(clusters))
    return _Shared(segments, clusters, members, sizes_then, sizes_now, apart)


def _apart(centres_then: pd.DataFrame, centres_now: pd.DataFrame) -> NDArray[np.float64]:
    """Distance of each segment's centre to each cluster's; missing where one has no place."""
    if centres_then.empty or centres_now.empty:
        return np.full((len(centres_then), len(centres_now)), np.nan)
    return cdist(centres_then, centres_now)


def _continued(shared: _Shared, parameters: LineageParameters) -> Pairs:
    """Segments and the clusters that continue them: pairs of (row, column)."""
    jaccard = shared.jaccard
    # Nearness is 1 in the same place and 0 at the distance of the pair that is farthest apart.
    farthest = np.nan_to_num(shared.apart).max(initial=0.0)
    near = np.nan_to_num(1 - shared.apart / farthest) if farthest else np.ones_like(jaccard)
    weight = parameters.centroid_weight
    similarity = (1 - weight) * jaccard + weight * near
    enough = (jaccard >= parameters.least_jaccard) & (shared.members > 0)
    return match_similar(csr_array(np.where(enough, similarity, 0.0)), 0.0)


def _ids(pairs: Pairs, shared: _Shared, newest_number: int) -> tuple[dict[int, str], int]:
    """The id of each cluster, and the number of the newest id."""
    newest = max([newest_number, *(segment_order(s)[1] for s in shared.segments)])
    ids = {shared.clusters[j]: shared.segments[i] for i, j in pairs}
    for cluster in shared.clusters:
        if cluster not in ids:
            newest += 1
            ids[cluster] = f"s{newest}"
    return ids, newest


def _beginnings(
    continuing: set[int],
    ids: Mapping[int, str],
    settled: _Shared,
    parameters: LineageParameters,
) -> list[tuple]:
    """Clusters that continue nothing: split off the segment their members come from, or born."""
    rows: list[tuple] = []
    for j in set(range(len(settled.clusters))) - continuing:
        segment_id, came = ids[settled.clusters[j]], settled.members[:, j]
        if came.any() and came.max() >= parameters.origin_share * settled.now[j]:
            rows.append(settled.event("split", segment_id, int(came.argmax()), j))
        else:
            rows.append(("born", segment_id, None, 0, 0.0, np.nan, np.nan, 0.0))
    return rows


def _endings(
    continued: set[int],
    ids: Mapping[int, str],
    shared: _Shared,
    parameters: LineageParameters,
) -> list[tuple]:
    """Segments that nothing continues: merged into the one that takes most of them, or dead."""
    rows: list[tuple] = []
    for i in set(range(len(shared.segments))) - continued:
        went = shared.members[i]
        if went.any() and went.max() >= parameters.origin_share * shared.then[i]:
            taker = int(went.argmax())
            rows.append(shared.event("merged", ids[shared.clusters[taker]], i, taker))
        else:
            rows.append(("died", shared.segments[i], None, 0, 0.0, np.nan, 0.0, np.nan))
    return rows


def _ordered(events: list[tuple]) -> pd.DataFrame:
    """Events as a frame, by kind and id."""
    ranked = sorted(events, key=lambda e: (EVENTS.index(e[0]), segment_order(e[1]), str(e[2])))
    frame = pd.DataFrame(ranked, columns=COLUMNS).astype(
        {"event": "str", "segment_id": "str", "from_segment_id": "str", "shared_customers": "int64"}
    )
    numbers = ["jaccard", "centroid_distance", "share_of_then", "share_of_now"]
    return frame.astype(dict.fromkeys(numbers, "float64"))
