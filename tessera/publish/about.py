"""What a publication is of: the table `segments.about`, which counts what dbt has made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb

NAME = "about"
# In the form of dbt's nodes, so that its page in the docs is made as all others are.
NODE: dict[str, Any] = {
    "name": NAME,
    "alias": NAME,
    "schema": "segments",
    "unique_id": "about",
    "description": (
        "What is published here: every table with its rows, every source with its newest event, "
        "and of all of it the day, the run, the ML model and the version of the contract. "
        "Published. One row per table and per source."
    ),
    "columns": {
        name: {"name": name, "data_type": data_type, "description": description}
        for name, data_type, description in (
            ("kind", "varchar", "table or source."),
            ("name", "varchar", "Name of the table, or of the source as the settings have it."),
            ("row_count", "bigint", "Rows of the table; of a source, rows loaded from it."),
            ("newest_event_at", "timestamp", "A source's newest event, UTC; null for tables."),
            ("as_of", "date", "The date that was published: what happened before it counts."),
            ("published_at", "timestamp", "When it was published, UTC."),
            ("run", "varchar", "The run: its date, and a hash of all it was made from."),
            ("model_id", "varchar", "The ML model that put the customers into segments."),
            ("contract_version", "varchar", "Version of the tables' contract, as MAJOR.MINOR."),
        )
    },
}
KEY = ["kind", "name"]


@dataclass(frozen=True)
class About:
    """One publication. `published_at` is naive UTC; `contract` the version of the tables' shape."""

    run: str
    as_of: date
    published_at: datetime
    contract: str


def write(connection: duckdb.DuckDBPyConnection, about: About, tables: Sequence[str]) -> None:
    """Make `published.segments.about`, once the tables stand beside it.

    Reads the sources from `ops.loads`.
    """
    counted = " union all ".join(
        f"select 'table', '{table}', count(*), null from published.segments.{table}"
        for table in tables
    )
    connection.execute(
        f"""
        create table published.segments.{NAME} as
        with items (kind, name, row_count, newest_event_at) as (
            {counted}
            union all
            select 'source', source, sum(rows_loaded)::bigint, max(newest_event_at)
            from ops.loads where status = 'loaded' group by source
        )
        select *, ?::date as as_of, ?::timestamp as published_at, ?::varchar as run,
            (select string_agg(distinct model_id, ', ' order by model_id)
             from published.segments.customer_segments) as model_id,
            ?::varchar as contract_version
        from items order by kind desc, name
        """,
        [about.as_of, about.published_at, about.run, about.contract],
    )
