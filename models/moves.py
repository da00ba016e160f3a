"""Who is put where, who moves, and why.

Two ML models fitted a week apart never agree on everybody near a border, and neither does one ML
model on customers whose figures tremble. So a customer stays where she is until another segment is
nearer by a margin, or she really changed: hysteresis. And of who moves is told what moved her: her
own behaviour, the border, or a correction of what was known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.lineage import segment_order

CAUSES = ("new", "correction", "behaviour", "boundary")


@dataclass(frozen=True)
class MoveParameters:
    """When a customer moves to a segment that is nearer than her own.

    margin: it is nearer by this part of the distance to her own, from 0 (any nearer) to 1 (never).
    changed: or she went at least so far since the last run, in prepared units (1: the standard
        deviation of one feature over all customers); then nearer is enough.
    """

    margin: float = 0.2
    changed: float = 3.0

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        if not 0 <= self.margin < 1:
            raise ValueError(f"margin must be from 0 to less than 1, not {self.margin}")
        if not self.changed > 0:
            raise ValueError(f"changed must be above 0, not {self.changed}")


def place(
    distances: pd.DataFrame,
    previous: pd.Series,
    shift: pd.Series,
    parameters: MoveParameters | None = None,
) -> pd.DataFrame:
    """Put every customer into a segment: the nearest, unless she has reason to stay in hers.

    distances: one row per customer (index), one column per segment_id, each at least 0.
    previous: customer_id -> segment_id of the last run; who is missing there, or whose segment is
    no more, goes to the nearest. shift: customer_id -> how far she went since, in prepared units.
    Columns, one row per customer ascending: customer_id, segment_id, nearest_segment_id,
    second_segment_id (the nearest of the others), distance, second_distance, confidence (the margin
    (d2 - d1) / d2: 0 on the border and for who is held, 1 with one segment only), is_held.
    Placing again without any change changes nothing.

    >>> here = pd.DataFrame({"s1": [2.0, 2.0], "s2": [1.9, 1.0]}, index=["ann", "ben"])
    >>> former = pd.Series({"ann": "s1", "ben": "s1"})
    >>> place(here, former, pd.Series(dtype=float))["segment_id"].tolist()
    ['s1', 's2']
    """
    parameters = parameters or MoveParameters()
    ids = np.array(sorted(map(str, distances.columns), key=segment_order), dtype="object")
    distances = distances.sort_index()[ids]
    measured = distances.to_numpy(dtype="float64")
    every = np.arange(len(measured))
    nearest = measured.argmin(axis=1)
    chosen = _stay(measured, nearest, distances, previous, shift, parameters)
    own = measured[every, chosen]
    others = measured.copy()
    others[every, chosen] = np.inf
    second = others.argmin(axis=1)
    second_distance = others[every, second]
    alone = np.isinf(second_distance)
    return pd.DataFrame(
        {
            "customer_id": distances.index,
            "segment_id": ids[chosen],
            "nearest_segment_id": ids[nearest],
            "second_segment_id": np.where(alone, None, ids[second]),
            "distance": own,
            "second_distance": np.where(alone, np.nan, second_distance),
            "confidence": _confidence(own, second_distance),
            "is_held": own > measured[every, nearest],
        }
    ).astype({"segment_id": "str", "nearest_segment_id": "str", "second_segment_id": "str"})


def _stay(
    measured: np.ndarray,
    nearest: np.ndarray,
    distances: pd.DataFrame,
    previous: pd.Series,
    shift: pd.Series,
    parameters: MoveParameters,
) -> np.ndarray:
    """The column of each customer's segment: her former one, or the nearest when she moves."""
    former = distances.columns.get_indexer(pd.Index(previous.reindex(distances.index)))
    every = np.arange(len(measured))
    to_former, to_nearest = measured[every, former], measured[every, nearest]
    went = shift.reindex(distances.index).fillna(0.0).to_numpy() >= parameters.changed
    clearly = to_nearest < (1 - parameters.margin) * to_former
    moves = (former < 0) | clearly | (went & (to_nearest < to_former))
    chosen: np.ndarray = np.where(moves, nearest, former)
    return chosen


def _confidence(own: np.ndarray, second: np.ndarray) -> np.ndarray:
    confidence = np.ones(len(own))
    known = np.isfinite(second) & (second > 0)
    np.divide(second - own, second, out=confidence, where=known)
    confidence[second <= own] = 0.0
    return np.maximum(confidence, 0.0).round(9)


def causes(
    before: pd.Series,
    after: pd.Series,
    corrected: pd.Series,
    behaved: pd.Series,
    bounded: pd.Series | None = None,
) -> pd.DataFrame:
    """Say of everybody who is put elsewhere than last run why. All: customer_id -> segment_id.

    before: where she was put last run; after: where she is put now. The three between change one
    thing alone, each placed from `before` with hysteresis:
    corrected: the figures of last run as they are known now; the ML model of last run.
    behaved: the figures of now; the ML model of last run.
    bounded: the figures of last run as they are known now; the ML model of now.

    The cause is 'new' for who was not there; else the first of correction, behaviour, boundary that
    alone puts her where she is now; else the first that alone moves her; else boundary, because
    without the new ML model she would have stayed. Every mover has exactly one cause.
    Columns, ascending by customer: customer_id, from_segment_id (none when new), to_segment_id and
    cause.
    """
    frame = pd.DataFrame({"to": after}).sort_index()
    alone = {"correction": corrected, "behaviour": behaved, "boundary": bounded}
    frame["from"] = before.reindex(frame.index)
    for name, placed in alone.items():
        told = before if placed is None else placed
        frame[name] = told.reindex(frame.index).fillna(frame["from"])
    frame = frame[frame["from"].isna() | (frame["from"] != frame["to"])]
    holds = [
        frame["from"].isna(),
        *[frame[name] == frame["to"] for name in alone],
        *[frame[name] != frame["from"] for name in alone],
    ]
    cause = np.select(holds, [CAUSES[0], *CAUSES[1:], *CAUSES[1:]], default="boundary")
    return pd.DataFrame(
        {
            "customer_id": frame.index,
            "from_segment_id": frame["from"].to_numpy(),
            "to_segment_id": frame["to"].to_numpy(),
            "cause": cause,
        }
    ).astype({"from_segment_id": "str", "to_segment_id": "str", "cause": "str"})


def flapping(placements: pd.DataFrame, within: int = 4) -> pd.DataFrame:
    """How many move, and how many of them move back: one row per run, ascending.

    placements: as_of, customer_id, segment_id; a row a customer and run. A customer moves back who
    goes into the segment that she left at most `within` runs before.
    Columns: as_of, customers (who were there last run too), moved, moved_back, and both shares.
    """
    runs = {run: i for i, run in enumerate(sorted(placements["as_of"].unique()))}
    frame = placements.assign(run=placements["as_of"].map(runs).to_numpy())
    frame = frame.sort_values(["customer_id", "run"], ignore_index=True)
    last = frame.groupby("customer_id")[["run", "segment_id"]].shift()
    frame["was_there"] = last["run"] == frame["run"] - 1
    frame["moved"] = frame["was_there"] & (last["segment_id"] != frame["segment_id"])
    frame["left"] = last["segment_id"].where(frame["moved"])
    back = _returns(frame[frame["moved"]], within)
    frame["moved_back"] = back.reindex(frame.index, fill_value=False)
    counted = frame.groupby("as_of")[["was_there", "moved", "moved_back"]].sum()
    counted = counted.rename(columns={"was_there": "customers"}).astype("int64").reset_index()
    there = counted["customers"].clip(lower=1)
    return counted.assign(
        moved_share=counted["moved"] / there, moved_back_share=counted["moved_back"] / there
    )


def _returns(moved: pd.DataFrame, within: int) -> pd.Series:
    """Of each move, whether it leads into a segment left at most so many runs before."""
    moved = moved.assign(number=np.arange(len(moved)))
    ways = moved.merge(
        moved, left_on=["customer_id", "segment_id"], right_on=["customer_id", "left"],
        suffixes=("", "_before"),
    )  # fmt: skip
    since = ways["run"] - ways["run_before"]
    back = ways.loc[(since > 0) & (since <= within), "number"].unique()
    return pd.Series(np.isin(moved["number"], back), index=moved.index)
