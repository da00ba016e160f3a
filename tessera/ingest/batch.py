"""One batch of files of one shape, in one transaction: every row to raw or to quarantine."""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from tessera import sql
from tessera.ingest import ledger
from tessera.ingest.checks import Check, as_instant, checks_of, first_failed
from tessera.ingest.format import Rows
from tessera.ingest.incoming import (
    Batch,
    count,
    file_join,
    line_number,
    malformed_join,
    read_records,
    record_columns,
    select_rows,
)
from tessera.ingest.kinds import KINDS
from tessera.ingest.readers import MALFORMED, MALFORMED_FILES, holds_values
from tessera.ingest.refusals import quarantine_rejected, refuse_records, refuse_the_rest

TEMPORARY = ("records", "numbered", "batch_files", "refused", "rejected", "malformed")


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
            read_records(connection, batch)
        except duckdb.Error as error:
            raise UnreadableBatch(str(error).strip().splitlines()[0]) from error
        ledger.take_back_replaced(connection, batch.replaces)
        refuse_records(connection, batch)
        for kind, rows in batch.format.kinds.items():
            _load_kind(connection, batch, kind, rows)
        refuse_the_rest(connection, batch)
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


def _load_kind(connection: duckdb.DuckDBPyConnection, batch: Batch, kind: str, rows: Rows) -> None:
    select = select_rows(connection, batch, kind, rows)
    names = [*rows.columns]
    checks = _checks(batch, kind, names)
    _reject(connection, batch, kind, select, checks)
    _insert_good(connection, batch, kind, select, names)
    quarantine_rejected(connection, batch, kind, checks)


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
        same = ", ".join(["_file", *record_columns(connection)])
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


def _insert_good(
    connection: duckdb.DuckDBPyConnection,
    batch: Batch,
    kind: str,
    select: str,
    names: Collection[str],
) -> None:
    columns = ", ".join(sql.name(name) for name in names)
    only_good = ""
    if count(connection, f"rejected where kind = {sql.text(kind)}"):
        only_good = (
            "where (i._record, i._item) not in (select (_record, _item) from rejected "
            f"where kind = {sql.text(kind)})"
        )
    connection.execute(
        f"""
        insert into raw.{sql.name(kind)} ({columns}, _extra, _source, _file, _load_id, _line, _item)
        select {columns}, {holds_values("_unread")}, {sql.text(batch.source_name)}, f.name,
               f.load_id, {line_number(connection, batch)}, _item
        from ({select}) i {file_join(kind)} {malformed_join(connection, batch)} {only_good}
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
    parts = [
        f"select _file from ({select_rows(connection, batch, kind, batch.format.kinds[kind])})"
    ]
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
