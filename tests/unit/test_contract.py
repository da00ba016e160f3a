from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera import contract

NAMES = st.sampled_from(["customer_id", "as_of", "segment_id", "revenue", "note"])
TABLES = st.dictionaries(
    st.sampled_from(["customers", "profiles", "history"]),
    st.fixed_dictionaries(
        {
            "key": st.lists(NAMES, min_size=1, max_size=2, unique=True),
            "columns": st.dictionaries(NAMES, st.sampled_from(["varchar", "bigint"]), min_size=1),
        }
    ),
)
CUSTOMERS: dict[str, Any] = {"key": ["customer_id"], "columns": {"customer_id": "varchar"}}


def written(file: Path, shape: contract.Shape, version: str = "1.9") -> Path:
    file.write_text(f"version: '{version}'\ntables: {shape!r}\n")
    return file


@given(TABLES, TABLES)
@settings(deadline=None)
def test_only_what_readers_have_already_can_break(
    before: contract.Shape, after: contract.Shape
) -> None:
    more = {
        name: {
            "key": before.get(name, table)["key"],
            "columns": table["columns"] | before.get(name, table)["columns"],
        }
        for name, table in (after | before).items()
    }
    assert contract.breaks(before, more) == []
    kept = all(
        name in after
        and after[name]["key"] == table["key"]
        and table["columns"].items() <= after[name]["columns"].items()
        for name, table in before.items()
    )
    assert (contract.breaks(before, after) == []) == kept


def test_something_more_raises_the_minor_version_once(tmp_path: Path) -> None:
    file = written(tmp_path / "contract.yml", {"customers": CUSTOMERS})
    more = {"customers": {**CUSTOMERS, "columns": {**CUSTOMERS["columns"], "age": "bigint"}}}
    assert contract.update({"customers": CUSTOMERS}, file) == "1.9"
    assert contract.update(more, file) == contract.update(more, file) == "1.10"
    assert contract.version(file) == "1.10" and contract.agreed(file) == more


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ({}, "table customers is gone"),
        ({"customers": {**CUSTOMERS, "columns": {}}}, "customers.customer_id is gone"),
        (
            {"customers": {**CUSTOMERS, "columns": {"customer_id": "bigint"}}},
            "customers.customer_id was varchar and is bigint",
        ),
        (
            {"customers": {**CUSTOMERS, "key": ["as_of"]}},
            r"customers: the key \(customer_id\) has become \(as_of\)",
        ),
    ],
)
def test_anything_else_is_refused_with_what_to_do(
    tmp_path: Path, after: contract.Shape, told: str
) -> None:
    file = written(tmp_path / "contract.yml", {"customers": CUSTOMERS})
    before = file.read_bytes()
    with pytest.raises(contract.ContractBroken, match=f"{told}.*change-a-public-table.md"):
        contract.update(after, file)
    assert file.read_bytes() == before
