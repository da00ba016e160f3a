"""Languages of short texts: own sentences, and what English people wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.rated_texts import rated
from tessera.text.engine import EngineRefused
from tessera.text.language import detect, require_known
from tessera.text.reading import read
from tests.conftest import shared

TEXTS = [
    line.split("\t")
    for line in (Path(__file__).parent / "texts" / "languages.tsv").read_text("utf-8").splitlines()
]


def test_short_texts_of_customers() -> None:
    found = detect([read(text) for _, text in TEXTS])
    wrong = [(*told, code) for told, code in zip(TEXTS, found, strict=True) if code != told[0]]
    assert [told for told in wrong if told[2] is not None] == [], "a wrong language"
    assert len(wrong) <= 0.06 * len(TEXTS), wrong  # not sure of these


def test_english_tweets_are_english(capsys: pytest.CaptureFixture[str]) -> None:
    found = detect([read(text) for text in rated(shared("scored-tweets"), "tweets")[0][::4]])
    share = found.count("en") / len(found)
    with capsys.disabled():
        print(f"\nof {len(found)} tweets {share:.1%} English, {found.count(None)} not sure")
    assert share >= 0.975


def test_only_the_languages_that_are_written() -> None:
    assert detect(["Talla equivocada"], ["en", "es"]) == ["es"]
    assert detect(["Ik ben blij"], ["de", "fr"])[0] in {"de", "fr", None}


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(EngineRefused, match=r"text\.languages names klingon; known are .* en "):
        require_known(["en", "klingon"])
