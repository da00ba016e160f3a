"""The registry of ML models: rows of ml.models, files in data/artifacts/models.

A file is read once, its SHA-256 compared with the one written down when it was saved, and those
same bytes are unpickled: what the registry does not know never is. docs/decisions/model-files.md.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from tessera import disk

if TYPE_CHECKING:
    from models.clustering import FittedSegments

FOLDER = "models"
FEATURES = "features.customer_features"
WAY_OUT = (
    "`tessera models list` shows the others; `tessera models promote MODEL` lets one take over. "
    "The last published tables stay"
)


class ModelRefused(RuntimeError):
    """A saved ML model cannot be used; the message says which, why, and what to do."""


@dataclass(frozen=True)
class FeatureVersion:
    """What an ML model was fitted on: data type by feature, and the settings that define them."""

    columns: Mapping[str, str]
    definitions: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """12 hex digits that change with anything in it."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()[:12]

    def as_json(self) -> str:
        """Keys in order, so that the same version is the same text."""
        told = {"columns": dict(self.columns), "definitions": dict(self.definitions)}
        return json.dumps(told, sort_keys=True, default=str)

    def differences(self, now: FeatureVersion) -> list[str]:
        """What is another today, in words; empty when the version is the same.

        >>> then = FeatureVersion({"monetary": "DECIMAL(18,4)"}, {"half_life": 30})
        >>> then.differences(FeatureVersion({}, {"half_life": 45}))
        ['feature monetary is missing', 'half_life was 30, is 45']
        """
        columns = [
            f"feature {name} was {then}, is {now.columns[name]}"
            if name in now.columns
            else f"feature {name} is missing"
            for name, then in self.columns.items()
            if now.columns.get(name) != then
        ]
        names = sorted({*self.definitions, *now.definitions})
        then_now = [(n, self.definitions.get(n), now.definitions.get(n)) for n in names]
        return columns + [f"{n} was {then}, is {now}" for n, then, now in then_now if then != now]


def feature_version(
    connection: duckdb.DuckDBPyConnection, used: list[str], definitions: Mapping[str, Any]
) -> FeatureVersion:
    """The version of these features as they stand in the warehouse now."""
    described = connection.execute(f"describe {FEATURES}").fetchall()
    types = {name: str(data_type) for name, data_type, *_ in described}
    return FeatureVersion({n: types[n] for n in used if n in types}, definitions)


def save(
    connection: duckdb.DuckDBPyConnection,
    artifacts: Path,
    model_id: str,
    as_of: date,
    fitted: FittedSegments,
    features: FeatureVersion,
) -> str:
    """Save an ML model and write it down; return the SHA-256 of its file.

    The same ML model gives the same bytes in any process. A file is never changed: its name ends
    with its hash.
    """
    content = as_bytes(fitted)
    digest = hashlib.sha256(content).hexdigest()
    file = artifacts / FOLDER / f"{model_id}-{digest[:8]}.joblib"
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        disk.sync(unfinished)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    disk.sync(file.parent)  # before the registry names the file
    connection.execute(
        "insert or replace into ml.models values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            model_id,
            as_of,
            fitted.clusterer.algorithm,
            fitted.k,
            features.digest,
            features.as_json(),
            file.name,
            digest,
            len(content),
            json.dumps(_software()),
        ],
    )
    return digest


def as_bytes(fitted: FittedSegments) -> bytes:
    """The ML model as it lies on disk."""
    import joblib

    stream = BytesIO()
    joblib.dump(fitted, stream)
    return stream.getvalue()


def load(
    connection: duckdb.DuckDBPyConnection,
    artifacts: Path,
    model_id: str,
    definitions: Mapping[str, Any] | None = None,
) -> FittedSegments:
    """Load an ML model that the registry knows, from the file it wrote.

    With `definitions` (the settings that define features) it must also be of today's features.
    Raises ModelRefused.
    """
    file, digest, told, software = _row(connection, model_id)
    if definitions is not None:
        _require_version(connection, model_id, json.loads(told), definitions)
    content = _bytes(artifacts / FOLDER / file, model_id)
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise ModelRefused(
            f"the file of ML model {model_id}, {artifacts / FOLDER / file}, is not the one that "
            f"was saved: its SHA-256 is {found[:12]}…, the registry says {digest[:12]}…. It was "
            f"not opened. Put the file back from a backup. {WAY_OUT}"
        )
    return _unpickled(content, model_id, json.loads(software))


def exists(connection: duckdb.DuckDBPyConnection, model_id: str) -> bool:
    """Whether the registry knows an ML model of that id."""
    found = connection.execute("select 1 from ml.models where model_id = ?", [model_id])
    return bool(found.fetchall())


def note(
    connection: duckdb.DuckDBPyConnection,
    model_id: str,
    as_of: date,
    status: str,
    reason: str,
    now: datetime,
) -> None:
    """Append to the history of an ML model; what its last entry already says is not repeated."""
    last = connection.execute(
        "select as_of, status, reason from ops.model_events where model_id = ? "
        "order by seq desc limit 1",
        [model_id],
    ).fetchone()
    if last == (as_of, status, reason):
        return
    connection.execute(
        "insert into ops.model_events select coalesce(max(seq), 0) + 1, ?, ?, ?, ?, ? "
        "from ops.model_events",
        [model_id, as_of, status, reason, now],
    )


def _row(connection: duckdb.DuckDBPyConnection, model_id: str) -> tuple[str, str, str, str]:
    row = connection.execute(
        "select file, sha256, features, software from ml.models where model_id = ?", [model_id]
    ).fetchone()
    if row is None:
        raise ModelRefused(f"the registry knows no ML model {model_id}. {WAY_OUT}")
    return row[0], row[1], row[2], row[3]


def _require_version(
    connection: duckdb.DuckDBPyConnection,
    model_id: str,
    told: dict[str, Any],
    definitions: Mapping[str, Any],
) -> None:
    then = FeatureVersion(told["columns"], told["definitions"])
    plain = json.loads(json.dumps(dict(definitions), default=str))
    differing = then.differences(feature_version(connection, list(then.columns), plain))
    if differing:
        raise ModelRefused(
            f"ML model {model_id} was fitted on another version of the features: "
            f"{'; '.join(differing)}. Put the settings back, or fit anew and let the new ML model "
            f"take over. {WAY_OUT}"
        )


def _bytes(file: Path, model_id: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ModelRefused(
            f"the file of ML model {model_id} cannot be read: {file} ({error.strerror}). "
            f"Put it back from a backup. {WAY_OUT}"
        ) from None


def _unpickled(content: bytes, model_id: str, software: dict[str, str]) -> FittedSegments:
    import joblib

    try:
        fitted: FittedSegments = joblib.load(BytesIO(content))
        missing = [field.name for field in fields(fitted) if not hasattr(fitted, field.name)]
        if missing:
            raise AttributeError(f"it has no {', '.join(missing)}")
    except Exception as error:  # whatever another version of a library or of our own code raises
        now = _software()
        changed = [
            f"{n} {then} → {now.get(n)}" for n, then in software.items() if then != now.get(n)
        ]
        since = f" (since then: {', '.join(changed)})" if changed else ""
        raise ModelRefused(
            f"ML model {model_id} was saved by another version of the software{since} and cannot "
            f"be opened: {type(error).__name__}: {error}. {WAY_OUT}"
        ) from error
    return fitted


def _software() -> dict[str, str]:
    """Versions of what a saved ML model is made of."""
    from importlib.metadata import version

    return {name: version(name) for name in ("scikit-learn", "numpy", "pandas", "scipy")}
