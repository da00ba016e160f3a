"""Preparation: declared customer features in, a dense matrix for clustering out.

Every feature goes through the same four fitted stages: treat (logarithm for skewed amounts),
winsorise, standardise, impute. Standardising before imputing is deliberate: a missing value lands
on the centre and adds no spread, so a feature that few customers have weighs as little as it is
known, and segments are not drawn along the line "has this source or not".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

Treatment = Literal["log", "linear", "share"]
Matrix = NDArray[np.float64]

#: How each feature is treated before it is clustered. log: skewed amounts and counts;
#: linear: roughly symmetric; share: bounded by nature (0..1 or -1..1).
DEFAULT_TREATMENTS: Mapping[str, Treatment] = {
    "recency_days": "log",
    "frequency": "log",
    "monetary": "log",
    "tenure_days": "linear",
    "discount_share": "share",
    "engagement_score": "log",
    "mean_sentiment": "share",
}
DEFAULT_WINSOR_QUANTILES = (0.01, 0.99)


class Winsoriser(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Clip each column to the quantiles it had when fitted; missing values pass through.

    Source: Tukey (1962), "The Future of Data Analysis", section on winsorising.
    """

    def __init__(self, quantiles: tuple[float, float] = DEFAULT_WINSOR_QUANTILES) -> None:
        self.quantiles = quantiles

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn the lower and upper bound of each column (rows x columns, NaN allowed)."""
        values = validate_data(self, X, dtype="float64", ensure_all_finite="allow-nan")
        self.lower_, self.upper_ = np.nanquantile(values, self.quantiles, axis=0)
        return self

    def transform(self, X: ArrayLike) -> Matrix:
        """Return the rows with every value inside the fitted bounds."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype="float64", ensure_all_finite="allow-nan", reset=False)
        clipped: Matrix = np.clip(values, self.lower_, self.upper_)
        return clipped


@dataclass(frozen=True)
class Preparation:
    """A fitted preparation: which features it uses, which it dropped and why.

    `pipeline` is None when no feature is left (all customers equal).
    """

    pipeline: Pipeline | None
    used: tuple[str, ...]
    dropped: Mapping[str, str]


def signed_log1p(values: ArrayLike) -> Matrix:
    """Logarithm that keeps the sign: sign(x) * ln(1 + |x|). Net spend may be below zero.

    >>> signed_log1p([0.0, -1.0]).round(3).tolist()
    [0.0, -0.693]
    """
    numbers = np.asarray(values, dtype="float64")
    logged: Matrix = np.sign(numbers) * np.log1p(np.abs(numbers))
    return logged


def numeric_features(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return the named columns as float64, missing as NaN; Decimal and nullable types welcome.

    Raises ValueError naming the columns that are absent, not numeric, or infinite.
    """
    if absent := [name for name in names if name not in frame.columns]:
        raise ValueError(f"features missing from the frame: {', '.join(absent)}")
    numbers = pd.DataFrame({name: _as_float(frame[name]) for name in names}, index=frame.index)
    infinite = np.isinf(numbers.to_numpy()).any(axis=0)
    if infinite.any():
        named = ", ".join(numbers.columns[infinite])
        raise ValueError(f"infinite values in: {named}; mend the feature before clustering")
    return numbers


def fit_preparation(
    frame: pd.DataFrame,
    treatments: Mapping[str, Treatment] = DEFAULT_TREATMENTS,
    quantiles: tuple[float, float] = DEFAULT_WINSOR_QUANTILES,
) -> Preparation:
    """Fit the preparation on one row per customer.

    Features without any value, or with the same value for all once treated and winsorised, are
    dropped and reported in `dropped` (name -> reason).
    Raises ValueError for an unknown treatment and as `numeric_features` does.
    """
    if unknown := sorted(set(treatments.values()) - {"log", "linear", "share"}):
        raise ValueError(f"unknown treatments: {', '.join(unknown)}; use log, linear or share")
    numbers = numeric_features(frame, list(treatments))
    dropped = {name: "no values" for name in treatments if numbers[name].isna().all()}
    present = [name for name in treatments if name not in dropped]
    if not present:
        return Preparation(None, (), dropped)
    spread = _treatment_stage(present, treatments, quantiles).fit_transform(numbers[present])
    dropped |= {name: "same value for all" for name in present if spread[name].nunique() <= 1}
    used = [name for name in present if name not in dropped]
    if not used:
        return Preparation(None, (), dropped)
    pipeline = Pipeline(
        [
            ("treat", _treatment_stage(used, treatments, quantiles)),
            ("scale", StandardScaler()),
            ("impute", SimpleImputer(strategy="median")),
        ]
    ).set_output(transform="pandas")
    pipeline.fit(numbers[used])
    return Preparation(pipeline, tuple(pipeline.get_feature_names_out()), dropped)


def prepare(preparation: Preparation, frame: pd.DataFrame) -> Matrix:
    """Return the frame as a dense matrix: rows as in the frame, columns as `preparation.used`.

    Raises ValueError as `numeric_features` does, for example when a feature is absent.
    """
    if preparation.pipeline is None:
        return np.zeros((len(frame), 0))
    numbers = numeric_features(frame, list(preparation.pipeline.feature_names_in_))
    return np.ascontiguousarray(preparation.pipeline.transform(numbers), dtype="float64")


def _treatment_stage(
    names: list[str], treatments: Mapping[str, Treatment], quantiles: tuple[float, float]
) -> ColumnTransformer:
    """Build the stage that logs and winsorises; shares are bounded already and pass as they are."""
    logarithm = FunctionTransformer(signed_log1p, feature_names_out="one-to-one")
    stages = {
        "log": make_pipeline(logarithm, Winsoriser(quantiles)),
        "linear": Winsoriser(quantiles),
        "share": "passthrough",
    }
    branches = [
        (treatment, stage, [name for name in names if treatments[name] == treatment])
        for treatment, stage in stages.items()
    ]
    transformer = ColumnTransformer(branches, verbose_feature_names_out=False)
    return transformer.set_output(transform="pandas")


def _as_float(column: pd.Series) -> Matrix:
    try:
        return column.to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(f"feature {column.name} is not numeric ({column.dtype})") from error
