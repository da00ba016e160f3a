"""What people write about: topics as weighted words, found by NMF (or LDA) on tf-idf.

Non-negative matrix factorisation: Lee & Seung (1999), "Learning the parts of objects by
non-negative matrix factorization", Nature 401, 788. Latent Dirichlet allocation: Blei, Ng & Jordan
(2003). How many topics: see `choose_count`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix, vstack
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.feature_extraction.text import TfidfTransformer
from threadpoolctl import threadpool_limits

from tessera.text.words import Authors, choose_words, count_words

Real = NDArray[np.float64]
Method = Literal["nmf", "lda"]

TOP_WORDS = 10
LABEL_WORDS = 3
#: Topics are found in a sample of so many texts, and their number in a smaller one.
FIT_TEXTS, CHOICE_TEXTS = 50_000, 10_000
BATCH_TEXTS = 50_000
#: Below so many texts with words, topics would be chance.
FEWEST_TEXTS = 50
COUNTS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30)
#: The greatest number of topics whose quality is within this share of the best is taken.
TOLERANCE = 0.05
#: A topic that makes up less of a text is not one of its topics.
LEAST_SHARE = 0.25


@dataclass(frozen=True)
class Parameters:
    """How topics are found. count: how many, None chooses. seed: of sample and factorisation."""

    method: Method = "nmf"
    count: int | None = None
    seed: int = 42


@dataclass(frozen=True)
class Topics:
    """Topics of a set of texts, the most frequent first.

    weights: topics × words of the vocabulary, rows sum to 1. shares: texts × topics, rows sum to 1,
    or all 0 for a text without a word of the vocabulary. tried: quality by number of topics.
    """

    vocabulary: tuple[str, ...]
    weights: Real
    shares: csr_array
    tried: dict[int, float]

    def top_words(self, topic: int, count: int = TOP_WORDS) -> list[tuple[str, float]]:
        """The words that tell the topic best, with their relevance, best first.

        Relevance by Sievert & Shirley (2014), "LDAvis", λ = 0.6: a word's weight here, and how much
        more it weighs here than elsewhere.
        """
        here, all_topics = self.weights[topic], self.weights.mean(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            relevance = 0.6 * np.log(here) + 0.4 * np.log(here / all_topics)
        order = np.lexsort((np.array(self.vocabulary), -relevance))
        return [(self.vocabulary[i], float(here[i])) for i in order[:count] if here[i] > 0]

    def label(self, topic: int) -> str:
        """A short name: its best words."""
        return " · ".join(word for word, _ in self.top_words(topic, LABEL_WORDS))


def find_topics(
    texts: Sequence[str], authors: Authors, parameters: Parameters = Parameters()
) -> Topics:
    """Find what distinct texts are about; the same texts in the same order give the same topics.

    No topic when fewer than FEWEST_TEXTS texts have a word that enough people use.
    """
    drawn = draw(len(texts), FIT_TEXTS, parameters.seed)
    sample = [texts[i] for i in drawn]
    words = choose_words(sample, authors.of(drawn, len(texts)))
    counts = count_words(sample, words)
    counts = counts[np.flatnonzero(np.diff(counts.indptr))]
    if counts.shape[0] < FEWEST_TEXTS:
        return Topics((), np.empty((0, 0)), csr_array((len(texts), 0)), {})
    with threadpool_limits(limits=1):  # threads add in another order each time
        return _find(texts, words, counts, parameters)


def _find(
    texts: Sequence[str], words: Sequence[str], counts: csr_array, parameters: Parameters
) -> Topics:
    tried: dict[int, float] = {}
    count = parameters.count
    if count is None:
        few = draw(counts.shape[0], CHOICE_TEXTS, parameters.seed)
        count, tried = choose_count(
            counts[few], lambda size: _Fitted.fit(counts[few], size, parameters).weights
        )
    count = min(count, *counts.shape)
    fitted = _Fitted.fit(counts, count, parameters)
    shares = fitted.transform(count_words(texts, words))
    order = np.argsort(-np.asarray(shares.sum(axis=0)).ravel(), kind="stable")
    return Topics(tuple(words), fitted.weights[order], csr_array(shares[:, order]), tried)


def choose_count(
    counts: csr_array, weights_of: Callable[[int], Real]
) -> tuple[int, dict[int, float]]:
    """How many topics: the greatest number whose quality is within TOLERANCE of the best.

    `weights_of`: topics × words of so many topics of these texts.

    Quality is coherence × diversity (Dieng, Ruiz & Blei 2020, "Topic modeling in embedding
    spaces"): the mean NPMI of pairs of a topic's top words (Röder, Both & Hinneburg 2015,
    "Exploring the space of topic coherence measures"), times the share of top words that are
    distinct.
    """
    most = max(2, min(counts.shape[0] // 25, counts.shape[1] // 5))
    tried = {count: _quality(counts, weights_of(count)) for count in COUNTS if count <= most}
    best = max(tried.values())
    return max(c for c, q in tried.items() if q >= best - TOLERANCE * abs(best)), tried


def _quality(counts: csr_array, weights: Real) -> float:
    top = np.argsort(-weights, axis=1, kind="stable")[:, :TOP_WORDS]
    coherence = float(np.mean([_npmi(counts, words) for words in top]))
    return coherence * len(np.unique(top)) / top.size


def _npmi(counts: csr_array, words: NDArray[np.int64]) -> float:
    """Mean normalised pointwise mutual information of pairs of words; a text is the window."""
    having = (counts[:, words] > 0).astype(np.float64)
    together = (having.T @ having).toarray() / counts.shape[0]
    alone = np.diag(together)
    first, second = np.triu_indices(len(words), k=1)
    both = together[first, second]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(both / (alone[first] * alone[second])) / -np.log(both)
    # Never together is −1; always, everywhere, is 1.
    return float(np.where(both == 0, -1.0, np.where(both == 1, 1.0, found)).mean())


@dataclass(frozen=True)
class _Fitted:
    """A factorisation: weights, rows summing to 1, and what turns counts into shares."""

    tfidf: TfidfTransformer | None
    model: NMF | LatentDirichletAllocation
    weights: Real

    @staticmethod
    def fit(counts: csr_array, count: int, parameters: Parameters) -> _Fitted:
        tfidf, model = None, _make(count, parameters)
        if parameters.method == "nmf":
            tfidf = TfidfTransformer(sublinear_tf=True).fit(counts)
        model.fit(tfidf.transform(counts) if tfidf else counts)
        mass = model.components_.sum(axis=1, keepdims=True)
        return _Fitted(tfidf, model, model.components_ / np.where(mass > 0, mass, 1))

    def transform(self, counts: csr_array) -> csr_array:
        """Shares of the topics in each text; a text without a word has none."""
        batches = [
            csr_matrix(self._shares(counts[i : i + BATCH_TEXTS]))
            for i in range(0, counts.shape[0], BATCH_TEXTS)
        ]
        return csr_array(vstack(batches))

    def _shares(self, counts: csr_array) -> Real:
        found = self.model.transform(self.tfidf.transform(counts) if self.tfidf else counts)
        if self.tfidf:  # a topic's mass is split between the two factors as it happens
            found = found * self.model.components_.sum(axis=1)
        found[np.diff(counts.indptr) == 0] = 0
        total = found.sum(axis=1, keepdims=True)
        return found / np.where(total > 0, total, 1)


def _make(count: int, parameters: Parameters) -> NMF | LatentDirichletAllocation:
    if parameters.method == "lda":
        return LatentDirichletAllocation(
            count, learning_method="online", batch_size=2_048, random_state=parameters.seed
        )
    return NMF(count, init="nndsvda", random_state=parameters.seed, max_iter=300, tol=1e-3)


def draw(size: int, most: int, seed: int) -> NDArray[np.int64]:
    """Positions of at most so many of `size`, ascending."""
    if size <= most:
        return np.arange(size)
    return np.sort(np.random.default_rng(seed).choice(size, most, replace=False))
