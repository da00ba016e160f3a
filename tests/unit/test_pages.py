from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tessera import pages
from tessera.charts.shown import NothingToDraw, Shown

NODE = {
    "resource_type": "model",
    "schema": "segments",
    "name": "visits",
    "alias": "visits",
    "unique_id": "model.visits",
    "description": "Who came. Since when.\nOne row per customer and day.",
    "columns": {"day": {"name": "day", "data_type": "date", "description": "UTC | noon"}},
}
KEY = {
    "resource_type": "test",
    "attached_node": "model.visits",
    "test_metadata": {"name": "key", "kwargs": {"columns": ["customer_id", "day"]}},
}
MANIFEST = {"nodes": {"a": NODE, "b": KEY, "c": {**NODE, "schema": "staging", "alias": "hidden"}}}


def nothing(_: duckdb.DuckDBPyConnection) -> None:
    raise NothingToDraw("nobody <came>")


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> duckdb.DuckDBPyConnection:
    shown = {"visits": Shown(nothing, "select day, null as x from segments.visits")}  # type: ignore[arg-type]
    monkeypatch.setattr(pages, "shown", lambda: shown)
    connection = duckdb.connect()
    connection.execute("create schema segments")
    connection.execute("create table segments.visits as select date '2025-01-31' as day")
    return connection


def test_a_page_has_the_contract_the_key_the_query_and_its_output(
    visits: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    outputs = pages.show(MANIFEST, {"segments": visits}, tmp_path / "pictures")
    written = pages.pages(MANIFEST, outputs)
    page = written["tables/visits.md"]
    assert "Who came. Since when.\n" in page
    assert "`segments.visits`: one row per customer and day. Key: `customer_id`, `day`." in page
    assert "```sql\nselect day, null as x from segments.visits\n```" in page
    assert "| 2025-01-31 | – |" in page
    assert "| `day` | date | UTC \\| noon |" in page
    assert set(written) == {"tables.md", "tables/visits.md", "tables/about.md"}
    assert (
        "| [visits](tables/visits.md) | Who came. Since when. | One row per" in written["tables.md"]
    )


def test_a_version_of_a_table_says_which_it_is_and_until_when() -> None:
    old = {**NODE, "version": 1, "latest_version": 2, "deprecation_date": "2026-06-30T00:00:00"}
    new = {**NODE, "version": 2, "latest_version": 2, "alias": "visits_v2", "unique_id": "b"}
    written = pages.pages({"nodes": {"a": old, "b": new}}, {})
    until = "Version 1 of `visits`. The newest is version 2. It goes away on 2026-06-30.\n"
    assert until in written["tables/visits.md"]
    assert "Version 2 of `visits`.\n" in written["tables/visits_v2.md"]


def test_a_table_without_rows_says_so_in_its_picture(
    visits: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    pages.show(MANIFEST, {"segments": visits}, tmp_path)
    assert "nobody &lt;came&gt;" in (tmp_path / "visits.svg").read_text()


def test_outputs_are_found_again_in_the_pages(
    visits: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    outputs = pages.show(MANIFEST, {"segments": visits}, tmp_path / "pictures")
    (tmp_path / "tables").mkdir()
    for name, text in pages.pages(MANIFEST, outputs).items():
        (tmp_path / name).write_text(text)
    assert pages.outputs_of(tmp_path) == outputs


def test_numbers_stand_to_the_right() -> None:
    told = pages.output(duckdb.connect(), "select 'a' as name, 12345.5 as spent, true as yes")
    assert told == "| name | spent | yes |\n| ---|---:|--- |\n| a | 12,345.5 | True |\n"


def test_angle_brackets_are_text() -> None:
    assert pages.one_line("has_<source>, `a<b>`\n a | b") == "has_&lt;source>, `a<b>` a \\| b"
