"""Maps: many features drawn on two axes, for the eye. Distances on a map are not those of the fit.

PCA keeps the directions of greatest variance (Jolliffe 2002, Principal Component Analysis). t-SNE
keeps neighbours together and nothing else: neither sizes nor distances of its groups mean anything
(van der Maaten & Hinton 2008, "Visualizing Data using t-SNE", JMLR 9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from models.preparation import Matrix

DECIMALS = 6
#: Fewer customers than this have no neighbourhoods to keep.
LEAST_NEIGHBOURS = 5


@dataclass(frozen=True)
class Maps:
    """Places of customers, one row each.

    pca, tsne: n x 2; NaN where there is too little to draw. explained: share of the variance on
    each axis of the PCA. axes: the feature that each axis goes with most, with the sign of going
    along; empty when the columns have no names.
    """

    pca: Matrix
    tsne: Matrix
    explained: tuple[float, float]
    axes: tuple[str, ...]


def draw_maps(rows: Matrix, features: Sequence[str] = (), seed: int = 42) -> Maps:
    """Place each row (a prepared customer) on both maps; seeded, the same on each run."""
    nowhere = np.full((len(rows), 2), np.nan)
    if len(rows) < 2 or not rows.shape[1]:
        return Maps(nowhere, nowhere, (0.0, 0.0), ())
    with threadpool_limits(limits=1):
        places, explained, components = _pca(rows)
        near = _tsne(rows, places, seed) if len(rows) > 3 * LEAST_NEIGHBOURS else nowhere
    named = tuple(features) if len(features) == rows.shape[1] else ()
    return Maps(places, near, explained, tuple(_axis(axis, named) for axis in components if named))


def _pca(rows: Matrix) -> tuple[Matrix, tuple[float, float], Matrix]:
    """Places, explained shares, components; each axis points to where its largest weight does."""
    count = min(2, *rows.shape)
    with np.errstate(invalid="ignore"):  # customers who are all equal have no variance to share
        fitted = PCA(count, svd_solver="full").fit(rows)
    largest = np.abs(fitted.components_).argmax(axis=1)
    signs = np.sign(fitted.components_[np.arange(count), largest])
    components = fitted.components_ * signs[:, None]
    places = np.zeros((len(rows), 2))
    places[:, :count] = (rows - fitted.mean_) @ components.T
    shares = np.zeros(2)
    shares[:count] = np.nan_to_num(fitted.explained_variance_ratio_)
    return places.round(DECIMALS), (float(shares[0]), float(shares[1])), components


def _tsne(rows: Matrix, start: Matrix, seed: int) -> Matrix:
    """Begin at the PCA, so that what lies far apart starts far apart (Kobak & Linderman 2021)."""
    spread = start[:, 0].std()
    if not spread > 0:
        return np.full((len(rows), 2), np.nan)
    perplexity = min(30.0, (len(rows) - 1) / 3)
    begun = (start / spread * 1e-4).astype("float32")
    # A map for the eye: coarser forces and fewer rounds than the defaults look the same.
    drawn = TSNE(
        2, perplexity=perplexity, init=begun, max_iter=500, angle=0.7, random_state=seed
    ).fit_transform(rows)
    return np.asarray(drawn, dtype="float64").round(DECIMALS)


def _axis(weights: Matrix, names: Sequence[str]) -> str:
    return str(names[int(np.abs(weights).argmax())])
