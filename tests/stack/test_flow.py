"""From exports in the inbox to tables that BI tools read, by the live scheduler."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from tests.stack.compose import STAY_UP, Stack, wait
from tests.stack.conftest import EXTRACTS
from tests.stack.contents import contents

pytestmark = pytest.mark.stack


def of_type(stack: Stack, dag_id: str, kind: str) -> list[str]:
    """The ids of the runs of a DAG that were started in this way."""
    return [run["dag_run_id"] for run in stack.runs(dag_id) if run["run_type"] == kind]


def test_assets_of_the_loads_start_the_build(loaded: Stack) -> None:
    builds = loaded.runs("build_customer_360")
    assert {run["run_type"] for run in builds} == {"asset_triggered"}
    told = loaded.execute("scheduler", "tessera", "doctor")
    assert "loaded" in told


def test_the_schedules_of_the_loads_fire_by_themselves(loaded: Stack) -> None:
    for dag_id in EXTRACTS:
        due = wait(dag_id, lambda name=dag_id: of_type(loaded, name, "scheduled"))  # type: ignore[misc]
        assert len(due) == 1, "the day that is due, and none of the days before"
        loaded.finish(dag_id, due[0])


def test_a_weekly_run_publishes(published: Stack) -> None:
    told = published.execute("scheduler", "tessera", "segments")
    assert "customers" in told


@pytest.fixture(scope="module")
def tables(published: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The published file, as it lies in its volume."""
    folder = tmp_path_factory.mktemp("published")
    yield published.copy_out("/data/published/segments.duckdb", folder / "tables.duckdb")


def test_postgresql_serves_the_tables_of_the_file(published: Stack, tables: Path) -> None:
    names = sorted(contents(tables))
    assert "customer_segments" in names
    for name in names:
        with duckdb.connect(str(tables), read_only=True) as connection:
            rows = connection.execute(f'select count(*) from segments."{name}"').fetchall()[0][0]
        served = published.sql(f'select count(*) from segments."{name}"', "tessera_bi", "tessera")
        assert int(served) == rows, name


@pytest.mark.parametrize(
    "statement",
    [
        "create table segments.mine (a int)",
        "delete from segments.customer_segments",
        "drop table segments.customer_segments",
        "create schema mine",
        "copy segments.customer_segments to '/tmp/out'",
        "select pg_read_file('/etc/passwd')",
        "select * from pg_authid",
        "set role tessera_ops",
    ],
)
def test_tessera_bi_reads_segments_and_does_nothing_else(published: Stack, statement: str) -> None:
    read_write = f"begin; set transaction read write; {statement}; commit"
    with pytest.raises(subprocess.CalledProcessError) as refused:
        published.sql(read_write, "tessera_bi", "tessera")
    said = refused.value.stderr
    assert "permission denied" in said or "must be owner" in said, said


def test_no_schema_but_segments_is_open_to_tessera_bi(published: Stack) -> None:
    listed = published.sql(
        "select nspname from pg_namespace where has_schema_privilege(oid, 'usage') "
        "and nspname !~ '^pg_' and nspname <> 'information_schema' order by 1",
        "tessera_bi",
        "tessera",
    )
    assert listed.split() == ["segments"]


def test_tasks_never_ran_side_by_side_in_the_pool_of_the_warehouse(published: Stack) -> None:
    rows = published.sql(
        "select dag_id || '.' || task_id, start_date, end_date from task_instance "
        "where pool = 'warehouse' and start_date is not null order by start_date"
    )
    taken = [line.split("\t") for line in rows.splitlines()]
    assert len(taken) > 20
    for (name, _, end), (following, start, _) in pairwise(taken):
        assert datetime.fromisoformat(end) <= datetime.fromisoformat(start), (name, following)


def test_no_secret_is_in_logs_results_or_image(published: Stack) -> None:
    held = published.secrets()
    for service in STAY_UP:
        told = published.logs(service)
        assert told, service
        leaked = [name for name, value in held.items() if value in told]
        assert not leaked, f"the log of {service} tells {leaked}"
    folders = ("/opt/airflow/logs", "/opt/tessera", "/data/artifacts", "/data/published")
    search = 'grep --recursive --files-with-matches --fixed-strings --file=- "$@" || [ $? = 1 ]'
    told = "\n".join(held.values()) + "\n"
    found = published.execute("scheduler", "bash", "-c", search, "bash", *folders, told=told)
    assert found == "", found
    image = published.inspect("scheduler", "{{.Image}}")
    made = published.engine("history", "--no-trunc", image) + published.engine("inspect", image)
    assert not [name for name, value in held.items() if value in made]
