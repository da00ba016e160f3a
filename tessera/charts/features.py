"""What is known of each customer."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.heat import squares
from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import BLUE, GREY


def features(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Revenue by recency and frequency score, as a heat map."""
    rows = ask(
        connection,
        """
        select
            r_score, f_score, count(*) as customers, sum(gross_revenue)::double as revenue,
            revenue / sum(sum(gross_revenue)::double) over () as share,
            revenue / max(sum(gross_revenue)::double) over () as depth,
            sum(count(*)) over () as buyers
        from features.customer_features
        where r_score is not null and f_score is not null
        group by all
        order by revenue desc, r_score desc, f_score desc
        """,
        "no customer has bought anything",
    )
    most = first(rows)
    base = alt.Chart(rows).encode(
        alt.X(
            "r_score:O",
            title="Recency score (5 = bought most recently)",
            axis=alt.Axis(labelAngle=0),
        ),
        alt.Y("f_score:O", title="Frequency score (5 = buys most often)", sort="descending"),
    )
    return squares(base, "share", ".1%", "depth", size=12.5).properties(
        title=titled(
            f"{most['customers'] / most['buyers']:.0%} of buyers, with recency {most['r_score']} "
            f"and frequency {most['f_score']}, bring {most['share']:.0%} of revenue",
            "Share of gross revenue by RFM scores",
        ),
        height=alt.Step(40),
    )


def consents(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Yes and no to each purpose."""
    rows = ask(
        connection,
        """
        select
            purpose, if(is_granted, 'yes', 'no') as said, count(*) as customers,
            sum(count(*)) filter (where is_granted) over (partition by purpose) as granted,
            sum(count(*)) over (partition by purpose) as asked
        from features.customer_consents
        group by purpose, is_granted
        order by asked desc, purpose, said desc
        """,
        "no export says what customers consented to",
    )
    most = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("purpose:N", title=None, sort=None),
            alt.X("customers:Q", title="Customers", axis=alt.Axis(format=",.0f")),
            alt.Color(
                "said:N", title=None, scale=alt.Scale(domain=["yes", "no"], range=[BLUE, GREY])
            ),
            alt.Order("said:N", sort="descending"),
        )
        .properties(
            title=titled(
                f"{(most['granted'] or 0) / most['asked']:.0%} of those asked about "
                f"{most['purpose']} said yes"
            ),
            height=alt.Step(30),
        )
    )


def catalogue(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Features of each group, by how their skew is treated."""
    rows = ask(
        connection,
        """
        select
            feature_group, treatment, count(*) as features,
            min(min(position)) over (partition by feature_group) as place,
            sum(count(*)) over () as total
        from features.feature_catalogue
        group by feature_group, treatment
        order by place, feature_group, treatment
        """,
        "the catalogue is empty",
    )
    groups = len(set(rows["feature_group"].to_pylist()))
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("feature_group:N", title=None, sort=None),
            alt.X("features:Q", title="Features", axis=alt.Axis(tickMinStep=1, format="d")),
            alt.Color("treatment:N", title="Skew treated as"),
        )
        .properties(
            title=titled(f"{first(rows)['total']} features in {groups} groups"),
            height=alt.Step(22),
        )
    )


SHOWN = {
    "feature_catalogue": Shown(
        catalogue,
        """
        select name, unit, null_means
        from features.feature_catalogue
        where feature_group = 'purchases'
        order by position
        limit 5
        """,
    ),
    "customer_features": Shown(
        features,
        """
        select lifecycle_stage, count(*) as customers, median(recency_days) as recency_days,
            median(frequency) as orders, round(median(monetary), 2) as net_revenue
        from features.customer_features
        group by all
        order by customers desc, lifecycle_stage
        """,
    ),
    "customer_consents": Shown(
        consents,
        """
        select purpose, count(*) filter (where is_granted) as yes,
            count(*) filter (where not is_granted) as no
        from features.customer_consents
        group by all
        order by purpose
        """,
    ),
}
