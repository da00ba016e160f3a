"""Which ML model assigns customers: one champion per as-of date, and what operators say of it.

A run for a day starts from the champion of the newest earlier day and replaces what is stored of
its own. An operator's word is never changed or removed; it is about the newest champion there was
when it was said, and holds from the next run for that day or a later one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from tessera import registry


class WordRefused(ValueError):
    """The operator's word cannot be taken; the message says why and what to do."""


@dataclass(frozen=True)
class Champion:
    """The ML model that assigned on a day, and what its clusters are called.

    ids: cluster → segment_id. newest_number: that of the youngest segment there ever was, so that
    no id is used again. word: the newest operator's word that was obeyed, 0 for none.
    """

    as_of: date
    model_id: str
    ids: Mapping[int, str]
    newest_number: int
    word: int = 0


@dataclass(frozen=True)
class Word:
    """What an operator said: this ML model assigns, from runs for `from_as_of` on."""

    word: int
    action: str
    model_id: str
    from_as_of: date


def before(connection: duckdb.DuckDBPyConnection, as_of: date) -> Champion | None:
    """The champion of the newest day before; None when there is none."""
    return _champion(connection, "as_of < ?", as_of)


def latest(connection: duckdb.DuckDBPyConnection) -> Champion | None:
    """The champion of the newest day there is."""
    return _champion(connection, "as_of <= ?", date.max)


def _champion(connection: duckdb.DuckDBPyConnection, condition: str, day: date) -> Champion | None:
    row = connection.execute(
        "select as_of, model_id, newest_number, word from ml.champions "
        f"where {condition} order by as_of desc limit 1",
        [day],
    ).fetchone()
    if row is None:
        return None
    as_of, model_id, newest, word = row
    ids = connection.execute(
        "select cluster, segment_id from ml.champion_segments where as_of = ? order by cluster",
        [as_of],
    ).fetchall()
    return Champion(as_of, model_id, dict(ids), newest, word)


def write(connection: duckdb.DuckDBPyConnection, champion: Champion) -> None:
    """Replace what is stored of its day."""
    for table in ("champions", "champion_segments"):
        connection.execute(f"delete from ml.{table} where as_of = ?", [champion.as_of])
    connection.execute(
        "insert into ml.champions values (?, ?, ?, ?)",
        [champion.as_of, champion.model_id, champion.newest_number, champion.word],
    )
    connection.executemany(
        "insert into ml.champion_segments values (?, ?, ?)",
        [(champion.as_of, cluster, name) for cluster, name in sorted(champion.ids.items())],
    )


def promote(
    connection: duckdb.DuckDBPyConnection, model_id: str, reason: str | None, now: datetime
) -> Word:
    """Keep an operator's word that this ML model assigns from the next run on.

    Raises WordRefused for an ML model that is not known or assigns already.
    """
    if not registry.exists(connection, model_id):
        raise WordRefused(
            f"the registry knows no ML model '{model_id}'. `tessera models list` shows them"
        )
    return _say(connection, "promote", model_id, reason, now)


def rollback(connection: duckdb.DuckDBPyConnection, reason: str | None, now: datetime) -> Word:
    """Keep an operator's word that the champion before this one assigns again.

    Raises WordRefused when there never was another.
    """
    current = latest(connection)
    row = connection.execute(
        "select model_id from ml.champions where model_id <> ? order by as_of desc limit 1",
        [current.model_id if current else ""],
    ).fetchone()
    if current is None or row is None:
        raise WordRefused(
            "there was no champion before this one: nothing to go back to. "
            "`tessera models list` shows the ML models that could take over"
        )
    return _say(connection, "rollback", row[0], reason, now)


def _say(
    connection: duckdb.DuckDBPyConnection,
    action: str,
    model_id: str,
    reason: str | None,
    now: datetime,
) -> Word:
    current = latest(connection)
    if current is None:
        raise WordRefused("no ML model assigns yet: run `make run` first")
    waiting = newest_word(connection, current.as_of, current)
    assigning = waiting.model_id if waiting else current.model_id
    if assigning == model_id:
        told = "will assign from the next run on" if waiting else "assigns"
        raise WordRefused(f"ML model {model_id} {told} already")
    row = connection.execute("select coalesce(max(word), 0) + 1 from ops.model_words").fetchone()
    assert row is not None
    connection.execute(
        "insert into ops.model_words values (?, ?, ?, ?, ?, 'operator', ?)",
        [row[0], action, model_id, current.as_of, now, reason],
    )
    return Word(row[0], action, model_id, current.as_of)


def newest_word(
    connection: duckdb.DuckDBPyConnection, as_of: date, champion: Champion | None
) -> Word | None:
    """The newest word that a run for this day has still to obey, coming from this champion."""
    row = connection.execute(
        "select word, action, model_id, from_as_of from ops.model_words "
        "where word > ? and from_as_of <= ? order by word desc limit 1",
        [champion.word if champion else 0, as_of],
    ).fetchone()
    return Word(*row) if row else None
