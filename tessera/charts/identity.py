"""Verdicts on who is whom that are worth a second look."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, Shown, ask, first, titled


def identity_doubts(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Doubtful pairs by what decided them: how many, and the revenue at stake."""
    rows = ask(
        connection,
        """
        select reason, if(verdict = 'one', 'one customer', 'two customers') as verdict,
            count(*) as pairs, sum(revenue_at_stake)::double as revenue,
            sum(count(*)) over () as all_pairs,
            sum(sum(revenue_at_stake)) over ()::double as all_revenue
        from segments.identity_doubts
        group by all
        order by revenue desc, reason, verdict
        """,
        "no verdict was doubtful",
    )
    known = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("reason:N", title="What decided", sort=None, axis=alt.Axis(labelLimit=260)),
            alt.X("pairs:Q", title="Pairs of accounts", axis=alt.Axis(tickMinStep=1)),
            alt.Color("verdict:N", title="Taken for"),
            order=alt.Order("verdict:N"),
        )
        .properties(
            title=titled(
                f"{known['all_pairs']:,.0f} pairs of accounts are worth a second look; "
                f"{known['all_revenue']:,.0f} of revenue would change hands"
            ),
            height=alt.Step(24),
        )
    )


SHOWN = {
    "identity_doubts": Shown(
        identity_doubts,
        """
        select stake_rank, verdict, reason, round(match_weight, 1) as match_weight,
            revenue_at_stake
        from segments.identity_doubts
        order by stake_rank
        limit 5
        """,
    ),
}
