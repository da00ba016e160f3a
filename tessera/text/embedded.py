"""What people write about: topics as clusters of sentence embeddings, told by their words.

After Grootendorst (2022), "BERTopic: neural topic modeling with a class-based TF-IDF procedure":
embed, reduce, cluster, weigh words by class-based tf-idf. Here PCA reduces and k-means clusters:
both are seeded, give every text a topic and need nothing but scikit-learn (BERTopic takes UMAP and
HDBSCAN).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix, vstack
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import euclidean_distances
from threadpoolctl import threadpool_limits

from tessera.text.topics import (
    BATCH_TEXTS,
    CHOICE_TEXTS,
    FEWEST_TEXTS,
    FIT_TEXTS,
    Parameters,
    Topics,
    choose_count,
    draw,
)
from tessera.text.words import Authors, choose_words, count_words

Real = NDArray[np.float64]
Positions = NDArray[np.int64]
Encode = Callable[[Sequence[str]], NDArray[np.float32]]

DIMENSIONS = 50
STARTS = 10


def find_embedded_topics(
    texts: Sequence[str], authors: Authors, encode: Encode, parameters: Parameters
) -> Topics:
    """Find what distinct texts are about; `encode` gives a vector of length 1 for each text.

    `parameters.method` is not looked at. Words, number of topics and samples as by `find_topics`:
    a text without a word of the vocabulary has no topic, and none has when too few have one.
    """
    drawn = draw(len(texts), FIT_TEXTS, parameters.seed)
    words = choose_words([texts[i] for i in drawn], authors.of(drawn, len(texts)))
    counts = count_words(texts, words)
    worded = np.flatnonzero(np.diff(counts.indptr)).astype(np.int64)
    fitted = np.flatnonzero(np.isin(worded, drawn)).astype(np.int64)
    if len(fitted) < FEWEST_TEXTS:
        return Topics((), np.empty((0, 0)), csr_array((len(texts), 0)), {})
    with threadpool_limits(limits=1):  # threads add in another order each time
        points = _points([texts[i] for i in worded.tolist()], fitted, encode)
        clusters, weights, tried = _cluster(points[fitted], counts[worded[fitted]], parameters)
        shares = clusters.shares(points)
    order = np.argsort(-np.asarray(shares.sum(axis=0)).ravel(), kind="stable")
    places = csr_array(
        (np.ones(len(worded)), (worded, np.arange(len(worded)))), shape=(len(texts), len(worded))
    )
    return Topics(tuple(words), weights[order], csr_array(places @ shares[:, order]), tried)


def class_tfidf(counts: csr_array, labels: Positions) -> Real:
    """How well each word tells each class: classes × words, rows sum to 1 (or are 0).

    Grootendorst (2022), equation 2: the word's share of the words of the class, times
    log(1 + mean words of a class ÷ the word's occurrences in all).

    >>> counts = csr_array([[2.0, 0.0, 2.0], [0.0, 2.0, 2.0]])
    >>> class_tfidf(counts, np.array([0, 1])).round(2).tolist()
    [[0.61, 0.0, 0.39], [0.0, 0.61, 0.39]]
    """
    classes = int(labels.max()) + 1
    shape = (classes, counts.shape[0])
    members = csr_array((np.ones(len(labels)), (labels, np.arange(len(labels)))), shape=shape)
    words = (members @ counts).toarray()
    lengths, everywhere = words.sum(axis=1, keepdims=True), words.sum(axis=0)
    rarity = np.log1p(lengths.mean() / np.where(everywhere > 0, everywhere, 1))
    weights = words / np.where(lengths > 0, lengths, 1) * rarity
    mass = weights.sum(axis=1, keepdims=True)
    found: Real = weights / np.where(mass > 0, mass, 1)
    return found


@dataclass(frozen=True)
class _Clusters:
    """Spheres of one size, the mixture of which k-means is the limit: their centres and variance
    per dimension; `labels` of the points that they were found in.
    """

    centres: Real
    variance: float
    labels: Positions

    @staticmethod
    def fit(points: Real, count: int, seed: int) -> _Clusters:
        """Clusters of points, at most `count`: no more than there are different points."""
        count = min(count, len(np.unique(points.round(6), axis=0)))
        found = KMeans(count, n_init=STARTS, random_state=seed).fit(points)
        variance = float(found.inertia_) / points.size
        return _Clusters(found.cluster_centers_, variance, found.labels_.astype(np.int64))

    def shares(self, points: Real) -> csr_array:
        """The probability of each cluster for each point: points × clusters, rows sum to 1."""
        starts = range(0, len(points), BATCH_TEXTS)
        batches = [csr_matrix(self._shares(points[i : i + BATCH_TEXTS])) for i in starts]
        return csr_array(vstack(batches))

    def _shares(self, points: Real) -> Real:
        squares = euclidean_distances(points, self.centres, squared=True)
        further = squares - squares.min(axis=1, keepdims=True)
        powers = np.exp(-further / max(2 * self.variance, 1e-12))
        found: Real = powers / powers.sum(axis=1, keepdims=True)
        return found


def _points(texts: Sequence[str], fitted: Positions, encode: Encode) -> Real:
    """Texts as points of few dimensions, those in which the fitted ones differ most."""
    vectors = encode([texts[i] for i in fitted]).astype(np.float64)
    pca = PCA(min(DIMENSIONS, *vectors.shape), svd_solver="covariance_eigh").fit(vectors)
    points = np.empty((len(texts), pca.n_components_))
    points[fitted] = pca.transform(vectors)
    others = np.setdiff1d(np.arange(len(texts)), fitted)
    for start in range(0, len(others), BATCH_TEXTS):
        chosen = others[start : start + BATCH_TEXTS]
        points[chosen] = pca.transform(encode([texts[i] for i in chosen]).astype(np.float64))
    return points


def _cluster(
    points: Real, counts: csr_array, parameters: Parameters
) -> tuple[_Clusters, Real, dict[int, float]]:
    tried: dict[int, float] = {}
    count = parameters.count
    if count is None:
        few = draw(len(points), CHOICE_TEXTS, parameters.seed)

        def weights_of(size: int) -> Real:
            return class_tfidf(
                counts[few], _Clusters.fit(points[few], size, parameters.seed).labels
            )

        count, tried = choose_count(counts[few], weights_of)
    clusters = _Clusters.fit(points, min(count, len(points)), parameters.seed)
    return clusters, class_tfidf(counts, clusters.labels), tried
