"""The registry of ML models: what it saves it opens, and nothing else."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from io import StringIO
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from rich.console import Console, RenderableType

from models.clustering import FittedSegments, SearchParameters, assign, fit_segments
from models.preparation import DEFAULT_TREATMENTS
from tessera import champions, registry, registry_report
from tessera.registry import FeatureVersion, ModelRefused
from tessera.warehouse import SCHEMA

ROOT = Path(__file__).resolve().parents[2]
DAY, NOW = date(2026, 1, 1), datetime(2026, 1, 2)
DEFINITIONS = {"engagement_half_life_days": 30, "currency": "EUR"}
FIT = """
import hashlib, numpy as np, pandas as pd
from models.clustering import SearchParameters, fit_segments
from models.preparation import DEFAULT_TREATMENTS
from tessera.registry import as_bytes
rng = np.random.default_rng(1)
customers = pd.DataFrame({name: rng.gamma(2, 3, 300) for name in DEFAULT_TREATMENTS})
customers["customer_id"] = [f"c{i:04}" for i in range(300)]
few = SearchParameters(k_range=(2, 3), resamples=2)
print(hashlib.sha256(as_bytes(fit_segments(customers, None, few))).hexdigest())
"""


def _customers(seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    customers = pd.DataFrame({name: rng.gamma(2, 3, 300) for name in DEFAULT_TREATMENTS})
    return customers.assign(customer_id=[f"c{i:04}" for i in range(300)])


@pytest.fixture(scope="module")
def fitted() -> FittedSegments:
    return fit_segments(_customers(), None, SearchParameters(k_range=(2, 3), resamples=2))


@pytest.fixture
def warehouse(fitted: FittedSegments) -> Iterator[duckdb.DuckDBPyConnection]:
    columns = ", ".join(f"0.0::double as {name}" for name in DEFAULT_TREATMENTS)
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        connection.execute("create schema features")
        connection.execute(f"create table features.customer_features as select {columns}")
        yield connection


@pytest.fixture
def saved(warehouse: duckdb.DuckDBPyConnection, fitted: FittedSegments, tmp_path: Path) -> Path:
    """The file of the ML model "one"."""
    features = registry.feature_version(warehouse, list(DEFAULT_TREATMENTS), DEFINITIONS)
    registry.save(warehouse, tmp_path, "one", DAY, fitted, features)
    (file,) = (tmp_path / registry.FOLDER).iterdir()
    return file


def test_what_was_saved_assigns_as_before(
    warehouse: duckdb.DuckDBPyConnection, fitted: FittedSegments, saved: Path, tmp_path: Path
) -> None:
    opened = registry.load(warehouse, tmp_path, "one", DEFINITIONS)
    others = _customers(seed=2)
    pd.testing.assert_frame_equal(assign(opened, others), assign(fitted, others))
    ((digest, size),) = warehouse.execute("select sha256, bytes from ml.models").fetchall()
    content = saved.read_bytes()
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (digest, size)
    assert saved.name == f"one-{digest[:8]}.joblib"


def test_the_same_input_gives_the_same_file_in_any_process(fitted: FittedSegments) -> None:
    here = hashlib.sha256(registry.as_bytes(fitted)).hexdigest()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", FIT],
            cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == here


def test_saving_again_changes_nothing(
    warehouse: duckdb.DuckDBPyConnection, fitted: FittedSegments, saved: Path, tmp_path: Path
) -> None:
    before = warehouse.execute("from ml.models").fetchall(), saved.read_bytes()
    features = registry.feature_version(warehouse, list(DEFAULT_TREATMENTS), DEFINITIONS)
    registry.save(warehouse, tmp_path, "one", DAY, fitted, features)
    assert (warehouse.execute("from ml.models").fetchall(), saved.read_bytes()) == before
    assert list(saved.parent.iterdir()) == [saved]


class _Bomb:
    """Says so when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return exec, ("raise AssertionError('unpickled')",)


def test_a_file_with_another_hash_is_never_opened(
    warehouse: duckdb.DuckDBPyConnection, saved: Path, tmp_path: Path
) -> None:
    saved.write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(ModelRefused, match="SHA-256") as refused:
        registry.load(warehouse, tmp_path, "one")
    told = str(refused.value)
    assert str(saved) in told and "not opened" in told and "models promote" in told


def test_what_the_registry_does_not_know_is_never_opened(
    warehouse: duckdb.DuckDBPyConnection, saved: Path, tmp_path: Path
) -> None:
    (saved.parent / "two-00000000.joblib").write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(ModelRefused, match="knows no ML model two"):
        registry.load(warehouse, tmp_path, "two")


def test_a_missing_file_is_told(
    warehouse: duckdb.DuckDBPyConnection, saved: Path, tmp_path: Path
) -> None:
    saved.unlink()
    with pytest.raises(ModelRefused, match=r"cannot be read: .*No such file.*last published"):
        registry.load(warehouse, tmp_path, "one")


def test_another_version_of_the_features_is_told(
    warehouse: duckdb.DuckDBPyConnection, saved: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelRefused, match="engagement_half_life_days was 30, is 45"):
        registry.load(warehouse, tmp_path, "one", {**DEFINITIONS, "engagement_half_life_days": 45})
    warehouse.execute("alter table features.customer_features drop column recency_days")
    warehouse.execute("alter table features.customer_features alter monetary type varchar")
    with pytest.raises(ModelRefused) as refused:
        registry.load(warehouse, tmp_path, "one", DEFINITIONS)
    assert "feature recency_days is missing" in str(refused.value)
    assert "feature monetary was DOUBLE, is VARCHAR" in str(refused.value)


def test_what_another_software_saved_is_told(
    warehouse: duckdb.DuckDBPyConnection, fitted: FittedSegments, saved: Path, tmp_path: Path
) -> None:
    """A dataclass of today that has a field more than the saved one."""
    content = registry.as_bytes(fitted).replace(b"reasoning", b"raisoning")
    saved.write_bytes(content)
    warehouse.execute("update ml.models set sha256 = ?", [hashlib.sha256(content).hexdigest()])
    with pytest.raises(ModelRefused, match=r"another version of the software.*reasoning"):
        registry.load(warehouse, tmp_path, "one")


def test_version_changes_with_types_and_definitions() -> None:
    version = FeatureVersion({"a": "DOUBLE", "b": "BIGINT"}, {"x": 1})
    assert version.digest == FeatureVersion({"b": "BIGINT", "a": "DOUBLE"}, {"x": 1}).digest
    assert version.differences(version) == []
    other = FeatureVersion({"a": "DOUBLE", "b": "BIGINT"}, {"x": 2})
    assert version.digest != other.digest
    assert version.differences(other) == ["x was 1, is 2"]


def test_history_is_appended_and_not_repeated(warehouse: duckdb.DuckDBPyConnection) -> None:
    for status in ("fitted", "fitted", "promoted", "fitted"):
        registry.note(warehouse, "one", DAY, status, "why", NOW)
    told = warehouse.execute("select seq, status from ops.model_events order by seq").fetchall()
    assert told == [(1, "fitted"), (2, "promoted"), (3, "fitted")]


def _shown(what: RenderableType) -> str:
    console = Console(file=StringIO(), width=160)
    console.print(what)
    stream = console.file
    assert isinstance(stream, StringIO)
    return stream.getvalue()


def test_what_operators_see(
    warehouse: duckdb.DuckDBPyConnection, fitted: FittedSegments, saved: Path, tmp_path: Path
) -> None:
    features = registry.feature_version(warehouse, list(DEFAULT_TREATMENTS), DEFINITIONS)
    registry.save(warehouse, tmp_path, "two", date(2026, 1, 8), fitted, features)
    champions.write(warehouse, champions.Champion(DAY, "one", {0: "s1"}, 1))
    registry.note(warehouse, "two", date(2026, 1, 8), "kept back", "too few are stable", NOW)
    champions.promote(warehouse, "two", None, NOW)
    told = _shown(registry_report.models(warehouse))
    assert "champion since 2026-01-01" in told and "kept back: too few are stable" in told
    assert "From the next run on: two (promote)" in told
    told = _shown(registry_report.model(warehouse, tmp_path, "one"))
    assert "recency_days" in told and "the file is whole" in told and saved.name in told
    saved.write_bytes(b"else")
    assert "CHANGED" in _shown(registry_report.model(warehouse, tmp_path, "one"))
    with pytest.raises(LookupError, match="`tessera models list`"):
        registry_report.model(warehouse, tmp_path, "three")


def test_an_empty_registry_says_what_to_do(warehouse: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(LookupError, match="`make run` fits the first"):
        registry_report.models(warehouse)
