"""Transitions and funnel: `python -m benchmarks.journeys 1000000 5000000 --memory 6GB`.

On the same clickstream, each in a process of its own: the plain-SQL floor (events ordered in their
sessions, next event, group; a funnel by the first later event of each kind); the dbt models of
journeys; Retentioneering, in an environment made on the fly. Sessions are given to all: each finds
them before its clock starts. All must count the same transitions, visits and users.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import machine, pipeline
from benchmarks.process import Measured, run
from benchmarks.report import Figures
from benchmarks.sessions import AS_OF, CHAIN, _retentioneering, settings_of, write_clickstream
from tessera import dbt
from tessera.ingest.load import create_raw_tables
from tessera.settings_behaviour import Funnel, Journeys
from tessera.warehouse import open_warehouse

FUNNEL = ["page_view", "Product Viewed", "Product Added"]
# The names that the dbt models give to what the clickstream calls otherwise.
NAMES = {"page_view": "page", "Product Viewed": "product_view", "Product Added": "add_to_cart"}
STATES = {"path_start": "start", "path_end": "drop_off"}
MODELS = (
    "int_web_steps_ordered int_web_steps_ranked int_web_transitions_counted int_web_funnels_tried"
)

# No two events of a device are at one instant, so time alone orders them.
FLOOR = """
create table ordered as
select *, lead(event_name) over (partition by session_id order by occurred_at) as next_name,
       row_number() over (partition by session_id order by occurred_at) as place
from sessions;
create table transitions as
select from_name, to_name, count(*) as transitions, count(distinct session_id) as sessions
from (select session_id, event_name as from_name, coalesce(next_name, 'path_end') as to_name
      from ordered
      union all select session_id, 'path_start', event_name from ordered where place = 1)
group by all;
"""
FLOOR_FUNNEL = """
create table funnel as
with first as (select device_id, min(occurred_at) as at from sessions
               where event_name = 'page_view' group by 1),
second as (select device_id, min(occurred_at) as at from sessions join first using (device_id)
           where event_name = 'Product Viewed' and occurred_at > first.at group by 1),
third as (select device_id, min(occurred_at) as at from sessions join second using (device_id)
          where event_name = 'Product Added' and occurred_at > second.at group by 1)
select (select count(*) from first) as one, (select count(*) from second) as two,
       (select count(*) from third) as three
"""
SESSIONS = """
create table sessions as
select device_id, event_name, occurred_at, device_id || '-' || sum(starts) over (
    partition by device_id order by occurred_at) as session_id
from (select *, case when occurred_at - lag(occurred_at) over (
          partition by device_id order by occurred_at) < interval 30 minute then 0 else 1
      end as starts from '{file}')
"""
RETENTIONEERING = """
import json, sys, time
import pandas as pd
from retentioneering import Eventstream
file, steps = sys.argv[1], json.loads(sys.argv[2])
frame = pd.read_parquet(file, columns=["device_id", "event_name", "occurred_at"])
columns = {"path_cols": ["device_id"], "event_col": "event_name", "timestamp_col": "occurred_at"}
stream = Eventstream(frame, columns).split_sessions(timeout="30m")
started = time.perf_counter()
counts, paths = [stream.transition_graph_data(weight, path_col="session_id")
                 for weight in ("count", "unique_paths")]
journeys = time.perf_counter()
funnel = [step["unique_paths"] for step in stream.funnel_data(steps=steps)["steps"]]
edges = [[a, b, int(counts.loc[a, b]), int(paths.loc[a, b])]
         for a in counts.index for b in counts.columns if counts.loc[a, b]]
print(json.dumps({"edges": edges, "funnel": funnel, "transitions": journeys - started,
                  "funnel_seconds": time.perf_counter() - journeys}))
"""


def measure_floor(file: Path, folder: Path, memory: str) -> dict[str, Any]:
    """Transitions and funnel by plain SQL; what it found, and seconds."""
    with duckdb.connect(str(folder / "floor.duckdb"), config={"memory_limit": memory}) as c:
        c.execute(SESSIONS.format(file=file))
        started = time.perf_counter()
        c.execute(FLOOR)
        journeys = time.perf_counter()
        c.execute(FLOOR_FUNNEL)
        ended = time.perf_counter()
        edges = c.execute("from transitions").fetchall()
        funnel = list(c.execute("from funnel").fetchall()[0])
    return _found(edges, funnel, journeys - started, ended - journeys)


def measure_models(file: Path, folder: Path, memory: str) -> dict[str, Any]:
    """Transitions and funnel by the dbt models; what they found, and seconds of their SQL."""
    told = settings_of(folder, memory).model_copy(
        update={
            "journeys": Journeys(days=400, max_steps=200, min_users=1, conversions=[]),
            "funnels": {"f": Funnel(steps=[NAMES[s] for s in FUNNEL], window_hours=24 * 400)},
        }
    )
    _stage(file, told.warehouse_file, memory)
    dbt.build(told, CHAIN, AS_OF, with_tests=False)
    log = told.artifacts_dir / "dbt" / "logs" / "dbt.log"
    log.unlink()
    dbt.build(told, MODELS, AS_OF, with_tests=False)
    seconds = [models for models, _ in pipeline.dbt_nodes(log)]
    with duckdb.connect(str(told.warehouse_file), read_only=True) as c:
        c.execute("set schema = 'intermediate'")
        edges = c.execute(
            "select from_step, to_step, transitions, sessions from int_web_transitions_counted "
            "where device_type = 'all'"
        ).fetchall()
        funnel = c.execute(
            "select count(*) from int_web_funnels_tried group by step_number order by step_number"
        ).fetchall()
    return _found(edges, [n for (n,) in funnel], sum(seconds), 0.0)


def _stage(file: Path, warehouse: Path, memory: str) -> None:
    """The clickstream as staging gives it; a user is a device, as for the others."""
    with open_warehouse(warehouse, memory) as connection:
        create_raw_tables(connection)
        connection.execute(
            f"""
            create schema staging; create schema intermediate;
            create view staging.stg_web__events as
            select * replace (null::varchar as account_id), null::varchar as path,
                null::varchar as device_type, '' as _file, 0 as _line, 0 as _item
            from '{file}';
            create table staging.stg_web__user_agents as
            select distinct user_agent from '{file}';
            create table intermediate.int_consents_decided (
                customer_id varchar, purpose varchar, is_granted boolean)
            """
        )


def _found(
    edges: list[Any], funnel: list[int], transitions: float, funnel_seconds: float
) -> dict[str, Any]:
    return {
        "edges": [list(edge) for edge in edges],
        "funnel": funnel,
        "transitions": transitions,
        "funnel_seconds": funnel_seconds,
    }


def verdict(found: dict[str, Any]) -> str:
    """What was found, under one set of names, as a short hash."""
    names = {**NAMES, **STATES}
    edges = sorted(
        [names.get(a, a), names.get(b, b), n, paths] for a, b, n, paths in found["edges"]
    )
    return hashlib.sha256(json.dumps([edges, found["funnel"]]).encode()).hexdigest()[:12]


def measure(events: int, folder: Path, memory: str) -> list[tuple[str, dict[str, Any], Measured]]:
    """Every way on one clickstream: (name, what it found, what it cost). All must find the same."""
    file = folder / "events.parquet"
    write_clickstream(file, events)
    ours = [sys.executable, "-m", "benchmarks.journeys", "--file", str(file), "--memory", memory]
    theirs = [str(_retentioneering()), "-c", RETENTIONEERING, str(file), json.dumps(FUNNEL)]
    ways = {
        "floor": [*ours, "--part", "floor"],
        "dbt models": [*ours, "--part", "models"],
        "Retentioneering": theirs,
    }
    environment = {**os.environ, "RETENTIONEERING_NO_TRACK": "1"}
    done = []
    for name, command in ways.items():
        measured = run(command, folder / f"{name}.log", environment)
        done.append((name, json.loads(measured.output.strip().splitlines()[-1]), measured))
    verdicts = {name: verdict(found) for name, found, _ in done}
    assert len(set(verdicts.values())) == 1, f"not the same journeys: {verdicts}"
    return done


def rows_of(events: int, memory: str) -> list[tuple[str, ...]]:
    """One row a way."""
    with tempfile.TemporaryDirectory(prefix="tessera-journeys-") as folder:
        done = measure(events, Path(folder), memory)
    seconds = [found["transitions"] + found["funnel_seconds"] for _, found, _ in done]
    return [
        (f"{events:,}: {name}", verdict(found), f"{s:.2f}", f"{s / seconds[0]:.2f}",
         f"{cost.peak_bytes / 1e9:.2f} GB")
        for (name, found, cost), s in zip(done, seconds, strict=True)
    ]  # fmt: skip


def main() -> None:
    """Measure each size, or, in a process of its own, one part of one size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.journeys", description=__doc__)
    parser.add_argument("events", type=int, nargs="*")
    parser.add_argument("--memory", default="6GB", help="DuckDB's limit for floor and dbt models")
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--part", choices=("floor", "models"), help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.part:
        part = measure_floor if told.part == "floor" else measure_models
        with tempfile.TemporaryDirectory(prefix="tessera-journeys-") as folder:
            print(json.dumps(part(told.file, Path(folder), told.memory)))
        return
    rows = [row for events in told.events for row in rows_of(events, told.memory)]
    head = ("events", "found (hash)", "seconds", "÷ floor", "peak memory")
    note = f"Load of the machine before: {machine.load():.1f}. DuckDB's memory limit {told.memory}."
    figures = Figures("Transitions and a funnel of three steps", note, head, rows)
    figures.show()


if __name__ == "__main__":
    main()
