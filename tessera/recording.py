"""A step's work, with the run log kept about it: nothing half-done is ever taken for done."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from tessera import lineage, runs
from tessera.runs import open_run_warehouse
from tessera.settings import Settings


@dataclass(frozen=True)
class Step:
    """A run of a step: the day it is for, and the fingerprint of its input; loads have neither."""

    name: str
    as_of: date | None = None
    mark: str | None = None


def recorded(
    step: Step,
    settings: Settings,
    work: Callable[[], str],
    tell: lineage.Tell,
    known: tuple[type[Exception], ...],
) -> str:
    """Do the work and write it into the run log; what failed is not done, whatever its input.

    Errors that are not `known` go into the log by their type alone: their words may hold data.
    """
    started_at, clock = runs.now(), time.perf_counter()
    with open_run_warehouse(settings) as connection:
        runs.begin(connection, step.name)
    try:
        summary = work()
    except Exception as error:
        why = str(error) if isinstance(error, known) else type(error).__name__
        failed = Step(step.name, step.as_of)
        seconds = time.perf_counter() - clock
        tell(_ended(failed, settings, started_at, seconds, f"failed: {why}"))
        raise
    tell(_ended(step, settings, started_at, time.perf_counter() - clock, summary))
    return summary


def _ended(
    step: Step, settings: Settings, started_at: datetime, seconds: float, summary: str
) -> lineage.Ended:
    """Write the end of a step into the run log."""
    with open_run_warehouse(settings) as connection:
        runs.record(connection, step.name, step.as_of, step.mark, started_at, seconds, summary)
        is_whole = not summary.startswith("failed: ")
        rows = lineage.record(connection, step.name, started_at) if is_whole else {}
        read = lineage.read_by(connection, step.name)
    return lineage.Ended(step.name, step.as_of, seconds, summary, read, rows)
