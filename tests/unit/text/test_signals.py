"""Signals on hand-labelled sentences of our own.

The sentences were written and labelled before the rules. Every second one was put aside while the
rules were made; both halves must pass.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tessera.text import signals
from tessera.text.reading import read

ROWS = [
    line.split("\t")
    for line in (Path(__file__).parent / "texts" / "signals.tsv").read_text("utf-8").splitlines()
]
LABELS = dict(zip(signals.NAMES, ("complaint", "praise", "intent", "price", "churn"), strict=True))


@pytest.mark.parametrize("half", ["seen", "put aside"])
@pytest.mark.parametrize("name", signals.NAMES)
def test_precision_and_recall(name: str, half: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ROWS[0 if half == "seen" else 1 :: 2]
    found = signals.find([read(row[0]) for row in rows])[name].to_pylist()
    labelled = [LABELS[name] in row[1].split() for row in rows]
    right = sum(f and told for f, told in zip(found, labelled, strict=True))
    precision, recall = right / sum(found), right / sum(labelled)
    with capsys.disabled():
        print(f"\n{name}, {half}: precision {right}/{sum(found)}, recall {right}/{sum(labelled)}")
    assert precision >= 0.9
    assert recall >= 0.5


def test_no_text_signals_nothing() -> None:
    assert signals.find([""]).to_pylist() == [dict.fromkeys(signals.NAMES, False)]
