"""Between what people wrote, `tessera/text/topics.py` and the tables of the enriched floor."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd

from tessera.runs import StepFailed
from tessera.settings import Topics as Told

if TYPE_CHECKING:
    from tessera.text.sentences import SentenceEncoder
    from tessera.text.topics import Topics

#: Least cosine similarity of the words of two topics that are the same one.
SAME_WORDS = 0.5
#: So many words of a topic are kept to know it again.
KEPT_WORDS = 30

# Posts, tickets (subject and body) and comments of surveys in English, each distinct text once.
WROTE = """
with said as (
    select text_hash, coalesce(author_handle_key, author_key, '') as author
    from staging.stg_social__posts where posted_at < $start
    union
    select subject_hash, coalesce(account_id, email_key, '')
    from staging.stg_support__tickets where opened_at < $start
    union
    select body_hash, coalesce(account_id, email_key, '')
    from staging.stg_support__tickets where opened_at < $start
    union
    select comment_hash, coalesce(account_id, email_key, '')
    from staging.stg_feedback__survey_answers where answered_at < $start
),
texts as (
    select pseudonym as text_hash, min(value) as text
    from staging.stg_vault__identifiers where kind = 'text' group by pseudonym
)
select text_hash, text, dense_rank() over (order by text_hash) - 1 as text_number,
       dense_rank() over (order by author) - 1 as author_number
from said join texts using (text_hash)
left join enriched.text_scores as scores using (text_hash)
where coalesce(scores.language, 'en') = 'en'
order by text_hash, author
"""

EXAMPLES = """
select texts.text_hash, texts.share, min(vault.value)
from enriched.text_topics as texts
join staging.stg_vault__identifiers as vault
    on vault.kind = 'text' and vault.pseudonym = texts.text_hash
where texts.topic_id = ? and texts.is_main
group by all order by texts.share desc, texts.text_hash limit ?
"""


class NoSuchTopic(LookupError):
    """The latest run knows no topic with that id."""


@dataclass(frozen=True)
class Written:
    """Distinct texts, ascending by hash, and who wrote which."""

    hashes: list[str]
    texts: list[str]
    text: np.ndarray
    author: np.ndarray


def find(connection: duckdb.DuckDBPyConnection, told: Told, as_of: date) -> str:
    """Find the topics of one day, replace what is stored of it, say how many."""
    written = read(connection, as_of)
    method, topics = _find(written, told)
    words = _words(topics)
    named = _name(connection, words, len(topics.weights), as_of)
    shares = _shares(topics, written)
    _write(connection, topics, words, shares, named, (method, len(written.texts)), as_of)
    about = shares["text_hash"].nunique()
    return f"{len(named):,} topics; {about:,} of {len(written.texts):,} texts have one"


def _find(written: Written, told: Told) -> tuple[str, Topics]:
    """How the topics were found, the model too, and the topics. Raises StepFailed."""
    from tessera.text.topics import Parameters, find_topics
    from tessera.text.words import Authors

    authors = Authors(written.text, written.author)
    count = None if told.count == "auto" else told.count
    if told.method == "embeddings":
        from tessera.text.embedded import find_embedded_topics

        encoder = _open_encoder(str(told.model))
        parameters = Parameters(count=count, seed=told.seed)
        topics = find_embedded_topics(written.texts, authors, encoder.encode, parameters)
        return f"embeddings {encoder.name}", topics
    return told.method, find_topics(
        written.texts, authors, Parameters(told.method, count, told.seed)
    )


def _open_encoder(name: str) -> SentenceEncoder:
    from tessera.text.engine import EngineRefused
    from tessera.text.sentences import open_encoder

    try:
        return open_encoder(name)
    except EngineRefused as error:
        raise StepFailed(str(error)) from error


def read(connection: duckdb.DuckDBPyConnection, as_of: date) -> Written:
    """What people wrote before 00:00 UTC of the day."""
    start = datetime.combine(as_of, datetime.min.time())
    frame = connection.execute(WROTE, {"start": start}).df()
    once = frame.drop_duplicates("text_number")
    return Written(
        once["text_hash"].tolist(),
        once["text"].tolist(),
        frame["text_number"].to_numpy(dtype=np.int64),
        frame["author_number"].to_numpy(dtype=np.int64),
    )


def examples(
    connection: duckdb.DuckDBPyConnection, topic_id: str, count: int = 5
) -> list[tuple[str, float, str]]:
    """Texts that are most about a topic: (text_hash, share, text). Raises NoSuchTopic."""
    known = "select count(*) from enriched.text_topics where topic_id = ?"
    row = connection.execute(known, [topic_id]).fetchone()
    if not row or not row[0]:
        raise NoSuchTopic(
            f"no text of the latest run is about '{topic_id}'. "
            "`tessera topics list` shows the topics and their ids"
        )
    return connection.execute(EXAMPLES, [topic_id, count]).fetchall()


def latest(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int]]:
    """Topics of the latest run: (topic_id, label, distinct texts), the most frequent first."""
    return connection.execute(
        "select topic_id, any_value(label), count(*) as texts from enriched.text_topics "
        "join enriched.topics using (as_of, topic_id) where is_main "
        "group by topic_id order by texts desc, topic_id"
    ).fetchall()


def _words(topics: Topics) -> pd.DataFrame:
    """The words of each topic: number, rank from 1, word, weight."""
    rows = [
        (number, rank, word, weight)
        for number in range(len(topics.weights))
        for rank, (word, weight) in enumerate(topics.top_words(number, KEPT_WORDS), start=1)
    ]
    return pd.DataFrame(rows, columns=["number", "rank", "word", "weight"])


def _shares(topics: Topics, written: Written) -> pd.DataFrame:
    """The topics of each text that make up a good part of it, and the one that is most."""
    from tessera.text.topics import LEAST_SHARE

    found = topics.shares.tocoo()
    frame = pd.DataFrame({"position": found.row, "number": found.col, "share": found.data})
    frame = frame[frame["share"] >= LEAST_SHARE].sort_values(
        ["position", "share", "number"], ascending=[True, False, True]
    )
    hashes = np.array(written.hashes, dtype=object)
    return frame.assign(
        text_hash=hashes[frame["position"].to_numpy()], is_main=~frame["position"].duplicated()
    )


def _name(
    connection: duckdb.DuckDBPyConnection, words: pd.DataFrame, count: int, as_of: date
) -> pd.DataFrame:
    """Topics with the id they had last time, or one that tells the day they were first seen."""
    from models.matching import match_vectors

    previous = connection.execute(
        "select topic_id, first_seen, word, weight from enriched.topic_words "
        "join enriched.topics using (as_of, topic_id) where as_of = "
        "(select max(as_of) from enriched.topics where as_of < ?) order by topic_id, word",
        [as_of],
    ).df()
    known = previous.drop_duplicates("topic_id").reset_index(drop=True)
    every = sorted({*words["word"], *previous["word"]})
    then = _matrix(previous["topic_id"], known["topic_id"].tolist(), previous, every)
    now = _matrix(words["number"], list(range(count)), words, every)
    same = dict(match_vectors(now, then, SAME_WORDS))
    fresh = (f"t{as_of:%Y%m%d}-{number:02d}" for number in range(1, count + 1))
    return pd.DataFrame(
        {
            "number": range(count),
            "topic_id": [
                known["topic_id"][same[n]] if n in same else next(fresh) for n in range(count)
            ],
            "first_seen": [
                known["first_seen"][same[n]].date() if n in same else as_of for n in range(count)
            ],
            "is_new": [n not in same for n in range(count)],
        }
    )


def _matrix(
    group: pd.Series, groups: list[str] | list[int], frame: pd.DataFrame, words: list[str]
) -> np.ndarray:
    """Weights as a matrix groups × words."""
    found = np.zeros((len(groups), len(words)))
    rows = pd.Index(groups).get_indexer(pd.Index(group))
    columns = pd.Index(words).get_indexer(pd.Index(frame["word"]))
    found[rows, columns] = frame["weight"]
    return found


def _write(
    connection: duckdb.DuckDBPyConnection,
    topics: Topics,
    words: pd.DataFrame,
    shares: pd.DataFrame,
    named: pd.DataFrame,
    fit: tuple[str, int],
    as_of: date,
) -> None:
    """Replace what is stored of this day, in one transaction; texts are kept of one day only."""
    named = named.assign(label=[topics.label(n) for n in named["number"]])
    connection.execute("begin")
    for table in ("topics", "topic_words", "topic_fits"):
        connection.execute(f"delete from enriched.{table} where as_of = ?", [as_of])
    connection.execute("delete from enriched.text_topics")
    if len(named):
        told = {"as_of": as_of}
        connection.execute(
            "insert into enriched.topics select $as_of, topic_id, label, first_seen, is_new "
            "from named order by number",
            told,
        )
        connection.execute(
            "insert into enriched.topic_words select $as_of, topic_id, rank, word, weight "
            "from words join named using (number) order by number, rank",
            told,
        )
        connection.execute(
            "insert into enriched.text_topics "
            "select $as_of, text_hash, topic_id, share, is_main "
            "from shares join named using (number) order by text_hash, topic_id",
            told,
        )
    tried = json.dumps({str(k): round(v, 6) for k, v in topics.tried.items()})
    with_topic = int(shares["text_hash"].nunique())
    connection.execute(
        "insert into enriched.topic_fits values (?, ?, ?, ?, ?, ?, ?)",
        [as_of, fit[0], len(named), fit[1], with_topic, len(topics.vocabulary), tried],
    )
    connection.execute("commit")
