"""Who the customers are, as far as it is known."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import BLUE, GREY, ORANGE

FIELDS = (
    "household_size", "age_band", "income_band", "education", "occupation", "home_ownership",
)  # fmt: skip


def demographics(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """How much of each demographic is known, guessed, or neither."""
    counted = " union all ".join(
        f"select '{field}' as field, case when {field} is null then 'not known' "
        f"when is_{field}_imputed then 'guessed' else 'known' end as standing, "
        "profile_completeness from segments.customer_demographics"
        for field in FIELDS
    )
    rows = ask(
        connection,
        f"""
        select field, standing, count(*) as customers,
            case standing when 'known' then 1 when 'guessed' then 2 else 3 end as place,
            (select median(profile_completeness) from segments.customer_demographics) as complete
        from ({counted})
        group by field, standing
        order by field, place
        """,
        "there is no customer",
    )
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("field:N", title=None),
            alt.X("customers:Q", title="Customers", axis=alt.Axis(format=",.0f", tickCount=5)),
            alt.Color(
                "standing:N",
                title=None,
                scale=alt.Scale(
                    domain=["known", "guessed", "not known"], range=[BLUE, ORANGE, GREY]
                ),
            ),
            alt.Order("place:Q"),
        )
        .properties(
            title=titled(
                f"Half of the customers have a profile of {first(rows)['complete'] or 0:.0%}"
            ),
            height=alt.Step(26),
        )
    )


SHOWN = {
    "customer_demographics": Shown(
        demographics,
        """
        select next_question, count(*) as customers,
            round(median(profile_completeness), 2) as profile_completeness
        from segments.customer_demographics
        group by next_question
        order by customers desc, next_question
        limit 5
        """,
    ),
}
