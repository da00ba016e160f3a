"""A week on top of two years, against building all anew: `python -m benchmarks.weekly 5000000`.

Of the clickstream of benchmarks.sessions, spread over two years and loaded as raw rows week by
week, the last week is staged and condensed into sessions on top of the rest; then all
is built anew.
Seconds are those of the dbt models' SQL; what dbt needs besides is the same for both.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks import machine, pipeline
from benchmarks.report import Figures
from benchmarks.sessions import AS_OF, CHAIN, settings_of, write_clickstream
from tessera import dbt
from tessera.ingest.load import create_raw_tables
from tessera.settings import Settings
from tessera.warehouse import open_warehouse

SELECTION = f"stg_web__events stg_web__user_agents {CHAIN}"
WEEKS = 104
BEGIN = "timestamp '2024-01-02'"


def load_weeks(told: Settings, file: Path, first: int, last: int) -> None:
    """Append the weeks from `first` to `last` to raw, each as one load."""
    limits = told.warehouse
    with open_warehouse(told.warehouse_file, limits.memory_limit, limits.threads) as connection:
        create_raw_tables(connection)
        connection.execute(
            f"""
            insert into raw.web_events by name
            select 'e' || n as event_id, device_id as anonymous_id, account_id as customer_id,
                   event_type, event_name, user_agent,
                   strftime(moment, '%Y-%m-%dT%H:%M:%S.%fZ') as occurred_at,
                   'web' as _source, 'week-' || lpad(week::varchar, 3, '0') as _file,
                   week as _load_id, n as _line, 0 as _item
            from (select *, 1 + date_diff('day', {BEGIN}, moment) // 7 as week
                  from (select *, row_number() over () as n,
                               {BEGIN} + 2 * (occurred_at - timestamp '2025-01-01') as moment
                        from '{file}'))
            where week between {first} and {last}
            """
        )


def build(told: Settings) -> float:
    """Bring the tables up to date; seconds of the dbt models."""
    log = told.artifacts_dir / "dbt" / "logs" / "dbt.log"
    log.unlink(missing_ok=True)
    dbt.build(told, SELECTION, AS_OF, with_tests=False)
    return sum(models for models, _ in pipeline.dbt_nodes(log))


def name_accounts(told: Settings) -> None:
    """Each account is a customer: who is whom is not measured here."""
    limits = told.warehouse
    with open_warehouse(told.warehouse_file, limits.memory_limit, limits.threads) as connection:
        connection.execute(
            f"insert into enriched.identities select distinct date '{AS_OF}', 'account', "
            "account_id, account_id from staging.stg_web__events where account_id is not null"
        )


def measure(events: int, folder: Path, memory: str) -> tuple[float, float]:
    """Seconds of the last week on top of the rest, and of a full build of all."""
    write_clickstream(folder / "events.parquet", events)
    told = settings_of(folder, memory)
    load_weeks(told, folder / "events.parquet", 1, WEEKS - 2)
    build(told)
    name_accounts(told)
    load_weeks(told, folder / "events.parquet", WEEKS - 1, WEEKS - 1)
    week = build(told)
    limits = told.warehouse
    with open_warehouse(told.warehouse_file, limits.memory_limit, limits.threads) as connection:
        connection.execute("delete from ops.dbt_builds")
    return week, build(told)


def main() -> None:
    """Measure each size and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.weekly", description=__doc__)
    parser.add_argument("events", type=int, nargs="+")
    parser.add_argument("--memory", default="6GB", help="DuckDB's limit")
    told = parser.parse_args()
    rows = []
    for events in told.events:
        with tempfile.TemporaryDirectory(prefix="tessera-weekly-") as folder:
            week, full = measure(events, Path(folder), told.memory)
        rows.append((f"{events:,}", f"{week:.2f}", f"{full:.2f}", f"{week / full:.2f}"))
    note = f"Load of the machine before: {machine.load():.1f}. Aim: at most 0.15."
    head = ("events in two years", "a week more, seconds", "all anew, seconds", "week ÷ all")
    figures = Figures("A week on top of two years", note, head, rows)
    Console().print(figures.for_terminal())
    print(figures.for_markdown())


if __name__ == "__main__":
    main()
