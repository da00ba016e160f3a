"""What new, changed and gone records change among keys and pairs, without a look at all others.

Only keys that one of those records has, or had, can be shared by more or by fewer records than
before; whoever holds one of them is gathered, and compared where it is, or has become, another.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from tessera.identity.fields import IDENTIFYING, KEYS

_SHARED = "(select key_value from identity_common where kind = 'shared' and key_name = 'email')"
# Holders by whom a key brings pairs up: it is not shared by too many, nor is its address.
_BRINGING_UP = (
    "select key_name, key_value, record from identity_holders "
    "anti join identity_common using (key_name, key_value) "
    f"where key_name <> 'email_local' or key_email is null or key_email not in {_SHARED}"
)


def recount(
    connection: duckdb.DuckDBPyConnection, most_accounts: int, limits: Mapping[str, int]
) -> int:
    """Make identity_common as blocking would of all records; how many identifiers are shared.

    Of identity_was_common, identity_fresh_keys, identity_gone and what ops.identity_keys has of
    the others. Makes identity_holders (key_name, key_value, key_email, record) of all keys that
    the fresh and the gone ones have. `limits`: the largest block of each key.
    """
    connection.execute(_TABLES)
    _gather(connection, " union ".join(_long(t) for t in ("identity_fresh_keys", "identity_gone")))
    connection.execute(_COUNT_SHARED, {"identifying": list(IDENTIFYING), "most": most_accounts})
    _gather(connection, _NEIGHBOURS)
    connection.execute(_COUNT_CROWDS, {"keys": list(KEYS), "limits": _in_order(limits)})
    row = connection.execute("select count(*) from identity_common where kind = 'shared'")
    return int(row.fetchall()[0][0])


def _in_order(limits: Mapping[str, int]) -> list[int]:
    return [limits.get(key, 0) for key in KEYS]


_TABLES = """
create or replace temporary table identity_touched (key_name varchar, key_value ubigint);
create or replace temporary table identity_holders (
    key_name varchar, key_value ubigint, key_email ubigint, record integer);
"""
_COUNT_SHARED = """
create or replace temporary table identity_common as
from identity_was_common anti join identity_touched using (key_name, key_value)
union all
select 'shared', key_name, key_value from identity_holders
where list_contains($identifying, key_name) group by key_name, key_value having count(*) > $most
"""
# An address that has become, or is no longer, a shared one: what stands before its @ counts anew.
_NEIGHBOURS = """
select 'email_local' as key_name, k.key_email_local as key_value
from (
    select key_value from identity_touched where key_name = 'email'
    and (key_value in (select key_value from identity_common where key_name = 'email'))
        <> (key_value in (select key_value from identity_was_common
            where kind = 'shared' and key_name = 'email'))
) as t join ops.identity_keys as k on k.key_email = t.key_value
where k.key_email_local is not null
"""
_COUNT_CROWDS = f"""
delete from identity_common where kind = 'crowd'
    and (key_name, key_value) in (select (key_name, key_value) from identity_touched);
insert into identity_common
select 'crowd', key_name, key_value from ({_BRINGING_UP}) as held
join (select unnest($keys) as key_name, unnest($limits) as most) as limits using (key_name)
group by key_name, key_value, most having count(*) > most;
"""


def _long(keyed: str) -> str:
    """SQL: key_name, key_value of all keys of a table with a column for each."""
    return " union ".join(
        f"select '{key}' as key_name, key_{key} as key_value from {keyed} "
        f"where key_{key} is not null"
        for key in KEYS
    )


def _gather(connection: duckdb.DuckDBPyConnection, touched: str) -> None:
    """Put who holds these keys into identity_holders, unless they are there. `touched`: SQL."""
    connection.execute(
        f"create or replace temporary table identity_asked as select distinct key_name, key_value "
        f"from ({touched}) anti join identity_touched using (key_name, key_value)"
    )
    if connection.table("identity_asked").shape[0] == 0:
        return
    asked = "{0}.key_{1} in (select key_value from identity_asked where key_name = '{1}')".format
    known = " union all ".join(
        f"select '{key}' as key_name, k.key_{key} as key_value, k.key_email, k.account, k.digest "
        f"from ops.identity_keys as k where {asked('k', key)}"
        for key in KEYS
    )
    fresh = " union all ".join(
        f"select '{key}', f.key_{key}, f.key_email, f.record from identity_fresh_keys as f "
        f"where {asked('f', key)}"
        for key in KEYS
    )
    connection.execute(
        "insert into identity_holders select key_name, key_value, key_email, record "
        f"from ({known}) join identity_accounts using (account, digest) union all {fresh}"
    )
    connection.execute("insert into identity_touched from identity_asked")


def find_changed(connection: duckdb.DuckDBPyConnection, changed: str) -> None:
    """Make `changed` (record): the fresh ones, and those with a key that has become, or is no
    longer, one that too many share."""
    connection.execute(
        f"""
        create or replace temporary table {changed} as
        with turned as (
            (from identity_common except from identity_was_common) union all
            (from identity_was_common except from identity_common)
        )
        select record from identity_fresh union
        select record from identity_holders semi join turned using (key_name, key_value)
        """
    )


def find_pairs(connection: duckdb.DuckDBPyConnection, changed: str, pairs: str) -> None:
    """Make `pairs` as blocking would, but only with at least one record of `changed`."""
    connection.execute(
        "create or replace temporary table identity_others as select k.* from ops.identity_keys "
        f"as k join identity_accounts as a using (account, digest) join {changed} using (record)"
    )
    _gather(connection, _long("identity_others"))
    connection.execute(
        f"""
        create or replace temporary table {pairs} as
        with held as ({_BRINGING_UP}),
        numbered as (select unnest($keys) as key_name, unnest(range(len($keys))) as number)
        select min(number) as match_key, least(l.record, r.record) as join_key_l,
            greatest(l.record, r.record) as join_key_r
        from (from held semi join {changed} using (record)) as l
        join held as r using (key_name, key_value)
        join numbered using (key_name)
        where l.record <> r.record
        group by join_key_l, join_key_r
        """,
        {"keys": list(KEYS)},
    )
