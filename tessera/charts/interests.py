"""Interests: what customers buy and write about, in one table."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, Shown, ask, first, titled


def interests(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Customers by their greatest interest, of those whose interests of the kind are known."""
    rows = ask(
        connection,
        """
        select kind, interest, count(*) as customers,
            count(*) / sum(count(*)) over (partition by kind) as share
        from segments.customer_interests
        where interest_rank = 1
        group by kind, interest_id, interest
        qualify row_number() over (partition by kind order by customers desc, interest_id) <= 8
        order by kind, customers desc, interest_id
        """,
        "no customer bought of a category or wrote about a topic",
    )
    most = first(rows)
    verb = "spend" if most["kind"] == "category" else "write"
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("interest:N", title=None, sort=None, axis=alt.Axis(labelLimit=240)),
            alt.X(
                "share:Q",
                title="Share of customers with this greatest interest",
                axis=alt.Axis(format=".0%", tickCount=5),
            ),
            alt.Color("kind:N", title=None),
        )
        .properties(
            title=titled(f"{most['share']:.0%} {verb} most on {most['interest']}"),
            width=330,
            height=alt.Step(22),
        )
    )


SHOWN = {
    "customer_interests": Shown(
        interests,
        """
        select kind, interest, count(*) as customers, round(median(share), 3) as median_share,
            round(any_value(population_share), 3) as population_share
        from segments.customer_interests
        where share > 2 * population_share
        group by kind, interest_id, interest
        qualify row_number() over (partition by kind order by customers desc, interest_id) <= 4
        order by kind, customers desc, interest_id
        """,
    ),
}
