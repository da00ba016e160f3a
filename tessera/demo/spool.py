"""Spool: collects simulated rows and writes them as files, one per export and month.

Rows are held until there are enough of them; a large company gives several parts per month.
"""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tessera import sql
from tessera.demo.columns import Columns, concat, cut, rows, take, words
from tessera.demo.exports import Export, select

HELD = 5_000_000  # rows of one export held in memory before a part is written
_BATCH = 122_880  # DuckDB's row group: batches of this size are written in parallel
# Level 1 is three times as fast as 6 and a fifth larger.
_GZIP_LEVEL = 1


@dataclass
class Spool:
    """Writes exports to `out` as text files (`text`) or Parquet."""

    connection: duckdb.DuckDBPyConnection
    out: Path
    exports: dict[str, Export]
    months: list[str]
    text: bool
    files: dict[str, list[Path]] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    _held: dict[str, list[Columns]] = field(default_factory=dict)
    _parts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, columns: Columns) -> None:
        """Hold rows (with their column `month`) and write a part once there are enough."""
        held = self._held.setdefault(kind, [])
        held.append(columns)
        if sum(rows(part) for part in held) >= HELD:
            self._parts[kind] = self._parts.get(kind, 0) + 1
            self._write(kind, f"-part{self._parts[kind]}")

    def close(self) -> None:
        """Write what is still held."""
        for kind in self.exports:
            held = self._held.get(kind, [])
            part = self._parts.get(kind, 0)
            if part and not any(rows(columns) for columns in held):
                continue  # everything stands in earlier parts
            self._write(kind, f"-part{part + 1}" if part else "")

    def _write(self, kind: str, suffix: str) -> None:
        """Write the held rows of one export, by month and time, two files at a time."""
        columns = _in_order(concat(self._held.pop(kind)))
        export = self.exports[kind]
        self.written[kind] = self.written.get(kind, 0) + rows(columns)
        months = self.months if "{month}" in export.file else self.months[:1]
        edges = np.searchsorted(columns["month"], np.arange(len(months) + 1))
        jobs = [
            (export.file.format(month=month) + suffix, start, stop)
            for month, start, stop in zip(months, edges[:-1], edges[1:], strict=True)
            # A quiet month still has its file, unless that would be an empty one.
            if stop > start or not (suffix or export.line)
        ]
        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda job: self._file(kind, columns, *job), jobs))
        self.files.setdefault(kind, []).extend(done)

    def _file(self, kind: str, columns: Columns, name: str, start: int, stop: int) -> Path:
        """Write one file on a cursor of its own."""
        export = self.exports[kind]
        path = self.out / f"{name}.{export.ending if self.text else 'parquet'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        query = select(export, kind, self.text)
        with self.connection.cursor() as cursor:
            cursor.register("source", _table(cut(columns, start, stop), export))
            if self.text and export.line:
                _write_lines(path, cursor.sql(query).to_arrow_table()["line"])
            else:
                form = "FORMAT csv, HEADER true" if self.text else "FORMAT parquet"
                cursor.execute(f"COPY ({query}) TO {sql.text(str(path))} ({form})")
            cursor.unregister("source")
        return path


def _in_order(columns: Columns) -> Columns:
    """Sort rows by month of the file, then time; rows without a month keep their order."""
    if "month" not in columns:
        return columns | {"month": np.zeros(rows(columns), dtype=np.int16)}
    at = columns["at_ms"] if "at_ms" in columns else columns["at"]
    key = (columns["month"].astype(np.int64) << 48) + at
    if (key[1:] >= key[:-1]).all():
        return columns
    return take(columns, np.argsort(key, kind="stable"))


def _table(columns: Columns, export: Export) -> pa.Table:
    """Turn columns into Arrow: codes into words, seconds into timestamps."""
    arrays = {}
    for name, values in columns.items():
        if name in export.words:
            arrays[name] = words(values, export.words[name])
        elif name == "at_ms":
            arrays[name] = pa.array(values.view("datetime64[ms]"))
        elif name == "at" or name.endswith("_at"):
            arrays[name] = pa.array(values.view("datetime64[s]"))
        else:
            arrays[name] = pa.array(values)
    table = pa.table(arrays)
    return pa.Table.from_batches(table.to_batches(max_chunksize=_BATCH), schema=table.schema)


def _write_lines(path: Path, lines: pa.ChunkedArray) -> None:
    """Write finished lines, compressed if the name says so.

    Python's gzip, since DuckDB's takes twice as long; it carries no time (mtime 0).
    """
    pieces = []
    for chunk in lines.chunks:
        whole = pa.ListArray.from_arrays([0, len(chunk)], pc.cast(chunk, pa.string()))
        pieces.append(pc.binary_join(whole, "\n")[0].as_buffer().to_pybytes() + b"\n")
    content = b"".join(pieces)
    if path.suffix == ".gz":
        content = gzip.compress(content, _GZIP_LEVEL, mtime=0)
    path.write_bytes(content)
