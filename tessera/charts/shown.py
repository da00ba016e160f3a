"""What the docs show of a table: one chart and one query, both of real output."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import altair as alt
import duckdb
import pyarrow as pa

Drawn = alt.Chart | alt.LayerChart | alt.FacetChart | alt.HConcatChart | alt.VConcatChart


@dataclass(frozen=True)
class Shown:
    """The page of a table: `draw` makes its chart, `query` is an example to copy.

    `draw` gets a connection that sees the schemas `segments` and `features`, aggregates in SQL and
    gives a chart whose title says what one sees, or raises NothingToDraw. No wall clock, no chance.
    """

    draw: Callable[[duckdb.DuckDBPyConnection], Drawn]
    query: str


class NothingToDraw(LookupError):
    """The table has no rows that the chart could show; the message says what is missing."""


def ask(connection: duckdb.DuckDBPyConnection, query: str, missing: str) -> pa.Table:
    """Rows for a chart, decimals as numbers. Raises NothingToDraw with `missing` without rows."""
    rows = connection.sql(query).to_arrow_table()
    if not rows.num_rows:
        raise NothingToDraw(missing)
    return rows.cast(pa.schema([_plain(field) for field in rows.schema]))


def _plain(field: pa.Field) -> pa.Field:
    """Decimals, which charts do not know, as doubles; sums of integers as integers."""
    if not pa.types.is_decimal(field.type):
        return field
    return field.with_type(pa.float64() if field.type.scale else pa.int64())


def first(rows: pa.Table) -> dict[str, Any]:
    """The first row, for figures in a title."""
    found: dict[str, Any] = rows.slice(0, 1).to_pylist()[0]
    return found


def titled(sentence: str, subtitle: str = "") -> alt.Title:
    """A title that is folded before it leaves the picture."""
    below = textwrap.wrap(subtitle, 66) if subtitle else alt.Undefined
    return alt.Title(textwrap.wrap(sentence, 46), subtitle=below)
