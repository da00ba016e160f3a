"""Segments: who is in them, what they bring, how customers move."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.heat import squares
from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import BLUE, ORANGE

PERCENT = ".0%"
SEGMENT = alt.Y("segment_name:N", title=None, sort=None)


def profiles(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Share of customers beside share of revenue, a pair of bars a segment."""
    rows = ask(
        connection,
        """
        select segment_name, share_of, share, customer_share, revenue_share
        from (
            select *, unnest(['customers', 'gross revenue']) as share_of,
                unnest([customer_share, revenue_share]) as share
            from segments.segment_profiles
        )
        order by revenue_share desc nulls last, segment_name, share_of
        """,
        "no segment has been published",
    )
    most = first(rows)
    brings = f"bring {most['revenue_share'] or 0:.0%} of revenue"
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            SEGMENT,
            alt.X("share:Q", title="Share of all", axis=alt.Axis(format=PERCENT, tickCount=6)),
            alt.Color(
                "share_of:N",
                title=None,
                scale=alt.Scale(domain=["customers", "gross revenue"], range=[BLUE, ORANGE]),
            ),
            yOffset="share_of:N",
        )
        .properties(
            title=titled(
                f"{most['segment_name']}: {most['customer_share']:.0%} of customers {brings}"
            ),
            height=alt.Step(16),
        )
    )


def customers(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Customers by segment and stage of life, as a heat map with its figures."""
    rows = ask(
        connection,
        """
        select
            segment_name, lifecycle_stage, count(*) as customers,
            count(*) / max(count(*)) over () as depth,
            sum(count(*)) over (partition by segment_name) as in_segment
        from segments.customer_segments
        group by segment_name, lifecycle_stage
        order by customers desc, segment_name, lifecycle_stage
        """,
        "no customer is in a segment",
    )
    most = first(rows)
    figure = f"{most['customers'] / most['in_segment']:.0%} are {most['lifecycle_stage']}"
    base = alt.Chart(rows).encode(
        alt.X(
            "lifecycle_stage:N",
            title="Stage of life",
            axis=alt.Axis(labelAngle=0, labelFontSize=11.5),
        ),
        alt.Y(
            "segment_name:N",
            title=None,
            sort=alt.EncodingSortField("in_segment", order="descending"),
        ),
    )
    return squares(base, "customers", ",", "depth").properties(
        title=titled(
            f"Of the {most['in_segment']:,} {most['segment_name']} {figure}",
            "Customers by segment and stage of life",
        ),
        height=alt.Step(34),
    )


def history(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Customers of each segment at each run."""
    rows = ask(
        connection,
        """
        with runs as (
            select distinct valid_from as as_of from segments.segment_history
            union select distinct valid_to from segments.segment_history where valid_to is not null
        ),

        moves as (
            select count(*) as moves from (
                select valid_to, lead(valid_from) over (
                    partition by customer_id order by valid_from
                ) as next_from
                from segments.segment_history
            )
            where valid_to = next_from
        )

        select
            as_of::varchar as as_of, segment_name, count(*) as customers,
            (select moves from moves) as moves, (select count(*) from runs) as runs
        from runs
        inner join segments.segment_history
            on as_of >= valid_from and as_of < coalesce(valid_to, date '9999-12-31')
        group by all order by as_of, segment_name
        """,
        "there is no history yet",
    )
    seen = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.X("as_of:O", title="As of", axis=alt.Axis(labelAngle=0)),
            alt.Y("customers:Q", title="Customers", axis=alt.Axis(format=",.0f")),
            alt.Color("segment_name:N", title=None, legend=alt.Legend(columns=2)),
        )
        .properties(
            title=titled(
                f"{seen['moves']:,} moves between segments over {seen['runs']} dates on which "
                "somebody moved or came"
            ),
            height=240,
        )
    )


SHOWN = {
    "segment_profiles": Shown(
        profiles,
        """
        select segment_name, customers, round(customer_share, 3) as customer_share,
            round(revenue_share, 3) as revenue_share, median_recency_days
        from segments.segment_profiles
        order by gross_revenue desc
        """,
    ),
    "customer_segments": Shown(
        customers,
        """
        select segment_name, lifecycle_stage, count(*) as customers,
            round(avg(monetary), 2) as mean_net_revenue
        from segments.customer_segments
        group by all
        order by customers desc, segment_name, lifecycle_stage
        limit 5
        """,
    ),
    "segment_history": Shown(
        history,
        """
        select before.segment_name as from_segment, after.segment_name as to_segment,
            count(*) as customers
        from segments.segment_history as before
        inner join segments.segment_history as after
            on after.customer_id = before.customer_id and after.valid_from = before.valid_to
        group by all
        order by customers desc, from_segment, to_segment
        limit 5
        """,
    ),
}
