"""Eight BI readers during a rebuild, on both serving paths: `python -m benchmarks.readers`.

A demo company is published; then a weekly run rebuilds and publishes everything while readers ask
the questions of the dashboards: first of the published DuckDB file, in the next run of PostgreSQL.
Two programs of four threads each, as a BI server has; DuckDB is opened as our connection strings
say, and each reader asks its questions in one connection, or one transaction.

    errors   questions that ended in one
    mixed    of the looks at the tables, those that saw two versions
    stale    looks begun after a run's publication was done (for PostgreSQL: served) that saw an
             older version
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from benchmarks.report import Figures
from tessera.warehouse import in_memory, open_published

ROOT = Path(__file__).resolve().parents[1]
NEWEST = date(2026, 1, 1)  # the demo's last day is the one before
PROGRAMS, THREADS = 2, 4
PAUSE_SECONDS = 0.25  # people look at what they see
CAP_SECONDS = 3600.0
VERSIONS = " union ".join(
    f"select published_at::varchar as seen from segments.{table}"
    for table in ("about", "customer_segments", "segment_profiles", "segment_history")
)
QUESTIONS = (
    VERSIONS,
    "select segment_name, count(*) as customers, avg(confidence) as confidence "
    "from segments.customer_segments group by 1 order by 2 desc",
    "select lifecycle_stage, segment_name, count(*) from segments.customer_segments "
    "where m_score >= 4 group by 1, 2 order by 3 desc",
    "select customer_id, rfm_score, confidence from segments.customer_segments "
    "where segment_id = (select min(segment_id) from segments.customer_segments) "
    "order by m_score desc, customer_id limit 50",
    "select * from segments.segment_profiles",
)
Ask = Callable[[str], list[tuple[Any, ...]]]


@dataclass
class Looks:
    """What readers met with: `looks` are (begun at, version seen), monotonic seconds."""

    looks: list[tuple[float, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    mixed: int = 0

    def add(self, other: Looks) -> None:
        """Take in what another reader met with."""
        self.looks += [(at, seen) for at, seen in other.looks]
        self.seconds += other.seconds
        self.errors += other.errors
        self.mixed += other.mixed

    def look(self, ask: Ask) -> None:
        """Ask every question once, of one snapshot."""
        begun, versions = time.monotonic(), set[str]()
        for number, question in enumerate((*QUESTIONS, VERSIONS)):
            clock = time.perf_counter()
            rows = ask(question)
            if question is VERSIONS:
                versions |= {seen for (seen,) in rows}
            elif number:
                self.seconds.append(time.perf_counter() - clock)
        self.mixed += len(versions) > 1
        self.looks.append((begun, min(versions)))


@contextmanager
def _file(place: str) -> Iterator[Ask]:
    with open_published(Path(place)) as opened:
        yield lambda question: opened.execute(question).fetchall()


@contextmanager
def _server(place: str) -> Iterator[Ask]:
    # Closed after each look: what is measured includes the way in, as without a pool.
    with psycopg.connect(place) as opened:
        yield lambda question: opened.execute(question).fetchall()  # type: ignore[arg-type]


def read_until(place: str, over: Path) -> Looks:
    """One reader, until the file `over` is there."""
    opened = _server if place.startswith("postgresql:") else _file
    met = Looks()
    while not over.exists():
        try:
            with opened(place) as ask:
                met.look(ask)
        except (duckdb.Error, psycopg.Error, OSError) as error:
            met.errors.append(f"{type(error).__name__}: {error}")
        time.sleep(PAUSE_SECONDS)
    return met


def read_in_threads(place: str, over: Path) -> Looks:
    """One program of a BI server: readers that share a process, and so DuckDB's open files."""
    met = [Looks() for _ in range(THREADS)]

    def work(number: int) -> None:
        met[number] = read_until(place, over)

    threads = [threading.Thread(target=work, args=[number]) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = Looks()
    for one in met:
        together.add(one)
    return together


def rebuild(data: Path, as_of: date, url: str | None = None) -> dict[str, float]:
    """One weekly run; when each step ended, in monotonic seconds."""
    environment = {**os.environ, "TESSERA_DATA_DIR": str(data)}
    environment |= {"TESSERA_SERVING_URL": url} if url else {}
    command = [sys.executable, "-W", "ignore", "-m", "tests.faults.weekly_run"]
    with (data / "rebuild.log").open("a") as log:
        running = subprocess.Popen(
            [*command, str(data), as_of.isoformat()],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        stop = threading.Timer(CAP_SECONDS, running.kill)
        stop.start()
        assert running.stdout
        ended, said = {}, []
        for line in running.stdout:
            said.append(line)
            if line.startswith("ends "):
                ended[line.split()[1]] = time.monotonic()
        code = running.wait()
        stop.cancel()
    if code:
        raise RuntimeError(f"the rebuild ended with {code}: {''.join(said[-3:])}")
    return ended


def measure(folder: Path, place: str, work: Callable[[], float]) -> dict[str, object]:
    """Readers look at `place` during the work, which returns when its publication was done."""
    over = folder / "over"
    over.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.readers", "--read", place, "--over", str(over)]
    readers = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(PROGRAMS)
    ]
    begun = time.monotonic()
    try:
        done = work()
        time.sleep(10 * PAUSE_SECONDS)  # some looks at the new version
    finally:
        over.touch()
        told = [json.loads(reader.communicate(timeout=120)[0]) for reader in readers]
    met = Looks()
    for one in told:
        met.add(Looks(**one))
    return _figures(met, begun, done)


def _figures(met: Looks, begun: float, done: float) -> dict[str, object]:
    versions = sorted({seen for _, seen in met.looks})
    seconds = sorted(met.seconds)
    for error in met.errors[:3]:
        print(error, file=sys.stderr)
    return {
        "rebuild s": round(done - begun),
        "looks": len(met.looks),
        "questions": len(seconds),
        "errors": len(met.errors),
        "versions": len(versions),
        "mixed": met.mixed,
        "stale": sum(at > done and seen != versions[-1] for at, seen in met.looks),
        "p50 ms": round(1000 * seconds[len(seconds) // 2]),
        "p95 ms": round(1000 * seconds[len(seconds) * 95 // 100]),
    }


@contextmanager
def server_with_roles() -> Iterator[Callable[[str], str]]:
    """A server with our roles; gives the address for a role."""
    from tests.unit.ingest.fetch.served import postgresql
    from tests.unit.publish.test_postgres import Server

    with postgresql() as started:
        server = Server(started)
        done = server.make_roles()
        if done.returncode:
            raise RuntimeError(done.stderr)
        yield server.url


def main(customers: int, days: int) -> list[dict[str, object]]:
    """Write the demo, publish it once, then rebuild it under readers on each path."""
    from tessera.demo.company import write

    folder = Path(tempfile.mkdtemp(prefix="tessera-readers-"))
    try:
        with in_memory() as connection:
            write(connection, folder / "inbox", folder / "truth", customers=customers, days=days)
        with server_with_roles() as url:
            rebuild(folder, NEWEST - timedelta(days=14), url("tessera_ops"))
            file = str(folder / "published" / "segments.duckdb")
            week = NEWEST - timedelta(days=7)
            of_file = measure(folder, file, lambda: rebuild(folder, week)["publish"])
            owner = url("tessera_ops")
            served = measure(
                folder, url("tessera_bi"), lambda: rebuild(folder, NEWEST, owner)["serve"]
            )
        return [{"read from": "DuckDB file", **of_file}, {"read from": "PostgreSQL", **served}]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("customers", type=int, nargs="?", default=200_000)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--read", help=argparse.SUPPRESS)
    parser.add_argument("--over", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    told = _arguments()
    if told.read:
        print(json.dumps(asdict(read_in_threads(told.read, told.over))))
    else:
        rows = main(told.customers, told.days)
        note = "Readers: 8, four threads in each of two processes; the run is `make run`'s steps."
        body = [[str(value) for value in row.values()] for row in rows]
        title = f"Readers during a rebuild of {told.customers:,} customers"
        print(Figures(title, note, list(rows[0]), body).for_markdown())
