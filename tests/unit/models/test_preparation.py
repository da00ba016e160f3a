from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

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
