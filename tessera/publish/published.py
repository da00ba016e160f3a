"""Segment tables to readers: a new file, then one swap, so that nobody sees half of it.

Why a symlink and not a rename over the file: DuckDB caches an open database by its path, and a busy
reader stayed on the old one for seconds. docs/decisions/publishing.md.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from tessera import disk, sql
from tessera.publish import about as about_tables
from tessera.publish import lake
from tessera.publish.about import About

FILE, PARQUET = "segments.duckdb", "parquet"
# Read by DuckDB clients from 1.2 on.
STORAGE_VERSION = "v1.2.0"
KEPT = 3
UNFINISHED = ".unfinished"


def publish(
    connection: duckdb.DuckDBPyConnection, folder: Path, about: About, tables: Sequence[str]
) -> str:
    """Publish `tables` of the schema `segments` as `segments-<run>.duckdb` and Parquet; say what
    was done, and what else the schema holds: it is not published.

    The same run is published once. `published_at` stands in every table, and `about` in one of
    its own.
    """
    version, parquet = folder / f"segments-{about.run}.duckdb", folder / f"parquet-{about.run}"
    links = {folder / FILE: version, folder / PARQUET: parquet}
    missing = [m for link, m in links.items() if _current(link) != m.name or not m.exists()]
    if not missing:
        return "unchanged"
    folder.mkdir(parents=True, exist_ok=True)
    with _no_leftovers(folder):
        # A run that was killed between the two swaps has published the one file already.
        if version in missing:
            _write(connection, version, about, tables)
        _write_parquet(connection, parquet, version, [*tables, about_tables.NAME], about.as_of)
    for link, made in links.items():
        _make_newest(made)
        _swap(link, made.name)
    _forget_old(folder)
    rows = connection.execute("select count(*) from segments.customer_segments").fetchall()[0][0]
    return f"{rows:,} customers in {version.name}{_left_out(connection, tables)}"


@contextmanager
def _no_leftovers(folder: Path) -> Iterator[None]:
    """Nothing half-written lies in the folder, neither of an earlier run nor when this one fails.

    It would take the space of a disk that is full, and DuckDB reads a write-ahead log that it finds
    beside a file of the same name.
    """
    _clear(folder)
    try:
        yield
    finally:
        _clear(folder)


def _clear(folder: Path) -> None:
    for leftover in folder.glob(f"*{UNFINISHED}*"):
        _remove(leftover)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _left_out(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> str:
    """Names the tables that lie in the schema and are not published: nobody tests them any more."""
    rows = connection.execute(
        "select table_name from duckdb_tables() where schema_name = 'segments' "
        "and database_name = current_database() and not list_contains(?, table_name) order by all",
        [list(tables)],
    ).fetchall()
    names = ", ".join(name for (name,) in rows)
    return f"; not published, as no dbt model makes them: {names}" if rows else ""


def _current(link: Path) -> str | None:
    return link.readlink().name if link.is_symlink() else None


def _write(
    connection: duckdb.DuckDBPyConnection, version: Path, about: About, tables: Sequence[str]
) -> None:
    unfinished = version.with_suffix(UNFINISHED)
    connection.execute(
        f"attach {sql.text(str(unfinished))} as published "
        f"(read_write, storage_version '{STORAGE_VERSION}')"
    )
    try:
        connection.execute("create schema published.segments")
        for table in tables:
            connection.execute(
                f"create table published.segments.{sql.name(table)} as select *, "
                f"timestamp '{about.published_at}' as published_at from segments.{sql.name(table)}"
            )
        about_tables.write(connection, about, tables)
        connection.execute("checkpoint published")
    finally:
        connection.execute("detach published")
    disk.sync(unfinished)
    unfinished.rename(version)


def _write_parquet(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    version: Path,
    tables: Sequence[str],
    as_of: date,
) -> None:
    """The same tables as Parquet, from the published file itself, so that both say the same."""
    unfinished = folder.with_name(folder.name + UNFINISHED)
    unfinished.mkdir()
    connection.execute(f"attach {sql.text(str(version))} as published (read_only)")
    try:
        lake.write(connection, unfinished, tables, as_of, folder.with_name(PARQUET))
    finally:
        connection.execute("detach published")
    for made in [*unfinished.rglob("*"), unfinished]:
        disk.sync(made)
    if folder.is_dir():
        shutil.rmtree(folder)
    unfinished.rename(folder)


def _swap(link: Path, target: str) -> None:
    """Point a symlink elsewhere in one step."""
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.rename(link)
    disk.sync(link.parent)


def _versions(folder: Path, pattern: str) -> list[Path]:
    """Oldest first."""
    return sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime_ns)


def _make_newest(made: Path) -> None:
    """Its time of change is after that of all others, also when the clock has gone back."""
    kind = made.name.partition("-")[0]
    newest = _versions(made.parent, f"{kind}-*")[-1]
    if newest != made:
        after = newest.stat().st_mtime_ns + 1
        os.utime(made, ns=(after, after))


def _forget_old(folder: Path) -> None:
    """Keep the last versions: a reader may still have an older one open."""
    kept = {_current(folder / FILE), _current(folder / PARQUET)}
    for pattern in ("segments-*.duckdb", "parquet-*"):
        for old in _versions(folder, pattern)[:-KEPT]:
            if old.name not in kept:
                _remove(old)
