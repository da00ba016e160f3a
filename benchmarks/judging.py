"""Judging and telling a run of many customers: `python -m benchmarks.judging 100000 1000000`.

Made-up customers in eight segments. How long scorecards, maps and audit take, how long the page,
and how large it is: under 5 MB at 1,000,000 customers, it says. Each size in its own process.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import date

import duckdb

from benchmarks import machine
from benchmarks.part import measure_part
from benchmarks.report import Figures
from models.preparation import fit_preparation
from tessera import scorecards, settings
from tessera.run_report.page import About, render
from tessera.warehouse import SCHEMA

DAY = date(2026, 1, 1)
SEGMENTS = 8
CAP_SECONDS, CAP_BYTES = 1_800, 8 * 1024**3
MADE = """
create schema features; create schema intermediate; create schema segments;
create table features.customer_features as
select 'c' || lpad(i::varchar, 8, '0') as customer_id, date '2026-01-01' as as_of,
    hash(i) % {segments} as own, (1 + own * 3 + hash(i * 7) % 5)::bigint as frequency,
    (1 + (own * 37 + hash(i * 11)) % 300)::integer as recency_days,
    (frequency * (10 + hash(i * 13) % 40))::decimal(18, 4) as monetary, monetary as gross_revenue,
    (monetary / frequency)::double as average_order_value,
    (hash(i * 17) % 900)::integer as tenure_days,
    (own + hash(i * 19) % 4)::double as engagement_score,
    (hash(i * 23) % 100) / 100 as discount_share,
    if(i % 3 = 0, (hash(i * 29) % 200)::double / 100 - 1, null) as mean_sentiment, true as has_web,
    ['18-29', '30-39', '40-49', '50-59', '60+'][1 + (hash(i * 31) % 5)::integer] as age_band,
    ['under 25k', '25k-50k', 'over 50k'][1 + ((own + hash(i * 37)) % 3)::integer] as income_band,
    timestamp '2025-12-01' - to_days(tenure_days) as first_order_at,
    if(recency_days < 90, monetary, 0)::decimal(18, 4) as revenue_last_90_days,
    if(recency_days > 200, 'churned', 'active') as lifecycle_stage
from range({customers}) r(i);
create table intermediate.int_web_sessions_assembled as
select customer_id, hash(customer_id || n) % 2 as purchases
from features.customer_features, range(4) r(n);
insert into ml.assignments by name
select customer_id, as_of, 'm' as model_id, 's' || (own + 1) as segment_id,
    'Segment ' || (own + 1) as segment_name, (hash(customer_id) % 100) / 100 as confidence
from features.customer_features
"""
# As the dbt models of the same names do it.
PUBLISHED = """
create table segments.customer_segments as from ml.assignments;
create table segments.segment_profiles as
select as_of, segment_id, segment_name, count(*) as customers,
    count(*) / sum(count(*)) over () as customer_share, sum(gross_revenue) as gross_revenue,
    sum(gross_revenue) / sum(sum(gross_revenue)) over () as revenue_share,
    median(recency_days) as median_recency_days, median(frequency) as median_frequency,
    median(monetary) as median_monetary, 'In words.' as description, 'To do.' as suggested_action
from ml.assignments join features.customer_features using (customer_id, as_of) group by all;
create table segments.fit_scorecards as from ml.fit_scorecards;
create table segments.segment_separations as from ml.segment_separations;
create table segments.feature_proxies as from ml.feature_proxies;
create table segments.segment_scorecards as
select scored.*, 'Segment ' || segment_id[2:] as segment_name from ml.segment_scorecards as scored;
create table segments.bias_audit as select *, outcome as outcome_name from ml.bias_audit
"""


def measure(count: int) -> dict[str, float]:
    """Seconds of judging and of the page, and its bytes."""
    told = settings.load()
    with duckdb.connect() as connection:
        for statement in (SCHEMA + MADE.format(customers=count, segments=SEGMENTS)).split(";"):
            connection.execute(statement)
        customers = connection.sql("from features.customer_features order by customer_id").df()
        preparation = fit_preparation(customers)
        started = time.perf_counter()
        scorecards.judge(connection, preparation, customers, told, DAY)
        judged = time.perf_counter()
        for statement in PUBLISHED.split(";"):
            connection.execute(statement)
        begun = time.perf_counter()
        page = render(connection, About("Benchmark", "EUR", DAY))
        ended = time.perf_counter()
    return {"judging": judged - started, "page": ended - begun, "bytes": len(page.encode())}


def main() -> None:
    """Measure each size, or one in this process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judging", description=__doc__)
    parser.add_argument("customers", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.one:
        print(json.dumps(measure(told.one)))
        return
    rows = []
    for count in told.customers:
        found, cost = measure_part(
            "judging", "--one", str(count), cap_seconds=CAP_SECONDS, cap_bytes=CAP_BYTES
        )
        if found is None:
            rows.append((f"{count:,}", f"stopped by {cost.stopped}", "", "", ""))
            continue
        rows.append(
            (f"{count:,}", f"{found['judging']:.1f}", f"{found['page']:.1f}",
             f"{found['bytes'] / 1e6:.2f} MB", f"{cost.peak_bytes / 1e9:.2f} GB")
        )  # fmt: skip
    head = ("customers", "judging, s", "page, s", "size of the page", "peak memory")
    note = f"Load of the machine before: {machine.load():.1f}."
    figures = Figures("Scorecards, audit and report", note, head, rows)
    figures.show()


if __name__ == "__main__":
    main()
