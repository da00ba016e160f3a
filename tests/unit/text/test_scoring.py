"""Language, tone and signals together: statuses, bad texts, batches and processes."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.text import scoring
from tessera.text.engine import LABELS, LexiconEngine
from tessera.text.scoring import NO_TEXT, OTHER_LANGUAGE, SCORED, STATUSES, UNKNOWN_LANGUAGE
from tessera.text.signals import NAMES

ENGINE = LexiconEngine()


def _one(text: str | None) -> dict[str, object]:
    return scoring.describe([text], ENGINE).to_pylist()[0]


@pytest.mark.parametrize(
    "nothing", [None, "", "   ", "\x00\x01\n\t", "\u200b\ufeff", "123 !!", "📦"]
)
def test_no_text_has_no_score(nothing: str | None) -> None:
    said = _one(nothing)
    assert said["status"] == NO_TEXT
    assert {said[c] for c in ("language", "sentiment", "label", *NAMES)} == {None}


@pytest.mark.parametrize(
    ("text", "status", "language"),
    [
        ("I love this shop!", SCORED, "en"),
        ("Damaged", SCORED, "en"),
        ("The parcel arrived on Tuesday.", SCORED, "en"),
        ("Ich bin sehr zufrieden mit der Lampe 😍", OTHER_LANGUAGE, "de"),
        ("الخدمة سيئة للغاية", OTHER_LANGUAGE, "ar"),
        ("אני מאוד מרוצה מהקנייה", OTHER_LANGUAGE, "he"),
        ("この靴がとても気に入っています", OTHER_LANGUAGE, "ja"),
        ("Qwx zzkrt vbn", UNKNOWN_LANGUAGE, None),
        ("😍😍", SCORED, None),
        (":-(", SCORED, None),
        ("I wanted to say that the service is wonderful, danke schön", SCORED, "en"),
    ],
)
def test_status_and_language(text: str, status: str, language: str | None) -> None:
    said = _one(text)
    assert (said["status"], said["language"]) == (status, language)
    assert (said["sentiment"] is None) == (said["label"] is None) == (status != SCORED)
    assert (said["is_praise"] is None) == (language != "en")


def test_directions_and_control_characters_part_no_words() -> None:
    plain = _one("a great day")
    assert _one("a\x00great\x0bday\x85") == plain
    assert _one("\u202ea gr\u00adeat\u200b day\u202c") == plain


@pytest.mark.parametrize(
    "text", ["great " * 170_000, "x" * 1_000_000, "GOOD!" * 200_000, "😡" * 9**6]
)
def test_a_megabyte_is_read_from_its_beginning(text: str) -> None:
    started = time.process_time()
    said = _one(text)
    assert time.process_time() - started < 5
    assert said["status"] in STATUSES
    assert said == _one(text[:10_000])


@given(st.lists(st.one_of(st.none(), st.text(max_size=80)), max_size=6))
@settings(max_examples=40, deadline=None)
def test_whatever_the_text(texts: list[str | None]) -> None:
    texts = [t.encode("utf-8", "ignore").decode() if t is not None else None for t in texts]
    for said in scoring.describe(texts, ENGINE).to_pylist():
        assert said["status"] in STATUSES
        if said["status"] == SCORED:
            assert -1 <= said["sentiment"] <= 1 and said["label"] in LABELS
        else:
            assert said["sentiment"] is None and said["label"] is None


def test_arrow_batches_and_processes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["I love it", "So schade, nie wieder", None, "", "Never again!", "😡", "Okay."] * 6
    whole = scoring.describe(texts, ENGINE)
    assert whole.schema == scoring.SCHEMA and whole.num_rows == len(texts)
    assert scoring.describe(pa.chunked_array([texts[:5], texts[5:]]), ENGINE) == whole
    monkeypatch.setattr(scoring, "BATCH_TEXTS", 8)
    assert scoring.describe(texts, ENGINE) == whole
    monkeypatch.setattr(scoring, "PARALLEL_FROM_TEXTS", 10)
    assert scoring.describe(texts, ENGINE, jobs=2) == whole


def test_nothing_to_describe() -> None:
    assert scoring.describe([], ENGINE).schema == scoring.SCHEMA
