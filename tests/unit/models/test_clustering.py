from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from models.clustering import FittedSegments, SearchParameters, assign, distances, fit_segments
from models.evidence import EVIDENCE_COLUMNS, ONE_SEGMENT
from models.preparation import prepare
from models.search_parameters import ALGORITHMS

MakeCustomers = Callable[..., pd.DataFrame]
SMALL = SearchParameters(k_range=(2, 5), n_init=2)


@pytest.fixture(scope="module")
def frame(make_customers: MakeCustomers) -> pd.DataFrame:
    return make_customers(1500)


@pytest.fixture(scope="module")
def fitted(make_customers: MakeCustomers) -> FittedSegments:
    return fit_segments(make_customers(1500), parameters=SMALL)


def _assert_same(one: FittedSegments, other: FittedSegments) -> None:
    pd.testing.assert_frame_equal(one.evidence, other.evidence, check_exact=True)
    np.testing.assert_array_equal(one.clusterer.centres, other.clusterer.centres)
    assert one.reasoning == other.reasoning


def test_finds_the_planted_kinds() -> None:
    rng = np.random.default_rng(1)
    kind = np.repeat([0, 1, 2, 3], 100)
    centres = np.array([[0, 0], [0, 9], [9, 0], [9, 9]])[kind]
    rows = centres + rng.normal(size=(400, 2))
    frame = pd.DataFrame({"customer_id": np.arange(400), "a": rows[:, 0], "b": rows[:, 1]})
    fit = fit_segments(frame, {"a": "linear", "b": "linear"})
    assert fit.k == 4
    assert adjusted_rand_score(kind, assign(fit, frame)["cluster"]) > 0.95
    assert fit.silhouette > 0.6


def test_fit_tells_the_whole_search(fitted: FittedSegments, frame: pd.DataFrame) -> None:
    evidence = fitted.evidence
    assert tuple(evidence.columns) == EVIDENCE_COLUMNS
    assert list(evidence["k"]) == [2, 3, 4, 5]
    assert evidence["inertia"].is_monotonic_decreasing
    assert evidence["is_chosen"].sum() == 1
    chosen = evidence[evidence["is_chosen"]].iloc[0]
    assert chosen["silhouette"] == evidence["silhouette"].max() == fitted.silhouette
    assigned = assign(fitted, frame)
    shares = assigned["cluster"].value_counts(normalize=True)
    assert chosen["smallest_share"] == pytest.approx(shares.min())
    assert fitted.inertia == pytest.approx(np.square(assigned["distance"]).sum())
    assert f"Taken: k-means with {fitted.k}, " in fitted.reasoning


def test_every_customer_has_her_nearest_centre(fitted: FittedSegments, frame: pd.DataFrame) -> None:
    frame = frame.sort_values("customer_id", ignore_index=True)
    rows = prepare(fitted.preparation, frame)
    measured = np.linalg.norm(rows[:, None] - fitted.clusterer.centres[None], axis=2)
    ranked = np.sort(measured, axis=1)
    found = assign(fitted, frame)
    assert list(found["customer_id"]) == list(frame["customer_id"])
    np.testing.assert_allclose(found["distance"], ranked[:, 0], atol=1e-8)
    margin = 1 - ranked[:, 0] / ranked[:, 1]
    np.testing.assert_allclose(found["confidence"], margin, atol=1e-8)
    assert found["confidence"].between(0, 1).all()
    assert (found["second_cluster"].to_numpy() == measured.argsort(axis=1)[:, 1]).all()
    told = distances(fitted, frame.sample(frac=1, random_state=1))
    assert list(told.columns) == list(range(fitted.k))
    assert list(told.index) == list(frame["customer_id"])
    np.testing.assert_allclose(told, measured, atol=1e-8)


def test_same_bits_for_any_order_of_rows_and_threads(make_customers: MakeCustomers) -> None:
    frame = make_customers(3000)
    parameters = SearchParameters(k_range=(3, 5), n_init=2, search_rows=2000, silhouette_rows=1000)
    shuffled = frame.sample(frac=1, random_state=5)
    with threadpool_limits(limits=1):
        one = fit_segments(frame, parameters=parameters)
    with threadpool_limits(limits=2):
        two = fit_segments(shuffled, parameters=parameters)
    _assert_same(one, two)


def test_a_customer_alone_is_assigned_as_among_others(
    fitted: FittedSegments, make_customers: MakeCustomers
) -> None:
    newcomers = make_customers(300, seed=9)
    together = assign(fitted, newcomers)
    apart = pd.concat([assign(fitted, newcomers.iloc[[i]]) for i in range(0, 300, 29)])
    expected = together[together["customer_id"].isin(apart["customer_id"])]
    pd.testing.assert_frame_equal(
        apart.sort_values("customer_id", ignore_index=True),
        expected.reset_index(drop=True),
        check_exact=True,
    )


def test_assignment_needs_every_feature_of_the_fit(
    fitted: FittedSegments, make_customers: MakeCustomers
) -> None:
    with pytest.raises(ValueError, match="missing from the frame: monetary"):
        assign(fitted, make_customers(5).drop(columns="monetary"))


@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_few_customers_shrink_the_range(make_customers: MakeCustomers, count: int) -> None:
    customers = make_customers(count)
    fit = fit_segments(customers, parameters=SearchParameters(k_range=(4, 12)))
    assigned = assign(fit, customers)
    assert len(assigned) == count
    assert fit.evidence["k"].max() == max(1, count - 1)
    assert assigned["cluster"].nunique() == fit.k
    if count < 3:
        assert fit.k == 1
        assert np.isnan(fit.silhouette)
        assert (assigned["confidence"] == 1).all()
        assert assigned["second_cluster"].isna().all()


@pytest.mark.parametrize("count", [1, 50])
def test_equal_customers_are_one_cluster(make_customers: MakeCustomers, count: int) -> None:
    first = make_customers(1)
    frame = pd.concat([first] * count, ignore_index=True)
    frame = frame.assign(customer_id=[f"C{i}" for i in range(count)])
    fit = fit_segments(frame)
    assert fit.k == 1
    assert fit.preparation.used == ()
    assert fit.evidence["reason"].tolist() == [ONE_SEGMENT]
    assert fit.reasoning.startswith("One segment")
    assert (assign(fit, frame)[["cluster", "distance"]] == 0).all().all()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_can_be_asked_for(frame: pd.DataFrame, algorithm: str) -> None:
    told = SearchParameters(algorithms=(algorithm,), k_range=(2, 3), resamples=3, density_rows=600)
    fit = fit_segments(frame, parameters=told)
    evidence = fit.evidence
    assert set(evidence["algorithm"]) <= {algorithm, "kmeans"}
    assert not evidence.duplicated(["algorithm", "k"]).any()
    assigned = assign(fit, frame)
    assert set(assigned["cluster"]) <= set(range(fit.k))
    assert list(fit.segment_stability.index) == list(range(fit.k))
    assert np.isnan(fit.segment_stability.iloc[-1]) == fit.clusterer.has_noise


def test_the_evidence_picks_among_algorithms(frame: pd.DataFrame) -> None:
    told = SearchParameters(algorithms=("gaussian_mixture", "ward"), k_range=(2, 3), resamples=2)
    fit = fit_segments(frame, parameters=told)
    assert list(fit.evidence["algorithm"]) == ["gaussian_mixture"] * 2 + ["ward"] * 2
    chosen = fit.evidence[fit.evidence["is_chosen"]].iloc[0]
    assert fit.clusterer.algorithm == chosen["algorithm"]
    assert fit.stability == pytest.approx(fit.segment_stability.mean())
    assert "a Gaussian mixture with 2 to 3; Ward's hierarchy with 2 to 3" in fit.reasoning


def test_fewer_kinds_than_clusters_shrink_the_range() -> None:
    frame = pd.DataFrame({"customer_id": range(90), "x": np.repeat([1.0, 2.0, 9.0], 30)})
    fit = fit_segments(frame, {"x": "linear"})
    assert list(fit.evidence["k"]) == [2, 3]
    assert fit.k == 3
    assert fit.inertia == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("spend", "parts"), [((10, 999, 999), [1, 2]), ((10, 10, 10), [2, 1])])
def test_a_former_fit_goes_on_where_a_more_compact_one_is_blind_to_spend(
    spend: tuple[int, ...], parts: list[int]
) -> None:
    """Three places at 0, 4 and 10: {0, 4} and {10} is more compact than {0} and {4, 10}."""
    frame = pd.DataFrame({"customer_id": range(90), "x": np.repeat([0.0, 4.0, 10.0], 30)})
    frame["monetary"] = np.repeat(spend, 30)
    near = pd.Series(np.repeat([0, 1, 1], 30), frame["customer_id"])
    told = SearchParameters(k_range=(2, 2), tolerance=0.1, resamples=0)
    fit = fit_segments(frame, {"x": "linear"}, told, near)
    places = assign(fit, frame)["cluster"].to_numpy()[::30]
    assert [int((places == places[i]).sum()) for i in (0, 2)] == parts


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda frame: frame.head(0), "no customers"),
        (lambda frame: frame.drop(columns="customer_id"), "no column customer_id"),
        (lambda frame: pd.concat([frame, frame.head(1)]), "customer_id repeats"),
        (lambda frame: frame.assign(customer_id=None), "5 rows without customer_id"),
    ],
)
def test_bad_frames_are_refused(
    make_customers: MakeCustomers, damage: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit_segments(damage(make_customers(5)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"k_range": (1, 5)},
        {"k_range": (5, 4)},
        {"min_share": 1.0},
        {"min_stability": -0.1},
        {"tolerance": -0.1},
        {"resamples": -1},
        {"algorithms": ()},
        {"algorithms": ("kmeans", "kmeans")},
        {"algorithms": ("kmedoids",)},
    ],
)
def test_senseless_parameters_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SearchParameters(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("count", [1, 2, 3, 10, 40])
def test_every_algorithm_takes_few_customers(
    make_customers: MakeCustomers, algorithm: str, count: int
) -> None:
    customers = make_customers(count)
    told = SearchParameters(algorithms=(algorithm,), k_range=(2, 12), resamples=2, n_init=2)
    fit = fit_segments(customers, parameters=told)
    assigned = assign(fit, customers)
    assert len(assigned) == count
    assert assigned["cluster"].between(0, fit.k - 1).all()
    assert assigned["distance"].notna().all()
    assert fit.evidence["is_chosen"].sum() == 1
    assert fit.reasoning


def test_infinities_and_texts_are_refused_at_assignment_too(
    fitted: FittedSegments, make_customers: MakeCustomers
) -> None:
    few = make_customers(5)
    with pytest.raises(ValueError, match="infinite values in: monetary"):
        assign(fitted, few.assign(monetary=np.inf))
    with pytest.raises(ValueError, match="feature frequency is not numeric"):
        assign(fitted, few.assign(frequency="often"))
    unknown = assign(fitted, few.assign(**dict.fromkeys(fitted.preparation.inputs, None)))
    assert unknown["cluster"].nunique() == 1  # all are where nothing is known


def test_constant_and_unknown_features_are_left_out(make_customers: MakeCustomers) -> None:
    customers = make_customers(60).assign(discount_share=0.0, mean_sentiment=None)
    fit = fit_segments(customers, parameters=SMALL)
    assert set(fit.preparation.dropped) == {"discount_share", "mean_sentiment"}
    assert fit.k > 1
    changed = customers.assign(discount_share=0.5, mean_sentiment=1.0)
    pd.testing.assert_frame_equal(assign(fit, changed), assign(fit, customers))
