"""`make run`: the DAGs, in the order of the data, in this process and with no service to start.

Each DAG runs through Airflow's own `dag.test()`. Airflow's log goes to a file; people see one line
a task. Ends with exit code 1 and one readable line when a task fails.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

# Assets start DAGs only under a scheduler; here their order is written down.
ORDER = (
    "extract_crm",
    "extract_clickstream",
    "extract_social",
    "build_customer_360",
    "recluster_weekly",
)


@dataclass(frozen=True)
class Failure:
    """What stopped the run."""

    where: str
    runbook: str
    why: str


class Progress:
    """Prints one line a task; registered with Airflow as a listener."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started = 0.0
        self.failure: Failure | None = None

    def running(self) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def succeeded(self, task_instance: Any) -> None:
        """Print what the step says it did."""
        from tessera_airflow.operators import WARNING

        told = task_instance.xcom_pull(task_ids=task_instance.task_id) or ""
        style = "yellow" if told.startswith(WARNING) else "dim"
        self._line("[green]✓[/green]", task_instance, f"[{style}]{escape(told)}[/{style}]")

    def failed(self, task_instance: Any, error: BaseException | str | None) -> None:
        """Keep the error for the closing lines."""
        from airflow.sdk.exceptions import AirflowFailException

        known = isinstance(error, (AirflowFailException, str))
        why = str(error) if known else f"{type(error).__name__}: {error}"
        where = f"{task_instance.dag_id}.{task_instance.task_id}"
        self.failure = Failure(where, f"docs/runbooks/{task_instance.dag_id}.md", why)
        self._line("[red]✗[/red]", task_instance, "[red]failed[/red]")

    def _line(self, mark: str, task_instance: Any, told: str) -> None:
        name = f"{task_instance.dag_id} · {task_instance.task_id}"
        seconds = time.perf_counter() - self.started
        self.console.print(f"{mark} {name:<40} {seconds:6.1f} s  {told}", highlight=False)


def _listener(progress: Progress) -> object:
    from airflow.listeners import hookimpl

    class Listener:
        @hookimpl
        def on_task_instance_running(self, task_instance: Any) -> None:
            progress.running()

        @hookimpl
        def on_task_instance_success(self, task_instance: Any) -> None:
            progress.succeeded(task_instance)

        @hookimpl
        def on_task_instance_failed(self, task_instance: Any, error: Any) -> None:
            progress.failed(task_instance, error)

    return Listener()


def prepare_metadata() -> None:
    """Make or upgrade Airflow's own SQLite database, and the pool that keeps writers to one."""
    from airflow.models.pool import Pool
    from airflow.utils.db import upgradedb

    from tessera_airflow.operators import WAREHOUSE_POOL

    upgradedb()
    Pool.create_or_update_pool(
        WAREHOUSE_POOL, slots=1, description="One writer of the warehouse", include_deferred=False
    )


def run_dags(as_of: date | None, console: Console) -> Failure | None:
    """Run every DAG until one fails."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk.listener import get_listener_manager

    progress = Progress(console)
    get_listener_manager().add_listener(_listener(progress))
    prepare_metadata()
    bag = DagBag()
    for file, why in bag.import_errors.items():
        return Failure(file, "CONTRIBUTING.md", why)
    for dag_id in ORDER:
        dag = bag.dags[dag_id]
        dag.deadline = None  # a scheduler looks at deadlines; dag.test() of 3.3 stumbles over them
        for task in dag.tasks:
            task.retries = 0  # a person is waiting: she mends it and runs again
        conf = {"as_of": as_of.isoformat()} if as_of and "as_of" in dag.params else None
        state = dag.test(run_conf=conf).state
        if state != "success":
            runbook = f"docs/runbooks/{dag_id}.md"
            return progress.failure or Failure(dag_id, runbook, f"the DAG run ended {state}")
    return None


def _terminal_and_log(log: Path) -> Console:
    """Send all that Airflow, its tasks and their libraries print to a file.

    By descriptor: native code writes there too, also while the process ends. What is left of the
    terminal is the returned console.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    console = Console(file=os.fdopen(os.dup(1), "w", encoding="utf-8"), soft_wrap=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    logging.getLogger().handlers = [logging.StreamHandler(sys.stderr)]
    return console


def main() -> int:
    """Parse the command line, run, say what failed; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--as-of", type=date.fromisoformat, help="YYYY-MM-DD")
    arguments = parser.parse_args()
    log = Path(os.environ["AIRFLOW_HOME"]) / "run.log"
    console = _terminal_and_log(log)
    try:
        failed = run_dags(arguments.as_of, console)
    except Exception as error:
        logging.getLogger(__name__).exception("the run broke off")
        failed = Failure("Airflow", "README", f"{type(error).__name__}: {error}")
    if failed is None:
        return 0
    console.print(f"[red]Failed:[/red] {failed.where}: {failed.why}", highlight=False)
    console.print(f"What to do: {failed.runbook} · Log: {log}", highlight=False)
    return 1


if __name__ == "__main__":
    sys.exit(main())
