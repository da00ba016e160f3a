"""The transformer engine on a tiny model and tokenizer made here; nothing is fetched."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from tessera.text import pretrained
from tessera.text.engine import EngineRefused, open_engine
from tessera.text.scoring import OTHER_LANGUAGE, SCORED, describe
from tessera.text.transformer import label_values

WORDS = {"[PAD]": 0, "[UNK]": 1, "bad": 2, "fine": 3, "great": 4}
LABELS = {"0": "Negative", "1": "neutral", "2": "POSITIVE"}
#: What each word adds to each label's logit.
LOGITS = np.array([[0, 0, 0], [0, 0.5, 0], [3, 0, 0], [0, 3, 0], [0, 0, 3]], dtype="float32")


def _write_weights(file: Path, input_name: str = "input_ids") -> None:
    """A bag of words: the sum of the rows of LOGITS."""
    file.parent.mkdir(parents=True, exist_ok=True)
    ids = helper.make_tensor_value_info(input_name, TensorProto.INT64, ["batch", "tokens"])
    mask = helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "tokens"])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", input_name], ["rows"]),
            helper.make_node("ReduceSum", ["rows", "axis"], ["logits"], keepdims=0),
        ],
        "bag of words", [ids, mask], [logits],
        [numpy_helper.from_array(LOGITS, "table"),
         numpy_helper.from_array(np.array([1], dtype="int64"), "axis")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(file))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model as the hub lays it out."""
    _write_weights(tmp_path / "onnx" / "model.onnx")
    config = {"id2label": LABELS, "max_position_embeddings": 8, "pad_token_id": 0}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    tokenizer = Tokenizer(WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_scores_and_labels(folder: Path) -> None:
    tones = open_engine(str(folder)).score(["great", "bad bad", "fine", "great bad", ""])
    assert tones.labels == ["positive", "negative", "neutral", "negative", "negative"]
    assert tones.scores[0] == pytest.approx((np.exp(3) - 1) / (np.exp(3) + 2), abs=1e-4)
    assert tones.scores[1] < -0.9 and abs(tones.scores[2]) < 1e-9 and tones.scores[3] == 0


def test_batches_order_and_padding_change_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["great", "bad fine fine", "fine", "great great bad"] * 5
    engine = open_engine(str(folder))
    whole = engine.score(texts)
    monkeypatch.setattr(pretrained, "BATCH_TEXTS", 3)
    np.testing.assert_array_equal(engine.score(texts[::-1]).scores[::-1], whole.scores)
    assert engine.score([]).scores.shape == (0,)


def test_a_long_text_is_cut(folder: Path) -> None:
    engine = open_engine(str(folder))
    assert engine.score(["great " * 8 + "bad " * 99]).labels == ["positive"]


def test_it_knows_any_language_unless_told(folder: Path) -> None:
    german = "Die Lampe ist leider kaputt angekommen"
    everywhere = describe([german], open_engine(str(folder))).to_pylist()[0]
    assert (everywhere["status"], everywhere["language"]) == (SCORED, "de")
    assert everywhere["is_complaint"] is None  # signals know English words
    english = describe([german], open_engine(str(folder), ["en"])).to_pylist()[0]
    assert (english["status"], english["sentiment"]) == (OTHER_LANGUAGE, None)


def test_another_model_has_another_name(folder: Path) -> None:
    before = open_engine(str(folder)).name
    assert open_engine(str(folder)).name == before
    config = folder / "config.json"
    config.write_text(config.read_text("utf-8").replace("Negative", "NEG"), encoding="utf-8")
    assert open_engine(str(folder)).name != before


@pytest.mark.parametrize(
    "labels", [{"0": "LABEL_0", "1": "LABEL_1"}, {"0": "joy"}, {"0": "pos"}, {}]
)
def test_labels_without_a_tone_are_refused(labels: dict[str, str]) -> None:
    with pytest.raises(EngineRefused, match=r"labels are .* name id2label in its config\.json"):
        label_values({"id2label": labels})


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "onnx/model.onnx"])
def test_missing_and_broken_files_are_named(folder: Path, file: str) -> None:
    (folder / file).write_bytes(b"{broken")
    with pytest.raises(EngineRefused, match=Path(file).name):
        open_engine(str(folder))
    (folder / file).unlink()
    with pytest.raises(EngineRefused, match=f"{folder} has no .*{Path(file).name}"):
        open_engine(str(folder))


def test_weights_that_want_something_else_are_refused(folder: Path) -> None:
    _write_weights(folder / "model.onnx", input_name="pixels")
    with pytest.raises(EngineRefused, match=r"wants \['pixels'\]"):
        open_engine(str(folder))


def test_without_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *told: Any, **more: Any) -> Any:
        if name == "onnxruntime":
            raise ImportError(f"No module named {name!r}", name=name)
        return real(name, *told, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(EngineRefused, match=r"onnxruntime is not installed: pip install"):
        open_engine(str(folder))


@pytest.mark.parametrize("name", ["no/such folder", "owner/model"])
def test_without_a_network(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(EngineRefused, match=f"{name}.*(cannot be reached|neither a folder)"):
        open_engine(name)


def test_from_the_hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.errors import EntryNotFoundError

    asked: list[tuple[str, str, str | None]] = []

    def download(repository: str, file: str, revision: str | None = None) -> str:
        asked.append((repository, file, revision))
        if not (folder / file).is_file():
            raise EntryNotFoundError(f"no {file}")
        return str(folder / file)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    assert open_engine("owner/model@v1").score(["great"]).labels == ["positive"]
    assert asked[0] == ("owner/model", "config.json", "v1")
    assert [file for _, file, _ in asked][-2:] == ["model.onnx", "onnx/model.onnx"]
