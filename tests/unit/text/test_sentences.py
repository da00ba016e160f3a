"""Sentence embeddings and the topics made of them, on tiny models made here; nothing is fetched."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from tessera.text.embedded import class_tfidf, find_embedded_topics
from tessera.text.engine import EngineRefused
from tessera.text.sentences import open_encoder
from tessera.text.topics import Parameters
from tessera.text.words import Authors

#: What few words say in two languages of a shop: the same theme, no word in common.
THEMES = (
    ("rose", "tulip", "spade", "soil", "lawn", "hedge"),
    ("oven", "recipe", "spoon", "baking", "kettle", "dough"),
    ("speaker", "guitar", "concert", "melody", "vinyl", "drum"),
)
WORDS = {
    "[PAD]": 0, "[UNK]": 1,
    **{word: n for n, word in enumerate((w for t in THEMES for w in t), start=2)},
}  # fmt: skip


def _write(folder: Path, is_pooled: bool = False) -> None:
    """A vector per token, near its theme's axis; is_pooled: their mean already."""
    rng = np.random.default_rng(0)
    table = rng.normal(0, 0.1, (len(WORDS), 8))
    for theme, words in enumerate(THEMES):
        table[[WORDS[word] for word in words], theme] += 1
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])
    shape = ["batch", 8] if is_pooled else ["batch", "tokens", 8]
    output = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, shape)
    rows = "rows" if is_pooled else "vectors"
    nodes = [helper.make_node("Gather", ["table", "input_ids"], [rows])]
    if is_pooled:
        nodes.append(helper.make_node("ReduceMean", ["rows"], ["vectors"], axes=[1], keepdims=0))
    weights = [numpy_helper.from_array(table.astype("float32"), "table")]
    graph = helper.make_graph(nodes, "tokens", [ids], [output], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(folder / "model.onnx"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model of sentences as the hub lays it out."""
    _write(tmp_path)
    config = {"architectures": ["BertModel"], "max_position_embeddings": 32}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    tokenizer = Tokenizer(WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def _pool_by(folder: Path, **modes: bool) -> None:
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(modes), encoding="utf-8")


def test_vectors_are_means_of_tokens_whatever_their_batch(folder: Path) -> None:
    encoder = open_encoder(str(folder))
    together = encoder.encode(["rose tulip", "rose", "tulip rose rose rose", "oven", ""])
    np.testing.assert_allclose(np.linalg.norm(together[:4], axis=1), 1, atol=1e-4)
    np.testing.assert_array_equal(encoder.encode(["rose tulip"])[0], together[0])
    assert together[0] @ together[1] > 0.9
    assert together[0] @ together[3] < 0.5
    assert encoder.encode([]).shape == (0, 0)


def test_a_model_may_pool_by_itself_or_take_the_first_token(folder: Path) -> None:
    means = open_encoder(str(folder)).encode(["rose oven"])
    rose = open_encoder(str(folder)).encode(["rose"])
    _write(folder, is_pooled=True)
    np.testing.assert_allclose(open_encoder(str(folder)).encode(["rose oven"]), means, atol=1e-4)
    _write(folder)
    _pool_by(folder, pooling_mode_cls_token=True, pooling_mode_mean_tokens=False)
    np.testing.assert_array_equal(open_encoder(str(folder)).encode(["rose oven"]), rose)


def test_what_gives_no_vectors_of_sentences_is_refused(folder: Path) -> None:
    _pool_by(folder, pooling_mode_max_tokens=True)
    with pytest.raises(EngineRefused, match=r"pools by .*max_tokens"):
        open_encoder(str(folder))
    config = {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "x"}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(EngineRefused, match=r"is a classifier.*topics\.method = \"nmf\""):
        open_encoder(str(folder))
    (folder / "model.onnx").unlink()
    with pytest.raises(EngineRefused, match=r"has no model\.onnx"):
        open_encoder(str(folder))


def _texts(size: int) -> tuple[list[str], np.ndarray]:
    """Four words of one theme each."""
    rng = np.random.default_rng(3)
    themes = rng.integers(0, len(THEMES), size)
    return [" ".join(rng.choice(THEMES[t], 4, replace=False)) for t in themes], themes


def _alone(size: int) -> Authors:
    return Authors(np.arange(size), np.arange(size) % 40)


def test_topics_of_embeddings_are_the_themes(folder: Path) -> None:
    texts, themes = _texts(240)
    texts += ["rose tulip spade " * 60_000, "🙂", "\x00\x07", "\u200f\u05e9\u05dc\u05d5\u05dd", ""]
    encode = open_encoder(str(folder)).encode
    found = find_embedded_topics(texts, _alone(245), encode, Parameters(seed=1))
    assert len(found.weights) == len(THEMES)
    main = np.asarray(found.shares.argmax(axis=1)).ravel()
    assert len(set(zip(main[:240].tolist(), themes.tolist(), strict=True))) == len(THEMES)
    for topic in range(len(THEMES)):
        theme = THEMES[themes[np.flatnonzero(main[:240] == topic)[0]]]
        assert {word for word, _ in found.top_words(topic, 6)} == set(theme)
    sums = np.asarray(found.shares.sum(axis=1)).ravel()
    assert sums == pytest.approx([1] * 241 + [0] * 4), "a text without a word has no topic"
    again = find_embedded_topics(texts, _alone(245), encode, Parameters(seed=1))
    assert (again.weights == found.weights).all() and (again.shares != found.shares).nnz == 0


def test_a_sample_decides_for_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, themes = _texts(240)
    monkeypatch.setattr("tessera.text.embedded.FIT_TEXTS", 120)
    monkeypatch.setattr("tessera.text.embedded.BATCH_TEXTS", 50)
    encode = open_encoder(str(folder)).encode
    found = find_embedded_topics(texts, _alone(240), encode, Parameters(count=3))
    main = np.asarray(found.shares.argmax(axis=1)).ravel()
    assert len(set(zip(main.tolist(), themes.tolist(), strict=True))) == len(THEMES)


@pytest.mark.parametrize(
    "texts", [[], ["one post"], ["🙂"] * 60, ["always the same words"] * 60],
    ids=["none", "one", "emoji", "all equal"],
)  # fmt: skip
def test_nothing_to_find(texts: list[str], folder: Path) -> None:
    encode = open_encoder(str(folder)).encode
    found = find_embedded_topics(texts, _alone(len(texts)), encode, Parameters())
    assert len(found.weights) == 0 and found.shares.shape == (len(texts), 0)


def test_fewer_different_vectors_than_topics(folder: Path) -> None:
    texts = ["rose tulip", "oven recipe"] * 40 + ["speaker guitar"] * 20
    encode = open_encoder(str(folder)).encode
    found = find_embedded_topics(texts, _alone(100), encode, Parameters(count=10))
    assert len(found.weights) == 3
    assert [word for word, _ in found.top_words(2)] == ["guitar", "speaker"]


def test_words_of_a_class_by_hand() -> None:
    from scipy.sparse import csr_array

    counts = csr_array(np.array([[3.0, 1, 0], [0, 1, 3], [0, 0, 0]]))
    weights = class_tfidf(counts, np.array([0, 1, 2]))
    # Words per class: 4, 4, 0, so 8 / 3 on average.
    own, common = 0.75 * np.log1p(8 / 9), 0.25 * np.log1p(4 / 3)
    assert weights[0] == pytest.approx(np.array([own, common, 0]) / (own + common))
    assert weights[1] == pytest.approx(np.array([0, common, own]) / (own + common))
    assert weights[2].tolist() == [0, 0, 0]
