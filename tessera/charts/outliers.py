"""Customers who are unlike all others."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, Shown, ask, first, titled


def outliers(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Outliers by kind: isolation beside distance to the next dense neighbourhood."""
    rows = ask(
        connection,
        """
        select
            coalesce(kind, 'as others') as kind, is_outlier,
            width_bucket.bucket / 50 as isolation, count(*) as customers,
            sum(count(*)) filter (where is_outlier) over () as outliers,
            sum(count(*)) over () as everybody
        from segments.customer_outliers,
            lateral (select floor(isolation_score * 50) as bucket) as width_bucket
        where isolation_score is not null
        group by kind, is_outlier, width_bucket.bucket
        order by isolation, kind
        """,
        "nobody has bought anything",
    )
    seen = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar(binSpacing=1)
        .encode(
            alt.X(
                "isolation:O",
                title="Isolation score",
                axis=alt.Axis(format=".2f", labelAngle=0, labelOverlap=True),
            ),
            alt.Y(
                "customers:Q",
                title="Customers (logarithmic)",
                scale=alt.Scale(type="symlog"),
                axis=alt.Axis(format=",.0f", values=[0, 1, 10, 100, 1000, 10000, 100000, 1000000]),
            ),
            alt.Color("kind:N", title=None),
        )
        .properties(
            title=titled(
                f"{seen['outliers'] or 0:,} of {seen['everybody']:,} are unlike other customers"
            ),
            height=220,
        )
    )


SHOWN = {
    "customer_outliers": Shown(
        outliers,
        """
        select kind, reasons, round(isolation_score, 3) as isolation_score
        from segments.customer_outliers
        where is_outlier
        order by isolation_score desc, customer_id
        limit 5
        """,
    ),
}
