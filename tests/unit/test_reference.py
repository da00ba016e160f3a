from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tessera import contract, reference, settings
from tessera.pages import outputs_of

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "docs" / "reference"
Made = tuple[Path, list[Path], dict[str, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The pages anew, their paths, and what dbt knows."""
    data = tmp_path_factory.mktemp("reference")
    told = settings.load(ROOT / "settings.toml").model_copy(update={"data_dir": data})
    folder = data / "reference"
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "gone.md").touch()
    written = reference.write(told, folder, outputs_of(KEPT))
    manifest = told.artifacts_dir / "dbt" / "target" / "manifest.json"
    return folder, written, json.loads(manifest.read_text(encoding="utf-8"))


def test_the_reference_is_what_the_code_says(made: Made) -> None:
    folder, written, _ = made
    names = {page.relative_to(folder) for page in written}
    for name in names:
        assert (KEPT / name).read_text() == (folder / name).read_text(), (
            "run `.venv/bin/tessera reference`"
        )
    assert {page.relative_to(KEPT) for page in KEPT.rglob("*.md")} == names
    assert not (folder / "tables" / "gone.md").exists()


def test_the_public_tables_are_as_agreed(made: Made) -> None:
    found, agreed = contract.shape(made[2]), contract.agreed()
    assert contract.breaks(agreed, found) == [], "docs/how-to/change-a-public-table.md"
    assert found == agreed, "something is new: run `.venv/bin/tessera reference`"
    assert all(table["key"] for table in found.values())
