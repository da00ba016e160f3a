"""Which records are compared: those that share a key, unless too many share it."""

from __future__ import annotations

import duckdb

from tessera.identity.fields import KEYS

_PAIRS_A_RECORD = 4  # that one key may bring up; with more, its larger blocks are left out


def add_keys(
    connection: duckdb.DuckDBPyConnection, records: str, keyed: str, largest_block: int
) -> None:
    """Make `keyed`: record and a number key_<name> for each of KEYS.

    It is null where a record has too little for it, where nobody shares it, and where more records
    do than `largest_block`, or than leaves _PAIRS_A_RECORD: a million contacts with one telephone
    would be half a million million pairs, a hundred in each of ten thousand towns fifty million.
    The temporary table identity_blocks (key_name, key_value, records) has those that are shared.
    """
    hashed = ", ".join(
        f"case when ({sql}) is not null then hash({sql}) end as key_{key}"
        for key, sql in KEYS.items()
    )
    blocks = " union all ".join(
        f"select '{key}' as key_name, key_{key} as key_value, count(*) as records "
        f"from identity_all_keys where key_{key} is not null group by key_{key} having count(*) > 1"
        for key in KEYS
    )
    for name, query in (
        ("identity_all_keys", f"select record, {hashed} from {records}"),
        ("identity_blocks", blocks),
    ):
        connection.execute(f"create or replace temporary table {name} as {query}")
    limits = _largest_blocks(connection, largest_block)
    kept = ", ".join(
        f"case when key_{key} in (select key_value from identity_blocks where key_name = '{key}' "
        f"and records <= {limits.get(key, 0)}) then key_{key} end as key_{key}"
        for key in KEYS
    )
    connection.execute(
        f"create or replace temporary table {keyed} as select record, {kept} from identity_all_keys"
    )
    connection.execute("drop table temp.identity_all_keys")


def _largest_blocks(connection: duckdb.DuckDBPyConnection, most: int) -> dict[str, int]:
    """Of each key, how many records a block may have that all smaller ones are few pairs."""
    return dict(
        connection.execute(
            """
            with sizes as (
                select key_name, records, sum(sum(records * (records - 1) / 2)) over (
                    partition by key_name order by records) as pairs
                from identity_blocks group by key_name, records
            )
            select key_name, max(records) from sizes
            where records <= $most and (records = 2 or pairs <= $each * greatest(
                1000, (select count(*) from identity_all_keys)))
            group by key_name
            """,
            {"most": most, "each": _PAIRS_A_RECORD},
        ).fetchall()
    )


def find_pairs(
    connection: duckdb.DuckDBPyConnection, keyed: str, pairs: str, changed: str | None = None
) -> None:
    """Make `pairs` (match_key, join_key_l < join_key_r): each two records that share a key, once.

    `changed`: a table of records; given, only pairs with at least one of them.
    """
    keys = list(KEYS)
    found = []
    for i, key in enumerate(keys):
        seen = "".join(
            f" and not coalesce(l.key_{earlier} = r.key_{earlier}, false)" for earlier in keys[:i]
        )
        sides = [("l.record < r.record", keyed, keyed)]
        if changed:
            some = f"(select * from {keyed} semi join {changed} using (record))"
            rest = f"(select * from {keyed} anti join {changed} using (record))"
            sides = [("l.record < r.record", some, some), ("true", some, rest)]
        found += [
            f"select {i} as match_key, least(l.record, r.record) as join_key_l, "
            f"greatest(l.record, r.record) as join_key_r "
            f"from {left} as l join {right} as r on l.key_{key} = r.key_{key} "
            f"where {order}{seen}"
            for order, left, right in sides
        ]
    connection.execute(f"create or replace temporary table {pairs} as " + " union all ".join(found))
