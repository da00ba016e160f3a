"""What sales and launches did, and who took part."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import BLUE, GREY, VERMILION


def impacts(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Orders and posts during each of the latest events against the days before, with intervals."""
    rows = ask(
        connection,
        """
        with latest as (
            from segments.event_impacts where kind = 'declared'
            order by starts_on desc, event limit 10
        ), ratios as (
            select event, starts_on, 'orders' as measure, orders_ratio as ratio,
                orders_ratio_low as low, orders_ratio_high as high
            from latest
            union all
            select event, starts_on, 'posts', posts_ratio, posts_ratio_low, posts_ratio_high
            from latest
        )

        select event, measure, ratio, low, high
        from ratios
        where ratio > 0 and low > 0
        order by measure = 'posts', ratio desc, starts_on, event
        """,
        "no event has days before it to compare with",
    )
    most = first(rows)
    base = alt.Chart(rows).encode(
        alt.Y("event:N", title=None, sort=None),
        alt.YOffset("measure:N"),
        alt.Color(
            "measure:N",
            title=None,
            scale=alt.Scale(domain=["orders", "posts"], range=[BLUE, VERMILION]),
        ),
    )
    across = alt.X("low:Q", title="A day during it ÷ before it", scale=alt.Scale(type="log"))
    interval = base.mark_rule(strokeWidth=2).encode(across, alt.X2("high:Q"))
    ratio = base.mark_point(filled=True, size=60).encode(alt.X("ratio:Q"))
    same = alt.Chart(rows).mark_rule(color=GREY, strokeDash=[4, 4]).encode(x=alt.datum(1))
    return (same + interval + ratio).properties(
        title=titled(
            f"{most['event']}: {most['ratio']:.1f} times as many {most['measure']} a day as before",
            "Orders and posts a day during events against the 28 days before, 95 % intervals",
        ),
        height=alt.Step(14),
    )


def participants(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Of the latest events, customers who posted, bought, or did both."""
    rows = ask(
        connection,
        """
        with latest as (
            select event, starts_on from segments.event_impacts
            order by starts_on desc, event limit 10
        )

        select
            event,
            case
                when orders > 0 and posts > 0 then 'posted and bought'
                when orders > 0 then 'bought'
                else 'posted'
            end as part,
            count(*) as customers,
            sum(count(*)) over (partition by event) as of_event
        from segments.event_participants inner join latest using (event)
        group by event, part
        order by of_event desc, event, part
        """,
        "nobody took part in an event",
    )
    most = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("event:N", title=None, sort=None),
            alt.X("customers:Q", title="Customers", axis=alt.Axis(tickCount=5, format=",d")),
            alt.Color("part:N", title=None),
        )
        .properties(
            title=titled(f"{most['of_event']:,} customers took part in {most['event']}"),
            height=alt.Step(22),
        )
    )


SHOWN = {
    "event_impacts": Shown(
        impacts,
        """
        select event, kind, orders, round(orders_ratio, 2) as orders_ratio,
            round(orders_ratio_low, 2) as from_ratio, round(orders_ratio_high, 2) as to_ratio,
            participants
        from segments.event_impacts
        order by starts_on desc, event
        limit 5
        """,
    ),
    "event_participants": Shown(
        participants,
        """
        select event, count(*) as customers, sum(orders) as orders, count(*) filter (
            where has_bought_after_posting
        ) as bought_after_posting
        from segments.event_participants
        group by event
        order by customers desc, event
        limit 5
        """,
    ),
}
