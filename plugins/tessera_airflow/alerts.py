"""Alerts by e-mail, Slack or webhook: Airflow's own notifiers, chosen by the environment.

TESSERA_ALERTS names Airflow connections, with commas between; a connection's type says which
notifier takes the alert to it. Without it alerts stand in the log alone. docs/how-to/watch.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import structlog

log = structlog.get_logger("tessera.alerts")

READERS_KEEP = "Readers keep the tables that were published last."


@dataclass(frozen=True)
class Alert:
    """What happened, where, what to do, and where to read on."""

    kind: str  # failure, gate, warning or late
    what: str
    where: str
    to_do: str
    runbook: str
    log_url: str = ""

    @property
    def subject(self) -> str:
        """One line."""
        return f"Tessera: {self.where}: {self.kind}"

    @property
    def text(self) -> str:
        """The whole message, as plain text."""
        lines = [self.what, f"Where: {self.where}", f"What to do: {self.to_do}"]
        lines.append(f"Runbook: {self.runbook}")
        return "\n".join([*lines, f"Log: {self.log_url}"] if self.log_url else lines)


def runbook(dag_id: str) -> str:
    """The runbook of a DAG: a page of the docs site when TESSERA_DOCS_SITE says where that is."""
    docs = os.environ.get("TESSERA_DOCS_SITE", "").rstrip("/")
    return f"{docs}/runbooks/{dag_id}/" if docs else f"docs/runbooks/{dag_id}.md"


def on_failure(context: Mapping[str, Any]) -> None:
    """A task failed for good: after its last try, or at once when a gate says no."""
    task = context["task_instance"]
    is_gate = task.task_id.startswith("check_")
    said = _said(context.get("exception"))
    do = "the message says what is wrong with the data" if is_gate else "the message says why"
    send(
        Alert(
            kind="a gate says no" if is_gate else "failed",
            what=f"{task.task_id} failed on try {task.try_number}: {said}",
            where=f"{task.dag_id}.{task.task_id}, run {_run_id(context)}",
            to_do=f"{do}; look it up in the runbook, mend it, then clear the task in Airflow: it "
            f"starts again where it stopped. {READERS_KEEP}",
            runbook=runbook(task.dag_id),
            log_url=getattr(task, "log_url", "") or "",
        )
    )


def on_warning(context: Mapping[str, Any], summary: str) -> None:
    """A step succeeded and asks for a look: a champion was kept, exports have stopped coming."""
    task = context["task_instance"]
    send(
        Alert(
            kind="look at this",
            what=summary.removeprefix("warning: "),
            where=f"{task.dag_id}.{task.task_id}, run {_run_id(context)}",
            to_do="nothing failed and the run goes on; the runbook says what to look at first",
            runbook=runbook(task.dag_id),
            log_url=getattr(task, "log_url", "") or "",
        )
    )


def late(hours: float, context: Mapping[str, Any]) -> None:
    """A run missed its deadline (Airflow's deadline alerts call this): tables are getting old."""
    run = context["dag_run"]
    dag_id, run_id = run["dag_id"], run["dag_run_id"]
    send(
        Alert(
            kind="late",
            what=f"{dag_id} has not ended {hours:g} hours after it was queued",
            where=f"{dag_id}, run {run_id}",
            to_do="open the run in Airflow: a task that waits for the pool `warehouse` waits for "
            "another run; one that runs for hours needs memory or fewer customers; one that is "
            f"tried again says why in its log. {READERS_KEEP}",
            runbook=runbook(dag_id),
        )
    )


def send(alert: Alert) -> None:
    """Log the alert and send it over every connection; one that cannot be reached is logged.

    An alert that cannot be sent must not fail what it tells of.
    """
    log.warning("alert", **asdict(alert))
    for name in filter(None, (n.strip() for n in os.environ.get("TESSERA_ALERTS", "").split(","))):
        try:
            notifier_of(name, alert).notify({})
        except Exception as error:
            # Its type only: messages of HTTP libraries hold the address, and with it the secret.
            log.error("alert not sent", connection=name, error=type(error).__name__)


def notifier_of(name: str, alert: Alert) -> Any:
    """The notifier for a connection's type, with the alert in it. Raises ValueError for others.

    Notifiers are called by `notify`, which renders no templates: an alert holds words of exports.
    """
    from airflow.sdk import Connection

    connection = Connection.get(name)
    if connection.conn_type == "smtp":
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        to = connection.extra_dejson.get("to") or connection.extra_dejson.get("from_email")
        body = f"<pre>{escape(alert.text)}</pre>"
        subject = " ".join(alert.subject.split())
        return SmtpNotifier(to=to, subject=subject, html_content=body, smtp_conn_id=name)
    if connection.conn_type == "slackwebhook":
        from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

        said = escape(f"*{alert.subject}*\n{alert.text}", quote=False)
        return SlackWebhookNotifier(slack_webhook_conn_id=name, text=said)
    if connection.conn_type in ("http", "https"):
        from airflow.providers.http.notifications.http import HttpNotifier

        return HttpNotifier(http_conn_id=name, json={**asdict(alert), "text": alert.text})
    raise ValueError(f"connection {name} is of type {connection.conn_type}")


def _said(error: object) -> str:
    """What an error says; of one that is neither Tessera's nor Airflow's the type alone.

    The words of others may quote what a customer wrote, and an alert leaves the machine.
    """
    from airflow.sdk.exceptions import AirflowException

    from tessera.steps import FINAL, PASSING
    from tessera.warehouse import WarehouseBusy

    if error is None or isinstance(error, (str, AirflowException, WarehouseBusy, *FINAL, *PASSING)):
        return str(error)
    return f"{type(error).__name__}; the task's log has its words"


def _run_id(context: Mapping[str, Any]) -> str:
    return str(context.get("run_id") or getattr(context["task_instance"], "run_id", ""))
