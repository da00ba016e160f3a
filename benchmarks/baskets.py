"""Basket rules of many order lines: `python -m benchmarks.baskets 1000000`.

Orders of one to ten products out of 2,000, some of which are bought together more often than by
chance. Ours: all tables of a run (six periods, products and categories), and the same for products
of all time alone. Floor: plain SQL, the pairs of products of all time with support, confidence and
lift, without significance and sets of three. mlxtend as is: its FP-growth and association_rules on
all baskets, at the same support. Each in a process of its own; equal pairs are counted.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from benchmarks import machine
from benchmarks.part import measure_part
from benchmarks.report import Figures
from models.baskets import RuleParameters, find_rules
from tessera import baskets
from tessera.settings import Settings
from tessera.warehouse import SCHEMA

AS_OF = date(2026, 1, 1)
CAP_SECONDS, CAP_BYTES = 900, 8 * 1024**3

# A product's number by a square: small ones are bought most. Of every fifth line the next product
# is bought with it as well: those pairs are there to be found.
LINES = """
create table drawn as
with orders as (
    select n as order_number, 1 + (hash(n, 1) % 5)::integer as lines from range({lines}) as r(n)
), counted as (
    select *, sum(lines) over (order by order_number) as so_far from orders
), single as (
    select order_number, unnest(range(lines)) as line from counted where so_far <= {lines}
), chosen as (
    select order_number, line,
        floor(2000 * power((hash(order_number, line) % 1000003) / 1000003.0, 2))::integer as product
    from single
)
select order_number, product from chosen
union all
select order_number, (product // 2) * 2 + 1 from chosen
where hash(order_number, line, 2) % 5 = 0 and product % 2 = 0
"""
TABLES = """
create schema intermediate; create schema staging;
create table intermediate.int_order_lines_classified as
select 'o' || lpad(order_number::varchar, 9, '0') as order_id, 'sale' as line_kind,
    'p' || lpad(product::varchar, 5, '0') as product_id, 'c' || product % 30 as category
from drawn;
create table intermediate.int_orders_assembled as
select distinct 'o' || lpad(order_number::varchar, 9, '0') as order_id,
    null::varchar as excluded_because,
    timestamp '2024-01-01' + to_days((order_number % 730)::integer) as ordered_at
from drawn;
create table staging.stg_shop__products (product_id varchar, category varchar);
"""
FLOOR = """
with items as (select distinct order_id, product_id from intermediate.int_order_lines_classified),
alone as (
    select product_id, count(*) as baskets from items group by all having count(*) >= {least}
),
frequent as (select * from items semi join alone using (product_id)),
pairs as (
    select a.product_id as first, b.product_id as second, count(*) as baskets
    from frequent a join frequent b on a.order_id = b.order_id and a.product_id < b.product_id
    group by all having count(*) >= {least}
)
select pairs.first, pairs.second, pairs.baskets,
    pairs.baskets / x.baskets as confidence, pairs.baskets / y.baskets as confidence_back,
    pairs.baskets * {all} / (x.baskets * y.baskets) as lift
from pairs join alone x on x.product_id = first join alone y on y.product_id = second
"""


def draw(file: Path, lines: int) -> None:
    """Write order lines, as the dbt models leave them, into a warehouse file."""
    with duckdb.connect(str(file)) as connection:
        connection.execute(SCHEMA)
        connection.execute(LINES.format(lines=lines) + ";" + TABLES)


def measure_all(connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Every table of a run."""
    sources = {
        "o": {"kind": "orders", "files": "o", "columns": {"order_id": "a", "ordered_at": "b"}}
    }
    told = Settings.model_validate({"sources": sources})
    _import()
    started = time.perf_counter()
    baskets.basket_rules(connection, told, AS_OF)
    seconds = time.perf_counter() - started
    rules = connection.execute("select count(*) from ml.basket_rules").fetchall()[0][0]
    return {"seconds": seconds, "rules": rules}


def measure_ours(connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """The rules of products of all time."""
    _import()
    started = time.perf_counter()
    parameters = RuleParameters()
    connection.execute(baskets.LINES)
    whole = baskets.periods(AS_OF)[0]
    counted = baskets._count(connection, "product", whole, parameters)
    rules = find_rules(counted, parameters)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "rules": len(rules), "pairs": len(counted.pairs)}


def measure_floor(connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Pairs by plain SQL."""
    started = time.perf_counter()
    count = "select count(distinct order_id) from intermediate.int_order_lines_classified"
    orders = connection.execute(count).fetchall()[0][0]
    least = RuleParameters().least_baskets(orders)
    pairs = connection.execute(FLOOR.format(least=least, all=orders)).fetchall()
    seconds = time.perf_counter() - started
    rules = 2 * sum(pair[-1] > 1 for pair in pairs)
    return {"seconds": seconds, "rules": rules, "pairs": len(pairs)}


def measure_mlxtend(connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """mlxtend as its documentation has it."""
    from mlxtend.frequent_patterns import association_rules, fpgrowth
    from mlxtend.preprocessing import TransactionEncoder

    query = "select list(distinct product_id) from {} group by order_id"
    lines = connection.execute(query.format("intermediate.int_order_lines_classified"))
    transactions = [row[0] for row in lines.fetchall()]
    started = time.perf_counter()
    encoder = TransactionEncoder()
    matrix = encoder.fit(transactions).transform(transactions, sparse=True)
    frame = pd.DataFrame.sparse.from_spmatrix(matrix, columns=encoder.columns_)  # type: ignore[attr-defined]
    least = RuleParameters().least_baskets(len(transactions)) / len(transactions)
    itemsets = fpgrowth(frame, min_support=least, max_len=3, use_colnames=True)
    rules = association_rules(itemsets, metric="lift", min_threshold=1.0)
    seconds = time.perf_counter() - started
    pairs = int((itemsets["itemsets"].map(len) == 2).sum())
    return {"seconds": seconds, "rules": len(rules), "pairs": pairs}


def _import() -> None:
    """What find_rules imports at its first call: not part of the work."""
    import mlxtend.frequent_patterns  # noqa: F401
    import scipy.stats  # noqa: F401


PARTS: dict[str, tuple[str, Callable[[duckdb.DuckDBPyConnection], dict[str, float]]]] = {
    "floor": ("floor: pairs by plain SQL", measure_floor),
    "ours": ("ours: products, all time", measure_ours),
    "all": ("ours: six periods, two levels", measure_all),
    "mlxtend": ("mlxtend as is", measure_mlxtend),
}


def rows_of(lines: int, folder: Path) -> list[tuple[str, ...]]:
    """A row of the table for each way."""
    file = folder / "lines.duckdb"
    draw(file, lines)
    rows = []
    for part, (name, _) in PARTS.items():
        found, cost = measure_part(
            "baskets", "--part", part, str(file), cap_seconds=CAP_SECONDS, cap_bytes=CAP_BYTES
        )
        if found is None:
            rows.append((f"{lines:,}: {name}", f"stopped by {cost.stopped}", "", "", ""))
            continue
        pairs = f"{found['pairs']:,}" if "pairs" in found else ""
        rows.append(
            (f"{lines:,}: {name}", f"{found['seconds']:.1f}", f"{cost.peak_bytes / 1e9:.2f} GB",
             pairs, f"{found['rules']:,}")
        )  # fmt: skip
    return rows


def main() -> None:
    """Measure each size, or one part in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.baskets", description=__doc__)
    parser.add_argument("lines", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.part:
        part, file = told.part
        with duckdb.connect(file, config={"memory_limit": "4GB", "threads": 2}) as connection:
            print(json.dumps(PARTS[part][1](connection)))
        return
    rows: list[tuple[str, ...]] = []
    for lines in told.lines:
        with tempfile.TemporaryDirectory(prefix="tessera-baskets-") as folder:
            rows += rows_of(lines, Path(folder))
    head = ("order lines", "seconds", "peak memory", "frequent pairs", "rules")
    note = f"Load of the machine before: {machine.load():.1f}."
    figures = Figures("Basket rules", note, head, rows)
    figures.show()


if __name__ == "__main__":
    main()
