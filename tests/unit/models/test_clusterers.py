from __future__ import annotations

import hashlib
import io

import joblib
import numpy as np
import pytest
from scipy.cluster.hierarchy import dendrogram, linkage
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from models.clusterers import Clusterer, fit_clusterer, refine
from models.density import GRAINS
from models.hierarchy import WardSegments, ward_linkage
from models.search_parameters import ALGORITHMS, SearchParameters

TOLD = SearchParameters(n_init=2, search_rows=400, micro_clusters=40)


def _blobs(count: int, noise: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three clouds of unlike extent, and `noise` customers anywhere; kind 3 is noise."""
    rng = np.random.default_rng(5)
    kind = np.arange(count) % 3
    centres = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 9]])
    rows = centres[kind] + rng.normal(size=(count, 3)) * np.array([1, 1.5, 0.8])[kind][:, None]
    scattered = rng.uniform(-40, 40, (noise, 3))
    return np.vstack([rows, scattered]), np.append(kind, np.full(noise, 3))


def _fit(algorithm: str, rows: np.ndarray, k: int = 3) -> Clusterer:
    return fit_clusterer(algorithm, rows, None if algorithm in GRAINS else k, TOLD)


@pytest.mark.parametrize("count", [300, 1500])  # above 400 rows: a sample, then refined
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_finds_clear_groups(algorithm: str, count: int) -> None:
    rows, kind = _blobs(count)
    fit = _fit(algorithm, rows)
    distances = fit.distances(rows)
    labels = distances.argmin(axis=1)
    assert fit.algorithm == algorithm
    assert fit.has_noise == (algorithm in GRAINS)
    assert distances.shape == (count, len(fit.centres)) == (count, 3 + fit.has_noise)
    assert (distances >= 0).all() and np.isfinite(distances).all()
    assert adjusted_rand_score(kind, labels) > (0.8 if fit.has_noise else 0.99)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_row_alone_is_as_far_as_among_others(algorithm: str) -> None:
    rows, _ = _blobs(300)
    fit = _fit(algorithm, rows)
    together = fit.distances(rows)
    for i in range(0, 300, 37):
        np.testing.assert_array_equal(fit.distances(rows[i : i + 1])[0], together[i])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_saved_bytes_are_the_same_each_time(algorithm: str) -> None:
    rows, _ = _blobs(300)

    def saved() -> str:
        stream = io.BytesIO()
        joblib.dump(_fit(algorithm, rows.copy()), stream)
        return hashlib.sha256(stream.getvalue()).hexdigest()

    assert saved() == saved()


@pytest.mark.parametrize("algorithm", ["kmeans", "gaussian_mixture"])
def test_refining_keeps_the_numbers_of_the_clusters(algorithm: str) -> None:
    rows, _ = _blobs(1500)
    first = _fit(algorithm, rows[:300])
    refined = refine(first, rows, TOLD)
    labels = [fit.distances(rows).argmin(axis=1) for fit in (first, refined)]
    assert (labels[0] == labels[1]).mean() > 0.99
    assert np.abs(first.centres - refined.centres).max() > 0


def test_many_customers_are_refined_by_mini_batches() -> None:
    rows, kind = _blobs(1500)
    told = SearchParameters(search_rows=400, mini_batch_above=1000)
    labels = fit_clusterer("kmeans", rows, 3, told).distances(rows).argmin(axis=1)
    assert adjusted_rand_score(kind, labels) > 0.99


def test_the_nearest_of_a_mixture_is_the_most_probable() -> None:
    rows, _ = _blobs(300)
    rows = rows / 4  # overlapping
    fit = _fit("gaussian_mixture", rows)
    plain = GaussianMixture(3, reg_covar=0.01, n_init=3, max_iter=500, random_state=TOLD.seed).fit(
        rows
    )
    np.testing.assert_array_equal(fit.distances(rows).argmin(axis=1), plain.predict(rows))


def test_equal_sizes_give_the_tree_of_scipy() -> None:
    points = np.random.default_rng(2).normal(size=(60, 4))
    np.testing.assert_allclose(ward_linkage(points, np.ones(60)), linkage(points, "ward"))


def test_micro_clusters_merge_as_their_members_would() -> None:
    points = np.array([[0.0], [1.0], [10.0]])
    sizes = np.array([2.0, 3.0, 1.0])
    apart = np.repeat(points, sizes.astype(int), axis=0)
    np.testing.assert_allclose(ward_linkage(points, sizes)[:, 2], linkage(apart, "ward")[-2:, 2])


def test_the_tree_can_be_drawn() -> None:
    fit = _fit("ward", _blobs(1500)[0])
    assert isinstance(fit, WardSegments)
    drawn = dendrogram(fit.linkage, no_plot=True)
    assert len(drawn["leaves"]) == len(fit.points) <= TOLD.micro_clusters


@pytest.mark.parametrize("algorithm", GRAINS)
def test_who_is_in_no_dense_region_is_noise(algorithm: str) -> None:
    rows, kind = _blobs(360, noise=40)
    fit = _fit(algorithm, rows)
    labels = fit.distances(rows).argmin(axis=1)
    is_noise = labels == len(fit.centres) - 1
    assert is_noise[kind == 3].mean() > 0.9
    assert is_noise[kind < 3].mean() < 0.35
    far = fit.distances(np.full((1, 3), 1e6))
    assert far.argmin() == len(fit.centres) - 1


@pytest.mark.parametrize("algorithm", GRAINS)
def test_without_dense_regions_nothing_is_made_up(algorithm: str) -> None:
    with pytest.raises(ValueError, match=f"{algorithm} finds fewer than two dense regions"):
        _fit(algorithm, np.repeat([[1.0, 2.0]], 30, axis=0))


@pytest.mark.parametrize(
    ("algorithm", "k", "message"),
    [
        ("kmedoids", 3, "unknown algorithm: kmedoids; use one of kmeans"),
        ("kmeans", None, "kmeans needs its number of clusters"),
        ("dbscan", 3, "dbscan finds its number of clusters"),
    ],
)
def test_senseless_demands_are_refused(algorithm: str, k: int | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_clusterer(algorithm, np.eye(5), k, TOLD)
