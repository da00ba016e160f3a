"""Why so many segments: what each number of clusters scored."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.shown import Drawn, ask, first, titled
from tessera.charts.theme import VERMILION

LATEST = "as_of = (select max(as_of) from segments.fit_evidence)"
BY_K = alt.X("k:O", title="Number of clusters", axis=alt.Axis(labelAngle=0))


def elbow(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Inertia by number of clusters."""
    rows = ask(
        connection,
        f"""
        select algorithm, k, inertia, is_chosen,
            max(k) filter (is_chosen) over () as chosen,
            1 - max(inertia) filter (is_chosen) over () / nullif(max(inertia) over (), 0) as saved
        from segments.fit_evidence where {LATEST} and inertia is not null order by algorithm, k
        """,
        "there was only one way to group the customers",
    )
    told = first(rows)
    base = alt.Chart(rows).encode(
        BY_K,
        alt.Y("inertia:Q", title="Sum of squared distances", axis=alt.Axis(format="~s")),
        alt.Color("algorithm:N", title=None),
    )
    chosen = _circled(base)
    return (base.mark_line(point=True) + chosen).properties(
        title=titled(
            f"{told['chosen']} clusters were chosen (circled); they leave {told['saved'] or 0:.0%} "
            "less spread than the widest tried"
        ),
        height=220,
    )


def scores(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Silhouette with its error, and stability, by number of clusters."""
    rows = ask(
        connection,
        f"""
        select algorithm || ': ' || figure as line, k, value, is_chosen,
            case when figure = 'silhouette' then value - 2 * silhouette_error end as low,
            case when figure = 'silhouette' then value + 2 * silhouette_error end as high,
            max(silhouette) filter (is_chosen) over () as chosen, max(silhouette) over () as best
        from (
            select *, unnest(['silhouette', 'stability']) as figure,
                unnest([silhouette, stability]) as value
            from segments.fit_evidence where {LATEST}
        )
        where value is not null
        order by line, k
        """,
        "there was only one way to group the customers",
    )
    told = first(rows)
    base = alt.Chart(rows).encode(
        BY_K, alt.Color("line:N", title=None, legend=alt.Legend(columns=1))
    )
    value = alt.Y("value:Q", title="0: none, 1: perfect")
    spread = base.mark_rule().encode(alt.Y("low:Q"), alt.Y2("high:Q"))
    lines = base.mark_line(point=True).encode(value)
    chosen = _circled(base.encode(value))
    said = f"The chosen clusters (circled) have a silhouette of {told['chosen'] or 0:.2f}"
    return (lines + spread + chosen).properties(
        title=titled(f"{said}; the best of all has {told['best'] or 0:.2f}"), height=240
    )


def _circled(points: alt.Chart) -> alt.Chart:
    """The chosen ones again, each in a circle."""
    circles = points.mark_point(size=170, filled=False, strokeWidth=2.5, color=VERMILION, opacity=1)
    return circles.transform_filter("datum.is_chosen").encode(color=alt.Color())
