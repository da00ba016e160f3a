"""The format that a source describes itself, by `kind` and `columns`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tessera import sql
from tessera.ingest.format import Format, Reads, Rows
from tessera.ingest.source import Source


def generic(source: Source, physical: str, leaves: Mapping[str, str]) -> Format:
    """A format with one kind, one row a record.

    `leaves` maps the columns of a Parquet file (dotted below the top) to SQL expressions.
    """
    reads: Reads = "csv" if physical == "csv" else "json"
    if physical == "parquet":
        reads = "parquet"
        columns = {name: leaves.get(column, "null") for name, column in source.columns.items()}
    elif physical == "csv":
        columns = {name: sql.name(column) for name, column in source.columns.items()}
    else:
        columns = {name: path(column) for name, column in source.columns.items()}
    columns |= {name: sql.text(value) for name, value in source.values.items()}
    if source.refund_order_prefix:
        prefix = sql.text(source.refund_order_prefix)
        columns["is_refund"] = f"starts_with({columns['order_id']}, {prefix})"
    return Format(
        name=physical,
        title=f"{source.kind} by mapping",
        description="",
        reads=reads,
        kinds={source.kind: Rows(columns)},
        columns=tuple(dict.fromkeys(source.columns.values())) if reads != "json" else (),
        structure=_structure(source.columns) if reads == "json" else {},
    )


def path(dotted: str) -> str:
    """A dotted name as SQL.

    >>> path("context.page.path")
    '"context"."page"."path"'
    """
    return ".".join(sql.name(part) for part in dotted.split("."))


def _structure(mapping: Mapping[str, str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for column in mapping.values():
        node = tree
        *parents, leaf = column.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
        node.setdefault(leaf, "VARCHAR")
    return tree
