"""The published tables as Parquet, partitioned by `as_of`: `<table>/as_of=YYYY-MM-DD/*.parquet`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from tessera import sql

# Of daily runs two months, of weekly ones more than a year.
KEPT_DAYS = 60


def write(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    tables: Sequence[str],
    as_of: date,
    before: Path,
) -> None:
    """Write `published.segments`, which is attached, into a new, empty folder.

    The partitions of other days are taken over from `before`, the folder of the last publication,
    as hard links: a day that is published again replaces its own partition only. A table that does
    not say `as_of` in its rows, or has none, stands in the partition of the day published.
    """
    for table in tables:
        (folder / table).mkdir()
        _write_table(connection, folder / table, as_of)
        _take_over(before / table, folder / table)


def _write_table(connection: duckdb.DuckDBPyConnection, folder: Path, as_of: date) -> None:
    table = f"published.segments.{sql.name(folder.name)}"
    relation = connection.table(table)
    if "as_of" in relation.columns and relation.limit(1).fetchall():
        connection.execute(
            f"copy {table} to {sql.text(str(folder))} "
            "(format parquet, compression zstd, partition_by (as_of), overwrite_or_ignore)"
        )
        return
    partition = folder / f"as_of={as_of}"
    partition.mkdir()
    columns = "* exclude (as_of)" if "as_of" in relation.columns else "*"
    connection.execute(
        f"copy (select {columns} from {table}) to {sql.text(str(partition / 'data_0.parquet'))} "
        "(format parquet, compression zstd)"
    )


def _take_over(before: Path, folder: Path) -> None:
    written = {partition.name for partition in folder.iterdir()}
    kept = sorted({p.name for p in before.glob("as_of=*")} | written)[-KEPT_DAYS:]
    for name in set(kept) - written:
        (folder / name).mkdir()
        for file in (before / name).iterdir():
            _link(file, folder / name / file.name)


def _link(file: Path, to: Path) -> None:
    try:
        os.link(file, to)
    except OSError:  # a file system without hard links
        shutil.copy2(file, to)
