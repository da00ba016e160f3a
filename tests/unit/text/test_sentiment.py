from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from tessera.text import sentiment
from tessera.text.sentiment import MAX_CHARACTERS, score_texts

TEXTS = [
    "I love this shop, wonderful service!!!",
    "Terrible quality, I hate it :(",
    "The parcel arrived on Tuesday.",
    "So happy with my new shoes 😍 #happy @shop",
    "not bad, but the delivery was awful",
]


def test_scores_are_vaders_own() -> None:
    analyzer = SentimentIntensityAnalyzer()
    expected = [analyzer.polarity_scores(text)["compound"] for text in TEXTS]
    assert score_texts(TEXTS).tolist() == expected


def test_tone_orders_the_scores() -> None:
    positive, negative, neutral, *_ = score_texts(TEXTS)
    assert negative < -0.3 < neutral < 0.3 < positive


@pytest.mark.parametrize("nothing", [None, "", "   ", "\x00\x01\n\t", float("nan")])
def test_no_text_has_no_score(nothing: str | None) -> None:
    scores = score_texts(["great", nothing, "great"])
    assert np.isnan(scores[1])
    assert scores[0] == scores[2] > 0


@pytest.mark.parametrize(
    "texts",
    [
        pa.array([*TEXTS, None]),
        pa.array([*TEXTS, None], pa.large_string()),
        pa.chunked_array([TEXTS[:2], [*TEXTS[2:], None]]),
        (*TEXTS, None),
    ],
)
def test_any_sequence_and_arrow_arrays(texts: pa.Array) -> None:
    np.testing.assert_array_equal(score_texts(texts), [*score_texts(TEXTS), np.nan])


def test_nothing_to_score() -> None:
    assert score_texts([]).shape == (0,)
    assert score_texts([]).dtype == np.float64


def test_control_characters_part_words() -> None:
    assert score_texts(["a\x00great\x0bday\x85"])[0] == score_texts(["a great day"])[0]


def test_what_follows_the_limit_is_not_read() -> None:
    beginning = "fine " * (MAX_CHARACTERS // 5)
    long, short = score_texts([beginning + "horrible " * 100_000, beginning])
    assert long == short


def test_batches_and_processes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [*TEXTS, None, ""] * 10
    whole = score_texts(texts)
    monkeypatch.setattr(sentiment, "BATCH_TEXTS", 8)
    np.testing.assert_array_equal(score_texts(texts), whole)
    monkeypatch.setattr(sentiment, "PARALLEL_FROM_TEXTS", 10)
    np.testing.assert_array_equal(score_texts(texts, jobs=2), whole)
