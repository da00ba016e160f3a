from __future__ import annotations

import duckdb
import pytest

from tessera.ingest.expressions import first, in_utc, to_utc


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-09-03 10:15:00 -0400", "2026-09-03T14:15:00Z"),
        ("2020-01-05T10:00:00.000+0000", "2020-01-05T10:00:00Z"),
        ("2020-01-05T10:00:00.250Z", "2020-01-05T10:00:00.25Z"),
        ("2026-03-29T01:30:00+05:30", "2026-03-28T20:00:00Z"),
        ("2026-06-05 20:38 UTC", "2026-06-05T20:38:00Z"),
        ("2026-06-05 20:38", "2026-06-05 20:38"),
        ("2026-06-05", "2026-06-05"),
        ("05.06.2026 20:38", "05.06.2026 20:38"),
        ("2026-13-05 20:38 -0400", "2026-13-05 20:38 -0400"),
        ("soon", "soon"),
        ("", ""),
        (None, None),
    ],
)
def test_a_time_with_an_offset_becomes_utc_and_all_else_stays(
    connection: duckdb.DuckDBPyConnection, written: str | None, read: str | None
) -> None:
    connection.execute("set timezone = 'UTC'")
    query = f"select {to_utc('time')} from (select ?::varchar as time)"
    assert connection.execute(query, [written]).fetchall() == [(read,)]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-06-05 20:38", "2026-06-05T20:38:00Z"),
        ("2026-06-05T20:38:09", "2026-06-05T20:38:09Z"),
        ("2026-06-05", "2026-06-05T00:00:00Z"),
        ("2026-06-05 20:38:00+02:00", "2026-06-05T18:38:00Z"),
        ("soon", "soon"),
        (None, None),
    ],
)
def test_a_column_that_says_utc_is_in_utc(
    connection: duckdb.DuckDBPyConnection, written: str | None, read: str | None
) -> None:
    connection.execute("set timezone = 'UTC'")
    query = f"select {in_utc('time')} from (select ?::varchar as time)"
    assert connection.execute(query, [written]).fetchall() == [(read,)]


def test_the_first_column_with_text(connection: duckdb.DuckDBPyConnection) -> None:
    rows = "(values (null, ' b '), ('', 'b'), (' ', null), ('a', 'b')) as t(x, \"the y\")"
    found = connection.execute(f"select {first('x', 'the y')} from {rows}").fetchall()
    assert found == [("b",), ("b",), (None,), ("a",)]
