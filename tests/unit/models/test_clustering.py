from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from models.clustering import FittedSegments, SearchParameters, assign, choose_k, fit_segments
from models.preparation import prepare

MakeCustomers = Callable[..., pd.DataFrame]
SMALL = SearchParameters(k_range=(2, 5), n_init=2)


@pytest.fixture(scope="module")
def fitted(make_customers: MakeCustomers) -> FittedSegments:
    return fit_segments(make_customers(1500), parameters=SMALL)


def _assert_same(one: FittedSegments, other: FittedSegments) -> None:
    pd.testing.assert_frame_equal(one.assignments, other.assignments, check_exact=True)
    pd.testing.assert_frame_equal(one.selection, other.selection, check_exact=True)
    np.testing.assert_array_equal(one.centres, other.centres)


def test_finds_the_planted_kinds() -> None:
    rng = np.random.default_rng(1)
    kind = np.repeat([0, 1, 2, 3], 100)
    centres = np.array([[0, 0], [0, 9], [9, 0], [9, 9]])[kind]
    rows = centres + rng.normal(size=(400, 2))
    frame = pd.DataFrame({"customer_id": np.arange(400), "a": rows[:, 0], "b": rows[:, 1]})
    fit = fit_segments(frame, {"a": "linear", "b": "linear"})
    assert fit.k == 4
    assert adjusted_rand_score(kind, fit.assignments["cluster"]) > 0.95
    assert fit.silhouette > 0.6


def test_fit_tells_the_whole_search(fitted: FittedSegments) -> None:
    selection = fitted.selection
    assert list(selection["k"]) == [2, 3, 4, 5]
    assert selection["inertia"].is_monotonic_decreasing
    assert selection["is_chosen"].sum() == 1
    chosen = selection[selection["is_chosen"]].iloc[0]
    assert chosen["silhouette"] == selection["silhouette"].max() == fitted.silhouette
    shares = fitted.assignments["cluster"].value_counts(normalize=True)
    assert chosen["smallest_share"] == pytest.approx(shares.min())
    squared = np.square(fitted.assignments["distance"]).sum()
    assert fitted.inertia == pytest.approx(squared)
    assert fitted.silhouette_rows == 1500


def test_every_customer_has_her_nearest_centre(
    fitted: FittedSegments, make_customers: MakeCustomers
) -> None:
    frame = make_customers(1500).sort_values("customer_id", ignore_index=True)
    rows = prepare(fitted.preparation, frame)
    distances = np.sort(np.linalg.norm(rows[:, None] - fitted.centres[None], axis=2), axis=1)
    found = fitted.assignments
    assert list(found["customer_id"]) == list(frame["customer_id"])
    np.testing.assert_allclose(found["distance"], distances[:, 0], atol=1e-8)
    margin = 1 - distances[:, 0] / distances[:, 1]
    np.testing.assert_allclose(found["confidence"], margin, atol=1e-8)
    assert found["confidence"].between(0, 1).all()


def test_same_bits_for_any_order_of_rows_and_threads(make_customers: MakeCustomers) -> None:
    frame = make_customers(3000)
    parameters = SearchParameters(k_range=(3, 5), n_init=2, search_rows=2000, silhouette_rows=1000)
    shuffled = frame.sample(frac=1, random_state=5)
    with threadpool_limits(limits=1):
        one = fit_segments(frame, parameters=parameters)
    with threadpool_limits(limits=2):
        two = fit_segments(shuffled, parameters=parameters)
    _assert_same(one, two)
    assert one.silhouette_rows == 1000


def test_assigning_the_frame_of_the_fit_changes_nothing(
    fitted: FittedSegments, make_customers: MakeCustomers
) -> None:
    again = assign(fitted, make_customers(1500))
    pd.testing.assert_frame_equal(again, fitted.assignments, check_exact=True)


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
    fit = fit_segments(make_customers(count), parameters=SearchParameters(k_range=(4, 12)))
    assert len(fit.assignments) == count
    assert fit.selection["k"].max() == max(1, count - 1)
    assert fit.assignments["cluster"].nunique() == fit.k
    if count < 3:
        assert fit.k == 1
        assert np.isnan(fit.silhouette)
        assert (fit.assignments["confidence"] == 1).all()


@pytest.mark.parametrize("count", [1, 50])
def test_equal_customers_are_one_cluster(make_customers: MakeCustomers, count: int) -> None:
    first = make_customers(1)
    frame = pd.concat([first] * count, ignore_index=True)
    frame = frame.assign(customer_id=[f"C{i}" for i in range(count)])
    fit = fit_segments(frame)
    assert fit.k == 1
    assert fit.preparation.used == ()
    assert fit.selection["reason"].tolist() == ["too few different customers: one segment"]
    assert (fit.assignments[["cluster", "distance"]] == 0).all().all()
    pd.testing.assert_frame_equal(assign(fit, frame), fit.assignments)


def test_fewer_kinds_than_clusters_shrink_the_range() -> None:
    frame = pd.DataFrame({"customer_id": range(90), "x": np.repeat([1.0, 2.0, 9.0], 30)})
    fit = fit_segments(frame, {"x": "linear"})
    assert list(fit.selection["k"]) == [2, 3]
    assert fit.k == 3
    assert fit.inertia == pytest.approx(0, abs=1e-9)


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
    "wrong", [{"k_range": (1, 5)}, {"k_range": (5, 4)}, {"min_share": 1.0}, {"tolerance": -0.1}]
)
def test_senseless_parameters_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SearchParameters(**wrong)  # type: ignore[arg-type]


def _measured(silhouettes: list[float], shares: list[float]) -> pd.DataFrame:
    ks = range(2, 2 + len(shares))
    inertias = [100.0 / k for k in ks]
    return pd.DataFrame(
        {"k": ks, "silhouette": silhouettes, "inertia": inertias, "smallest_share": shares}
    )


def _chosen(selection: pd.DataFrame) -> int:
    return int(selection.loc[selection["is_chosen"], "k"].item())


def test_a_k_with_a_tiny_segment_is_not_eligible() -> None:
    selection = choose_k(_measured([0.3, 0.5, 0.2], [0.3, 0.004, 0.1]), min_share=0.01)
    assert _chosen(selection) == 2
    assert selection["reason"].tolist() == [
        "best silhouette",
        "smallest segment below 1.0%",
        "eligible",
    ]


def test_without_an_eligible_k_the_guard_is_waived_and_said_so() -> None:
    selection = choose_k(_measured([0.5, 0.4], [0.001, 0.004]), min_share=0.01)
    assert _chosen(selection) == 3
    assert "no k keeps every segment above 1.0%" in selection["reason"].iloc[1]


def test_tolerance_prefers_more_segments_when_the_silhouette_hardly_differs() -> None:
    measured = _measured([0.50, 0.47, 0.46, 0.30], [0.2] * 4)
    assert _chosen(choose_k(measured, 0.01)) == 2
    assert _chosen(choose_k(measured, 0.01, tolerance=0.05)) == 4


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 0.5)), min_size=1, max_size=9),
    st.floats(0, 0.2),
)
def test_exactly_one_k_is_chosen_and_it_is_the_best_eligible(
    judged: list[tuple[float, float]], min_share: float
) -> None:
    measured = _measured([s for s, _ in judged], [share for _, share in judged])
    selection = choose_k(measured, min_share)
    assert selection["is_chosen"].sum() == 1
    eligible = selection[selection["smallest_share"] >= min_share]
    if not eligible.empty:
        chosen = selection[selection["is_chosen"]].iloc[0]
        assert chosen["silhouette"] == eligible["silhouette"].max()
        assert chosen["smallest_share"] >= min_share
