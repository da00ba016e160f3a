"""Between the social exports, `tessera/network` and the tables of the enriched floor."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd

from tessera.settings import Network as Told

if TYPE_CHECKING:
    from tessera.network.communities import Partition
    from tessera.network.influence import Influence
    from tessera.network.ties import Network

#: A pair or a lone handle is no community.
FEWEST_MEMBERS = 3

# A handle is its customer where that is known; a post that names its author by number only
# belongs to the handle of that account's profile. What is said often counts more, each time less.
EDGES = """
with handles as (
    select key as handle_key, min(customer_id) as customer_id
    from enriched.identities where kind = 'handle' and as_of = $as_of group by key
),
profiles as (
    select author_key, min(handle_key) as handle_key
    from staging.stg_social__profiles
    where handle_key is not null and (seen_at is null or seen_at < $start)
    group by author_key
),
posts as (
    select posts.post_id, posts.network, posts.in_reply_to, posts.mention_keys,
           coalesce(posts.author_handle_key, profiles.handle_key, posts.author_key) as author
    from staging.stg_social__posts as posts left join profiles using (author_key)
    where posts.posted_at < $start
),
said as (
    select 'follow' as kind, follower_handle_key as source, followed_handle_key as target
    from staging.stg_social__follows where followed_at is null or followed_at < $start
    union all
    select 'mention', author, unnest(cast(mention_keys as json)::varchar[])
    from posts where mention_keys is not null
    union all
    select 'reply', replies.author, answered.author
    from posts as replies join posts as answered
        on replies.in_reply_to = answered.post_id
        and replies.network is not distinct from answered.network
),
counted as (
    select kind, coalesce(sources.customer_id, source) as source,
           coalesce(targets.customer_id, target) as target, count(*) as times
    from said
    left join handles as sources on said.source = sources.handle_key
    left join handles as targets on said.target = targets.handle_key
    where source is not null and target is not null
    group by all
),
weighed as (
    select source, target, log2(1 + times) * case kind
        when 'follow' then $follow when 'mention' then $mention else $reply end as weight
    from counted
)
select source, target, cast(sum(weight::decimal(18, 6)) as double) as weight
from weighed where weight > 0
group by source, target order by source, target
"""

PREVIOUS = """
select node as member, community_id as "group", first_seen
from enriched.network_nodes join enriched.communities using (as_of, community_id)
where as_of = (select max(as_of) from enriched.networks where as_of < ?)
"""


def find(connection: duckdb.DuckDBPyConnection, told: Told, as_of: date) -> str:
    """Find communities and influence of one day, replace what is stored of it, say what it is."""
    from tessera.network.communities import find_communities
    from tessera.network.influence import measure_influence

    network = read(connection, told, as_of)
    resolution = None if told.resolution == "auto" else float(told.resolution)
    partition = find_communities(network.mutual, told.seed, resolution)
    influence = measure_influence(network, told.seed)
    nodes = _describe_nodes(network, partition, influence)
    groups = _describe_communities(network, partition)
    previous = connection.execute(PREVIOUS, [as_of]).df()
    named = _name(nodes, groups, previous, as_of)
    _write(connection, nodes, named, _summary(network, partition, influence, named), as_of)
    return (
        f"{network.size:,} people, {len(network.source):,} ties, {len(named):,} communities, "
        f"modularity {partition.modularity:.3f}"
    )


def read(connection: duckdb.DuckDBPyConnection, told: Told, as_of: date) -> Network:
    """The ties of follows, mentions and replies before 00:00 UTC of the day."""
    from tessera.network.ties import connect

    weights = {"follow": told.follow, "mention": told.mention, "reply": told.reply}
    start = datetime.combine(as_of, datetime.min.time())
    edges = connection.sql(EDGES, params={"as_of": as_of, "start": start, **weights})
    return connect(edges.to_arrow_table())


def _describe_nodes(network: Network, partition: Partition, influence: Influence) -> pd.DataFrame:
    from tessera.network.influence import bridges, participation

    ties = network.mutual
    return pd.DataFrame(
        {
            "node": pd.array(network.keys.to_pylist(), dtype="str"),
            "label": partition.labels,
            "incoming": influence.incoming,
            "outgoing": influence.outgoing,
            "audience": influence.audience,
            "pagerank": influence.pagerank,
            "coreness": influence.coreness,
            "betweenness": influence.betweenness,
            "participation": participation(ties, partition.labels),
            "is_bridge": bridges(ties, partition.labels),
        }
    )


def _describe_communities(network: Network, partition: Partition) -> pd.DataFrame:
    """Size and cohesion of the communities that are large enough, by label."""
    ties, labels = network.mutual, partition.labels
    count = int(labels.max()) + 1 if len(labels) else 0
    members = np.bincount(labels, minlength=count)
    inside = labels[ties.low] == labels[ties.high]
    tied = np.bincount(labels[ties.low[inside]], minlength=count)
    weight = np.bincount(labels[ties.low[inside]], ties.weight[inside], minlength=count)
    strength = np.bincount(labels, ties.strength, minlength=count)
    total = max(ties.weight.sum(), np.finfo(float).tiny)
    frame = pd.DataFrame(
        {
            "label": np.arange(count),
            "members": members,
            "ties": tied,
            "density": 2 * tied / np.maximum(members * (members - 1), 1),
            "modularity": weight / total - np.square(strength / (2 * total)),
            "outward_share": 1 - 2 * weight / np.maximum(strength, np.finfo(float).tiny),
        }
    )
    return frame[frame["members"] >= FEWEST_MEMBERS]


def _name(
    nodes: pd.DataFrame, groups: pd.DataFrame, previous: pd.DataFrame, as_of: date
) -> pd.DataFrame:
    """Communities with the id of last time, or one that tells the day they were first seen."""
    from models.matching import match_members

    large = nodes[nodes["label"].isin(groups["label"])]
    current = pd.DataFrame({"member": large["node"], "group": large["label"].map("{:09d}".format)})
    same = match_members(current, previous[["member", "group"]])
    born = previous.drop_duplicates("group").set_index("group")["first_seen"].to_dict()
    fresh = (f"c{as_of:%Y%m%d}-{number:03d}" for number in range(1, len(groups) + 1))
    continued = [same.get(f"{label:09d}") for label in groups["label"]]
    return groups.assign(
        community_id=[known or next(fresh) for known in continued],
        first_seen=[pd.Timestamp(born[known] if known else as_of).date() for known in continued],
        is_new=[known is None for known in continued],
    )


def _summary(
    network: Network, partition: Partition, influence: Influence, named: pd.DataFrame
) -> list[int | float]:
    return [
        network.size,
        len(network.source),
        len(named),
        partition.modularity,
        partition.resolution,
        len(partition.tried),
        influence.sources,
    ]


def _write(
    connection: duckdb.DuckDBPyConnection,
    nodes: pd.DataFrame,
    named: pd.DataFrame,
    summary: list[int | float],
    as_of: date,
) -> None:
    """Replace what is stored of this day, in one transaction."""
    connection.execute("begin")
    for table in ("network_nodes", "communities", "networks"):
        connection.execute(f"delete from enriched.{table} where as_of = ?", [as_of])
    connection.execute(
        """
        insert into enriched.network_nodes by name
        select $as_of::date as as_of, nodes.* exclude (label), named.community_id,
               people.customer_id, cume_dist() over (order by nodes.pagerank) as influence
        from nodes
        left join named using (label)
        left join (select distinct customer_id from enriched.identities
                   where kind = 'handle' and as_of = $as_of)
            as people on nodes.node = people.customer_id
        order by node
        """,
        {"as_of": as_of},
    )
    connection.execute(
        """
        insert into enriched.communities by name
        select $as_of::date as as_of, named.* exclude (label), counted.customers
        from named
        join (select community_id, count(customer_id) as customers
              from enriched.network_nodes where as_of = $as_of group by community_id) as counted
            using (community_id)
        order by community_id
        """,
        {"as_of": as_of},
    )
    connection.execute(
        "insert into enriched.networks values (?, ?, ?, ?, ?, ?, ?, ?)", [as_of, *summary]
    )
    connection.execute("commit")
