"""Champions by day, and operators' words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import duckdb
import pytest

from tessera import champions
from tessera.champions import Champion, WordRefused
from tessera.warehouse import SCHEMA

NOW = datetime(2026, 3, 1)
FIRST = date(2026, 1, 5)


def day(week: int) -> date:
    return FIRST + timedelta(weeks=week)


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        for name in ("one", "two", "three"):
            connection.execute(
                "insert into ml.models (model_id, as_of) values (?, ?)", [name, FIRST]
            )
        yield connection


def test_a_run_starts_from_the_newest_day_before_its_own(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    assert champions.before(warehouse, day(0)) is None
    for week, name in enumerate(("one", "one", "two")):
        champions.write(warehouse, Champion(day(week), name, {0: "s1", 1: "s2"}, 2))
    found = champions.before(warehouse, day(2))
    assert found == Champion(day(1), "one", {0: "s1", 1: "s2"}, 2)
    assert champions.before(warehouse, day(9)) == champions.latest(warehouse)
    champions.write(warehouse, Champion(day(1), "three", {0: "s3"}, 3))
    assert champions.before(warehouse, day(2)) == Champion(day(1), "three", {0: "s3"}, 3)


def test_a_word_holds_from_the_next_run_on(warehouse: duckdb.DuckDBPyConnection) -> None:
    champions.write(warehouse, Champion(day(0), "one", {0: "s1"}, 1))
    champions.write(warehouse, Champion(day(1), "two", {0: "s1"}, 1))
    word = champions.promote(warehouse, "three", "it sells", NOW)
    assert (word.action, word.model_id, word.from_as_of) == ("promote", "three", day(1))
    of = lambda week: champions.before(warehouse, day(week))  # noqa: E731
    assert champions.newest_word(warehouse, day(0), of(0)) is None, "the past is as it was"
    assert champions.newest_word(warehouse, day(1), of(1)) == word, "the same day again obeys"
    assert champions.newest_word(warehouse, day(2), of(2)) == word
    champions.write(warehouse, Champion(day(2), "three", {0: "s1"}, 1, word.word))
    assert champions.newest_word(warehouse, day(3), of(3)) is None, "obeyed once"


def test_rollback_goes_to_the_champion_before(warehouse: duckdb.DuckDBPyConnection) -> None:
    for week, name in enumerate(("one", "two", "two")):
        champions.write(warehouse, Champion(day(week), name, {0: "s1"}, 1))
    word = champions.rollback(warehouse, None, NOW)
    assert (word.action, word.model_id, word.from_as_of) == ("rollback", "one", day(2))


def test_words_that_are_refused(warehouse: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(WordRefused, match="no ML model 'four'"):
        champions.promote(warehouse, "four", None, NOW)
    with pytest.raises(WordRefused, match="run `make run` first"):
        champions.promote(warehouse, "one", None, NOW)
    with pytest.raises(WordRefused, match="nothing to go back to"):
        champions.rollback(warehouse, None, NOW)
    champions.write(warehouse, Champion(day(0), "one", {0: "s1"}, 1))
    with pytest.raises(WordRefused, match="assigns already"):
        champions.promote(warehouse, "one", None, NOW)
    champions.promote(warehouse, "two", None, NOW)
    with pytest.raises(WordRefused, match="will assign from the next run on already"):
        champions.promote(warehouse, "two", None, NOW)
    champions.promote(warehouse, "one", "second thoughts", NOW)
