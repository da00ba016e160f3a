"""Repeat buying of customers and cohorts: `python -m benchmarks.cohorts 2000000`.

The same transactions, each in a process of its own: lifetimes' `rfm_summary` (in an environment
made on the fly), and the dbt models that aggregate orders by customer and by cohort. Both must
give every customer the same frequency, recency, T and monetary value. `--exports FOLDER` takes UCI
Online Retail's CSV files in the place of made transactions.
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
import pandas as pd

from benchmarks import machine, pipeline
from benchmarks.process import run
from benchmarks.report import Figures
from benchmarks.sessions import CACHE, settings_of
from tessera import dbt
from tessera.warehouse import open_warehouse

AS_OF = {"made": date(2026, 1, 1), "exports": date(2011, 12, 10)}
MODELS = ("int_customer_orders_aggregated", "int_cohort_months_aggregated")
COLUMNS = ["frequency", "recency", "T", "monetary_value"]

# Ten orders a customer on average, few with many: no order at the same instant as another.
MADE = """
copy (
    select 'c' || floor(pow((hash(i) % 1000000) / 1e6, 2) * {customers})::bigint as customer_id,
           'o' || i as order_id,
           timestamp '2024-01-01' + to_seconds((hash(i, 2) % (730 * 86400))::bigint) as ordered_at,
           ((100 + hash(i, 3) % 20000) / 100)::decimal(18, 4) as amount
    from range({rows}) t(i)
) to '{file}' (format parquet)
"""
EXPORTS = """
copy (
    select CustomerID as customer_id, InvoiceNo as order_id, InvoiceDate as ordered_at,
           sum(Quantity * UnitPrice)::decimal(18, 4) as amount
    from read_csv('{folder}/*.csv', types={{'CustomerID': 'varchar', 'UnitPrice': 'decimal(18, 4)',
                                            'InvoiceDate': 'timestamp', 'InvoiceNo': 'varchar'}})
    where CustomerID is not null and InvoiceNo not like 'C%' and Quantity > 0 and UnitPrice > 0
    group by all
) to '{file}' (format parquet)
"""
PEER = """
import json, sys, time
import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data
orders = pd.read_parquet(sys.argv[1])
orders["amount"] = orders["amount"].astype(float)
started = time.perf_counter()
summary = summary_data_from_transaction_data(
    orders, "customer_id", "ordered_at", monetary_value_col="amount",
    observation_period_end=sys.argv[2])
seconds = time.perf_counter() - started
summary.to_parquet(sys.argv[3])
print(json.dumps({"seconds": seconds, "customers": len(summary)}))
"""
OURS = """
select customer_id, repeat_purchase_days as frequency,
       days_since_first_order - recency_days as recency, days_since_first_order as T,
       coalesce(repeat_day_revenue, 0) as monetary_value
from intermediate.int_customer_orders_aggregated order by customer_id
"""


def peer() -> Path:
    """The Python of an environment with lifetimes; made when it is not there."""
    python = CACHE / "lifetimes" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", CACHE / "lifetimes"], check=True)
        packages = ["lifetimes==0.11.3", "pandas<3", "pyarrow"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def measure_models(file: Path, out: Path, as_of: date) -> dict[str, float]:
    """The dbt models on these transactions; the summary goes to `out`. Seconds of their SQL."""
    with tempfile.TemporaryDirectory(prefix="tessera-cohorts-") as folder:
        told = settings_of(Path(folder), "4GB")
        with open_warehouse(told.warehouse_file, "4GB", 2) as connection:
            connection.execute(
                f"""
                create schema intermediate;
                create table intermediate.int_orders_assembled as
                select order_id, customer_id, ordered_at, true as has_sale, amount as gross_amount,
                       null::varchar as excluded_because, 0::decimal(18, 4) as refund_amount,
                       amount as list_amount, 0::decimal(18, 4) as discount_amount,
                       1::decimal(18, 4) as units
                from '{file}';
                create table intermediate.int_refunds_attributed as
                select order_id, customer_id, excluded_because, 0::decimal(18, 4) as amount,
                       true as is_order_known
                from intermediate.int_orders_assembled limit 0
                """
            )
        started = time.perf_counter()
        dbt.build(told, " ".join(MODELS), as_of, with_tests=False)
        whole = time.perf_counter() - started
        nodes = pipeline.dbt_nodes(told.artifacts_dir / "dbt" / "logs" / "dbt.log")
        with duckdb.connect(str(told.warehouse_file), read_only=True) as connection:
            connection.execute(f"copy ({OURS}) to '{out}' (format parquet)")
    return {"seconds": sum(models for models, _ in nodes), "whole": whole}


def differences(ours: Path, theirs: Path) -> int:
    """Customers with a different figure (money: by more than a millionth)."""
    left = pd.read_parquet(ours).set_index("customer_id").sort_index()
    right = pd.read_parquet(theirs).sort_index()
    assert list(left.index) == list(right.index), "not the same customers"
    apart = (left[COLUMNS].astype(float) - right[COLUMNS].astype(float)).abs() > 1e-6
    return int(apart.any(axis=1).sum())


def compare(file: Path, folder: Path, as_of: date) -> list[tuple[str, ...]]:
    """Rows of the table: each way, its seconds and its peak memory."""
    ours, theirs = folder / "ours.parquet", folder / "theirs.parquet"
    part = [sys.executable, "-m", "benchmarks.cohorts", "--part", str(file), str(ours), str(as_of)]
    ways = {
        "dbt models (customers and cohorts)": part,
        "lifetimes (customers)": [str(peer()), "-c", PEER, str(file), str(as_of), str(theirs)],
    }
    done = [(name, run(way, folder / "out.log", dict(os.environ))) for name, way in ways.items()]
    apart = differences(ours, theirs)
    customers = len(pd.read_parquet(theirs))
    return [
        (name, f"{customers:,}", f"{json.loads(m.output.strip().splitlines()[-1])['seconds']:.2f}",
         f"{m.peak_bytes / 1e9:.2f} GB", f"{apart:,}")
        for name, m in done
    ]  # fmt: skip


def main() -> None:
    """Measure each size, or one part in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cohorts", description=__doc__)
    parser.add_argument("rows", type=int, nargs="*")
    parser.add_argument("--exports", type=Path, help="folder of UCI Online Retail's CSV files")
    parser.add_argument("--part", nargs=3, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.part:
        file, out, as_of = told.part
        print(json.dumps(measure_models(Path(file), Path(out), date.fromisoformat(as_of))))
        return
    rows: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory(prefix="tessera-cohorts-") as name:
        folder, file = Path(name), Path(name) / "orders.parquet"
        for size in told.rows:
            with duckdb.connect() as connection:
                connection.execute(MADE.format(customers=size // 10 + 1, rows=size, file=file))
            rows += [(f"{size:,} orders", *row) for row in compare(file, folder, AS_OF["made"])]
        if told.exports:
            with duckdb.connect() as connection:
                connection.execute(EXPORTS.format(folder=told.exports, file=file))
            rows += [("Online Retail", *r) for r in compare(file, folder, AS_OF["exports"])]
    head = ("transactions", "by", "customers", "seconds", "peak memory", "customers that differ")
    note = f"Load of the machine before: {machine.load():.1f}."
    figures = Figures("Repeat buying and cohorts", note, head, rows)
    figures.show()


if __name__ == "__main__":
    main()
