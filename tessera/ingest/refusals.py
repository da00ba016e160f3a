"""What of a batch goes to quarantine: whole records, and single rows with their records."""

from __future__ import annotations

import duckdb

from tessera import sql
from tessera.ingest.checks import Check
from tessera.ingest.incoming import (
    Batch,
    count,
    file_join,
    line_number,
    malformed_join,
    original,
    select_rows,
)


def refuse_records(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Records that are no records, or that the format itself refuses."""
    refusals = []
    if batch.format.reads == "json":
        members = " and ".join(f"{sql.name(m)} is null" for m in batch.format.structure)
        refusals = [
            (f"{members} and not json_valid(_raw)", "malformed row: not valid JSON"),
            (f"{members} and json_type(_raw) <> 'OBJECT'", "malformed row: not a JSON object"),
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


def quarantine_rejected(
    connection: duckdb.DuckDBPyConnection, batch: Batch, kind: str, checks: list[Check]
) -> None:
    """Keep each rejected row with the reason, and its record whole, once: it may be large."""
    if not count(connection, f"rejected where kind = {sql.text(kind)}"):
        return
    reasons = sql.texts(check.reason for check in checks)
    columns = "[" + ", ".join(sql.text(c.column) if c.column else "null" for c in checks) + "]"
    _quarantine(
        connection,
        batch,
        kind,
        f"(select r.*, o._file, {reasons}[r.check_no] as reason, {columns}[r.check_no] as about, "
        f"case when r._item = min(r._item) over (partition by r._record) "
        f"then {original(connection, batch)} end as raw_row from rejected r "
        f"join records o on o.rowid = r._record where r.kind = {sql.text(kind)})",
    )


def refuse_the_rest(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
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
            f"select _record from ({select_rows(connection, batch, name, rows)})"
            for name, rows in batch.format.kinds.items()
        )
        connection.execute(
            f"insert into refused select _record, "
            f"{sql.text(f'nothing in it that {batch.format.title} gives')} from numbered where "
            f"_record not in ({given}) and _record not in (select _record from refused)"
        )
    if count(connection, "refused"):
        _quarantine(
            connection,
            batch,
            kind,
            f"(select r._record, 0 as _item, o._file, r._why as reason, null::varchar as about, "
            "null::varchar as row_key, "
            f"{original(connection, batch)} as raw_row "
            "from refused r join records o on o.rowid = r._record)",
        )


def _quarantine(
    connection: duckdb.DuckDBPyConnection, batch: Batch, kind: str, refused: str
) -> None:
    connection.execute(
        f"""
        insert into quarantine.rows
        select f.load_id, {sql.text(batch.source_name)}, {sql.text(kind)}, f.name,
               {line_number(connection, batch)}, i._item, i.reason, i.about, i.row_key, i.raw_row
        from {refused} i {file_join(kind)} {malformed_join(connection, batch)}
        """
    )
