"""`make run` on a demo company: the first run, the second, and the ones that must fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.conftest import Finished, make_run

HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
CONTENT = """
    select md5(string_agg(row::varchar, '|' order by row.customer_id)) from (
        select struct_pack(*columns(* exclude published_at)) as row from segments.customer_segments
    )
"""


@pytest.fixture(scope="module")
def first(small_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    data = tmp_path_factory.mktemp("first")
    shutil.copytree(small_demo, data / "inbox")
    done = make_run(data)
    assert done.code == 0, done.output
    return done


def test_every_task_has_its_line(first: Finished) -> None:
    lines = [line for line in first.output.splitlines() if line.startswith("✓")]
    assert len(lines) == 16, first.output
    assert "Traceback" not in first.output and "leaked" not in first.output


def test_every_customer_has_one_segment(first: Finished) -> None:
    (customers,) = first.query("select count(*) from features.customer_features")
    published = first.published(
        "select count(*), count(distinct customer_id), count(distinct as_of), "
        "count(published_at) = count(*), bool_and(segment_name is not null) "
        "from segments.customer_segments"
    )
    assert published == [(customers[0], customers[0], 1, True, True)]


def test_all_rows_are_accounted_for(first: Finished) -> None:
    unbalanced = "select * from ops.loads where rows_read <> rows_loaded + rows_quarantined"
    assert first.query(unbalanced) == []
    quarantined = "select count(*) > 0 from quarantine.rows where raw_row is not null"
    assert first.query(quarantined) == [(True,)]


def test_quality_page_and_data_docs_are_there(first: Finished) -> None:
    page = (first.data / "artifacts" / "quality" / "index.html").read_text(encoding="utf-8")
    assert "checks passed" in page
    made = {p.parent.name for p in (first.data / "artifacts" / "data_docs").glob("*/index.html")}
    assert made == {
        "check_crm",
        "check_clickstream",
        "check_social",
        "check_features",
        "check_segments",
    }
    assert all(f"../data_docs/{step}/index.html" in page for step in made)


def test_a_second_run_changes_nothing(first: Finished) -> None:
    before = first.published("select distinct published_at from segments.customer_segments")
    files = sorted((first.data / "published").iterdir())
    again = make_run(first.data)
    assert again.code == 0, again.output
    assert again.output.count("unchanged") == 13, again.output
    assert sorted((first.data / "published").iterdir()) == files
    assert first.published("select distinct published_at from segments.customer_segments") == before


def test_the_same_exports_and_day_give_the_same_tables(
    first: Finished, small_demo: Path, tmp_path: Path
) -> None:
    ((as_of,),) = first.published("select distinct as_of::varchar from segments.segment_profiles")
    shutil.copytree(small_demo, tmp_path / "inbox")
    other = make_run(tmp_path, AS_OF=as_of)
    assert other.code == 0, other.output
    assert other.published(CONTENT) == first.published(CONTENT)


def test_an_empty_inbox_with_no_demo_wanted(tmp_path: Path) -> None:
    done = make_run(tmp_path, "examples/online_retail/settings.toml")
    assert done.code != 0
    assert "no orders: nothing was loaded from **/*.csv" in done.output
    assert "extract_crm.load_crm" in done.output
    assert "run.log" in done.output and "Traceback" not in done.output


def test_a_second_writer_ends_the_run_with_a_sentence(first: Finished) -> None:
    file = first.data / "warehouse" / "tessera.duckdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        done = make_run(first.data)
    finally:
        holder.communicate(b"\n", timeout=10)
    assert done.code != 0
    assert f"another process holds the warehouse {file}" in done.output
    assert f"PID {holder.pid}" in done.output and "Traceback" not in done.output


def test_settings_that_cannot_be_used(tmp_path: Path) -> None:
    done = make_run(tmp_path, str(tmp_path / "nowhere.toml"))
    assert done.code != 0
    assert "settings file not found" in done.output and "Traceback" not in done.output
