"""Texts in, what they say out: language, tone and signals, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from joblib import Parallel, delayed

from tessera.text import signals
from tessera.text.engine import Engine
from tessera.text.language import detect
from tessera.text.reading import read

SCORED, OTHER_LANGUAGE = "scored", "other language"
UNKNOWN_LANGUAGE, NO_TEXT = "unknown language", "no text"
STATUSES = (SCORED, OTHER_LANGUAGE, UNKNOWN_LANGUAGE, NO_TEXT)
#: The language whose words tessera.text.signals knows.
SIGNALS_LANGUAGE = "en"

#: Below this many texts, starting further processes costs more than it saves.
PARALLEL_FROM_TEXTS = 20_000
BATCH_TEXTS = 5_000

SCHEMA = pa.schema(
    [
        ("language", pa.string()),
        ("sentiment", pa.float64()),
        ("label", pa.string()),
        ("status", pa.string()),
        *((name, pa.bool_()) for name in signals.NAMES),
    ]
)

Texts: TypeAlias = Sequence[str | None] | pa.Array | pa.ChunkedArray


def describe(
    texts: Texts, engine: Engine, languages: Sequence[str] = (), jobs: int = 1
) -> pa.Table:
    """Return a table of SCHEMA, a row per text; it depends on the text and the engine alone.

    status: 'scored'; 'other language' than those the engine knows; 'unknown language': too short
    or too mixed to tell; 'no text': nothing, or neither words nor emoji that say how one feels.
    sentiment (-1 to 1) and label are null unless scored, signals unless English. A text without a
    letter is scored by its emoji: they are of no language. `languages` are those that the texts
    may be in. Above PARALLEL_FROM_TEXTS texts `jobs` processes share the work.

    >>> from tessera.text.engine import open_engine
    >>> said = describe(["Love it!", "Wo bleibt mein Paket?"], open_engine("lexicon"))
    >>> said["status"].to_pylist()
    ['scored', 'other language']
    """
    listed = texts.to_pylist() if isinstance(texts, pa.Array | pa.ChunkedArray) else list(texts)
    batches = [listed[i : i + BATCH_TEXTS] for i in range(0, len(listed), BATCH_TEXTS)]
    if jobs == 1 or len(listed) < PARALLEL_FROM_TEXTS or not engine.is_light:
        described: Iterable[pa.Table] = (_describe(b, engine, languages) for b in batches)
    else:
        work = (delayed(_describe)(batch, engine, languages) for batch in batches)
        described = Parallel(n_jobs=jobs, backend="loky")(work)
    return pa.concat_tables([SCHEMA.empty_table(), *described])


def _describe(batch: Sequence[str | None], engine: Engine, languages: Sequence[str]) -> pa.Table:
    texts = [read(text) for text in batch]
    detected = detect(texts, languages)
    statuses = [_status(*told, engine) for told in zip(texts, detected, strict=True)]
    scored = np.array([status == SCORED for status in statuses], dtype=bool)
    tones = engine.score([t for t, s in zip(texts, statuses, strict=True) if s == SCORED])
    sentiment = _spread(scored, tones.scores.tolist())
    label = _spread(scored, tones.labels)
    for i in np.flatnonzero(scored):
        if detected[i] is None and sentiment[i] == 0:
            statuses[i], sentiment[i], label[i] = NO_TEXT, None, None  # such as a lone parcel
    english = pa.array([language == SIGNALS_LANGUAGE for language in detected], pa.bool_())
    said = [pc.if_else(english, column, None) for column in signals.find(texts).columns]
    told = [detected, sentiment, label, statuses]
    columns = [pa.array(column, field.type) for column, field in zip(told, SCHEMA, strict=False)]
    return pa.table([*columns, *said], schema=SCHEMA)


def _status(text: str, language: str | None, engine: Engine) -> str:
    if not text:
        return NO_TEXT
    if language is None:
        return UNKNOWN_LANGUAGE if any(character.isalpha() for character in text) else SCORED
    known = engine.languages is None or language in engine.languages
    return SCORED if known else OTHER_LANGUAGE


def _spread(chosen: np.ndarray, values: Sequence[Any]) -> list[Any]:
    """`values` at the chosen places, None at the others."""
    following = iter(values)
    return [next(following) if is_chosen else None for is_chosen in chosen]
