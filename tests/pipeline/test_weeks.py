"""Two weekly runs and a day between fits: segments keep their ids, and every move has its cause."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tessera import dbt
from tessera.settings import Settings, load
from tessera.steps import run_step

ROOT = Path(__file__).resolve().parents[2]
FIRST = date(2025, 12, 15)
SECOND = FIRST + timedelta(weeks=1)
LOADS = ("load_crm", "load_clickstream", "load_social")
TOLD = ("segment_lineage", "segment_migrations", "customer_segments", "segment_history",
        "fit_evidence", "model_gates")  # fmt: skip


def _ask(told: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(told.warehouse_file), read_only=True) as connection:
        return connection.execute(query).fetchall()


def _week(told: Settings, day: date, *, fit: bool = True) -> None:
    for step in ("fit_segments", "assign_segments", "build_segments")[0 if fit else 1 :]:
        run_step(step, told, day)


def _tables(told: Settings) -> dict[str, list[tuple[Any, ...]]]:
    return {name: _ask(told, f"from segments.{name} order by all") for name in TOLD}


@pytest.fixture(scope="module")
def told(small_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """After two weekly runs; what dbt's own tests say is asked elsewhere."""
    folder = tmp_path_factory.mktemp("weeks")
    shutil.copytree(small_demo, folder / "inbox")
    settings = load(ROOT / "settings.toml").model_copy(
        update={"data_dir": folder, "settle_seconds": 0}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt, "build", partial(dbt.build, with_tests=False))
        for step in LOADS:
            run_step(step, settings)
        for day in (FIRST, SECOND):
            _week(settings, day)
        yield settings


@pytest.mark.long
def test_segments_go_on_and_every_move_has_a_cause(told: Settings) -> None:
    born = {i for (i,) in _ask(told, f"select segment_id from segments.segment_lineage "
                                     f"where as_of = '{FIRST}' and event = 'born'")}  # fmt: skip
    assert len(born) >= 2
    again = _ask(
        told, f"select event, segment_id from segments.segment_lineage where as_of = '{SECOND}'"
    )
    assert again and all(segment in born for event, segment in again if event == "continued")
    moved = _ask(
        told,
        "select count(*) from ml.assignments as now join ml.assignments as before "
        f"using (customer_id) where now.as_of = '{SECOND}' and before.as_of = '{FIRST}' "
        "and now.segment_id <> before.segment_id",
    )
    counted = _ask(
        told,
        "select coalesce(sum(customers), 0) from segments.segment_migrations "
        "where from_segment_id <> 'new'",
    )
    assert moved == counted
    causes = {cause for (cause,) in _ask(told, "select cause from segments.segment_migrations")}
    assert causes <= {"new", "behaviour", "boundary"}, "nothing came late"


@pytest.mark.long
def test_a_second_run_gives_the_same_tables(told: Settings) -> None:
    before = _tables(told)
    _week(told, SECOND)
    assert _tables(told) == before


@pytest.mark.long
def test_a_day_later_the_champion_assigns_and_late_orders_are_corrections(told: Settings) -> None:
    files = sorted((told.inbox_dir / "shop").glob("orders*.csv"))
    orders = [row for file in files for row in csv.DictReader(file.open(encoding="utf-8"))]
    known = next(o for o in orders if o["customer_id"] and o["status"] == "completed")
    late = {**known, "created_at": "2025-12-01T10:00:00Z", "total_amount": "99999"}
    with (told.inbox_dir / "shop" / "orders-late.csv").open("w", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(known))
        writer.writeheader()
        writer.writerows({**late, "order_id": f"late-{number}"} for number in range(5))
    run_step("load_crm", told)
    _week(told, SECOND + timedelta(days=1), fit=False)
    summary = _ask(
        told,
        "select summary from ops.step_runs where step = 'restate_features' "
        "order by started_at desc limit 1",
    )
    assert "late rows in orders: 1 customers" in summary[0][0]
    ((day, then),) = _ask(told, "select as_of, previous_as_of from ml.restated_inputs group by all")
    assert (day, then) == (SECOND + timedelta(days=1), SECOND)
    fitted = "select count(*) from ml.fits where as_of > date '2025-12-22'"
    assert _ask(told, fitted) == [(0,)]
