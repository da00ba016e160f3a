"""Ten weeks and a day, step by step; then the same from a backup by the scheduler, with kills."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.stack.compose import ENDED, Stack, wait
from tests.stack.conftest import FIRST_DAY, switch_on_without_the_run_that_is_due
from tests.stack.contents import contents

pytestmark = pytest.mark.stack
# STACK_WEEKS takes fewer, while tests are written.
COUNT = int(os.environ.get("STACK_WEEKS", "8"))
WEEKS = [f"{date.fromisoformat(FIRST_DAY) + timedelta(weeks=n + 1)}" for n in range(COUNT)]
NINTH, TENTH = "2025-12-22", "2025-12-29"
A_DAY_BETWEEN = "2025-12-31"

Contents = dict[str, str]


@dataclass(frozen=True)
class Undisturbed:
    """What the tables held after each part when nothing disturbed it, and the backup before."""

    archive: Path
    before: Contents
    eighth: Contents
    ninth: Contents
    tenth: Contents
    between: Contents


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weeks")


@pytest.fixture(scope="module")
def look(published: Stack, folder: Path) -> Callable[[], Contents]:
    """What is published now."""
    return lambda: contents(
        published.copy_out("/data/published/segments.duckdb", folder / "now.duckdb")
    )


@pytest.fixture(scope="module")
def undisturbed(published: Stack, folder: Path, look: Callable[[], Contents]) -> Undisturbed:
    """Ten weekly runs and a daily one, one after another, with no scheduler."""
    archive = folder / "backup.tar"
    before = look()
    published.make("backup", f"FILE={archive}")
    assert look() == before, "a backup changes nothing"
    published.wait_healthy("scheduler")
    found = []
    for days in (WEEKS, [NINTH], [TENTH]):
        for day in days:
            step_by_step(published, day, "fit_segments", "publish")
        found.append(look())
    step_by_step(published, A_DAY_BETWEEN, "publish")
    return Undisturbed(archive, before, *found, look())


def step_by_step(stack: Stack, day: str, *steps: str) -> None:
    """What a DAG does, without Airflow: a step makes what it needs before it."""
    for step in steps:
        stack.execute("scheduler", "tessera", "run", step, "--as-of", day)


# --- backup and restore ----------------------------------------------------------------------


def refused(stack: Stack, archive: Path) -> str:
    """What restore says of an archive that it does not take."""
    with pytest.raises(subprocess.CalledProcessError) as error:
        stack.make("restore", f"FILE={archive}", "YES=yes")
    return str(error.value.stderr)


def test_an_archive_that_is_damaged_or_none_of_ours_is_refused_and_nothing_changes(
    published: Stack, undisturbed: Undisturbed, folder: Path, look: Callable[[], Contents]
) -> None:
    running = published.container("scheduler")
    damaged = folder / "damaged.tar"
    bytes_of_it = bytearray(undisturbed.archive.read_bytes())
    bytes_of_it[len(bytes_of_it) // 2] ^= 0xFF
    damaged.write_bytes(bytes_of_it)
    assert "is damaged" in refused(published, damaged)
    (folder / "letter").write_text("to somebody")
    subprocess.run(["tar", "-cf", "other.tar", "letter"], cwd=folder, check=True)
    assert "is no archive of deploy/backup" in refused(published, folder / "other.tar")
    assert "is no archive of deploy/backup" in refused(published, folder / "letter")
    assert "there is no" in refused(published, folder / "nowhere.tar")
    assert published.container("scheduler") == running
    assert look() == undisturbed.between


def test_an_archive_of_another_key_of_pseudonyms_is_refused(
    published: Stack, undisturbed: Undisturbed, folder: Path
) -> None:
    shutil.copy(published.env_file, folder / ".env.other")
    text = (folder / ".env.other").read_text().splitlines()
    other = ["PSEUDONYM_KEY=" + "0" * 64 if x.startswith("PSEUDONYM_KEY=") else x for x in text]
    (folder / ".env.other").write_text("\n".join(other) + "\n")
    elsewhere = Stack(published.project, folder / ".env.other", settings=published.settings)
    assert "another PSEUDONYM_KEY" in refused(elsewhere, undisturbed.archive)


@pytest.fixture(scope="module")
def restored(published: Stack, undisturbed: Undisturbed) -> Stack:
    """The stack of the backup, on volumes made anew."""
    published.down()
    published.make("restore", f"FILE={undisturbed.archive}", "YES=yes")
    published.forget_login()
    published.up()
    return published


def test_what_was_kept_is_back(
    restored: Stack, undisturbed: Undisturbed, look: Callable[[], Contents]
) -> None:
    assert look() == undisturbed.before
    count = 'select count(*) from segments."customer_segments"'
    served = restored.sql(count, "tessera_bi", "tessera")
    assert f"{served.strip()} rows" in undisturbed.before["customer_segments"]
    ended = [run for run in restored.runs("recluster_weekly") if run["run_type"] == "manual"]
    assert [run["state"] for run in ended] == ["success"], "Airflow remembers its runs"
    with pytest.raises(subprocess.CalledProcessError):
        restored.sql("select 1", "tessera_bi", "airflow")


# --- the same again, disturbed ---------------------------------------------------------------


def test_a_backfill_of_eight_weeks_gives_the_tables_of_eight_weekly_runs(
    restored: Stack, undisturbed: Undisturbed, look: Callable[[], Contents]
) -> None:
    restored.execute(
        "scheduler", "airflow", "backfill", "create", "--dag-id", "recluster_weekly",
        "--from-date", WEEKS[0], "--to-date", f"{WEEKS[-1]}T23:00", "--max-active-runs", "1",
    )  # fmt: skip
    made = [r for r in restored.runs("recluster_weekly") if r["run_type"] == "backfill"]
    assert [run["run_after"][:10] for run in made] == WEEKS
    for run in made:
        restored.finish("recluster_weekly", run["dag_run_id"])
    assert look() == undisturbed.eighth


def while_running(stack: Stack, run_id: str, task: str, dag_id: str = "recluster_weekly") -> None:
    """Wait until a task is running."""

    def begun() -> str:
        state = stack.tasks(dag_id, run_id)[task]["state"]
        return state if state in ("running", *ENDED) else ""

    assert wait(f"{task} runs", begun, 1800, 0.3) == "running", stack.what_failed(dag_id, run_id)


def test_a_run_survives_sigkill_of_the_scheduler(
    restored: Stack, undisturbed: Undisturbed, look: Callable[[], Contents]
) -> None:
    run_id = restored.trigger("recluster_weekly", as_of=NINTH)
    while_running(restored, run_id, "fit_segments")
    restored.kill_main_process("scheduler")
    restored.finish("recluster_weekly", run_id)
    assert look() == undisturbed.ninth


def test_a_run_survives_sigkill_of_postgresql(
    restored: Stack, undisturbed: Undisturbed, look: Callable[[], Contents]
) -> None:
    run_id = restored.trigger("recluster_weekly", as_of=TENTH)
    while_running(restored, run_id, "build_segments")
    restored.kill_main_process("postgres")
    restored.forget_login()
    wait("the API is back", lambda: restored.runs("recluster_weekly"))
    restored.finish("recluster_weekly", run_id)
    assert look() == undisturbed.tenth


def test_an_upgrade_of_the_image_between_two_runs_changes_no_table(
    restored: Stack, undisturbed: Undisturbed, folder: Path, look: Callable[[], Contents]
) -> None:
    newer = folder / "newer"
    newer.mkdir()
    (newer / "newer.py").write_text('"""Code that the version before did not have."""\n')
    base, image = restored.settings.get("TESSERA_IMAGE", "tessera:local"), f"{restored.project}:two"
    (newer / "Dockerfile").write_text(f"FROM {base}\nCOPY newer.py /opt/tessera/tessera/newer.py\n")
    subprocess.run(["docker", "build", "-q", "-t", image, newer], check=True, capture_output=True)
    restored.settings["TESSERA_IMAGE"] = image
    restored.up()
    assert restored.inspect("scheduler", "{{.Config.Image}}") == image
    switch_on_without_the_run_that_is_due(restored, "assign_segments_daily")
    restored.run("assign_segments_daily", as_of=A_DAY_BETWEEN)
    assert look() == undisturbed.between


def test_after_an_outage_the_week_that_is_due_runs_once(restored: Stack) -> None:
    due = [r for r in restored.runs("recluster_weekly") if r["run_type"] == "scheduled"]
    for run in due:
        restored.ask("DELETE", f"/api/v2/dags/recluster_weekly/dagRuns/{run['dag_run_id']}")
    restored.compose("restart", "dag-processor")

    def scheduled() -> list[dict[str, Any]]:
        return [r for r in restored.runs("recluster_weekly") if r["run_type"] == "scheduled"]

    (run,) = wait("the schedule fires", scheduled)
    restored.finish("recluster_weekly", run["dag_run_id"])
    now = datetime.now(UTC)
    monday = now.date() - timedelta(days=now.weekday())
    assert run["run_after"][:10] in (f"{monday}", f"{monday - timedelta(weeks=1)}")
    assert len(scheduled()) == 1, "the weeks before are left to a backfill"
    told = restored.sql(
        "select max(as_of) from segments.customer_segments", "tessera_bi", "tessera"
    )
    assert told.strip() == run["run_after"][:10]
