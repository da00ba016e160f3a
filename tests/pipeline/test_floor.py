"""The floor of the benchmarks describes every customer as the pipeline does: else it rots."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from benchmarks import floor
from benchmarks.agreement import NAMED, Agreement, compare
from models.preparation import DEFAULT_TREATMENTS
from tessera.demo.company import write
from tessera.settings import Settings, load
from tessera.steps import run_step

ROOT = Path(__file__).resolve().parents[2]

AS_OF = date(2026, 1, 1)
STEPS = (
    "load_crm",
    "load_clickstream",
    "load_social",
    "build_staging",
    "resolve_identity",
    "score_texts",
    "build_features",
    "fit_segments",
)


def _add_rare_cases(inbox: Path) -> None:
    """What 200 people in 90 days may not do: two log in on one device in one session."""
    line = (
        '{{"messageId":"rare-{0}","type":"page","anonymousId":"shared","userId":"C000000{0}",'
        '"timestamp":"2025-12-01T10:0{0}:00Z"}}\n'
    )
    lines = "".join(line.format(number) for number in (1, 2))
    (inbox / "web" / "events-rare.jsonl").write_text(lines, encoding="utf-8")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A pipeline run, up to the clustering, on 200 customers and 90 days."""
    folder = tmp_path_factory.mktemp("floor")
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        write(connection, folder / "inbox", folder / "truth", customers=200, days=90)
    _add_rare_cases(folder / "inbox")
    told = load(ROOT / "settings.toml")
    # The floor clusters everybody, by what it computes, and takes the best silhouette.
    features = [f for f in told.segmentation.features if f in floor.TREATMENTS]
    plain = {"features": features, "exclude_outliers": False, "resamples": 0, "tolerance": 0.0}
    plainly = told.segmentation.model_copy(update=plain)
    told = told.model_copy(update={"data_dir": folder, "segmentation": plainly})
    for step in STEPS:
        run_step(step, told, AS_OF)
    return told


@pytest.fixture(scope="module")
def found(settings: Settings) -> dict[str, object]:
    """What the floor found on the same exports; its tables lie in `floor/`."""
    out = settings.data_dir / "floor"
    key = settings.key_file.read_text().strip()
    identities = settings.data_dir / "identities.parquet"
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
        connection.execute(f"copy enriched.identities to '{identities}'")
    told = {"as_of": AS_OF.isoformat(), "key": key}
    return floor.run(settings.inbox_dir, out, identities, **told)


@pytest.fixture(scope="module")
def agreement(settings: Settings, found: dict[str, object]) -> Agreement:
    return compare(settings.warehouse_file, settings.data_dir / "floor" / "floor.duckdb")


@pytest.mark.parametrize("column", NAMED)
def test_named_figures_are_equal(agreement: Agreement, column: str) -> None:
    assert agreement.differing[column] == 0


def test_every_customer_and_column_agrees(agreement: Agreement) -> None:
    assert agreement.customers >= 200
    assert agreement.one_sided == 0
    assert {c: n for c, n in agreement.differing.items() if n} == {}


def test_floor_clusters_by_the_same_features() -> None:
    assert dict(DEFAULT_TREATMENTS) == floor.TREATMENTS, "mend TREATMENTS in benchmarks/floor.py"


def test_both_find_the_same_clusters(settings: Settings, found: dict[str, object]) -> None:
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
        k, silhouette = connection.execute("select k, silhouette from ml.fits").fetchall()[0]
    assert found["k"] == k
    assert found["silhouette"] == pytest.approx(silhouette, abs=1e-6)


def test_floor_writes_the_result_tables(settings: Settings, found: dict[str, object]) -> None:
    written = {path.stem for path in (settings.data_dir / "floor").glob("*.parquet")}
    assert written == {
        "customer_features", "customer_segments", "segment_profiles", "segment_history",
    }  # fmt: skip


def test_a_changed_figure_is_noticed(settings: Settings, found: dict[str, object]) -> None:
    changed = settings.data_dir / "changed.duckdb"
    with duckdb.connect(str(changed)) as connection:
        source = settings.data_dir / "floor" / "customer_features.parquet"
        connection.execute(
            "create schema features; create table features.customer_features as "
            "select * replace (engagement_score * 1.001 as engagement_score) "
            f"from '{source}' where customer_id <> "
            f"(select min(customer_id) from '{source}' where monetary is null)"
        )
    noticed = compare(settings.warehouse_file, changed)
    assert noticed.one_sided == 1
    assert noticed.differing["engagement_score"] > 0
    assert noticed.differing["monetary"] == 0
    assert not noticed.is_full
