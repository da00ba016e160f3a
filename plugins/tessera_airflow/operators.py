"""The one operator: run a step of Tessera by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Connection, Context
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSkipException,
)

if TYPE_CHECKING:
    from tessera.lineage import Ended

WAREHOUSE_POOL = "warehouse"
# How a step begins its line when people should look at it.
WARNING = "warning: "


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
    ended: Sequence[Ended] = ()  # the steps that this task ran: its own, and what it needed

    def __init__(self, *, as_of: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("pool", WAREHOUSE_POOL)
        super().__init__(**kwargs)
        self.as_of = as_of

    def execute(self, context: Context) -> str:
        """Return the step's one-line summary (it becomes the task's XCom)."""
        from structlog.contextvars import bound_contextvars

        from tessera_airflow import alerts

        task = context["task_instance"]
        ids = {"dag_id": task.dag_id, "run_id": task.run_id, "step": self.task_id}
        with bound_contextvars(**ids, try_number=task.try_number):
            summary = self._run()
        if summary.startswith(WARNING):
            self.log.warning("%s: %s", self.task_id, summary)
            alerts.on_warning(context, summary)
        else:
            self.log.info("%s: %s", self.task_id, summary)
        return summary

    def _run(self) -> str:
        from tessera import settings
        from tessera.runs import NothingLoaded
        from tessera.steps import FINAL, run_step
        from tessera_airflow import watching

        def hear(ended: Ended) -> None:
            self.ended = [*self.ended, ended]
            watching.tell(ended)

        as_of = date.fromisoformat(self.as_of) if self.as_of else None
        try:
            return run_step(self.task_id, settings.load(), as_of, secret, hear)
        except NothingLoaded as nothing:
            # A schedule that fires before the first export: nothing is wrong, nothing to do.
            raise AirflowSkipException(str(nothing)) from nothing
        except FINAL as error:
            # The same input would fail the same way: no retry.
            raise AirflowFailException(str(error)) from error

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """What the task read and wrote; Airflow's OpenLineage provider calls this."""
        from tessera_airflow.watching import operator_lineage

        return operator_lineage(self.ended)
