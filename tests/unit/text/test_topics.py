from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.text.topics import Parameters, Topics, find_topics
from tessera.text.words import Authors, choose_words, clean, count_words

THEMES = {
    "garden": "rose tulip spade soil seed lawn hedge watering blossom compost",
    "kitchen": "pan oven recipe spoon knife baking dough kettle simmer taste",
    "sound": "speaker volume bass guitar concert melody record vinyl drum chorus",
    "travel": "train ticket luggage hotel airport passport journey border map island",
}


def _write(size: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Texts of six words of one theme, and their themes."""
    rng = np.random.default_rng(seed)
    themes = rng.integers(0, len(THEMES), size)
    words = [text.split() for text in THEMES.values()]
    return [" ".join(rng.choice(words[t], 6, replace=False)) for t in themes], themes


def _alone(size: int, authors: int = 50) -> Authors:
    return Authors(np.arange(size), np.arange(size) % authors)


def _main(topics: Topics) -> np.ndarray:
    return np.asarray(topics.shares.argmax(axis=1)).ravel()


@pytest.fixture(scope="module")
def found() -> tuple[Topics, np.ndarray]:
    texts, themes = _write(400)
    return find_topics(texts, _alone(400)), themes


def test_themes_are_found_and_their_number(found: tuple[Topics, np.ndarray]) -> None:
    topics, themes = found
    assert len(topics.weights) == len(THEMES)
    pairs = set(zip(_main(topics).tolist(), themes.tolist(), strict=True))
    assert len(pairs) == len(THEMES), "each topic is one theme"
    assert max(topics.tried, key=lambda k: topics.tried[k]) == len(THEMES)


def test_words_tell_the_theme(found: tuple[Topics, np.ndarray]) -> None:
    topics, themes = found
    for number in range(len(topics.weights)):
        theme = themes[np.flatnonzero(_main(topics) == number)[0]]
        known = list(THEMES.values())[theme].split()
        assert {word for word, _ in topics.top_words(number)} <= set(known)
        assert topics.label(number).count(" · ") == 2


@pytest.mark.parametrize("method", ["nmf", "lda"])
def test_the_same_texts_give_the_same_topics(method) -> None:
    texts, _ = _write(200)
    told = Parameters(method=method, count=4)
    first, second = (find_topics(texts, _alone(200), told) for _ in range(2))
    assert (first.weights == second.weights).all()
    assert (first.shares != second.shares).nnz == 0
    sums = np.asarray(first.shares.sum(axis=1)).ravel()
    assert sums == pytest.approx(np.ones(200))


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["one post", "another post"],
        ["🙂", "🎉🎉", "👍"],
        ["always the same words"] * 60,
        ["\x00\x07\x1b"] * 60,
        [f"{n} @somebody{n} https://example.org/{n}" for n in range(60)],
    ],
    ids=["none", "two", "emoji", "all equal", "control characters", "names and numbers"],
)
def test_nothing_to_find(texts: list[str]) -> None:
    topics = find_topics(texts, _alone(len(texts)))
    assert len(topics.weights) == 0
    assert topics.shares.shape == (len(texts), 0)


def test_a_megabyte_and_control_characters_among_others() -> None:
    texts, _ = _write(200)
    texts[0] = "rose tulip spade " * 60_000
    texts[1] = "rose\x00tulip\x07spade"
    texts[2] = "\u200f\u05e9\u05dc\u05d5\u05dd"  # right to left
    topics = find_topics(texts, _alone(200), Parameters(count=4))
    main = _main(topics)
    assert main[0] == main[1]
    assert topics.shares[[2]].sum() == 0, "no word is known: no topic"


def test_words_of_few_people_are_not_used() -> None:
    texts = ["garden rose", "garden tulip"] * 20 + ["garden marylebone"] * 10
    spread = np.array([*range(40), *[99] * 10])
    authors = Authors(np.arange(50), spread)
    assert choose_words(texts, authors) == ["rose", "tulip"], "garden is in more than half"
    assert "marylebone" in choose_words(texts, Authors(np.arange(50), np.arange(50)))


def test_names_and_numbers_are_no_words() -> None:
    assert clean("Mail ada@example.org, @Bob, www.example.org or 2x4 #Roses").split() == [
        "mail", "or", "#roses",
    ]  # fmt: skip


def test_words_are_counted_in_batches_alike() -> None:
    counts = count_words(["rose rose", "", "tulip"], ["rose", "tulip"])
    assert counts.toarray().tolist() == [[2, 0], [0, 0], [0, 1]]
    assert count_words([], ["rose"]).shape == (0, 1)


@settings(deadline=None, max_examples=8)
@given(st.lists(st.text(max_size=60), max_size=80))
def test_any_text_is_taken(texts: list[str]) -> None:
    shares = find_topics(texts, _alone(len(texts)), Parameters(count=2)).shares
    assert shares.shape[0] == len(texts)
    assert ((shares.data >= 0) & (shares.data <= 1 + 1e-9)).all()
