"""How frequent each value of a field is: a shared rare name says more than a shared common one."""

from __future__ import annotations

import duckdb

from tessera.identity.memory import hashed


def learn_frequencies(
    connection: duckdb.DuckDBPyConnection, records: str, fields: list[str]
) -> None:
    """Make identity_terms (field, term, frequency): the share of a field's filled values.

    `term`: salted hash of a value that several records have; null stands for all others.
    """
    counted = " union all ".join(
        f"select '{f}' as field, {hashed(f)} as term, count(*) as records from {records} "
        f"where {f} is not null group by {f}"
        for f in fields
    )
    connection.execute(
        "create or replace temporary table identity_terms as "
        f"with counted as ({counted}), "
        "filled as (select field, sum(records) as filled from counted group by field) "
        "select field, term, records / filled as frequency from counted join filled using (field) "
        "where records > 1 union all select field, null, 1 / filled from filled"
    )


def add_frequencies(
    connection: duckdb.DuckDBPyConnection, records: str, weighed: str, fields: list[str]
) -> None:
    """Make `weighed`: the records with a column tf_<field>, as identity_terms has it."""
    alone = dict(
        connection.execute(
            "select field, frequency from identity_terms where term is null"
        ).fetchall()
    )
    terms = ", ".join(
        f"case when r.{f} is not null then coalesce(tf_{f}.frequency, {alone[f]!r}) end as tf_{f}"
        for f in fields
        if f in alone
    )
    joins = " ".join(
        f"left join (select * from identity_terms where field = '{f}' and term is not null) "
        f"as tf_{f} on tf_{f}.term = {hashed(f'r.{f}')}"
        for f in fields
        if f in alone
    )
    connection.execute(
        f"create or replace temporary table {weighed} as "
        f"select r.*, {terms} from {records} as r {joins}"
    )
