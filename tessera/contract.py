"""The contract of the public tables: the shape that readers rely on, and its version.

dbt_project/contract.yml holds the shape as it was last agreed. A column or a table more raises the
minor version. Everything else is another version of a table, published beside the old one:
docs/how-to/change-a-public-table.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tessera.publish import about

FILE = Path(__file__).resolve().parents[1] / "dbt_project" / "contract.yml"
PUBLIC = ("features", "segments")
HEAD = "# What readers of the published tables rely on; docs/how-to/change-a-public-table.md.\n"
# Publishing adds it to every table.
PUBLISHED_AT = {"published_at": "timestamp"}

Shape = dict[str, dict[str, Any]]


class ContractBroken(ValueError):
    """A published table would change under its readers; the message says how to do it instead."""


def version(file: Path = FILE) -> str:
    """The agreed version, as MAJOR.MINOR."""
    return str(_read(file)["version"])


def agreed(file: Path = FILE) -> Shape:
    """The agreed shape: table → `key` and `columns`, each with its type."""
    tables: Shape = _read(file)["tables"] or {}
    return tables


def update(shape: Shape, file: Path = FILE) -> str:
    """Agree on a shape that only adds to the agreed one; return the version.

    Raises ContractBroken when it takes away or changes something.
    """
    before, now = agreed(file), version(file)
    broken = breaks(before, shape)
    if broken:
        raise ContractBroken(
            f"{'; '.join(broken)}. Who reads this table would be surprised: make another version "
            "of it beside this one (docs/how-to/change-a-public-table.md)"
        )
    if before != shape:
        major, _, minor = now.partition(".")
        now = f"{major}.{int(minor) + 1}"
        told = yaml.safe_dump({"version": now}) + yaml.safe_dump({"tables": shape})
        file.write_text(HEAD + told, encoding="utf-8")
    return now


def breaks(before: Shape, after: Shape) -> list[str]:
    """What a reader of `before` would miss or find changed in `after`, a sentence each."""
    found = [f"table {name} is gone" for name in before.keys() - after.keys()]
    for name in before.keys() & after.keys():
        old, new = before[name], after[name]
        if old["key"] != new["key"]:
            found.append(f"{name}: the key {_listed(old)} has become {_listed(new)}")
        for column, kind in old["columns"].items():
            if column not in new["columns"]:
                found.append(f"{name}.{column} is gone")
            elif new["columns"][column] != kind:
                found.append(f"{name}.{column} was {kind} and is {new['columns'][column]}")
    return sorted(found)


def shape(manifest: Mapping[str, Any]) -> Shape:
    """The shape that the published tables have by dbt's contracts."""
    keys = keys_of(manifest)
    return {
        node["alias"]: {
            "key": keys.get(node["unique_id"], []),
            "columns": {c["name"]: c["data_type"].lower() for c in node["columns"].values()}
            | PUBLISHED_AT,
        }
        for node in public_tables(manifest)
        if node["schema"] == "segments"
    }


def public_tables(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """dbt's nodes of the tables that people read, and the one of `about`, by schema and name."""
    nodes = [n for n in manifest["nodes"].values() if n["resource_type"] == "model"]
    public = [n for n in nodes if n["schema"] in PUBLIC]
    return sorted([*public, about.NODE], key=lambda n: (n["schema"], n["alias"]))


def keys_of(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """The columns of the test `key`, by the node that it is of."""
    tests = (n for n in manifest["nodes"].values() if n["resource_type"] == "test")
    keys = {
        test["attached_node"]: test["test_metadata"]["kwargs"]["columns"]
        for test in tests
        if (test.get("test_metadata") or {}).get("name") == "key"
    }
    return {**keys, about.NODE["unique_id"]: about.KEY}


def _read(file: Path) -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return told


def _listed(table: Mapping[str, Any]) -> str:
    return f"({', '.join(table['key'])})"
