"""Micro-segments: within a segment those of one topic, one category or one community.

A group is one when it is large enough, and stable enough: of the customers who were segmented on
both days, those in it now and at the run before are mostly the same (Jaccard, as Hennig 2007 judges
clusters). So a group becomes one at the second run that sees it.
"""

from __future__ import annotations

from datetime import date

import duckdb

from tessera.settings_rules import MicroSegments

COLUMNS = {
    "topic": ("main_topic_id", "main_topic"),
    "category": ("favourite_category", "favourite_category"),
    "community": ("community_id", "community_id"),
}


def find(connection: duckdb.DuckDBPyConnection, told: MicroSegments, as_of: date) -> str:
    """Replace the micro-segments of this day; read the temporary table `population` of the day."""
    for table in ("customer_micro_segments", "micro_segments"):
        connection.execute(f"delete from ml.{table} where as_of = ?", [as_of])
    groups = " union all ".join(
        f"select customer_id, segment_id, '{name}' as dimension, {value} as value, "
        f"{label} as label from population where {value} is not null and segment_id is not null"
        for name, (value, label) in COLUMNS.items()
        if name in told.dimensions
    )
    if not groups:
        return "no micro-segments"
    limits = {"least": told.min_customers, "share": told.min_share}
    connection.execute(MEMBERS.format(groups=groups), {"as_of": as_of, **limits})
    connection.execute(MEASURED.format(groups=groups), {"as_of": as_of})
    connection.execute(STABLE, {"as_of": as_of, "least": told.min_stability})
    row = connection.execute(
        "select count(*), count(*) filter (is_stable) from ml.micro_segments where as_of = ?",
        [as_of],
    ).fetchall()[0]
    return f"{row[1]} micro-segments of {row[0]} groups"


# Groups that are large enough, whether stable or not: the next run compares itself with them.
MEMBERS = """
    insert into ml.customer_micro_segments by name
    with groups as ({groups}),
    sized as (
        select *, count(*) over (partition by segment_id, dimension, value) as members
        from groups
    ),
    segments as (select segment_id, count(*) as customers from population group by segment_id)
    select $as_of as as_of, customer_id, segment_id, dimension, value,
        segment_id || '/' || dimension || '/' || value as micro_segment_id
    from sized join segments using (segment_id)
    where members >= $least and members >= $share * segments.customers
    order by micro_segment_id, customer_id
"""
MEASURED = """
    insert into ml.micro_segments by name
    with groups as ({groups}),
    previous as (
        select max(as_of) as as_of from ml.customer_micro_segments where as_of < $as_of
    ),
    both_days as (
        select customer_id from ml.assignments join previous using (as_of)
        semi join population using (customer_id)
    ),
    now as (
        select micro_segment_id, customer_id from ml.customer_micro_segments
        semi join both_days using (customer_id) where as_of = $as_of
    ),
    earlier as (
        select micro_segment_id, customer_id from ml.customer_micro_segments
        join previous using (as_of) semi join both_days using (customer_id)
    ),
    compared as (
        select micro_segment_id,
            count(*) filter (now.customer_id is not null and earlier.customer_id is not null)
                / count(*) as stability,
            count(earlier.customer_id) > 0 as was_there
        from now full join earlier using (micro_segment_id, customer_id)
        group by micro_segment_id
    ),
    everybody as (
        select dimension, value, any_value(label) as label,
            count(*) / (select count(*) from population where segment_id is not null) as share
        from groups group by dimension, value
    ),
    segments as (select segment_id, count(*) as customers from population group by segment_id),
    sizes as (
        select micro_segment_id, segment_id, dimension, value, count(*) as customers,
            sum(gross_revenue) as gross_revenue
        from ml.customer_micro_segments join population using (as_of, customer_id, segment_id)
        where as_of = $as_of group by all
    )
    select $as_of as as_of, sizes.micro_segment_id, sizes.segment_id, sizes.dimension, sizes.value,
        everybody.label, sizes.customers,
        sizes.customers / segments.customers as share_of_segment,
        sizes.customers / segments.customers / everybody.share as lift,
        coalesce(sizes.gross_revenue, 0) as gross_revenue,
        case when was_there then stability end as stability
    from sizes join segments using (segment_id) join everybody using (dimension, value)
    left join compared using (micro_segment_id)
    order by sizes.micro_segment_id
"""
STABLE = """
    update ml.micro_segments set is_stable = coalesce(stability >= $least, false)
    where as_of = $as_of
"""
