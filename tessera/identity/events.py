"""The ledger's tables: reads what accounts were called, appends what has changed.

ops.identity_events says for each account what it was called from which as-of date on; the latest
event of a day or before holds. A run for a day reads nothing of later days.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

import duckdb
import pyarrow as pa

from tessera.identity.ledger import Account, Age, name_clusters

_STATE = """
select account, arg_max(to_id, (as_of, seq)) as customer_id from ops.identity_events
where as_of <= $as_of group by account
"""
# The first word about a birth holds: a run for an earlier day, made later, changes no ages.
_BORN = """
select account, arg_min(as_of, seq) as born_on from ops.identity_events
where as_of <= $as_of and event = 'born' group by account
"""


@dataclass(frozen=True)
class Stamp:
    """For which day a run is, when it is made, and by whom."""

    as_of: date
    recorded_at: datetime
    by: str = "run"


def name_customers(connection: duckdb.DuckDBPyConnection, clusters: str, as_of: date) -> None:
    """Make identity_named (account, cluster, created_at, was, customer_id) of all of `clusters`.

    `clusters`: account, cluster, created_at. `was`: the id it had, null where it is new.
    """
    told = {"as_of": as_of}
    connection.execute(
        f"create or replace temporary table identity_members as "
        f"select c.*, s.customer_id as was, coalesce(b.born_on, $as_of) as born_on "
        f"from {clusters} as c left join ({_STATE}) as s using (account) "
        f"left join ({_BORN}) as b using (account)",
        told,
    )
    connection.execute(_PLAIN)
    _name_the_rest(connection, as_of)
    connection.execute(
        "create or replace temporary table identity_named as "
        "select m.account, m.cluster, m.created_at, m.was, n.customer_id "
        "from identity_members as m join identity_names as n using (cluster)"
    )


# Clusters that are all new, or whose accounts had one id that no other cluster lays claim to.
_PLAIN = """
create or replace temporary table identity_names as
with summed as (
    select cluster, count(distinct was) as ids, any_value(was) as was,
        arg_min(account, (born_on, created_at, account)) as eldest
    from identity_members group by cluster
),
claimed as (
    select was, count(distinct cluster) as clusters from identity_members
    where was is not null group by was
)
select s.cluster, coalesce(s.was, s.eldest) as customer_id
from summed as s
left join claimed as c on c.was = s.was
left join identity_members as home on home.account = s.was
where s.ids = 0 or (s.ids = 1 and c.clusters = 1 and coalesce(home.cluster = s.cluster, true))
"""


def _name_the_rest(connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
    rows = connection.execute(
        """
        select m.cluster, m.account, datediff('day', date '1970-01-01', m.born_on),
            coalesce(cast(m.created_at as varchar), '9999'), h.held
        from identity_members as m
        anti join identity_names as n on n.cluster = m.cluster
        left join (
            select account, list(to_id order by as_of, seq) as held from ops.identity_events
            where as_of <= $as_of group by account
        ) as h on h.account = m.account
        order by m.cluster, m.account
        """,
        {"as_of": as_of},
    ).fetchall()
    if not rows:
        return
    clusters: dict[str, list[Account]] = defaultdict(list)
    for cluster, key, born_on, created_at, held in rows:
        clusters[cluster].append(Account(key, (born_on, created_at, key), tuple(held or ())))
    ids = {known for members in clusters.values() for a in members for known in (a.key, *a.held)}
    named = name_clusters(clusters, _ages(connection, ids, as_of), _homes(connection, ids))
    identity_told = pa.table({"cluster": list(named), "customer_id": list(named.values())})  # noqa: F841
    connection.execute("insert into identity_names select cluster, customer_id from identity_told")


def _ages(connection: duckdb.DuckDBPyConnection, ids: set[str], as_of: date) -> dict[str, Age]:
    rows = connection.execute(
        "select account, datediff('day', date '1970-01-01', born_on), "
        "coalesce(cast(created_at as varchar), '9999') from identity_members "
        "where list_contains($1, account)",
        [sorted(ids)],
    ).fetchall()
    gone = {known: (-1, "", known) for known in ids}  # an id whose account is no more: the eldest
    return gone | {key: (born_on, created, key) for key, born_on, created in rows}


def _homes(connection: duckdb.DuckDBPyConnection, ids: set[str]) -> dict[str, str]:
    """Where ids are at home, and where they were given already though their account is gone."""
    rows = connection.execute(
        "select account, cluster from identity_members where list_contains($1, account) "
        "union all select customer_id, cluster from identity_names "
        "where list_contains($1, customer_id)",
        [sorted(ids)],
    ).fetchall()
    return dict(rows)


def record(
    connection: duckdb.DuckDBPyConnection, named: str, evidence: str, stamp: Stamp
) -> dict[str, int]:
    """Append what changed and return how many of each event; nothing where nothing did.

    `named`: account, was, customer_id. `evidence`: account, reason, evidence (JSON). What
    later days know stays: where they would now read something else, it is confirmed to them.
    """
    values = {"as_of": stamp.as_of, "recorded_at": stamp.recorded_at, "by": stamp.by}
    later = connection.execute(
        "select min(as_of) from ops.identity_runs where as_of > ?", [stamp.as_of]
    ).fetchall()[0][0]
    if later:
        connection.execute(
            f"create or replace temporary table identity_later as {_STATE}", {"as_of": later}
        )
    connection.execute(_APPEND.format(named=named, evidence=evidence), values)
    if later:
        connection.execute(_CONFIRM.format(state=_STATE), values | {"as_of": later})
    rows = connection.execute(
        "select event, count(*) from ops.identity_events "
        "where recorded_at = $1 and as_of = $2 group by event order by event",
        [stamp.recorded_at, stamp.as_of],
    ).fetchall()
    return dict(rows)


_APPEND = """
insert into ops.identity_events
with changes as (
    select n.account, n.was, n.customer_id, n.created_at, e.reason, e.evidence
    from {named} as n left join {evidence} as e using (account)
),
told as (
    select 0 as step, 'born' as event, account, null as from_id, account as to_id, created_at,
        'first seen' as reason, null as evidence
    from changes where was is null
    union all
    select 1, case when customer_id = account then 'split' else 'merged' end, account,
        coalesce(was, account), customer_id, created_at, reason, evidence
    from changes where coalesce(was, account) <> customer_id
)
select coalesce((select max(seq) from ops.identity_events), 0)
        + row_number() over (order by step, created_at, account),
    event, account, from_id, to_id, $as_of, $recorded_at,
    coalesce(reason, 'linked to none of them any more'), evidence, $by
from told
"""
_CONFIRM = """
insert into ops.identity_events
select coalesce((select max(seq) from ops.identity_events), 0)
        + row_number() over (order by account),
    'confirmed', account, now.customer_id, identity_later.customer_id, $as_of, $recorded_at,
    'a run for an earlier day was made later', null, $by
from identity_later join ({state}) as now using (account)
where now.customer_id <> identity_later.customer_id
"""
