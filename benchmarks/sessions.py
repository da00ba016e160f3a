"""Sessions of a clickstream: `python -m benchmarks.sessions 5000000 100000000 --memory 6GB`.

On the same Parquet file, each in a process of its own: the plain-SQL floor (lag, running sum,
group); the dbt models from condensed events to sessions with their owners; at up to
RETENTIONEERING_EVENTS events Retentioneering, in an environment made on the fly. All must find as
many sessions.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import duckdb

from benchmarks import machine, pipeline
from benchmarks.process import Measured, run
from benchmarks.report import Figures
from tessera import dbt
from tessera.ingest.load import create_raw_tables
from tessera.settings import Settings, load
from tessera.warehouse import open_warehouse

ROOT = Path(__file__).resolve().parents[1]
RETENTIONEERING_EVENTS = 5_000_000
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tessera-benchmarks"
AS_OF = date(2026, 1, 1)
CHAIN = (
    "int_accounts_resolved int_web_events_condensed int_web_sessions_delimited "
    "int_web_sessions_judged int_web_sessions_assembled"
)

# Visits of eight events, in the order in which they begin, 25 events a device, a year long. A tenth
# of the visits ends in a login. No pause lasts exactly as long as the session gap.
CLICKSTREAM = """
copy (
    select
        'd' || device as device_id,
        case when place = 7 and hash(visit, 2) % 10 = 0 then 'c' || device end as account_id,
        timestamp '2025-01-01' + to_microseconds(
            visit * (31000000000000 // {visits}) + (hash(visit, 3) % 3600000000)::bigint
            + place * 60000000 + (hash(i, 4) % 40000000)::bigint
        ) as occurred_at,
        'track' as event_type,
        (['page_view', 'Product Viewed', 'Product Added', 'search'])[1 + (hash(i, 5) % 4)::integer]
            as event_name,
        'Mozilla/5.0 Chrome/1' || (hash(device) % 40) as user_agent
    from (select *, hash(visit, 1) % {devices} as device
          from (select i, i // 8 as visit, i % 8 as place from range({events}) t(i)))
) to '{file}' (format parquet)
"""

FLOOR = """
create table sessions as
select device_id, session_number, min(occurred_at) as started_at, max(occurred_at) as ended_at,
       count(*) as events
from (
    select *, sum(starts) over (partition by device_id order by occurred_at) as session_number
    from (select device_id, occurred_at,
                 case when occurred_at - lag(occurred_at) over (
                     partition by device_id order by occurred_at) < interval 30 minute
                 then 0 else 1 end as starts
          from '{file}')
)
group by device_id, session_number
"""

RETENTIONEERING = """
import json, sys, time
import pandas as pd
from retentioneering import Eventstream
frame = pd.read_parquet(sys.argv[1], columns=["device_id", "event_name", "occurred_at"])
started = time.perf_counter()
columns = {"path_cols": ["device_id"], "event_col": "event_name", "timestamp_col": "occurred_at"}
stream = Eventstream(frame, columns)
loaded = time.perf_counter()
found = stream.split_sessions(timeout="30m").df["session_id"].nunique()
print(json.dumps({"sessions": int(found), "seconds": time.perf_counter() - loaded,
                  "load": loaded - started}))
"""


def write_clickstream(file: Path, events: int) -> None:
    """Write `events` events as Parquet, the same ones every time."""
    told = {"file": file, "events": events, "visits": events // 8 + 1, "devices": events // 25 + 1}
    with duckdb.connect() as connection:
        connection.execute(CLICKSTREAM.format(**told))


def measure_floor(file: Path, folder: Path, memory: str) -> dict[str, float]:
    """Sessions by plain SQL; seconds and count."""
    with duckdb.connect(str(folder / "floor.duckdb"), config={"memory_limit": memory}) as c:
        started = time.perf_counter()
        c.execute(FLOOR.format(file=file))
        seconds = time.perf_counter() - started
        return {"sessions": _one(c, "select count(*) from sessions"), "seconds": seconds}


def measure_chain(file: Path, folder: Path, memory: str) -> dict[str, float]:
    """Sessions and their owners by the dbt models; seconds of their SQL, and count."""
    told = settings_of(folder, memory)
    with open_warehouse(told.warehouse_file, memory, told.warehouse.threads) as connection:
        create_raw_tables(connection)
        connection.execute(
            f"""
            create schema staging;
            create view staging.stg_web__events as select * from '{file}';
            create table staging.stg_web__user_agents as
            select distinct user_agent from staging.stg_web__events;
            insert into enriched.identities
            select distinct date '{AS_OF}', 'account', account_id, account_id
            from staging.stg_web__events where account_id is not null
            """
        )
    dbt.build(told, CHAIN, AS_OF, with_tests=False)
    nodes = pipeline.dbt_nodes(told.artifacts_dir / "dbt" / "logs" / "dbt.log")
    with duckdb.connect(str(told.warehouse_file), read_only=True) as connection:
        found = _one(connection, "select count(*) from intermediate.int_web_sessions_assembled")
    return {"sessions": found, "seconds": sum(models for models, _ in nodes)}


def settings_of(folder: Path, memory: str) -> Settings:
    """The project's settings, with data in `folder` and a memory limit for DuckDB."""
    told = load(ROOT / "settings.toml")
    limits = told.warehouse.model_copy(update={"memory_limit": memory})
    return told.model_copy(update={"data_dir": folder / "data", "warehouse": limits})


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _retentioneering() -> Path:
    """The Python of an environment with Retentioneering; made when it is not there."""
    python = CACHE / "retentioneering" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", CACHE / "retentioneering"], check=True)
        packages = ["retentioneering==5.2.4", "pyarrow"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def measure(events: int, folder: Path, memory: str) -> list[tuple[str, dict[str, float], Measured]]:
    """Every way on one clickstream: (name, what it found, what it cost)."""
    file = folder / "events.parquet"
    write_clickstream(file, events)
    ours = [sys.executable, "-m", "benchmarks.sessions", "--file", str(file), "--memory", memory]
    ways = {"floor": [*ours, "--part", "floor"], "dbt models": [*ours, "--part", "chain"]}
    if events <= RETENTIONEERING_EVENTS:
        ways["Retentioneering"] = [str(_retentioneering()), "-c", RETENTIONEERING, str(file)]
    done = []
    for name, command in ways.items():
        environment = {**os.environ, "RETENTIONEERING_NO_TRACK": "1"}
        measured = run(command, folder / f"{name}.log", environment)
        done.append((name, json.loads(measured.output.strip().splitlines()[-1]), measured))
    counts = {name: found["sessions"] for name, found, _ in done}
    assert len(set(counts.values())) == 1, f"not the same sessions: {counts}"
    return done


def main() -> None:
    """Measure each size, or, in a process of its own, one part of one size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sessions", description=__doc__)
    parser.add_argument("events", type=int, nargs="*")
    parser.add_argument("--memory", default="6GB", help="DuckDB's limit for floor and dbt models")
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--part", choices=("floor", "chain"), help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.part:
        part = measure_floor if told.part == "floor" else measure_chain
        with tempfile.TemporaryDirectory(prefix="tessera-sessions-") as folder:
            print(json.dumps(part(told.file, Path(folder), told.memory)))
        return
    rows = []
    for events in told.events:
        with tempfile.TemporaryDirectory(prefix="tessera-sessions-") as folder:
            done = measure(events, Path(folder), told.memory)
        floor = done[0][1]["seconds"]
        for name, found, cost in done:
            seconds = found["seconds"]
            rows.append((f"{events:,}: {name}", f"{found['sessions']:,.0f}", f"{seconds:.2f}",
                         f"{seconds / floor:.2f}", f"{cost.peak_bytes / 1e9:.2f} GB"))  # fmt: skip
    head = ("events", "sessions", "seconds", "÷ floor", "peak memory")
    note = f"Load of the machine before: {machine.load():.1f}. DuckDB's memory limit {told.memory}."
    figures = Figures("Sessions of a clickstream", note, head, rows)
    figures.show()


if __name__ == "__main__":
    main()
