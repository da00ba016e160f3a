"""One batch of files of one shape, in one transaction: every row to raw or to quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from tessera.ingest import sql
from tessera.ingest.checks import Check, checks_of, first_failed
from tessera.ingest.files import ExportFile
from tessera.ingest.kinds import KINDS, Kind
from tessera.ingest.readers import MALFORMED, MALFORMED_FILES, Shape, originals, read
from tessera.ingest.source import Source


@dataclass(frozen=True)
class Batch:
    """Files of one shape from one source. `loaded_at` is naive UTC."""

    source_name: str
    source: Source
    shape: Shape
    files: Sequence[ExportFile]
    loaded_at: datetime

    @property
    def kind(self) -> Kind:
        """The kind's columns."""
        return KINDS[self.source.kind]

    @property
    def paths(self) -> list[Path]:
        """Where the files lie."""
        return [file.path for file in self.files]

    @property
    def table(self) -> str:
        """The raw table, quoted."""
        return f"raw.{sql.name(self.source.kind)}"


class UnreadableBatch(RuntimeError):
    """DuckDB cannot read the files; the message says why."""


def load_batch(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Load the files, or leave everything as it was.

    Raises UnreadableBatch, and AssertionError when a row is neither loaded nor in quarantine.
    """
    connection.execute("begin")
    try:
        try:
            _read_incoming(connection, batch)
        except duckdb.Error as error:
            raise UnreadableBatch(str(error).strip().splitlines()[0]) from error
        _number_lines(connection, batch)
        checks = _reject(connection, batch)
        _insert_good(connection, batch)
        _quarantine(connection, batch, checks)
        _record(connection, batch)
        _assert_balance(connection, batch)
        _drop_temporary(connection)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _read_incoming(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    _drop_temporary(connection)
    select = read(batch.shape, batch.paths, batch.source.columns, batch.source.delimiter)
    connection.execute(f"create temp table incoming as {_normalised(select, batch)}")
    if batch.shape.format != "csv":
        return
    connection.execute(
        f"""
        create temp table malformed as
        select s.file_path as _file, e.line, any_value(e.csv_line) as raw_row,
               min(e.error_message) as reason,
               row_number() over (partition by s.file_path order by e.line) as nth
        from {MALFORMED} e join {MALFORMED_FILES} s using (scan_id, file_id)
        group by s.file_path, e.line
        """
    )


def _normalised(select: str, batch: Batch) -> str:
    """Add what the settings declare: refunds by order prefix, local times as UTC."""
    source = batch.source
    changed = {}
    if source.refund_order_prefix:
        prefix = sql.text(source.refund_order_prefix)
        changed["is_refund"] = f"starts_with(order_id, {prefix})::varchar"
    if source.timezone != "UTC":
        for column in source.columns:
            if batch.kind.columns[column].type == "timestamp":
                changed[column] = _to_utc(sql.name(column), sql.text(source.timezone))
    known = {c: e for c, e in changed.items() if c in source.columns}
    added = "".join(f", {e} as {sql.name(c)}" for c, e in changed.items() if c not in known)
    if not changed:
        return select
    replaced = ", ".join(f"{e} as {sql.name(c)}" for c, e in known.items())
    star = f"* replace ({replaced})" if replaced else "*"
    return f"select {star}{added} from ({select})"


def _to_utc(column: str, zone: str) -> str:
    local = f"try_cast({column} as timestamp)"
    has_offset = rf"regexp_matches({column}, '(Z|[+-]\d\d(:?\d\d)?)$') and {column} like '%:%'"
    return (
        f"case when {local} is null or ({has_offset}) then {column} "
        f"else (timezone('UTC', timezone({zone}, {local})))::varchar end"
    )


def _number_lines(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """One row a file: load_id, where its records begin in `incoming`, how many were read.

    The reader keeps the order of files and records, so a record's number is its rowid less the
    first rowid of its file. Header and malformed rows count as lines too.
    """
    files = ", ".join(
        f"({sql.text(str(f.path))}, {sql.text(f.name)}, {sql.text(f.content_hash)}, {f.size})"
        for f in batch.files
    )
    malformed = (
        "(select _file, count(*) as n from malformed group by _file)"
        if batch.shape.format == "csv"
        else "(select null::varchar as _file, 0 as n where false)"
    )
    connection.execute(
        f"""
        create temp table batch_files as
        with read as (
            select _file, min(rowid) as first_row, max(rowid) as last_row, count(*) as n
            from incoming group by _file
        )
        select f._file, f.name, f.content_hash, f.bytes,
               {next_load_id(connection)} + row_number() over (order by f.name) - 1 as load_id,
               coalesce(r.first_row, 0) as first_row,
               coalesce(r.n, 0) + coalesce(m.n, 0) as rows_read,
               coalesce(r.last_row - r.first_row + 1 = r.n, true) as in_one_piece
        from (values {files}) f(_file, name, content_hash, bytes)
        left join read r using (_file) left join {malformed} m using (_file)
        """
    )
    if connection.execute("select not bool_and(in_one_piece) from batch_files").fetchone()[0]:  # type: ignore[index]
        raise AssertionError("DuckDB mixed the rows of several files: line numbers would lie")


def _reject(connection: duckdb.DuckDBPyConnection, batch: Batch) -> list[Check]:
    """Number the reason of each row that cannot be loaded."""
    mapped = set(batch.source.columns)
    checks = checks_of(
        batch.kind,
        mapped,
        batch.loaded_at,
        negative_price=batch.source.negative_price == "quarantine",
    )
    source = "incoming"
    if batch.source.exact_duplicates == "quarantine":
        columns = ", ".join(sql.name(column) for column in ["_file", *batch.source.columns])
        source = (
            f"(select *, rowid, row_number() over (partition by {columns} order by rowid) as _copy"
            " from incoming)"
        )
        checks = [*checks, Check("_copy > 1", "exact duplicate of an earlier row of the file")]
    connection.execute(
        f"""
        create temp table rejected as
        select rowid as row_id, {first_failed(checks)} as check_no from {source}
        where check_no is not null
        """
    )
    return checks


def _insert_good(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    names = [row[1] for row in connection.execute("pragma table_info('incoming')").fetchall()]
    columns = ", ".join(sql.name(column) for column in names if column != "_file")
    has_rejects = _count(connection, "rejected") > 0
    only_good = "where i.rowid not in (select row_id from rejected)" if has_rejects else ""
    connection.execute(
        f"""
        insert into {batch.table} ({columns}, _source, _load_id, _line)
        select {columns}, {sql.text(batch.source_name)}, f.load_id, {_line(connection, batch)}
        from incoming i join batch_files f using (_file) {_malformed_join(connection, batch)}
        {only_good}
        """
    )


def _has_malformed(connection: duckdb.DuckDBPyConnection, batch: Batch) -> bool:
    return batch.shape.format == "csv" and _count(connection, "malformed") > 0


def _line(connection: duckdb.DuckDBPyConnection, batch: Batch) -> str:
    header = 1 if batch.shape.format == "csv" else 0
    before = " + coalesce(m.nth, 0)" if _has_malformed(connection, batch) else ""
    return f"i.rowid - f.first_row + 1 + {header}{before}"


def _malformed_join(connection: duckdb.DuckDBPyConnection, batch: Batch) -> str:
    """Count the malformed rows before each good one: the k-th, on line L, has L − 1 − k before."""
    if not _has_malformed(connection, batch):
        return ""
    return (
        "asof left join (select _file, nth, line - 1 - nth as good_before from malformed) m "
        "on i._file = m._file and i.rowid - f.first_row >= m.good_before"
    )


def _quarantine(connection: duckdb.DuckDBPyConnection, batch: Batch, checks: list[Check]) -> None:
    """Keep each rejected row whole, with its reason."""
    source, kind = sql.text(batch.source_name), sql.text(batch.source.kind)
    if _has_malformed(connection, batch):
        connection.execute(
            f"""
            insert into quarantine.rows
            select f.load_id, {source}, {kind}, f.name, m.line, 'malformed row: ' || m.reason,
                   null, m.raw_row
            from malformed m join batch_files f using (_file)
            """
        )
    if _count(connection, "rejected") == 0:
        return
    _read_originals(connection, batch)
    reasons = sql.texts(check.reason for check in checks)
    columns = "[" + ", ".join(sql.text(c.column) if c.column else "null" for c in checks) + "]"
    connection.execute(
        f"""
        insert into quarantine.rows
        select f.load_id, {source}, {kind}, f.name, {_line(connection, batch)},
               {reasons}[r.check_no], {columns}[r.check_no], o.raw_row
        from rejected r join incoming i on i.rowid = r.row_id
        join batch_files f using (_file) {_malformed_join(connection, batch)}
        left join originals o on o._file = i._file and o.nth = i.rowid - f.first_row
        """
    )


def _read_originals(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Read the files with rejected rows a second time, and keep those rows as they were written.

    Both readings give the same records in the same order, so a record's place in the second is its
    place in its file plus the records of the touched files before it.
    """
    connection.execute(
        """
        create temp table touched as
        select f._file, f.name, f.first_row,
               sum(r.n) over (order by f.name) - r.n as records_before
        from batch_files f join (select _file, count(*) as n from incoming group by _file) r
        using (_file)
        where f._file in (select _file from rejected join incoming i on i.rowid = row_id)
        """
    )
    paths = connection.execute("select _file from touched order by name").fetchall()
    select = originals(
        batch.shape, [Path(row[0]) for row in paths], batch.source.columns, batch.source.delimiter
    )
    connection.execute(
        f"""
        create temp table originals as
        select t._file, n - 1 - t.records_before as nth, raw_row
        from (select *, row_number() over () as n from ({select})) join touched t using (_file)
        where n in (
            select r.row_id - t.first_row + t.records_before + 1
            from rejected r join incoming i on i.rowid = r.row_id join touched t using (_file)
        )
        """
    )


def _record(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    kind, source = sql.text(batch.source.kind), sql.text(batch.source_name)
    event_at = batch.kind.event_at if batch.kind.event_at in batch.source.columns else None
    # A plain cast to timestamp drops an offset in silence; the session's time zone is UTC.
    event = (
        f"timezone('UTC', max(try_cast({sql.name(event_at)} as timestamptz)))" if event_at else ""
    )
    newest = event or "null::timestamp"
    connection.execute(
        f"""
        insert into ops.loads
        select f.load_id, {source}, {kind}, f.name, f.content_hash, f.bytes, f.rows_read,
               coalesce(good.n, 0), coalesce(bad.n, 0), good.newest, 'loaded', null, $loaded_at
        from batch_files f
        left join (select _load_id as load_id, count(*) as n, {newest} as newest
                   from {batch.table} where _load_id >= $first group by all) good using (load_id)
        left join (select load_id, count(*) as n from quarantine.rows
                   where load_id >= $first group by all) bad using (load_id)
        """,
        {"loaded_at": batch.loaded_at, "first": _first_load(connection)},
    )


def _first_load(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("select min(load_id) from batch_files").fetchone()
    return int(row[0]) if row else 0


def _assert_balance(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Rows read = rows loaded + rows quarantined, for every file: else nothing is kept."""
    unbalanced = connection.execute(
        """
        select file, rows_read, rows_loaded, rows_quarantined
        from ops.loads semi join batch_files using (load_id)
        where rows_read <> rows_loaded + rows_quarantined
        """
    ).fetchall()
    if unbalanced:
        raise AssertionError(f"rows lost while loading {batch.source_name}: {unbalanced}")


def _drop_temporary(connection: duckdb.DuckDBPyConnection) -> None:
    tables = ["incoming", "batch_files", "rejected", "malformed", "touched", "originals"]
    for table in [*tables, MALFORMED, MALFORMED_FILES]:
        connection.execute(f"drop table if exists temp.{table}")


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


def next_load_id(connection: duckdb.DuckDBPyConnection) -> int:
    """The number that the next file gets in the ledger."""
    row = connection.execute("select coalesce(max(load_id), 0) + 1 from ops.loads").fetchone()
    return int(row[0]) if row else 1
