"""The dashboards' datasets, from what dbt knows of the public tables.

`python -m dashboards.datasets` writes them. Descriptions of tables and columns are dbt's; a metric
is an entry of the dbt model's `config.meta.metrics`, by name: label, expression, format,
description. A test compares the files with what this writes, so that nothing is copied by hand.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import yaml

ASSETS = Path(__file__).resolve().parent / "assets"
FOLDER = ASSETS / "datasets" / "Segments"
# Names become ids, so that each import finds what it made before.
SPACE = UUID("5e9a0000-0000-4000-8000-000000000000")
GENERATED = "# Generated from dbt by `python -m dashboards.datasets`.\n"
PUBLISHED_AT = {
    "name": "published_at",
    "data_type": "timestamp",
    "description": "When the tables were published, UTC.",
}
TIMES = ("date", "timestamp")


def uuid_of(kind: str, name: str) -> str:
    """The id of a dataset, chart or dashboard of this name."""
    return str(uuid5(SPACE, f"{kind}/{name}"))


def public_nodes() -> list[dict[str, Any]]:
    """What dbt knows of each table of schema `segments`, and `segments.about`."""
    from tessera import dbt, settings
    from tessera.publish import about

    with tempfile.TemporaryDirectory() as scratch:
        told = settings.load(ASSETS.parents[1] / "settings.toml")
        manifest = dbt.manifest(told.model_copy(update={"data_dir": Path(scratch)}))
    nodes = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "segments"
    ]
    return sorted([*nodes, about.NODE], key=lambda node: node["name"])


def dataset(node: dict[str, Any]) -> dict[str, Any]:
    """One dataset, as Superset imports it."""
    columns = list(node["columns"].values())
    if all(column["name"] != "published_at" for column in columns):
        columns.append(PUBLISHED_AT)
    names = [column["name"] for column in columns]
    times = [c["name"] for c in columns if c["data_type"] in TIMES]
    return {
        "table_name": node["name"],
        "schema": "segments",
        "catalog": None,
        "sql": None,
        "description": _line(node["description"]),
        "main_dttm_col": "as_of" if "as_of" in names else (times or [None])[0],
        "filter_select_enabled": True,
        "always_filter_main_dttm": False,
        "normalize_columns": False,
        "uuid": uuid_of("dataset", node["name"]),
        "database_uuid": uuid_of("database", "Segments"),
        "metrics": [_metric(name, told) for name, told in _metrics(node).items()],
        "columns": [_column(column) for column in columns],
        "version": "1.0.0",
    }


def _metrics(node: dict[str, Any]) -> dict[str, dict[str, str]]:
    rows = {"label": "Rows", "expression": "count(*)", "format": ",d"}
    own: dict[str, dict[str, str]] = node.get("config", {}).get("meta", {}).get("metrics", {})
    return {**own, "row_count": rows}


def _metric(name: str, told: dict[str, str]) -> dict[str, Any]:
    return {
        "metric_name": name,
        "verbose_name": told["label"],
        "expression": told["expression"],
        "d3format": told.get("format"),
        "description": told.get("description"),
        "metric_type": None,
        "currency": None,
        "extra": {},
        "warning_text": None,
    }


def _column(column: dict[str, Any]) -> dict[str, Any]:
    name, data_type = column["name"], column["data_type"]
    return {
        "column_name": name,
        "verbose_name": _words(name),
        "description": _line(column["description"]),
        "type": data_type.upper(),
        "is_dttm": data_type in TIMES,
        "is_active": True,
        "groupby": True,
        "filterable": True,
        "expression": None,
        "python_date_format": None,
        "extra": {},
    }


def _words(name: str) -> str:
    words = name.replace("_", " ")
    return words[0].upper() + words[1:]


def _line(text: str) -> str:
    return " ".join(text.split())


def write(folder: Path = FOLDER) -> list[Path]:
    """Write a file a dataset, remove those of tables that are gone; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for node in public_nodes():
        path = folder / f"{node['name']}.yaml"
        text = yaml.safe_dump(dataset(node), sort_keys=False, width=100, allow_unicode=True)
        path.write_text(GENERATED + text, encoding="utf-8")
        written.append(path)
    for path in set(folder.glob("*.yaml")) - set(written):
        path.unlink()
    return written


if __name__ == "__main__":
    print(f"{len(write())} datasets in {FOLDER}")
