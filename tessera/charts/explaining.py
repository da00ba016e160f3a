"""Why segments are what they are, and why customers are in theirs."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import BLUE, ORANGE, VERMILION


def features(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Effect sizes of the features that set any segment apart, as a heat map with its figures."""
    rows = ask(
        connection,
        """
        with told as (
            select feature from segments.segment_features
            where feature_rank <= 5 and magnitude <> 'negligible'
            group by feature
        )

        select
            segment_name, replace(feature, '_', ' ') as feature, effect_size,
            round(abs(effect_size), 12) as strength
        from segments.segment_features semi join told using (feature)
        where effect_size is not null
        order by strength desc, segment_name, feature
        """,
        "nothing sets one segment apart from another",
    )
    most = first(rows)
    base = alt.Chart(rows).encode(
        alt.X("segment_name:N", title=None, axis=alt.Axis(labelAngle=-30)),
        alt.Y("feature:N", title=None, sort=alt.EncodingSortField("strength", "sum", "descending")),
    )
    cells = base.mark_rect().encode(
        alt.Color(
            "effect_size:Q",
            title="Cliff's delta",
            scale=alt.Scale(domain=[-1, 0, 1], range=[VERMILION, "#f4f4f4", BLUE]),
        )
    )
    light = alt.condition("datum.effect_size > 0.7", alt.value("#ffffff"), alt.value("#101820"))
    figures = base.mark_text(fontSize=11).encode(
        alt.Text("effect_size:Q", format="+.1f"), color=light
    )
    return (cells + figures).properties(
        title=titled(
            f"Nothing sets a segment apart like {most['feature']} the {most['segment_name']}",
            "Effect size of each feature: 1, all of the segment have more than all others; "
            "-1, all have less",
        ),
        height=alt.Step(22),
    )


def members(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Typical and border customers: how far from the middle, how sure."""
    rows = ask(
        connection,
        """
        select
            segment_name, kind, centre_distance, confidence,
            median(confidence) filter (where kind = 'border') over () as unsure,
            median(confidence) filter (where kind = 'typical') over () as sure
        from segments.segment_members
        order by segment_name, kind, member_rank
        """,
        "no segment has customers",
    )
    seen = first(rows)
    return (
        alt.Chart(rows)
        .mark_point(size=70, opacity=0.8)
        .encode(
            alt.X("confidence:Q", title="Confidence", scale=alt.Scale(domain=[0, 1])),
            alt.Y("segment_name:N", title=None),
            alt.Color(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=["typical", "border"], range=[BLUE, ORANGE]),
            ),
            alt.Shape("kind:N", legend=None),
            yOffset="kind:N",
        )
        .properties(
            title=titled(
                f"Typical customers belong with a confidence of {seen['sure']:.2f}, those on the "
                f"border with {seen['unsure']:.2f} (medians)",
                "The five most typical and the five least sure customers of each segment",
            ),
            height=alt.Step(18),
        )
    )


def reasons(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """What speaks most for their segment, by share of its customers."""
    rows = ask(
        connection,
        """
        select
            segment_name, replace(reason_1, '_', ' ') as reason, count(*) as customers,
            count(*) / sum(count(*)) over (partition by segment_name) as share,
            sum(count(*)) over (partition by reason_1) as of_all,
            sum(count(*)) over () as everybody
        from segments.customer_reasons
        where reason_1 is not null
        group by segment_name, reason_1
        order by of_all desc, reason, segment_name
        """,
        "nobody is in a segment that another one is near to",
    )
    most = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.X(
                "share:Q",
                title="Share of the segment's customers",
                axis=alt.Axis(format=".0%"),
                scale=alt.Scale(domain=[0, 1]),
            ),
            alt.Y("segment_name:N", title=None),
            alt.Color("reason:N", title=None, legend=alt.Legend(columns=3)),
            alt.Order("of_all:Q", sort="descending"),
        )
        .properties(
            title=titled(
                f"{most['reason'].capitalize()} speaks most for the segment of "
                f"{most['of_all'] / most['everybody']:.0%} of the customers",
                "The first reason why customers are in their segment and not in the second best",
            ),
            height=alt.Step(30),
        )
    )


SHOWN = {
    "segment_features": Shown(
        features,
        """
        select segment_name, feature, round(effect_size, 2) as effect_size, magnitude,
            round(segment_median, 2) as segment_median, round(others_median, 2) as others_median
        from segments.segment_features
        where feature_rank = 1
        order by segment_name
        """,
    ),
    "segment_members": Shown(
        members,
        """
        select segment_name, kind, round(centre_distance, 2) as centre_distance,
            round(confidence, 2) as confidence, second_segment_name
        from segments.segment_members
        where member_rank = 1
        order by segment_name, kind desc
        """,
    ),
    "customer_reasons": Shown(
        reasons,
        """
        select reason_1, reason_2, count(*) as customers,
            round(avg(reason_1_share), 2) as mean_share_of_first
        from segments.customer_reasons
        where reason_1 is not null
        group by all
        order by customers desc, reason_1, reason_2
        limit 5
        """,
    ),
}
