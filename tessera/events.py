"""From counted days of events to `models/events.py`, and back."""

from __future__ import annotations

from datetime import date

import duckdb
import pandas as pd

from tessera.ml_floor import replace
from tessera.settings import Settings

DAILY = """
    select event, measure, phase, happened from intermediate.int_event_days_counted
    where phase in ('before', 'during')
    order by event, measure, phase, day
"""


# The company's orders and revenue are taken apart already; posts are not.
OUT_OF_LINE = """
    select measure, week, score from ml.trends
    where as_of = $as_of and dimension = 'all' and measure in ('orders', 'revenue') and is_anomaly
"""
POSTS = """
    with posts as (
        select day, happened from intermediate.int_days_counted where measure = 'posts'
    ), life as (
        select date_trunc('week', min(day) + interval 6 day)::date as first,
            date_trunc('week', $as_of::date)::date as stop
        from posts
    ), weeks as (
        select unnest(generate_series(first, stop - 7, interval 7 day))::date as week from life
    )
    select 'posts' as measure, week, coalesce(sum(happened), 0)::double as posts
    from weeks left join posts on date_trunc('week', day)::date = week
    group by week order by week
"""


def found_events(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> str:
    """Weeks out of line that no event of the settings explains → ml.found_events.

    After trends: it looks at those of orders and revenue, and at posts.
    """
    from models.events import join_weeks
    from models.trends import TrendParameters, decompose

    posts = connection.execute(POSTS, {"as_of": as_of}).df()
    apart = decompose(posts["posts"].to_numpy(), TrendParameters())
    posts = posts.assign(score=apart["score"])[apart["is_anomaly"].to_numpy(dtype=bool)]
    weeks = connection.execute(OUT_OF_LINE, {"as_of": as_of}).df()
    weeks = pd.concat([weeks, posts[["measure", "week", "score"]]], ignore_index=True)
    declared = connection.sql("from intermediate.int_events_begun").df()
    connection.register("events_found", join_weeks(weeks, declared))
    told = "select event, starts_on::date as starts_on, ends_on::date as ends_on, found_in"
    count = replace(connection, "found_events", as_of, f"{told} from events_found")
    connection.unregister("events_found")
    return f"{count} events found"


def event_ratios(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> str:
    """Orders and posts during each event against the days before it → ml.event_ratios."""
    from models.events import EventParameters, ratios

    connection.register("ratios", ratios(connection.sql(DAILY).df(), EventParameters()))
    replace(connection, "event_ratios", as_of, "from ratios")
    connection.unregister("ratios")
    count = "select count(distinct event) from ml.event_ratios where as_of = ?"
    return f"{connection.execute(count, [as_of]).fetchall()[0][0]} events"
