"""Imputation: what is not known of a customer, guessed from those who are like her, and marked.

Three strategies. median: the median of a number, the most frequent of labels. knn: of the customers
nearest in what is known of all, the mean of numbers and the most frequent label (Troyanskaya et al.
2001, "Missing value estimation methods for DNA microarrays"). iterative: numbers by regressions on
one another in turn (van Buuren & Groothuis-Oudshoorn 2011, "mice"), labels as knn.

Bounded: all is learnt from a seeded sample of at most `donors` customers, and each is then compared
with those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes the next import work
from sklearn.impute import IterativeImputer
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from threadpoolctl import threadpool_limits

from models.preparation import Matrix, Treatment, fit_preparation, numeric_features, prepare

Strategy = Literal["median", "knn", "iterative"]

#: What is guessed, whole numbers and labels.
NUMBERS = ("household_size",)
LABELS = ("age_band", "income_band", "education", "occupation", "home_ownership")
ATTRIBUTES = (*NUMBERS, *LABELS)
#: What customers are compared by.
PREDICTORS: dict[str, Treatment] = {
    "recency_days": "log",
    "frequency": "log",
    "monetary": "log",
    "average_order_value": "log",
    "basket_size": "log",
    "discount_share": "share",
    "tenure_days": "linear",
    "engagement_score": "log",
}


@dataclass(frozen=True)
class ImputationParameters:
    """What steers the guesses; `donors` bounds the work at many customers."""

    strategy: Strategy = "median"
    neighbours: int = 5
    donors: int = 10_000
    seed: int = 42


def impute(frame: pd.DataFrame, parameters: ImputationParameters | None = None) -> pd.DataFrame:
    """Fill in NUMBERS and LABELS where they are missing; `frame` has one row a customer.

    One row each, sorted by customer_id: the attributes and is_<attribute>_imputed. What is known
    stays. An attribute that is known of nobody stays missing, and nothing of it is marked.
    PREDICTORS that the frame lacks are left out.
    """
    parameters = parameters or ImputationParameters()
    ordered = frame.sort_values("customer_id", kind="stable", ignore_index=True)
    rows = _comparable(ordered)
    told = pd.DataFrame({"customer_id": ordered["customer_id"]})
    with threadpool_limits(limits=1):
        for name in ATTRIBUTES:
            values = numeric_features(ordered, [name])[name] if name in NUMBERS else ordered[name]
            filled = _filled(values, rows, parameters)
            told[name] = filled
            told[f"is_{name}_imputed"] = values.isna() & filled.notna()
    return told


def _comparable(ordered: pd.DataFrame) -> Matrix:
    """The predictors of all customers, standardised; without columns when there are none."""
    known = {name: t for name, t in PREDICTORS.items() if name in ordered.columns}
    if ordered.empty or not known:
        return np.zeros((len(ordered), 0))
    return prepare(fit_preparation(ordered, known), ordered)


def _filled(values: pd.Series, rows: Matrix, parameters: ImputationParameters) -> pd.Series:
    """`values` without gaps: whole numbers, or labels."""
    is_number = values.name in NUMBERS
    missing = values.isna().to_numpy()
    donors = _donors(~missing, parameters)
    if not missing.any() or not len(donors):
        return values
    known = values.to_numpy()[donors]
    if parameters.strategy == "median" or not rows.shape[1]:
        guess = np.median(known.astype("float64")) if is_number else _most_frequent(known)
        guesses = np.full(missing.sum(), guess, dtype="float64" if is_number else "object")
    elif is_number and parameters.strategy == "iterative":
        guesses = _by_regression(known, rows[donors], rows[missing], parameters.seed)
    else:
        guesses = _by_neighbours(
            known, rows[donors], rows[missing], parameters.neighbours, is_number
        )
    filled = values.copy()
    filled[missing] = np.rint(guesses) if is_number else guesses
    return filled


def _donors(known: np.ndarray, parameters: ImputationParameters) -> np.ndarray:
    """Positions of those who are learnt from, in rising order."""
    positions = np.flatnonzero(known)
    if len(positions) <= parameters.donors:
        return positions
    chosen = np.random.default_rng(parameters.seed)
    return np.sort(chosen.choice(positions, parameters.donors, replace=False))


def _most_frequent(labels: np.ndarray) -> str:
    """Of equals the first by name."""
    names, counts = np.unique(labels.astype("str"), return_counts=True)
    return str(names[counts.argmax()])


def _by_neighbours(
    known: np.ndarray, donors: Matrix, asked: Matrix, neighbours: int, is_number: bool
) -> np.ndarray:
    count = min(neighbours, len(donors))
    if is_number:
        nearest = KNeighborsRegressor(count, algorithm="kd_tree").fit(donors, known.astype(float))
    else:
        nearest = KNeighborsClassifier(count, algorithm="kd_tree").fit(donors, known.astype(str))
    return np.asarray(nearest.predict(asked))


def _by_regression(known: np.ndarray, donors: Matrix, asked: Matrix, seed: int) -> np.ndarray:
    """Learnt from the donors; never outside of what is known of them."""
    numbers = known.astype("float64")
    if numbers.min() == numbers.max():  # of one value only that value can be learnt
        return np.full(len(asked), numbers[0])
    imputer = IterativeImputer(random_state=seed, min_value=numbers.min(), max_value=numbers.max())
    gaps = np.column_stack([asked, np.full(len(asked), np.nan)])
    # It learns only of columns in which it has seen a gap.
    imputer.fit(np.vstack([np.column_stack([donors, numbers]), gaps[:1]]))
    found: Matrix = imputer.transform(gaps)[:, -1]
    return found
