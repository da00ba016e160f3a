"""`make run` on a demo company: the first run, the second, and the ones that must fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tessera.steps import LOADS, STEPS
from tests.pipeline.conftest import Finished, make_run, tessera

HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
CONTENT = """
    select md5(string_agg(row::varchar, '|' order by row.customer_id)) from (
        select struct_pack(*columns(* exclude published_at)) as row from segments.customer_segments
    )
"""


def test_every_task_has_its_line(demo_run: Finished) -> None:
    lines = [line for line in demo_run.output.splitlines() if line.startswith("✓")]
    assert {line.split("·")[1].split()[0] for line in lines} == set(STEPS), demo_run.output
    assert "Traceback" not in demo_run.output and "leaked" not in demo_run.output


def test_every_customer_has_one_segment(demo_run: Finished) -> None:
    (customers,) = demo_run.query("select count(*) from features.customer_features")
    published = demo_run.published(
        "select count(*), count(distinct customer_id), count(distinct as_of), "
        "count(published_at) = count(*), bool_and(segment_name is not null) "
        "from segments.customer_segments"
    )
    assert published == [(customers[0], customers[0], 1, True, True)]


def test_all_rows_are_accounted_for(demo_run: Finished) -> None:
    rows = "rows_loaded + rows_quarantined + rows_already_there"
    unbalanced = f"select * from ops.loads where rows_read <> {rows}"
    assert demo_run.query(unbalanced) == []
    quarantined = "select count(*) > 0 from quarantine.rows where raw_row is not null"
    assert demo_run.query(quarantined) == [(True,)]


def test_quality_page_and_data_docs_are_there(demo_run: Finished) -> None:
    page = (demo_run.data / "artifacts" / "quality" / "index.html").read_text(encoding="utf-8")
    assert "checks passed" in page
    made = {p.parent.name for p in (demo_run.data / "artifacts" / "data_docs").glob("*/index.html")}
    assert made == {
        "check_crm",
        "check_clickstream",
        "check_social",
        "check_features",
        "check_segments",
    }
    assert all(f"../data_docs/{step}/index.html" in page for step in made)


def test_the_report_opens_and_tells_of_this_run(demo_run: Finished) -> None:
    page = (demo_run.data / "published" / "report.html").read_text(encoding="utf-8")
    ((as_of,),) = demo_run.published("select distinct as_of::varchar from segments.fit_scorecards")
    assert f'As of <time datetime="{as_of}">' in page and "http" not in page
    ((segments,),) = demo_run.published("select list(segment_name) from segments.segment_profiles")
    assert all(f"{name}</h3>" in page for name in segments)
    assert page.count("<svg") >= 8 and len(page) < 5_000_000
    ids = demo_run.published("select customer_id from segments.customer_segments")
    assert not [name for (name,) in ids if name in page], "nobody is in it, not under a pseudonym"


def test_a_second_run_changes_nothing(demo_run: Finished) -> None:
    before = demo_run.published("select distinct published_at from segments.customer_segments")
    files = sorted((demo_run.data / "published").iterdir())
    again = make_run(demo_run.data)
    assert again.code == 0, again.output
    told = [line for line in again.output.splitlines() if line.startswith("✓")]
    idle = ("unchanged", "off: TESSERA_SERVING_URL is not set")
    changed = [line for line in told if not line.endswith(idle)]
    assert len(changed) == len(LOADS), again.output
    assert sorted((demo_run.data / "published").iterdir()) == files
    assert (
        demo_run.published("select distinct published_at from segments.customer_segments") == before
    )


def test_the_same_exports_and_day_give_the_same_tables(
    demo_run: Finished, small_demo: Path, tmp_path: Path
) -> None:
    ((as_of,),) = demo_run.published(
        "select distinct as_of::varchar from segments.segment_profiles"
    )
    shutil.copytree(small_demo, tmp_path / "inbox")
    shutil.copy(demo_run.data / "pseudonym.key", tmp_path)
    other = make_run(tmp_path, AS_OF=as_of)
    assert other.code == 0, other.output
    assert other.published(CONTENT) == demo_run.published(CONTENT)


def test_a_gate_that_says_no_leaves_what_was_published(demo_run: Finished, tmp_path: Path) -> None:
    """More than 1 % of refunds that give nothing back are critical at the door."""
    shutil.copytree(demo_run.data, tmp_path / "data", symlinks=True)
    order = demo_run.query("select min(order_id) from raw.orders")[0][0]
    bad = "".join(f"R-bad-{i},{order},2025-12-01T10:00:00Z,-5.00,typo\n" for i in range(500))
    (tmp_path / "data" / "inbox" / "shop" / "refunds-bad.csv").write_text(
        "refund_id,order_id,refunded_at,amount,reason\n" + bad
    )
    done = make_run(tmp_path / "data")
    assert done.code != 0
    assert "Failed: extract_crm.check_crm" in done.output and "Nothing was published" in done.output
    assert "docs/runbooks/extract_crm.md" in done.output and "Traceback" not in done.output
    assert done.published(CONTENT) == demo_run.published(CONTENT)
    page = (tmp_path / "data" / "artifacts" / "quality" / "index.html").read_text(encoding="utf-8")
    assert "nothing is published" in page
    forced = tessera(tmp_path / "data", "run", "publish")
    assert forced.returncode == 1 and "a gate says no" in forced.stderr

    withdrawn = tessera(tmp_path / "data", "withdraw", "shop/refunds-bad.csv")
    assert withdrawn.stdout == "shop/refunds-bad.csv: 500 rows withdrawn\n"
    for step in ("check_crm", "publish"):
        again = tessera(tmp_path / "data", "run", step)
        assert again.returncode == 0, again.stderr
    assert done.published(CONTENT) == demo_run.published(CONTENT)


def test_a_day_before_the_first_order(demo_run: Finished, tmp_path: Path) -> None:
    shutil.copytree(demo_run.data, tmp_path / "data", symlinks=True)
    done = make_run(tmp_path / "data", AS_OF="2001-01-01")
    assert done.code != 0
    assert "check_features" in done.output and "Traceback" not in done.output
    assert done.published(CONTENT) == demo_run.published(CONTENT)


def test_an_empty_inbox_with_no_demo_wanted(tmp_path: Path) -> None:
    done = make_run(tmp_path, "examples/online_retail/settings.toml")
    assert done.code != 0
    assert "no orders: nothing was loaded from **/*.csv" in done.output
    assert "extract_crm.load_crm" in done.output
    assert "run.log" in done.output and "Traceback" not in done.output


def test_a_second_writer_ends_the_run_with_a_sentence(demo_run: Finished) -> None:
    file = demo_run.data / "warehouse" / "tessera.duckdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        done = make_run(demo_run.data)
    finally:
        holder.communicate(b"\n", timeout=10)
    assert done.code != 0
    assert f"another process holds the warehouse {file}" in done.output
    assert f"PID {holder.pid}" in done.output and "Traceback" not in done.output


def test_settings_that_cannot_be_used(tmp_path: Path) -> None:
    done = make_run(tmp_path, str(tmp_path / "nowhere.toml"))
    assert done.code != 0
    assert "settings file not found" in done.output and "Traceback" not in done.output
