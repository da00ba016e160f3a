"""What sets the segments apart: where their customers stand among all, feature by feature."""

from __future__ import annotations

import altair as alt
import duckdb

from models.profiles import PROFILE_FEATURES
from tessera import sql
from tessera.charts.shown import Drawn, NothingToDraw, ask, first, titled

# Ranks of a seeded sample are those of all, to a third of a percent.
SAMPLE = 50_000


def heat(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Mean percentile of each segment in each feature, as a heat map."""
    told = _standings(connection)
    rows = ask(
        connection,
        f"""
        select *, round(100 * standing) as shown, abs(standing - 0.5) as apart
        from ({told}) order by apart desc, segment_name, feature
        """,
        "no customer is in a segment",
    )
    most = first(rows)
    base = alt.Chart(rows).encode(
        alt.X(
            "segment_name:N",
            title=None,
            sort=alt.EncodingSortField("customers", op="max", order="descending"),
            axis=alt.Axis(labelAngle=-50, labelFontSize=13, labelLimit=150),
        ),
        alt.Y("feature:N", title=None, sort=alt.EncodingSortField("place", op="min")),
    )
    colours = alt.Scale(scheme="blueorange", domain=[0, 1], domainMid=0.5, reverse=True)
    cells = base.mark_rect().encode(alt.Color("standing:Q", scale=colours, legend=None))
    light = alt.condition("datum.apart > 0.33", alt.value("#ffffff"), alt.value("#101820"))
    figures = base.mark_text(fontSize=12).encode(alt.Text("shown:Q"), color=light)
    return (cells + figures).properties(
        title=titled(
            f"{most['segment_name']} stand out most: in {most['feature']} they are on average at "
            f"percentile {most['shown']:.0f} of all customers"
        ),
        height=alt.Step(24),
    )


def standings(connection: duckdb.DuckDBPyConnection) -> str:
    """The query of the numbers behind the heat map."""
    return (
        "select segment_name as segment, feature, round(100 * standing) as mean_percentile "
        f"from ({_standings(connection)}) order by customers desc, segment_name, place"
    )


def _standings(connection: duckdb.DuckDBPyConnection) -> str:
    known = {name for name, *_ in connection.sql("describe features.customer_features").fetchall()}
    features = [name for name in PROFILE_FEATURES if name in known]
    if not features:
        raise NothingToDraw("no feature describes the customers")
    parts = " union all ".join(
        STANDING.format(place=place, told=sql.text(name), feature=sql.name(name))
        for place, name in enumerate(features)
    )
    return f"with sampled as materialized ({SAMPLED}) {parts}"


SAMPLED = f"""
    select features.*, placed.segment_name from features.customer_features as features
    join segments.customer_segments as placed using (customer_id, as_of)
    order by md5(customer_id) limit {SAMPLE}
"""
# Of equals, half count as below: the mean over all customers is a half.
STANDING = """
    select segment_name, {told} as feature, {place} as place, avg(standing) as standing,
        count(*) as customers
    from (
        select segment_name,
            (percent_rank() over (order by {feature}) * (count(*) over () - 1)
                + cume_dist() over (order by {feature}) * count(*) over ())
            / (2 * count(*) over ()) as standing
        from sampled where {feature} is not null
    ) group by segment_name
"""
