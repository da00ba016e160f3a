from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from tessera import cli, lineage, loads, runs, settings, steps
from tessera.warehouse import SCHEMA, open_warehouse

# What operators and identity keep from run to run, and is written where it is made.
KEPT = {"ml.model_words"}
STARTED = datetime(2026, 1, 5, 3)


@pytest.fixture
def connection(tmp_path: Path):
    with open_warehouse(tmp_path / "w.duckdb") as opened:
        yield opened


def test_every_step_says_what_it_reads() -> None:
    assert set(lineage.READS) == set(steps.STEPS)
    assert set(lineage.WRITES) <= set(steps.STEPS)


def test_every_table_that_python_writes_has_one_step_that_writes_it() -> None:
    made = set(re.findall(r"create table if not exists ((?:ml|enriched)\.\w+)", SCHEMA))
    written = [
        name
        for names in lineage.WRITES.values()
        for name in names
        if name.startswith(("ml.", "enriched."))
    ]
    assert sorted(set(written)) == sorted(written)
    assert made - set(written) <= KEPT
    assert set(written) <= made


def test_rows_are_counted_whatever_the_names(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema segments")
    connection.execute("""create table segments."a""b'; drop table ops.loads" as from range(3)""")
    connection.execute("create view segments.seen as from range(9)")
    rows = lineage.record(connection, "build_segments", STARTED)
    assert rows == {"segments.a\"b'; drop table ops.loads": 3}
    assert connection.execute("select count(*) from ops.loads").fetchone() == (0,)
    kept = connection.execute("select step, started_at, row_count from ops.step_tables").fetchall()
    assert kept == [("build_segments", STARTED, 3)]


def test_a_step_that_writes_no_table_has_no_rows(connection: duckdb.DuckDBPyConnection) -> None:
    assert lineage.record(connection, "publish", STARTED) == {}
    assert lineage.read_by(connection, "load_crm") == ("inbox",)


def test_a_step_tells_json_to_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_step(name, told, as_of, tell):
        tell(lineage.Ended(name, date(2026, 1, 5), 1.5, "done", ("inbox",), {"raw.orders": 3}))
        return "done"

    monkeypatch.setattr(steps, "run_step", run_step)
    done = CliRunner().invoke(cli.app, ["run", "load_crm", "--json"])
    assert json.loads(done.stdout) == {
        "step": "load_crm", "as_of": "2026-01-05", "seconds": 1.5, "summary": "done",
        "read": ["inbox"], "rows": {"raw.orders": 3},
    }  # fmt: skip


def test_exports_that_stop_coming_are_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = settings.load().model_copy(update={"data_dir": tmp_path, "inbox": None})
    inbox = told.inbox_dir
    assert told.stale_after_days == 8
    with open_warehouse(told.warehouse_file) as opened:
        opened.execute(
            "insert into ops.loads (load_id, source, kind, rows_loaded, status, loaded_at) "
            "values (1, 'orders', 'orders', 1, 'loaded', ?)",
            [runs.now() - timedelta(days=9, hours=1)],
        )
    inbox.mkdir(parents=True, exist_ok=True)
    summary = loads.load_group(told, "crm", lambda name: "")
    assert summary.startswith("warning: nothing new has come for 9 days from ")
    monkeypatch.setattr(runs, "now", lambda: datetime(2000, 1, 1))
    summary = loads.load_group(told, "crm", lambda name: "")
    assert "nothing new" not in summary
    assert summary.startswith("warning: the clock says 2000-01-01 00:00, but a load before was at ")
