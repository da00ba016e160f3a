"""What became of the customers of each month."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, Shown, ask, first, titled


def retention(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """The triangle of retention: cohorts by months since the first order, the last two years."""
    rows = ask(
        connection,
        """
        select
            strftime(cohort_month, '%Y-%m') as cohort, months_since, retention,
            sum(active_customers) filter (where months_since = 3) over ()
                / nullif(sum(customers) filter (where months_since = 3) over (), 0) as third
        from segments.cohorts
        where is_complete and months_since between 1 and 23 and months_since <= datediff(
            'month', cohort_month, as_of
        ) and cohort_month >= as_of - interval 25 months
        order by cohort, months_since
        """,
        "no cohort has a complete month after its first",
    )
    third = first(rows)["third"]
    told = (
        "nobody has a third month yet" if third is None else f"{third:.0%} buy in the third month"
    )
    return (
        alt.Chart(rows)
        .mark_rect()
        .encode(
            alt.X(
                "months_since:O",
                title="Months since the first order",
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            alt.Y("cohort:O", title="Month of the first order"),
            alt.Color(
                "retention:Q",
                title="Buy again in the month",
                legend=alt.Legend(format=".0%", gradientLength=180),
            ),
        )
        .properties(
            title=titled(f"After the first order {told}", "Complete months; share of the cohort"),
            height=alt.Step(16),
        )
    )


SHOWN = {
    "cohorts": Shown(
        retention,
        """
        select cohort_month, customers, round(retention, 3) as retention_after_3_months,
            round(cumulative_net_revenue_per_customer, 2) as worth_so_far
        from segments.cohorts
        where months_since = 3 and is_complete
        order by cohort_month desc
        limit 5
        """,
    ),
}
