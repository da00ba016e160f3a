"""Velocity: who is due, and who is overdue by her own rhythm."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import GREEN, GREY, ORANGE, VERMILION

SIGNS = ["0", "1", "2", "3"]


def velocity(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """How far buyers are in their own rhythm, by the signs of leaving that they show."""
    rows = ask(
        connection,
        """
        with placed as (
            select least(floor(overdue_ratio * 2) / 2, 6) as ratio, churn_indicators, is_overdue
            from segments.customer_velocity
            where overdue_ratio is not null
        )

        select
            ratio, churn_indicators::varchar as signs, count(*) as customers,
            sum(count(*) filter (is_overdue)) over () / sum(count(*)) over () as overdue
        from placed
        group by ratio, churn_indicators
        order by ratio, signs
        """,
        "nobody has bought on two dates",
    )
    return (
        alt.Chart(rows)
        .mark_bar(width=22)
        .encode(
            alt.X("ratio:Q", title="Current gap ÷ her usual one, from … (6: and more)"),
            alt.Y("sum(customers):Q", title="Customers"),
            alt.Color(
                "signs:N",
                title="Signs of leaving",
                scale=alt.Scale(domain=SIGNS, range=[GREEN, GREY, ORANGE, VERMILION]),
            ),
        )
        .properties(
            title=titled(
                f"{first(rows)['overdue']:.0%} of those with a rhythm are overdue",
                "Buyers on two dates or more; overdue from 1.5 times the usual gap",
            )
        )
    )


SHOWN = {
    "customer_velocity": Shown(
        velocity,
        """
        select churn_indicators, count(*) as customers,
            round(median(overdue_ratio), 2) as median_overdue_ratio,
            round(median(median_purchase_gap_days), 1) as median_gap_days
        from segments.customer_velocity
        group by churn_indicators
        order by churn_indicators
        """,
    ),
}
