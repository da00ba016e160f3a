"""Exports to the raw floor: each file once, each row either loaded or in quarantine.

Files of one shape are read by one statement. When DuckDB cannot read them, the batch is halved
until the broken file stands alone; that file is cleaned and tried once more, else refused whole,
and its neighbours are loaded.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from tessera import sql
from tessera.ingest import ledger
from tessera.ingest.batch import StillGrowing, UnreadableBatch, load_batch
from tessera.ingest.files import (
    ExportFile,
    RefusedFile,
    byte_order_mark,
    clean_copy,
    discover,
)
from tessera.ingest.incoming import Batch
from tessera.ingest.kinds import KINDS
from tessera.ingest.readers import Shape, check_required, shape_of
from tessera.ingest.source import Source

# Text that one statement reads, in bytes: it waits in a temporary table, within the memory limit.
BATCH_BYTES = 256 * 1024**2
# Each file is a scan of its own in that statement; the time to plan it grows faster than its scans.
BATCH_FILES = 100
# What a byte on disk is as text, roughly: measured on JSON lines and on Parquet with zstd.
UNPACKED = {".gz": 10, ".zst": 10, ".parquet": 5}


@dataclass(frozen=True)
class Loaded:
    """What became of the files of one source in one run.

    `growing` files are left for the next run; `drift` names columns that came or went.
    """

    source: str
    files_found: int = 0
    files_loaded: int = 0
    files_refused: int = 0
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_already_there: int = 0
    growing: list[str] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)


def create_raw_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the raw table of every kind, so that dbt always finds its sources."""
    for name, kind in KINDS.items():
        table = f"raw.{sql.name(name)}"
        columns = ", ".join(f"{sql.name(column)} varchar" for column in kind.columns)
        connection.execute(
            f"create table if not exists {table} ({columns}, _extra varchar, _source varchar, "
            "_file varchar, _load_id bigint, _line bigint, _item integer)"
        )
        for column in (*kind.columns, "_extra"):
            connection.execute(
                f"alter table {table} add column if not exists {sql.name(column)} varchar"
            )


@dataclass(frozen=True)
class _Task:
    """The load of one source."""

    connection: duckdb.DuckDBPyConnection
    source_name: str
    source: Source
    loaded_at: datetime
    currencies: Collection[str] | None
    folder: Path

    def refuse(self, file: ExportFile, reason: str) -> None:
        kind = self.source.kinds[0]
        ledger.refuse(self.connection, self.source_name, kind, file, reason, self.loaded_at)


def load_source(
    connection: duckdb.DuckDBPyConnection,
    inbox: Path,
    source_name: str,
    source: Source,
    loaded_at: datetime,
    *,
    currencies: Collection[str] | None = None,
    settle_seconds: float = 0.0,
    again: Collection[str] = (),
) -> Loaded:
    """Load what is new among the files of one source. `loaded_at` is naive UTC.

    A file whose bytes the ledger knows is not read again, whatever its name; one with a known name
    (or period) and other bytes takes the place of the rows that were loaded from it. A refused
    file is tried again by each run. `currencies` are those with an exchange rate (None: any), and
    `again` names files to be loaded anew.
    """
    found = discover(inbox, source.files, settle_seconds)
    ledger.forget_refusals(connection, source_name)
    first_load = ledger.next_load_id(connection)
    growing = list(found.growing)
    with TemporaryDirectory(prefix="tessera-") as folder:
        task = _Task(connection, source_name, source, loaded_at, currencies, Path(folder))
        known = _Known.read(task)
        new = [f for f in found.files if f.name in again or not known.has(f)]
        replaces = {file.name: known.in_the_place_of(file) for file in new}
        shaped = _shaped(task, _largest_of_each_period(source, new, known))
        for shape, group in groupby(_first_of_each_content(shaped), key=lambda pair: pair[0]):
            for files in _bounded([file for _, file in group], alone=again):
                growing += _load(task, shape, files, replaces)
        _note_the_known(task, found.files)
    return _summary(connection, source_name, first_load, len(found.files), growing)


def _place(source: Source, name: str) -> str | None:
    """What a file stands for: of the versions of one place only one is loaded."""
    match = re.search(source.period, name) if source.period else None
    if match:
        return f"period {match.group(1)}"
    return name if source.same_name == "replace" else None


@dataclass(frozen=True)
class _Known:
    """What the ledger says of a source's files, by content and by place."""

    source: Source
    named: set[tuple[str, str]]
    withdrawn: set[str]
    by_content: dict[str, ledger.Entry]
    by_place: dict[str, list[ledger.Entry]]

    @classmethod
    def read(cls, task: _Task) -> _Known:
        known = cls(task.source, set(), set(), {}, {})
        for entry in ledger.entries(task.connection, task.source_name):
            known.named.add((entry.file, entry.content_hash))
            if entry.status == "withdrawn":
                known.withdrawn.add(entry.content_hash)
            if entry.status == ledger.LIVE:
                known.by_content.setdefault(entry.content_hash, entry)
                # `again` takes the place of the same file even where others are added.
                place = _place(task.source, entry.file) or entry.file
                known.by_place.setdefault(place, []).append(entry)
        return known

    def has(self, file: ExportFile) -> bool:
        """Whether the bytes are loaded, or were withdrawn.

        What a file of this name held before counts as new: somebody put the older version back.
        """
        return file.content_hash in self.by_content or file.content_hash in self.withdrawn

    def in_the_place_of(self, file: ExportFile) -> list[int]:
        """The loads whose rows a file takes the place of."""
        place = _place(self.source, file.name)
        return [
            load_id
            for entry in self.by_place.get(place or file.name, [])
            if place or entry.content_hash == file.content_hash
            for load_id in entry.loads
        ]


def _largest_of_each_period(
    source: Source, files: Sequence[ExportFile], known: _Known
) -> list[ExportFile]:
    """A re-sent day counts in its largest version, whichever arrives first; ties go by name."""
    if not source.period:
        return list(files)
    largest: dict[str | None, tuple[int, str]] = {}
    for file in files:
        place = _place(source, file.name)
        live = [(e.bytes, e.file) for e in known.by_place.get(place or "", [])]
        largest[place] = max([largest.get(place, (0, "")), (file.size, file.name), *live])
    return [
        file
        for file in files
        if re.search(source.period, file.name) is None
        or (file.size, file.name) == largest[_place(source, file.name)]
    ]


def _shaped(task: _Task, files: Sequence[ExportFile]) -> Iterator[tuple[Shape, ExportFile]]:
    """The files that can be read, as UTF-8, with their shapes; the others are refused."""
    for file in files:
        try:
            encoding = byte_order_mark(file.path) or task.source.encoding
            if encoding != "utf-8" and file.path.suffix != ".parquet":
                file = replace(file, readable=clean_copy(file.path, encoding, task.folder))  # noqa: PLW2901
            shape = shape_of(task.connection, file.readable, task.source)
            check_required(shape, task.source, KINDS[task.source.kinds[0]].required)
            yield shape, file
        except RefusedFile as refusal:
            task.refuse(file, str(refusal))


def _first_of_each_content(
    shaped: Iterator[tuple[Shape, ExportFile]],
) -> Iterator[tuple[Shape, ExportFile]]:
    seen = set()
    for shape, file in shaped:
        if file.content_hash not in seen:
            seen.add(file.content_hash)
            yield shape, file


def _bounded(files: Sequence[ExportFile], alone: Collection[str]) -> list[list[ExportFile]]:
    """Batches of at most BATCH_BYTES of text and BATCH_FILES; those to be repaired stand alone."""
    batches: list[list[ExportFile]] = [[]]
    size = 0
    for file in files:
        unpacked = file.size * UNPACKED.get(file.path.suffix, 1)
        is_full = size + unpacked > BATCH_BYTES or len(batches[-1]) == BATCH_FILES
        is_apart = batches[-1] and (file.name in alone or batches[-1][-1].name in alone)
        if batches[-1] and (is_full or is_apart):
            batches.append([])
            size = 0
        batches[-1].append(file)
        size += unpacked
    return batches


def _load(
    task: _Task, shape: Shape, files: Sequence[ExportFile], replaces: Mapping[str, Sequence[int]]
) -> list[str]:
    """Load a batch; halve it when it cannot be read, until the broken file stands alone.

    Returns the names of files that somebody wrote to meanwhile.
    """
    taken = {file.name: replaces[file.name] for file in files}
    batch = Batch(
        task.source_name, task.source, shape, files, task.loaded_at, task.currencies, taken
    )
    try:
        load_batch(task.connection, batch)
    except StillGrowing:
        still = [file for file in files if not file.has_changed()]
        grown = [file.name for file in files if file.has_changed()]
        return grown + (_load(task, shape, still, replaces) if still else [])
    except UnreadableBatch as error:
        if len(files) == 1:
            return _load_cleaned(task, shape, files[0], replaces, str(error))
        middle = len(files) // 2
        halves = (files[:middle], files[middle:])
        return [name for half in halves for name in _load(task, shape, half, replaces)]
    return []


def _load_cleaned(
    task: _Task,
    shape: Shape,
    file: ExportFile,
    replaces: Mapping[str, Sequence[int]],
    reason: str,
) -> list[str]:
    """Try a text file once more with even line ends, which DuckDB insists on; else refuse it."""
    if shape.is_text and file.readable == file.path:
        try:
            copy = clean_copy(file.path, "utf-8", task.folder)
        except RefusedFile as refusal:
            task.refuse(file, str(refusal))
            return []
        return _load(task, shape, [replace(file, readable=copy)], replaces)
    task.refuse(file, reason)
    return []


def _note_the_known(task: _Task, files: Sequence[ExportFile]) -> None:
    """Write down the files whose rows are there by another name, or in a larger version.

    What was loaded from such a file before is taken back: its bytes stand elsewhere now.
    """
    known = _Known.read(task)
    for file in files:
        if (file.name, file.content_hash) in known.named:
            continue
        same = known.by_content.get(file.content_hash)
        versions = known.by_place.get(_place(task.source, file.name) or "", [])
        if same is not None:
            stale = [load_id for e in versions if e is not same for load_id in e.loads]
            task.connection.execute("begin")
            ledger.take_back_replaced(task.connection, {file.name: stale})
            _note(task, file, same, is_same=True)
            task.connection.execute("commit")
        elif task.source.period:
            larger = [e for e in versions if (e.bytes, e.file) > (file.size, file.name)]
            for entry in larger[:1]:
                _note(task, file, entry, is_same=False)


def _note(task: _Task, file: ExportFile, entry: ledger.Entry, *, is_same: bool) -> None:
    ledger.note_already_there(
        task.connection, task.source_name, file, entry, task.loaded_at, is_same=is_same
    )


def _summary(
    connection: duckdb.DuckDBPyConnection,
    source_name: str,
    first_load: int,
    found: int,
    growing: list[str],
) -> Loaded:
    counts = connection.execute(
        """
        select count(distinct file) filter (status = 'loaded'),
               count(distinct file) filter (status = 'refused'),
               coalesce(sum(rows_read), 0)::bigint, coalesce(sum(rows_loaded), 0)::bigint,
               coalesce(sum(rows_quarantined), 0)::bigint,
               coalesce(sum(rows_already_there), 0)::bigint
        from ops.loads where source = ? and load_id >= ?
        """,
        [source_name, first_load],
    ).fetchone()
    drift = connection.execute(
        "select column_name || ' is ' || change from ops.drift where source = ? and load_id >= ? "
        "order by load_id, column_name",
        [source_name, first_load],
    ).fetchall()
    files, refused, read, loaded, quarantined, there = counts or (0,) * 6
    told = [name for (name,) in drift]
    return Loaded(
        *(source_name, found, files, refused),
        *(read, loaded, quarantined, there),
        sorted(growing),
        told,
    )
