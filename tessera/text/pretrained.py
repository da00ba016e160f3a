"""Pretrained transformers as ONNX weights, from a folder or from the Hugging Face hub.

onnxruntime instead of torch, which weighs gigabytes (docs/decisions/sentiment.md). A folder, or a
repository of the hub, holds `config.json`, `tokenizer.json` and `model.onnx` or `onnx/model.onnx`.
The extra `transformers` brings what is needed to read them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tessera.text.engine import EngineRefused

if TYPE_CHECKING:
    import onnxruntime
    import tokenizers

BATCH_TEXTS = 32
MAX_TOKENS = 512
WEIGHTS = ("model.onnx", "onnx/model.onnx")
#: How a model of sentences makes one vector of those of the tokens; most models have no such file.
POOLING = "1_Pooling/config.json"

# Where a file of that name is; None when there is none.
Find = Callable[[str], Path | None]

_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}


@dataclass(frozen=True)
class Pretrained:
    """A model that is open. digest tells its files; config and pooling are its JSON files."""

    digest: str
    config: dict[str, Any]
    pooling: dict[str, Any]
    session: onnxruntime.InferenceSession
    tokenizer: tokenizers.Tokenizer

    def batches(
        self, texts: Sequence[str]
    ) -> Iterator[tuple[list[int], NDArray[np.float64], NDArray[np.float64]]]:
        """Positions of texts, the model's first output for them, and the mask of their tokens.

        Texts go by length, then by themselves, BATCH_TEXTS at a time: deterministic on one machine.
        """
        order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), texts[i]))
        wanted = [given.name for given in self.session.get_inputs()]
        for start in range(0, len(order), BATCH_TEXTS):
            chosen = order[start : start + BATCH_TEXTS]
            encoded = self.tokenizer.encode_batch([texts[i] for i in chosen])
            told = {
                "input_ids": [e.ids for e in encoded],
                "attention_mask": [e.attention_mask for e in encoded],
                "token_type_ids": [e.type_ids for e in encoded],
            }
            feed = {name: np.array(told[name], dtype="int64") for name in wanted}
            output = np.asarray(self.session.run(None, feed)[0], dtype="float64")
            yield chosen, output, np.array(told["attention_mask"], dtype="float64")


def open_pretrained(
    name: str, setting: str, else_set: str, has_pooling: bool = False
) -> Pretrained:
    """Open the model in the folder `name`, or of that name on the hub (`owner/name`,
    `owner/name@revision`), that `setting` of the settings names; `else_set` goes without a model.
    `has_pooling`: it may come with the file POOLING. Raises EngineRefused when the extra, a file or
    the network is missing.
    """
    _require_extra(setting, else_set)
    folder = Path(name).expanduser()
    find = _in_folder(folder) if folder.is_dir() else _on_hub(name)
    files = _collect(find, name)
    if has_pooling and (pooling := find(POOLING)):
        files[POOLING] = pooling
    config = _read_json(files["config.json"])
    return Pretrained(
        _digest(files.values()),
        config,
        _read_json(files[POOLING]) if POOLING in files else {},
        _open_session(files["weights"]),
        _open_tokenizer(files["tokenizer.json"], config),
    )


def _require_extra(setting: str, else_set: str) -> None:
    try:
        import huggingface_hub  # noqa: F401
        import onnxruntime  # noqa: F401
        import tokenizers  # noqa: F401
    except ImportError as error:
        raise EngineRefused(
            f"{setting} names a transformer, and {error.name} is not installed: "
            f"pip install 'tessera[transformers]', or set {else_set}"
        ) from error


def _in_folder(folder: Path) -> Find:
    return lambda file: found if (found := folder / file).is_file() else None


def _on_hub(name: str) -> Find:
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

    return fetch


def _collect(find: Find, where: str) -> dict[str, Path]:
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


def _read_json(file: Path) -> dict[str, Any]:
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
        raise EngineRefused(f"{file} wants {unknown}; a model of texts takes {sorted(_INPUTS)}")
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


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:12]
