"""dbt, run inside this process: one invocation a floor."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from tessera import runs
from tessera.privacy.key import VARIABLE
from tessera.settings import Settings

PROJECT_DIR = Path(__file__).resolve().parents[1] / "dbt_project"


class DbtFailed(RuntimeError):
    """dbt built nothing, or a dbt model or test failed; the message names them."""


def build(
    settings: Settings,
    select: str,
    as_of: date,
    *,
    with_tests: bool = True,
    people_as_of: date | None = None,
) -> str:
    """Build and test the dbt models of a selection, such as `tag:features`; say what was done.

    `people_as_of`: the day whose run found who is whom, when it is not `as_of`.
    Tables that are kept up to date are built anew when their definitions changed since the
    selection's last build. The warehouse must be closed in this process; dbt opens it itself and
    gives it back. Raises DbtFailed, and KeyRefused for a key of pseudonyms that is not the
    warehouse's.
    """
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA

    meanings = {
        "crawlers": [entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA],
        "rates": {currency: str(rate) for currency, rate in settings.rates.items()},
        "analytics_consent": settings.privacy.analytics,
        **settings.features.model_dump(),
    }
    definitions = _hash_of_definitions(meanings)
    days = {"as_of": as_of.isoformat(), "people_as_of": (people_as_of or as_of).isoformat()}
    variables = {**days, **meanings, **_questions(settings)}
    told = ["--select", select, "--vars", json.dumps(variables)]
    if _last_definitions(settings, select) != definitions:
        told.append("--full-refresh")
    # Unit tests check the code, not the data: tests/pipeline/dbt_project runs them.
    left_out = ["unit_test"] if with_tests else ["unit_test", "test"]
    for kind in left_out:
        told += ["--exclude-resource-type", kind]
    done = _invoke(settings, ["build", *told], _pseudonym_key(settings))
    with runs.open_run_warehouse(settings) as connection:
        _record(connection, select, definitions, done)
    return _told(done)


def tables(connection: duckdb.DuckDBPyConnection, select: str, schema: str) -> list[str]:
    """The tables of a schema that the last build of a selection made, by name."""
    rows = connection.execute(
        "select table_name from ops.dbt_tables "
        "where selection = ? and schema_name = ? order by table_name",
        [select, schema],
    ).fetchall()
    return [name for (name,) in rows]


def _record(
    connection: duckdb.DuckDBPyConnection, select: str, definitions: str, nodes: list[Any]
) -> None:
    """What a build was of and which tables it made: a dbt model that is gone leaves its table."""
    made = [n.node for n in nodes if n.node.resource_type == "model"]
    connection.execute("insert or replace into ops.dbt_builds values (?, ?)", [select, definitions])
    connection.execute("delete from ops.dbt_tables where selection = ?", [select])
    for node in made:
        connection.execute(
            "insert into ops.dbt_tables values (?, ?, ?)", [select, node.schema, node.alias]
        )


def _questions(settings: Settings) -> dict[str, Any]:
    """What analysts ask: no table that is kept up to date depends on it."""
    told = settings.journeys.model_dump()
    buy_later_days = told.pop("buy_later_days")
    return {
        **{f"journey_{name}": value for name, value in told.items()},
        **{f"lifecycle_{n}": value for n, value in settings.lifecycle.model_dump().items()},
        "buy_later_days": buy_later_days,
        "funnels": {name: funnel.model_dump() for name, funnel in settings.funnels.items()},
        "events": {name: event.model_dump(mode="json") for name, event in settings.events.items()},
    }


def _hash_of_definitions(meanings: Mapping[str, Any]) -> str:
    """Of what the tables mean: the dbt project and the settings that it reads."""
    told = runs.code_version(("dbt_project",)) + json.dumps(meanings, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def _last_definitions(settings: Settings, select: str) -> str | None:
    with runs.open_run_warehouse(settings) as connection:
        row = connection.execute(
            "select definitions from ops.dbt_builds where selection = ?", [select]
        ).fetchone()
    return row[0] if row else None


def manifest(settings: Settings) -> dict[str, Any]:
    """Parse the project, without a warehouse; return what dbt knows of it."""
    _invoke(settings, ["parse", "--vars", json.dumps({"as_of": "2000-01-01"})])
    file = settings.artifacts_dir / "dbt" / "target" / "manifest.json"
    parsed: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return parsed


def docs(settings: Settings, as_of: date) -> Path:
    """Write the dbt docs as one HTML file; return its path."""
    variables = json.dumps({"as_of": as_of.isoformat()})
    arguments = ["docs", "generate", "--static", "--vars", variables]
    _invoke(settings, arguments, _pseudonym_key(settings))
    return settings.artifacts_dir / "dbt" / "target" / "static_index.html"


def _invoke(settings: Settings, arguments: list[str], key: str = "") -> list[Any]:
    """Run dbt; return what became of each node. Raises DbtFailed."""
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    artifacts = settings.artifacts_dir / "dbt"
    artifacts.mkdir(parents=True, exist_ok=True)
    places = ["--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)]
    quiet = ["--quiet", "--no-use-colors", "--log-level-file", "info"]
    with _environment(settings, artifacts, key):
        try:
            result = dbtRunner().invoke([*arguments, *places, *quiet])
        finally:
            _release_warehouse()
            reset_adapters()
    nodes = list(getattr(result.result, "results", None) or [])
    failed = [n for n in nodes if n.status in ("error", "fail", "runtime error")]
    if failed:
        shown = "; ".join(f"{n.node.name}: {_one_line(n.message)}" for n in failed[:5])
        more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
        raise DbtFailed(f"{shown}{more}. Log: {artifacts / 'logs' / 'dbt.log'}")
    if not result.success:
        raise DbtFailed(f"dbt {arguments[0]}: {result.exception}")
    return nodes


def _pseudonym_key(settings: Settings) -> str:
    with runs.open_run_warehouse(settings) as warehouse:
        return runs.pseudonym_key(warehouse, settings)


def _told(nodes: list[Any]) -> str:
    built = sum(n.node.resource_type == "model" for n in nodes)
    tested = sum(n.node.resource_type == "test" for n in nodes)
    warned = [n.node.name for n in nodes if n.status == "warn"]
    told = f"{built} dbt models, {tested} tests"
    return f"{told}, warnings: {', '.join(warned)}" if warned else told


def _one_line(message: str | None) -> str:
    return " ".join((message or "no message").split())[:300]


@contextmanager
def _environment(settings: Settings, artifacts: Path, key: str) -> Iterator[None]:
    """What profiles.yml reads; put back afterwards."""
    values = {
        "TESSERA_WAREHOUSE": str(settings.warehouse_file),
        "TESSERA_THREADS": str(settings.warehouse.threads),
        VARIABLE: key,
        "TESSERA_MEMORY_LIMIT": settings.warehouse.memory_limit,
        "DBT_TARGET_PATH": str((artifacts / "target").resolve()),
        "DBT_LOG_PATH": str((artifacts / "logs").resolve()),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _release_warehouse() -> None:
    # dbt-duckdb keeps the file open for the life of the process, and with it the lock.
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()
