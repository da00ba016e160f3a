"""Stability: are the same segments found again among other customers of the same kind?

Source: Hennig (2007), "Cluster-wise assessment of cluster stability", Computational Statistics &
Data Analysis 52 (clusterboot of the R package fpc). Every resample is clustered anew; each segment
is compared with the most similar cluster of the resample by Jaccard, over those of its customers
who were drawn. The mean over the resamples: below 0.5 dissolved, from 0.75 on a valid cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from models.clusterers import Clusterer, fit_grains
from models.distances import Labels, Matrix, sample_positions
from models.search_parameters import SearchParameters
from models.starts import prefer


class Candidate(NamedTuple):
    """A fitted clusterer and the grain it was fitted with, see `models.clusterers.fit_grains`."""

    clusterer: Clusterer
    grain: float


def segment_stability(
    rows: Matrix,
    candidates: Sequence[Candidate],
    parameters: SearchParameters,
    former: Matrix | None = None,
    revenue: Matrix | None = None,
) -> list[Matrix]:
    """Mean Jaccard (0..1) of each cluster of each candidate over `parameters.resamples`.

    NaN for noise, which is no segment; all NaN with no resamples or where all rows are equal. Above
    `stability_rows` rows it is measured on a seeded sample of them: a little lower than on all.
    K-means starts anew in each resample, `resample_starts` times: a start where the segments are
    would find them again where a better partition is a start away. Where a former fit is preferred
    (`models.starts`), it is in each resample, too: the method is what is measured (clusterboot).
    former: its centres; revenue: the spend of each row.
    """
    sums = [np.zeros(len(c.clusterer.centres)) for c in candidates]
    if not parameters.resamples or not rows.shape[1]:
        return [np.full(len(total), np.nan) for total in sums]
    sample = sample_positions(len(rows), parameters.stability_rows, parameters.seed)
    seen, spend = rows[sample], _of(revenue, sample)
    labellings = [_labels(c.clusterer, seen) for c in candidates]
    for drawn, counts, again in _fits_of_resamples(seen, candidates, parameters):
        for i, fit in enumerate(again):
            if fit is not None:
                found = prefer(former, fit, seen[drawn], counts, _of(spend, drawn), parameters)
                now = _labels(found, seen[drawn])
                sums[i] += best_jaccard(labellings[i][drawn], now, len(sums[i]))
    means = [total / parameters.resamples for total in sums]
    for mean, candidate in zip(means, candidates, strict=True):
        if candidate.clusterer.has_noise:
            mean[-1] = np.nan
    return means


def best_jaccard(then: Labels, now: Labels, clusters: int) -> Matrix:
    """Jaccard of each of `clusters` clusters with the one most like it; -1 is in no cluster.

    A cluster of nobody is found by nobody: 0.

    >>> best_jaccard(np.array([0, 0, 0, 1]), np.array([5, 5, 1, 1]), clusters=2).round(2).tolist()
    [0.67, 0.5]
    """
    width = max(int(now.max()), 0) + 1
    known = (then >= 0) & (now >= 0)
    shared = np.bincount(then[known] * width + now[known], minlength=clusters * width)
    shared = shared.reshape(clusters, width)
    either = (
        np.bincount(then[then >= 0], minlength=clusters)[:, None]
        + np.bincount(now[now >= 0], minlength=width)[None]
        - shared
    )
    found: Matrix = (shared / np.maximum(either, 1)).max(axis=1)
    return found


def _of(values: Matrix | None, drawn: Labels) -> Matrix | None:
    return None if values is None else values[drawn]


def _labels(fit: Clusterer, rows: Matrix) -> Labels:
    """Cluster of each row; -1 for noise."""
    labels = fit.distances(rows).argmin(axis=1)
    if fit.has_noise:
        labels[labels == len(fit.centres) - 1] = -1
    return labels


def _fits_of_resamples(
    rows: Matrix, candidates: Sequence[Candidate], parameters: SearchParameters
) -> Iterator[tuple[Labels, Labels, list[Clusterer | None]]]:
    """Who is drawn in each resample, how often, and every candidate fitted anew; None: it fails.

    A bootstrap resample is as large as the rows; who is drawn twice counts twice.
    """
    chance = np.random.default_rng(parameters.seed)
    anew = replace(parameters, n_init=min(parameters.resample_starts, parameters.n_init))
    kinds = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    for _ in range(parameters.resamples):
        drawn, counts = np.unique(chance.integers(0, len(rows), len(rows)), return_counts=True)
        counts = counts.astype(np.intp)
        most = len(np.unique(kinds[drawn]))
        fits: list[Clusterer | None] = [None] * len(candidates)
        for algorithm in dict.fromkeys(c.clusterer.algorithm for c in candidates):
            which = [
                i
                for i, (clusterer, grain) in enumerate(candidates)
                if clusterer.algorithm == algorithm and grain <= most
            ]
            found = fit_grains(
                algorithm,
                rows[drawn],
                counts,
                [candidates[i].grain for i in which],
                anew,
            )
            for i, fit in zip(which, found, strict=True):
                fits[i] = fit
        yield drawn, counts, fits
