"""Between the frames of `models/` and what is told of behaviour in the ml floor.

An analysis reads what its day's features were built from, computes in `models/`, and replaces what
the ml floor says of that day. Adding one: a function like those of ANALYSES, and its name there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import duckdb

from tessera.settings import Settings

# Reads and writes the warehouse; returns what it found, in two or three words.
Analysis = Callable[[duckdb.DuckDBPyConnection, Settings, date], str]

ANALYSES: tuple[Analysis, ...] = ()


def analyse(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> str:
    """Run every analysis in one transaction: a day's tables are all of one run, or as they were."""
    connection.execute("begin")
    try:
        told = [analysis(connection, settings, as_of) for analysis in ANALYSES]
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    return ", ".join(told) or "nothing to analyse"


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
