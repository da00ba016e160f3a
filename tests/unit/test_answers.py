"""Questions to the published file, and what is refused."""

from __future__ import annotations

import io
import json
from pathlib import Path

import duckdb
import pytest
from rich.console import Console
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from tessera.answers import Format, NothingPublished, QueryRefused, answer
from tessera.warehouse import open_published, published_url

REFUSED = [
    "select * from read_text('/etc/hostname')",
    "select * from read_csv('/etc/hostname')",
    "select * from glob('/etc/*')",
    "from '/etc/hostname'",
    "copy segments.segment_profiles to '{folder}/out.csv'",
    "copy (select 1) to '/dev/stdout'",
    "export database '{folder}/out'",
    "attach '{folder}/other.duckdb'",
    "attach ':memory:' as other",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "set memory_limit = '64GB'",
    "reset memory_limit",
    "set lock_configuration = false",
    "create table segments.mine as select 1",
    "delete from segments.segment_profiles",
    "call enable_logging(storage_path = '{folder}/log')",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "in reach").mkdir()
    file = tmp_path / "in reach" / "segments-a.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema segments")
        connection.execute(
            "create table segments.segment_profiles as select 's1' as segment_id, "
            "'=cmd()' as segment_name, 1234.50::decimal(18, 4) as revenue"
        )
    with duckdb.connect(str(tmp_path / "other.duckdb")):
        pass
    return file


def ask(file: Path, query: str, form: Format = "table", width: int = 80) -> str:
    out, shown = io.BytesIO(), io.StringIO()
    answer(file, query, form, Console(file=shown, width=width), out)
    return out.getvalue().decode() or shown.getvalue()


def test_a_table_for_people(file: Path) -> None:
    shown = ask(file, "from segment_profiles")
    assert "segment_name" in shown and "=cmd()" in shown and "1234.5000" in shown


def test_a_wide_row_stands_upright(file: Path) -> None:
    lines = ask(file, "from segment_profiles", width=29).splitlines()
    assert any(line.split() == ["segment_id", "s1"] for line in lines)


def test_what_steers_a_terminal_is_not_shown_to_one(file: Path) -> None:
    assert "\x1b" not in ask(file, "select chr(27) || '[2J' as a, '[red]x' as b")
    assert "[red]x" in ask(file, "select '[red]x' as b")


def test_long_answers_are_cut_on_the_screen_and_nowhere_else(file: Path) -> None:
    assert "The first 100 rows" in ask(file, "from range(101)")
    assert len(ask(file, "from range(100001)", "csv").splitlines()) == 100_002
    assert len(ask(file, "from range(100001)", "json").splitlines()) == 100_001


def test_csv_and_json(file: Path) -> None:
    query = "from segments.segment_profiles"
    assert ask(file, query, "csv") == (
        '"segment_id","segment_name","revenue"\n"s1","\'=cmd()",1234.5000\n'
    )
    assert json.loads(ask(file, query, "json")) == {
        "segment_id": "s1", "segment_name": "=cmd()", "revenue": 1234.5
    }  # fmt: skip


@pytest.mark.parametrize("query", REFUSED)
def test_queries_read_the_published_tables_and_nothing_else(
    file: Path, tmp_path: Path, query: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    asked = query.format(folder=tmp_path)
    with pytest.raises(QueryRefused):
        ask(file, asked)
    with open_published(file) as connection, pytest.raises(duckdb.Error):
        connection.execute(asked)
    engine = create_engine(published_url(file))
    with engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text(asked.replace(":m", r"\:m")))
    engine.dispose()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_query_that_is_none_is_told_in_a_line(file: Path) -> None:
    with pytest.raises(QueryRefused, match="syntax error"):
        ask(file, "selekt 1")
    with pytest.raises(QueryRefused, match="gives no rows"):
        ask(file, "")


def test_before_the_first_run(tmp_path: Path) -> None:
    with pytest.raises(NothingPublished, match="make run"):
        ask(tmp_path / "segments.duckdb", "select 1")
