"""Journeys: where visits go, what each step does, how far people get."""

from __future__ import annotations

import altair as alt
import duckdb

from tessera.charts.heat import squares
from tessera.charts.shown import Drawn, Shown, ask, first, titled
from tessera.charts.theme import BLUE, GREEN, GREY, ORANGE

STEPS = 9  # rows and columns that stay readable on a phone


def transitions(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """The transition matrix of the steps that most visits take, as a heat map."""
    rows = ask(
        connection,
        f"""
        with steps as (
            select from_step as step, sum(transitions) as taken
            from segments.journey_transitions
            where device_type = 'all' and from_step != 'start'
            group by from_step order by taken desc, from_step limit {STEPS}
        ),

        states as (
            select step, row_number() over (order by taken desc, step) as place from steps
            union all select * from (values ('start', 0), ('conversion', 98), ('drop_off', 99))
        )

        select
            from_step, to_step, probability, probability as depth, transitions,
            before.place as from_place, after.place as to_place,
            max(if(from_step = 'start', probability, null)) over () as entry,
            max_by(to_step, transitions) filter (where from_step = 'start') over () as entrance
        from segments.journey_transitions
        inner join states as before on before.step = from_step
        inner join states as after on after.step = to_step
        where device_type = 'all' and probability >= 0.005
        order by from_place, to_place
        """,
        "no visit has been seen",
    )
    seen = first(rows)
    base = alt.Chart(rows).encode(
        alt.X(
            "to_step:N",
            title="Next step",
            sort=alt.EncodingSortField("to_place"),
            axis=alt.Axis(labelAngle=-45, labelFontSize=11.5),
        ),
        alt.Y("from_step:N", title="Step", sort=alt.EncodingSortField("from_place")),
    )
    return squares(base, "probability", ".0%", "depth", size=10.5).properties(
        title=titled(
            f"{seen['entry']:.0%} of visits begin with {seen['entrance']}",
            f"Chance of the next step, on all devices; the {STEPS} steps taken most",
        ),
        height=alt.Step(28),
    )


def steps(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """Removal effect of each step."""
    rows = ask(
        connection,
        """
        select step, removal_effect, sessions
        from segments.journey_steps
        where device_type = 'all' and removal_effect is not null
        order by removal_effect desc, step
        limit 12
        """,
        "no visit converted",
    )
    most = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("step:N", title=None, sort=None),
            alt.X(
                "removal_effect:Q",
                title="Conversions lost without the step (removal effect)",
                axis=alt.Axis(format=".0%"),
            ),
        )
        .properties(
            title=titled(
                f"Without {most['step']}, {most['removal_effect']:.0%} of conversions would be lost"
            ),
            height=alt.Step(24),
        )
    )


def paths(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """The most frequent whole paths, and which convert."""
    rows = ask(
        connection,
        """
        select path, sessions, support, conversion_rate,
            if(conversion_rate > 0.5, 'conversion', 'drop-off') as ends_in
        from segments.journey_paths
        where kind = 'whole'
        order by sessions desc, path
        limit 12
        """,
        "no visit has been seen",
    )
    most = first(rows)
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("path:N", title=None, sort=None, axis=alt.Axis(labelLimit=290, labelFontSize=11)),
            alt.X("support:Q", title="Share of visits", axis=alt.Axis(format=".1%", tickCount=4)),
            alt.Color(
                "ends_in:N",
                title="Ends in",
                scale=alt.Scale(domain=["conversion", "drop-off"], range=[GREEN, GREY]),
            ),
        )
        .properties(
            title=titled(
                f"The most frequent path, {most['path']}, is {most['support']:.1%} of visits"
            ),
            width=240,
            height=alt.Step(24),
        )
    )


def sequences(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """What visits come to, and whether the customer bought later."""
    rows = ask(
        connection,
        """
        select sequence, sequences, later, visits,
            sum(bought_later) filter (where sequence like '%abandon') over ()
                / nullif(sum(sequences) filter (where sequence like '%abandon') over (), 0) as back
        from (
            select sequence, sequences, bought_later,
                unnest(['bought within the window', 'did not']) as later,
                unnest([bought_later, sequences - bought_later]) as visits
            from segments.purchase_sequences
            where category = 'all'
        )
        order by sequences desc, sequence, later
        """,
        "no visit of a known customer has been seen",
    )
    back = first(rows)["back"]
    told = (
        "Nobody left a cart" if back is None else f"An order follows {back:.0%} of abandoned carts"
    )
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.Y("sequence:N", title=None, sort=None),
            alt.X("visits:Q", title="Visits", axis=alt.Axis(format=",.0f", tickCount=5)),
            alt.Color(
                "later:N",
                title="Afterwards",
                scale=alt.Scale(
                    domain=["bought within the window", "did not"], range=[ORANGE, GREY]
                ),
            ),
        )
        .properties(title=titled(told), height=alt.Step(26))
    )


def funnels(connection: duckdb.DuckDBPyConnection) -> Drawn:
    """The steps of each funnel, all users and by device."""
    rows = ask(
        connection,
        """
        select funnel, step_number || '  ' || step as step, step_number, users,
            conversion_from_first,
            last_value(conversion_from_first) over (
                partition by funnel order by step_number
                rows between unbounded preceding and unbounded following
            ) as through
        from segments.funnels
        where dimension = 'all'
        order by funnel, step_number
        """,
        "no funnel has users",
    )
    seen = first(rows)
    base = alt.Chart(rows).encode(
        alt.Y("step:N", title=None, sort=alt.EncodingSortField("step_number")),
        alt.X("users:Q", title="Users", axis=alt.Axis(format=",.0f", tickCount=5)),
    )
    bars = base.mark_bar(color=BLUE)
    figures = base.mark_text(align="left", dx=4).encode(
        alt.Text("conversion_from_first:Q", format=".1%")
    )
    return (
        (bars + figures)
        .properties(width=360, height=alt.Step(26))
        .facet(row=alt.Row("funnel:N", title=None, header=alt.Header(labelOrient="top")))
        .resolve_scale(y="independent")
        .properties(
            title=titled(
                f"{seen['through'] or 0:.1%} of users get through the funnel {seen['funnel']}"
            )
        )
    )


SHOWN = {
    "journey_transitions": Shown(
        transitions,
        """
        select to_step, sessions, round(probability, 3) as probability
        from segments.journey_transitions
        where device_type = 'all' and from_step = 'add_to_cart'
        order by probability desc, to_step
        limit 5
        """,
    ),
    "journey_steps": Shown(
        steps,
        """
        select step, sessions, round(conversion_rate, 3) as conversion_rate,
            round(drop_off_rate, 3) as drop_off_rate, round(removal_effect, 3) as removal_effect
        from segments.journey_steps
        where device_type = 'all'
        order by removal_effect desc nulls last, step
        limit 5
        """,
    ),
    "journey_paths": Shown(
        paths,
        """
        select path, sessions, round(support, 4) as support,
            round(conversion_rate, 3) as conversion_rate
        from segments.journey_paths
        where kind = 'sequence'
        order by sessions desc, path
        limit 5
        """,
    ),
    "purchase_sequences": Shown(
        sequences,
        """
        select sequence, sequences, bought_later, round(bought_later_share, 3) as share,
            round(median_hours_to_buy, 1) as median_hours_to_buy
        from segments.purchase_sequences
        where category = 'all'
        order by sequences desc, sequence
        """,
    ),
    "funnels": Shown(
        funnels,
        """
        select funnel, value as device, step, users,
            round(conversion_from_first, 3) as conversion_from_first
        from segments.funnels
        where dimension = 'device'
        order by funnel, value, step_number
        limit 8
        """,
    ),
}
