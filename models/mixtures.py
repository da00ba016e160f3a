"""Gaussian mixtures: segments as overlapping clouds of any extent.

Source: Dempster, Laird & Rubin (1977), "Maximum likelihood from incomplete data via the EM
algorithm".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.mixture import GaussianMixture

from models.distances import DISTANCE_DECIMALS, Labels, Matrix, group_means, sample_positions
from models.search_parameters import SearchParameters

#: Added to every variance, in prepared units: many customers share an imputed or rounded value, and
#: a cloud must not shrink onto it.
LEAST_VARIANCE = 0.01
STARTS = 3
MAX_STEPS = 500


@dataclass(frozen=True)
class MixtureSegments:
    """A Gaussian mixture.

    The distance is sqrt(Mahalanobis² + log|covariance| - 2 log weight + a constant that keeps it
    from falling below zero): of two clusters the nearer is the one of the greater posterior.
    means: k x features; precisions: k x features x features; offsets: k, zero or more.
    """

    centres: Matrix
    means: Matrix
    precisions: Matrix
    offsets: Matrix
    algorithm: str = "gaussian_mixture"
    has_noise: bool = False

    def distances(self, rows: Matrix) -> Matrix:
        """Distance of each row to each cluster, n x k, in the order of the posterior."""
        found = np.empty((len(rows), len(self.means)))
        for cluster, mean in enumerate(self.means):
            one = cdist(rows, mean[None], "mahalanobis", VI=self.precisions[cluster])[:, 0]
            found[:, cluster] = np.sqrt(np.square(one) + self.offsets[cluster])
        return found.round(DISTANCE_DECIMALS)


def fit_mixtures(
    rows: Matrix, counts: Labels, ks: Sequence[int], parameters: SearchParameters
) -> list[MixtureSegments]:
    """Fit a mixture of every k of `ks` to rows that occur `counts` times."""
    repeated = np.repeat(rows, counts, axis=0)
    return [_fit(repeated, k, parameters) for k in ks]


def refine_mixture(
    fitted: MixtureSegments, rows: Matrix, parameters: SearchParameters
) -> MixtureSegments:
    """Fit again from where it is, on up to `mixture_rows` rows; the order of the clusters stays."""
    seen = rows[sample_positions(len(rows), parameters.mixture_rows, parameters.seed)]
    found = GaussianMixture(
        len(fitted.means),
        reg_covar=LEAST_VARIANCE,
        max_iter=MAX_STEPS,
        means_init=fitted.means,
        precisions_init=fitted.precisions,
        weights_init=_weights(fitted),
        random_state=parameters.seed,
    ).fit(seen)
    return _told(found, seen)


def _fit(rows: Matrix, k: int, parameters: SearchParameters) -> MixtureSegments:
    found = GaussianMixture(
        k,
        reg_covar=LEAST_VARIANCE,
        n_init=STARTS,
        max_iter=MAX_STEPS,
        random_state=parameters.seed,
    ).fit(rows)
    return _told(found, rows)


def _weights(fitted: MixtureSegments) -> Matrix:
    """The weights of the clusters, from their offsets."""
    log_volumes = -np.linalg.slogdet(fitted.precisions)[1]
    logs = (log_volumes - fitted.offsets) / 2
    weights: Matrix = np.exp(logs - logs.max())
    return weights / weights.sum()


def _told(found: GaussianMixture, rows: Matrix) -> MixtureSegments:
    log_volumes = -np.linalg.slogdet(found.precisions_)[1]
    with np.errstate(divide="ignore"):
        offsets = log_volumes - 2 * np.log(found.weights_)
    offsets = np.minimum(offsets - offsets.min(), 1e6)
    fitted = MixtureSegments(found.means_, found.means_, found.precisions_, offsets)
    labels = fitted.distances(rows).argmin(axis=1)
    return replace(fitted, centres=group_means(rows, labels, found.means_))
