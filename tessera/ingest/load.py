"""Exports to the raw floor: each file once, each row either loaded or in quarantine.

Files of one shape are read by one statement. When DuckDB cannot read them, the batch is halved
until the broken file stands alone; that file is refused whole and its neighbours are loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path

import duckdb

from tessera.ingest import sql
from tessera.ingest.batch import Batch, UnreadableBatch, load_batch, next_load_id
from tessera.ingest.files import ExportFile, RefusedFile, discover
from tessera.ingest.kinds import KINDS
from tessera.ingest.readers import Shape, check_required, shape_of
from tessera.ingest.source import Source

# Text that one statement reads, in bytes: it waits in a temporary table, within the memory limit.
BATCH_BYTES = 512 * 1024**2
# What a byte on disk is as text, roughly: measured on JSON lines and on Parquet with zstd.
UNPACKED = {".gz": 10, ".zst": 10, ".parquet": 5}


class NotLoaded(LookupError):
    """No loaded file has that name."""


@dataclass(frozen=True)
class Loaded:
    """What became of the files of one source in one run."""

    source: str
    files_found: int = 0
    files_loaded: int = 0
    files_refused: int = 0
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0


def create_raw_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the raw table of every kind, so that dbt always finds its sources."""
    for name, kind in KINDS.items():
        columns = ", ".join(f"{sql.name(column)} varchar" for column in kind.columns)
        connection.execute(
            f"create table if not exists raw.{sql.name(name)} "
            f"({columns}, _source varchar, _load_id bigint, _line bigint)"
        )


def load_source(
    connection: duckdb.DuckDBPyConnection,
    inbox: Path,
    source_name: str,
    source: Source,
    loaded_at: datetime,
) -> Loaded:
    """Load what is new among the files of one source. `loaded_at` is naive UTC.

    A file whose bytes the ledger knows is not read again, whatever its name. A refused file is
    tried again by the next run: the settings may have been mended.
    """
    found = discover(inbox, source.files)
    known = {
        row[0]
        for row in connection.execute(
            "select content_hash from ops.loads where source = ? and status <> 'refused'",
            [source_name],
        ).fetchall()
    }
    new = {f.content_hash: f for f in reversed(found) if f.content_hash not in known}
    _forget_refusals(connection, source_name)
    first_load = next_load_id(connection)
    shaped: list[tuple[Shape, ExportFile]] = []
    for file in sorted(new.values(), key=lambda f: f.name):
        try:
            shape = shape_of(connection, file.path, source.format, source.delimiter)
            check_required(shape, source.columns, KINDS[source.kind].required)
            shaped.append((shape, file))
        except RefusedFile as refusal:
            _refuse(connection, source_name, source.kind, file, str(refusal), loaded_at)
    for shape, group in groupby(shaped, key=lambda pair: pair[0]):
        for files in _bounded([file for _, file in group]):
            _load(connection, Batch(source_name, source, shape, files, loaded_at))
    return _summary(connection, source_name, first_load, len(found))


def withdraw(connection: duckdb.DuckDBPyConnection, file: str, at: datetime) -> int:
    """Take the rows of a loaded file out of raw and quarantine; return how many there were.

    The ledger keeps the file as withdrawn: the same bytes are not loaded again.
    Raises NotLoaded when no file of this name is loaded.
    """
    found = connection.execute(
        "select load_id, kind, rows_read from ops.loads where file = ? and status = 'loaded'",
        [file],
    ).fetchall()
    if not found:
        raise NotLoaded(f"no loaded file is called {file}: names are paths below the inbox")
    connection.execute("begin")
    for load_id, kind, _ in found:
        connection.execute(f"delete from raw.{sql.name(kind)} where _load_id = ?", [load_id])
        connection.execute("delete from quarantine.rows where load_id = ?", [load_id])
        connection.execute(
            "update ops.loads set status = 'withdrawn', reason = ?, rows_loaded = 0, "
            "rows_quarantined = 0, newest_event_at = null where load_id = ?",
            [f"withdrawn by hand at {at:%Y-%m-%d %H:%M} UTC", load_id],
        )
    connection.execute("commit")
    return sum(rows for _, _, rows in found)


def _bounded(files: Sequence[ExportFile]) -> list[list[ExportFile]]:
    batches: list[list[ExportFile]] = [[]]
    size = 0
    for file in files:
        unpacked = file.size * UNPACKED.get(file.path.suffix, 1)
        if batches[-1] and size + unpacked > BATCH_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(file)
        size += unpacked
    return batches


def _load(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Load a batch; halve it when it cannot be read, until the broken file stands alone."""
    try:
        load_batch(connection, batch)
    except UnreadableBatch as error:
        if len(batch.files) == 1:
            _refuse(
                connection,
                batch.source_name,
                batch.source.kind,
                batch.files[0],
                str(error),
                batch.loaded_at,
            )
            return
        middle = len(batch.files) // 2
        for files in (batch.files[:middle], batch.files[middle:]):
            _load(connection, replace(batch, files=files))


def _forget_refusals(connection: duckdb.DuckDBPyConnection, source_name: str) -> None:
    connection.execute("delete from quarantine.files where source = ?", [source_name])
    connection.execute(
        "delete from ops.loads where source = ? and status = 'refused'", [source_name]
    )


def _refuse(
    connection: duckdb.DuckDBPyConnection,
    source_name: str,
    kind: str,
    file: ExportFile,
    reason: str,
    loaded_at: datetime,
) -> None:
    load_id = next_load_id(connection)
    shown = reason.replace(str(file.path), file.name)
    connection.execute(
        "insert into ops.loads values (?, ?, ?, ?, ?, ?, 0, 0, 0, null, 'refused', ?, ?)",
        [load_id, source_name, kind, file.name, file.content_hash, file.size, shown, loaded_at],
    )
    connection.execute(
        "insert into quarantine.files values (?, ?, ?, ?)",
        [load_id, source_name, file.name, shown],
    )


def _summary(
    connection: duckdb.DuckDBPyConnection, source_name: str, first_load: int, found: int
) -> Loaded:
    row = connection.execute(
        """
        select count(*) filter (status = 'loaded'), count(*) filter (status = 'refused'),
               coalesce(sum(rows_read), 0), coalesce(sum(rows_loaded), 0),
               coalesce(sum(rows_quarantined), 0)
        from ops.loads where source = ? and load_id >= ?
        """,
        [source_name, first_load],
    ).fetchone()
    assert row is not None
    return Loaded(source_name, found, *(int(value) for value in row))
