"""The records of a batch in temporary tables, and the SQL that makes rows of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from tessera import sql
from tessera.ingest import ledger, repairs
from tessera.ingest.canonical import canonical
from tessera.ingest.files import ExportFile
from tessera.ingest.format import Format, Rows
from tessera.ingest.kinds import KINDS
from tessera.ingest.readers import (
    MALFORMED,
    MALFORMED_FILES,
    Shape,
    delimiter_of,
    format_for,
    records,
    unread,
)
from tessera.ingest.source import Source


@dataclass(frozen=True)
class Batch:
    """Files of one shape from one source. `loaded_at` is naive UTC.

    `replaces` names for a file the loads whose rows it takes the place of.
    """

    source_name: str
    source: Source
    shape: Shape
    files: Sequence[ExportFile]
    loaded_at: datetime
    currencies: Collection[str] | None = None
    replaces: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def format(self) -> Format:
        """How records become rows."""
        return format_for(self.source, self.shape)

    @property
    def first_kind(self) -> str:
        """Where refused records count."""
        return next(iter(self.format.kinds))


def read_records(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Fill the temporary tables `records`, `malformed`, `batch_files` and `numbered`."""
    format_, paths = batch.format, [file.readable for file in batch.files]
    select = records(batch.shape, paths, format_, delimiter_of(batch.source))
    connection.execute(f"create temp table records as {select}")
    connection.execute(
        "create temp table malformed (_file varchar, line bigint, raw_row varchar, reason varchar,"
        " nth bigint, is_repaired boolean)"
    )
    if batch.shape.is_text:
        connection.execute(
            f"""
            insert into malformed
            select s.file_path, e.line, any_value(e.csv_line), min(e.error_message),
                   row_number() over (partition by s.file_path order by e.line), false
            from {MALFORMED} e join {MALFORMED_FILES} s using (scan_id, file_id)
            group by s.file_path, e.line
            """
        )
    structure = batch.format.structure if batch.format.reads == "json" else None
    repairs.apply(connection, batch.source_name, batch.files, structure, _header_lines(batch))
    _number(connection, batch)


def has_raw(batch: Batch) -> bool:
    """Whether records are kept as they were written, in `_raw`."""
    return batch.format.reads in ("json", "lines")


def _number(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """One row a file and kind: load_id, and where the file's records begin in `records`.

    The reader keeps the order of files and records, so a record's number is its rowid less the
    first rowid of its file. Header and malformed rows count as lines too.
    """
    files = ", ".join(
        f"({sql.text(str(f.readable))}, {sql.text(f.name)}, {sql.text(f.content_hash)}, {f.size})"
        for f in batch.files
    )
    connection.execute(
        f"""
        create temp table batch_files as
        with read as (
            select _file, min(rowid) as first_row, max(rowid) as last_row, count(*) as n
            from records group by _file
        )
        select f._file, f.name, f.content_hash, f.bytes, k.kind, k.nth = 1 as is_first_kind,
               {ledger.next_load_id(connection)} - 1
                   + row_number() over (order by f.name, k.nth) as load_id,
               coalesce(r.first_row, 0) as first_row,
               coalesce(r.last_row - r.first_row + 1 = r.n, true) as in_one_piece
        from (values {files}) f(_file, name, content_hash, bytes)
        cross join (select unnest({sql.texts(batch.format.kinds)}) as kind,
                           generate_subscripts({sql.texts(batch.format.kinds)}, 1) as nth) k
        left join read r using (_file)
        """
    )
    if connection.execute("select not bool_and(in_one_piece) from batch_files").fetchone()[0]:  # type: ignore[index]
        raise AssertionError("DuckDB mixed the rows of several files: line numbers would lie")
    _prepare(connection, batch)
    connection.execute(
        "create temp table rejected (kind varchar, _record bigint, _item bigint, row_key varchar, "
        "check_no integer)"
    )


def _prepare(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    # Trimming every record costs more than reading it; long ones are not blank.
    not_blank = "where strlen(_raw) > 99 or trim(_raw) <> ''" if has_raw(batch) else ""
    numbered = f"select rowid as _record, * from records {not_blank}"
    if batch.format.prepare:
        derived = batch.format.prepare.replace("{records}", f"({numbered})")
        connection.execute(f"create temp table numbered as {derived}")
    else:
        connection.execute(f"create temp view numbered as {numbered}")


def select_rows(connection: duckdb.DuckDBPyConnection, batch: Batch, kind: str, rows: Rows) -> str:
    """SELECT of the kind's rows: `_record`, `_item`, `_file`, its columns as text, `_unread`."""
    source, spec = batch.source, KINDS[kind]
    columns = ", ".join(
        f"{canonical(spec, source, name, value)} as {sql.name(name)}"
        for name, value in rows.columns.items()
    )
    extra = "null::varchar"
    if kind == batch.first_kind:
        extra = f"case when _item = 0 then {unread(batch.shape, batch.format, source.ignore)} end"
    conditions = [f"({rows.where})"] if rows.where else []
    if count(connection, "refused"):
        conditions.append("_record not in (select _record from refused)")
    where = f"where {' and '.join(conditions)}" if conditions else ""
    return (
        f"select _record, _item, _file, {columns}, {extra} as _unread, "
        f"{_refusal(rows)} as _refusal from {_items(rows)} {where}"
    )


def _refusal(rows: Rows) -> str:
    """CASE that numbers the first of the format's refusals from 1, null for a good row."""
    cases = " ".join(f"when {r.condition} then {i}" for i, r in enumerate(rows.refuse, 1))
    return f"case {cases} end" if cases else "null::integer"


def _items(rows: Rows) -> str:
    if not rows.each:
        return "(select *, 0 as _item from numbered)"
    return (
        f"(select *, unnest({rows.each}) as item, "
        f"generate_subscripts({rows.each}, 1) - 1 as _item from numbered)"
    )


def file_join(kind: str) -> str:
    """SQL that joins rows `i` with their file and its load id for a kind, as `f`."""
    return f"join batch_files f on i._file = f._file and f.kind = {sql.text(kind)}"


def line_number(connection: duckdb.DuckDBPyConnection, batch: Batch) -> str:
    """SQL of the line of a row `i`, after `file_join` and `malformed_join`."""
    before = " + coalesce(m.nth, 0)" if count(connection, "malformed") else ""
    return f"i._record - f.first_row + 1 + {_header_lines(batch)}{before}"


def _header_lines(batch: Batch) -> int:
    return 1 if batch.shape.layout == "csv" and batch.format.header else 0


def malformed_join(connection: duckdb.DuckDBPyConnection, batch: Batch) -> str:
    """Count the malformed rows before each good one: the k-th, on line L, has L − h − k before."""
    if not count(connection, "malformed"):
        return ""
    return (
        "asof left join (select _file, nth, "
        f"line - {_header_lines(batch)} - nth as good_before from malformed) m "
        "on i._file = m._file and i._record - f.first_row >= m.good_before"
    )


def original(connection: duckdb.DuckDBPyConnection, batch: Batch) -> str:
    """SQL of a record of `records o` as it was written."""
    if has_raw(batch):
        return "o._raw"
    told = connection.execute("select * exclude (_file) from records limit 0").description or []
    pairs = ", ".join(f"{sql.text(c[0])}: o.{sql.name(c[0])}" for c in told)
    return f"to_json({{{pairs}}})::varchar"


def record_columns(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The quoted columns of the export itself."""
    told = connection.execute("select * from numbered limit 0").description or []
    return [sql.name(column[0]) for column in told if column[0] not in ("_record", "_file")]


def count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """How many rows a table has; `table` may go on with a condition."""
    row = connection.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0
