"""Tables kept up to date equal tables built at once, whatever came when and in which files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tessera import dbt, runs
from tessera.ingest.ledger import withdraw
from tessera.settings import Settings, load
from tessera.steps import Run, resolve_identity, run_step
from tessera.warehouse import open_warehouse
from tests.conftest import shared

ROOT = Path(__file__).resolve().parents[2]
BEGIN = datetime(2025, 6, 27, tzinfo=UTC)
# Within the events: some sessions end after it, some are cut by it.
AS_OF = date(2025, 7, 1)
RETAIL_AS_OF = date(2011, 12, 10)

Row = dict[str, str | None]


@dataclass(frozen=True)
class Load:
    """What one day brings: files that appear or are sent again, and files that are taken away."""

    files: dict[str, Sequence[Row]] = field(default_factory=dict)
    withdrawn: frozenset[str] = frozenset()


def moments() -> st.SearchStrategy[datetime]:
    """Four days to either side of the as-of date, often just under, at or over the session gap."""
    steps = st.sampled_from([0, 1, 29 * 60, 1799, 1800, 1801, 2000])
    return st.builds(
        lambda hours, seconds: BEGIN + timedelta(hours=hours, seconds=seconds),
        st.integers(0, 8 * 24).map(lambda hour: hour - hour % 12),
        st.lists(steps, max_size=4).map(sum),
    )


def events() -> st.SearchStrategy[Row]:
    """Web events of few devices and customers, under few event ids, so that they often collide."""
    return st.fixed_dictionaries(
        {
            "messageId": st.one_of(st.none(), st.integers(1, 25).map(lambda n: f"e{n}")),
            "type": st.just("track"),
            "event": st.sampled_from(["Product Viewed", "Product Added", "Order Completed"]),
            "anonymousId": st.sampled_from(["d1", "d2", "d3", None]),
            "userId": st.sampled_from([None, None, "c1", "c2"]),
            "timestamp": moments().map(datetime.isoformat),
        }
    )


def app_events() -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {
            "event_id": st.integers(1, 9).map(lambda n: f"a{n}"),
            "customer_id": st.sampled_from(["c1", "c2"]),
            "event_name": st.sampled_from(["open", "add_to_cart"]),
            "occurred_at": moments().map(datetime.isoformat),
        }
    )


def orders() -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {
            "order_id": st.integers(1, 6).map(str),
            "customer_id": st.sampled_from(["c1", "c2", ""]),
            "ordered_at": moments().map(datetime.isoformat),
            "updated_at": st.sampled_from(["", "2025-07-01", "2025-07-02"]),
            "status": st.sampled_from(["paid", "cancelled"]),
            "total_amount": st.integers(1, 99).map(str),
        }
    )


def order_lines() -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {
            "order_id": st.integers(1, 6).map(str),
            "line_id": st.sampled_from(["", "1", "2"]),
            "product_id": st.sampled_from(["p1", "p2"]),
            "quantity": st.integers(-1, 3).map(str),
            "unit_price": st.integers(0, 9).map(str),
        }
    )


FOLDERS = {"web": events, "app": app_events, "orders": orders, "lines": order_lines}


@st.composite
def histories(draw: st.DrawFn) -> list[Load]:
    """Two to four loads. A file's name says nothing about when it comes; a file that is sent again
    holds other rows than before, more of them; one that is taken away does not come again."""
    loads: list[Load] = []
    there: dict[str, Sequence[Row]] = {}
    gone: set[str] = set()
    for _ in range(draw(st.integers(2, 4))):
        files = {}
        for folder, rows in FOLDERS.items():
            number = draw(st.integers(1, 4))
            name = f"{folder}/{number}"
            new = draw(st.lists(rows(), min_size=1, max_size=10))
            if name not in gone:
                files[name] = [*new, *there.get(name, [])]
        there |= files
        withdrawn = draw(st.sets(st.sampled_from(sorted(there)), max_size=2)) if loads else set()
        gone |= withdrawn
        there = {name: rows for name, rows in there.items() if name not in gone}
        loads.append(Load(files, frozenset(withdrawn)))
    return loads


SETTINGS = """
[sources.orders]
kind = "orders"
files = "orders/*.jsonl"
[sources.orders.columns]
{orders}
[sources.lines]
kind = "order_lines"
files = "lines/*.jsonl"
[sources.lines.columns]
{lines}
[sources.web]
kind = "web_events"
files = "web/*.jsonl"
[sources.web.columns]
event_id = "messageId"
event_type = "type"
event_name = "event"
anonymous_id = "anonymousId"
customer_id = "userId"
occurred_at = "timestamp"
[sources.app]
kind = "app_events"
files = "app/*.jsonl"
[sources.app.columns]
{app}
"""


def _mapped(*columns: str) -> str:
    return "\n".join(f'{column} = "{column}"' for column in columns)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings with one data folder for all examples, so that dbt parses its project once."""
    folder = tmp_path_factory.mktemp("incremental")
    file = folder / "settings.toml"
    file.write_text(
        SETTINGS.format(
            orders=_mapped(
                "order_id", "customer_id", "ordered_at", "updated_at", "status", "total_amount"
            ),
            lines=_mapped("order_id", "line_id", "product_id", "quantity", "unit_price"),
            app=_mapped("event_id", "customer_id", "event_name", "occurred_at"),
        )
    )
    yield load(file).model_copy(update={"data_dir": folder / "data", "settle_seconds": 0})


def _empty(told: Settings) -> None:
    shutil.rmtree(told.inbox_dir, ignore_errors=True)
    shutil.rmtree(told.warehouse_file.parent, ignore_errors=True)


def _bring(told: Settings, day: Load) -> None:
    """Write the files, load them, take away what is withdrawn."""
    for name, rows in day.files.items():
        file = told.inbox_dir / f"{name}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        # No two files are equal: the same bytes under another name are not loaded again.
        file.write_text("".join(json.dumps({**row, "from": name}) + "\n" for row in rows))
    run_step("load_crm", told)
    run_step("load_clickstream", told)
    with open_warehouse(told.warehouse_file) as connection:
        for name in sorted(day.withdrawn):
            withdraw(connection, f"{name}.jsonl", runs.now())


def _build(told: Settings, as_of: date = AS_OF) -> None:
    dbt.build(told, "tag:staging", as_of, with_tests=False)
    resolve_identity(Run(told, as_of, ""))
    dbt.build(told, "tag:features", as_of, with_tests=False)


def _all_at_once(history: Sequence[Load]) -> Load:
    """The same in the end, on one day."""
    files: dict[str, Sequence[Row]] = {}
    for day in history:
        files |= day.files
    return Load(files, frozenset().union(*(day.withdrawn for day in history)))


def _differences(step_by_step: Path, at_once: Path) -> dict[str, list[tuple[object, ...]]]:
    """Rows that are not in both, by table; `_load_id`, the bookkeeping, is not compared."""
    found: dict[str, list[tuple[object, ...]]] = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{step_by_step}' as a (read_only)")
        connection.execute(f"attach '{at_once}' as b (read_only)")
        tables = connection.execute(
            "select schema_name, table_name, list_contains(list(column_name), '_load_id') "
            "from duckdb_columns() where database_name = 'a' and schema_name in "
            "('staging', 'intermediate', 'features', 'quarantine') group by all order by all"
        ).fetchall()
        assert len(tables) > 30
        for schema, table, has_load in tables:
            if schema == "quarantine" and table != "web_sessions":
                continue
            columns = "* exclude (_load_id)" if has_load else "*"
            a, b = (f"(select {columns} from {d}.{schema}.{table})" for d in "ab")
            rows = connection.execute(
                f"select 'only step by step', * from (from {a} except all from {b}) "
                f"union all select 'only at once', * from (from {b} except all from {a})"
            ).fetchall()
            if rows:
                found[f"{schema}.{table}"] = rows
    return found


def _keeps_up(told: Settings, history: Sequence[Load]) -> None:
    _empty(told)
    for day in history:
        _bring(told, day)
        _build(told)
    kept = told.data_dir / "step_by_step.duckdb"
    told.warehouse_file.replace(kept)
    _empty(told)
    _bring(told, _all_at_once(history))
    _build(told)
    assert _differences(kept, told.warehouse_file) == {}


UNHURRIED = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@settings(max_examples=1, derandomize=True, **UNHURRIED)
@given(history=histories())
def test_load_by_load_equals_at_once(told: Settings, history: list[Load]) -> None:
    _keeps_up(told, history)


@pytest.mark.long
@settings(max_examples=40, **UNHURRIED)
@given(history=histories())
def test_load_by_load_equals_at_once_at_length(told: Settings, history: list[Load]) -> None:
    _keeps_up(told, history)


@pytest.mark.long
def test_weekly_runs_of_online_retail_equal_one(tmp_path: Path) -> None:
    """A year of invoices, a week of files at a time."""
    files = sorted(shared("online-retail/by-day").glob("*.csv"))
    told = load(ROOT / "examples" / "online_retail" / "settings.toml")
    told = told.model_copy(update={"data_dir": tmp_path / "data", "settle_seconds": 0})
    told.inbox_dir.mkdir(parents=True)
    weeks = [list(days) for _, days in groupby(files, lambda file: _week(file.stem[-10:]))]
    assert len(weeks) == 53
    for days in weeks:
        for file in days:
            (told.inbox_dir / file.name).symlink_to(file)
        run_step("load_crm", told)
        _build(told, RETAIL_AS_OF)
    kept = told.data_dir / "week_by_week.duckdb"
    told.warehouse_file.replace(kept)
    run_step("load_crm", told)
    _build(told, RETAIL_AS_OF)
    assert _differences(kept, told.warehouse_file) == {}


def _week(day: str) -> tuple[int, int]:
    """Year and ISO week of YYYY-MM-DD."""
    return date.fromisoformat(day).isocalendar()[:2]
