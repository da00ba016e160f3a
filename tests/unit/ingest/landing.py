"""Orders in files of an inbox, and what became of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from tessera.ingest.load import Loaded, load_source
from tessera.ingest.source import Source

AT = datetime(2026, 1, 5, 3)
COLUMNS = {
    "order_id": "order",
    "customer_id": "customer",
    "ordered_at": "at",
    "total_amount": "total",
    "currency": "currency",
}
HEADER = "order,customer,at,total,currency\n"


def source(**told: Any) -> Source:
    return Source(**{"kind": "orders", "files": "*", "columns": COLUMNS, **told})


def load(
    connection: duckdb.DuckDBPyConnection, inbox: Path, told: Source | None = None, **options: Any
) -> Loaded:
    return load_source(connection, inbox, "shop", told or source(), AT, **options)


def write(inbox: Path, name: str, *rows: str, header: str = HEADER) -> Path:
    file = inbox / name
    file.write_text(header + "".join(f"{row}\n" for row in rows))
    return file


def order(number: int, total: str = "9.50", currency: str = "EUR") -> str:
    return f"{number},c{number},2025-12-01 10:00:00,{total},{currency}"


def raw(connection: duckdb.DuckDBPyConnection, columns: str = "order_id") -> list[Any]:
    found = connection.execute(f"select {columns} from raw.orders order by all").fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def refused(connection: duckdb.DuckDBPyConnection) -> list[Any]:
    return connection.execute("select line, reason from quarantine.rows order by all").fetchall()


def entries(connection: duckdb.DuckDBPyConnection) -> list[Any]:
    return connection.execute(
        "select file, status, rows_read, rows_loaded, rows_already_there from ops.loads "
        "order by load_id"
    ).fetchall()
