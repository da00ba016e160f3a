from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.utils.estimator_checks import check_estimators_pickle

from models.preparation import (
    DEFAULT_TREATMENTS,
    FEATURE_GROUPS,
    KNOWN_TREATMENTS,
    Index,
    Preparation,
    PreparationParameters,
    Winsoriser,
    fit_preparation,
    numeric_features,
    prepare,
    signed_log1p,
)

MakeCustomers = Callable[..., pd.DataFrame]


def test_matrix_is_dense_standardised_and_in_declared_order(make_customers: MakeCustomers) -> None:
    frame = make_customers(500)
    preparation = fit_preparation(frame)
    rows = prepare(preparation, frame)
    assert set(preparation.used) == set(DEFAULT_TREATMENTS)
    assert preparation.dropped == {}
    assert rows.shape == (500, len(preparation.used))
    assert np.isfinite(rows).all()
    known = frame["frequency"].notna()
    column = rows[known, preparation.used.index("frequency")]
    assert column.mean() == pytest.approx(0, abs=1e-9)
    assert column.std() == pytest.approx(1)


def test_missing_values_land_on_the_median_and_add_no_spread(
    make_customers: MakeCustomers,
) -> None:
    frame = make_customers(1000)
    few = frame.assign(mean_sentiment=frame["mean_sentiment"].where(frame.index < 50))
    rows = prepare(fit := fit_preparation(few), few)
    column = rows[:, fit.used.index("mean_sentiment")]
    missing = few["mean_sentiment"].isna().to_numpy()
    assert len(set(column[missing])) == 1
    assert column[missing][0] == pytest.approx(np.median(column[~missing]))
    assert column.std() < 0.35  # a feature known for a twentieth weighs accordingly


def test_null_and_constant_features_are_dropped_and_reported(make_customers: MakeCustomers) -> None:
    frame = make_customers(200).assign(mean_sentiment=None, discount_share=0.0)
    preparation = fit_preparation(frame)
    assert preparation.dropped == {
        "mean_sentiment": "no values",
        "discount_share": "same value for all",
    }
    assert not {"mean_sentiment", "discount_share"} & set(preparation.used)
    assert prepare(preparation, frame).shape == (200, len(DEFAULT_TREATMENTS) - 2)


def test_a_lone_outlier_counts_as_constant_once_winsorised() -> None:
    frame = pd.DataFrame({"monetary": [10.0] * 999 + [1e6]})
    assert fit_preparation(frame, {"monetary": "log"}).dropped == {"monetary": "same value for all"}


@pytest.mark.parametrize("value", [None, 7.0])
def test_nothing_left_gives_no_columns(value: float | None) -> None:
    frame = pd.DataFrame({"monetary": [value, value]}, dtype="float64")
    preparation = fit_preparation(frame, {"monetary": "log"})
    assert preparation.pipeline is None
    assert prepare(preparation, frame).shape == (2, 0)


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([Decimal("1.5"), None, Decimal("-2.25")], dtype="object"),
        pd.Series(
            [Decimal("1.5"), None, Decimal("-2.25")], dtype=pd.ArrowDtype(pa.decimal128(18, 4))
        ),
        pd.Series([1.5, None, -2.25], dtype="Float64"),
        pd.Series([1.5, None, -2.25], dtype="float32"),
    ],
)
def test_decimal_and_nullable_types_become_floats(column: pd.Series) -> None:
    numbers = numeric_features(pd.DataFrame({"monetary": column}), ["monetary"])
    np.testing.assert_array_equal(numbers["monetary"], [1.5, np.nan, -2.25])


def test_nullable_integers_and_booleans_become_floats() -> None:
    frame = pd.DataFrame(
        {
            "frequency": pd.Series([1, None], dtype="Int64"),
            "has_web": pd.Series([True, None], dtype="boolean"),
        }
    )
    numbers = numeric_features(frame, ["frequency", "has_web"])
    np.testing.assert_array_equal(numbers.to_numpy(), [[1, 1], [np.nan, np.nan]])


@pytest.mark.parametrize("infinity", [np.inf, -np.inf])
def test_infinities_are_refused_by_name(make_customers: MakeCustomers, infinity: float) -> None:
    frame = make_customers(20)
    preparation = fit_preparation(frame)
    frame.loc[3, "monetary"] = infinity
    with pytest.raises(ValueError, match="infinite values in: monetary"):
        fit_preparation(frame)
    with pytest.raises(ValueError, match="infinite values in: monetary"):
        prepare(preparation, frame)


def test_absent_and_textual_features_are_refused_by_name(make_customers: MakeCustomers) -> None:
    frame = make_customers(20)
    preparation = fit_preparation(frame)
    with pytest.raises(ValueError, match="missing from the frame: frequency"):
        prepare(preparation, frame.drop(columns="frequency"))
    with pytest.raises(ValueError, match="feature frequency is not numeric"):
        fit_preparation(frame.assign(frequency="many"))


def test_unknown_treatments_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown treatments: cube"):
        fit_preparation(pd.DataFrame({"x": [1, 2]}), {"x": "cube"})  # type: ignore[dict-item]


def test_fitted_bounds_hold_for_new_rows(make_customers: MakeCustomers) -> None:
    frame = make_customers(500)
    preparation = fit_preparation(frame)
    at = preparation.used.index("monetary")
    known = prepare(preparation, frame)[:, at]
    extreme = prepare(preparation, frame.head(1).assign(monetary=1e12))[0, at]
    assert extreme == known.max()


def test_signed_log_keeps_sign_and_order() -> None:
    values = [-1000.0, -1.0, 0.0, 1.0, 1000.0]
    logged = signed_log1p(values)
    assert (np.diff(logged) > 0).all()
    np.testing.assert_allclose(logged, -signed_log1p(values[::-1]))


@settings(max_examples=50, deadline=None)
@given(
    arrays(
        "float64",
        st.tuples(st.integers(1, 40), st.integers(1, 4)),
        elements=st.floats(-1e9, 1e9),
    )
)
def test_winsorising_never_leaves_the_quantiles(values: np.ndarray) -> None:
    clipped = Winsoriser((0.1, 0.9)).fit_transform(values)
    low, high = np.quantile(values, (0.1, 0.9), axis=0)
    np.testing.assert_array_equal(clipped, np.clip(values, low, high))


def test_winsoriser_is_a_scikit_learn_estimator() -> None:
    check_estimators_pickle("Winsoriser", Winsoriser())


def _prepared(frame: pd.DataFrame, **told: Any) -> tuple[Preparation, np.ndarray]:
    preparation = fit_preparation(frame, PreparationParameters(**told))
    return preparation, prepare(preparation, frame)


def test_yeo_johnson_takes_the_skew_away() -> None:
    values = np.exp(np.random.default_rng(0).normal(size=(800, 1)))
    frame = pd.DataFrame(values, columns=["monetary"])
    for treatment, most in (("yeo-johnson", 0.2), ("log", 1.0)):
        rows = _prepared(frame, treatments={"monetary": treatment})[1]
        assert abs(pd.Series(rows[:, 0]).skew()) < most


def test_scaling(make_customers: MakeCustomers) -> None:
    frame = make_customers(400)
    spans = _prepared(frame, scaling="min-max")[1]
    assert spans.min() == 0 and spans.max() == pytest.approx(1)
    preparation, robust = _prepared(frame, scaling="robust", imputation="median")
    known = robust[:, preparation.used.index("tenure_days")]
    low, high = np.quantile(known, [0.25, 0.75])
    assert np.median(known) == pytest.approx(0, abs=1e-9)
    assert high - low == pytest.approx(1)


def test_features_that_say_the_same_or_next_to_nothing_are_dropped(
    make_customers: MakeCustomers,
) -> None:
    frame = make_customers(400).assign(average_order_value=lambda f: 3 * f["monetary"])
    frame["refund_share"] = np.where(frame.index < 2, 1.0, 0.0)
    treatments = {"monetary": "log", "average_order_value": "log", "refund_share": "share"}
    preparation, _ = _prepared(frame, treatments=treatments, min_variance=0.01)
    assert preparation.used == preparation.inputs == ("monetary",)
    assert preparation.dropped == {
        "refund_share": "variance 0.005 in 0..1",
        "average_order_value": "correlates with monetary (1.00)",
    }


@pytest.mark.parametrize("imputation", ["knn", "iterative"])
def test_a_gap_is_guessed_and_an_absent_source_is_in_the_middle(imputation: str) -> None:
    rng = np.random.default_rng(1)
    spend = rng.normal(size=600)
    frame = pd.DataFrame(
        {
            "monetary": spend,
            "average_order_value": spend + 0.1 * rng.normal(size=600),
            "web_sessions": spend + 0.1 * rng.normal(size=600),
            "pages_per_session": rng.normal(size=600),
        }
    )
    told = {"treatments": dict.fromkeys(frame, "linear"), "max_correlation": 1.0}
    truth = _prepared(frame, **told)[1]
    holed = frame.copy()
    holed.loc[:99, "average_order_value"] = np.nan
    holed.loc[100:199, ["web_sessions", "pages_per_session"]] = np.nan
    preparation, rows = _prepared(holed, imputation=imputation, **told)
    guessed = rows[:100, preparation.used.index("average_order_value")]
    actual = truth[:100, preparation.used.index("average_order_value")]
    assert np.abs(guessed - actual).mean() < 0.35
    absent = rows[100:200, preparation.used.index("web_sessions")]
    assert len(set(absent)) == 1 and abs(absent[0]) < 0.2
    alone = prepare(preparation, holed.iloc[[5]])
    np.testing.assert_allclose(alone[0], rows[5], atol=1e-9)


def test_a_gap_first_met_at_assignment_is_filled(make_customers: MakeCustomers) -> None:
    frame = make_customers(300)
    for imputation in ("median", "knn", "iterative"):
        preparation, rows = _prepared(frame, imputation=imputation)
        gapped = prepare(preparation, frame.assign(frequency=np.nan, monetary=None))
        assert np.isfinite(gapped).all() and gapped.shape == rows.shape


def test_a_group_of_weight_two_counts_twice(make_customers: MakeCustomers) -> None:
    frame = make_customers(300)
    plain, rows = _prepared(frame)
    weighted, told = _prepared(frame, weights={"value": 2.0, "frequency": 0.5, "loyalty": 0})
    assert weighted.dropped == {"tenure_days": "weight 0"}
    for name, times in (("monetary", 2.0), ("frequency", 0.5), ("discount_share", 1.0)):
        column = told[:, weighted.used.index(name)]
        np.testing.assert_allclose(column**2, times * rows[:, plain.used.index(name)] ** 2)


@pytest.mark.parametrize("weights", [None, (1.0, 2.0)])
def test_an_index_stands_in_the_place_of_its_features(
    make_customers: MakeCustomers, weights: tuple[float, float] | None
) -> None:
    frame = make_customers(300)
    index = Index(("frequency", "monetary"), weights)
    preparation, rows = _prepared(frame, indices={"worth": index}, weights={"worth": 4.0})
    assert preparation.used[-1] == "worth"
    assert not {"frequency", "monetary"} & set(preparation.used)
    assert {"frequency", "monetary"} <= set(preparation.inputs)
    worth = rows[:, -1] / 2
    assert worth.mean() == pytest.approx(0, abs=1e-9)
    assert worth.std() == pytest.approx(1)
    for name in index.features:
        assert np.corrcoef(worth, np.log(frame[name]))[0, 1] > 0.5


def test_an_index_of_a_dropped_feature_is_not_made_and_said_so(
    make_customers: MakeCustomers,
) -> None:
    index = Index(("frequency", "monetary"))
    preparation, _ = _prepared(make_customers(50).assign(monetary=7.0), indices={"worth": index})
    assert "frequency" in preparation.used
    assert preparation.dropped["worth"] == "not all of its features are used"


def test_principal_components_keep_what_is_asked_for(make_customers: MakeCustomers) -> None:
    frame = make_customers(300)
    preparation, rows = _prepared(frame, pca_share=0.8)
    plain = _prepared(frame)[1]
    components = preparation.components
    assert components is not None and rows.shape == (300, len(components))
    assert components.shape[1] == len(preparation.used) > len(components)
    np.testing.assert_allclose(rows, (plain - plain.mean(axis=0)) @ components.T, atol=1e-8)
    assert rows.var(axis=0).sum() / plain.var(axis=0).sum() >= 0.8
    np.testing.assert_array_equal(prepare(preparation, frame.iloc[[7]])[0], rows[7])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"indices": {"i": Index(("posts", "monetary"))}}, "not used: posts"),
        ({"weights": {"colour": 2.0}}, "not used: colour"),
        ({"pca_share": 1.5}, "pca_share"),
    ],
)
def test_senseless_parameters_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PreparationParameters(**wrong)


def test_senseless_indices_are_refused() -> None:
    with pytest.raises(ValueError, match="two or more"):
        Index(("monetary",))
    with pytest.raises(ValueError, match="1 weights for 2"):
        Index(("monetary", "frequency"), (1.0,))


def test_groups_and_treatments_speak_of_the_same_features() -> None:
    grouped = [name for names in FEATURE_GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(KNOWN_TREATMENTS)
