"""Questions to the published tables, and their answers in a terminal or for another program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal

import duckdb
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tessera.publish.spreadsheets import BATCH_ROWS, write_csv
from tessera.warehouse import open_published

Format = Literal["table", "csv", "json"]
SHOWN_ROWS = 100
COLUMN_WIDTH = 10


class NothingPublished(RuntimeError):
    """There are no published tables yet."""


class QueryRefused(ValueError):
    """The query cannot be answered; the message says why."""


@contextmanager
def open_tables(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The newest published tables, read-only. Raises NothingPublished."""
    if not file.exists():
        raise NothingPublished(f"nothing is published yet in {file.parent}: run `make run` first")
    with open_published(file) as connection:
        yield connection


def answer(file: Path, query: str, form: Format, console: Console, out: BinaryIO) -> None:
    """Ask the published tables: a table goes to `console`, CSV and JSON lines in UTF-8 to `out`.

    A name without a schema is looked up in `segments`. Raises NothingPublished, and QueryRefused
    for what is not SQL or more than reading.
    """
    with open_tables(file) as connection:
        try:
            connection.execute("use segments")
            rows = connection.sql(query)
            if rows is None:
                raise QueryRefused("the query gives no rows: `tessera sql` reads and nothing else")
            if form == "table":
                _print(rows, console)
            elif form == "csv":
                write_csv(rows, out)
            else:
                _write_json(rows, out)
        except duckdb.Error as error:
            raise QueryRefused(str(error)) from None


def _print(rows: duckdb.DuckDBPyRelation, console: Console) -> None:
    """A line a row; a line a value where the columns would not fit side by side."""
    found = rows.limit(SHOWN_ROWS + 1).fetchall()
    fits = len(rows.columns) * COLUMN_WIDTH <= console.width
    made = _side_by_side if fits else _upright
    console.print(made(rows, found[:SHOWN_ROWS]), highlight=False)
    if len(found) > SHOWN_ROWS:
        console.print(f"The first {SHOWN_ROWS} rows; --format csv or json gives all of them.")


def _side_by_side(rows: duckdb.DuckDBPyRelation, found: Sequence[Sequence[Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for name, kind in zip(rows.columns, rows.types, strict=True):
        justify: Literal["right", "left"] = "right" if _is_number(str(kind)) else "left"
        table.add_column(_shown(name), justify=justify, overflow="fold")
    for row in found:
        table.add_row(*(_shown(value) for value in row))
    return table


def _upright(rows: duckdb.DuckDBPyRelation, found: Sequence[Sequence[Any]]) -> Table:
    table = Table("column", "value", box=SIMPLE_HEAD)
    for row in found:
        for name, value in zip(rows.columns, row, strict=True):
            table.add_row(_shown(name), _shown(value))
        table.add_section()
    return table


def _is_number(kind: str) -> bool:
    return any(n in kind for n in ("INT", "DOUBLE", "FLOAT", "DECIMAL")) and kind[-1] != "]"


def _shown(value: object) -> Text:
    """What steers a terminal is not shown to one."""
    told = "–" if value is None else str(value)
    return Text("".join(c if c.isprintable() else " " for c in told))


def _write_json(rows: duckdb.DuckDBPyRelation, out: BinaryIO) -> None:
    """One object a line."""
    lines = rows.query("answer", "select to_json(answer)::varchar as line from answer")
    assert lines is not None  # a select has rows
    for batch in lines.to_arrow_reader(BATCH_ROWS):
        out.writelines(f"{line}\n".encode() for line in batch.column("line").to_pylist())
