"""Sentiment of short texts by VADER, a lexicon with rules for English social media.

Source: Hutto & Gilbert (2014), "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
Social Media Text", ICWSM-14.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
from joblib import Parallel, delayed
from numpy.typing import NDArray
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

Scores = NDArray[np.float64]

#: VADER's time grows with the square of a text's length; what follows is not read.
MAX_CHARACTERS = 2_000
#: Below this many texts, starting further processes costs more than it saves.
PARALLEL_FROM_TEXTS = 20_000
BATCH_TEXTS = 5_000

# Control characters would glue words together (a NUL) or split them (a vertical tab): blanks.
_BLANKS = dict.fromkeys([*range(0x20), 0x7F, *range(0x80, 0xA0)], " ")


def score_texts(texts: Sequence[str | None] | pa.Array | pa.ChunkedArray, jobs: int = 1) -> Scores:
    """Return VADER's compound score of each text: -1 most negative, +1 most positive.

    What is no text (None, NaN), empty or blank scores NaN; control characters count as blanks.
    Only the first MAX_CHARACTERS characters of a text are read. `jobs` processes share the work
    above PARALLEL_FROM_TEXTS texts (-1: one per core); the scores do not depend on it.

    >>> score_texts(["I love it!", None]).round(2).tolist()
    [0.67, nan]
    """
    listed = texts.to_pylist() if isinstance(texts, pa.Array | pa.ChunkedArray) else list(texts)
    batches = [listed[i : i + BATCH_TEXTS] for i in range(0, len(listed), BATCH_TEXTS)]
    if not batches:
        return np.empty(0, dtype="float64")
    if jobs == 1 or len(listed) < PARALLEL_FROM_TEXTS:
        return np.concatenate([_score_batch(batch) for batch in batches])
    scored = Parallel(n_jobs=jobs, backend="loky")(delayed(_score_batch)(b) for b in batches)
    return np.concatenate(scored)


def _score_batch(texts: Sequence[str | None]) -> Scores:
    analyzer = _analyzer()
    cleaned = (_clean(text) for text in texts)
    scores = (analyzer.polarity_scores(text)["compound"] if text else np.nan for text in cleaned)
    return np.fromiter(scores, dtype="float64", count=len(texts))


def _clean(text: str | None) -> str:
    return text[:MAX_CHARACTERS].translate(_BLANKS).strip() if isinstance(text, str) else ""


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    """Read the lexicon once in each process."""
    return SentimentIntensityAnalyzer()
