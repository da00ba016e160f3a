"""SQL that reads export files with DuckDB's own readers: one SELECT for files of one shape.

Each SELECT gives `_file` and the mapped columns of the kind as text, one row per record, in the
order of the files. `originals` gives the same records as they were written, for quarantine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from tessera.ingest import sql
from tessera.ingest.files import RefusedFile, csv_header, format_of

MALFORMED = "malformed_rows"
MALFORMED_FILES = "malformed_files"
# A character that no text file holds: a reader told that it separates columns returns whole lines.
NEVER = "\x01"


@dataclass(frozen=True)
class Shape:
    """What must agree for files to be read by one statement: format and column names.

    `columns` maps each source column that is there (dotted below the top) to its SQL expression.
    """

    format: str
    header: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)


def shape_of(
    connection: duckdb.DuckDBPyConnection, path: Path, declared: str, delimiter: str
) -> Shape:
    """Find out format and columns of one file. Raises RefusedFile when it has none."""
    if path.stat().st_size == 0:
        raise RefusedFile("the file is empty")
    file_format = format_of(path, declared)
    if file_format == "csv":
        header = csv_header(path, delimiter)
        return Shape("csv", header, {column: sql.name(column) for column in header})
    if file_format == "parquet":
        try:
            relation = connection.read_parquet(str(path))
        except duckdb.Error as error:
            raise RefusedFile(f"not a readable Parquet file: {_first_line(error)}") from None
        columns = dict(_leaves(zip(relation.columns, relation.types, strict=True)))
        return Shape("parquet", tuple(columns), columns)
    return Shape(file_format)


def check_required(shape: Shape, mapping: Mapping[str, str], required: Sequence[str]) -> None:
    """Refuse a file whose columns are known and lack a required one."""
    if not shape.columns:
        return  # JSON: every record has its own keys
    missing = [mapping[column] for column in required if mapping[column] not in shape.columns]
    if missing:
        raise RefusedFile(
            f"required columns missing: {', '.join(missing)}; "
            f"the file has: {', '.join(shape.header)}"
        )


def read(shape: Shape, paths: Sequence[Path], mapping: Mapping[str, str], delimiter: str) -> str:
    """SELECT of `_file` and the kind's mapped columns as VARCHAR."""
    if shape.format == "parquet":
        source = f"read_parquet({_list(paths)}, filename='_file')"
        found = shape.columns
    elif shape.format == "csv":
        source = _read_csv(paths, shape.header, delimiter, keep_malformed=True)
        found = shape.columns
    else:
        source = _read_json(shape.format, paths, mapping)
        found = {column: _path(column) for column in mapping.values()}
    values = [
        f"cast({found[column]} as varchar) as {sql.name(name)}"
        if column in found
        else f"null::varchar as {sql.name(name)}"
        for name, column in mapping.items()
    ]
    return f"select _file, {', '.join(values)} from {source}"


def originals(
    shape: Shape, paths: Sequence[Path], mapping: Mapping[str, str], delimiter: str
) -> str:
    """SELECT of `_file` and `raw_row`: the records of `read`, in its order, as written."""
    if shape.format == "csv":
        source = _read_csv(paths, shape.header, delimiter, keep_malformed=False)
        row = "{" + ", ".join(f"{sql.text(c)}: {sql.name(c)}" for c in shape.header) + "}"
        return f"select _file, to_json({row})::varchar as raw_row from {source}"
    if shape.format == "jsonl":
        columns = "columns={'raw_row': 'VARCHAR'}"
        return (
            f"select _file, raw_row from read_csv({_list(paths)}, {columns}, header=false, "
            f"auto_detect=false, delim='{NEVER}', quote='', escape='', null_padding=true, "
            f"ignore_errors=true, filename='_file') where trim(raw_row) <> ''"
        )
    inner = read(shape, paths, mapping, delimiter)
    return f"select _file, to_json(r)::varchar as raw_row from ({inner}) r"


def _read_csv(
    paths: Sequence[Path], header: Sequence[str], delimiter: str, *, keep_malformed: bool
) -> str:
    columns = ", ".join(f"{sql.text(column)}: 'VARCHAR'" for column in header)
    errors = (
        f"store_rejects=true, rejects_table='{MALFORMED}', rejects_scan='{MALFORMED_FILES}'"
        if keep_malformed
        else "ignore_errors=true"
    )
    return (
        f"read_csv({_list(paths)}, header=true, auto_detect=false, delim={sql.text(delimiter)}, "
        f"""quote='"', escape='"', columns={{{columns}}}, filename='_file', {errors})"""
    )


def _read_json(file_format: str, paths: Sequence[Path], mapping: Mapping[str, str]) -> str:
    tree: dict[str, Any] = {}
    for column in mapping.values():
        node = tree
        *parents, leaf = column.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
        node.setdefault(leaf, None)
    columns = ", ".join(f"{sql.text(key)}: {sql.text(_type(child))}" for key, child in tree.items())
    kind = "newline_delimited" if file_format == "jsonl" else "auto"
    errors = ", ignore_errors=true" if file_format == "jsonl" else ""
    options = f"format='{kind}', columns={{{columns}}}, filename='_file'{errors}"
    return f"read_json({_list(paths)}, {options})"


def _type(child: dict[str, Any] | None) -> str:
    if child is None:
        return "VARCHAR"
    return f"STRUCT({', '.join(f'{sql.name(k)} {_type(v)}' for k, v in child.items())})"


def _leaves(columns: Any, prefix: str = "") -> Any:
    """Yield (dotted name, SQL expression) of every column and struct field."""
    for name, type_ in columns:
        dotted = f"{prefix}.{name}" if prefix else name
        if type_.id == "struct":
            yield from _leaves(type_.children, dotted)
        else:
            nested = type_.id in ("list", "map", "array")
            yield dotted, f"to_json({_path(dotted)})" if nested else _path(dotted)


def _path(dotted: str) -> str:
    return ".".join(sql.name(part) for part in dotted.split("."))


def _list(paths: Sequence[Path]) -> str:
    # DuckDB reads *, ? and [ in a path as a glob; a file that really has one is put in brackets.
    return sql.texts("".join(f"[{c}]" if c in "*?[" else c for c in str(path)) for path in paths)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
