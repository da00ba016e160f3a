"""Find secrets where none may be: in files of any kind, DuckDB and Parquet ones too."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb


def holding(folder: Path, markers: Sequence[str]) -> list[str]:
    """`file: marker` for every file below the folder that holds one of them, compressed or not."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            found += [f"{path}: {m}" for m in markers if _is_in(m.encode(), path)]
    return found


def _is_in(marker: bytes, path: Path) -> bool:
    return any(marker in part for part in _parts(path))


def _parts(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()
    if path.suffix == ".gz":
        yield gzip.decompress(path.read_bytes())
    elif path.suffix == ".duckdb":  # strings are compressed in it
        with duckdb.connect(str(path), read_only=True) as connection:
            yield from _rows(connection, connection.execute(TABLES).fetchall())
    elif path.suffix == ".parquet":
        with duckdb.connect() as connection:
            connection.read_parquet(str(path)).create_view("seen")
            yield from _rows(connection, [('"seen"',)])


TABLES = """
    select format('"{}"."{}"', replace(schema_name, '"', '""'), replace(table_name, '"', '""'))
    from duckdb_tables()
"""


def _rows(connection: duckdb.DuckDBPyConnection, tables: Sequence[tuple[str]]) -> Iterator[bytes]:
    for (table,) in tables:
        for batch in connection.sql(f"select to_json(t)::varchar as r from {table} t").fetchall():
            yield batch[0].encode()
