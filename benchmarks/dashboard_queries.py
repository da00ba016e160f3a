"""The SQL that the dashboards' charts ask, from their files: much as Superset writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ASSETS = Path(__file__).resolve().parents[1] / "dashboards" / "assets"
PAGE_ROWS = 20


def queries(assets: Path = ASSETS) -> dict[str, str]:
    """Chart → SQL that both DuckDB and PostgreSQL take; a table in pages asks for its rows, too."""
    datasets = {d["uuid"]: d for d in map(_read, sorted((assets / "datasets").rglob("*.yaml")))}
    found: dict[str, str] = {}
    for file in sorted((assets / "charts").glob("*.yaml")):
        chart = _read(file)
        dataset = datasets[chart["dataset_uuid"]]
        found[file.stem] = _query(chart["params"], dataset)
        if chart["params"].get("server_pagination"):
            found[f"{file.stem} (rows)"] = (
                f"select count(*) from {_table(dataset)}{_where(chart['params'])}"
            )
    return found


def table_of(query: str) -> str:
    """The table that a query is about."""
    return query.split(" from segments.", 2)[1].split(maxsplit=1)[0]


def _query(told: dict[str, Any], dataset: dict[str, Any]) -> str:
    if told.get("query_mode") == "raw":
        order = [f"{c} {'asc' if up else 'desc'}" for c, up in map(json.loads, _order(told))]
        return (
            f"select {', '.join(told['all_columns'])} from {_table(dataset)}{_where(told)}"
            f"{' order by ' + ', '.join(order) if order else ''} limit {PAGE_ROWS}"
        )
    groups, metrics = list(_groups(told)), list(_metrics(told, dataset))
    selected = ", ".join(f"{sql} as c{n}" for n, sql in enumerate([*groups, *metrics]))
    grouped = f" group by {', '.join(groups)}" if groups else ""
    ordered = f" order by c{len(groups)} desc" if groups else ""
    limit = f" limit {told.get('row_limit') or 1000}"
    return f"select {selected} from {_table(dataset)}{_where(told)}{grouped}{ordered}{limit}"


def _order(told: dict[str, Any]) -> list[str]:
    return told.get("order_by_cols") or []


def _groups(told: dict[str, Any]) -> Iterator[str]:
    for key in ("x_axis", "groupby", "columns"):
        given = told.get(key) or []
        for column in given if isinstance(given, list) else [given]:
            yield column if isinstance(column, str) else column["sqlExpression"]


def _metrics(told: dict[str, Any], dataset: dict[str, Any]) -> Iterator[str]:
    saved = {m["metric_name"]: m["expression"] for m in dataset["metrics"]}
    for metric in [*([told["metric"]] if told.get("metric") else []), *told.get("metrics", [])]:
        yield saved[metric] if isinstance(metric, str) else metric["sqlExpression"]


def _where(told: dict[str, Any]) -> str:
    conditions = [f"({f['sqlExpression']})" for f in told.get("adhoc_filters") or []]
    return f" where {' and '.join(conditions)}" if conditions else ""


def _table(dataset: dict[str, Any]) -> str:
    return f"segments.{dataset['table_name']}"


def _read(file: Path) -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return told
