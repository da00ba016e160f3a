"""Baskets: what is bought together, and which categories customers lean to."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, Shown, ask, first, titled


def rules(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Support, confidence and lift of the rules of all time, the finest level that has some."""
    rows = ask(
        connection,
        """
        with finest as (
            select level from segments.basket_rules
            where period = 'all' group by level order by level = 'product' desc, level limit 1
        )

        select level, antecedent_name || ' → ' || consequent_name as rule, lift, confidence,
            rule_baskets
        from segments.basket_rules inner join finest using (level)
        where period = 'all'
        order by rule_rank limit 12
        """,
        "no two things are bought together more often than chance has it",
    )
    most = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("rule:N", title=None, sort=None, axis=alt.Axis(labelLimit=290, labelFontSize=11)),
            alt.X("lift:Q", title="Lift (1 = by chance)"),
            alt.Color(
                "confidence:Q",
                title="Confidence",
                legend=alt.Legend(format=".0%", gradientLength=180),
            ),
        )
        .properties(
            title=titled(f"{most['rule']}: {most['lift']:.1f} times as often as by chance"),
            width=240,
            height=alt.Step(24),
        )
    )


def affinity(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Customers by the category that they lean to most."""
    rows = ask(
        connection,
        """
        select category, count(*) as customers, count(*) / sum(count(*)) over () as share,
            median(spend_share) as spend_share
        from segments.category_affinity
        where affinity_rank = 1
        group by category
        order by customers desc, category
        limit 15
        """,
        "no order line has a category",
    )
    most = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("category:N", title=None, sort=None),
            alt.X(
                "customers:Q",
                title="Customers who lean to it most",
                axis=alt.Axis(format=",.0f", tickCount=5),
            ),
        )
        .properties(
            title=titled(f"{most['share']:.0%} of buyers lean to {most['category']} most"),
            height=alt.Step(24),
        )
    )


SHOWN = {
    "basket_rules": Shown(
        rules,
        """
        select level, antecedent_name, consequent_name, rule_baskets,
            round(confidence, 3) as confidence, round(lift, 2) as lift
        from segments.basket_rules
        where period = 'all'
        order by level, rule_rank
        limit 5
        """,
    ),
    "category_affinity": Shown(
        affinity,
        """
        select category, count(*) as customers, round(median(spend_share), 3) as median_spend_share
        from segments.category_affinity
        where affinity > 1.5
        group by category
        order by customers desc, category
        limit 5
        """,
    ),
}
