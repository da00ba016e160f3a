"""Stages of life: how customers go from one to another."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.heat import squares
from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import BLUE, GREEN, GREY, ORANGE, PINK, SKY, VERMILION

COLOURS = {
    "prospect": PINK, "onboarding": SKY, "active": GREEN, "slipping": ORANGE,
    "dormant": VERMILION, "churned": GREY, "won_back": BLUE,
}  # fmt: skip
STAGES = list(COLOURS)


def transitions(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Where customers go from each stage, as a heat map with its shares."""
    rows = ask(
        connection,
        """
        select from_stage, to_stage, count(*) as changes,
            count(*) / sum(count(*)) over (partition by from_stage) as share,
            sum(count(*)) over () as all_changes,
            sum(count(*) filter (to_stage = 'won_back')) over ()
                / nullif(sum(count(*) filter (to_stage = 'churned')) over (), 0) as won_back
        from segments.lifecycle_transitions
        group by from_stage, to_stage
        order by from_stage, to_stage
        """,
        "nobody has bought yet",
    )
    seen = first(rows)
    base = alt.Chart(rows).encode(
        alt.X("to_stage:N", title="To", sort=STAGES, axis=alt.Axis(labelAngle=-40)),
        alt.Y("from_stage:N", title="From", sort=STAGES),
    )
    return squares(base, "share", ".0%").properties(
        title=titled(
            f"{seen['won_back'] or 0:.0%} of the times that a customer churned, she came back",
            f"Where each stage is left for; {seen['all_changes']:,} changes",
        ),
        height=alt.Step(34),
    )


def flows(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Who came into each stage, week by week, over the last half year."""
    rows = ask(
        connection,
        """
        with recent as (
            select * from segments.lifecycle_flows
            where week >= as_of - 7 * 26 and from_stage <> 'prospect'
        )

        select week, to_stage, sum(customers) as customers,
            sum(sum(customers)) over () / count(distinct week) over () as per_week
        from recent
        group by week, to_stage
        order by week, to_stage
        """,
        "no customer has changed her stage in half a year",
    )
    return (
        alt.Chart(rows)
        .mark_bar(width=13)
        .encode(
            alt.X("week:T", title="Week from", axis=alt.Axis(format="%d %b")),
            alt.Y("customers:Q", title="Changes of stage", axis=alt.Axis(format=",.0f")),
            alt.Color(
                "to_stage:N",
                title="Into",
                scale=alt.Scale(domain=STAGES[1:], range=[COLOURS[s] for s in STAGES[1:]]),
                legend=alt.Legend(columns=3),
            ),
        )
        .properties(
            title=titled(
                f"{first(rows)['per_week']:,.0f} buyers a week change their stage of life",
                "By the stage they came into; first orders left out",
            ),
            height=240,
        )
    )


SHOWN = {
    "lifecycle_transitions": Shown(
        transitions,
        """
        select from_stage, to_stage, cause, count(*) as changes,
            median(left_on - changed_on) as median_days_until_the_next
        from segments.lifecycle_transitions
        group by all
        order by changes desc, from_stage, to_stage, cause
        limit 8
        """,
    ),
    "lifecycle_flows": Shown(
        flows,
        """
        select week, from_stage, to_stage, customers
        from segments.lifecycle_flows
        where from_stage = 'churned' or to_stage = 'churned'
        order by week desc, from_stage, to_stage
        limit 5
        """,
    ),
}
