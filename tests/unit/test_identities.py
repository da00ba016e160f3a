"""From the tables of staging to customers, with an operator's word and without."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import pytest

from tessera import identities, operators
from tessera.warehouse import SCHEMA

DAY, NOW = date(2026, 1, 5), datetime(2026, 1, 6)
ORDERS = "order_id varchar, account_id varchar, email_key varchar, ordered_at timestamp, "
ORDERS += "is_test boolean, total_amount double"
LINES = "order_id varchar, line_id varchar, account_id varchar, ordered_at timestamp"


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    """Two contacts, and nothing else."""
    return two_contacts()


def two_contacts(file: str = ":memory:") -> duckdb.DuckDBPyConnection:
    """A warehouse with two contacts, and nothing else."""
    connection = duckdb.connect(file, config={"threads": 1})
    connection.execute("create schema if not exists staging")
    connection.execute(SCHEMA)
    plain = {
        table: f"account_id varchar, email_key varchar, device_id varchar, {moment} timestamp"
        for table, moment in identities.ACCOUNTS.items()
    }
    tables = plain | {
        "stg_crm__contacts": "account_id varchar, email_key varchar, handle_key varchar, "
        "city varchar, country varchar, created_at timestamp",
        "stg_shop__orders": ORDERS,
        "stg_shop__orders_earlier": ORDERS,
        "stg_shop__order_lines": LINES,
        "stg_shop__order_lines_earlier": LINES,
        "stg_vault__identifiers": "kind varchar, pseudonym varchar, field varchar, value varchar",
    }
    for table, columns in tables.items():
        connection.execute(f"create table staging.{table} ({columns})")
    connection.execute(
        "insert into staging.stg_crm__contacts values "
        "('a', 'ea', null, null, null, timestamp '2025-01-01'), "
        "('b', 'eb', null, null, null, timestamp '2025-02-01')"
    )
    return connection


def customers(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What each account and address is called after a run."""
    identities.resolve(connection, DAY, now=NOW)
    rows = connection.execute("select key, customer_id from enriched.identities").fetchall()
    return dict(rows)


def test_a_merge_taken_back_restores_the_ids(warehouse: duckdb.DuckDBPyConnection) -> None:
    before = customers(warehouse)
    assert before == {"a": "a", "ea": "a", "b": "b", "eb": "b"}
    told = operators.say_word(warehouse, "merge", ("a", "b"), "one woman", NOW)
    assert set(customers(warehouse).values()) == {"a"}
    operators.undo_word(warehouse, int(told.split()[1].rstrip(":")), None, NOW)
    assert customers(warehouse) == before


def test_an_order_counts_as_it_stood_before_the_day(warehouse: duckdb.DuckDBPyConnection) -> None:
    order = "('o', '{}', '{}', timestamp '2025-06-01', false, 9.0)"
    for table, who in (("orders", ("b", "later")), ("orders_earlier", ("a", "earlier"))):
        warehouse.execute(f"insert into staging.stg_shop__{table} values {order.format(*who)}")
    found = customers(warehouse)
    assert found["earlier"] == "a" and "later" not in found
