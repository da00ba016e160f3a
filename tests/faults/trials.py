"""What the fault tests share: weekly runs that are killed, readers that loop, tables by content."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import duckdb

from tessera import warehouse

ROOT = Path(__file__).resolve().parents[2]
FIRST, SECOND = date(2025, 12, 1), date(2025, 12, 29)
# Tell when something happened, not what is: they differ between two runs of the same input.
CLOCKED = ("about", "pipeline_")
CLOCKED_COLUMNS = ("published_at",)
WEEKLY_RUN = (sys.executable, "-W", "ignore", "-m", "tests.faults.weekly_run")
LONGEST = 900  # seconds that one weekly run may take on a busy machine


def copy(prepared: Path, folder: Path) -> Path:
    """A data folder of one's own, links as links."""
    shutil.copytree(prepared, folder, symlinks=True)
    return folder


def start(data: Path, as_of: date = SECOND, **environment: str) -> subprocess.Popen[str]:
    """A weekly run in a process of its own."""
    return subprocess.Popen(
        [*WEEKLY_RUN, str(data), as_of.isoformat()],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=(data / "errors.log").open("a"),
        text=True,
    )


def finish(data: Path, as_of: date = SECOND, **environment: str) -> str:
    """Run to the end; return what it said. Fails when the run does."""
    running = start(data, as_of, **environment)
    said, _ = running.communicate(timeout=LONGEST)
    assert running.returncode == 0, said + (data / "errors.log").read_text()[-2000:]
    return said


def seconds_by_step(said: str) -> dict[str, float]:
    """Of the lines of a weekly run."""
    ends = [line.split() for line in said.splitlines() if line.startswith("ends ")]
    return {step: float(seconds) for _, step, seconds, *_ in ends}


@dataclass(frozen=True)
class Moment:
    """A point of a run: so many seconds into a step."""

    step: str
    seconds: float


def kill(data: Path, moment: Moment, **environment: str) -> str | None:
    """Run until the moment, then SIGKILL; the step it died in, None when it ended before."""
    running = start(data, **environment)
    step = await_step(running, moment.step)
    try:
        running.wait(moment.seconds)
    except subprocess.TimeoutExpired:
        os.kill(running.pid, signal.SIGKILL)
    rest, _ = running.communicate(timeout=60)
    begun = [line.split()[1] for line in rest.splitlines() if line.startswith("begins ")]
    return (begun or [step])[-1] if running.returncode == -signal.SIGKILL else None


def await_step(running: subprocess.Popen[str], step: str) -> str:
    """Read until a step begins."""
    assert running.stdout
    for line in running.stdout:
        if line.split()[:2] == ["begins", step]:
            return step
    raise AssertionError(f"the run ended before {step}")


def contents(data: Path) -> dict[str, str]:
    """Rows and order-independent hash of every published table, by name; all columns but clocks."""
    with warehouse.open_published(data / "published" / "segments.duckdb") as opened:
        return {t: _content(opened, f"segments.{t}") for t in _tables(opened)}


def contents_of_parquet(data: Path) -> dict[str, str]:
    """The same of the Parquet files beside, of the days that the published file has."""
    folder = data / "published" / "parquet"
    tables = list(contents(data))
    assert {path.name for path in folder.iterdir()} >= set(tables)
    with duckdb.connect() as opened:
        file = (data / "published" / "segments.duckdb").resolve()
        opened.execute(f"attach '{file}' as file (read_only)")
        return {table: _content(opened, _partitions(opened, folder, table)) for table in tables}


def _partitions(opened: duckdb.DuckDBPyConnection, folder: Path, table: str) -> str:
    """The rows of a table's Parquet that stand for what the published file has of it."""
    columns = [row[0] for row in opened.execute(f"describe file.segments.{table}").fetchall()]
    days = {max(path.name for path in (folder / table).iterdir())}
    if "as_of" in columns:
        rows = opened.execute(f"select distinct as_of from file.segments.{table}").fetchall()
        days = {f"as_of={day}" for (day,) in rows} or days
    files = [str(folder / table / day / "*.parquet") for day in sorted(days)]
    return f"(select {', '.join(columns)} from read_parquet({files}))"


def _tables(opened: duckdb.DuckDBPyConnection) -> list[str]:
    rows = opened.execute(
        "select table_name from duckdb_tables() where schema_name = 'segments' order by all"
    ).fetchall()
    return [name for (name,) in rows if not name.startswith(CLOCKED)]


def _content(opened: duckdb.DuckDBPyConnection, table: str) -> str:
    columns = [row[0] for row in opened.execute(f"describe from {table}").fetchall()]
    kept = ", ".join(f'"{name}"' for name in sorted(columns) if name not in CLOCKED_COLUMNS)
    query = f"select count(*), sum(hash(row({kept}))::hugeint) from {table}"
    rows, digest = opened.execute(query).fetchall()[0]
    return f"{rows} rows {digest or 0:x}"


def version(data: Path) -> tuple[date, datetime]:
    """as_of and published_at of what is published; fails when tables are of different versions."""
    with warehouse.open_published(data / "published" / "segments.duckdb") as opened:
        told = " union ".join(
            f"select published_at from segments.{table}" for table in _tables(opened)
        )
        ((published_at,),) = opened.execute(told).fetchall()
        query = "select max(as_of) from segments.customer_segments"
        ((as_of,),) = opened.execute(query).fetchall()
    return as_of, published_at


@dataclass
class Readers:
    """Threads that ask for the published version again and again, as BI tools do."""

    data: Path
    count: int = 2
    reads: int = 0
    errors: list[str] = field(default_factory=list)
    seen: list[tuple[date, datetime]] = field(default_factory=list)

    def __enter__(self) -> Readers:
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._read) for _ in range(self.count)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _read(self) -> None:
        while not self._over.is_set():
            try:
                found = version(self.data)
            except Exception as error:
                self.errors.append(f"{type(error).__name__}: {error}")
            else:
                self.reads += 1
                if found not in self.seen:
                    self.seen.append(found)
            time.sleep(0.2)
