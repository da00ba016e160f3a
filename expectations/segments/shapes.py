"""Checks that the tables of the data-out gate share."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from expectations.checks import Check, counted, measure, never


def all_of_the_run(as_of: date, title: str) -> Check:
    """Each row carries the run's own date. Critical."""
    return never(f"as_of IS DISTINCT FROM DATE '{as_of.isoformat()}'", title)


def same_count(rows: int, title: str) -> Check:
    """The table has exactly as many rows as the floor before counted. Critical."""
    return measure(
        "SELECT count(*) AS observed FROM {batch}",
        title,
        at_least=rows,
        at_most=rows,
        severity="critical",
        unit="count",
    )


def same_money(column: str, total: Decimal, title: str) -> Check:
    """A column of money sums to exactly a total. Critical; shows the difference."""
    return no_difference(f"coalesce(sum({column}), 0) - ({total})", title)


def no_difference(difference: str, title: str, rounding: float = 0.0) -> Check:
    """An aggregate over the table that should be zero is zero. Critical; shows the difference."""
    return measure(
        f"SELECT ({difference})::DOUBLE AS observed FROM {{batch}}",
        title,
        at_least=-rounding,
        at_most=rounding,
        severity="critical",
    )


def same_customers(table: str, title: str) -> Check:
    """The table and another hold the same customers, neither more nor fewer. Critical."""
    sql = (
        "SELECT count(*) AS observed FROM (SELECT customer_id FROM {batch}) AS here "
        f"FULL JOIN {table} AS there USING (customer_id) "
        "WHERE here.customer_id IS NULL OR there.customer_id IS NULL"
    )
    return counted(sql, title)
