"""Sentiment by a transformer: a classifier of texts, see `tessera/text/pretrained.py`.

Its `config.json` names what it tells apart (id2label).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.text.engine import LABELS, EngineRefused, Tones, code_digest
from tessera.text.pretrained import Pretrained, open_pretrained

#: Equal texts in other batches differ in the last bits: what is kept has so many decimals.
DECIMALS = 4

_VALUES = {
    "negative": -1.0, "neg": -1.0, "very negative": -1.0, "somewhat negative": -0.5,
    "neutral": 0.0, "neu": 0.0, "mixed": 0.0,
    "positive": 1.0, "pos": 1.0, "very positive": 1.0, "somewhat positive": 0.5,
}  # fmt: skip
_STARS = re.compile(r"^([1-5]) ?stars?$")


class TransformerEngine:
    """A classifier of texts whose labels say a tone. The score is the mean of the labels' values.

    Deterministic on one machine.
    """

    is_light = False

    def __init__(self, name: str, model: Pretrained, languages: Sequence[str]) -> None:
        self.languages = frozenset(languages) if languages else None
        self.name = f"{name} {model.digest} {code_digest()}"
        self._values = label_values(model.config)
        self._model = model

    def score(self, texts: Sequence[str]) -> Tones:
        """The tone of each text; of a long one, of its first MAX_TOKENS tokens."""
        scores = np.zeros(len(texts))
        places = np.ones(len(texts), dtype="int64")
        for chosen, logits, _ in self._model.batches(texts):
            shares = _softmax(logits)
            scores[chosen] = np.round(shares @ self._values, DECIMALS)
            places[chosen] = 1 + np.sign(self._values[shares.argmax(axis=1)]).astype("int64")
        return Tones(scores, [LABELS[place] for place in places])


def open_transformer(name: str, languages: Sequence[str] = ()) -> TransformerEngine:
    """Return the transformer in the folder `name`, or of that name on the hub (`owner/name`,
    `owner/name@revision`). Raises EngineRefused when the extra, a file or the network is missing.
    """
    model = open_pretrained(name, "text.engine", 'text.engine = "lexicon"')
    return TransformerEngine(name, model, languages)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of each label, a row per text."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def label_values(config: dict[str, Any]) -> NDArray[np.float64]:
    """What each label of a config.json says, from -1 to 1.

    >>> label_values({"id2label": {"0": "1 star", "1": "5 stars"}}).tolist()
    [-1.0, 1.0]
    """
    labels = config.get("id2label") or {}
    told = [str(labels[key]) for key in sorted(labels, key=int)]
    values = [_value(label) for label in told]
    known = [value for value in values if value is not None]
    if len(known) < len(values) or len(set(known)) < 2:
        raise EngineRefused(
            f"the model's labels are {told}: they must be negative and positive (and neutral), or "
            "1 star to 5 stars. Use a sentiment model, or name id2label in its config.json so"
        )
    return np.array(known)


def _value(label: str) -> float | None:
    plain = label.strip().lower().replace("_", " ")
    if stars := _STARS.match(plain):
        return (int(stars[1]) - 3) / 2
    return _VALUES.get(plain)
