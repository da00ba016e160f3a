"""How an analysis replaces what the ml floor says of a day."""

from __future__ import annotations

from datetime import date

import duckdb


def replace(connection: duckdb.DuckDBPyConnection, table: str, as_of: date, rows: str) -> int:
    """Replace the rows of ml.<table> of this day by those of the query `rows`; how many it has now.

    `rows` gives the columns of the table by name, without as_of. Raises duckdb.Error when it does
    not fit.
    """
    connection.execute(f"delete from ml.{table} where as_of = ?", [as_of])
    connection.execute(
        f"insert into ml.{table} by name select date '{as_of}' as as_of, * from ({rows})"
    )
    found = connection.execute(f"select count(*) from ml.{table} where as_of = ?", [as_of])
    return int(found.fetchall()[0][0])
