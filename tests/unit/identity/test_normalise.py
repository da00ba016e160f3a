"""Contact details of many countries, scripts and habits in one spelling; junk is none."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from tessera.identity.normalise import normalise, phone_or_none
from tests.unit.identity.test_resolve import contacts

# (as given, country, E.164): what SQL reads by itself, and what only the library can.
PHONES = [
    ("030 123456", "DE", "+4930123456"),
    ("+49 (0)30 123456", "DE", "+4930123456"),
    ("030/12 34-56", "DE", "+4930123456"),
    ("0044 20 7946 0958", "DE", "+442079460958"),
    ("020 7946 0958", "GB", "+442079460958"),
    ("(212) 555-0123", "US", "+12125550123"),
    ("1-212-555-0123", "US", "+12125550123"),
    ("06 12 34 56 78", "FR", "+33612345678"),
    ("06 1234 5678", "IT", "+390612345678"),  # Italy keeps its nought
    ("612 34 56 78", "ES", "+34612345678"),
    ("8 (912) 345-67-89", "RU", "+79123456789"),
    ("090-1234-5678", "JP", "+819012345678"),
    ("٠٣٠١٢٣٤٥٦", "DE", "+4930123456"),
    ("030 123456 ext. 7", "DE", "+4930123456"),
    ("030 123456 privat", "DE", "+4930123456"),
    ("+49 30 123456 (home)", "DE", "+4930123456"),
    ("1-800-FLOWERS", "US", "+18003569377"),
    ("call me", "DE", None),
    ("none", "US", None),
    ("---", "DE", None),
]
EMAILS = [
    ("Ada@Example.ORG ", "ada@example.org"),
    ("ada+news@example.org", "ada+news@example.org"),  # another address, until its owner says
    ("ada.b_c-d@mail.example.org", "ada.b_c-d@mail.example.org"),
    ("o'neil@example.org", "o'neil@example.org"),
    ("jürgen@exämple.org", "jürgen@exämple.org"),
    ("ada@@example.org", None),
    ("ada@example", None),
    ("ada @example.org", None),
    ("@example.org", None),
    ("n/a", None),
]
# (first name, last name) -> how it is compared.
NAMES = [
    ("José", "Núñez", "jose", "nunez"),
    ("Łukasz", "Żółw", "lukasz", "zolw"),
    ("Jörg", "Weiß", "jorg", "weiss"),
    ("JOSE\u0301", "nun\u0303ez", "jose", "nunez"),  # accents as signs of their own
    ("Анна", "Иванова", "anna", "ivanova"),
    ("Αλέξης", "Παπάς", "alexes", "papas"),
    ("Anne-Marie", "O'Neil", "annemarie", "oneil"),
    ("  ada ", "van der Meer", "ada", "vandermeer"),
    ("12345", "!?", None, None),
    ("", " ", None, None),
]


def normalised(
    connection: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]], names: str, wanted: str
) -> list[tuple[Any, ...]]:
    """The columns `wanted` of the rows, in their order."""
    marks = ", ".join(["?"] * (len(rows[0]) + 1))
    told = [value for i, row in enumerate(rows) for value in (f"{i:03d}", *row)]
    connection.execute(
        f"create or replace temp table told as from "
        f"(values {', '.join([f'({marks})'] * len(rows))}) as t (account, {names})",
        told,
    )
    contacts(connection, "from told")
    normalise(connection, "contacts", "read", region="DE")
    return connection.execute(f"select {wanted} from read order by account").fetchall()


def test_telephone_numbers_of_many_countries(connection: duckdb.DuckDBPyConnection) -> None:
    found = normalised(connection, [p[:2] for p in PHONES], "phone, country", "phone")
    assert [(*p[:2], read) for p, (read,) in zip(PHONES, found, strict=True)] == PHONES


@pytest.mark.parametrize(("given", "country", "expected"), PHONES)
def test_sql_reads_numbers_as_the_library_does(
    given: str, country: str, expected: str | None
) -> None:
    assert phone_or_none(given, country) == expected


def test_a_number_without_a_country_is_of_the_region(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [("030 123456", None), ("030 123456", "XX"), ("030 123456", "de")]
    found = normalised(connection, rows, "phone, country", "phone")
    assert found == [("+4930123456",)] * 3


def test_addresses(connection: duckdb.DuckDBPyConnection) -> None:
    found = normalised(connection, [(given,) for given, _ in EMAILS], "email", "email")
    assert [(e[0], read) for e, (read,) in zip(EMAILS, found, strict=True)] == EMAILS


def test_names_in_any_script(connection: duckdb.DuckDBPyConnection) -> None:
    names = "first_name, last_name"
    found = normalised(connection, [n[:2] for n in NAMES], names, names)
    assert [(*n[:2], *read) for n, read in zip(NAMES, found, strict=True)] == NAMES


def test_dates_that_are_none_and_signs_around_ids(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [
        ("1990-02-30", "sw1a 1aa", "@Ada_L", "c-00 12"),
        ("1990-02-28", "SW1A-1AA", "ada_l", "C0012"),
        ("yesterday", " ", "@", "--"),
    ]
    wanted = "birth_date, postal_code, handle, external_id"
    found = normalised(connection, rows, wanted, wanted)
    assert found[0][1:] == found[1][1:] == ("SW1A1AA", "ada_l", "C0012")
    assert found[0][0] is None and found[1][0] == "1990-02-28"
    assert found[2] == (None, None, None, None)
