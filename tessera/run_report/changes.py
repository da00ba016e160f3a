"""What changed since the run before: who moved and why, and what became of the segments."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.sankey import Flow, sankey
from tessera.charts.shown import Drawn, ask, first, titled
from tessera.charts.theme import BLUE, GREEN, ORANGE, PINK, VERMILION
from tessera.charts.weeks import CAUSES

EVENTS = {
    "continued": BLUE, "born": GREEN, "split": ORANGE, "merged": PINK, "died": VERMILION,
}  # fmt: skip
SIGNS = ["triangle-up", "diamond", "square", "cross"]
RUNS = 26
# The widest bands: more than these nobody tells apart.
BANDS = 40


def moves(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Who went from where to where since the run before, by cause."""
    rows = ask(
        connection,
        """
        select coalesce(from_segment_name, from_segment_id) as source,
            coalesce(to_segment_name, to_segment_id) as target, cause, customers,
            sum(customers) over () as moved,
            sum(customers) filter (cause = 'behaviour') over () / sum(customers) over ()
                as by_behaviour
        from segments.segment_migrations
        where as_of = (select max(as_of) from segments.fit_scorecards) and cause <> 'new'
        order by sum(customers) over (partition by from_segment_id) desc, source,
            customers desc, target, cause
        """,
        "nobody moved since the run before, or this is the first",
    )
    told = first(rows)
    flows = [
        Flow(row["source"], row["target"], row["cause"], row["customers"])
        for row in rows.slice(0, BANDS).to_pylist()
    ]
    share = f"{told['by_behaviour'] or 0:.0%} of them because their behaviour changed"
    return sankey(flows, CAUSES, ("from", "to")).properties(
        title=titled(f"{told['moved']:,} customers moved since the run before, {share}"),
        width=170,
        height=min(110 + 30 * len(flows), 320),
    )


def lineage(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """What became of each segment, run by run."""
    rows = ask(
        connection,
        f"""
        with runs as (
            select distinct as_of from segments.segment_lineage order by as_of desc limit {RUNS}
        ),

        names as (
            select segment_id, segment_id || ' ' || arg_max(segment_name, as_of) as named,
                length(segment_id) as digits
            from segments.segment_lineage group by segment_id
        ),

        ends as (
            select as_of, event_number, event, segment_id,
                case when event = 'died' then segment_id else from_segment_id end as from_id,
                previous_as_of
            from segments.segment_lineage join runs using (as_of)
        ),

        drawn as (
            select event, as_of || '/' || event_number as edge,
                unnest([coalesce(previous_as_of, as_of), as_of])::varchar as run,
                unnest([coalesce(from_id, segment_id), segment_id]) as segment_id,
                unnest([from_id is null, false]) as is_outside, unnest([false, true]) as is_end
            from ends
        )

        select event, edge, run, named, is_end, row_number() over () as place,
            (select count(*) from runs) as runs,
            (select count(*) from ends where event <> 'continued' and previous_as_of is not null)
                as changes
        from (
            select * from drawn join names using (segment_id) where not is_outside
            order by digits, segment_id, run, edge
        )
        """,
        "there is no run before",
    )
    told = first(rows)
    base = alt.Chart(rows).encode(
        alt.X("run:O", title="As of", axis=alt.Axis(labelAngle=-40, labelOverlap=True)),
        alt.Y("named:N", title=None, sort=alt.EncodingSortField("place", op="min")),
        alt.Color(
            "event:N",
            title=None,
            scale=alt.Scale(domain=list(EVENTS), range=list(EVENTS.values())),
            legend=alt.Legend(columns=3),
        ),
        alt.Detail("edge:N"),
    )
    shapes = alt.Scale(domain=list(EVENTS), range=["circle", *SIGNS])
    dots = base.mark_point(size=70, opacity=1).encode(
        alt.Shape("event:N", title=None, scale=shapes)
    )
    dots = dots.transform_filter("datum.is_end && datum.event != 'continued'")
    said = "since the first, no segment was born, split, merged or lost"
    if told["changes"]:
        said = f"{told['changes']} births, splits, mergers and deaths of segments"
    if told["runs"] == 1:
        said = "the first, so all segments are new"
    return (base.mark_line() + dots).properties(
        title=titled(f"Runs so far: {told['runs']}; {said}"), height=alt.Step(30)
    )
