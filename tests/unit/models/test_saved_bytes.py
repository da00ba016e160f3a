"""The same customers give the same saved ML model, in any process."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from models.clustering import fit_segments
from models.preparation import Index, PreparationParameters
from models.search_parameters import ALGORITHMS, SearchParameters

ROOT = Path(__file__).resolve().parents[3]
TREATMENTS = {"monetary": "log", "frequency": "yeo-johnson", "posts": "log", "followers": "linear"}
PREPARATIONS: list[dict[str, Any]] = [
    {"imputation": "knn", "pca_share": 0.95},
    {"indices": {"worth": Index(("monetary", "frequency"))}, "scaling": "min-max"},
    {"imputation": "iterative", "scaling": "robust", "weights": {"social": 2.0}},
]


def _customers() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    kind = np.arange(240) % 3
    rows = np.exp(np.array([1.0, 3.0, 5.0])[kind][:, None] + 0.3 * rng.normal(size=(240, 4)))
    rows[rng.random(rows.shape) < 0.05] = np.nan
    frame = pd.DataFrame(rows, columns=list(TREATMENTS))
    return frame.assign(customer_id=[f"c{i:03d}" for i in range(240)])


def _digests() -> dict[str, str]:
    """SHA-256 of a saved fit of every algorithm, each with one of the preparations."""
    digests = {}
    for at, name in enumerate(ALGORITHMS):
        search = SearchParameters(algorithms=(name,), k_range=(2, 3), resamples=2, n_init=2)
        how = PREPARATIONS[at % len(PREPARATIONS)]
        preparation = PreparationParameters(treatments=TREATMENTS, max_correlation=1.0, **how)  # type: ignore[arg-type]
        stream = io.BytesIO()
        joblib.dump(fit_segments(_customers(), preparation, search), stream)
        digests[name] = hashlib.sha256(stream.getvalue()).hexdigest()
    return digests


def test_every_algorithm_saves_the_same_bytes_in_any_process() -> None:
    here = _digests()
    told = subprocess.run(
        [sys.executable, "-W", "ignore", __file__],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(told.stdout) == here
    assert len(set(here.values())) == len(ALGORITHMS)


if __name__ == "__main__":
    print(json.dumps(_digests()))
