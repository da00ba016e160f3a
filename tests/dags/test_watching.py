"""What a run tells those who watch it: lineage, metrics, logs with ids, and alerts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from tests.dags import listening

ROOT = Path(__file__).resolve().parents[2]
# First without exports, which fails; then with those of a demo company.
RUNS = """
import os, sys
sys.path.insert(0, "plugins")
from airflow.dag_processing.dagbag import DagBag
from tessera_airflow.embedded import prepare_metadata
import duckdb
from pathlib import Path
from tessera.demo.company import write
prepare_metadata()
bag = DagBag()
assert not bag.import_errors, bag.import_errors
dag = bag.dags["extract_crm"]
dag.deadline = None
for task in dag.tasks:
    task.retries = 0
print("first:", dag.test().state)
data = Path(os.environ["TESSERA_DATA_DIR"])
with duckdb.connect() as connection:
    write(connection, data / "inbox", data / "truth", customers=60, days=120, seed=7)
print("second:", dag.test().state)
"""


@dataclass(frozen=True)
class Watched:
    """Two runs of a DAG, and all that was heard of them."""

    output: str
    events: list[dict[str, Any]]
    metrics: list[str]
    posts: list[tuple[str, dict[str, Any]]]
    mails: list[str]
    data: Path


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    data = tmp_path_factory.mktemp("watched")
    events = data / "events.jsonl"
    with listening.http() as http, listening.smtp() as smtp, listening.statsd() as statsd:
        transport = {"type": "file", "log_file_path": str(events), "append": True}
        done = _run(
            data,
            AIRFLOW__OPENLINEAGE__TRANSPORT=json.dumps(transport),
            AIRFLOW__OPENLINEAGE__EXECUTION_TIMEOUT="30",
            AIRFLOW__METRICS__STATSD_ON="True",
            AIRFLOW__METRICS__STATSD_HOST="127.0.0.1",
            AIRFLOW__METRICS__STATSD_PORT=str(statsd[0]),
            AIRFLOW__LOGGING__JSON_LOGS="True",
            **_connections(http[0], smtp[0]),
        )
        told = [json.loads(line) for line in events.read_text().splitlines()]
        yield Watched(done, told, statsd[1], http[1], smtp[1], data)


def _connections(http: int, smtp: int) -> dict[str, str]:
    mail = {"disable_ssl": True, "disable_tls": True, "from_email": "t@example.com"}
    hook = f"http://127.0.0.1:{http}"
    return {
        "TESSERA_ALERTS": "ops_mail, ops_slack,ops_hook,ops_nowhere",
        "AIRFLOW_CONN_OPS_MAIL": json.dumps(
            {"conn_type": "smtp", "host": "127.0.0.1", "port": smtp,
             "extra": {**mail, "to": "on-call@example.com"}}
        ),
        "AIRFLOW_CONN_OPS_SLACK": json.dumps(
            {"conn_type": "slackwebhook", "password": f"{hook}/services/T/B/secret"}
        ),
        "AIRFLOW_CONN_OPS_HOOK": json.dumps(
            {"conn_type": "http", "host": f"{hook}/alerts"}
        ),
    }  # fmt: skip


def _run(data: Path, **told: str) -> str:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TESSERA_", "AIRFLOW"))}
    done = subprocess.run(
        [sys.executable, "-c", RUNS],
        cwd=ROOT,
        env={
            **inherited,
            "TESSERA_DATA_DIR": str(data),
            "AIRFLOW_HOME": str(data / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            **told,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_both_runs_ended_as_they_should(watched: Watched) -> None:
    assert "first: failed" in watched.output and "second: success" in watched.output


def test_lineage_names_what_was_read_and_written_with_rows(watched: Watched) -> None:
    complete = {
        event["job"]["name"]: event for event in watched.events if event["eventType"] == "COMPLETE"
    }
    load = complete["extract_crm.load_crm"]
    assert [(d["namespace"], d["name"]) for d in load["inputs"]] == [("file://inbox", "exports")]
    rows = {
        dataset["name"]: dataset["outputFacets"]["outputStatistics"]["rowCount"]
        for dataset in load["outputs"]
    }
    with duckdb.connect(str(watched.data / "warehouse" / "tessera.duckdb"), read_only=True) as c:
        assert c.execute("select count(*) from raw.orders").fetchone() == (rows["raw.orders"],)
    assert rows["raw.orders"] > 0
    check = complete["extract_crm.check_crm"]
    assert "raw.orders" in {dataset["name"] for dataset in check["inputs"]}
    assert {dataset["name"] for dataset in check["outputs"]} == {"ops.checks"}
    assert any(event["eventType"] == "FAIL" for event in watched.events)


def test_seconds_and_rows_are_metrics_and_kept_in_ops(watched: Watched) -> None:
    assert any(m.startswith("airflow.tessera.step_seconds.load_crm:") for m in watched.metrics)
    assert any(m.startswith("airflow.tessera.rows.raw.orders:") for m in watched.metrics)
    with duckdb.connect(str(watched.data / "warehouse" / "tessera.duckdb"), read_only=True) as c:
        kept = c.execute(
            "select count(*) from ops.step_tables join ops.step_runs using (step, started_at) "
            "where step = 'load_crm' and table_name = 'raw.orders' and row_count > 0"
        ).fetchone()
    assert kept == (1,)


def test_log_lines_are_json_with_run_and_step(watched: Watched) -> None:
    lines = [json.loads(line) for line in watched.output.splitlines() if line.startswith("{")]
    (ended, *_) = [
        line for line in lines if line.get("event") == "step ended" and line["step"] == "check_crm"
    ]
    assert ended["dag_id"] == "extract_crm" and ended["run_id"].startswith("manual__")
    assert ended["seconds"] > 0 and ended["rows"]["ops.checks"] > 0


def test_a_failure_is_told_over_each_connection_and_says_what_to_do(watched: Watched) -> None:
    (mail,) = [message_from_string(message) for message in watched.mails]
    assert mail["To"] == "on-call@example.com"
    assert mail["Subject"].startswith("Tessera: extract_crm.load_crm")
    part = next(p for p in mail.walk() if p.get_content_type() == "text/html")
    body = part.get_payload(decode=True).decode()  # type: ignore[union-attr]
    posts = dict(watched.posts)
    assert set(posts) == {"/services/T/B/secret", "/alerts"}
    for text in (body, posts["/services/T/B/secret"]["text"], posts["/alerts"]["text"]):
        assert "no orders: nothing was loaded" in text
        assert "What to do: " in text and "docs/runbooks/extract_crm.md" in text
        assert "extract_crm.load_crm, run manual__" in text
    assert posts["/alerts"]["kind"] == "failed"


def test_a_connection_that_is_not_there_is_logged_and_fails_nothing(watched: Watched) -> None:
    (lost,) = [line for line in watched.output.splitlines() if '"alert not sent"' in line]
    assert json.loads(lost)["connection"] == "ops_nowhere"
    assert "services/T/B/secret" not in watched.output


@pytest.fixture
def alerts(dag_bag):
    from tessera_airflow import alerts

    return alerts


@pytest.fixture
def sent(alerts, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    heard: list[Any] = []
    monkeypatch.setattr(alerts, "send", heard.append)
    return heard


TASK = SimpleNamespace(
    dag_id="recluster_weekly", task_id="assign_segments", try_number=1, run_id="scheduled__1",
    log_url="http://airflow/log",
)  # fmt: skip


def test_a_kept_champion_is_told(alerts, sent) -> None:
    alerts.on_warning({"task_instance": TASK}, "warning: This week's fit does not go live: …")
    (alert,) = sent
    assert alert.what.startswith("This week's fit") and "recluster_weekly" in alert.runbook


def test_a_gate_is_told_as_a_gate(alerts, sent) -> None:
    task = SimpleNamespace(**{**vars(TASK), "task_id": "check_segments"})
    alerts.on_failure({"task_instance": task, "exception": "a check. Nothing was published"})
    (alert,) = sent
    assert alert.kind == "a gate says no" and "Nothing was published" in alert.text


def test_words_that_are_not_ours_do_not_leave_the_machine(alerts, sent) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from tessera.publish.postgres import NotServed

    for error, told in (
        (duckdb.ConversionException("Could not convert 'ada@example.com'"), "ConversionException"),
        (NotServed("nobody answers at db:5432"), "nobody answers at db:5432"),
        (AirflowFailException("3 checks do not hold"), "3 checks do not hold"),
    ):
        alerts.on_failure({"task_instance": TASK, "exception": error})
        assert told in sent[-1].text and "ada@" not in sent[-1].text


def test_a_late_run_is_told(alerts, sent) -> None:
    run = {"dag_id": "recluster_weekly", "dag_run_id": "scheduled__1"}
    alerts.late(8, {"dag_run": run, "deadline": {}})
    (alert,) = sent
    assert "has not ended 8 hours after it was queued" in alert.text
    assert "docs/runbooks/recluster_weekly.md" in alert.text


def test_airflow_calls_it_with_the_run_that_is_late(alerts, sent) -> None:
    import structlog
    from airflow.sdk.execution_time.callback_supervisor import execute_callback

    told = {"hours": 8, "context": {"dag_run": {"dag_id": "extract_crm", "dag_run_id": "manual"}}}
    done = execute_callback(
        "tessera_airflow.alerts.late", told, Path(), None, structlog.get_logger()
    )
    assert done == (True, None)
    assert sent[0].where == "extract_crm, run manual"


def test_runbooks_are_links_where_the_docs_are_served(
    alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_DOCS_SITE", "https://docs.example.com/")
    assert alerts.runbook("extract_crm") == "https://docs.example.com/runbooks/extract_crm/"


def test_words_of_exports_cannot_steer_a_message(alerts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_MAIL", json.dumps({"conn_type": "smtp", "extra": {"to": "a@example.com"}})
    )
    monkeypatch.setenv("AIRFLOW_CONN_CHAT", json.dumps({"conn_type": "slackwebhook"}))
    evil = "<img src=x> {{ 7 * 7 }} <!channel>"
    alert = alerts.Alert("failed", evil, "d.t\r\nBcc: x@example.com", "look", "docs")
    mail = alerts.notifier_of("MAIL", alert)
    assert "<img" not in mail.html_content and "{{ 7 * 7 }}" in mail.html_content
    assert "\n" not in mail.subject and "\r" not in mail.subject
    assert "<!channel>" not in alerts.notifier_of("CHAT", alert).text


def test_every_dag_has_a_deadline_that_alerts(dag_bag) -> None:
    from airflow.sdk import SyncCallback

    for dag in dag_bag.dags.values():
        (deadline,) = dag.deadline
        assert isinstance(deadline.callback, SyncCallback)
        assert deadline.callback.path == "tessera_airflow.alerts.late"
        assert 1 <= deadline.interval.total_seconds() / 3600 <= 24
