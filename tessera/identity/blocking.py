"""Which records are compared: those that share a key, unless too many share it."""

from __future__ import annotations

import duckdb

from tessera.identity.fields import KEYS


def add_keys(
    connection: duckdb.DuckDBPyConnection, records: str, keyed: str, largest_block: int
) -> None:
    """Make `keyed`: record and a number key_<name> for each of KEYS.

    It is null where a record has too little for it, and where more than `largest_block` records
    share it: a million contacts with one telephone would be half a million million pairs.
    Those keys stand in the temporary table identity_crowds (key_name, key_value, records).
    """
    hashed = ", ".join(
        f"case when ({sql}) is not null then hash({sql}) end as key_{key}"
        for key, sql in KEYS.items()
    )
    crowds = " union all ".join(
        f"select '{key}' as key_name, key_{key} as key_value, count(*) as records "
        f"from identity_all_keys where key_{key} is not null group by key_{key} "
        f"having count(*) > {int(largest_block)}"
        for key in KEYS
    )
    kept = ", ".join(
        f"case when key_{key} not in (select key_value from identity_crowds "
        f"where key_name = '{key}') then key_{key} end as key_{key}"
        for key in KEYS
    )
    for name, query in (
        ("identity_all_keys", f"select record, {hashed} from {records}"),
        ("identity_crowds", crowds),
        (keyed, f"select record, {kept} from identity_all_keys"),
    ):
        connection.execute(f"create or replace temporary table {name} as {query}")
    connection.execute("drop table temp.identity_all_keys")


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
