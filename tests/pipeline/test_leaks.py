"""Nothing that is dated on the as-of date or after it changes a table of that date."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import duckdb
import pytest

from tessera import dbt
from tessera.settings import Settings, load
from tessera.steps import run_step
from tests.pipeline.histories import Told, history, settings_text, write

AS_OF = date(2025, 6, 1)
MIDNIGHT = datetime(2025, 6, 1, tzinfo=UTC)
LOADS = ("load_crm", "load_clickstream", "load_social")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings with one data folder for all histories, so that dbt parses its project once."""
    folder = tmp_path_factory.mktemp("leaks")
    (folder / "settings.toml").write_text(settings_text(), encoding="utf-8")
    settings = load(folder / "settings.toml")
    with pytest.MonkeyPatch.context() as patch:
        # What dbt's own tests say of such data is not the question here, and takes half the time.
        patch.setattr(dbt, "build", partial(dbt.build, with_tests=False))
        yield settings.model_copy(update={"data_dir": folder / "data", "settle_seconds": 0})


def _bring(told: Settings, rows: list[Told], name: str) -> None:
    write(told.inbox_dir, rows, name)
    for step in LOADS:
        run_step(step, told)


def _tables_of_the_day(told: Settings, kept: Path) -> dict[str, int]:
    """Copy what each table past staging says of the as-of date; return their rows.

    Not of `pipeline_…`: they tell how the machine fares, whatever the date.
    """
    with duckdb.connect(str(kept)) as connection:
        connection.execute(f"attach '{told.warehouse_file}' as w (read_only)")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_columns() where database_name = 'w' "
            "and schema_name in ('features', 'ml', 'segments') and column_name = 'as_of' "
            "and not starts_with(table_name, 'pipeline_') order by schema_name, table_name"
        ).fetchall()
        for schema, table in tables:
            connection.execute(
                f"create table {schema}_{table} as from w.{schema}.{table} where as_of = ?", [AS_OF]
            )
        return {
            f"{schema}_{table}": len(connection.table(f"{schema}_{table}"))
            for schema, table in tables
        }


def _differences(
    then: Path, now: Path, tables: dict[str, int]
) -> dict[str, list[tuple[object, ...]]]:
    """Rows that are not in both, by table."""
    found = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{then}' as a (read_only); attach '{now}' as b (read_only)")
        for table in tables:
            rows = connection.execute(
                f"select 'then', * from (from a.{table} except all from b.{table}) "
                f"union all select 'now', * from (from b.{table} except all from a.{table})"
            ).fetchall()
            if rows:
                found[table] = rows
    return found


def _nothing_leaks(told: Settings, rows: list[Told], last_step: str) -> None:
    for folder in (told.inbox_dir, told.warehouse_file.parent):
        shutil.rmtree(folder, ignore_errors=True)
    then, now = told.data_dir / "then.duckdb", told.data_dir / "now.duckdb"
    for file in (then, now):
        file.unlink(missing_ok=True)
    _bring(told, [row for row in rows if row.known_at < MIDNIGHT], "1-before")
    run_step(last_step, told, AS_OF)
    tables = _tables_of_the_day(told, then)
    assert tables["features_customer_features"] > 30
    _bring(told, [row for row in rows if row.known_at >= MIDNIGHT], "2-after")
    run_step(last_step, told, AS_OF)
    assert _tables_of_the_day(told, now) == tables
    assert _differences(then, now, tables) == {}


def test_no_feature_knows_what_happens_later(told: Settings) -> None:
    _nothing_leaks(told, history(seed=1), "assign_segments")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 8))
def test_no_table_knows_what_happens_later(told: Settings, seed: int) -> None:
    _nothing_leaks(told, history(seed, people=15 * seed), "build_segments")


@pytest.mark.long
@pytest.mark.parametrize("kind", ["posts", "follows", "profiles", "web_events", "order_lines"])
def test_a_source_that_begins_later_is_not_there_yet(told: Settings, kind: str) -> None:
    later = [row for row in history(seed=9) if row.kind != kind or row.known_at >= MIDNIGHT]
    _nothing_leaks(told, later, "build_segments")
