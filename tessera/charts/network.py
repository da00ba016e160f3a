"""Communities of the social network."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, Shown, ask, first, titled


def communities(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Communities by size and revenue."""
    rows = ask(
        connection,
        """
        select community_id, members, customers, gross_revenue::double as revenue, is_new,
            outward_share, count(*) over () as communities,
            revenue / nullif(sum(gross_revenue::double) over (), 0) as share
        from segments.communities
        order by members desc, community_id
        limit 20
        """,
        "no community was found",
    )
    most = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("community_id:N", title="Community", sort=None),
            alt.X("members:Q", title="Members", axis=alt.Axis(format=",.0f", tickMinStep=1)),
            alt.Color(
                "outward_share:Q",
                title="Ties that lead out",
                legend=alt.Legend(format=".0%", gradientLength=180),
            ),
        )
        .properties(
            title=titled(
                f"{most['communities']} communities; the largest has {most['members']:,} members "
                f"and {most['share'] or 0:.0%} of the communities' revenue"
            ),
            height=alt.Step(20),
        )
    )


SHOWN = {
    "communities": Shown(
        communities,
        """
        select community_id, members, customers, round(density, 3) as density,
            round(gross_revenue, 2) as gross_revenue
        from segments.communities
        order by members desc, community_id
        limit 5
        """,
    ),
}
