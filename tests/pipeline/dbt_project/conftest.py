"""How the tests of the dbt project make a warehouse and run dbt on it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pandas as pd
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from tessera import identities
from tessera.ingest.load import create_raw_tables
from tessera.privacy.key import VARIABLE
from tessera.privacy.pseudonym import pseudonym
from tessera.warehouse import SCHEMA

PROJECT = Path(__file__).parents[3] / "dbt_project"
KEY = "the key that the tests of the dbt project use"


def run(
    arguments: list[str],
    warehouse: Path,
    scratch: Path,
    as_of: str,
    variables: dict[str, Any] | None = None,
) -> Any:
    """Run dbt in this process on a warehouse; target and logs go to `scratch`. Frees the file."""
    told = json.dumps({"as_of": as_of, **(variables or {})})
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TESSERA_WAREHOUSE", str(warehouse))
        environment.setenv(VARIABLE, KEY)
        environment.setenv("DBT_TARGET_PATH", str(scratch / "target"))
        environment.setenv("DBT_LOG_PATH", str(scratch / "logs"))
        where = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
        result = dbtRunner().invoke(["--quiet", *arguments, *where, "--vars", told])
        DuckDBConnectionManager.close_all_connections()
    return result


def failures(result: Any) -> list[str]:
    """What went wrong in a dbt run, one line each."""
    if result.exception is not None:
        return [str(result.exception)]
    fine = {"success", "pass", "no-op"}
    return [f"{r.node.name}: {r.status} {r.message}" for r in result.result if r.status not in fine]


def build(warehouse: Path, scratch: Path, as_of: str, *told: str) -> list[str]:
    """Build staging, find who is whom, build the other floors; return what went wrong."""
    staging = run(["build", "--select", "tag:staging", *told], warehouse, scratch, as_of)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set timezone = 'UTC'")
        identities.resolve(connection, date.fromisoformat(as_of))
    floors = ["tag:features", "tag:segments"]
    rest = run(["build", "--select", *floors, *told], warehouse, scratch, as_of)
    return failures(staging) + failures(rest)


def new_warehouse(path: Path) -> duckdb.DuckDBPyConnection:
    """A warehouse file with the empty tables that dbt reads and does not make."""
    connection = duckdb.connect(str(path))
    connection.execute(SCHEMA)
    create_raw_tables(connection)
    return connection


def customer(exported_id: str) -> str:
    """The pseudonym of a customer in these tests."""
    return pseudonym(KEY, "customer", exported_id)


def fill_raw(
    connection: duckdb.DuckDBPyConnection, kind: str, rows: list[dict[str, Any]] | pd.DataFrame
) -> None:
    """Append rows to raw.<kind> as one load; columns that are not given are null."""
    frame = pd.DataFrame(rows)
    frame = frame.assign(
        _source="test", _file="test.csv", _load_id=1, _line=range(2, len(frame) + 2), _item=0
    )
    connection.register("rows_to_append", frame)
    connection.execute(f"insert into raw.{kind} by name select * from rows_to_append")
    connection.unregister("rows_to_append")


@pytest.fixture(scope="session")
def dbt() -> SimpleNamespace:
    """The functions above, as one object: a test folder has no packages to import from."""
    return SimpleNamespace(
        run=run,
        failures=failures,
        build=build,
        new_warehouse=new_warehouse,
        fill_raw=fill_raw,
        customer=customer,
    )
