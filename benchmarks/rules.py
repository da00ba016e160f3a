"""Rules, triggers and micro-segments at size: `python -m benchmarks.rules 1000000`.

The default settings' rules, applied to two weeks of that many synthetic customers in eight
segments, one in fifty of whom changes between the weeks; the second week is the one that compares.
In a process of its own, within the warehouse's limits of the settings.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from benchmarks import machine
from benchmarks.process import run
from benchmarks.report import Figures
from tessera import rules
from tessera.settings import load
from tessera.warehouse import open_warehouse

ROOT = Path(__file__).resolve().parents[1]
DAY = date(2026, 1, 1)
CUSTOMERS = """
    create or replace table features.customer_features as
    with drawn as (
        select printf('%032x', n) as customer_id, n,
            hash(n, 1) % 10000 / 10000.0 as u, hash(n, 2) % 10000 / 10000.0 as v,
            hash(n, case when hash(n, 9) % 50 = 0 then $week else 0 end) % 10000 / 10000.0 as w
        from range($customers) as t (n)
    )
    select customer_id, $as_of::date as as_of, (1 + 9 * w)::bigint as frequency,
        (1000 * u * u)::decimal(18, 4) as monetary, (1100 * u * u)::decimal(18, 4) as gross_revenue,
        20 * v as engagement_score, w / 4 as discount_share,
        ['onboarding', 'active', 'slipping', 'dormant', 'churned'][1 + (5 * w)::integer % 5]
            as lifecycle_stage,
        't' || (hash(n, 3) % 9) as main_topic_id, 'about ' || (hash(n, 3) % 9) as main_topic,
        'category ' || (12 * v)::integer as favourite_category,
        'c' || (hash(n, 4) % 400) as community_id
    from drawn
"""
PLACED = """
    insert into ml.assignments (customer_id, as_of, model_id, segment_id, segment_name)
    select customer_id, as_of, 'm', 's' || (1 + (8 * engagement_score / 20)::integer % 8), 'S'
    from features.customer_features
"""
CONTRACT = """
    create table features.feature_catalogue as
    select column_name as name, data_type from information_schema.columns
    where table_schema = 'features' and table_name = 'customer_features'
"""


def measure(customers: int, folder: Path) -> str:
    """Seconds of the second week, and what it found."""
    settings = load(ROOT / "settings.toml")
    limits = settings.warehouse
    file = folder / "warehouse.duckdb"
    with open_warehouse(file, limits.memory_limit, limits.threads) as connection:
        connection.execute("create schema features")
        for week in (0, 1):
            as_of = DAY + timedelta(weeks=week)
            drawn = {"customers": customers, "week": week, "as_of": as_of}
            connection.execute(CUSTOMERS, drawn)
            connection.execute(PLACED)
            if not week:
                connection.execute(CONTRACT)
            started = time.perf_counter()
            told = rules.apply(connection, settings, as_of)
    return f"{time.perf_counter() - started:.1f}|{told}"


def main(argv: list[str] | None = None) -> None:
    """Measure each size in a process of its own; print a Markdown table."""
    parser = argparse.ArgumentParser(description="Measure rules, triggers and micro-segments.")
    parser.add_argument("customers", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    told = parser.parse_args(argv)
    if told.folder:
        print(measure(told.customers[0], told.folder))
        return
    rows = []
    for size in told.customers:
        with tempfile.TemporaryDirectory(prefix="tessera-rules-") as folder:
            command = [sys.executable, "-m", "benchmarks.rules", str(size), "--folder", folder]
            cost = run(command, Path(folder) / "log", cap_seconds=600)
        found = cost.output.strip().splitlines()[-1] if not cost.stopped else f"–|{cost.stopped}"
        rows.append((f"{size:,}", *found.split("|"), f"{cost.peak_bytes / 1e9:.2f} GB"))
    head = ("customers", "seconds", "found", "peak memory")
    note = f"Load of the machine before: {machine.load():.1f}."
    Console(soft_wrap=True).print(Figures("Rules and triggers", note, head, rows).for_markdown())


if __name__ == "__main__":
    main()
