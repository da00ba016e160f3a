"""What scores the tone of texts: one small protocol, two engines."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tessera.text.lexicon import Lexicon

LEXICON = "lexicon"
LABELS = ("negative", "neutral", "positive")
#: From here on a compound score is positive, from its negative on negative (VADER's authors).
TONE_FROM = 0.05


class EngineRefused(ValueError):
    """The engine cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Tones:
    """scores: -1 most negative to +1 most positive; labels: one of LABELS for each."""

    scores: NDArray[np.float64]
    labels: list[str]


class Engine(Protocol):
    """Scores texts that `tessera.text.reading.read` has made readable.

    name: tells apart any two engines that may score one text differently; kept with each score.
    languages: codes of the languages that it knows; None: all.
    is_light: whether each of several processes may have its own.
    """

    name: str
    languages: frozenset[str] | None
    is_light: bool

    def score(self, texts: Sequence[str]) -> Tones:
        """The tone of each text."""
        ...


class LexiconEngine:
    """The default: offline, deterministic, English."""

    languages: frozenset[str] | None = frozenset({"en"})
    is_light = True

    def __init__(self) -> None:
        self.name = f"lexicon {code_digest()}"

    def score(self, texts: Sequence[str]) -> Tones:
        """The tone of each text.

        >>> LexiconEngine().score(["I love it!", "It is blue."]).labels
        ['positive', 'neutral']
        """
        compound = _lexicon().compound
        scores = np.fromiter((compound(text) for text in texts), "float64", count=len(texts))
        return Tones(scores, [LABELS[int(place)] for place in _places(scores)])


def _places(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    return 1 + (scores >= TONE_FROM).astype("int64") - (scores <= -TONE_FROM).astype("int64")


@cache
def _lexicon() -> Lexicon:
    """One in each process: it remembers words."""
    return Lexicon()


@cache
def code_digest() -> str:
    """Of this package's code and the packages that decide: a changed rule is another engine."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    digest.update(f"{version('vaderSentiment')} {version('py3langid')}".encode())
    return digest.hexdigest()[:12]


def open_engine(name: str, languages: Sequence[str] = ()) -> Engine:
    """Return the engine of that name: `lexicon`, or a transformer from a folder or the hub.

    `languages` are those that a transformer knows (empty: all). Raises EngineRefused.
    """
    if name == LEXICON:
        return LexiconEngine()
    from tessera.text.transformer import open_transformer

    return open_transformer(name, languages)
