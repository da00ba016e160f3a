"""The lexicon engine: VADER's scores digit for digit, and what is better than VADER."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import (
    BOOSTER_DICT,
    NEGATE,
    SPECIAL_CASES,
    SentimentIntensityAnalyzer,
)

from benchmarks.rated_texts import SETS, confusion, correlation, macro_f1, rated
from tessera.text.lexicon import OURS, VADER, Lexicon
from tessera.text.reading import read
from tests.conftest import shared

ANALYZER = SentimentIntensityAnalyzer()
PLAIN, FULL = Lexicon(VADER), Lexicon(OURS)
WORDS = [
    *sorted(ANALYZER.lexicon)[::40], *sorted(BOOSTER_DICT), *sorted(NEGATE)[::3],
    *" ".join(SPECIAL_CASES).split(), "the", "shop", "no", "or", "nor", "least", "at", "never",
    "so", "this", "without", "doubt", "GOOD", "Bad", "VERY", "great!!", "awful?", ":)", "😍",
    "good,",
]  # fmt: skip


def _vader(text: str) -> float:
    return float(ANALYZER.polarity_scores(text)["compound"])


@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
@settings(max_examples=150, deadline=None)
def test_plain_rules_are_vaders_own(text: str) -> None:
    assert PLAIN.compound(text) == _vader(text)


@given(st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_text_has_a_score_between_minus_one_and_one(text: str) -> None:
    assert -1 <= FULL.compound(read(text)) <= 1
    if "but" not in text.lower():
        assert PLAIN.compound(text) == _vader(text)


def test_contrast_weighs_each_word_by_its_own_place() -> None:
    """The package looks a score up by its value and so may take the wrong one's place."""
    assert PLAIN.compound("good but good") == pytest.approx(_normal(1.9 * 0.5 + 1.9 * 1.5))


def _normal(total: float) -> float:
    return round(total / (total**2 + 15) ** 0.5, 4)


@pytest.mark.parametrize(
    ("text", "tone"),
    [
        ("Not happy at all.", -1),
        ("I don’t like it", -1),  # a typographic apostrophe
        ("Did not fit. Great support though", 1),  # the negation ends with its sentence
        ("I do not think that this is a good shop", -1),
        ("I can't say that I was happy", -1),
        ("Soooo goooood", 1),
        ("#LoveThisShop", 1),
        ("#never_good", -1),
        ("great&nbsp;service &lt;3", 1),
        ("@happyshop where are you", 0),  # a name says nothing
        ("https://great.example/love", 0),
        ("awful...never mind", -1),
        ("not bad 😍", 1),
        ("👎👎", -1),
        ("😂", 1),
        ("🙌🏽", 1),
        ("my new lamp 📦", 0),
        ("The seat is flimsy and the lid was faulty", -1),
        ("not bad, but the delivery was awful", -1),
    ],
)
def test_tone(text: str, tone: int) -> None:
    assert np.sign(FULL.compound(read(text))) == tone


def test_lengthened_words_say_more_and_capitals_too() -> None:
    assert FULL.compound("goooood") > FULL.compound("good")
    assert FULL.compound("a GOOD shop") > FULL.compound("a good shop")


@pytest.mark.parametrize("name", SETS)
def test_ours_agrees_with_people_at_least_as_well_as_vader(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    texts, ratings = rated(shared("scored-tweets"), name)
    texts, ratings = texts[:5_000], ratings[:5_000]
    ours = np.array([FULL.compound(read(text)) for text in texts])
    plain = np.array([PLAIN.compound(text) for text in texts])
    table = confusion(ratings, ours)
    r, of_vader = correlation(ratings, ours), correlation(ratings, plain)
    f1, f1_of_vader = macro_f1(table), macro_f1(confusion(ratings, plain))
    with capsys.disabled():
        print(f"\n{name}: {len(texts):,} texts, r {r:.4f} (VADER {of_vader:.4f}), ", end="")
        print(f"macro-F1 {f1:.3f} ({f1_of_vader:.3f}); rows people, columns ours (-, 0, +):")
        print(table)
    assert r >= of_vader
    assert f1 >= f1_of_vader - 0.005
    if name == "tweets":
        assert r >= 0.872
