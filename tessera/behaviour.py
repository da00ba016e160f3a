"""Between the frames of `models/` and what is told of behaviour in the ml floor.

An analysis reads what its day's features were built from, computes in `models/`, and replaces what
the ml floor says of that day. Adding one: a function like those of ANALYSES, and its name there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import duckdb
import pandas as pd

from models.journeys import step_effects
from tessera.baskets import basket_rules
from tessera.demographics import impute_demographics
from tessera.events import event_ratios, found_events
from tessera.ml_floor import replace
from tessera.settings import Settings
from tessera.trends import trends

# Reads and writes the warehouse; returns what it found, in two or three words.
Analysis = Callable[[duckdb.DuckDBPyConnection, Settings, date], str]


def analyse(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> str:
    """Run every analysis in one transaction: a day's tables are all of one run, or as they were."""
    connection.execute("begin")
    try:
        told = [analysis(connection, settings, as_of) for analysis in ANALYSES]
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    return ", ".join(told) or "nothing to analyse"


def journeys(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> str:
    """Transitions, steps and paths of visits."""
    counted = connection.sql("from intermediate.int_web_transitions_counted").df()
    connection.register("effects", step_effects(counted))
    replace(connection, "journey_transitions", as_of, TRANSITIONS)
    steps = replace(connection, "journey_steps", as_of, STEPS)
    paths = replace(connection, "journey_paths", as_of, PATHS)
    connection.unregister("effects")
    return f"{steps} steps and {paths} paths of journeys"


def purchase_sequences(
    connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date
) -> str:
    """What becomes of visits: who leaves a cart, and who buys later."""
    return f"{replace(connection, 'purchase_sequences', as_of, SEQUENCES)} purchase sequences"


def funnels(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> str:
    """How far users get, of all, per device and per segment."""
    steps = pd.DataFrame(
        [
            (name, number, step)
            for name, funnel in settings.funnels.items()
            for number, step in enumerate(funnel.steps, start=1)
        ],
        columns=["funnel", "step_number", "step"],
    ).astype({"funnel": "str", "step_number": "int64", "step": "str"})
    connection.register("funnel_steps", steps)
    rows = replace(connection, "funnels", as_of, FUNNELS.format(as_of=as_of))
    connection.unregister("funnel_steps")
    return f"{rows} rows of {len(settings.funnels)} funnels"


ANALYSES: tuple[Analysis, ...] = (
    journeys,
    purchase_sequences,
    funnels,
    basket_rules,
    trends,
    found_events,
    impute_demographics,
    event_ratios,
)

TRANSITIONS = """
    select device_type, from_step, to_step, sessions, transitions,
        transitions / sum(transitions) over (partition by device_type, from_step) as probability
    from intermediate.int_web_transitions_counted
    order by device_type, from_step, to_step
"""
STEPS = """
    select counted.device_type, counted.step, counted.sessions, counted.visits,
        counted.converting_sessions / counted.sessions as conversion_rate,
        coalesce(dropped.transitions, 0) / counted.visits as drop_off_rate,
        effects.conversion_probability, effects.removal_effect
    from intermediate.int_web_steps_counted as counted
    join effects using (device_type, step)
    left join intermediate.int_web_transitions_counted as dropped
        on dropped.device_type = counted.device_type and dropped.from_step = counted.step
        and dropped.to_step = 'drop_off'
    order by counted.device_type, counted.step
"""
PATHS = """
    select kind, path, steps, sessions, sessions / all_sessions as support,
        converting_sessions / sessions as conversion_rate
    from intermediate.int_web_paths_counted
    order by kind, steps, path
"""
SEQUENCES = """
    select category, sequence, count(*) as sequences, count(distinct customer_id) as customers,
        count(hours_to_buy) as bought_later, count(hours_to_buy) / count(*) as bought_later_share,
        median(hours_to_buy) as median_hours_to_buy
    from intermediate.int_customer_visits_followed
    group by category, sequence
    order by category, sequence
"""
# Every step has a row wherever somebody took the first one, also one that nobody reached.
FUNNELS = """
    with tried as (
        select tried.*, case when tried.customer_id is null then 'anonymous'
            else coalesce(assigned.segment_id, 'without-segment') end as segment_id
        from intermediate.int_web_funnels_tried as tried
        left join ml.assignments as assigned
            on assigned.customer_id = tried.customer_id and assigned.as_of = date '{as_of}'
    ),
    placed as (
        select 'all' as dimension, 'all' as value, * from tried
        union all select 'device' as dimension, device_type as value, * from tried
        union all select 'segment' as dimension, segment_id as value, * from tried
    ),
    reached as (
        select funnel, dimension, value, step_number, count(*) as users,
            median(hours_since_previous) as median_hours_from_previous
        from placed group by all
    ),
    complete as (
        select entered.funnel, entered.dimension, entered.value, steps.step_number, steps.step,
            coalesce(reached.users, 0) as users, reached.median_hours_from_previous
        from (select funnel, dimension, value from reached where step_number = 1) as entered
        join funnel_steps as steps using (funnel)
        left join reached using (funnel, dimension, value, step_number)
    )
    select funnel, dimension, value, step_number, step, users,
        users / nullif(lag(users) over whole, 0) as conversion_from_previous,
        users / first_value(users) over whole as conversion_from_first,
        median_hours_from_previous
    from complete
    window whole as (partition by funnel, dimension, value order by step_number)
    order by funnel, dimension, value, step_number
"""
