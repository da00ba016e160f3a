"""A run that remembers finds what a run over everything finds."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import duckdb
import pytest

from tessera.identity import memory
from tessera.identity.memory import Memory
from tessera.identity.resolve import Resolution, resolve
from tessera.warehouse import SCHEMA
from tests.unit.identity.test_namesakes import CROWD
from tests.unit.identity.test_resolve import contacts

DAY = date(2026, 1, 5)
SALT = "not to be guessed"


@pytest.fixture
def remembering(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute(SCHEMA)
    return connection


def run(
    connection: duckdb.DuckDBPyConnection, query: str, day: date, salt: str = SALT
) -> tuple[Resolution, list[Any]]:
    """What a run of that day finds; it is remembered."""
    contacts(connection, query)
    found = resolve(connection, "contacts", remembered=Memory(day, salt))
    connection.execute("delete from ops.identity_runs where as_of = ?", [day])
    connection.execute(
        "insert into ops.identity_runs values (?, now(), to_json({'parameters': ?::json}))",
        [day, found.parameters and memory.as_json(found.parameters)],
    )
    if found.parameters:
        memory.keep(connection, found.parameters)
    told = [
        connection.execute(f"from {table} order by all").fetchall()
        for table in ("identity_clusters", "identity_judged", "identity_common")
    ]
    return found, told


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """All but what was learned."""
    connection.execute("delete from ops.identity_memory")


WEEKS = {
    "new records": f"select * from ({CROWD}) where not account like '%7b'",
    "others changed": f"select * replace (if(account like '%3a', 'Elsewhere 1', street) as street) "
    f"from ({CROWD})",
    "some gone": f"select * from ({CROWD}) where not account like 'x1_a'",
    "a phone that many come to share": f"select * replace (if(account like 'x1_%', "
    f"'+493055555', phone) as phone) from ({CROWD})",
    "as it was": CROWD,
}


def test_step_by_step_is_as_all_at_once(remembering: duckdb.DuckDBPyConnection) -> None:
    first, _ = run(remembering, CROWD, DAY)
    for i, (what, query) in enumerate(WEEKS.items(), start=1):
        day = DAY + timedelta(weeks=i)
        some, told = run(remembering, query, day)
        forget(remembering)
        everything, expected = run(remembering, query, day)
        assert some.parameters == everything.parameters == first.parameters, what
        assert told == expected, what
        assert some.pairs < everything.pairs, what


def test_later_runs_teach_earlier_ones_nothing(remembering: duckdb.DuckDBPyConnection) -> None:
    first, told = run(remembering, CROWD, DAY)
    run(remembering, WEEKS["others changed"], DAY + timedelta(weeks=1))
    again, same = run(remembering, CROWD, DAY)
    assert (again.parameters, same) == (first.parameters, told)


@pytest.mark.parametrize(
    ("query", "salt"),
    [(f"select * from ({CROWD}) where account > 'x3'", SALT), (CROWD, "another")],
    ids=["many fewer records", "another key"],
)
def test_what_holds_no_more_is_learned_anew(
    remembering: duckdb.DuckDBPyConnection, query: str, salt: str
) -> None:
    first, _ = run(remembering, CROWD, DAY)
    found, _ = run(remembering, query, DAY + timedelta(weeks=1), salt)
    assert first.parameters and found.parameters
    assert found.parameters.learned != first.parameters.learned


def test_nothing_in_clear_is_kept(remembering: duckdb.DuckDBPyConnection) -> None:
    run(remembering, CROWD, DAY)
    tables = ("memory", "known", "common", "weights", "terms", "runs")
    kept = " ".join(
        str(row)
        for table in tables
        for row in remembering.execute(f"from ops.identity_{table}").fetchall()
    )
    assert not [told for told in ("mail.example", "+4930", "street 1") if told in kept.lower()]
