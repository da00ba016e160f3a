"""CSV that a spreadsheet opens as what it says: no cell of it is taken for a formula."""

from __future__ import annotations

from typing import BinaryIO

import duckdb
import pyarrow.csv

from tessera.sql import name as quoted

BATCH_ROWS = 50_000
# OWASP, "CSV Injection": what a cell of a formula begins with.
_FORMULA = "^[=+@\\t\\r\\n-]"
# Types whose text is never a formula; a negative number is a number.
_HARMLESS = (
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "DECIMAL",
)  # fmt: skip


def write_csv(rows: duckdb.DuckDBPyRelation, out: BinaryIO) -> None:
    """Write rows with their header; a text that begins like a formula gets a ' before it."""
    selected = ", ".join(
        f"{_neutral(name, str(kind))} as {quoted(neutral_text(name))}"
        for name, kind in zip(rows.columns, rows.types, strict=True)
    )
    written = rows.project(selected)
    header = True
    for batch in written.to_arrow_reader(BATCH_ROWS):
        pyarrow.csv.write_csv(batch, out, pyarrow.csv.WriteOptions(include_header=header))
        header = False
    if header:
        empty = written.limit(0).to_arrow_table()
        pyarrow.csv.write_csv(empty, out)


def neutral_text(text: str) -> str:
    """One text as it stands in a cell.

    >>> neutral_text("=1+1"), neutral_text("-5.2"), neutral_text("a=b")
    ("'=1+1", '-5.2', 'a=b')
    """
    if not text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) or _is_number(text):
        return text
    return f"'{text}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text[0] in "+-"


def _neutral(name: str, kind: str) -> str:
    column = quoted(name)
    if kind.startswith(_HARMLESS) and not kind.endswith("]"):
        return column
    text = f"{column}::varchar"
    return (
        f"case when regexp_matches({text}, '{_FORMULA}') and try_cast({text} as double) is null "
        f"then '''' || {text} else {text} end"
    )
