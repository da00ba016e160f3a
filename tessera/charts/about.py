"""What is published: how large the tables are."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import BLUE


def sizes(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Rows of the largest tables."""
    rows = ask(
        connection,
        """
        select name, row_count, as_of::varchar as as_of, contract_version,
            count(*) over () as tables
        from segments.about where kind = 'table' order by row_count desc, name limit 15
        """,
        "nothing is published",
    )
    seen = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar(color=BLUE)
        .encode(
            alt.X("row_count:Q", title="Rows", axis=alt.Axis(format=",.0f")),
            alt.Y("name:N", title=None, sort=None),
        )
        .properties(
            title=titled(
                f"{seen['tables']} tables are published as of {seen['as_of']}",
                f"The largest; version {seen['contract_version']} of their contract",
            )
        )
    )


SHOWN = {
    "about": Shown(
        sizes,
        """
        select kind, name, row_count, newest_event_at, as_of, contract_version
        from segments.about
        where name in ('customer_segments', 'segment_profiles') or kind = 'source'
        order by kind desc, name limit 8
        """,
    )
}
