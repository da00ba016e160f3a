"""Stages of the preparation that scikit-learn has not: winsorising, sources, indices, weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes the next import work
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.utils.validation import check_is_fitted, validate_data

from models.distances import Matrix, sample_positions

Gaps = NDArray[np.bool_]
Imputation = Literal["median", "knn", "iterative"]

DEFAULT_WINSOR_QUANTILES = (0.01, 0.99)


def signed_log1p(values: ArrayLike) -> Matrix:
    """Logarithm that keeps the sign: sign(x) * ln(1 + |x|). Net spend may be below zero.

    >>> signed_log1p([0.0, -1.0]).round(3).tolist()
    [0.0, -0.693]
    """
    numbers = np.asarray(values, dtype="float64")
    logged: Matrix = np.sign(numbers) * np.log1p(np.abs(numbers))
    return logged


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


class SourceImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Fill gaps: a source that a customer has not is put in the middle, other gaps are guessed.

    sources: the columns of each source, by position. Who knows none of a source's columns has not
    got that source, and gets the median in all of them: a guess would say of her what she is not.
    strategy: "median"; "knn", the mean of the nearest `neighbours` (Troyanskaya et al. 2001);
    "iterative", regressions on one another in turn (van Buuren & Groothuis-Oudshoorn 2011). The
    last two learn from a seeded sample of at most `donors` rows.
    """

    def __init__(
        self,
        sources: Sequence[Sequence[int]] = (),
        strategy: Imputation = "median",
        neighbours: int = 5,
        donors: int = 2_000,
        seed: int = 42,
    ) -> None:
        self.sources = sources
        self.strategy = strategy
        self.neighbours = neighbours
        self.donors = donors
        self.seed = seed

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn medians and, if asked for, how the columns go together (rows x columns)."""
        values = validate_data(self, X, dtype="float64", ensure_all_finite="allow-nan")
        self.medians_ = np.nanmedian(values, axis=0)
        self.guesser_ = self._guesser()
        if self.guesser_ is not None:
            seen = values[sample_positions(len(values), self.donors, self.seed)]
            self.guesser_.fit(np.vstack([seen, self.medians_]))  # every column is known of somebody
        return self

    def transform(self, X: ArrayLike) -> Matrix:
        """Return the rows without a gap."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype="float64", ensure_all_finite="allow-nan", reset=False)
        gaps: Gaps = np.asarray(np.isnan(values), dtype=np.bool_)
        filled: Matrix = np.where(gaps, self.medians_, values)
        asked = np.flatnonzero((gaps & ~self._absent(gaps)).any(axis=1))
        if self.guesser_ is not None and len(asked):
            guessed = np.asarray(self.guesser_.transform(values[asked]))
            filled[asked] = np.where(self._absent(gaps)[asked], self.medians_, guessed)
        return filled

    def _guesser(self) -> KNNImputer | IterativeImputer | None:
        if self.strategy == "knn":
            return KNNImputer(n_neighbors=self.neighbours)
        if self.strategy == "iterative":
            return IterativeImputer(random_state=self.seed, skip_complete=False)
        return None

    def _absent(self, gaps: Gaps) -> Gaps:
        """Which gaps are of a source that the customer has not got."""
        absent = np.zeros_like(gaps)
        for columns in self.sources:
            at = list(columns)
            absent[:, at] = gaps[:, at].all(axis=1, keepdims=True)
        return absent


class CompositeIndices(TransformerMixin, BaseEstimator):
    """Put one index in the place of several columns, with a mean of 0 and a spread of 1.

    indices: name -> weight of each column; None: their first principal component (Jolliffe 2002),
    its sign such that most of the columns raise it. Takes and gives a DataFrame; the indices follow
    the columns that are in none.
    """

    def __init__(
        self, indices: Mapping[str, tuple[tuple[str, ...], tuple[float, ...] | None]] | None = None
    ) -> None:
        self.indices = indices

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn the weights of principal components, and mean and spread of every index."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.loadings_ = {}
        for name, (columns, weights) in (self.indices or {}).items():
            values = X[list(columns)].to_numpy()
            chosen = _first_component(values) if weights is None else np.asarray(weights)
            raw = values @ chosen
            self.loadings_[name] = (chosen, float(raw.mean()), float(raw.std()) or 1.0)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the columns that are in no index, and the indices."""
        check_is_fitted(self)
        told = {name: X[name] for name in self.get_feature_names_out() if name in X.columns}
        for name, (columns, _) in (self.indices or {}).items():
            weights, mean, spread = self.loadings_[name]
            summed = sum(X[c] * w for c, w in zip(columns, weights, strict=True))
            told[name] = (summed - mean) / spread
        return pd.DataFrame(told, index=X.index)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Names of the columns, in order."""
        indices = self.indices or {}
        gone = {column for columns, _ in indices.values() for column in columns}
        kept = [name for name in self.feature_names_in_ if name not in gone]
        return np.asarray([*kept, *indices], dtype=object)


class Weights(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Multiply each column: by the root of w it counts w times in squared distances."""

    def __init__(self, factors: tuple[float, ...] = ()) -> None:
        self.factors = factors

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn nothing but the number of columns."""
        validate_data(self, X, dtype="float64")
        return self

    def transform(self, X: ArrayLike) -> Matrix:
        """Return the rows, each column times its factor."""
        values = validate_data(self, X, dtype="float64", reset=False)
        weighted: Matrix = values * np.asarray(self.factors or 1.0)
        return weighted

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _first_component(values: Matrix) -> Matrix:
    """Direction of the greatest variance (columns,), the sum of its loadings not below zero."""
    centred = values - values.mean(axis=0)
    direction: Matrix = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    return -direction if direction.sum() < 0 else direction
