"""Trend, season and what is out of line, week by week."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import BLUE, GREY, VERMILION


def trends(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Revenue of the company and its four greatest categories: small multiples with anomalies."""
    rows = ask(
        connection,
        """
        with series as (
            select dimension, member, row_number() over (
                order by dimension != 'all', sum(observed) desc, member
            ) as place
            from segments.trends
            where measure = 'revenue' and dimension in ('all', 'category')
            group by dimension, member
            qualify place <= 5
        )

        select
            place, if(dimension = 'all', 'all', member) as series, week::timestamp as week,
            observed, trend, is_anomaly,
            count(*) filter (where is_anomaly and dimension = 'all') over () as anomalies,
            count(*) filter (where dimension = 'all') over () as weeks
        from segments.trends inner join series using (dimension, member)
        where measure = 'revenue' and week >= as_of - interval 54 weeks
        order by place, week
        """,
        "there are no weeks of orders",
    )
    seen = first(rows)
    base = alt.Chart(rows).encode(
        alt.X("week:T", title="Week", axis=alt.Axis(format="%b %y", tickCount=5)),
        alt.Y("observed:Q", title=None, axis=alt.Axis(format="~s", tickCount=3)),
    )
    weeks = base.mark_line(color=GREY, strokeWidth=1.2)
    trend = base.mark_line(color=BLUE, strokeWidth=2.4).encode(alt.Y("trend:Q"))
    odd = base.transform_filter("datum.is_anomaly").mark_point(color=VERMILION, size=45)
    return (
        (weeks + trend + odd)
        .properties(height=70)
        .facet(
            row=alt.Row(
                "series:N",
                title=None,
                sort=alt.EncodingSortField("place"),
                header=alt.Header(labelOrient="top"),
            )
        )
        .resolve_scale(y="independent")
        .properties(
            title=titled(
                f"{seen['anomalies']} of the last {seen['weeks']} weeks are out of line",
                "Weekly revenue (grey), its trend (blue) and anomalies (red): the company and its "
                "greatest categories",
            )
        )
    )


def changes(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """The greatest changes of level; a segment changes by who is in it, and is left out."""
    rows = ask(
        connection,
        """
        select member || ', ' || week as change, relative_change,
            if(relative_change > 0, 'up', 'down') as direction
        from segments.trend_changes
        where measure = 'revenue' and dimension in ('all', 'category')
            and relative_change is not null
        order by abs(relative_change) desc, member, week
        limit 15
        """,
        "no series has come to another level",
    )
    most = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("change:N", title=None, sort=None, axis=alt.Axis(labelLimit=260)),
            alt.X(
                "relative_change:Q",
                title="New level of weekly revenue against the old",
                axis=alt.Axis(format="+.0%", tickCount=5),
            ),
            alt.Color(
                "direction:N",
                title=None,
                scale=alt.Scale(domain=["up", "down"], range=[BLUE, VERMILION]),
            ),
        )
        .properties(
            title=titled(
                f"Greatest change of level: {most['change']}, {most['relative_change']:+.0%}"
            ),
            width=300,
            height=alt.Step(20),
        )
    )


SHOWN = {
    "trends": Shown(
        trends,
        """
        select week, round(observed, 2) as observed, round(trend, 2) as trend,
            round(score, 1) as score, is_anomaly
        from segments.trends
        where dimension = 'all' and measure = 'revenue'
        order by week desc
        limit 5
        """,
    ),
    "trend_changes": Shown(
        changes,
        """
        select dimension, member, week, round(level_before, 2) as level_before,
            round(level_after, 2) as level_after
        from segments.trend_changes
        where measure = 'revenue'
        order by week desc, dimension, member
        limit 5
        """,
    ),
}
