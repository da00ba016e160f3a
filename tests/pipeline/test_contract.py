"""How a public table gets another version, on a project of dbt's of its own: as the docs say it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tessera import contract, pages

DOCS = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "change-a-public-table.md"
FILES = {
    "dbt_project.yml": "name: shop\nversion: 1.0.0\nprofile: shop\nmodels: {+schema: segments}\n",
    "profiles.yml": "shop: {target: t, outputs: {t: {type: duckdb, path: shop.duckdb}}}\n",
    "macros/schema.sql": "{% macro generate_schema_name(n, node) %}{{ n }}{% endmacro %}",
    "models/segment_profiles_v1.sql": "select 's1' as segment_id, 0.25::double as customer_share",
    "models/segment_profiles_v2.sql": "select segment_id, 100 * customer_share as customer_percent "
    "from {{ ref('segment_profiles', v=1) }}",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("versions")
    (told,) = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    for name, text in {**FILES, "models/profiles.yml": told}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    code = (
        "import sys; from dbt.cli.main import dbtRunner; "
        "sys.exit(not dbtRunner().invoke(['build']).success)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_both_versions_are_built_and_the_old_one_keeps_its_name(project: Path) -> None:
    with duckdb.connect(str(project / "shop.duckdb"), read_only=True) as opened:
        assert opened.execute("from segments.segment_profiles").fetchall() == [("s1", 0.25)]
        assert opened.execute("from segments.segment_profiles_v2").fetchall() == [("s1", 25.0)]


def test_the_contract_takes_the_new_version_as_something_more(project: Path) -> None:
    manifest = json.loads((project / "target" / "manifest.json").read_text())
    shape = contract.shape(manifest)
    assert list(shape) == ["about", "segment_profiles", "segment_profiles_v2"]
    before = {name: shape[name] for name in ("about", "segment_profiles")}
    assert contract.breaks(before, shape) == []
    assert contract.breaks(shape, before) == ["table segment_profiles_v2 is gone"]
    old = pages.pages(manifest, {})["tables/segment_profiles.md"]
    assert "Version 1 of `segment_profiles`. The newest is version 2. It goes away on 2027" in old
