"""SQL that reads the records of export files with DuckDB's own readers: files of one shape at once.

Each SELECT gives `_file`, for JSON and text lines `_raw` (the record as it was written), and the
record's columns; one row a record, in the order of the files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from tessera import sql
from tessera.ingest.files import RefusedFile, csv_header, json_layout, physical_of
from tessera.ingest.format import Format
from tessera.ingest.formats.registry import FORMATS
from tessera.ingest.generic import generic, path
from tessera.ingest.source import Source

MALFORMED = "malformed_rows"
MALFORMED_FILES = "malformed_files"
# A character that no text file holds: a reader told that it separates columns returns whole lines.
NEVER = "\x01"
MAX_LINE_BYTES = 32 * 1024**2
MAX_OBJECT_BYTES = 256 * 1024**2


@dataclass(frozen=True)
class Shape:
    """What must agree for files to be read by one statement: layout and top-level columns.

    `layout` is csv, lines, jsonl, array, unstructured or parquet. `leaves` maps the columns of a
    Parquet file, dotted below the top, to SQL expressions.
    """

    layout: str
    header: tuple[str, ...] = ()
    leaves: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)

    @property
    def is_text(self) -> bool:
        """Whether lines are read one by one, so that a malformed one stands alone."""
        return self.layout in ("csv", "lines", "jsonl")


def shape_of(connection: duckdb.DuckDBPyConnection, file: Path, source: Source) -> Shape:
    """Find out layout and columns of one file. Raises RefusedFile when it has none."""
    if file.stat().st_size == 0:
        raise RefusedFile("the file is empty")
    vendor = FORMATS.get(source.format)
    if vendor and vendor.reads == "lines":
        return Shape("lines")
    if vendor and vendor.reads == "csv":
        header = csv_header(file, delimiter_of(source)) if vendor.header else vendor.columns
        return Shape("csv", header)
    physical = _json_or_parquet(file) if vendor else physical_of(file, source.format)
    if physical == "csv":
        return Shape("csv", csv_header(file, delimiter_of(source)))
    if physical == "parquet":
        return _parquet_shape(connection, file)
    return Shape("jsonl" if physical == "jsonl" else json_layout(file))


def _json_or_parquet(file: Path) -> str:
    return "parquet" if file.suffix.lower() == ".parquet" else "json"


def _parquet_shape(connection: duckdb.DuckDBPyConnection, file: Path) -> Shape:
    try:
        relation = connection.read_parquet(sql.no_glob(str(file)))
        columns, types = relation.columns, relation.types
    except duckdb.Error as error:
        raise RefusedFile(f"not a readable Parquet file: {_first_line(error)}") from None
    return Shape("parquet", tuple(columns), dict(_leaves(zip(columns, types, strict=True))))


def delimiter_of(source: Source) -> str:
    """What separates the columns: the settings' word, else the format's."""
    vendor = FORMATS.get(source.format)
    return source.delimiter or (vendor.delimiter if vendor else ",")


def format_for(source: Source, shape: Shape) -> Format:
    """The vendor's format, or the one that the source's mapping makes of the file."""
    vendor = FORMATS.get(source.format)
    return vendor or generic(source, shape.layout, shape.leaves)


def check_required(shape: Shape, source: Source, required: Sequence[str]) -> None:
    """Refuse a file whose columns are known and lack a required one."""
    if not shape.header:
        return  # JSON and lines: every record has its own
    known = {column.casefold() for column in (*shape.header, *shape.leaves)}
    vendor = FORMATS.get(source.format)
    wanted = (
        vendor.required
        if vendor
        else [source.columns[column] for column in required if column in source.columns]
    )
    missing = [column for column in wanted if column.casefold() not in known]
    if missing:
        raise RefusedFile(
            f"required columns missing: {', '.join(missing)}; "
            f"the file has: {', '.join(shape.header)}"
        )


def records(shape: Shape, files: Sequence[Path], format_: Format, delimiter: str) -> str:
    """SELECT of the records of files of one shape."""
    if shape.layout == "csv":
        return _csv(shape, files, format_, delimiter)
    if shape.layout == "parquet" and format_.reads == "parquet":
        columns = ", ".join(sql.name(column) for column in shape.header)
        return f"select _file, {columns} from {_parquet(files)}"
    if shape.layout == "lines":
        return _matched(_lines(files), format_)
    return _transformed(_json(shape, files), format_)


def _csv(shape: Shape, files: Sequence[Path], format_: Format, delimiter: str) -> str:
    present = {column.casefold() for column in shape.header}
    absent = "".join(
        f", null::varchar as {sql.name(column)}"
        for column in format_.columns
        if column.casefold() not in present
    )
    columns = ", ".join(f"{sql.text(column)}: 'VARCHAR'" for column in shape.header)
    quote = """'"'""" if format_.header else "''"
    told = (
        f"header={str(format_.header).lower()}, delim={sql.text(delimiter)}, quote={quote}, "
        f"escape={quote}, columns={{{columns}}}"
    )
    named = ", ".join(sql.name(column) for column in shape.header)
    return f"select _file, {named}{absent} from {_read_csv(files, told)}"


def _lines(files: Sequence[Path]) -> str:
    told = f"header=false, delim='{NEVER}', quote='', escape='', columns={{'_raw': 'VARCHAR'}}"
    return f"select _file, _raw from {_read_csv(files, told)}"


def _read_csv(files: Sequence[Path], told: str) -> str:
    """One scan a file.

    Of many files in one scan DuckDB 2.0 drops, in silence, a record whose quote is never closed,
    with all that follows in its file, unless the file is among the last.
    """
    scans = (
        f"select * from read_csv({_list([file])}, auto_detect=false, {told}, filename='_file', "
        f"max_line_size={MAX_LINE_BYTES}, buffer_size={2 * MAX_LINE_BYTES}, "
        f"store_rejects=true, rejects_table='{MALFORMED}', rejects_scan='{MALFORMED_FILES}')"
        for file in files
    )
    return f"({' union all '.join(scans)})"


def _json(shape: Shape, files: Sequence[Path]) -> str:
    if shape.layout == "jsonl":
        return _lines(files)
    if shape.layout == "parquet":
        row = "{" + ", ".join(f"{sql.text(c)}: {sql.name(c)}" for c in shape.header) + "}"
        return f"select _file, to_json({row})::varchar as _raw from {_parquet(files)}"
    return (
        f"select _file, json::varchar as _raw from read_json_objects({_list(files)}, "
        f"format='{shape.layout}', filename='_file', maximum_object_size={MAX_OBJECT_BYTES})"
    )


def _transformed(raw: str, format_: Format) -> str:
    """Parse each record once, into the members that are read; what is no JSON has none."""
    structure = sql.text(json.dumps(dict(format_.structure)))
    columns = ", ".join(f"_r.{sql.name(c)} as {sql.name(c)}" for c in format_.structure)
    return (
        f"select _file, _raw, {columns} from (select *, "
        f"case when json_valid(_raw) then json_transform(_raw, {structure}) end as _r from ({raw}))"
    )


def _matched(raw: str, format_: Format) -> str:
    names = group_names(format_.pattern)
    columns = ", ".join(f"_r.{sql.name(name)} as {sql.name(name)}" for name in names)
    return (
        f"select _file, _raw, _is_matched, {columns} from (select *, "
        f"regexp_matches(_raw, {sql.text(format_.pattern)}) as _is_matched, "
        f"regexp_extract(_raw, {sql.text(_unnamed(format_.pattern))}, {sql.texts(names)}) as _r "
        f"from ({raw}))"
    )


def group_names(pattern: str) -> list[str]:
    """The named groups of a regular expression, in order.

    >>> group_names(r"(?P<ip>\\S+) (?P<user>\\S+)")
    ['ip', 'user']
    """
    return re.findall(r"\(\?P<(\w+)>", pattern)


def _unnamed(pattern: str) -> str:
    return re.sub(r"\(\?P<\w+>", "(", pattern)


def _parquet(files: Sequence[Path]) -> str:
    return f"read_parquet({_list(files)}, filename='_file')"


def unread(shape: Shape, format_: Format, ignore: Iterable[str]) -> str:
    """SQL of the JSON object of what the format does not read of a record.

    Members below the top of a JSON object count too. RFC 7386 (JSON Merge Patch): a null in the
    patch removes the member.
    """
    if format_.reads == "lines":
        return "null::varchar"
    if format_.reads == "json":
        patch = json.dumps({**_nulls(format_.structure), **dict.fromkeys(ignore)})
        return f"json_merge_patch(_raw, {sql.text(patch)})::varchar"
    used = {column.split(".")[0].casefold() for column in format_.columns}
    used |= {column.casefold() for column in (*format_.columns, *ignore)}
    rest = [column for column in shape.header if column.casefold() not in used]
    if not rest:
        return "null::varchar"
    row = "{" + ", ".join(f"{sql.text(column)}: {sql.name(column)}" for column in rest) + "}"
    return f"json_merge_patch('{{}}', to_json({row}))::varchar"


def holds_values(json_object: str) -> str:
    """SQL: the object, or null when it is made of empty objects: a merge patch leaves those."""
    return f"case when regexp_matches({json_object}, ':[^{{]') then {json_object} end"


def _nulls(structure: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _nulls(v) if isinstance(v, Mapping) else None for k, v in structure.items()}


def _leaves(columns: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (dotted name, SQL expression) of every column and struct field."""
    for name, type_ in columns:
        dotted = f"{prefix}.{name}" if prefix else name
        if type_.id == "struct":
            yield dotted, f"to_json({path(dotted)})"
            yield from _leaves(type_.children, dotted)
        else:
            nested = type_.id in ("list", "map", "array")
            yield dotted, f"to_json({path(dotted)})" if nested else path(dotted)


def _list(files: Sequence[Path]) -> str:
    return sql.texts(sql.no_glob(str(file)) for file in files)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
