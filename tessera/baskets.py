"""From order lines to what `models/baskets.py` needs, counted in the warehouse, and back."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from tessera.ml_floor import replace
from tessera.settings import Settings

if TYPE_CHECKING:
    from models.baskets import CountedItems, RuleParameters

LEVELS = ("product", "category")
QUARTERS = 4

# A basket is an order with a sale, whoever placed it. What the line says of its category goes
# before the catalogue, which is of today.
LINES = """
create or replace temp table basket_lines as
select distinct
    orders.order_id, orders.ordered_at::date as day, lines.product_id as product,
    coalesce(lines.category, products.category) as category
from intermediate.int_order_lines_classified as lines
join intermediate.int_orders_assembled as orders using (order_id)
left join staging.stg_shop__products as products on lines.product_id = products.product_id
where lines.line_kind = 'sale' and orders.excluded_because is null
"""
# Numbers in the place of long ids: the self-join below is most of the work.
ITEMS = """
create or replace temp table basket_items as
with chosen as (
    select distinct order_id, {level} as item from basket_lines
    where {level} is not null and day >= $first and day < $stop
), sized as (
    select *, count(*) over (partition by order_id) as items from chosen
)
select dense_rank() over (order by order_id) as basket, item from sized where items <= $most
"""
FREQUENT = """
create or replace temp table frequent_items as
select item, count(*) as baskets, row_number() over (order by item) as number
from basket_items group by item having count(*) >= $least
"""
PAIRS = """
create or replace temp table basket_pairs as
with numbered as (
    select basket, number from basket_items join frequent_items using (item)
), counted as (
    select a.number as first_number, b.number as second_number, count(*) as baskets
    from numbered a join numbered b on a.basket = b.basket and a.number < b.number
    group by all having count(*) >= $least
)
select *, rank() over (order by baskets desc) as place, count(*) over (partition by baskets) as tied
from counted
"""
ROWS = """
with paired as (
    select number, item from frequent_items
    where number in (select first_number from basket_pairs)
        or number in (select second_number from basket_pairs)
)
select basket, item from basket_items join paired using (item)
qualify count(*) over (partition by basket) >= 3
order by basket, item
"""


@dataclass(frozen=True)
class Period:
    """Days from `first` up to, not including, `stop`."""

    name: str
    first: date
    stop: date


def periods(as_of: date) -> list[Period]:
    """All time, the last 365 days, and the last quarters, of which the newest may be unfinished."""
    told = [
        Period("all", date.min, as_of),
        Period("last-365-days", as_of - timedelta(days=365), as_of),
    ]
    last = as_of - timedelta(days=1)
    first, stop = date(last.year, (last.month - 1) // 3 * 3 + 1, 1), as_of
    for _ in range(QUARTERS):
        told.append(Period(f"{first.year}-Q{(first.month + 2) // 3}", first, stop))
        before = first - timedelta(days=1)
        first, stop = date(before.year, (before.month - 1) // 3 * 3 + 1, 1), first
    return told


def basket_rules(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> str:
    """Rules of each period for products and for categories → ml.basket_rules."""
    from models.baskets import RuleParameters, find_rules

    parameters = RuleParameters()
    connection.execute(LINES)
    frames, skipped = [], 0
    for period in periods(as_of):
        for level in LEVELS:
            counted = _count(connection, level, period, parameters)
            if len(counted.rows) and counted.rows["basket"].nunique() > parameters.max_matrix_rows:
                counted, skipped = _without_triples(counted), skipped + 1
            frames.append(_described(find_rules(counted, parameters), counted, period, level))
    connection.register("found_rules", pd.concat(frames, ignore_index=True))
    rules_told = replace(connection, "basket_rules", as_of, "select * from found_rules")
    connection.unregister("found_rules")
    _drop(connection)
    told = f"{rules_told:,} basket rules"
    return f"{told} (of two items only for {skipped} of the tables: too many)" if skipped else told


def _count(
    connection: duckdb.DuckDBPyConnection, level: str, period: Period, parameters: RuleParameters
) -> CountedItems:
    from models.baskets import CountedItems

    connection.execute(
        ITEMS.format(level=level),
        {"first": period.first, "stop": period.stop, "most": parameters.max_basket_items},
    )
    baskets = connection.execute("select count(distinct basket) from basket_items").fetchall()[0][0]
    least = parameters.least_baskets(baskets)
    connection.execute(FREQUENT, {"least": least})
    connection.execute(PAIRS, {"least": least})
    least = _leave_most_frequent(connection, parameters.max_pairs) or least
    named = (
        "select a.item as first, b.item as second, p.baskets from basket_pairs p "
        "join frequent_items a on a.number = p.first_number "
        "join frequent_items b on b.number = p.second_number order by 1, 2"
    )
    pairs = connection.execute(named).df()
    items = connection.execute("select item, baskets from frequent_items order by item").df()
    paired = items[items["item"].isin({*pairs["first"], *pairs["second"]})]
    rows = connection.execute(ROWS).df()
    frequent = int((items["baskets"] >= least).sum())
    return CountedItems(paired, pairs, rows, baskets, least, frequent)


def _leave_most_frequent(connection: duckdb.DuckDBPyConnection, most: int) -> int | None:
    """Delete the pairs past the `most` most frequent; in how many baskets the others are at least.

    Those tied with the first pair too many go with it, so that no order of rows decides.
    """
    query = "select max(baskets) + 1 from basket_pairs where place + tied - 1 > ?"
    least = connection.execute(query, [most]).fetchall()[0][0]
    connection.execute("delete from basket_pairs where baskets < ?", [least or 0])
    return None if least is None else int(least)


def _without_triples(counted: CountedItems) -> CountedItems:
    return dataclasses.replace(counted, rows=counted.rows.iloc[:0])


def _described(
    rules: pd.DataFrame, counted: CountedItems, period: Period, level: str
) -> pd.DataFrame:
    return rules.assign(
        period=period.name,
        period_from=None if period.first == date.min else period.first,
        period_to=period.stop,
        level=level,
        rule_rank=range(1, len(rules) + 1),
        baskets=counted.baskets,
        least_baskets=counted.least,
    )


def _drop(connection: duckdb.DuckDBPyConnection) -> None:
    for table in ("basket_lines", "basket_items", "frequent_items", "basket_pairs"):
        connection.execute(f"drop table if exists temp.{table}")
