"""The pipeline's own health: runs, loads, quarantine, gates, freshness, columns that change."""

from __future__ import annotations

import altair as alt
import duckdb
import pyarrow as pa

from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import BLUE, GREEN, ORANGE, VERMILION

OUTCOMES = {"holds": GREEN, "warns": ORANGE, "stops the run": VERMILION}


def runs(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Seconds of each step at its latest run. Times are the machine's: no two drawings agree."""
    rows = ask(
        connection,
        """
        select step, seconds, sum(seconds) over () as whole,
            count(*) filter (outcome = 'failed') over () as failed
        from segments.pipeline_runs where is_latest and outcome = 'succeeded'
        order by seconds desc, step
        """,
        "no step has run",
    )
    seen = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("step:N", title=None, sort="-x"),
            alt.X("seconds:Q", title="Seconds", axis=alt.Axis(format=",.0f")),
        )
        .properties(
            title=titled(
                f"{seen['step']} takes {seen['seconds'] / max(seen['whole'], 1e-9):.0%} of a run",
                f"Latest run of each step; {seen['whole']:,.0f} seconds in all",
            ),
            height=alt.Step(18),
        )
    )


def loads(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """What became of the rows of each source."""
    rows = ask(
        connection,
        """
        with by_source as (
            select source, sum(rows_loaded)::double as loaded, sum(rows_refused)::double as refused,
                sum(rows_read)::double as rows_read, bool_and(is_balanced) as is_balanced
            from segments.pipeline_loads where is_balanced is not null group by source
        )

        select source, fate, rows, sum(rows_read) over () / 2 as all_read,
            bool_and(is_balanced) over () as is_balanced
        from by_source, unnest([
            {'fate': 'loaded', 'rows': loaded}, {'fate': 'refused', 'rows': refused}
        ]) as t(told), lateral (select told.fate as fate, told.rows as rows)
        order by source, fate
        """,
        "no export was loaded",
    )
    seen = first(rows)
    verdict = "is loaded or refused" if seen["is_balanced"] else "is NOT all accounted for"
    title = titled(f"All that was read {verdict}", f"{seen['all_read']:,.0f} rows read")
    return by_fate(rows, "loaded", title)


def by_fate(rows: pa.Table, kept: str, title: alt.Title) -> alt.Chart:
    """Two bars a source, of `rows` by `fate`: `kept` and refused. Few are refused: log scale."""
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("source:N", title=None),
            alt.X(
                "rows:Q",
                title="Rows (logarithmic)",
                scale=alt.Scale(type="symlog"),
                stack=None,
                axis=alt.Axis(format=",.0f", values=[0, 10, 1000, 10**5, 10**7]),
            ),
            alt.Color(
                "fate:N",
                title=None,
                scale=alt.Scale(domain=[kept, "refused"], range=[BLUE, ORANGE]),
            ),
            yOffset="fate:N",
        )
        .properties(title=title, height=alt.Step(11))
    )


def refusals(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """The reasons of the quarantine, the most frequent first."""
    rows = ask(
        connection,
        """
        select reason, sum(refusals)::bigint as refusals,
            sum(sum(refusals)) over ()::bigint as all_refused
        from segments.pipeline_refusals group by reason order by refusals desc, reason limit 10
        """,
        "nothing was refused",
    )
    seen = first(rows)
    return _bars(
        rows,
        "reason",
        "refusals",
        "Rows and files in quarantine",
        f"{seen['all_refused']:,} rows and files are in quarantine",
        f"The most frequent reason: {seen['reason']}",
    )


def checks(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """The checks of each gate by what came of them."""
    rows = ask(
        connection,
        """
        select step, outcome, count(*) as checks, sum(count(*)) over ()::bigint as all_checks,
            coalesce(sum(count(*) filter (outcome = 'holds')) over (), 0)::bigint as holding
        from segments.pipeline_checks where is_latest group by step, outcome order by step, outcome
        """,
        "no gate has looked yet",
    )
    seen = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("step:N", title=None),
            alt.X("checks:Q", title="Checks"),
            alt.Color(
                "outcome:N",
                title=None,
                scale=alt.Scale(domain=list(OUTCOMES), range=list(OUTCOMES.values())),
            ),
        )
        .properties(
            title=titled(
                f"{seen['holding']} of {seen['all_checks']} checks hold",
                "Latest look of each gate",
            ),
            height=alt.Step(26),
        )
    )


def freshness(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Days from the newest event of each source to the run."""
    rows = ask(
        connection,
        """
        select source || ' (' || kind || ')' as export, days_behind,
            max(days_behind) over () as oldest
        from segments.pipeline_freshness where days_behind is not null
        order by days_behind desc, export
        """,
        "no export tells of times",
    )
    seen = first(rows)
    return _bars(
        rows,
        "export",
        "days_behind",
        "Days behind the run",
        f"The source that is furthest behind is {seen['oldest']} days old",
        "Newest event of each source, counted to the as-of date",
    )


def drift(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Columns that came and went, by source."""
    rows = ask(
        connection,
        """
        select source, change, count(*) as columns, sum(count(*)) over ()::bigint as all_changes
        from segments.pipeline_drift group by source, change order by source, change
        """,
        "no export has changed its columns",
    )
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("source:N", title=None),
            alt.X("columns:Q", title="Columns", axis=alt.Axis(tickMinStep=1)),
            alt.Color(
                "change:N",
                title=None,
                scale=alt.Scale(domain=["new", "missing"], range=[BLUE, VERMILION]),
            ),
        )
        .properties(
            title=titled(f"{first(rows)['all_changes']} columns of exports came or went"),
            height=alt.Step(26),
        )
    )


def _bars(rows: pa.Table, name: str, value: str, axis: str, title: str, subtitle: str) -> Drawn:
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y(f"{name}:N", title=None, sort="-x", axis=alt.Axis(labelLimit=320)),
            alt.X(f"{value}:Q", title=axis, axis=alt.Axis(format=",.0f")),
        )
        .properties(title=titled(title, subtitle), height=alt.Step(22))
    )


SHOWN = {
    "pipeline_runs": Shown(
        runs,
        """
        select step, outcome, count(*) as runs
        from segments.pipeline_runs group by all order by step, outcome
        """,
    ),
    "pipeline_loads": Shown(
        loads,
        """
        select source, status, count(*) as loads, sum(rows_read) as rows_read,
            sum(rows_loaded) as rows_loaded, sum(rows_refused) as rows_refused
        from segments.pipeline_loads group by all order by source, status limit 10
        """,
    ),
    "pipeline_refusals": Shown(
        refusals,
        """
        select source, what, reason, column_name, refusals
        from segments.pipeline_refusals
        order by refusals desc, source, reason, column_name limit 8
        """,
    ),
    "pipeline_checks": Shown(
        checks,
        """
        select step, title, outcome, observed
        from segments.pipeline_checks where is_latest
        order by outcome = 'holds', step, title, check_number limit 8
        """,
    ),
    "pipeline_freshness": Shown(
        freshness,
        """
        select source, kind, files, rows_loaded, newest_event_at, days_behind
        from segments.pipeline_freshness
        order by days_behind desc nulls last, source, kind limit 8
        """,
    ),
    "pipeline_drift": Shown(
        drift,
        """
        select source, column_name, change
        from segments.pipeline_drift order by load_id, source, column_name
        """,
    ),
}
