"""What `tessera doctor` says: the balance, the reasons, and what to do about each."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from tessera import doctor, warehouse
from tessera.ingest.load import create_raw_tables, load_source
from tessera.ingest.source import Source

ORDERS = Source(
    kind="orders",
    files="*.csv",
    columns={"order_id": "id", "ordered_at": "at", "total_amount": "total"},
)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(warehouse.SCHEMA)
        create_raw_tables(opened)
        yield opened


def shown(connection: duckdb.DuckDBPyConnection) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    for part in doctor.examine(connection):
        console.print(part)
    return console.export_text()


def test_the_balance_the_reasons_and_the_changes(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    at = datetime(2026, 1, 5)
    (tmp_path / "a.csv").write_text('id,at,total\n1,2025-01-01,5\n2,2025-01-01,"5,00"\n')
    load_source(connection, tmp_path, "shop", ORDERS, at)
    (tmp_path / "b.csv").write_text("id,at,total,gift\n3,2025-01-01,5,yes\n")
    (tmp_path / "empty.csv").write_text("")
    load_source(connection, tmp_path, "shop", ORDERS, at)
    text = shown(connection)
    assert re.search(r"shop +2 +0 +1 +3 +2 +1 +0", text)
    assert re.search(
        r"shop +1 +total_amount is not a decimal\s+a\.csv line 3\s+→ set `decimal`", text
    )
    assert re.search(
        r"shop +file +whole file: the file is empty\s+empty\.csv\s+→ the file is cut off", text
    )
    assert re.search(r"shop +gift +new +b\.csv", text)
    assert "From raw to features" not in text


def test_brackets_in_a_reason_are_shown(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("id,at,total,c\n1,2025-01-01,5,XXX\n")
    told = ORDERS.model_copy(update={"columns": {**ORDERS.columns, "currency": "c"}})
    load_source(connection, tmp_path, "shop", told, datetime(2026, 1, 5), currencies={"EUR"})
    assert "no exchange rate for this currency in [rates]" in shown(connection)


def test_what_the_features_leave_out(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        """
        create schema staging; create schema intermediate;
        insert into raw.web_events (event_id) values ('e'), ('e'), ('f'), ('g');
        create table staging.stg_web__events as select distinct event_id from raw.web_events;
        create table intermediate.int_web_events_excluded as
            select 'crawler' as excluded_because, 2 as events;
        """
    )
    assert re.search(r"web_events +4 +1 +3 +2 crawler", shown(connection))


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("no exchange rate for this currency in [rates]", r"\[rates\]"),
        ("opened_at is not a timestamp", "time_format"),
        ("malformed row: Invalid unicode (byte sequence mismatch)", "encoding"),
        ("malformed row: Expected Number of Columns: 6 Found: 7", "delimiter"),
        ("required columns missing: id; the file has: ID_", "map the columns"),
        ("something nobody has seen", "mend the rows"),
    ],
)
def test_every_reason_has_its_advice(reason: str, told: str) -> None:
    assert re.search(told, doctor.advice(reason))
