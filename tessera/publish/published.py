"""Segment tables to readers: a new file, then one swap, so that nobody sees half of it.

Why a symlink and not a rename over the file: DuckDB caches an open database by its path, and a busy
reader stayed on the old one for seconds. docs/decisions/publishing.md.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb

FILE = "segments.duckdb"
# Read by DuckDB clients from 1.2 on.
STORAGE_VERSION = "v1.2.0"
KEPT = 3


def publish(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    run: str,
    published_at: datetime,
    tables: Sequence[str],
) -> str:
    """Publish `tables` of the schema `segments` as `segments-<run>.duckdb` and Parquet; say what
    was done, and what else the schema holds: it is not published.

    The same run is published once. `published_at` is naive UTC and stands in every table.
    """
    version = folder / f"segments-{run}.duckdb"
    if version.exists() and _current(folder / FILE) == version.name:
        return "unchanged"
    folder.mkdir(parents=True, exist_ok=True)
    rows = _write(connection, version, published_at, tables)
    parquet = _write_parquet(connection, folder / f"parquet-{run}", version, tables)
    _swap(folder / FILE, version.name)
    _swap(folder / "parquet", parquet.name)
    _forget_old(folder)
    return f"{rows:,} customers in {version.name}{_left_out(connection, tables)}"


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
    connection: duckdb.DuckDBPyConnection,
    version: Path,
    published_at: datetime,
    tables: Sequence[str],
) -> int:
    unfinished = version.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    path = str(unfinished).replace("'", "''")
    connection.execute(
        f"attach '{path}' as published (read_write, storage_version '{STORAGE_VERSION}')"
    )
    try:
        connection.execute("create schema published.segments")
        for table in tables:
            connection.execute(
                f"create table published.segments.{table} as "
                f"select *, timestamp '{published_at}' as published_at from segments.{table}"
            )
        rows = connection.execute(
            "select count(*) from published.segments.customer_segments"
        ).fetchall()[0][0]
        connection.execute("checkpoint published")
    finally:
        connection.execute("detach published")
    _sync(unfinished)
    unfinished.rename(version)
    return int(rows)


def _write_parquet(
    connection: duckdb.DuckDBPyConnection, folder: Path, version: Path, tables: Sequence[str]
) -> Path:
    """The same tables as Parquet, from the published file itself, so that both say the same."""
    folder.mkdir(parents=True, exist_ok=True)
    path = str(version).replace("'", "''")
    connection.execute(f"attach '{path}' as published (read_only)")
    try:
        for table in tables:
            target = str(folder / f"{table}.parquet").replace("'", "''")
            connection.execute(
                f"copy published.segments.{table} to '{target}' (format parquet, compression zstd)"
            )
    finally:
        connection.execute("detach published")
    return folder


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap(link: Path, target: str) -> None:
    """Point a symlink elsewhere in one step."""
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.rename(link)
    _sync(link.parent)


def _forget_old(folder: Path) -> None:
    """Keep the last versions: a reader may still have an older one open."""
    kept = {_current(folder / FILE), _current(folder / "parquet")}
    for pattern in ("segments-*.duckdb", "parquet-*"):
        versions = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime_ns)
        for old in versions[:-KEPT]:
            if old.name in kept:
                continue
            shutil.rmtree(old) if old.is_dir() else old.unlink()
