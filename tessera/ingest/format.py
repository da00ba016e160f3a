"""What a format is: how the records of an export become rows of Tessera's kinds, in SQL.

A vendor's format is one module in `tessera/ingest/formats` with a constant `FORMAT`; the generic
one is made from a source's `kind` and `columns`. Nothing here touches a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Reads = Literal["csv", "json", "lines", "parquet"]


@dataclass(frozen=True)
class Refusal:
    """What matches the SQL `condition` goes to quarantine with the `reason`, its record whole."""

    condition: str
    reason: str


@dataclass(frozen=True)
class Rows:
    """The rows of one kind that a record gives.

    columns  column of the kind → SQL expression over the record's columns, of any type: the core
             casts it to text. Kind columns that are not named stay null.
    each     SQL expression of a LIST: one row an element, which `columns` and `where` call `item`.
             Empty: one row a record.
    where    SQL condition: which records (or items) give a row of this kind. Empty: all.
    refuse   rows that the format itself refuses, one by one; a condition sees what `columns` see.
    """

    columns: Mapping[str, str]
    each: str = ""
    where: str = ""
    refuse: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class Format:
    """One export format.

    reads      `csv` (also tab-separated: see `delimiter`), `json` (a file of JSON lines, a JSON
               array, one JSON object, or Parquet, whose rows are read as JSON), `lines` (text);
               `parquet` only for a mapping, which reads typed columns.
    kinds      what its records give; refused records count under the first.
    columns    csv: the columns that the expressions name. One that a file does not have is null.
    header     csv: False when files have no header; `columns` then names all columns in order.
    structure  json: the members that are read, as DuckDB's json_transform takes them:
               {"id": "VARCHAR", "page": {"path": "VARCHAR"}, "items": [{"sku": "VARCHAR"}],
               "properties": "JSON"}. Top-level members are the record's columns.
    pattern    lines: regular expression (RE2) with named groups, which are the record's columns.
               A line that it does not match is malformed.
    required   columns or top-level members without which a csv or Parquet file is refused whole.
    refuse     records that the format itself refuses.
    prepare    SQL that derives further columns, `{records}` standing for the records: a SELECT
               that keeps every record once, with its columns `_file` and `_record` (the record's
               number, increasing within a file). For what needs a look at the neighbours.
    example    a `[sources.…]` section for the reference; a test executes it.
    """

    name: str
    title: str
    description: str
    reads: Reads
    kinds: Mapping[str, Rows]
    columns: tuple[str, ...] = ()
    header: bool = True
    delimiter: str = ","
    structure: Mapping[str, Any] = field(default_factory=dict)
    pattern: str = ""
    required: tuple[str, ...] = ()
    refuse: tuple[Refusal, ...] = ()
    prepare: str = ""
    example: str = ""
