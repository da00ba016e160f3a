"""Fellegi & Sunter's m by expectation maximisation over patterns of agreement, u being known.

Method: Winkler (1988), Using the EM algorithm for weight computation in the Fellegi–Sunter model;
as Splink's own, which runs each of its steps as SQL and takes a tenth of a second for each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_LEAST = 1e-9  # an m of nought would rule a pair out for good
_STEPS = 100
_STILL = 1e-4  # the largest change of a share at which learning ends


def learn_m(
    patterns: np.ndarray,
    counts: np.ndarray,
    m: Sequence[np.ndarray],
    u: Sequence[np.ndarray],
    share: float,
) -> list[np.ndarray]:
    """How often the pairs of one person agree, by degree: an array a field, as `m`.

    `patterns`: int (patterns, fields), degrees from 0 on, -1 unknown. `counts`: pairs of each.
    `m`, `u`: shares a degree to start from, and of pairs of two people. `share`: of pairs that are
    one person, to start from. A degree that no pair has comes back as not a number.
    """
    shares = [np.clip(start, _LEAST, 1) for start in m]
    for _ in range(_STEPS):
        same = _probability(patterns, shares, u, share) * counts
        share = float(np.clip(same.sum() / counts.sum(), _LEAST, 1 - _LEAST))
        learned = [_shares(patterns[:, i], same, shares[i]) for i in range(patterns.shape[1])]
        change = max(np.abs(new - old).max() for new, old in zip(learned, shares, strict=True))
        shares = learned
        if change < _STILL:
            break
    return [_seen_only(patterns[:, i], shares[i]) for i in range(patterns.shape[1])]


def _probability(
    patterns: np.ndarray, m: Sequence[np.ndarray], u: Sequence[np.ndarray], share: float
) -> np.ndarray:
    """That a pair of each pattern is one person. The last entry of a table is read for -1."""
    odds = np.full(len(patterns), np.log(share / (1 - share)))
    for i, (same, other) in enumerate(zip(m, u, strict=True)):
        odds += np.r_[np.log(same / other), 0.0][patterns[:, i]]
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -500, 500))))


def _shares(degrees: np.ndarray, same: np.ndarray, before: np.ndarray) -> np.ndarray:
    known = degrees >= 0
    found = np.bincount(degrees[known], weights=same[known], minlength=len(before))
    return np.clip(found / found.sum(), _LEAST, 1) if found.sum() > 0 else before


def _seen_only(degrees: np.ndarray, shares: np.ndarray) -> np.ndarray:
    seen = np.bincount(degrees[degrees >= 0], minlength=len(shares)) > 0
    return np.where(seen, shares, np.nan)
