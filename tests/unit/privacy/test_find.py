from __future__ import annotations

import duckdb
import pytest

from tessera.privacy.find import Found, NobodyFound, find

TABLES = """
create schema staging;
create schema segments;
create schema enriched;
create table enriched.identities as
select date '2025-01-01' as as_of, 'account' as kind, 'p3' as key, 'p1' as customer_id;
create table staging.stg_vault__identifiers as
select * from (values
    ('customer', 'p1', 'customer_id', '4711'), ('customer', 'p1', 'email', 'ada@example.org'),
    ('customer', 'p2', 'customer_id', '4712'), ('customer', 'p2', 'email', 'ada@example.org'),
    ('customer', 'p2', 'handle', 'ada'), ('email', 'e1', 'email', 'ada@example.org'),
    ('customer', 'p2', 'last_name', 'Byron'), ('customer', 'p3', 'customer_id', '4713')
) as vault (kind, pseudonym, field, value);
create table segments.customer_segments as
select 'p1' as customer_id, 'Loyal' as segment_name, 'active' as lifecycle_stage,
    date '2025-01-01' as as_of;
"""


@pytest.fixture
def warehouse(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute(TABLES)
    return connection


def test_by_id_with_her_segment(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert find(warehouse, " 4711 ") == [Found("p1", "p1", "Loyal", "active", "2025-01-01")]


def test_an_account_leads_to_the_customer_whose_it_is(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    assert find(warehouse, "4713") == [Found("p3", "p1", "Loyal", "active", "2025-01-01")]


def test_an_address_may_be_shared(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert [found.pseudonym for found in find(warehouse, "Ada@Example.org")] == ["p1", "p2"]


def test_by_handle_and_without_a_segment(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert find(warehouse, "@ada") == [Found("p2", "p2", None, None, None)]


@pytest.mark.parametrize("identifier", ["nobody@example.org", "Byron", "p1", "", "' or 1 = 1 --"])
def test_nobody(warehouse: duckdb.DuckDBPyConnection, identifier: str) -> None:
    with pytest.raises(NobodyFound, match="nobody in the vault"):
        find(warehouse, identifier)


def test_before_the_first_run(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(NobodyFound, match="make run"):
        find(connection, "4711")
