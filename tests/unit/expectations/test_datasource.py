"""What the DuckDB datasource mends: schemas, types, patterns, errors."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from expectations.checkpoint import run
from expectations.checks import CRITICAL, Check, Suite, has_rows, matches
from expectations.datasource import DescribeInspector, column_type, quoted, schema_of

TYPES = Check("Typed", CRITICAL, "ExpectColumnTypeToBe", {"column": "amount", "type_": "DECIMAL"})


@pytest.fixture
def odd_warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "odd.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute('CREATE SCHEMA raw; CREATE SCHEMA "Odd ""Schema"')
        connection.execute("CREATE TABLE main.things AS SELECT 1 AS other")
        connection.execute(
            "CREATE TABLE raw.things AS SELECT 'abc' AS word, 1.5::DECIMAL(18,4) AS amount, "
            "now() AS at, {'a': 1} AS pair, [1] AS list"
        )
        connection.execute('CREATE TABLE "Odd ""Schema"."A table" AS SELECT 1 AS "a ""b"')
    return path


def test_types_of_any_table_are_reported(odd_warehouse: Path) -> None:
    engine = schema_of(odd_warehouse, "raw").get_execution_engine()
    try:
        columns = DescribeInspector(engine).get_columns("things", "raw")
        odd = DescribeInspector(engine).get_columns("A table", 'Odd "Schema')
    finally:
        engine.close()
    assert {column["name"]: str(column["type"]) for column in columns} == {
        "word": "VARCHAR",
        "amount": "DECIMAL",
        "at": "TIMESTAMP WITH TIME ZONE",
        "pair": "STRUCT(a INTEGER)",
        "list": "INTEGER[]",
    }
    assert [column["name"] for column in odd] == ['a "b']


def test_the_schema_is_respected(odd_warehouse: Path) -> None:
    (result,) = run(odd_warehouse, [Suite("s", "raw.things", (TYPES,))])
    assert result.success, result.details


@pytest.mark.parametrize(("pattern", "success"), [("b", True), ("^b", False), ("^a.c$", True)])
def test_patterns_match_a_part_of_the_value(
    odd_warehouse: Path, pattern: str, success: bool
) -> None:
    (result,) = run(
        odd_warehouse, [Suite("s", "raw.things", (matches("word", pattern, "Pattern"),))]
    )
    assert result.success is success


def test_an_error_does_not_poison_the_connection(odd_warehouse: Path) -> None:
    engine = schema_of(odd_warehouse, "raw").get_execution_engine()
    try:
        with pytest.raises(sa.exc.DBAPIError):
            engine.execute_query(sa.text("SELECT nonsense"))
        assert engine.execute_query(sa.text("SELECT 7")).fetchall() == [(7,)]
    finally:
        engine.close()


def test_closing_twice_is_harmless(odd_warehouse: Path) -> None:
    engine = schema_of(odd_warehouse, "raw").get_execution_engine()
    engine.execute_query(sa.text("SELECT 7"))
    engine.close()
    engine.close()


def test_several_schemas_in_one_run(odd_warehouse: Path) -> None:
    suites = [
        Suite("a", "raw.things", (has_rows("Rows"),)),
        Suite("b", "main.things", (has_rows("Rows"),)),
    ]
    assert [result.success for result in run(odd_warehouse, suites)] == [True, True]


def test_names_are_quoted() -> None:
    assert quoted("raw", 'a"b') == '"raw"."a""b"'


def test_known_types_are_sqlalchemys_own() -> None:
    assert isinstance(column_type("DECIMAL(18,4)"), sa.types.DECIMAL)
    assert isinstance(column_type("TIMESTAMP"), sa.types.TIMESTAMP)
