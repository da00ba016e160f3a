"""Publish, and die by SIGKILL at every point of it in turn: `python killed.py FOLDER`.

A point is a statement to DuckDB or an operation on files in the folder. Each time a process of its
own publishes `b` over `a` and dies; the next one looks what readers see and publishes `b` again.
Prints one line a point; ends with exit code 1 at the first that is not as it should be.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from tessera import warehouse
from tessera.publish import published
from tessera.publish.about import About

TABLES = ("customer_segments", "segment_profiles")
FILES = ("os.rename", "os.remove", "os.symlink", "os.mkdir", "os.rmdir", "os.utime", "open")
BEFORE, AFTER = 3, 5


class Fate:
    """SIGKILL for this process at the n-th point."""

    def __init__(self, at: int, folder: Path) -> None:
        self.left, self.folder, self.point = at, str(folder), ""
        sys.addaudithook(self._file)

    def _file(self, event: str, values: tuple[Any, ...]) -> None:
        if event in FILES and values and str(values[0]).startswith(self.folder):
            self.come(f"{event} {Path(str(values[0])).name}")

    def come(self, point: str) -> None:
        """Die if this is the point."""
        self.left -= 1
        if self.left < 0:
            os.write(1, f"{point}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


class Watched:
    """A connection whose every statement is a point."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, fate: Fate) -> None:
        self._connection, self._fate = connection, fate

    def execute(self, query: str, *values: Any) -> Any:
        """As the connection does."""
        self._fate.come(" ".join(query.split())[:60])
        return self._connection.execute(query, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def publish(folder: Path, run: str, customers: int, fate: Fate | None = None) -> None:
    """Publish so many customers in every table."""
    with duckdb.connect() as connection:
        connection.execute(warehouse.SCHEMA)
        connection.execute("create schema if not exists segments")
        for table in TABLES:
            connection.execute(
                f"create table segments.{table} as select i as customer_id, 'm' as model_id, "
                f"date '2026-01-01' as as_of from range({customers}) r(i)"
            )
        about = About(run, date(2026, 1, 1), datetime(2026, 1, 1, customers), "1.0")
        seen: Any = Watched(connection, fate) if fate else connection
        published.publish(seen, folder, about, TABLES)


def seen(folder: Path) -> set[int]:
    """How many customers readers find, in any table, in either format."""
    with warehouse.open_published(folder / published.FILE) as opened:
        told = [opened.execute(f"select count(*) from segments.{t}").fetchall() for t in TABLES]
    return {rows[0][0] for rows in told}


def seen_in_parquet(folder: Path) -> set[int]:
    """The same of the Parquet files."""
    with duckdb.connect() as opened:
        files = [str(folder / "parquet" / table / "*" / "*.parquet") for table in TABLES]
        query = "select count(*) from read_parquet(?)"
        return {opened.execute(query, [file]).fetchall()[0][0] for file in files}


def look_and_go_on(folder: Path) -> None:
    """What readers see after a kill, and whether the next run ends well."""
    for what in (seen(folder), seen_in_parquet(folder)):
        assert what in ({BEFORE}, {AFTER}), what
    publish(folder, "b", AFTER)
    assert seen(folder) == seen_in_parquet(folder) == {AFTER}
    expected = {"segments.duckdb", "segments-a.duckdb", "segments-b.duckdb"}
    expected |= {"parquet", "parquet-a", "parquet-b"}
    assert {path.name for path in folder.iterdir()} == expected, list(folder.iterdir())


def _in_child(work: Callable[[], None]) -> int:
    """Its exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path) -> int:
    """Every point in turn, until publishing ends before it."""
    _in_child(lambda: publish(folder / "a", "a", BEFORE))
    for number in range(1000):
        trial = folder / str(number)
        shutil.copytree(folder / "a", trial, symlinks=True)
        code = _in_child(lambda at=number, to=trial: publish(to, "b", AFTER, Fate(at, to)))  # type: ignore[misc]
        if code == 0:
            return 0
        if code != -signal.SIGKILL or _in_child(lambda to=trial: look_and_go_on(to)) != 0:  # type: ignore[misc]
            return 1
        shutil.rmtree(trial)
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
