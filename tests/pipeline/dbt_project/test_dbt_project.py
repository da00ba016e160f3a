"""The dbt project as a whole: it builds, its unit tests pass, its floors and its docs keep the law.

One warehouse with a small shop in it is built once, every test reads what came out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from models.outliers import OUTLIER_TREATMENTS
from models.preparation import DEFAULT_TREATMENTS

PROJECT = Path(__file__).parents[3] / "dbt_project"
AS_OF = "2025-07-01"
FLOORS_READ = {
    "staging": {"raw", "quarantine", "ops"},
    "intermediate": {"staging", "intermediate", "enriched", "ops"},
    "quarantine": {"intermediate"},
    "features": {"staging", "intermediate", "enriched", "features"},
    "segments": {"intermediate", "enriched", "features", "segments", "ml", "ops", "quarantine"},
}


def fill_small_shop(dbt: Any, connection: duckdb.DuckDBPyConnection) -> None:
    """A shop in which every source says something and every rule has a case."""
    dbt.fill_raw(connection, "contacts", [
        {"customer_id": "1.0", "email": "ada@example.org", "handle": "@Ada",
         "created_at": "2025-01-01T00:00:00Z"},
        {"customer_id": "2", "email": "bob@example.org", "created_at": "2025-01-01T00:00:00Z"},
        {"customer_id": "9", "email": "new@example.org", "created_at": "2025-07-01T00:00:00Z"},
    ])  # fmt: skip
    dbt.fill_raw(connection, "orders", [
        {"order_id": "a", "customer_id": "1", "ordered_at": "2025-02-01T10:00:00+02:00"},
        {"order_id": "b", "customer_id": "1", "ordered_at": "2025-06-30T23:59:59Z"},
        {"order_id": "c", "customer_id": "1", "ordered_at": "2025-07-01T00:00:00Z",
         "total_amount": "500"},
        {"order_id": "d", "email": "BOB@example.org", "ordered_at": "2025-03-01",
         "total_amount": "12.5"},
        {"order_id": "e", "ordered_at": "2025-03-01", "total_amount": "3"},
        {"order_id": "t", "customer_id": "tester", "ordered_at": "2025-03-01",
         "total_amount": "1000", "is_test": "true"},
    ])  # fmt: skip
    dbt.fill_raw(connection, "order_lines", [
        {"order_id": "a", "line_id": "1", "product_id": "p1", "quantity": "2", "unit_price": "10",
         "discount_amount": "2"},
        {"order_id": "a", "line_id": "2", "product_id": "p2", "quantity": "-1", "unit_price": "5"},
        {"order_id": "b", "line_id": "1", "product_id": "p1", "quantity": "1", "unit_price": "10"},
        {"order_id": "z", "line_id": "1", "product_id": "p1", "quantity": "1", "unit_price": "7"},
    ])  # fmt: skip
    dbt.fill_raw(connection, "refunds", [
        {"refund_id": "r1", "order_id": "a", "refunded_at": "2025-02-03", "amount": "4"},
        {"refund_id": "r1", "order_id": "a", "refunded_at": "2025-02-03", "amount": "4"},
        {"refund_id": "r2", "order_id": "nowhere", "refunded_at": "2025-02-03", "amount": "6"},
        {"refund_id": "r3", "order_id": "t", "refunded_at": "2025-02-03", "amount": "8"},
    ])  # fmt: skip
    dbt.fill_raw(connection, "web_events", [
        {"event_id": "w1", "event_type": "page", "anonymous_id": "d1",
         "occurred_at": "2025-06-30T22:00:00Z"},
        {"event_id": "w2", "event_type": "identify", "anonymous_id": "d1", "customer_id": "1",
         "occurred_at": "2025-06-30T22:10:00Z"},
        {"event_id": "w3", "event_type": "page", "anonymous_id": "d1",
         "occurred_at": "2025-07-01T00:00:00Z"},
    ])  # fmt: skip
    connection.execute(
        f"""
        insert into ml.assignments
            (customer_id, as_of, model_id, segment_id, segment_name, distance, confidence) values
            ('{dbt.customer("1")}', date '{AS_OF}', 'kmeans-1', 'regulars', 'Regulars', 0.5, 0.9),
            ('{dbt.customer("2")}', date '{AS_OF}', 'kmeans-1', 'regulars', 'Regulars', 0.6, 0.8);
        insert into ml.segment_names by name
            select 'kmeans-1' as model_id, date '{AS_OF}' as as_of, 'regulars' as segment_id,
                'Regulars' as segment_name, 'They come back.' as description,
                'Thank them.' as suggested_action, 'Post' as suggested_channel;
        """
    )


@pytest.fixture(scope="module")
def build(dbt: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    """The small shop with every dbt test: (warehouse, scratch folder, what went wrong)."""
    scratch = tmp_path_factory.mktemp("dbt")
    warehouse = scratch / "warehouse.duckdb"
    with dbt.new_warehouse(warehouse) as connection:
        fill_small_shop(dbt, connection)
    return warehouse, scratch, dbt.build(warehouse, scratch, AS_OF)


@pytest.fixture
def warehouse(build: tuple[Path, Path, list[str]]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The built warehouse, for reading."""
    with duckdb.connect(str(build[0]), read_only=True) as connection:
        yield connection


@pytest.fixture
def manifest(build: tuple[Path, Path, list[str]]) -> dict[str, Any]:
    """What dbt knows of the project."""
    return dict(json.loads((build[1] / "target" / "manifest.json").read_text()))


def models_of(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The manifest's dbt models by unique id."""
    return {k: n for k, n in manifest["nodes"].items() if n["resource_type"] == "model"}


def test_everything_builds_and_every_dbt_test_passes(
    dbt: Any, build: tuple[Path, Path, list[str]]
) -> None:
    assert build[2] == []


def test_each_floor_reads_only_what_it_may(manifest: dict[str, Any]) -> None:
    schema_of = {k: n["schema"] for k, n in {**manifest["nodes"], **manifest["sources"]}.items()}
    strays = [
        f"{model['name']} reads {parent}"
        for model in models_of(manifest).values()
        for parent in model["depends_on"]["nodes"]
        if schema_of[parent] not in FLOORS_READ[model["schema"]]
    ]
    assert strays == []


def test_each_floor_has_its_tag(manifest: dict[str, Any]) -> None:
    tags = {(n["schema"], tuple(n["tags"])) for n in models_of(manifest).values()}
    assert tags == {
        ("staging", ("staging",)),
        ("intermediate", ("features",)),
        ("quarantine", ("features",)),
        ("features", ("features",)),
        ("segments", ("segments",)),
    }


def test_contracts_stand_and_every_column_is_described(manifest: dict[str, Any]) -> None:
    for model in models_of(manifest).values():
        assert re.search(r"One row per [^.]+\.$", model["description"].strip()), model["name"]
        if model["schema"] in {"features", "segments"}:
            assert model["contract"]["enforced"], model["name"]
            bare = [c["name"] for c in model["columns"].values() if not c["description"]]
            assert bare == [], model["name"]


def test_every_feature_says_what_the_catalogue_tells(
    manifest: dict[str, Any], warehouse: duckdb.DuckDBPyConnection
) -> None:
    columns = manifest["nodes"]["model.tessera.customer_features"]["columns"]
    told = {"group", "unit", "source", "treatment", "null_means"}
    short = {
        name: sorted(told - set(column["config"]["meta"]))
        for name, column in columns.items()
        if not told <= set(column["config"]["meta"])
    }
    assert short == {}, "mend the meta of these columns in models/features/_features.yml"
    catalogue = warehouse.execute(
        "select name, null_means = 'never' from features.feature_catalogue order by position"
    ).fetchall()
    assert [name for name, _ in catalogue] == list(columns)
    is_required = {name: bool(column["constraints"]) for name, column in columns.items()}
    assert dict(catalogue) == is_required


def test_catalogue_and_clustering_treat_features_alike(manifest: dict[str, Any]) -> None:
    columns = manifest["nodes"]["model.tessera.customer_features"]["columns"]
    for treatments in (DEFAULT_TREATMENTS, OUTLIER_TREATMENTS):
        told = {name: columns[name]["config"]["meta"]["treatment"] for name in treatments}
        assert told == dict(treatments)
    texts = {"varchar", "timestamp", "date", "boolean"}
    treated = [
        name
        for name, column in columns.items()
        if column["config"]["meta"]["treatment"] != "none" and column["data_type"] in texts
    ]
    assert treated == []


def test_every_unit_test_says_its_as_of(manifest: dict[str, Any]) -> None:
    """Else a test would pass or fail by the date of whoever runs it."""
    silent = [
        test["name"]
        for test in manifest["unit_tests"].values()
        if not test["model"].startswith("stg_")
        and "as_of" not in ((test["overrides"] or {}).get("vars") or {})
    ]
    assert silent == []


def test_dialect_differences_live_in_macros() -> None:
    """No dbt model holds what DuckDB and Spark spell differently or read differently."""
    forbidden = re.compile(
        r"\b(arg_max|arg_min|quantile_cont|strftime|regexp_matches|json_extract\w*|unnest|"
        r"list_\w+|log|date_diff|epoch|now|current_date|current_timestamp|ntile|hash)\s*\(|::|->>|"
        r"\basof\b",
        re.IGNORECASE,
    )
    found = {
        path.name: match.group(0)
        for path in (PROJECT / "models").rglob("*.sql")
        if (match := forbidden.search(path.read_text()))
    }
    assert found == {}


def test_customers_are_those_known_before_as_of(
    dbt: Any, warehouse: duckdb.DuckDBPyConnection
) -> None:
    rows = warehouse.execute(
        "select customer_id, frequency, monetary, web_sessions, page_views, has_contact"
        " from features.customer_features order by monetary desc"
    ).fetchall()
    # 1: 18 + 10 sold, 5 + 4 refunded; the session's page of 22:00 counts, midnight's does not.
    # 2: a guest order by her e-mail. tester (test order) and 9 (contact of the as-of date): nobody.
    assert [(r[0], r[1], float(r[2]), *r[3:]) for r in rows] == [
        (dbt.customer("1"), 2, 19.0, 1, 1, True),
        (dbt.customer("2"), 1, 12.5, None, None, True),
    ]


def test_what_was_left_out_is_counted(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        "select destination, orders, lines, gross_revenue, refunds"
        " from intermediate.int_order_revenue_balanced order by 1"
    ).fetchall()
    assert [(*r[:3], float(r[3]), float(r[4])) for r in rows] == [
        ("anonymous", 1, 0, 3.0, 6.0),
        ("customers", 3, 3, 40.5, 9.0),
        ("excluded: test", 1, 0, 1000.0, 8.0),
        ("excluded: undated", 1, 1, 7.0, 0.0),
    ]


def test_a_run_without_as_of_says_so(dbt: Any, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    dbt.new_warehouse(warehouse).close()
    result = dbt.run(["compile", "--select", "int_emails_resolved"], warehouse, tmp_path, "")
    assert any("as_of is missing" in line for line in dbt.failures(result))


def test_the_same_input_gives_the_same_tables(
    dbt: Any,
    build: tuple[Path, Path, list[str]],
    warehouse: duckdb.DuckDBPyConnection,
    tmp_path: Path,
) -> None:
    again = tmp_path / "again.duckdb"
    with dbt.new_warehouse(again) as connection:
        fill_small_shop(dbt, connection)
    told = ("--exclude-resource-type", "unit_test")
    assert dbt.build(again, tmp_path, AS_OF, *told) == []
    query = "select * from features.customer_features order by customer_id"
    with duckdb.connect(str(again), read_only=True) as connection:
        assert connection.execute(query).fetchall() == warehouse.execute(query).fetchall()
