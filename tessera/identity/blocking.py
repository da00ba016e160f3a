"""Which records are compared: those that share a key, unless too many share it."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from tessera.identity.fields import IDENTIFYING, KEYS
from tessera.identity.memory import hashed

_PAIRS_A_RECORD = 4  # that one key may bring up; with more, its larger blocks are left out


def add_keys(connection: duckdb.DuckDBPyConnection, records: str) -> None:
    """Make identity_fresh_keys: record and a number key_<name> for each of KEYS.

    Null where a record has too little for it.
    """
    made = ", ".join(f"{hashed(sql)} as key_{key}" for key, sql in KEYS.items())
    connection.execute(
        f"create or replace temporary table identity_fresh_keys as select record, {made} "
        f"from {records}"
    )


def find_shared(connection: duckdb.DuckDBPyConnection, most_accounts: int) -> int:
    """Make identity_common (kind 'shared', key_name, key_value); how many there are.

    Of identifiers that more accounts share than one person has.
    """
    shared = " union all ".join(
        f"select 'shared' as kind, '{field}' as key_name, key_{field} as key_value "
        f"from identity_fresh_keys where key_{field} is not null group by key_{field} "
        f"having count(*) > {int(most_accounts)}"
        for field in IDENTIFYING
    )
    connection.execute(f"create or replace temporary table identity_common as {shared}")
    return connection.table("identity_common").shape[0]


def leave_out_common(
    connection: duckdb.DuckDBPyConnection,
    keyed: str,
    largest_block: int,
    known: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Make `keyed`: identity_fresh_keys without what brings nobody up, or too many.

    A key is null where nobody shares it, where it is of an identifier of identity_common, and
    where more records share it than `known` says. Without `known`: than `largest_block`, or than
    leaves _PAIRS_A_RECORD. Those go into identity_common as kind 'crowd'. Returns these limits: a
    million contacts with one telephone would be half a million million pairs, and a hundred in
    each of ten thousand towns fifty million.
    """
    connection.execute(
        "create or replace temporary table identity_cleared as select * replace ("
        + ", ".join(f"{_not_shared(key)} as key_{key}" for key in (*IDENTIFYING, "email_local"))
        + ") from identity_fresh_keys"
    )
    blocks = " union all ".join(
        f"select '{key}' as key_name, key_{key} as key_value, count(*) as records "
        f"from identity_cleared where key_{key} is not null group by key_{key} having count(*) > 1"
        for key in KEYS
    )
    connection.execute(f"create or replace temporary table identity_blocks as {blocks}")
    limits = dict(_largest_blocks(connection, largest_block) if known is None else known)
    within = " or ".join(f"key_name = '{k}' and records <= {n}" for k, n in limits.items())
    connection.execute(
        "insert into identity_common select 'crowd', key_name, key_value from identity_blocks "
        f"where not ({within or 'false'})"
    )
    kept = ", ".join(
        f"case when key_{key} in (select key_value from identity_blocks where key_name = '{key}' "
        f"and records <= {limits.get(key, 0)}) then key_{key} end as key_{key}"
        for key in KEYS
    )
    connection.execute(
        f"create or replace temporary table {keyed} as select record, {kept} from identity_cleared"
    )
    return limits


def _not_shared(key: str) -> str:
    """SQL: a key, null where its identifier is one that too many share."""
    identifier = "email" if key == "email_local" else key
    return (
        f"case when key_{identifier} is null or key_{identifier} not in (select key_value "
        f"from identity_common where kind = 'shared' and key_name = '{identifier}') "
        f"then key_{key} end"
    )


def _largest_blocks(connection: duckdb.DuckDBPyConnection, most: int) -> dict[str, int]:
    """Of each key, how many records a block may have that all smaller ones are few pairs."""
    found = dict(
        connection.execute(
            """
            with sizes as (
                select key_name, records, sum(sum(records * (records - 1) / 2)) over (
                    partition by key_name order by records) as pairs
                from identity_blocks group by key_name, records
            )
            select key_name, min(records) - 1 from sizes
            where pairs > $each * greatest(1000, (select count(*) from identity_fresh_keys))
            group by key_name
            """,
            {"each": _PAIRS_A_RECORD},
        ).fetchall()
    )
    return {key: min(most, max(found.get(key, most), 2)) for key in KEYS}


def find_pairs(connection: duckdb.DuckDBPyConnection, keyed: str, pairs: str) -> None:
    """Make `pairs` (match_key, join_key_l < join_key_r): each two that share a key, once."""
    keys = list(KEYS)
    found = []
    for i, key in enumerate(keys):
        seen = "".join(
            f" and not coalesce(l.key_{earlier} = r.key_{earlier}, false)" for earlier in keys[:i]
        )
        found.append(
            f"select {i} as match_key, l.record as join_key_l, r.record as join_key_r "
            f"from {keyed} as l join {keyed} as r on l.key_{key} = r.key_{key} "
            f"where l.record < r.record{seen}"
        )
    connection.execute(f"create or replace temporary table {pairs} as " + " union all ".join(found))
