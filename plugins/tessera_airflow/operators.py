"""The one operator: run a step of Tessera by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from airflow.sdk import BaseOperator, Connection, Context
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSkipException,
)

WAREHOUSE_POOL = "warehouse"


def secret(name: str) -> str:
    """A secret that the settings name: an environment variable, or a connection's password.

    Raises LookupError when there is neither.
    """
    from tessera import settings

    try:
        return settings.secret(name)
    except LookupError:
        try:
            return Connection.get(name).password or ""
        except AirflowNotFoundException:
            raise LookupError(name) from None


class StepOperator(BaseOperator):
    """Run the step whose name is the task id.

    The step is looked up when the task runs, so a DAG file imports nothing heavy. `as_of` is a
    template that renders to `YYYY-MM-DD`, or to nothing for the day after the newest event.
    Every step opens the warehouse, which takes one writer: hence the pool of one slot.
    """

    template_fields: Sequence[str] = ("as_of",)
    ui_color = "#d9ead3"

    def __init__(self, *, as_of: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("pool", WAREHOUSE_POOL)
        super().__init__(**kwargs)
        self.as_of = as_of

    def execute(self, context: Context) -> str:
        """Return the step's one-line summary (it becomes the task's XCom)."""
        from tessera import settings
        from tessera.runs import NothingLoaded
        from tessera.steps import FINAL, run_step

        as_of = date.fromisoformat(self.as_of) if self.as_of else None
        try:
            summary = run_step(self.task_id, settings.load(), as_of, secret)
        except NothingLoaded as nothing:
            # A schedule that fires before the first export: nothing is wrong, nothing to do.
            raise AirflowSkipException(str(nothing)) from nothing
        except FINAL as error:
            # The same input would fail the same way: no retry.
            raise AirflowFailException(str(error)) from error
        say = self.log.warning if summary.startswith("warning: ") else self.log.info
        say("%s: %s", self.task_id, summary)
        return summary
