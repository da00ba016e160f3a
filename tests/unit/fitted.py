"""A warehouse with just enough features that segments can be fitted on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import duckdb

from tessera import warehouse

DAY = date(2026, 1, 1)
# One in ten has not bought, one in three is not measured; sentiment is known of nobody.
_FEATURES = """
    create schema features;
    create table features.customer_features as
    select 'c' || lpad(i::varchar, 3, '0') as customer_id, $day as as_of,
           case when i % 10 = 0 then null else 1 + i % 7 end as frequency,
           (i * 37 % 300)::integer as recency_days, (i * 91 % 1000)::decimal(18,4) as monetary,
           (i * 91 % 1000 / 2)::double as decayed_monetary,
           (i * 37 % 300 / 60)::double as overdue_ratio,
           (i * 13 % 700)::integer as tenure_days, (i * 7 % 10) / 10 as discount_share,
           case when i % 3 > 0 then (i * 3 % 50)::double end as engagement_score,
           null::double as mean_sentiment
    from range($customers) r(i)
"""


@contextmanager
def features_of(customers: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of the warehouse and features.customer_features of DAY, in memory."""
    with duckdb.connect() as opened:
        opened.execute(warehouse.SCHEMA)
        for statement in _FEATURES.strip().split(";\n"):
            told = {"day": DAY, "customers": customers} if "$" in statement else None
            opened.execute(statement, told)
        yield opened
