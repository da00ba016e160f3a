"""Scores of texts in the warehouse: once a text, again for another engine, gone with the text."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tessera import texts
from tessera.runs import StepFailed
from tessera.settings import Settings, Text, load

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def told() -> Settings:
    return load(ROOT / "settings.toml")


@pytest.fixture
def vault(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute((ROOT / "tessera" / "warehouse.sql").read_text("utf-8"))
    connection.execute(
        """
        create schema staging;
        create table staging.stg_vault__identifiers
            (kind varchar, pseudonym varchar, field varchar, value varchar);
        insert into staging.stg_vault__identifiers values
            ('text', 'h1', 'post_text', 'I love this shop'),
            ('text', 'h1', 'survey_comment', 'I love this shop'),
            ('text', 'h2', 'ticket_body', 'Wo bleibt mein Paket?'),
            ('text', 'h3', 'refund_reason', 'broken'),
            ('customer', 'c', 'first_name', 'Ada');
        """
    )
    return connection


def _scores(connection: duckdb.DuckDBPyConnection) -> list[tuple]:  # type: ignore[type-arg]
    return connection.sql(
        "select text_hash, status, label, is_complaint from enriched.text_scores order by 1"
    ).fetchall()


def test_each_text_is_scored_once(vault: duckdb.DuckDBPyConnection, told: Settings) -> None:
    scored = texts.score(vault, told)
    assert str(scored) == "3 new texts: 2 scored, 1 other language"
    assert _scores(vault) == [
        ("h1", "scored", "positive", False),
        ("h2", "other language", None, None),
        ("h3", "scored", "negative", True),
    ]
    assert texts.score(vault, told).texts == 0


def test_chunks_change_nothing(
    vault: duckdb.DuckDBPyConnection, told: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts.score(vault, told)
    whole = _scores(vault)
    vault.execute("delete from enriched.text_scores")
    monkeypatch.setattr(texts, "CHUNK_TEXTS", 1)
    assert texts.score(vault, told).texts == 3
    assert _scores(vault) == whole


def test_another_engine_scores_again(vault: duckdb.DuckDBPyConnection, told: Settings) -> None:
    texts.score(vault, told)
    vault.execute("update enriched.text_scores set engine = 'older' where text_hash = 'h1'")
    assert texts.score(vault, told).texts == 1
    only = told.model_copy(update={"text": Text(languages=["en", "de"])})
    assert texts.score(vault, only).texts == 3


def test_scores_go_with_their_texts(vault: duckdb.DuckDBPyConnection, told: Settings) -> None:
    texts.score(vault, told)
    vault.execute("delete from staging.stg_vault__identifiers where pseudonym = 'h2'")
    assert str(texts.score(vault, told)) == "0 new texts: 2 scored"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (Text(engine="/no/such/folder"), "neither a folder"),
        (Text(languages=["xx"]), r"text\.languages names xx"),
    ],
)
def test_what_cannot_be_used_is_said(
    vault: duckdb.DuckDBPyConnection, told: Settings, text: Text, message: str
) -> None:
    with pytest.raises(StepFailed, match=message):
        texts.score(vault, told.model_copy(update={"text": text}))
    assert _scores(vault) == []
