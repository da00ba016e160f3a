"""Texts as counts of words: only words that many people use, so that no word points at one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

#: What follows is not read: topics show early, and a text of a megabyte is no post.
MAX_CHARACTERS = 2_000
MOST_WORDS = 5_000
#: A word counts when so many texts have it, by so many authors, and no more than half the texts.
FEWEST_TEXTS, FEWEST_AUTHORS, GREATEST_SHARE = 5, 5, 0.5
BATCH_TEXTS = 50_000

# Addresses, handles and numbers name people and things; a hash sign is only a sign.
_NAMES = re.compile(r"\S*@\S+|https?://\S+|www\.\S+|\S*\d\S*")
_WORD = r"(?u)\b[^\W\d_]{3,}\b"
# What is left of "don't" and the like when words are letters only.
_FRAGMENTS = frozenset(
    {"ain", "aren", "couldn", "didn", "doesn", "don", "hadn", "hasn", "haven", "isn", "shouldn"}
    | {"wasn", "weren", "won", "wouldn"}
)
STOP_WORDS = {"en": frozenset(ENGLISH_STOP_WORDS) | _FRAGMENTS}


@dataclass(frozen=True)
class Authors:
    """Who wrote which text: positions of texts and numbers of authors, a pair a writing."""

    text: NDArray[np.int64]
    author: NDArray[np.int64]

    def per_word(self, words: csr_array) -> NDArray[np.int64]:
        """How many people use each word of a matrix texts × words."""
        if not len(self.author):
            return np.zeros(words.shape[1], dtype=np.int64)
        shape = (int(self.author.max()) + 1, words.shape[0])
        wrote = csr_array((np.ones(len(self.text)), (self.author, self.text)), shape=shape)
        used = (wrote @ (words > 0).astype(np.float64)).tocsc()
        return np.diff(used.indptr).astype(np.int64)

    def of(self, chosen: NDArray[np.int64], texts: int) -> Authors:
        """The same for the chosen ones of so many texts, in their order."""
        place = np.full(texts, -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        kept = place[self.text] >= 0
        return Authors(place[self.text[kept]], self.author[kept])


def choose_words(texts: Sequence[str], authors: Authors, language: str = "en") -> list[str]:
    """The words that topics may be made of, ascending; the most frequent MOST_WORDS of them.

    A word has three letters or more and is no stop word, address, handle or number. At least
    FEWEST_TEXTS texts by FEWEST_AUTHORS people have it. Raises KeyError for a language without
    stop words.
    """
    vectorizer = _vectorizer(stop_words=sorted(STOP_WORDS[language]), min_df=1)
    try:
        counts = csr_array(vectorizer.fit_transform(texts))
    except ValueError:  # no word at all
        return []
    having = np.diff(counts.tocsc().indptr)
    usable = (having >= FEWEST_TEXTS) & (having <= max(GREATEST_SHARE * len(texts), 1))
    usable &= authors.per_word(counts) >= FEWEST_AUTHORS
    names = vectorizer.get_feature_names_out()
    order = np.lexsort((names, -having))
    return sorted(names[order[usable[order]][:MOST_WORDS]])


def count_words(texts: Sequence[str], words: Sequence[str]) -> csr_array:
    """How often each text has each word: texts × words."""
    if not words:
        return csr_array((len(texts), 0), dtype=np.float64)
    vectorizer = _vectorizer(vocabulary=list(words))
    starts = range(0, len(texts), BATCH_TEXTS)
    batches = [vectorizer.transform(texts[i : i + BATCH_TEXTS]) for i in starts]
    return csr_array(vstack(batches)) if batches else csr_array((0, len(words)), dtype=np.float64)


def clean(text: str) -> str:
    """Lower case, compatible letters, without addresses, handles and numbers.

    >>> clean("Ask @ada or ada@example.org: 3 LAMPS, see https://example.org/a")
    'ask   or     lamps, see  '
    """
    folded = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).casefold()
    return _NAMES.sub(" ", folded)


def _vectorizer(**told: object) -> CountVectorizer:
    return CountVectorizer(preprocessor=clean, token_pattern=_WORD, dtype=np.float64, **told)
