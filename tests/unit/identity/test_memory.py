"""A run that remembers finds what a run over everything finds."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import duckdb
import pytest

from tessera.identity import memory
from tessera.identity.fields import KEYS
from tessera.identity.memory import Memory
from tessera.identity.resolve import AccountPair, Resolution, Rules, resolve
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
    connection: duckdb.DuckDBPyConnection,
    query: str,
    day: date,
    salt: str = SALT,
    rules: Rules | None = None,
    together: tuple[AccountPair, ...] = (),
) -> tuple[Resolution, list[Any]]:
    """What a run of that day finds; it is remembered."""
    contacts(connection, query)
    found = resolve(
        connection, "contacts", rules=rules, together=together, remembered=Memory(day, salt)
    )
    connection.execute("delete from ops.identity_runs where as_of = ?", [day])
    connection.execute(
        "insert into ops.identity_runs values (?, now(), to_json({'parameters': ?::json}))",
        [day, found.parameters and memory.as_json(found.parameters)],
    )
    if found.parameters:
        memory.keep(connection, found.parameters, found.recalled_results)
    told = [
        connection.execute(f"from {table} order by all").fetchall()
        for table in ("identity_clusters", "identity_judged", "identity_common")
    ]
    return found, told


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """All but what was learned."""
    connection.execute("delete from ops.identity_memory")


# Two of one household, and a record that says not which of them it is of; and third records.
HOUSEHOLDS = f"""
    from ({CROWD}) union all by name
    select 'y' || range || who as account, first_name, 'H' || substr(md5(range::varchar), 1, 7)
        as last_name, birth_date, 'h' || range || '@mail.example' as email
    from range(8), (values ('p', 'Anna', '1950-02-03'), ('q', 'Berta', '1987-11-24'),
        ('z', null, null)) as t (who, first_name, birth_date)
    union all by name
    select * replace (account || 'c' as account) from ({CROWD}) where account like 'x2_a'
"""
WEEKS = {
    "new records": f"select * from ({CROWD}) where not account like '%7b'",
    "others changed": f"select * replace (if(account like '%3a', 'Elsewhere 1', street) as street) "
    f"from ({CROWD})",
    "some gone": f"select * from ({CROWD}) where not account like 'x1_a'",
    "a phone that many come to share": f"select * replace (if(account like 'x1_%', "
    f"'+493055555', phone) as phone) from ({CROWD})",
    "households, and people of three records": HOUSEHOLDS,
    "a fourth record of some": f"from ({HOUSEHOLDS}) union all by name "
    f"select * replace (account || 'd' as account) from ({HOUSEHOLDS}) "
    "where account in ('x21c', 'x22a', 'y1z')",
    "an address that many come to share": f"select * replace (if(account like 'x1_%' or "
    f"account like 'y1%', 'office@mail.example', email) as email) from ({HOUSEHOLDS})",
    "some of each": f"select * replace (if(hash(account) % 7 = 1, null, birth_date) as birth_date) "
    f"from ({HOUSEHOLDS}) where hash(account) % 7 > 0",
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


def test_a_word_taken_back_leaves_nothing(remembering: duckdb.DuckDBPyConnection) -> None:
    """Whom an operator joined was not looked at for what keeps two people apart."""
    run(remembering, HOUSEHOLDS, DAY)
    week = timedelta(weeks=1)
    _, joined = run(remembering, HOUSEHOLDS, DAY + week, together=(("y0p", "y0q"),))
    assert sum(cluster == "y0p" for _, cluster in joined[0]) == 3
    _, told = run(remembering, HOUSEHOLDS, DAY + 2 * week)
    forget(remembering)
    _, expected = run(remembering, HOUSEHOLDS, DAY + 2 * week)
    assert told == expected


def test_later_runs_teach_earlier_ones_nothing(remembering: duckdb.DuckDBPyConnection) -> None:
    first, told = run(remembering, CROWD, DAY)
    run(remembering, WEEKS["others changed"], DAY + timedelta(weeks=1))
    again, same = run(remembering, CROWD, DAY)
    assert (again.parameters, same) == (first.parameters, told)


@pytest.mark.parametrize(
    ("query", "salt", "rules"),
    [
        (f"select * from ({CROWD}) where account > 'x3'", SALT, None),
        (CROWD, "another", None),
        (CROWD, SALT, Rules(max_accounts_per_identifier=5)),
    ],
    ids=["many fewer records", "another key", "another limit"],
)
def test_what_holds_no_more_is_learned_anew(
    remembering: duckdb.DuckDBPyConnection, query: str, salt: str, rules: Rules | None
) -> None:
    first, _ = run(remembering, CROWD, DAY)
    found, _ = run(remembering, query, DAY + timedelta(weeks=1), salt, rules)
    assert first.parameters and found.parameters
    assert found.parameters.learned != first.parameters.learned


def test_nothing_in_clear_is_kept(remembering: duckdb.DuckDBPyConnection) -> None:
    run(remembering, CROWD, DAY)
    tables = ("memory", "keys", "common", "weights", "clusters", "terms", "runs")
    kept = " ".join(
        str(row)
        for table in tables
        for row in remembering.execute(f"from ops.identity_{table}").fetchall()
    )
    assert not [told for told in ("mail.example", "+4930", "street 1") if told in kept.lower()]


def test_every_key_has_its_column(remembering: duckdb.DuckDBPyConnection) -> None:
    columns = remembering.table("ops.identity_keys").columns
    assert columns == ["account", "digest", *(f"key_{key}" for key in KEYS)]
