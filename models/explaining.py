"""What sets a segment apart, who is typical of it, and why a customer is in hers.

Works on the segments as they were placed, whatever the algorithm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from models.naming import MIN_KNOWN_SHARE
from models.preparation import Matrix, numeric_features

#: Cliff's delta in words, by its absolute value: Romano, Kromrey, Coraggio & Skowronek (2006),
#: "Appropriate statistics for ordinal level data".
MAGNITUDES = {"negligible": 0.0, "small": 0.147, "medium": 0.33, "large": 0.474}
#: Reasons told of each customer, the least part of all that speaks for her segment that one has,
#: and customers explained at a time, which bounds the memory.
REASONS = 3
MIN_REASON_SHARE = 0.05
CHUNK = 100_000

Keys = NDArray[np.object_]


def effect_sizes(frame: pd.DataFrame, segments: ArrayLike, features: Sequence[str]) -> pd.DataFrame:
    """How far each segment stands from the others in each feature; one row per pair.

    `frame` has one row per customer, `segments` the segment_id of each row. The effect size is
    Cliff's delta (Cliff 1993, "Dominance statistics"): the chance that one of the segment has more
    than one of the others, minus the chance that she has less; -1 to 1, whatever the scale and the
    shape, and outliers weigh no more than others. Only customers with a value count.
    Columns: segment_id; feature; feature_rank (1 is the greatest in absolute value; missing without
    an effect, and where fewer than `MIN_KNOWN_SHARE` of the segment's customers have a value);
    effect_size (NaN where the segment or the others have no value); magnitude (in words, of
    `MAGNITUDES`); segment_median and others_median; known_share (of the segment's
    customers who have a value). Sorted by segment and rank.
    """
    numbers = numeric_features(frame, [name for name in features if name in frame.columns])
    keys, groups = np.unique(np.asarray(segments, dtype="str"), return_inverse=True)
    sizes = np.bincount(groups, minlength=len(keys))
    parts = [
        _effect(numbers[name].to_numpy(), keys, groups, sizes).assign(feature=str(name))
        for name in numbers
    ]
    found = pd.concat(parts, ignore_index=True)
    strength = found["effect_size"].abs().round(12)
    found["magnitude"] = _magnitudes(strength)
    found["strength"] = strength.where(found["known_share"] >= MIN_KNOWN_SHARE)
    found = found.sort_values(
        ["segment_id", "strength", "feature"], ascending=[True, False, True], ignore_index=True
    )
    rank = found.groupby("segment_id").cumcount() + 1
    found["feature_rank"] = rank.where(found["strength"].notna()).astype("Int64")
    return found[[
        "segment_id", "feature", "feature_rank", "effect_size", "magnitude", "segment_median",
        "others_median", "known_share",
    ]]  # fmt: skip


def _effect(
    values: Matrix, keys: Keys, groups: NDArray[np.intp], sizes: NDArray[np.intp]
) -> pd.DataFrame:
    known = ~np.isnan(values)
    values, groups = values[known], groups[known]
    here = np.bincount(groups, minlength=len(keys))
    elsewhere = len(values) - here
    ranks = np.bincount(groups, weights=rankdata(values), minlength=len(keys))
    wins = ranks - here * (here + 1) / 2  # Mann-Whitney's U, ties counted half
    pairs = (here * elsewhere).astype("float64")
    chance = np.divide(wins, pairs, out=np.full(len(keys), np.nan), where=pairs > 0)
    medians = [
        (_median(values[groups == i]), _median(values[groups != i])) for i in range(len(keys))
    ]
    return pd.DataFrame(
        {
            "segment_id": keys,
            "effect_size": 2 * chance - 1,
            "segment_median": [median for median, _ in medians],
            "others_median": [median for _, median in medians],
            "known_share": here / sizes,
        }
    )


def _median(values: Matrix) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _magnitudes(strength: pd.Series) -> pd.Series:
    bounds = [*MAGNITUDES.values(), np.inf]
    return pd.cut(strength, bounds, right=False, labels=list(MAGNITUDES)).astype("object")


def set_apart(effects: pd.DataFrame, count: int = 3) -> pd.Series:
    """A sentence per segment on what sets it apart: segment_id → text, empty where nothing does.

    `effects` is the frame of `effect_sizes`. Features of negligible effect are not told.
    """
    told = effects[(effects["feature_rank"] <= count) & (effects["magnitude"] != "negligible")]
    words = [
        f"{name.replace('_', ' ')} ({figure(here)} against {figure(there)} of the others)"
        for name, here, there in zip(
            told["feature"], told["segment_median"], told["others_median"], strict=True
        )
    ]
    grouped = pd.Series(words, index=told["segment_id"], dtype="object").groupby(level=0).agg(list)
    keys = pd.Index(sorted(effects["segment_id"].unique()), name="segment_id")
    sentences = grouped.map(lambda listed: f"Set apart by the medians of {_listed(listed)}.")
    return sentences.reindex(keys, fill_value="")


def figure(value: float) -> str:
    """A number as people write it.

    >>> figure(1234.0), figure(12.5), figure(0.123), figure(-0.0)
    ('1,234', '12.5', '0.12', '0')
    """
    digits = 0 if abs(value) >= 100 else 2
    told = f"{round(value, digits) + 0.0:,.{digits}f}"
    return told.rstrip("0").rstrip(".") if digits else told


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def members(placed: pd.DataFrame, rows: Matrix, count: int = 5) -> pd.DataFrame:
    """The most typical customers of each segment, and those on its border.

    `placed`: customer_id, segment_id, second_segment_id, confidence; `rows`: the prepared features
    of the same customers. Typical is who is nearest to the mean of the segment's customers (near
    the medoid: Kaufman & Rousseeuw 1990, "Finding groups in data"); on the border who belongs least
    surely. Where the segment is small the same customer may be both.
    Columns: segment_id, kind (typical, border), member_rank (1 is the first), customer_id,
    centre_distance (to that mean, prepared units), confidence, second_segment_id.
    """
    keys, groups = np.unique(placed["segment_id"].to_numpy(dtype="str"), return_inverse=True)
    told = placed[["customer_id", "segment_id", "confidence", "second_segment_id"]].reset_index(
        drop=True
    )
    told["centre_distance"] = _to_own_mean(rows, groups, len(keys)).round(9)
    orders = {"typical": "centre_distance", "border": "confidence"}
    parts = [
        told.iloc[_least(told[by].to_numpy(), groups, count)]
        .sort_values(["segment_id", by, "customer_id"])
        .groupby("segment_id")
        .head(count)
        .assign(kind=kind)
        for kind, by in orders.items()
    ]
    found = pd.concat(parts, ignore_index=True)
    found["member_rank"] = found.groupby(["segment_id", "kind"]).cumcount() + 1
    return found[[
        "segment_id", "kind", "member_rank", "customer_id", "centre_distance", "confidence",
        "second_segment_id",
    ]]  # fmt: skip


def _least(values: Matrix, groups: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Positions of each group's `count` least values, and of those equal to the last of them."""
    found = []
    for group in range(groups.max(initial=-1) + 1):
        here = np.flatnonzero(groups == group)
        last = np.partition(values[here], min(count, len(here)) - 1)[min(count, len(here)) - 1]
        found.append(here[values[here] <= last])
    return np.concatenate(found) if found else np.zeros(0, dtype="intp")


def _to_own_mean(rows: Matrix, groups: NDArray[np.intp], count: int) -> Matrix:
    means = np.zeros((count, rows.shape[1]))
    np.add.at(means, groups, rows)
    means /= np.bincount(groups, minlength=count)[:, None]
    squares = [
        np.square(rows[i : i + CHUNK] - means[groups[i : i + CHUNK]]).sum(axis=1)
        for i in range(0, len(rows), CHUNK)
    ]
    return np.sqrt(np.concatenate(squares)) if squares else np.zeros(0)


@dataclass(frozen=True)
class Placement:
    """Where customers stand, in the space in which segments are told apart.

    rows: customers × features, prepared. values: the same, as people know them; NaN where unknown.
    centres: segment_id → its centre, prepared. own, second: segment_id of each customer; the second
    is missing where there is no other.
    """

    features: Sequence[str]
    rows: Matrix
    values: Matrix
    centres: Mapping[str, Matrix]
    own: pd.Series
    second: pd.Series


def explain_customers(placement: Placement) -> pd.DataFrame:
    """By which features each customer is nearer to her own than to the second best segment.

    With centres c1 (own) and c2 (second) of Euclidean distances d1 and d2,
    d2² − d1² = Σ_f (x_f − c2_f)² − (x_f − c1_f)²: each feature's part is exact, they add up to the
    whole margin, and a customer's own depends on nobody else. (For an additive function like this
    one these are the Shapley values of the features, Lundberg & Lee 2017, "A unified approach to
    interpreting model predictions", with the value removed from both distances.) Where an algorithm
    measures other distances, the centres are the means of its clusters and the parts an indication.

    Columns, one row per customer in the order of `rows`: margin (d2² − d1²; NaN without a second),
    and for i = 1..3 reason_i (a feature that speaks for her own segment, the strongest first;
    missing where there is none that matters, or the value is not known but guessed),
    reason_i_value (as people know it), reason_i_share (its part in all that speaks for the
    segment, 0..1).
    """
    parts = [_explain(placement, slice(i, i + CHUNK)) for i in range(0, len(placement.rows), CHUNK)]
    return pd.concat(parts, ignore_index=True) if parts else _explain(placement, slice(0, 0))


def _explain(placement: Placement, where: slice) -> pd.DataFrame:
    rows, values = placement.rows[where], placement.values[where]
    own, second = (
        _centres(placement, placement.own[where]),
        _centres(placement, placement.second[where]),
    )
    parts = np.square(rows - second) - np.square(rows - own)
    margin = parts.sum(axis=1)
    speaks = np.where(np.isnan(values) | ~(parts > 0), 0.0, parts)
    every = np.where(parts > 0, parts, 0.0).sum(axis=1)
    order = np.argsort(-speaks, axis=1, kind="stable")[:, :REASONS]
    strongest = np.take_along_axis(speaks, order, axis=1)
    names = np.array([*placement.features], dtype="object")
    columns: dict[str, Matrix | pd.Series] = {"margin": margin.round(9)}
    for i in range(order.shape[1]):
        is_one = (strongest[:, i] > 0) & (strongest[:, i] >= MIN_REASON_SHARE * every)
        told = np.take_along_axis(values, order[:, [i]], axis=1)[:, 0]
        share = np.divide(strongest[:, i], every, out=np.full(len(rows), np.nan), where=is_one)
        columns[f"reason_{i + 1}"] = pd.Series(names[order[:, i]]).where(is_one, None)
        columns[f"reason_{i + 1}_value"] = np.where(is_one, told, np.nan)
        columns[f"reason_{i + 1}_share"] = share.round(6)
    return _all_reasons(pd.DataFrame(columns))


def _centres(placement: Placement, ids: pd.Series) -> Matrix:
    """The centre of each customer's segment; NaN where there is none."""
    keys = list(placement.centres)
    stacked = np.array([*(placement.centres[key] for key in keys)]).reshape(len(keys), -1)
    nowhere = np.full((1, stacked.shape[1]), np.nan)
    found: Matrix = np.vstack([stacked, nowhere])[pd.Index(keys).get_indexer(pd.Index(ids))]
    return found


def _all_reasons(found: pd.DataFrame) -> pd.DataFrame:
    """All columns, also where there are fewer features than reasons."""
    for i in range(1, REASONS + 1):
        for column, missing in ((f"reason_{i}", None), (f"reason_{i}_value", np.nan),
                                (f"reason_{i}_share", np.nan)):  # fmt: skip
            if column not in found:
                found[column] = missing
    return found
