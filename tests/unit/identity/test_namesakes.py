"""Two people of one name are two, and an address that merely spells the name is no proof."""

from __future__ import annotations

import duckdb
import pytest

from tessera.identity.normalise import normalise
from tessera.identity.resolve import resolve
from tests.unit.identity.test_resolve import contacts

# Enough others that the weights can be learned: each has a second record, with a slip in it.
CROWD = """
    select 'x' || range || copy as account, 'F' || substr(md5(range::varchar), 1, 7) as first_name,
        'L' || substr(md5(range::varchar || 'l'), 1, 7) as last_name,
        (date '1950-01-01' + (range * 97)::int)::varchar as birth_date,
        substr(md5(range || if(range % 3 = 0, copy, '')), 1, 9) || '@mail.example' as email,
        '+4930' || (1000000 + range * 7919 + if(copy = 'b' and range % 5 = 0, 4321, 0)) as phone,
        'Street ' || (range + if(copy = 'b' and range % 4 = 0, 50, 0)) as street
    from range(150), (values ('a'), ('b')) as t (copy)
"""


# Two accounts of each name, in two towns' worth of details.
PAIRS = {
    "all else differs": (
        "'1996-03-01', 'quirin.sample@a.example', '+493099988', 'Oak 1'",
        "'1965-11-24', 'quirin.sample@b.example', '+493011122', 'Elm 4'",
    ),
    "another birth date, and nothing else known": (
        "'1996-03-01', 'wanda.template@a.example', '+493099977', 'Oak 2'",
        "'1965-11-24', 'wanda.template2@b.example', null, null",
    ),
    "another phone and street": (
        "null, 'yorick.pattern@a.example', '+493099966', 'Oak 3'",
        "'1965-11-24', 'y.pattern@b.example', '+493011133', 'Elm 5'",
    ),
    "moved": (
        "'1965-11-24', 'zelda.example@a.example', null, 'Oak 5'",
        "'1965-11-24', 'tiger77@b.example', '+493011144', 'Elm 6'",
    ),
}
NAMES = ("Quirin", "Sample"), ("Wanda", "Template"), ("Yorick", "Pattern"), ("Zelda", "Example")


def test_namesakes_are_two_and_one_who_moved_is_one(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = [
        f"('{what}{i}', '{first}', '{last}', {told})"
        for (what, both), (first, last) in zip(PAIRS.items(), NAMES, strict=True)
        for i, told in enumerate(both)
    ]
    names = "account, first_name, last_name, birth_date, email, phone, street"
    few = f"select * from (values {', '.join(rows)}) as t ({names})"
    contacts(connection, f"{few} union all {CROWD}")
    resolve(connection, "contacts")
    found = connection.execute(
        "select list(account order by account) from identity_clusters "
        "where account not like 'x%' group by cluster having count(*) > 1"
    ).fetchall()
    assert found == [(["moved0", "moved1"],)]


@pytest.mark.parametrize(
    ("address", "spells"),
    [
        ("ada.miller@a.example", True),
        ("amiller@a.example", True),
        ("miller_a@a.example", True),
        ("ada1985@a.example", True),
        ("a.mueller7@a.example", False),
        ("tiger@a.example", False),
        ("ada.miller4711@a.example", False),
        ("4711@a.example", False),
    ],
)
def test_what_merely_spells_the_name(
    connection: duckdb.DuckDBPyConnection, address: str, spells: bool
) -> None:
    contacts(
        connection,
        f"select '1' as account, 'Ada' as first_name, 'Miller' as last_name, '{address}' as email",
    )
    normalise(connection, "contacts", "records")
    told = connection.execute("select spells_email, spells_handle from records").fetchall()
    assert told == [(spells, False)]


def test_umlauts_are_spelled_either_way(connection: duckdb.DuckDBPyConnection) -> None:
    contacts(
        connection,
        "select '1' as account, 'Jörg' as first_name, 'Weiß' as last_name, "
        "'joerg.weiss@a.example' as email, 'jorg_weis' as handle",
    )
    normalise(connection, "contacts", "records")
    told = connection.execute("select spells_email, spells_handle from records").fetchall()
    assert told == [(True, True)]
