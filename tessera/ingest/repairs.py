"""Refused rows, mended by hand: written out, and put in the place of the originals at a reload."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from tessera import sql
from tessera.ingest.files import ExportFile


class NotRepaired(ValueError):
    """The repaired rows cannot be used; the message says which and why."""


def export(connection: duckdb.DuckDBPyConnection, source_name: str, out: Path) -> int:
    """Write the refused rows of a source as JSON lines; return how many there are.

    A line a record, with `file`, `line`, `reason` and `record`: mend the record, leave the rest.
    """
    select = (
        "select file, line, string_agg(distinct reason, '; ' order by reason) as reason, "
        "any_value(case when json_valid(raw_row) then raw_row::json else to_json(raw_row) end) "
        f"as record from quarantine.rows where source = {sql.text(source_name)} group by all"
    )
    connection.execute(f"copy ({select} order by file, line) to {sql.text(str(out))} (format json)")
    row = connection.execute(f"select count(*) from ({select})").fetchone()
    return int(row[0]) if row else 0


def keep(connection: duckdb.DuckDBPyConnection, source_name: str, repaired: Path) -> list[str]:
    """Remember repaired rows; return the files they belong to. Raises NotRepaired."""
    connection.execute(
        f"""
        create or replace temp table mended as
        select r.file, r.line, r.record::varchar as record, l.content_hash
        from read_json({sql.text(sql.no_glob(str(repaired)))}, format='newline_delimited',
            columns={{'file': 'VARCHAR', 'line': 'BIGINT', 'record': 'JSON'}}) r
        left join (select distinct file, content_hash from ops.loads
                   where source = {sql.text(source_name)} and status = 'loaded') l using (file)
        """
    )
    wrong = connection.execute(
        "select file, line from mended where content_hash is null or line is null "
        "or record is null or json_type(record) <> 'OBJECT' limit 1"
    ).fetchone()
    if wrong:
        raise NotRepaired(
            f"{repaired}: the row of file {wrong[0]}, line {wrong[1]} cannot be used: it needs "
            f"`file` (one that is loaded from source {source_name}), `line`, and `record`, a JSON "
            "object. `tessera quarantine export` writes such rows"
        )
    connection.execute(
        f"""
        begin;
        delete from quarantine.repairs where source = {sql.text(source_name)}
            and (content_hash, line) in (select (content_hash, line) from mended);
        insert into quarantine.repairs
            select {sql.text(source_name)}, content_hash, line, record from mended;
        commit
        """
    )
    files = connection.execute("select distinct file from mended order by file").fetchall()
    return [file for (file,) in files]


def files_with_refused_rows(connection: duckdb.DuckDBPyConnection, source_name: str) -> list[str]:
    """The loaded files of a source of which some rows are in quarantine."""
    files = connection.execute(
        "select distinct file from quarantine.rows where source = ? order by file", [source_name]
    ).fetchall()
    return [file for (file,) in files]


def apply(
    connection: duckdb.DuckDBPyConnection,
    source_name: str,
    files: Sequence[ExportFile],
    structure: Mapping[str, Any] | None,
    header: int,
) -> None:
    """Put repaired records in the place of those in `records` and `malformed`.

    `structure` is that of JSON records; None for records of columns, whose first `header` lines
    are none. A repaired malformed row follows the others of its file.
    """
    hashes = ", ".join(f"({sql.text(f.content_hash)}, {sql.text(str(f.readable))})" for f in files)
    connection.execute(
        f"""
        create temp table repaired as
        select _file, line, record from quarantine.repairs
        join (values {hashes}) v(content_hash, _file) using (content_hash)
        where source = {sql.text(source_name)}
        """
    )
    count = connection.execute("select count(*) from repaired").fetchone()
    if count and count[0]:
        values = _values(connection, structure)
        _replace_records(connection, values, header)
        _add_malformed(connection, values)
    connection.execute("drop table temp.repaired")


def _values(
    connection: duckdb.DuckDBPyConnection, structure: Mapping[str, Any] | None
) -> dict[str, str]:
    """SQL of each column of `records` from the `record` of a repair."""
    told = connection.execute("describe records").fetchall()
    columns = {name: type_ for name, type_, *_ in told if name != "_file"}
    if structure is not None:
        parsed = f"json_transform(record, {sql.text(json.dumps(dict(structure)))})"
        values = {name: f"{parsed}.{sql.name(name)}" for name in structure}
        return {"_raw": "record", **values}
    texts = sql.text(json.dumps(dict.fromkeys(columns, "VARCHAR")))
    return {
        name: f"try_cast(json_transform(record, {texts}).{sql.name(name)} as {type_})"
        for name, type_ in columns.items()
    }


def _replace_records(
    connection: duckdb.DuckDBPyConnection, values: Mapping[str, str], header: int
) -> None:
    changes = ", ".join(f"{sql.name(name)} = {value}" for name, value in values.items())
    connection.execute(
        f"""
        update records set {changes} from (
            select n.row_id, r.record from (
                select i._file, i.row_id, i.k + {header} + coalesce(m.nth, 0) as line from (
                    select _file, rowid as row_id,
                           rowid - min(rowid) over (partition by _file) + 1 as k from records
                ) i asof left join (
                    select _file, nth, line - {header} - nth as good_before from malformed
                ) m on i._file = m._file and i.k - 1 >= m.good_before
            ) n join repaired r using (_file, line)
        ) mended where records.rowid = mended.row_id
        """
    )


def _add_malformed(connection: duckdb.DuckDBPyConnection, values: Mapping[str, str]) -> None:
    columns = ", ".join(f"{value} as {sql.name(name)}" for name, value in values.items())
    connection.execute(
        f"insert into records by name select _file, {columns} from repaired "
        "semi join malformed using (_file, line)"
    )
    connection.execute(
        "update malformed set is_repaired = true "
        "where (_file, line) in (select (_file, line) from repaired)"
    )
