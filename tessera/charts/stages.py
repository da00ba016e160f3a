"""Stages of life within segments."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.lifecycle import COLOURS, STAGES
from tessera.charts.shown import Drawn, Shown, ask, first, titled


def stages(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Customers of each segment by stage, stacked."""
    rows = ask(
        connection,
        """
        select segment_name, lifecycle_stage, sum(customers)::bigint as customers,
            sum(sum(customers) filter (lifecycle_stage in ('slipping', 'dormant'))) over ()
                / sum(sum(customers)) over () as slipping
        from segments.segment_stages group by segment_name, lifecycle_stage
        order by segment_name, lifecycle_stage
        """,
        "no customer is in a segment",
    )
    share = first(rows)["slipping"] or 0
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.X("customers:Q", title="Customers", axis=alt.Axis(format=",.0f")),
            alt.Y("segment_name:N", title=None, sort="-x"),
            alt.Color(
                "lifecycle_stage:N",
                title=None,
                scale=alt.Scale(domain=STAGES, range=list(COLOURS.values())),
                legend=alt.Legend(columns=4),
            ),
        )
        .properties(
            title=titled(f"{share:.0%} of the customers are slipping or dormant", "By segment")
        )
    )


SHOWN = {
    "segment_stages": Shown(
        stages,
        """
        select segment_name, lifecycle_stage, customers, net_revenue
        from segments.segment_stages order by customers desc, segment_name, lifecycle_stage limit 10
        """,
    )
}
