"""Fingerprints: the same customers and parameters give the same ML model id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from models.preparation import numeric_features


def frame_digest(frame: pd.DataFrame, features: Sequence[str]) -> str:
    """SHA-256 of customer ids and features, whatever the order of rows or the numeric types."""
    ordered = frame.sort_values("customer_id", kind="stable", ignore_index=True)
    numbers = numeric_features(ordered, list(features)).to_numpy() + 0.0  # -0.0 becomes 0.0
    numbers[np.isnan(numbers)] = np.nan  # one bit pattern for every missing value
    digest = hashlib.sha256(json.dumps(list(features)).encode())
    digest.update("\x1f".join(ordered["customer_id"].astype(str)).encode())
    digest.update(np.ascontiguousarray(numbers, dtype="<f8").tobytes())
    return digest.hexdigest()


def fingerprint(as_of: date, digest: str, parameters: Mapping[str, object]) -> str:
    """SHA-256 of everything a fit depends on: date, frame digest, parameters (JSON values)."""
    facts = {"as_of": as_of.isoformat(), "frame": digest, "parameters": dict(parameters)}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def model_id(
    as_of: date, digest: str, parameters: Mapping[str, object], algorithm: str = "kmeans"
) -> str:
    """Name the fit: <algorithm>-<as_of>-<first 12 hex digits of its fingerprint>.

    >>> from datetime import date
    >>> model_id(date(2025, 12, 31), "00", {"seed": 42})
    'kmeans-2025-12-31-1543f9ba8015'
    """
    return f"{algorithm}-{as_of.isoformat()}-{fingerprint(as_of, digest, parameters)[:12]}"
