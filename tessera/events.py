"""From counted days of events to `models/events.py`, and back."""

from __future__ import annotations

from datetime import date

import duckdb

from tessera.ml_floor import replace
from tessera.settings import Settings

DAILY = """
    select event, measure, phase, happened from intermediate.int_event_days_counted
    where phase in ('before', 'during')
    order by event, measure, phase, day
"""


def event_ratios(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> str:
    """Orders and posts during each event against the days before it → ml.event_ratios."""
    from models.events import EventParameters, ratios

    connection.register("ratios", ratios(connection.sql(DAILY).df(), EventParameters()))
    replace(connection, "event_ratios", as_of, "from ratios")
    connection.unregister("ratios")
    count = "select count(distinct event) from ml.event_ratios where as_of = ?"
    return f"{connection.execute(count, [as_of]).fetchall()[0][0]} events"
