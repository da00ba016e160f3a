"""Declared rules, triggers and micro-segments: how large, how they overlap, how they change."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.heat import squares
from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import BLUE, GREY, ORANGE

PERCENT = ".0%"
NO_RULE = "no customer meets a rule of the settings"


def sizes(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Customers of each rule, run by run."""
    rows = ask(
        connection,
        """
        select as_of::varchar as as_of, rule, customers, joined, gone
        from segments.rule_segments
        order by segments.rule_segments.as_of desc, customers desc, rule
        """,
        "the settings declare no rule",
    )
    most = first(rows)
    return (
        alt.Chart(rows)
        .mark_line(point=True)
        .encode(
            alt.X("as_of:O", title="As of", axis=alt.Axis(labelAngle=0)),
            alt.Y("customers:Q", title="Customers", axis=alt.Axis(format=",.0f")),
            alt.Color("rule:N", title=None, legend=alt.Legend(columns=2)),
        )
        .properties(
            title=titled(f"{most['customers']:,} customers meet {most['rule']}", "Run by run"),
            height=240,
        )
    )


def per_customer(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """How many rules a customer meets."""
    rows = ask(
        connection,
        """
        with counted as (
            select customer_id, count(*) as rules from segments.customer_rules group by all
        )

        select rules, count(*) as customers, sum(count(*)) over () as all_customers,
            sum(count(*) filter (rules > 1)) over () as in_several
        from counted group by rules order by rules
        """,
        NO_RULE,
    )
    seen = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.X("rules:O", title="Rules met", axis=alt.Axis(labelAngle=0)),
            alt.Y("customers:Q", title="Customers", axis=alt.Axis(format=",.0f")),
        )
        .properties(
            title=titled(
                f"Of {seen['all_customers']:,} customers who meet a rule, "
                f"{seen['in_several']:,} meet several"
            ),
            height=200,
        )
    )


def overlaps(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Which segments the customers of each rule are in."""
    rows = ask(
        connection,
        """
        select rule, other, share_of_rule
        from segments.rule_overlaps
        where other_kind = 'segment'
        order by other = 'without-purchase', share_of_rule desc, rule, other
        """,
        NO_RULE,
    )
    most = first(rows)
    base = alt.Chart(rows).encode(
        alt.X("other:N", title="Segment", axis=alt.Axis(labelAngle=-40)),
        alt.Y("rule:N", title=None),
    )
    return squares(base, "share_of_rule", PERCENT).properties(
        title=titled(
            f"{most['share_of_rule']:.0%} of {most['rule']} are in segment {most['other']}",
            "Customers who meet a rule, by their segment",
        ),
        height=alt.Step(34),
    )


def triggers(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """How often each trigger fired, run by run."""
    rows = ask(
        connection,
        """
        select as_of::varchar as as_of, trigger_name, fired,
            sum(fired) over () as times, count(distinct segments.triggers.as_of) over () as runs
        from segments.triggers
        where fired is not null
        order by segments.triggers.as_of, trigger_name
        """,
        "no trigger has been looked at twice yet",
    )
    seen = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.X("as_of:O", title="As of", axis=alt.Axis(labelAngle=0)),
            alt.Y("fired:Q", title="Times it fired", axis=alt.Axis(format=",.0f")),
            alt.Color("trigger_name:N", title=None, legend=alt.Legend(columns=2)),
        )
        .properties(
            title=titled(f"Triggers fired {seen['times']:,} times over {seen['runs']} runs"),
            height=240,
        )
    )


def events(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Customers for whom each trigger fired, once or again."""
    rows = ask(
        connection,
        """
        with counted as (
            select trigger_name, customer_id, count(*) as times
            from segments.trigger_events group by all
        )

        select trigger_name, case when times = 1 then 'once' else 'again' end as fired,
            count(*) as customers, sum(count(*)) over () as all_customers,
            sum(count(*) filter (times > 1)) over () as again
        from counted group by all order by trigger_name, fired
        """,
        "no trigger has fired yet",
    )
    seen = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("trigger_name:N", title=None),
            alt.X("customers:Q", title="Customers", axis=alt.Axis(format=",.0f")),
            alt.Color(
                "fired:N",
                title="It fired",
                scale=alt.Scale(domain=["once", "again"], range=[BLUE, ORANGE]),
            ),
        )
        .properties(
            title=titled(
                f"{(seen['again'] or 0) / seen['all_customers']:.0%} of those for whom a trigger "
                "fired crossed its line more than once"
            ),
            height=alt.Step(30),
        )
    )


def groups(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Groups by what sets them apart from the other customers, and how stable they are."""
    rows = ask(
        connection,
        """
        select dimension, customers, lift, coalesce(stability, 0) as stability,
            case when stability is null then 'new' when is_stable then 'yes' else 'no' end
                as stable,
            count(*) over () as all_groups, sum(is_stable::integer) over () as stable_groups
        from segments.micro_segments
        order by dimension, micro_segment_id
        """,
        "no group within a segment is large enough",
    )
    seen = first(rows)
    return (
        alt.Chart(rows)
        .mark_point(size=60)
        .encode(
            alt.X("stability:Q", title="Stability: members then and now (0 for new ones)"),
            alt.Y(
                "lift:Q", title="Share of the segment ÷ share of all", scale=alt.Scale(zero=False)
            ),
            alt.Color(
                "stable:N",
                title="Stable",
                scale=alt.Scale(domain=["yes", "no", "new"], range=[BLUE, ORANGE, GREY]),
            ),
            alt.Shape("dimension:N", title="By"),
        )
        .properties(
            title=titled(
                f"{seen['stable_groups']} of {seen['all_groups']} large groups within segments are "
                "stable"
            ),
            height=260,
        )
    )


def members(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """The largest micro-segments."""
    rows = ask(
        connection,
        """
        select micro_segment_id, dimension, count(*) as customers,
            count(*) over () as micro_segments
        from segments.customer_micro_segments
        group by all
        order by customers desc, micro_segment_id
        limit 15
        """,
        "no group has been stable from one run to the next yet",
    )
    most = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("micro_segment_id:N", title=None, sort=None),
            alt.X("customers:Q", title="Customers", axis=alt.Axis(format=",.0f")),
            alt.Color("dimension:N", title="By"),
        )
        .properties(
            title=titled(
                f"{most['customers']:,} customers are in the largest of "
                f"{most['micro_segments']} micro-segments"
            ),
            height=alt.Step(24),
        )
    )


SHOWN = {
    "rule_segments": Shown(
        sizes,
        """
        select as_of, rule, customers, round(revenue_share, 3) as revenue_share, joined, gone
        from segments.rule_segments
        order by as_of desc, rule
        limit 6
        """,
    ),
    "customer_rules": Shown(
        per_customer,
        """
        select rule, segment_name, count(*) as customers
        from segments.customer_rules
        inner join segments.customer_segments using (customer_id, as_of)
        group by all
        order by customers desc, rule, segment_name
        limit 5
        """,
    ),
    "rule_overlaps": Shown(
        overlaps,
        """
        select rule, other_kind, other, customers, round(share_of_rule, 2) as share_of_rule,
            round(lift, 2) as lift
        from segments.rule_overlaps
        order by rule, customers desc, other
        limit 6
        """,
    ),
    "triggers": Shown(
        triggers,
        """
        select as_of, trigger_name, customers, fired
        from segments.triggers
        order by as_of desc, trigger_name
        limit 6
        """,
    ),
    "trigger_events": Shown(
        events,
        """
        select trigger_name, as_of, count(*) as customers
        from segments.trigger_events
        group by all
        order by as_of desc, trigger_name
        limit 6
        """,
    ),
    "micro_segments": Shown(
        groups,
        """
        select micro_segment_id, label, customers, round(share_of_segment, 2) as share_of_segment,
            round(lift, 2) as lift, round(stability, 2) as stability, is_stable
        from segments.micro_segments
        order by lift desc, micro_segment_id
        limit 6
        """,
    ),
    "customer_micro_segments": Shown(
        members,
        """
        select dimension, count(distinct micro_segment_id) as micro_segments, count(*) as customers
        from segments.customer_micro_segments
        group by dimension
        order by dimension
        """,
    ),
}
