"""The ledger of loaded files, `ops.loads`: one row a file and kind, found again by content hash.

status   loaded · already there (the bytes are loaded under another name) · replaced (a newer
         version of the file is loaded) · withdrawn (by hand) · refused (the whole file)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from tessera import sql
from tessera.ingest.files import ExportFile

LIVE = "loaded"


class NotLoaded(LookupError):
    """No loaded file has that name."""


@dataclass(frozen=True)
class Entry:
    """What the ledger says of a file: `loads` are its load ids, one a kind."""

    file: str
    content_hash: str
    status: str
    bytes: int
    loads: tuple[int, ...]


def entries(connection: duckdb.DuckDBPyConnection, source_name: str) -> list[Entry]:
    """The files of a source that are not refused, oldest first."""
    rows = connection.execute(
        """
        select file, content_hash, status, any_value(bytes), list(load_id order by load_id)
        from ops.loads where source = ? and status <> 'refused'
        group by file, content_hash, status, loaded_at order by min(load_id)
        """,
        [source_name],
    ).fetchall()
    return [
        Entry(file, digest, status, size, tuple(ids)) for file, digest, status, size, ids in rows
    ]


def next_load_id(connection: duckdb.DuckDBPyConnection) -> int:
    """The number that the next entry gets: larger than any before, so that later is larger."""
    row = connection.execute("select coalesce(max(load_id), 0) + 1 from ops.loads").fetchone()
    return int(row[0]) if row else 1


def take_back_replaced(
    connection: duckdb.DuckDBPyConnection, replaces: Mapping[str, Sequence[int]]
) -> None:
    """Remove the rows of loads whose place a newer version of the file takes."""
    for name, load_ids in replaces.items():
        if load_ids:
            _take_back(connection, load_ids, "replaced", f"replaced by {name}")


def _take_back(
    connection: duckdb.DuckDBPyConnection, load_ids: Sequence[int], status: str, reason: str
) -> None:
    kinds = connection.execute(
        "select load_id, kind from ops.loads where list_contains(?, load_id)", [list(load_ids)]
    ).fetchall()
    for load_id, kind in kinds:
        connection.execute(f"delete from raw.{sql.name(kind)} where _load_id = ?", [load_id])
        connection.execute("delete from quarantine.rows where load_id = ?", [load_id])
        connection.execute(
            "update ops.loads set status = ?, reason = ?, rows_loaded = 0, rows_quarantined = 0, "
            "newest_event_at = null where load_id = ?",
            [status, reason, load_id],
        )


def withdraw(connection: duckdb.DuckDBPyConnection, file: str, at: datetime) -> int:
    """Take the rows of a loaded file out of raw and quarantine; return how many there were.

    The ledger keeps the file as withdrawn: the same bytes are not loaded again.
    Raises NotLoaded when no file of this name is loaded.
    """
    found = connection.execute(
        "select load_id, rows_read from ops.loads where file = ? and status = 'loaded'", [file]
    ).fetchall()
    if not found:
        raise NotLoaded(f"no loaded file is called {file}: names are paths below the inbox")
    connection.execute("begin")
    reason = f"withdrawn by hand at {at:%Y-%m-%d %H:%M} UTC"
    _take_back(connection, [load_id for load_id, _ in found], "withdrawn", reason)
    connection.execute("commit")
    return sum(rows for _, rows in found)


def note_already_there(
    connection: duckdb.DuckDBPyConnection,
    source_name: str,
    file: ExportFile,
    known: Entry,
    at: datetime,
    *,
    is_same: bool,
) -> None:
    """Write down that a file's bytes are loaded under another name; all its rows are there.

    Or that a larger version of its period is loaded: then it was not read.
    """
    connection.execute(
        """
        insert into ops.loads by name
        select $first - 1 + row_number() over (order by load_id) as load_id, source, kind,
               $file as file, $hash as content_hash, $bytes as bytes,
               if($same, rows_read, 0) as rows_read, 0 as rows_loaded, 0 as rows_quarantined,
               if($same, rows_read, 0) as rows_already_there, 'already there' as status,
               if($same, 'the same bytes as ', 'not read: a larger version of its period is ')
                   || file as reason,
               $at as loaded_at
        from ops.loads where source = $source and list_contains($loads, load_id)
        """,
        {
            "first": next_load_id(connection),
            "file": file.name,
            "hash": file.content_hash,
            "bytes": file.size,
            "same": is_same,
            "at": at,
            "source": source_name,
            "loads": list(known.loads),
        },
    )


def note_replaced(
    connection: duckdb.DuckDBPyConnection, name: str, replaced: Iterable[int], newest: int
) -> None:
    """Write into the entry of a file what it took the place of."""
    connection.execute(
        """
        update ops.loads set reason = old.told from (
            select kind, 'replaces load ' || string_agg(load_id, ', ' order by load_id) || ' with '
                || sum(rows_read) || ' rows' as told
            from ops.loads where list_contains($replaced, load_id) group by kind
        ) old
        where loads.kind = old.kind and loads.file = $name and loads.load_id >= $newest
            and loads.status = 'loaded'
        """,
        {"replaced": list(replaced), "name": name, "newest": newest},
    )


def forget_refusals(connection: duckdb.DuckDBPyConnection, source_name: str) -> None:
    """A refused file is tried again by each run: the settings may have been mended."""
    connection.execute("delete from quarantine.files where source = ?", [source_name])
    connection.execute(
        "delete from ops.loads where source = ? and status = 'refused'", [source_name]
    )


def refuse(
    connection: duckdb.DuckDBPyConnection,
    source_name: str,
    kind: str,
    file: ExportFile,
    reason: str,
    at: datetime,
) -> None:
    """Write down that a whole file is refused, and why."""
    load_id = next_load_id(connection)
    shown = reason.replace(str(file.readable), file.name).replace(str(file.path), file.name)
    connection.execute(
        "insert into ops.loads (load_id, source, kind, file, content_hash, bytes, rows_read, "
        "rows_loaded, rows_quarantined, rows_already_there, status, reason, loaded_at) "
        "values (?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 'refused', ?, ?)",
        [load_id, source_name, kind, file.name, file.content_hash, file.size, shown, at],
    )
    connection.execute(
        "insert into quarantine.files values (?, ?, ?, ?)",
        [load_id, source_name, file.name, shown],
    )


def note_drift(
    connection: duckdb.DuckDBPyConnection, source_name: str, header: Sequence[str], first_load: int
) -> None:
    """Compare the columns of the loads from `first_load` on with those the source had before.

    Headers count, and what `_extra` holds. A column that was never there is `new`; one of the
    header that always was there and is not is `missing`.
    """
    seen = {*header, *_unread_columns(connection, first_load)}
    known = {
        name: in_header
        for name, in_header in connection.execute(
            "select column_name, in_header from ops.source_columns where source = ?", [source_name]
        ).fetchall()
    }
    changes = [(name, "new") for name in sorted(seen - set(known))] if known else []
    if header:
        told = {
            name
            for (name,) in connection.execute(
                "select column_name from ops.drift where source = ? and change = 'missing'",
                [source_name],
            ).fetchall()
        }
        gone = {name for name, in_header in known.items() if in_header} - seen - told
        changes += [(name, "missing") for name in sorted(gone)]
    if changes:
        rows = [[source_name, first_load, name, change] for name, change in changes]
        connection.executemany("insert into ops.drift values (?, ?, ?, ?)", rows)
    new = [[source_name, name, name in header] for name in sorted(seen - set(known))]
    if new:
        connection.executemany("insert into ops.source_columns values (?, ?, ?)", new)


def _unread_columns(connection: duckdb.DuckDBPyConnection, first_load: int) -> set[str]:
    kinds = connection.execute(
        "select distinct kind from ops.loads where load_id >= ?", [first_load]
    ).fetchall()
    found: set[str] = set()
    for (kind,) in kinds:
        structures = connection.execute(
            f"select distinct json_structure(_extra)::varchar from raw.{sql.name(kind)} "
            "where _load_id >= ? and _extra is not null limit 1000",
            [first_load],
        ).fetchall()
        for (structure,) in structures:
            found.update(_paths(json.loads(structure)))
    return found


def _paths(structure: Any, prefix: str = "") -> Iterator[str]:
    """Dotted names of the leaves of a JSON structure.

    >>> list(_paths({"a": "VARCHAR", "b": {"c": ["VARCHAR"]}}))
    ['a', 'b.c']
    """
    if not isinstance(structure, dict):
        if structure != "JSON":  # an empty object, which a merge patch left behind
            yield prefix.removesuffix(".")
        return
    for name, inner in structure.items():
        yield from _paths(inner, f"{prefix}{name}.")
