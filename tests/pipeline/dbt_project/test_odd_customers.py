"""Customers whom no average foresees: 100,000 orders, one moment for all, nothing but a name."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from models.clustering import assign
from models.outliers import find_outliers
from tessera import fits, settings

ROOT = Path(__file__).resolve().parents[3]
AS_OF = "2025-07-01"
ORDERS = 100_000
# Who else buys: three hundred people with five orders each.
ORDERS_OF_ALL = f"""
    insert into raw.orders by name
    select order_id, customer_id, amount::varchar as total_amount,
           strftime(ordered_at, '%Y-%m-%dT%H:%M:%SZ') as ordered_at,
           'test' as _source, 'test' as _file, 1 as _load_id, row_number() over () as _line,
           0 as _item
    from (
        select 'many-' || i as order_id, 'many' as customer_id, 10 as amount,
               timestamp '2025-01-01' + to_seconds(150 * i) as ordered_at
        from range({ORDERS}) orders(i)
        union all
        select 'once-' || i, 'once', 10, timestamp '2025-03-01 12:00:00' from range(50) orders(i)
        union all
        select 'usual-' || i, 'usual-' || i % 300, 5 + i * 7919 % 90,
               timestamp '2025-01-01' + to_hours((i * 37 % 4000)::integer)
        from range(1500) orders(i)
    )
"""


@pytest.fixture(scope="module")
def warehouse(dbt: Any, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    scratch = tmp_path_factory.mktemp("odd")
    file = scratch / "warehouse.duckdb"
    with dbt.new_warehouse(file) as connection:
        dbt.fill_raw(connection, "contacts", [{"customer_id": "name", "first_name": "Ada"}])
        connection.execute(ORDERS_OF_ALL)
    left_out = [
        word for kind in ("unit_test", "test") for word in ("--exclude-resource-type", kind)
    ]
    assert dbt.build(file, scratch, AS_OF, *left_out) == []
    return duckdb.connect(str(file))


def row_of(warehouse: duckdb.DuckDBPyConnection, customer: str, *columns: str) -> tuple[Any, ...]:
    rows = warehouse.execute(
        f"select {', '.join(columns)} from features.customer_features where customer_id = ?",
        [customer],
    ).fetchall()
    assert len(rows) == 1
    return tuple(rows[0])


def test_a_hundred_thousand_orders_are_counted_each(
    dbt: Any, warehouse: duckdb.DuckDBPyConnection
) -> None:
    found = row_of(warehouse, dbt.customer("many"), "frequency", "monetary", "busiest_hour_orders")
    assert found == (ORDERS, 10 * ORDERS, 24)


def test_orders_of_one_moment_have_no_rhythm(
    dbt: Any, warehouse: duckdb.DuckDBPyConnection
) -> None:
    columns = ("frequency", "inter_purchase_days", "busiest_hour_orders", "tenure_days")
    assert row_of(warehouse, dbt.customer("once"), *columns) == (50, None, 50, 122)


def test_nothing_but_a_first_name_is_a_customer_all_the_same(
    dbt: Any, warehouse: duckdb.DuckDBPyConnection
) -> None:
    columns = ("has_contact", "has_orders", "frequency", "lifecycle_stage", "profile_completeness")
    found = row_of(warehouse, dbt.customer("name"), *columns, "next_question")
    assert found == (True, False, None, "prospect", 0.0, "email")


def test_they_are_outliers_and_do_not_break_the_clusters(
    dbt: Any, warehouse: duckdb.DuckDBPyConnection
) -> None:
    day = date.fromisoformat(AS_OF)
    customers = fits.read_customers(warehouse, day)
    judged = find_outliers(customers).set_index("customer_id")
    odd = judged.loc[[dbt.customer("many"), dbt.customer("once")]]
    assert odd["is_outlier"].all()
    assert judged["is_outlier"].mean() < 0.05
    customers["is_outlier"] = judged.loc[customers["customer_id"], "is_outlier"].to_numpy()
    told = settings.load(ROOT / "settings.toml")
    placed = assign(fits.fit(customers, told, day).fitted, customers)
    assert set(placed["customer_id"]) == set(customers["customer_id"])
