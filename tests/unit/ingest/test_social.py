from __future__ import annotations

import duckdb
import pytest

from tessera.ingest import social


def value(connection: duckdb.DuckDBPyConnection, expression: str) -> object:
    connection.execute("set timezone = 'UTC'")
    row = connection.execute(f"select {expression}").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2016-06-25T19:23:00+0000", "2016-06-25T19:23:00Z"),
        ("2016-06-25T19:23:00+0530", "2016-06-25T13:53:00Z"),
        ("2021-04-01T15:52:31.250Z", "2021-04-01T15:52:31.25Z"),
        ("1449135003", "2015-12-03T09:30:03Z"),
        ("soon", "soon"),
        ("12", "12"),
        ("", ""),
    ],
)
def test_moments(connection: duckdb.DuckDBPyConnection, written: str, moment: str) -> None:
    assert value(connection, social.moment(f"'{written}'")) == moment


@pytest.mark.parametrize(
    ("first", "second", "total"),
    [
        ("'3'", "'4'", "7"),
        ("'3'", "null", "3"),
        ("null::varchar", "null", None),
        ("'3'", "'some'", "3 + some"),
    ],
)
def test_totals(
    connection: duckdb.DuckDBPyConnection, first: str, second: str, total: str | None
) -> None:
    assert value(connection, social.total(first, second)) == total


def test_names_in_a_text(connection: duckdb.DuckDBPyConnection) -> None:
    text = "'@ada, me@example.com (@bob.b) a/@c #tea #Grün x#no &#39; #'"
    assert value(connection, social.handles_in(text)) == '["ada","bob.b"]'
    assert value(connection, social.hashtags_in(text)) == '["tea","Grün"]'
    assert value(connection, social.handles_in("'none'")) is None
