from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest

from tessera import topics
from tessera.runs import StepFailed
from tessera.settings import Topics
from tessera.warehouse import SCHEMA

DAY, NEXT = date(2026, 1, 1), date(2026, 1, 8)
GARDEN = ["rose", "tulip", "spade", "soil", "seed", "lawn", "hedge", "blossom", "compost"]
SOUND = ["speaker", "volume", "bass", "guitar", "concert", "melody", "vinyl", "drum", "chorus"]
TRAVEL = ["train", "ticket", "luggage", "hotel", "airport", "passport", "border", "map", "island"]
THEMES = (GARDEN, SOUND, TRAVEL)
TOLD = Topics(count=2)
STAGING = """
create schema staging;
create table staging.stg_social__posts (
    text_hash varchar, author_handle_key varchar, author_key varchar, posted_at timestamp
);
create table staging.stg_support__tickets (
    subject_hash varchar, body_hash varchar, account_id varchar, email_key varchar,
    opened_at timestamp
);
create table staging.stg_feedback__survey_answers (
    comment_hash varchar, account_id varchar, email_key varchar, answered_at timestamp
);
create table staging.stg_vault__identifiers (
    kind varchar, pseudonym varchar, field varchar, value varchar
);
"""


@pytest.fixture
def warehouse(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute(SCHEMA + STAGING)
    return connection


def _post(
    warehouse: duckdb.DuckDBPyConnection, words: list[str], count: int, at: str = "2025-12-01"
) -> None:
    """Posts of five of the words, each by another author."""
    rng = np.random.default_rng(len(words[0]))
    for n in range(count):
        text_hash = f"{words[0]}-{at}-{n:03d}"
        warehouse.execute(
            "insert into staging.stg_social__posts values (?, ?, null, ?)",
            [text_hash, f"author-{n}", at],
        )
        text = " ".join(rng.choice(words, 5, replace=False))
        warehouse.execute(
            "insert into staging.stg_vault__identifiers values ('text', ?, 'post_text', ?)",
            [text_hash, text],
        )


def _topics(warehouse: duckdb.DuckDBPyConnection, day: date) -> dict[str, tuple]:  # type: ignore[type-arg]
    """By the theme that their best word is of."""
    rows = warehouse.execute(
        "select word, topic_id, first_seen, is_new from enriched.topics "
        "join enriched.topic_words using (as_of, topic_id) where as_of = ? and rank = 1",
        [day],
    ).fetchall()
    themes = {"garden": GARDEN, "sound": SOUND, "travel": TRAVEL}
    return {
        next(theme for theme, words in themes.items() if word in words): told
        for word, *told in rows
    }


def test_no_text_is_no_topic(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert topics.find(warehouse, Topics(), DAY) == "0 topics; 0 of 0 texts have one"
    found = warehouse.execute("select topics, texts from enriched.topic_fits").fetchall()
    assert found == [(0, 0)]


def test_ids_stay_while_the_words_do(warehouse: duckdb.DuckDBPyConnection) -> None:
    _post(warehouse, GARDEN, 60)
    _post(warehouse, SOUND, 40)
    topics.find(warehouse, TOLD, DAY)
    assert _topics(warehouse, DAY) == {
        "garden": ["t20260101-01", DAY, True],
        "sound": ["t20260101-02", DAY, True],
    }
    _post(warehouse, TRAVEL, 150, at="2026-01-02")
    topics.find(warehouse, Topics(count=3), NEXT)
    second = {
        "garden": ["t20260101-01", DAY, False],
        "sound": ["t20260101-02", DAY, False],
        "travel": ["t20260108-01", NEXT, True],
    }
    assert _topics(warehouse, NEXT) == second
    before = warehouse.execute("from enriched.text_topics order by all").fetchall()
    topics.find(warehouse, TOLD, DAY)  # later days are not looked at
    topics.find(warehouse, Topics(count=3), NEXT)
    assert _topics(warehouse, NEXT) == second
    assert warehouse.execute("from enriched.text_topics order by all").fetchall() == before


def test_what_comes_later_or_in_another_language_is_not_read(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    _post(warehouse, GARDEN, 3, at="2025-12-31 23:59:59")
    _post(warehouse, SOUND, 3, at="2026-01-01 00:00:00")
    warehouse.execute(
        "insert into enriched.text_scores (text_hash, language) "
        "select max(pseudonym), 'fr' from staging.stg_vault__identifiers "
        "where pseudonym like 'rose%'"
    )
    written = topics.read(warehouse, DAY)
    assert written.hashes == ["rose-2025-12-31 23:59:59-000", "rose-2025-12-31 23:59:59-001"]
    assert written.text.tolist() == [0, 1]


def test_a_text_written_twice_is_one_text_of_two_people(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    _post(warehouse, GARDEN, 1)
    (text_hash,) = warehouse.execute("select text_hash from staging.stg_social__posts").fetchone()
    warehouse.execute(
        "insert into staging.stg_support__tickets values (?, null, 'ada', null, '2025-12-02')",
        [text_hash],
    )
    written = topics.read(warehouse, DAY)
    assert len(written.texts) == 1
    assert sorted(written.author.tolist()) == [0, 1]


class ByTheme:
    """An encoder that knows the themes."""

    name = "themes 1"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """The share of each theme's words in a text."""
        found = [[sum(w in theme for w in text.split()) for theme in THEMES] for text in texts]
        return (np.array(found, dtype="float32") / 5).reshape(len(texts), len(THEMES))


def test_topics_of_embeddings_are_kept_with_their_model(
    warehouse: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.text.sentences.open_encoder", lambda name: ByTheme())
    _post(warehouse, GARDEN, 60)
    _post(warehouse, SOUND, 40)
    told = Topics(method="embeddings", model="themes", count=2)
    assert topics.find(warehouse, told, DAY) == "2 topics; 100 of 100 texts have one"
    assert set(_topics(warehouse, DAY)) == {"garden", "sound"}
    fit = warehouse.execute("select method, topics from enriched.topic_fits").fetchall()
    assert fit == [("embeddings themes 1", 2)]


def test_a_model_that_is_not_there_ends_the_step(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    told = Topics(method="embeddings", model=str(tmp_path))
    with pytest.raises(StepFailed, match=r"has no config\.json"):
        topics.find(warehouse, told, DAY)


def test_a_ticket_says_its_subject_and_its_body(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute(
        "insert into staging.stg_support__tickets values "
        "('subject', 'body', 'ada', null, '2025-12-02'), ('subject', null, 'bob', null, "
        "'2025-12-03'), (null, 'later', 'bob', null, '2026-01-01')"
    )
    warehouse.execute(
        "insert into staging.stg_vault__identifiers values "
        "('text', 'subject', 'ticket_subject', 'A lamp'), ('text', 'body', 'ticket_body', 'It is "
        "dark'), ('text', 'later', 'ticket_body', 'Still dark')"
    )
    written = topics.read(warehouse, DAY)
    assert written.texts == ["It is dark", "A lamp"]
    assert len(written.author) == 3


def test_examples_are_texts_about_the_topic(warehouse: duckdb.DuckDBPyConnection) -> None:
    _post(warehouse, GARDEN, 60)
    _post(warehouse, SOUND, 40)
    topics.find(warehouse, TOLD, DAY)
    found = topics.latest(warehouse)
    assert [(topic_id, texts) for topic_id, _, texts in found] == [
        ("t20260101-01", 60), ("t20260101-02", 40),
    ]  # fmt: skip
    told = topics.examples(warehouse, "t20260101-01", 3)
    assert len(told) == 3
    assert all(set(text.split()) <= set(GARDEN) for _, _, text in told)
    with pytest.raises(topics.NoSuchTopic, match="topics list"):
        topics.examples(warehouse, "t0")
