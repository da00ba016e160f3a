"""A run opens the file, checks it, lets go of it, and never takes an error for a success."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from expectations.checkpoint import run
from expectations.checks import CRITICAL, Check, Suite, has_rows, measure, never, present, within
from expectations.results import CheckResult

AS_OF = date(2026, 1, 1)
ORDERS = "raw.orders"
GOOD = has_rows("There are orders")
HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def check(warehouse: Path, *checks: Check, table: str = ORDERS) -> list[CheckResult]:
    return run(warehouse, [Suite("suite", table, checks)])


def elsewhere(code: str, warehouse: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, str(warehouse)], capture_output=True, text=True, check=False
    )


WRITE = "import sys, duckdb; duckdb.connect(sys.argv[1]).execute('CREATE TABLE proof (i INT)')"


def test_results_come_in_the_order_of_the_checks(good_warehouse: Path) -> None:
    broken = present("nowhere", "Broken")
    results = check(good_warehouse, GOOD, broken, present("order_id", "Numbered"))
    assert [result.title for result in results] == ["There are orders", "Broken", "Numbered"]


def test_a_result_says_what_was_checked_where(good_warehouse: Path) -> None:
    (result,) = check(good_warehouse, within("_line", "Early lines", high=100, severity="warning"))
    assert result == CheckResult(
        suite="suite",
        table_name=ORDERS,
        expectation="ExpectColumnValuesToBeBetween",
        title="Early lines",
        severity="warning",
        success=False,
        observed="not so in 300 of 400 rows (75 %)",
        details="allowed: at most 100; found: 101, 102, 103, 104, 105",
    )
    assert not result.stops_the_run


def test_another_process_can_write_at_once(warehouse: Path) -> None:
    check(warehouse, GOOD, present("nowhere", "Broken"))
    written = elsewhere(WRITE, warehouse)
    assert written.returncode == 0, written.stderr


def test_this_process_can_write_at_once(warehouse: Path) -> None:
    check(warehouse, GOOD, table="raw.nothing_here")
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("CREATE TABLE proof (i INT)")


def test_nothing_is_written_into_the_warehouse(warehouse: Path) -> None:
    before = warehouse.read_bytes()
    check(warehouse, GOOD)
    assert warehouse.read_bytes() == before
    assert [path.name for path in warehouse.parent.iterdir()] == [warehouse.name]


def test_the_file_is_released_when_the_run_raises(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from great_expectations import Checkpoint

    def fall_over(*_: object, **__: object) -> None:
        raise RuntimeError("the engine fell over")

    monkeypatch.setattr(Checkpoint, "run", fall_over)
    with pytest.raises(RuntimeError, match="fell over"):
        check(warehouse, GOOD)
    assert elsewhere(WRITE, warehouse).returncode == 0


def test_data_docs_are_built_and_repeated_in_place(good_warehouse: Path, tmp_path: Path) -> None:
    suites = [Suite("orders", ORDERS, (GOOD,)), Suite("refunds", "raw.refunds", (GOOD,))]
    run(good_warehouse, suites, tmp_path / "docs", AS_OF)
    pages = sorted((tmp_path / "docs").rglob("*.html"))
    run(good_warehouse, suites, tmp_path / "docs", AS_OF)
    assert (tmp_path / "docs" / "index.html").is_file()
    assert len([page for page in pages if "validations" in page.parts]) == 2
    assert sorted((tmp_path / "docs").rglob("*.html")) == pages
    assert any("There are orders" in page.read_text() for page in pages)


def test_data_docs_of_a_later_run_replace_those_of_an_earlier_one(
    good_warehouse: Path, tmp_path: Path
) -> None:
    for day in (AS_OF, date(2026, 1, 8)):
        run(good_warehouse, [Suite("orders", ORDERS, (GOOD,))], tmp_path, day)
    (page,) = (tmp_path / "validations").rglob("*.html")
    assert "as-of-2026-01-08" in page.parts


def test_no_data_docs_unless_asked(good_warehouse: Path, tmp_path: Path) -> None:
    check(good_warehouse, GOOD)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "broken",
    [
        present("nowhere", "Broken"),
        never("nowhere = 1", "Broken"),
        never("this is no SQL", "Broken"),
        measure("SELECT order_id FROM {batch} LIMIT 1", "Broken", severity=CRITICAL),
        measure("SELECT 1 FROM {batch} WHERE false", "Broken", severity=CRITICAL),
        measure("SELECT 1 FROM {nothing}", "Broken", severity=CRITICAL),
        Check("Broken", CRITICAL, "ExpectColumnValuesToBeJsonParseable", {"column": "status"}),
    ],
    ids=lambda check: str(dict(check.arguments)),
)
def test_what_cannot_be_checked_has_failed_alone(good_warehouse: Path, broken: Check) -> None:
    failed, passed = check(good_warehouse, broken, GOOD)
    assert failed.stops_the_run
    assert failed.observed == "could not be checked"
    assert failed.details
    assert "Traceback" not in failed.details
    assert passed.success


def test_an_engine_that_gives_up_is_no_success(
    good_warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Great Expectations logs such an error, and passes row-wise checks for want of figures."""
    from expectations.datasource import DuckDBExecutionEngine

    def give_up(*_: object, **__: object) -> None:
        raise OSError("disk gone")

    monkeypatch.setattr(DuckDBExecutionEngine, "resolve_metrics", give_up)
    results = check(
        good_warehouse, GOOD, present("order_id", "Numbered"), never("false", "Nothing")
    )
    assert [result.success for result in results] == [False, False, False]
    assert all(result.details for result in results)


def test_a_missing_table_fails_its_own_checks(good_warehouse: Path) -> None:
    gone, here = run(
        good_warehouse, [Suite("gone", "raw.gone", (GOOD,)), Suite("here", ORDERS, (GOOD,))]
    )
    assert (gone.observed, here.success) == ("table not readable", True)
    assert gone.stops_the_run
    assert "gone" in gone.details


def test_no_warehouse(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.duckdb"):
        check(tmp_path / "nowhere.duckdb", GOOD)
    assert list(tmp_path.iterdir()) == []


def test_no_suites(good_warehouse: Path) -> None:
    assert run(good_warehouse, []) == []


@pytest.fixture
def held(warehouse: Path) -> Iterator[Path]:
    """A warehouse that another process has open for writing."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    yield warehouse
    holder.communicate()


def test_a_locked_warehouse_is_said_to_be_locked(held: Path) -> None:
    from expectations.validation import WarehouseNotReadable

    with pytest.raises(WarehouseNotReadable, match=r"warehouse\.duckdb.*lock"):
        check(held, GOOD)


def test_a_warehouse_open_in_this_process(warehouse: Path) -> None:
    from expectations.validation import WarehouseNotReadable

    with (
        duckdb.connect(str(warehouse)),
        pytest.raises(WarehouseNotReadable, match="different configuration"),
    ):
        check(warehouse, GOOD)


def test_a_file_that_is_no_warehouse(tmp_path: Path) -> None:
    from expectations.validation import WarehouseNotReadable

    (tmp_path / "notes.duckdb").write_text("these are notes, not a database" * 1000)
    with pytest.raises(WarehouseNotReadable, match=r"notes\.duckdb"):
        check(tmp_path / "notes.duckdb", GOOD)


def test_a_run_is_quiet(
    good_warehouse: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("great_expectations")
    before = (logger.level, logger.propagate, list(logger.handlers))
    check(good_warehouse, GOOD, present("nowhere", "Broken"))
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert (logger.level, logger.propagate, list(logger.handlers)) == before


def test_declaring_suites_and_pages_imports_no_great_expectations() -> None:
    code = (
        "import sys, expectations.checkpoint, expectations.page, expectations.exports.suites, "
        "expectations.segments.published; sys.exit('great_expectations' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
