"""Sentiment by a transformer: ONNX weights, from a folder or from the Hugging Face hub.

onnxruntime instead of torch, which weighs gigabytes (docs/decisions/sentiment.md). A folder, or a
repository of the hub, holds `config.json` (with id2label), `tokenizer.json` and `model.onnx` or
`onnx/model.onnx`. The extra `transformers` brings what is needed to read them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tessera.text.engine import LABELS, EngineRefused, Tones, code_digest

if TYPE_CHECKING:
    import onnxruntime
    import tokenizers

BATCH_TEXTS = 32
MAX_TOKENS = 512
WEIGHTS = ("model.onnx", "onnx/model.onnx")
#: Equal texts in other batches differ in the last bits: what is kept has so many decimals.
DECIMALS = 4

_VALUES = {
    "negative": -1.0, "neg": -1.0, "very negative": -1.0, "somewhat negative": -0.5,
    "neutral": 0.0, "neu": 0.0, "mixed": 0.0,
    "positive": 1.0, "pos": 1.0, "very positive": 1.0, "somewhat positive": 0.5,
}  # fmt: skip
_STARS = re.compile(r"^([1-5]) ?stars?$")
_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}


class TransformerEngine:
    """A classifier of texts whose labels say a tone. The score is the mean of the labels' values.

    Deterministic on one machine: texts go by length, then by themselves, in batches of BATCH_TEXTS.
    """

    is_light = False

    def __init__(self, name: str, files: dict[str, Path], languages: Sequence[str]) -> None:
        self.languages = frozenset(languages) if languages else None
        self.name = f"{name} {_digest(files.values())} {code_digest()}"
        config = _read_config(files["config.json"])
        self._values = label_values(config)
        self._session = _open_session(files["weights"])
        self._tokenizer = _open_tokenizer(files["tokenizer.json"], config)

    def score(self, texts: Sequence[str]) -> Tones:
        """The tone of each text; of a long one, of its first MAX_TOKENS tokens."""
        order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), texts[i]))
        scores = np.zeros(len(texts))
        places = np.ones(len(texts), dtype="int64")
        for start in range(0, len(order), BATCH_TEXTS):
            chosen = order[start : start + BATCH_TEXTS]
            shares = self._shares([texts[i] for i in chosen])
            scores[chosen] = np.round(shares @ self._values, DECIMALS)
            places[chosen] = 1 + np.sign(self._values[shares.argmax(axis=1)]).astype("int64")
        return Tones(scores, [LABELS[place] for place in places])

    def _shares(self, texts: list[str]) -> NDArray[np.float64]:
        """The probability of each label, a row per text."""
        encoded = self._tokenizer.encode_batch(texts)
        told = {
            "input_ids": [e.ids for e in encoded],
            "attention_mask": [e.attention_mask for e in encoded],
            "token_type_ids": [e.type_ids for e in encoded],
        }
        wanted = [given.name for given in self._session.get_inputs()]
        feed = {name: np.array(told[name], dtype="int64") for name in wanted}
        logits = np.asarray(self._session.run(None, feed)[0], dtype="float64")
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return shares


def open_transformer(name: str, languages: Sequence[str] = ()) -> TransformerEngine:
    """Return the transformer in the folder `name`, or of that name on the hub (`owner/name`,
    `owner/name@revision`). Raises EngineRefused when the extra, a file or the network is missing.
    """
    _require_extra()
    folder = Path(name).expanduser()
    files = _in_folder(folder) if folder.is_dir() else _from_hub(name)
    return TransformerEngine(name, files, languages)


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


def _require_extra() -> None:
    try:
        import huggingface_hub  # noqa: F401
        import onnxruntime  # noqa: F401
        import tokenizers  # noqa: F401
    except ImportError as error:
        raise EngineRefused(
            f"text.engine names a transformer, and {error.name} is not installed: "
            "pip install 'tessera[transformers]', or set text.engine = \"lexicon\""
        ) from error


def _in_folder(folder: Path) -> dict[str, Path]:
    return _collect(lambda file: found if (found := folder / file).is_file() else None, str(folder))


def _from_hub(name: str) -> dict[str, Path]:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    repository, _, revision = name.partition("@")

    def fetch(file: str) -> Path | None:
        try:
            return Path(hf_hub_download(repository, file, revision=revision or None))
        except LocalEntryNotFoundError as error:
            raise EngineRefused(
                f"{name}: the Hugging Face hub cannot be reached, and {file} is not in its cache. "
                "Fetch the model into a folder where there is a network, and name the folder"
            ) from error
        except EntryNotFoundError:
            return None
        except Exception as error:  # whatever the network and the hub have to say
            told = str(error).strip().splitlines()
            raise EngineRefused(
                f"{name} is neither a folder nor to be had from the Hugging Face hub: "
                f"{told[0] if told else type(error).__name__}"
            ) from error

    return _collect(fetch, name)


def _collect(find: Callable[[str], Path | None], where: str) -> dict[str, Path]:
    """The files of a model by what they are."""
    wanted = {"config.json": ("config.json",), "tokenizer.json": ("tokenizer.json",)}
    found: dict[str, Path] = {}
    for part, names in (wanted | {"weights": WEIGHTS}).items():
        file = next((path for name in names if (path := find(name)) is not None), None)
        if file is None:
            raise EngineRefused(
                f"{where} has no {' or '.join(names)}. Export the model to ONNX "
                "(docs/how-to/texts.md), or choose one that has it"
            )
        found[part] = file
    return found


def _read_config(file: Path) -> dict[str, Any]:
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EngineRefused(f"{file} is not JSON: {error}") from error
    return config if isinstance(config, dict) else {}


def _open_session(file: Path) -> onnxruntime.InferenceSession:
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class for each of its many reasons
        raise EngineRefused(f"{file} cannot be read as ONNX weights: {error}") from error
    unknown = sorted({given.name for given in session.get_inputs()} - _INPUTS)
    if unknown:
        raise EngineRefused(f"{file} wants {unknown}; a classifier of texts takes {_INPUTS}")
    return session


def _open_tokenizer(file: Path, config: dict[str, Any]) -> tokenizers.Tokenizer:
    import tokenizers

    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise EngineRefused(f"{file} cannot be read as a tokenizer: {error}") from error
    longest = min(MAX_TOKENS, int(config.get("max_position_embeddings") or MAX_TOKENS))
    tokenizer.enable_truncation(max_length=longest)
    tokenizer.enable_padding(pad_id=int(config.get("pad_token_id") or 0))
    return tokenizer


def _digest(files: Sequence[Path] | Any) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:12]
