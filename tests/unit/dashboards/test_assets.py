"""The dashboards' files agree with dbt and with one another."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import sqlglot
import yaml
from sqlglot import exp

from dashboards import datasets

ROOT = Path(__file__).resolve().parents[3]
ASSETS = ROOT / "dashboards" / "assets"
EXPOSURES = ROOT / "dbt_project" / "models" / "exposures.yml"


def read(folder: str) -> dict[str, dict[str, Any]]:
    return {p.stem: yaml.safe_load(p.read_text()) for p in sorted((ASSETS / folder).glob("*.yaml"))}


CHARTS, DATASETS, DASHBOARDS = read("charts"), read("datasets/Segments"), read("dashboards")
BY_ID = {told["uuid"]: name for name, told in DATASETS.items()}


def charts_of(dashboard: dict[str, Any]) -> list[str]:
    """The charts that stand on a dashboard, by the names of their files."""
    named = {told["uuid"]: name for name, told in CHARTS.items()}
    parts = [p for p in dashboard["position"].values() if isinstance(p, dict)]
    return [named[p["meta"]["uuid"]] for p in parts if p.get("type") == "CHART"]


def asked_of(params: dict[str, Any]) -> tuple[set[str], set[str], list[str]]:
    """The columns, the saved metrics and the SQL that a chart names."""
    columns, metrics, texts = set[str](), set[str](), list[str]()
    for one in _listed(params, "x_axis", "groupby", "all_columns"):
        columns.add(one) if isinstance(one, str) else texts.append(one["sqlExpression"])
    for one in _listed(params, "metric", "metrics"):
        metrics.add(one) if isinstance(one, str) else texts.append(one["sqlExpression"])
    columns |= {json.loads(order)[0] for order in params.get("order_by_cols", [])}
    columns |= set(params.get("column_config", {}))
    texts += [one["sqlExpression"] for one in params["adhoc_filters"]]
    return columns, metrics, texts


def _listed(params: dict[str, Any], *keys: str) -> list[Any]:
    given = [params[key] for key in keys if params.get(key)]
    return [one for value in given for one in (value if isinstance(value, list) else [value])]


def columns_in(text: str) -> set[str]:
    """The columns that an SQL expression names; those of a subquery are of its own table."""
    parsed = sqlglot.parse_one(text, dialect="duckdb")
    inside = {id(c) for query in parsed.find_all(exp.Select) for c in query.find_all(exp.Column)}
    return {column.name for column in parsed.find_all(exp.Column) if id(column) not in inside}


@pytest.fixture(scope="module")
def nodes() -> list[dict[str, Any]]:
    """The public tables, as dbt knows them now."""
    return datasets.public_nodes()


def test_datasets_are_what_dbt_says(nodes: list[dict[str, Any]]) -> None:
    assert {name: told for name, told in DATASETS.items()} == {
        node["name"]: datasets.dataset(node) for node in nodes
    }, "run `.venv/bin/python -m dashboards.datasets`"


@pytest.mark.parametrize("name", CHARTS)
def test_each_column_of_a_chart_is_in_the_contract(name: str) -> None:
    dataset = DATASETS[BY_ID[CHARTS[name]["dataset_uuid"]]]
    there = {column["column_name"] for column in dataset["columns"]}
    columns, metrics, texts = asked_of(CHARTS[name]["params"])
    assert columns <= there
    assert metrics <= {metric["metric_name"] for metric in dataset["metrics"]}
    for text in texts:
        assert columns_in(text) <= there, text


def test_each_metric_asks_columns_that_are_there() -> None:
    for name, dataset in DATASETS.items():
        there = {column["column_name"] for column in dataset["columns"]}
        for metric in dataset["metrics"]:
            assert columns_in(metric["expression"]) <= there, (name, metric)


def test_each_chart_stands_on_one_dashboard_and_says_what_it_shows() -> None:
    placed = [chart for told in DASHBOARDS.values() for chart in charts_of(told)]
    assert sorted(placed) == sorted(CHARTS)
    titles = [told["slice_name"] for told in CHARTS.values()]
    assert len(set(titles)) == len(titles)
    assert [name for name, told in CHARTS.items() if not told["description"]] == []
    assert {told["params"]["color_scheme"] for told in CHARTS.values()} == {"tessera"}


@pytest.mark.parametrize("slug", DASHBOARDS)
def test_each_dashboard_says_what_to_do_when_it_is_empty(slug: str) -> None:
    parts = [p for p in DASHBOARDS[slug]["position"].values() if isinstance(p, dict)]
    told = [p["meta"]["code"] for p in parts if p.get("type") == "MARKDOWN"]
    assert any("empty?" in text and "make run" in text for text in told)


def test_exposures_depend_on_what_the_dashboards_show() -> None:
    told = yaml.safe_load(EXPOSURES.read_text())["exposures"]
    depends = {
        exposure["url"].rstrip("/").rsplit("/", 1)[1]: sorted(
            re.findall(r"ref\('(\w+)'\)", " ".join(exposure["depends_on"]))
        )
        for exposure in told
    }
    assert depends == {
        slug: sorted({BY_ID[CHARTS[c]["dataset_uuid"]] for c in charts_of(dashboard)})
        for slug, dashboard in DASHBOARDS.items()
    }


def test_no_secret_and_no_password_is_in_the_files() -> None:
    config = (ROOT / "dashboards" / "superset_config.py").read_text()
    for name in ("SUPERSET_SECRET_KEY", "SUPERSET_META_URI"):
        assert f'os.environ["{name}"]' in config, f"{name} has a default"
    provision = (ROOT / "dashboards" / "provision").read_text()
    assert "SUPERSET_ADMIN_PASSWORD:?" in provision


def test_the_lock_names_no_registry_and_has_a_hash_for_all() -> None:
    lock = (ROOT / "dashboards" / "requirements.lock").read_text()
    assert "://" not in lock
    entries = re.split(r"\n(?=[a-z])", lock)
    assert [e.split()[0] for e in entries if "==" in e and "--hash" not in e] == []
