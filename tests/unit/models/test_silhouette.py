from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_samples, silhouette_score

from models import silhouette
from models.silhouette import mean_silhouettes


def test_equals_scikit_learn_for_every_labelling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silhouette, "_CHUNK_MEGABYTES", 1)  # several chunks
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(900, 4))
    labellings = [rng.integers(0, k, 900) for k in (2, 3, 7)]
    expected = [silhouette_score(rows, labels) for labels in labellings]
    found = mean_silhouettes(rows, labellings)
    np.testing.assert_allclose([score.mean for score in found], expected, atol=1e-12)
    errors = [silhouette_samples(rows, labels).std(ddof=1) / 30 for labels in labellings]
    np.testing.assert_allclose([score.error for score in found], errors, atol=1e-12)


def test_a_row_alone_in_its_cluster_counts_as_zero() -> None:
    rows = np.array([[0.0], [0.1], [5.0]])
    labels = np.array([0, 0, 1])
    assert mean_silhouettes(rows, [labels])[0].mean == pytest.approx(silhouette_score(rows, labels))


def test_cluster_numbers_without_rows_do_not_count() -> None:
    rows = np.array([[0.0], [0.1], [5.0], [5.1]])
    gapped, plain = np.array([0, 0, 3, 3]), np.array([0, 0, 1, 1])
    assert mean_silhouettes(rows, [gapped]) == mean_silhouettes(rows, [plain])


def test_one_cluster_has_no_silhouette() -> None:
    assert np.isnan(mean_silhouettes(np.zeros((3, 1)), [np.zeros(3, dtype=int)])[0].mean)
    assert np.isnan(mean_silhouettes(np.zeros((3, 0)), [np.zeros(3, dtype=int)])[0].mean)
    assert mean_silhouettes(np.zeros((3, 1)), []) == []
