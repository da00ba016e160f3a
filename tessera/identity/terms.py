"""How frequent each value of a field is: a shared rare name says more than a shared common one."""

from __future__ import annotations

import duckdb


def add_frequencies(
    connection: duckdb.DuckDBPyConnection, records: str, weighed: str, fields: list[str]
) -> None:
    """Make `weighed`: the records with a column tf_<field>, the share of its filled values."""
    terms = ", ".join(f"tf_{field}.frequency as tf_{field}" for field in fields)
    joins = " ".join(
        f"left join (select {f}, count(*) / sum(count(*)) over () as frequency from {records} "
        f"where {f} is not null group by {f}) as tf_{f} using ({f})"
        for f in fields
    )
    connection.execute(
        f"create or replace temporary table {weighed} as "
        f"select r.*, {terms} from {records} as r {joins}"
    )
