"""Eight readers on each serving path while one version after the other is published."""

from __future__ import annotations

import time
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from benchmarks import readers
from tessera import warehouse
from tessera.publish import postgres, published
from tessera.publish.about import About

pytestmark = pytest.mark.faults
VERSIONS, ROWS = 6, 20_000
TABLES = ("customer_segments", "segment_profiles", "segment_history")


def _publish(folder: Path, number: int) -> None:
    """Tables as large as those of a small shop, with the columns that dashboards ask for."""
    with duckdb.connect() as connection:
        connection.execute(warehouse.SCHEMA)
        connection.execute("create schema if not exists segments")
        for table in TABLES:
            connection.execute(
                f"create table segments.{table} as select md5(i::varchar) as customer_id, "
                "date '2026-01-01' as as_of, 'm' as model_id, 's' || i % 5 as segment_id, "
                "'Segment ' || i % 5 as segment_name, 0.5 as confidence, i % 5 + 1 as m_score, "
                "'555' as rfm_score, 'active' as lifecycle_stage "
                f"from range({ROWS if table == 'customer_segments' else 100}) r(i)"
            )
        about = About(f"run-{number}", date(2026, 1, 1), datetime(2026, 1, 1, number), "1.0")
        published.publish(connection, folder, about, TABLES)


def _serve(folder: Path, url: str) -> None:
    with warehouse.open_published(folder / published.FILE) as opened:
        postgres.serve(opened, url)


def _hold(found: dict[str, object], versions: int) -> None:
    print(found)
    assert found["looks"]
    assert [found[name] for name in ("errors", "mixed", "stale")] == [0, 0, 0], found
    assert 2 <= found["versions"] <= versions, found  # type: ignore[operator]


def test_readers_of_the_file(tmp_path: Path) -> None:
    _publish(tmp_path, 0)

    def publish_all() -> float:
        for number in range(1, VERSIONS):
            time.sleep(2)
            _publish(tmp_path, number)
        return time.monotonic()

    time.sleep(1)
    _hold(readers.measure(tmp_path, str(tmp_path / published.FILE), publish_all), VERSIONS)


def test_readers_of_the_server(tmp_path: Path) -> None:
    with readers.server_with_roles() as url:
        _publish(tmp_path, 0)
        _serve(tmp_path, url("tessera_ops"))

        def serve_all() -> float:
            for number in range(1, VERSIONS):
                time.sleep(2)
                _publish(tmp_path, number)
                _serve(tmp_path, url("tessera_ops"))
            return time.monotonic()

        _hold(readers.measure(tmp_path, url("tessera_bi"), serve_all), VERSIONS)
