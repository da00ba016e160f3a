"""One batch of files of one shape, in one transaction: every row to raw or to quarantine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from tessera.ingest import ledger, repairs, sql
from tessera.ingest.canonical import canonical
from tessera.ingest.checks import Check, as_instant, checks_of, first_failed
from tessera.ingest.files import ExportFile
from tessera.ingest.format import Format, Rows
from tessera.ingest.kinds import KINDS
from tessera.ingest.readers import (
    MALFORMED,
    MALFORMED_FILES,
    Shape,
    delimiter_of,
    format_for,
    holds_values,
    records,
    unread,
)
from tessera.ingest.source import Source

TEMPORARY = ("records", "numbered", "batch_files", "refused", "rejected", "malformed", "given")


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


class UnreadableBatch(RuntimeError):
    """DuckDB cannot read the files; the message says why."""


class StillGrowing(RuntimeError):
    """Somebody wrote to a file while it was read."""


def load_batch(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Load the files, or leave everything as it was.

    Raises UnreadableBatch, StillGrowing, and AssertionError when a row is neither loaded nor in
    quarantine.
    """
    connection.execute("begin")
    try:
        _drop_temporary(connection)
        try:
            _read(connection, batch)
        except duckdb.Error as error:
            raise UnreadableBatch(str(error).strip().splitlines()[0]) from error
        ledger.take_back_replaced(connection, batch.replaces)
        _refuse_records(connection, batch)
        for kind, rows in batch.format.kinds.items():
            _load_kind(connection, batch, kind, rows)
        _refuse_the_rest(connection, batch)
        _record(connection, batch)
        for name, replaced in batch.replaces.items():
            if replaced:
                ledger.note_replaced(connection, name, replaced, _first(connection))
        ledger.note_drift(connection, batch.source_name, batch.shape.header, _first(connection))
        _assert_balance(connection, batch)
        _drop_temporary(connection)
        if any(file.has_changed() for file in batch.files):
            raise StillGrowing(f"{batch.source_name}: a file changed while it was read")
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _read(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
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


def _has_raw(batch: Batch) -> bool:
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
    not_blank = "where strlen(_raw) > 99 or trim(_raw) <> ''" if _has_raw(batch) else ""
    numbered = f"select rowid as _record, * from records {not_blank}"
    if batch.format.prepare:
        derived = batch.format.prepare.replace("{records}", f"({numbered})")
        connection.execute(f"create temp table numbered as {derived}")
    else:
        connection.execute(f"create temp view numbered as {numbered}")


def _refuse_records(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Records that are no records, or that the format itself refuses."""
    refusals = [(r.condition, r.reason) for r in batch.format.refuse]
    if batch.format.reads == "json":
        members = " and ".join(f"{sql.name(m)} is null" for m in batch.format.structure)
        refusals = [
            (f"{members} and not json_valid(_raw)", "malformed row: not valid JSON"),
            (f"{members} and json_type(_raw) <> 'OBJECT'", "malformed row: not a JSON object"),
            *refusals,
        ]
    if batch.format.reads == "lines":
        refusals = [("not _is_matched", f"malformed row: not a line of {batch.format.title}")]
        refusals += [(r.condition, r.reason) for r in batch.format.refuse]
    cases = " ".join(f"when {condition} then {sql.text(why)}" for condition, why in refusals)
    reason = f"case {cases} end" if cases else "null::varchar"
    connection.execute(
        f"create temp table refused as select _record, {reason} as _why from numbered "
        "where _why is not null"
    )


def _rows(connection: duckdb.DuckDBPyConnection, batch: Batch, kind: str, rows: Rows) -> str:
    """SELECT of the kind's rows: `_record`, `_item`, `_file`, its columns as text, `_unread`."""
    source, spec = batch.source, KINDS[kind]
    values = dict(rows.columns)
    if source.refund_order_prefix and kind == "order_lines":
        prefix = sql.text(source.refund_order_prefix)
        values["is_refund"] = f"starts_with({values['order_id']}, {prefix})"
    columns = ", ".join(
        f"{canonical(spec, source, name, value)} as {sql.name(name)}"
        for name, value in values.items()
    )
    extra = "null::varchar"
    if kind == batch.first_kind:
        extra = f"case when _item = 0 then {unread(batch.shape, batch.format, source.ignore)} end"
    conditions = [f"({rows.where})"] if rows.where else []
    if _count(connection, "refused"):
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


def _load_kind(connection: duckdb.DuckDBPyConnection, batch: Batch, kind: str, rows: Rows) -> None:
    select = _rows(connection, batch, kind, rows)
    names = [*rows.columns]
    if batch.source.refund_order_prefix and kind == "order_lines" and "is_refund" not in names:
        names.append("is_refund")
    checks = _checks(batch, kind, names)
    _reject(connection, batch, kind, select, checks)
    _insert_good(connection, batch, kind, select, names)
    _quarantine_rejected(connection, batch, kind, checks)


def _checks(batch: Batch, kind: str, names: Collection[str]) -> list[Check]:
    source = batch.source
    refusals = enumerate(batch.format.kinds[kind].refuse, 1)
    checks = [
        *(Check(f"_refusal = {i}", refusal.reason) for i, refusal in refusals),
        *checks_of(KINDS[kind], source, names, batch.loaded_at, batch.currencies),
    ]
    if source.exact_duplicates == "quarantine":
        checks.append(Check("_copy > 1", "exact duplicate of an earlier row of the file"))
    return checks


def _reject(
    connection: duckdb.DuckDBPyConnection, batch: Batch, kind: str, select: str, checks: list[Check]
) -> None:
    """Number the reason of each row that cannot be loaded."""
    if batch.source.exact_duplicates == "quarantine":
        same = ", ".join(["_file", *_record_columns(connection)])
        select = (
            f"select s.*, c._copy from ({select}) s join (select _record, row_number() over "
            f"(partition by {same} order by _record) as _copy from numbered) c using (_record)"
        )
    event_at = KINDS[kind].event_at
    is_dated = event_at is not None and event_at in batch.format.kinds[kind].columns
    at = as_instant(sql.name(event_at)) if event_at and is_dated else "null::timestamp"
    connection.execute(
        f"insert into rejected select {sql.text(kind)}, _record, _item, {_key(batch, kind)}, "
        f"{first_failed(checks)} as check_no from (select *, {at} as _at from ({select})) "
        "where check_no is not null"
    )


def _key(batch: Batch, kind: str) -> str:
    """SQL of what names a row among its kind: the first required column, when it is filled."""
    names = [c for c in KINDS[kind].required[:1] if c in batch.format.kinds[kind].columns]
    return sql.name(names[0]) if names else "null"


def _record_columns(connection: duckdb.DuckDBPyConnection) -> list[str]:
    told = connection.execute("select * from numbered limit 0").description or []
    return [sql.name(column[0]) for column in told if column[0] not in ("_record", "_file")]


def _insert_good(
    connection: duckdb.DuckDBPyConnection,
    batch: Batch,
    kind: str,
    select: str,
    names: Collection[str],
) -> None:
    columns = ", ".join(sql.name(name) for name in names)
    only_good = ""
    if _count(connection, f"rejected where kind = {sql.text(kind)}"):
        only_good = (
            "where (i._record, i._item) not in (select (_record, _item) from rejected "
            f"where kind = {sql.text(kind)})"
        )
    connection.execute(
        f"""
        insert into raw.{sql.name(kind)} ({columns}, _extra, _source, _file, _load_id, _line, _item)
        select {columns}, {holds_values("_unread")}, {sql.text(batch.source_name)}, f.name,
               f.load_id, {_line(connection, batch)}, _item
        from ({select}) i {_file_join(kind)} {_malformed_join(connection, batch)} {only_good}
        """
    )


def _file_join(kind: str) -> str:
    return f"join batch_files f on i._file = f._file and f.kind = {sql.text(kind)}"


def _line(connection: duckdb.DuckDBPyConnection, batch: Batch) -> str:
    before = " + coalesce(m.nth, 0)" if _count(connection, "malformed") else ""
    return f"i._record - f.first_row + 1 + {_header_lines(batch)}{before}"


def _header_lines(batch: Batch) -> int:
    return 1 if batch.shape.layout == "csv" and batch.format.header else 0


def _malformed_join(connection: duckdb.DuckDBPyConnection, batch: Batch) -> str:
    """Count the malformed rows before each good one: the k-th, on line L, has L − h − k before."""
    if not _count(connection, "malformed"):
        return ""
    return (
        "asof left join (select _file, nth, "
        f"line - {_header_lines(batch)} - nth as good_before from malformed) m "
        "on i._file = m._file and i._record - f.first_row >= m.good_before"
    )


def _original(connection: duckdb.DuckDBPyConnection, batch: Batch) -> str:
    """SQL of a record of `records o` as it was written."""
    if _has_raw(batch):
        return "o._raw"
    told = connection.execute("select * exclude (_file) from records limit 0").description or []
    pairs = ", ".join(f"{sql.text(c[0])}: o.{sql.name(c[0])}" for c in told)
    return f"to_json({{{pairs}}})::varchar"


def _quarantine_rejected(
    connection: duckdb.DuckDBPyConnection, batch: Batch, kind: str, checks: list[Check]
) -> None:
    """Keep each rejected row with the reason, and its record whole, once: it may be large."""
    if not _count(connection, f"rejected where kind = {sql.text(kind)}"):
        return
    reasons = sql.texts(check.reason for check in checks)
    columns = "[" + ", ".join(sql.text(c.column) if c.column else "null" for c in checks) + "]"
    _quarantine(
        connection,
        batch,
        kind,
        f"(select r.*, o._file, {reasons}[r.check_no] as reason, {columns}[r.check_no] as about, "
        f"case when r._item = min(r._item) over (partition by r._record) "
        f"then {_original(connection, batch)} end as raw_row from rejected r "
        f"join records o on o.rowid = r._record where r.kind = {sql.text(kind)})",
    )


def _refuse_the_rest(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Malformed rows, refused records, and records that give no row of any kind."""
    kind = batch.first_kind
    connection.execute(
        f"""
        insert into quarantine.rows
        select f.load_id, {sql.text(batch.source_name)}, f.kind, f.name, m.line, 0,
               'malformed row: ' || m.reason, null, null, m.raw_row
        from malformed m join batch_files f on f._file = m._file and f.is_first_kind
        where not m.is_repaired
        """
    )
    if any(rows.where or rows.each for rows in batch.format.kinds.values()):
        given = " union ".join(
            f"select _record from ({_rows(connection, batch, name, rows)})"
            for name, rows in batch.format.kinds.items()
        )
        connection.execute(
            f"insert into refused select _record, "
            f"{sql.text(f'nothing in it that {batch.format.title} gives')} from numbered where "
            f"_record not in ({given}) and _record not in (select _record from refused)"
        )
    if _count(connection, "refused"):
        _quarantine(
            connection,
            batch,
            kind,
            f"(select r._record, 0 as _item, o._file, r._why as reason, null::varchar as about, "
            "null::varchar as row_key, "
            f"{_original(connection, batch)} as raw_row "
            "from refused r join records o on o.rowid = r._record)",
        )


def _quarantine(
    connection: duckdb.DuckDBPyConnection, batch: Batch, kind: str, refused: str
) -> None:
    connection.execute(
        f"""
        insert into quarantine.rows
        select f.load_id, {sql.text(batch.source_name)}, {sql.text(kind)}, f.name,
               {_line(connection, batch)}, i._item, i.reason, i.about, i.row_key, i.raw_row
        from {refused} i {_file_join(kind)} {_malformed_join(connection, batch)}
        """
    )


def _record(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    for kind in batch.format.kinds:
        event_at = KINDS[kind].event_at
        newest = f"max({as_instant(sql.name(event_at))})" if event_at else "null::timestamp"
        connection.execute(
            f"""
            insert into ops.loads by name
            select f.load_id, {sql.text(batch.source_name)} as source, f.kind, f.name as file,
                   f.content_hash, f.bytes, coalesce(read.n, 0) as rows_read,
                   coalesce(good.n, 0) as rows_loaded, coalesce(bad.n, 0) as rows_quarantined,
                   0 as rows_already_there, good.newest as newest_event_at, 'loaded' as status,
                   null as reason, $loaded_at as loaded_at
            from batch_files f
            left join ({_rows_read(connection, batch, kind)}) read on read._file = f._file
            left join (select _load_id as load_id, count(*) as n, {newest} as newest
                       from raw.{sql.name(kind)} where _load_id >= $first group by all) good
                using (load_id)
            left join (select load_id, count(*) as n from quarantine.rows
                       where load_id >= $first group by all) bad using (load_id)
            where f.kind = $kind
            """,
            {"loaded_at": batch.loaded_at, "first": _first(connection), "kind": kind},
        )


def _rows_read(connection: duckdb.DuckDBPyConnection, batch: Batch, kind: str) -> str:
    """Rows by file, counted where they come from and not where they went."""
    parts = [f"select _file from ({_rows(connection, batch, kind, batch.format.kinds[kind])})"]
    if kind == batch.first_kind:
        parts.append("select _file from malformed where not is_repaired")
        parts.append("select o._file from refused r join records o on o.rowid = r._record")
    return f"select _file, count(*) as n from ({' union all '.join(parts)}) group by _file"


def _first(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("select min(load_id) from batch_files").fetchone()
    return int(row[0]) if row else 0


def _assert_balance(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Rows read = rows loaded + rows quarantined, for every file: else nothing is kept."""
    unbalanced = connection.execute(
        """
        select file, kind, rows_read, rows_loaded, rows_quarantined
        from ops.loads semi join batch_files using (load_id)
        where rows_read <> rows_loaded + rows_quarantined + rows_already_there
        """
    ).fetchall()
    if unbalanced:
        raise AssertionError(f"rows lost while loading {batch.source_name}: {unbalanced}")


def _drop_temporary(connection: duckdb.DuckDBPyConnection) -> None:
    for name in (*TEMPORARY, MALFORMED, MALFORMED_FILES):
        kind = _temporary_kind(connection, name)
        if kind:
            connection.execute(f"drop {kind} temp.{name}")


def _temporary_kind(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    row = connection.execute(
        "select 'view' from duckdb_views() where temporary and view_name = ?1 "
        "union all select 'table' from duckdb_tables() where temporary and table_name = ?1",
        [name],
    ).fetchone()
    return str(row[0]) if row else ""


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0
