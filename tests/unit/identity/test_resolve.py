"""One configuration on data that nobody here wrote, and on bad data."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tessera.identity.fields import GIVEN
from tessera.identity.resolve import Resolution, resolve
from tests.conftest import shared

FEBRL = """
select trim(rec_id) as account, trim(given_name) as first_name, trim(surname) as last_name,
    substr(trim(date_of_birth), 1, 4) || '-' || substr(trim(date_of_birth), 5, 2) || '-'
        || substr(trim(date_of_birth), 7, 2) as birth_date,
    trim(street_number) || ' ' || trim(address_1) as street, trim(suburb) as city,
    trim(postcode) as postal_code, trim(soc_sec_id) as external_id,
    regexp_extract(rec_id, 'rec-([0-9]+)', 1) as person
from read_csv({files}, all_varchar = true, normalize_names = true)
"""
FAKE = """
select unique_id as account, first_name, surname as last_name, dob as birth_date, email, city,
    cluster as person
from read_csv('{files}', all_varchar = true)
"""


def contacts(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Make the table contacts; columns that the query does not have are empty."""
    connection.execute(f"create or replace temp table given_contacts as {query}")
    there = {row[0] for row in connection.execute("describe given_contacts").fetchall()}
    columns = {"created_at": "timestamp", **dict.fromkeys(GIVEN, "varchar")}
    empty = [f"null::{kind} as {name}" for name, kind in columns.items() if name not in there]
    told = ", ".join(["*", *empty])
    connection.execute(
        f"create or replace temp table contacts as select {told} from given_contacts"
    )


def accuracy(connection: duckdb.DuckDBPyConnection) -> tuple[float, float, float]:
    """Pairwise precision, recall and F1 against the column person."""
    pairs = (
        "select coalesce(sum(n * (n - 1) / 2), 0) from (select count(*) as n "
        "from identity_clusters join contacts using (account) group by {})"
    )
    both, found, true = (
        float(connection.execute(pairs.format(by)).fetchall()[0][0])
        for by in ("cluster, person", "cluster", "person")
    )
    return both / found, both / true, 2 * both / (found + true)


def found_in(folder: Path, query: str) -> tuple[float, float, float]:
    with duckdb.connect(config={"threads": 2}) as connection:
        contacts(connection, query)
        resolve(connection, "contacts")
        told = accuracy(connection)
    print(f"{folder.name}: precision {told[0]:.4f}, recall {told[1]:.4f}, F1 {told[2]:.4f}")
    return told


def test_febrl_4() -> None:
    folder = shared("febrl")
    files = [str(folder / f"dataset4{part}.csv") for part in "ab"]
    assert found_in(folder, FEBRL.format(files=files))[2] >= 0.999


@pytest.mark.long
def test_febrl_2() -> None:
    folder = shared("febrl")
    precision, recall, _ = found_in(folder, FEBRL.format(files=[str(folder / "dataset2.csv")]))
    assert precision >= 0.99 and recall >= 0.99


def test_splink_fake_1000() -> None:
    folder = shared("splink-fake-1000")
    precision, recall, _ = found_in(folder, FAKE.format(files=folder / "fake_1000.csv"))
    assert precision >= 0.99 and recall >= 0.65


def resolved(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Resolution, int]:
    """What was found, and how many records are in the largest cluster."""
    contacts(connection, query)
    found = resolve(connection, "contacts")
    largest = connection.execute(
        "select max(n) from (select count(*) as n from identity_clusters group by cluster)"
    ).fetchall()
    return found, largest[0][0]


def test_nobody_at_all(connection: duckdb.DuckDBPyConnection) -> None:
    contacts(connection, "select 'a' as account limit 0")
    assert resolve(connection, "contacts").people == 0


def test_accounts_of_which_nothing_is_known(connection: duckdb.DuckDBPyConnection) -> None:
    assert resolved(connection, "select 'a' || range as account from range(50)")[1] == 1


def test_namesakes_by_first_name_alone_are_not_one(connection: duckdb.DuckDBPyConnection) -> None:
    query = "select 'a' || range as account, 'Name' || (range % 9) as first_name from range(90)"
    assert resolved(connection, query)[1] == 1


def test_a_phone_that_everyone_shares_joins_nobody(connection: duckdb.DuckDBPyConnection) -> None:
    query = """
        select 'a' || range as account, 'First' || chr(97 + (range % 26)::int) as first_name,
            'Last' || md5(range::varchar) as last_name, '+49301234567' as phone from range(300)
    """
    found, largest = resolved(connection, query)
    assert largest == 1 and found.shared_identifiers == 1


def test_one_address_is_one_person_and_a_household_is_not(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    query = """
        select * from (values
            ('1', 'Ada', 'Miller', '1980-01-02', 'a.miller@example.org'),
            ('2', 'Ada', 'Smith', '1980-01-02', 'A.Miller@Example.org '),
            ('3', 'Bernard', 'Miller', '1955-11-30', 'a.miller@example.org')
        ) as t (account, first_name, last_name, birth_date, email)
        union all select 'x' || range, 'F' || md5(range::varchar),
            'L' || md5(range::varchar || 'l'), (date '1950-01-01' + (range * 97)::int)::varchar,
            'm' || range || '@example.org'
        from range(40)
    """
    resolved(connection, query)
    one = connection.execute(
        "select list(account order by account) from identity_clusters "
        "group by cluster having count(*) > 1"
    ).fetchall()
    assert one == [(["1", "2"],)]
    joined = connection.execute("select account_l, account_r from identity_judged where is_joined")
    assert joined.fetchall() == [("1", "2")]
