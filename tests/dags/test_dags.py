from __future__ import annotations

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tessera.steps import STEPS

ROOT = Path(__file__).resolve().parents[2]
DAG_FILES = sorted((ROOT / "dags").glob("*.py"))
DAGS = {
    "extract_crm": ["load_crm", "check_crm"],
    "extract_clickstream": ["load_clickstream", "check_clickstream"],
    "extract_social": ["load_social", "check_social"],
    "build_customer_360": [
        "build_staging", "resolve_identity", "score_texts", "find_topics", "find_communities",
        "restate_features", "build_features", "check_features",
    ],
    "recluster_weekly": [
        "build_features", "check_features", "find_outliers", "fit_segments", "assign_segments",
        "analyse_behaviour", "apply_rules", "build_segments", "check_segments", "publish", "serve",
        "write_report",
    ],
    "assign_segments_daily": [
        "restate_features", "build_features", "check_features", "find_outliers",
        "assign_segments", "analyse_behaviour", "apply_rules", "build_segments", "check_segments",
        "publish", "serve", "write_report",
    ],
}  # fmt: skip


def test_all_dags_import_and_nothing_else_is_there(dag_bag) -> None:
    assert dag_bag.import_errors == {}
    assert sorted(dag_bag.dag_ids) == sorted(DAGS)
    assert [file.stem for file in DAG_FILES] == sorted(DAGS), "file name = dag_id"


@pytest.mark.parametrize("dag_id", DAGS)
def test_tasks_are_steps_one_after_another(dag_bag, dag_id: str) -> None:
    tasks = dag_bag.dags[dag_id].topological_sort()
    assert [task.task_id for task in tasks] == DAGS[dag_id]
    assert all(len(task.downstream_list) <= 1 for task in tasks)
    assert {task.task_id for task in tasks} <= set(STEPS)


def test_every_step_is_a_task() -> None:
    assert {task for tasks in DAGS.values() for task in tasks} == set(STEPS)


@pytest.mark.parametrize("dag_id", DAGS)
def test_house_rules(dag_bag, dag_id: str) -> None:
    from tessera_airflow.defaults import TAGS

    dag = dag_bag.dags[dag_id]
    assert dag.tags and dag.tags <= TAGS
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    assert dag.doc_md and "When it fails" in dag.doc_md
    assert (ROOT / "docs" / "runbooks" / f"{dag_id}.md").is_file()
    for task in dag.tasks:
        assert task.pool == "warehouse", "every step opens the warehouse: one writer"
        assert task.retries >= 1
        assert task.retry_exponential_backoff
        assert task.owner == "tessera"
        assert task.on_failure_callback


def test_schedules(dag_bag) -> None:
    from tessera_airflow import assets

    for dag_id in ("extract_crm", "extract_clickstream", "extract_social"):
        assert dag_bag.dags[dag_id].schedule == "@daily"
    assert dag_bag.dags["recluster_weekly"].schedule == "0 3 * * 1"
    assert dag_bag.dags["assign_segments_daily"].schedule == "0 4 * * *"
    watched = {asset.uri for asset in dag_bag.dags["build_customer_360"].schedule.objects}
    assert watched == {a.uri for a in (assets.RAW_CRM, assets.RAW_CLICKSTREAM, assets.RAW_SOCIAL)}


def test_each_export_dag_says_when_its_asset_changed(dag_bag) -> None:
    outlets = {
        dag_id: [asset.uri for task in dag_bag.dags[dag_id].tasks for asset in task.outlets]
        for dag_id in DAGS
    }
    assert outlets == {
        "extract_crm": ["tessera://raw/crm"],
        "extract_clickstream": ["tessera://raw/clickstream"],
        "extract_social": ["tessera://raw/social"],
        "build_customer_360": ["tessera://features/customer_features"],
        "recluster_weekly": ["tessera://published/segments"],
        "assign_segments_daily": ["tessera://published/segments"],
    }


def test_as_of_is_a_typed_param_that_refuses_nonsense(dag_bag) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    param = dag_bag.dags["recluster_weekly"].params.get_param("as_of")
    assert param.resolve("2026-01-01") == "2026-01-01"
    assert param.resolve(None) is None
    with pytest.raises(ParamValidationError):
        param.resolve("last week")


@pytest.mark.parametrize(
    ("run_id", "params", "rendered"),
    [
        ("scheduled__2026-01-05", {"as_of": None}, "2026-01-05"),
        ("backfill__2026-01-05", {"as_of": None}, "2026-01-05"),
        ("manual__2026-01-05", {"as_of": None}, ""),
        ("scheduled__2026-01-05", {"as_of": "2025-12-01"}, "2025-12-01"),
    ],
)
def test_as_of_comes_from_the_data_interval(
    dag_bag, run_id: str, params: dict[str, str | None], rendered: str
) -> None:
    from datetime import UTC, datetime

    task = dag_bag.dags["recluster_weekly"].get_task("publish")
    context = {
        "params": params, "run_id": run_id,
        "data_interval_end": datetime(2026, 1, 5, 3, tzinfo=UTC),
    }  # fmt: skip
    assert task.render_template(task.as_of, context) == rendered


@pytest.mark.parametrize("file", DAG_FILES, ids=lambda file: file.stem)
def test_a_dag_file_only_wires(file: Path) -> None:
    """No data library, nothing of the domain: a DAG file parses fast."""
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(file.read_text()))
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert imported <= {"__future__", "airflow", "tessera_airflow"}


def test_parsing_the_dags_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.path[:0] = ['plugins', 'dags']\n"
        + "".join(f"import {file.stem}\n" for file in DAG_FILES)
        + "print([m for m in ('duckdb', 'pandas', 'sklearn', 'dbt', 'great_expectations') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_no_file_is_named_like_an_installed_package() -> None:
    """Airflow registers plugin files under their bare name: one called duckdb.py shadows duckdb."""
    ignored = (ROOT / "plugins" / ".airflowignore").read_text()
    assert "tessera_airflow/" in ignored.splitlines()
    for file in [*DAG_FILES, *(ROOT / "plugins").rglob("*.py")]:
        if file.stem != "__init__":
            spec = find_spec(file.stem)
            inside = spec is not None and str(spec.origin).startswith(str(ROOT))
            assert spec is None or inside, f"{file} has the name of an installed package"
