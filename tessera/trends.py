"""Weekly series of the company, its categories and segments, for `models/trends.py`, and back."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from tessera.ml_floor import replace
from tessera.settings import Settings

if TYPE_CHECKING:
    from models.trends import TrendParameters

MEASURES = ("revenue", "orders", "customers")
CATEGORIES = 50
KEY = ["dimension", "member", "measure"]

# Whole weeks from Monday, from the first that is whole to the last that was over: the weeks of
# the company's life, those without an order among them. Of categories the greatest ones.
SERIES = """
with sales as (
    select order_id, customer_id, ordered_at, gross_amount as amount
    from intermediate.int_orders_assembled where excluded_because is null and has_sale
), lines as (
    select sales.order_id, sales.customer_id, sales.ordered_at, lines.amount,
           coalesce(lines.category, products.category) as category
    from intermediate.int_order_lines_classified as lines
    join sales using (order_id)
    left join staging.stg_shop__products as products on lines.product_id = products.product_id
    where lines.line_kind = 'sale'
), greatest_categories as (
    select category from lines where category is not null
    group by category order by sum(amount) desc, category limit $categories
), members as (
    select 'all' as dimension, 'all' as member, order_id, customer_id, ordered_at, amount from sales
    union all
    select 'category', category, order_id, customer_id, ordered_at, amount
    from lines semi join greatest_categories using (category)
    union all
    select 'segment', segment_id, order_id, customer_id, ordered_at, amount
    from sales join ml.assignments using (customer_id)
    where as_of = $as_of
), counted as (
    select dimension, member, date_trunc('week', ordered_at)::date as week,
           greatest(sum(amount), 0)::double as revenue, count(distinct order_id)::double as orders,
           count(distinct customer_id)::double as customers
    from members group by all
), life as (
    select date_trunc('week', min(ordered_at) + interval 6 day)::date as first,
           date_trunc('week', $as_of::date)::date as stop
    from sales
), weeks as (
    select unnest(generate_series(first, stop - 7, interval 7 day))::date as week from life
), grid as (
    select dimension, member, week
    from (select distinct dimension, member from counted) cross join weeks
)
select dimension, member, week, coalesce(revenue, 0) as revenue, coalesce(orders, 0) as orders,
       coalesce(customers, 0) as customers
from grid left join counted using (dimension, member, week)
order by dimension, member, week
"""


def trends(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> str:
    """Trend, season, anomalies and changes of each series → ml.trends, ml.trend_changes."""
    from models.trends import TrendParameters

    series = read_series(connection, as_of)
    apart, changes = take_apart(series, TrendParameters())
    _replace(connection, "trends", as_of, apart)
    _replace(connection, "trend_changes", as_of, changes)
    anomalies = int(apart["is_anomaly"].sum()) if len(apart) else 0
    told = f"{len(apart):,} weeks of trends"
    return f"{told}, {anomalies:,} of them out of line, {len(changes):,} changes of level"


def read_series(connection: duckdb.DuckDBPyConnection, as_of: date) -> pd.DataFrame:
    """(dimension, member, week, revenue, orders, customers), in order, without a gap."""
    told = {"as_of": as_of, "categories": CATEGORIES}
    return connection.execute(SERIES, told).df()


def take_apart(
    series: pd.DataFrame, parameters: TrendParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each measure of each member by itself: the rows of ml.trends and of ml.trend_changes."""
    from models.trends import change_points, decompose

    apart, changes = [], []
    for (dimension, member), weeks in series.groupby(["dimension", "member"], sort=True):
        for measure in MEASURES:
            named = {"dimension": str(dimension), "member": str(member), "measure": measure}
            told = decompose(weeks[measure].to_numpy(), parameters)
            week = weeks["week"].to_numpy()
            apart.append(told.assign(**named, week=week))
            found = change_points(told, parameters)
            at = week[found.pop("position").astype(int)]
            changes.append(found.assign(**named, week=at))
    if not apart:
        return pd.DataFrame(), pd.DataFrame()
    return pd.concat(apart, ignore_index=True), pd.concat(changes, ignore_index=True)


def _replace(
    connection: duckdb.DuckDBPyConnection, table: str, as_of: date, rows: pd.DataFrame
) -> None:
    if rows.empty:
        connection.execute(f"delete from ml.{table} where as_of = ?", [as_of])
        return
    columns = [c for c in rows.columns if c not in ("week", "direction")]
    rest = ", direction" if "direction" in rows.columns else ""
    connection.register("rows_to_tell", rows)
    told = f"select {', '.join(columns)}, week::date as week{rest} from rows_to_tell"
    replace(connection, table, as_of, told)
    connection.unregister("rows_to_tell")
