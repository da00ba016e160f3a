"""From run to run: what became of the segments, who moved and why, and how a fit was judged."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.sankey import Flow, sankey
from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import BLUE, GREEN, GREY, ORANGE, PINK, VERMILION

CAUSES = {"behaviour": BLUE, "boundary": ORANGE, "correction": PINK, "new": GREEN}
KINDS = ["continued", "split", "born", "merged", "died"]
COLOURS = [GREY, ORANGE, GREEN, PINK, VERMILION]
EVENTS = alt.Scale(domain=KINDS, range=["circle", "diamond", "triangle-up", "square", "cross"])
SHOWN_RUNS = 12


def lineage(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Segments from run to run as lines, which begin, part, join and end."""
    rows = ask(
        connection,
        f"""
        with runs as (
            select as_of, row_number() over (order by as_of desc) as back
            from (select distinct as_of from segments.segment_lineage)
        ),
        told as (
            select lineage.*, row_number() over () as link,
                segment_id || ' · ' || max_by(segment_name, as_of) over (partition by segment_id)
                    as segment
            from segments.segment_lineage as lineage
            join runs using (as_of) where back <= {SHOWN_RUNS}
        ),
        ends as (
            select link, as_of, event, segment, shared_customers, true as is_end from told
            union all
            select told.link, told.previous_as_of, 'continued',
                coalesce(origins.segment, told.segment), told.shared_customers,
                false
            from told left join (select distinct segment_id, segment from told) as origins
                on origins.segment_id = told.from_segment_id
            where told.from_segment_id is not null and told.previous_as_of is not null
        )
        select ends.*, ends.as_of::varchar as run,
            (select count(*) from told where event <> 'continued') as events,
            (select count(distinct as_of) from told) as runs
        from ends order by link, ends.as_of
        """,
        "no run has told of its segments yet",
    )
    seen = first(rows)
    base = alt.Chart(rows).encode(
        alt.X("run:O", title="As of", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        alt.Y("segment:N", title=None),
    )
    lines = base.mark_line(color=GREY).encode(
        detail="link:N",
        size=alt.Size("shared_customers:Q", title="Customers of both", legend=None),
    )
    marks = (
        base.transform_filter("datum.is_end")
        .mark_point(filled=True, size=110, opacity=1)
        .encode(
            alt.Shape("event:N", title=None, scale=EVENTS),
            alt.Color("event:N", title=None, scale=alt.Scale(domain=KINDS, range=COLOURS)),
        )
    )
    return (lines + marks).properties(
        title=titled(
            f"{seen['events']:,} beginnings and ends of segments in {seen['runs']:,} runs",
            "Lines are as wide as the customers whom both have in common",
        ),
        height=alt.Step(34),
    )


def migrations(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Who moved from where to where at the last run, coloured by cause."""
    rows = ask(
        connection,
        """
        select from_segment_name, to_segment_name, cause, customers, as_of::varchar as as_of,
            sum(customers) over () as moved,
            sum(customers) filter (cause = 'behaviour') over () as behaved
        from segments.segment_migrations
        where as_of = (select max(as_of) from segments.segment_migrations)
        order by customers desc, from_segment_name, to_segment_name, cause
        """,
        "nobody has moved yet",
    )
    seen = first(rows)
    flows = [
        Flow(row["from_segment_name"], row["to_segment_name"], row["cause"], row["customers"])
        for row in rows.to_pylist()
    ]
    return sankey(flows, CAUSES, ("from", "to")).properties(
        height=320,
        title=titled(
            f"{seen['moved']:,} customers came or moved, {seen['behaved'] or 0:,} of them for what "
            "they did",
            f"From the run before to that as of {seen['as_of']}",
        ),
    )


def evidence(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Silhouette of each candidate with its error, the one that was taken marked."""
    rows = ask(
        connection,
        """
        select algorithm, k, silhouette, silhouette - silhouette_error as low,
            silhouette + silhouette_error as high, stability, is_chosen
        from segments.fit_evidence
        where as_of = (select max(as_of) from segments.fit_evidence)
        order by is_chosen desc, candidate
        """,
        "nothing was fitted yet",
    )
    taken = first(rows)
    stable = "" if taken["stability"] is None else f", stability {taken['stability']:.2f}"
    base = alt.Chart(rows).encode(alt.X("k:O", title="Segments", axis=alt.Axis(labelAngle=0)))
    up = alt.Y("silhouette:Q", title="Mean silhouette", scale=alt.Scale(zero=False))
    colour = alt.Color("algorithm:N", title=None)
    lines = base.mark_line().encode(up, colour)
    errors = base.mark_rule().encode(alt.Y("low:Q", title="Mean silhouette"), alt.Y2("high:Q"))
    points = base.mark_point(size=60, opacity=1).encode(up, colour)
    chosen = (
        base.transform_filter("datum.is_chosen")
        .mark_point(size=320, shape="circle", filled=False, strokeWidth=2.5, color=VERMILION)
        .encode(up)
    )
    return alt.layer(lines, errors, points, chosen).properties(
        title=titled(
            f"Taken: {taken['algorithm']} with {taken['k']} segments, silhouette "
            f"{taken['silhouette'] or 0:.3f}{stable}",
            "Candidates of the last fit, with the standard error of each silhouette",
        ),
        height=240,
    )


def gates(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """What each gate measured of the last fit, beside what it asks for."""
    rows = ask(
        connection,
        """
        select gate, observed, bound, passed, is_promoted, as_of::varchar as as_of,
            count(*) filter (not passed) over () as failed, count(*) over () as gates
        from segments.model_gates
        where as_of = (select max(as_of) from segments.model_gates)
        order by passed, gate
        """,
        "no fit was judged yet",
    )
    seen = first(rows)
    goes = "goes live" if seen["is_promoted"] else "does not go live"
    held = f"{seen['gates'] - seen['failed']} of {seen['gates']} gates hold"
    base = alt.Chart(rows).encode(alt.Y("gate:N", title=None, sort=None))
    bars = base.mark_bar(height=12).encode(
        alt.X("observed:Q", title="Measured (bar) and asked for (line)"),
        alt.Color(
            "passed:N",
            title=None,
            scale=alt.Scale(domain=[True, False], range=[BLUE, VERMILION]),
            legend=alt.Legend(labelExpr="datum.value ? 'holds' : 'does not hold'"),
        ),
    )
    bounds = base.mark_tick(thickness=3, size=24, color=ORANGE).encode(alt.X("bound:Q"))
    return (bars + bounds).properties(
        title=titled(f"The fit as of {seen['as_of']} {goes}: {held}"), height=alt.Step(30)
    )


SHOWN = {
    "segment_lineage": Shown(
        lineage,
        """
        select as_of, event, segment_id, segment_name, from_segment_id, shared_customers
        from segments.segment_lineage
        order by as_of desc, event_number
        limit 5
        """,
    ),
    "segment_migrations": Shown(
        migrations,
        """
        select from_segment_name, to_segment_name, cause, customers
        from segments.segment_migrations
        order by as_of desc, customers desc, from_segment_name, to_segment_name, cause
        limit 5
        """,
    ),
    "fit_evidence": Shown(
        evidence,
        """
        select algorithm, k, round(silhouette, 3) as silhouette, round(stability, 3) as stability,
            round(smallest_share, 3) as smallest_share, is_chosen
        from segments.fit_evidence
        where as_of = (select max(as_of) from segments.fit_evidence)
        order by candidate
        limit 5
        """,
    ),
    "model_gates": Shown(
        gates,
        """
        select as_of, gate, passed, round(observed, 3) as observed, round(bound, 3) as bound
        from segments.model_gates
        order by as_of desc, gate
        limit 5
        """,
    ),
}
