"""A part of the page: a heading, one sentence, a chart, and the numbers as a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from tessera.charts.registry import shown
from tessera.charts.shown import Drawn, NothingToDraw
from tessera.run_report.drawing import picture, told

Draw = Callable[[duckdb.DuckDBPyConnection], Drawn]


@dataclass(frozen=True)
class Part:
    """What a part shows. `tables`: what it reads; `advice`: how to read it, or nothing.

    `draw` gives a chart whose title is the part's sentence, `numbers` a query. Without them, the
    chart and the query that the docs show of the first table are taken.
    """

    anchor: str
    heading: str
    tables: Sequence[str]
    advice: str = ""
    draw: Draw | None = None
    numbers: str | Callable[[duckdb.DuckDBPyConnection], str] = ""


@dataclass(frozen=True)
class Cell:
    """A value of a table as it is read."""

    text: str
    is_number: bool


@dataclass(frozen=True)
class Composed:
    """A part that is ready for the page; `svg` is empty when there is nothing to see."""

    anchor: str
    heading: str
    sentence: str
    advice: str
    svg: str
    columns: list[str]
    rows: list[list[Cell]]


def compose(part: Part, connection: duckdb.DuckDBPyConnection) -> Composed:
    """Ask, draw and word a part; what is not there is said in words."""
    missing = [table for table in part.tables if not _exists(connection, table)]
    if missing:
        return _empty(part, f"This run made no {' and no '.join(missing)}.")
    documented = shown().get(part.tables[0].split(".")[1])
    draw = part.draw or (documented and documented.draw)
    query = part.numbers or (documented and documented.query)
    if not draw or not query:
        raise ValueError(f"{part.tables[0]} has no chart in tessera/charts, nor here")
    try:
        chart = draw(connection)
    except NothingToDraw as nothing:
        return _empty(part, f"Nothing to see yet: {nothing}.")
    sentence = _ended(told(chart))
    columns, rows = numbers(connection, query if isinstance(query, str) else query(connection))
    svg = picture(chart, part.anchor, f"{sentence} The numbers stand below.")
    return Composed(part.anchor, part.heading, sentence, part.advice, svg, columns, rows)


def numbers(
    connection: duckdb.DuckDBPyConnection, query: str
) -> tuple[list[str], list[list[Cell]]]:
    """Names of the columns, in words, and the rows that a query gives."""
    asked = connection.execute(query)
    columns = [name.replace("_", " ") for name, *_ in asked.description or []]
    return columns, [[_cell(value) for value in row] for row in asked.fetchall()]


def _empty(part: Part, sentence: str) -> Composed:
    return Composed(part.anchor, part.heading, sentence, "", "", [], [])


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _exists(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    found = connection.execute(
        "select count(*) from duckdb_tables() where schema_name = ? and table_name = ? "
        "and database_name = current_database()",
        table.split("."),
    )
    return bool(found.fetchall()[0][0])


def _cell(value: Any) -> Cell:
    if isinstance(value, bool):
        return Cell("yes" if value else "no", False)
    if isinstance(value, int):
        return Cell(f"{value:,}", True)
    if isinstance(value, (float, Decimal)):
        return Cell(_number(float(value)), True)
    if isinstance(value, (date, datetime)):
        return Cell(value.isoformat(), False)
    return Cell("–" if value is None else str(value), False)


def _number(value: float) -> str:
    """Short, and never rounded to nothing.

    >>> _number(1234.5), _number(0.25), _number(0.0001), _number(0.0), _number(float("nan"))
    ('1,234', '0.25', '< 0.001', '0', '–')
    """
    if math.isnan(value):
        return "–"
    if 0 < abs(value) < 0.001:
        return "< 0.001" if value > 0 else "> -0.001"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3f}".rstrip("0").rstrip(".")
