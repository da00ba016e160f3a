"""Texts as vectors: sentence embeddings by a pretrained transformer.

Reimers & Gurevych (2019), "Sentence-BERT: sentence embeddings using Siamese BERT-networks".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tessera.text.engine import EngineRefused
from tessera.text.pretrained import POOLING, Pretrained, open_pretrained
from tessera.text.reading import read

#: Equal texts in other batches differ in the last bits: vectors have so many decimals.
DECIMALS = 5


class SentenceEncoder:
    """A model that gives texts of like meaning like vectors, of length 1.

    Its first output is a vector per text, or one per token: then the mean over the tokens, or the
    first token's where the model says so. name: tells apart any two encoders.
    """

    def __init__(self, name: str, model: Pretrained) -> None:
        self.name = f"{name} {model.digest}"
        self._model = model
        self._takes_first = bool(model.pooling.get("pooling_mode_cls_token"))
        _require_known(name, model)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of texts: texts × dimensions; of a long one, of its first MAX_TOKENS tokens."""
        found: NDArray[np.float32] = np.empty((len(texts), 0), dtype=np.float32)
        for chosen, output, mask in self._model.batches([read(text) for text in texts]):
            vectors = self._pool(output, mask)
            if not found.shape[1]:
                found = np.empty((len(texts), vectors.shape[1]), dtype=np.float32)
            length = np.linalg.norm(vectors, axis=1, keepdims=True)
            found[chosen] = np.round(vectors / np.where(length > 0, length, 1), DECIMALS)
        return found

    def _pool(self, output: NDArray[np.float64], mask: NDArray[np.float64]) -> NDArray[np.float64]:
        if output.ndim == 2:
            return output
        if self._takes_first:
            return output[:, 0]
        tokens = np.maximum(mask.sum(axis=1, keepdims=True), 1)
        pooled: NDArray[np.float64] = np.einsum("btd,bt->bd", output, mask) / tokens
        return pooled


def open_encoder(name: str) -> SentenceEncoder:
    """Return the encoder in the folder `name`, or of that name on the hub. Raises EngineRefused."""
    model = open_pretrained(name, "topics.model", 'topics.method = "nmf"', has_pooling=True)
    return SentenceEncoder(name, model)


def _require_known(name: str, model: Pretrained) -> None:
    """Refuse what gives no vectors: classifiers, and ways of pooling that are not known here."""
    if model.config.get("id2label") and "Classification" in str(model.config.get("architectures")):
        raise EngineRefused(
            f"topics.model: {name} is a classifier. Name a model of sentences, or set "
            'topics.method = "nmf"'
        )
    modes = [
        key for key, is_on in model.pooling.items() if key.startswith("pooling_mode_") and is_on
    ]
    unknown = set(modes) - {"pooling_mode_cls_token", "pooling_mode_mean_tokens"}
    if unknown or len(modes) > 1:
        raise EngineRefused(
            f"topics.model: {name} pools by {sorted(modes)} ({POOLING}); known are the mean of the "
            "tokens and the first one. Name another model"
        )
