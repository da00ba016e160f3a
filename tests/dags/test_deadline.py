"""A live scheduler alerts on a run that is late, and ends it well all the same."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.dags import listening

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.long
PATIENCE = 300
DAG = """
from datetime import datetime, timedelta
from airflow.sdk import dag, task
from tessera_airflow.defaults import within

@dag(schedule="@once", start_date=datetime(2024, 1, 1), deadline=within(hours=0.001))
def slow_dag():
    @task(retries=9, retry_delay=timedelta(seconds=5))
    def sleep():
        import time
        time.sleep(25)
    sleep()

slow_dag()
"""


def test_a_late_run_is_told_and_ends(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "slow_dag.py").write_text(DAG)
    with listening.http() as (port, posts), airflow(tmp_path, port):
        heard = until(lambda: posts)
        assert heard, (tmp_path / "log").read_text()[-3000:]
        path, body = posts[0]
        ended = until(lambda: state(tmp_path) in ("success", "failed"))
    assert path == "/alerts" and body["kind"] == "late"
    assert body["where"].startswith("slow_dag, run scheduled__")
    assert "has not ended 0.001 hours after it was queued" in body["what"]
    assert ended and state(tmp_path) == "success"


def until(is_so) -> bool:
    patient_until = time.monotonic() + PATIENCE
    while time.monotonic() < patient_until:
        if is_so():
            return True
        time.sleep(1)
    return False


def state(home: Path) -> str:
    with closing(sqlite3.connect(home / "airflow.db", timeout=30)) as connection:
        row = connection.execute("select state from dag_run").fetchone()
    return row[0] if row else ""


@contextmanager
def airflow(home: Path, hook: int) -> Iterator[None]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TESSERA_", "AIRFLOW"))}
    environment = {
        **inherited,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        "TESSERA_ALERTS": "ops_hook",
        "AIRFLOW_CONN_OPS_HOOK": json.dumps(
            {"conn_type": "http", "host": f"http://127.0.0.1:{hook}/alerts"}
        ),
    }
    with (home / "log").open("w") as log:
        running = subprocess.Popen(
            ["airflow", "standalone"],
            cwd=home, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            yield
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                running.wait(30)
            with suppress(ProcessLookupError):  # a service may outlive the one that started it
                os.killpg(running.pid, signal.SIGKILL)
            running.wait(10)
