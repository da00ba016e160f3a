"""What every DAG of Tessera shares."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DeadlineAlert, DeadlineReference, Param, SyncCallback

from tessera_airflow.alerts import late, on_failure

START = datetime(2024, 1, 1)

# The only tags a DAG may carry; tests/dags checks it.
TAGS = frozenset({"extract", "transform", "segment", "daily", "weekly", "asset"})


def within(hours: float) -> DeadlineAlert:
    """Alert when a run has not ended so many hours after it was queued; in the executor."""
    return DeadlineAlert(
        DeadlineReference.DAGRUN_QUEUED_AT,
        timedelta(hours=hours),
        SyncCallback(late, {"hours": hours}),
        name=f"within {hours:g} hours",
    )


# A step is idempotent, so a second try is safe; a gate that says no will say no again, soon.
DEFAULT_ARGS: dict[str, Any] = {
    "owner": "tessera",
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=3),
    "on_failure_callback": on_failure,
}

# Backfill safe: a step looks at its `as_of` only, and one run of a DAG at a time.
DAG_ARGS: dict[str, Any] = {
    "start_date": START,
    "catchup": False,
    "max_active_runs": 1,
    "default_args": DEFAULT_ARGS,
}

AS_OF_PARAM = Param(
    None,
    type=["null", "string"],
    format="date",
    title="As of",
    description="Build the tables as of this day (YYYY-MM-DD). Empty: the day the run stands for.",
)

# A person's date first, then the scheduled week's end, else the day after the newest event.
AS_OF = "{{ params.as_of or '' }}"
SCHEDULED_AS_OF = (
    "{{ params.as_of or (data_interval_end.strftime('%Y-%m-%d')"
    " if run_id.startswith(('scheduled__', 'backfill__')) else '') }}"
)
