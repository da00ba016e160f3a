"""What people say: tone, topics, and how both move."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import GREEN, GREY, VERMILION


def tone(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Mean tone per week and source."""
    rows = ask(
        connection,
        """
        select
            week_starts_on::timestamp as week, source,
            sum(mean_sentiment * scored) / sum(scored) as mean_sentiment, sum(scored) as texts,
            sum(sum(mean_sentiment * scored)) over () / sum(sum(scored)) over () as overall,
            sum(sum(scored)) over () as all_texts
        from segments.sentiment_weekly
        where scored > 0 and week_starts_on >= as_of - interval 53 weeks
        group by week_starts_on, source
        order by week_starts_on, source
        """,
        "no text has a known tone",
    )
    seen = first(rows)
    return (
        alt.Chart(rows)
        .mark_line()
        .encode(
            alt.X("week:T", title="Week", axis=alt.Axis(format="%b %y", tickCount=6)),
            alt.Y("mean_sentiment:Q", title="Mean tone, -1 to 1"),
            alt.Color("source:N", title=None),
        )
        .properties(
            title=titled(
                f"The mean tone of {seen['all_texts']:,} texts of a year is {seen['overall']:+.2f}"
            ),
            height=220,
        )
    )


def topics(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Topics by share of texts, coloured by tone."""
    rows = ask(
        connection,
        """
        select label, texts, text_share, mean_sentiment
        from segments.topics
        order by texts desc, topic_id
        limit 20
        """,
        "no topic was found",
    )
    most = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("label:N", title=None, sort=None, axis=alt.Axis(labelLimit=240)),
            alt.X("text_share:Q", title="Share of texts", axis=alt.Axis(format=".0%", tickCount=5)),
            alt.Color(
                "mean_sentiment:Q",
                title="Mean tone, -1 to 1",
                legend=alt.Legend(gradientLength=180),
            ),
        )
        .properties(
            title=titled(f"{most['text_share']:.0%} of texts are about {most['label']}"),
            width=330,
            height=alt.Step(22),
        )
    )


def topic_trends(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Texts a week of the six topics written about most; what emerges and what worries."""
    rows = ask(
        connection,
        """
        with greatest as (
            select topic_id from segments.topic_trends
            group by topic_id order by sum(texts) desc, topic_id limit 6
        )

        select
            label, week::timestamp as week, text_share,
            case when is_concern then 'concern' when is_emerging then 'emerging' end as mark,
            count(*) filter (where is_emerging) over () as emerging,
            count(*) filter (where is_concern) over () as concerns
        from segments.topic_trends
        where topic_id in (select topic_id from greatest) and week >= as_of - interval 53 weeks
        order by label, week
        """,
        "no topic has a week",
    )
    seen = first(rows)
    base = alt.Chart(rows).encode(
        alt.X("week:T", title="Week", axis=alt.Axis(format="%b %y", tickCount=5)),
        alt.Y("text_share:Q", title=None, axis=alt.Axis(format=".0%", tickCount=3)),
    )
    marks = (
        base.transform_filter("isValid(datum.mark)")
        .mark_point(size=45)
        .encode(
            alt.Color(
                "mark:N",
                title=None,
                scale=alt.Scale(domain=["emerging", "concern"], range=[GREEN, VERMILION]),
            )
        )
    )
    return (
        (base.mark_line(color=GREY, strokeWidth=1.4) + marks)
        .properties(height=60)
        .facet(row=alt.Row("label:N", title=None, header=alt.Header(labelOrient="top")))
        .properties(
            title=titled(
                f"{seen['emerging']} weeks in which a topic emerged, {seen['concerns']} of concern",
                "Share of the week's texts, the topics written about most",
            )
        )
    )


SHOWN = {
    "sentiment_weekly": Shown(
        tone,
        """
        select week_starts_on, source, language, texts, round(mean_sentiment, 3) as mean_sentiment,
            complaints
        from segments.sentiment_weekly
        order by week_starts_on desc, texts desc, source, language
        limit 5
        """,
    ),
    "topics": Shown(
        topics,
        """
        select label, texts, round(text_share, 3) as text_share,
            round(mean_sentiment, 3) as mean_sentiment, top_words
        from segments.topics
        order by texts desc, topic_id
        limit 5
        """,
    ),
    "topic_trends": Shown(
        topic_trends,
        """
        select week, label, texts, round(growth_z, 1) as growth_z, is_emerging, is_concern
        from segments.topic_trends
        order by growth_z desc nulls last, week, topic_id
        limit 5
        """,
    ),
}
