"""Preparation: declared customer features in, a dense matrix for clustering out.

Every feature goes through the same fitted stages: treat (logarithm or Yeo-Johnson for skewed
amounts), winsorise, scale, impute; where asked for, composite indices, weights and principal
components follow. Scaling before imputing is deliberate: a missing value lands on the centre and
adds no spread, so a feature that few customers have weighs as little as it is known, and segments
are not drawn along the line "has this source or not".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)
from threadpoolctl import threadpool_limits

from models.distances import DISTANCE_DECIMALS, Matrix, sample_positions
from models.transformers import (
    DEFAULT_WINSOR_QUANTILES,
    CompositeIndices,
    Imputation,
    SourceImputer,
    Weights,
    Winsoriser,
    signed_log1p,
)

__all__ = ["Imputation", "Matrix", "Winsoriser", "signed_log1p"]

Treatment = Literal["log", "yeo-johnson", "linear", "share"]
Scaling = Literal["standard", "min-max", "robust"]

#: How each feature is treated before it is clustered. log: skewed amounts and counts; yeo-johnson:
#: skewed as only the data knows (Yeo & Johnson 2000); linear: roughly symmetric; share: bounded by
#: nature (0..1 or -1..1) and therefore not winsorised.
DEFAULT_TREATMENTS: Mapping[str, Treatment] = {
    "recency_days": "log",
    "frequency": "log",
    "monetary": "log",
    "tenure_days": "linear",
    "discount_share": "share",
    "engagement_score": "log",
    "mean_sentiment": "share",
}
#: What else customers can be clustered by.
KNOWN_TREATMENTS: Mapping[str, Treatment] = {
    **DEFAULT_TREATMENTS,
    "average_order_value": "log",
    "basket_size": "log",
    "distinct_products": "log",
    "distinct_categories": "log",
    "inter_purchase_days": "log",
    "decayed_frequency": "log",
    "decayed_monetary": "log",
    "purchase_trend": "linear",
    "overdue_ratio": "log",
    "refund_share": "share",
    "web_sessions": "log",
    "session_recency_days": "log",
    "pages_per_session": "log",
    "add_to_cart_rate": "share",
    "cart_abandonment_rate": "share",
    "app_sessions": "log",
    "app_minutes": "log",
    "posts": "log",
    "engagement_rate": "log",
    "followers": "log",
    "influence": "log",
    "tickets": "log",
    "decayed_tickets": "log",
    "mean_satisfaction": "linear",
    "mean_nps": "linear",
    "campaign_open_rate": "share",
    "campaign_click_rate": "share",
}
#: Features that say one kind of thing, and that a customer mostly has all or none of.
FEATURE_GROUPS: Mapping[str, tuple[str, ...]] = {
    "value": (
        "recency_days",
        "frequency",
        "monetary",
        "average_order_value",
        "basket_size",
        "distinct_products",
        "distinct_categories",
        "inter_purchase_days",
        "decayed_frequency",
        "decayed_monetary",
        "purchase_trend",
        "overdue_ratio",
    ),
    "loyalty": ("tenure_days",),
    "price_sensitivity": ("discount_share", "refund_share"),
    "engagement": (
        "engagement_score",
        "web_sessions",
        "session_recency_days",
        "pages_per_session",
        "add_to_cart_rate",
        "cart_abandonment_rate",
    ),
    "app": ("app_sessions", "app_minutes"),
    "social": ("mean_sentiment", "posts", "engagement_rate", "followers", "influence"),
    "service": ("tickets", "decayed_tickets", "mean_satisfaction", "mean_nps"),
    "campaigns": ("campaign_open_rate", "campaign_click_rate"),
}
#: Above so many customers correlations are measured on a seeded sample.
CORRELATION_ROWS = 50_000


@dataclass(frozen=True)
class Index:
    """A composite index in the place of its features: weighted, or by principal component."""

    features: tuple[str, ...]
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse an index of one feature, and weights that do not fit."""
        if len(set(self.features)) < max(2, len(self.features)):
            raise ValueError(f"an index needs two or more different features, not {self.features}")
        if self.weights is not None and len(self.weights) != len(self.features):
            raise ValueError(f"{len(self.weights)} weights for {len(self.features)} features")


@dataclass(frozen=True)
class PreparationParameters:
    """What steers the preparation. Everything here is part of the fit's fingerprint.

    scaling: "standard" (mean 0, spread 1), "min-max" (0 to 1), "robust" (median 0, quartiles 1
        apart). imputation: see `models.transformers.SourceImputer`.
    max_correlation: of two treated features that correlate more, the one named later is dropped.
    min_variance: a feature is dropped whose variance, brought to 0..1, is not above this.
    weights: of a group or a single feature or index; 1 where nothing is said, 0 leaves it out.
    indices: name -> Index. pca_share: keep as many principal components as hold this share of the
        variance; None: no PCA.
    """

    treatments: Mapping[str, Treatment] = field(default_factory=lambda: dict(DEFAULT_TREATMENTS))
    winsor_quantiles: tuple[float, float] = DEFAULT_WINSOR_QUANTILES
    scaling: Scaling = "standard"
    imputation: Imputation = "median"
    max_correlation: float = 0.95
    min_variance: float = 0.0
    weights: Mapping[str, float] = field(default_factory=dict)
    indices: Mapping[str, Index] = field(default_factory=dict)
    pca_share: float | None = None
    seed: int = 42

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        known = get_args(Treatment)
        if unknown := sorted(set(self.treatments.values()).difference(known)):
            raise ValueError(f"unknown treatments: {', '.join(unknown)}; use {', '.join(known)}")
        named_by_indices = [f for index in self.indices.values() for f in index.features]
        if missing := [name for name in named_by_indices if name not in self.treatments]:
            raise ValueError(f"an index names features that are not used: {', '.join(missing)}")
        named = {*self.treatments, *self.indices, *FEATURE_GROUPS}
        if unused := [name for name in self.weights if name not in named]:
            raise ValueError(f"weights of what is not used: {', '.join(unused)}")
        if self.pca_share is not None and not 0 < self.pca_share < 1:
            raise ValueError(f"pca_share must be within 0 and 1, not {self.pca_share}")

    def weight(self, name: str) -> float:
        """Of a feature or index: its own, or that of its group, or 1."""
        group = next((g for g, names in FEATURE_GROUPS.items() if name in names), name)
        return self.weights.get(name, self.weights.get(group, 1.0))


@dataclass(frozen=True)
class Preparation:
    """A fitted preparation.

    pipeline: None when no feature is left (all customers equal).
    used: what the columns of the matrix are, in order: features, and indices in the place of
        theirs; with PCA what goes into it.
    dropped: feature -> why it is not used.
    inputs: the features that a frame must have.
    components: with PCA, its components x used; the matrix has a column a component.
    """

    pipeline: Pipeline | None
    used: tuple[str, ...]
    dropped: Mapping[str, str]
    inputs: tuple[str, ...] = ()
    components: Matrix | None = None


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
    parameters: PreparationParameters | Mapping[str, Treatment] | None = None,
) -> Preparation:
    """Fit the preparation on one row per customer.

    `parameters` may be the treatments alone. Features without any value, with the same value for
    all once treated and winsorised, or that say what another one says, are dropped and reported in
    `dropped` (name -> reason).
    Raises ValueError for parameters that mean nothing and as `numeric_features` does.
    """
    told = _as_parameters(parameters)
    numbers = numeric_features(frame, list(told.treatments))
    dropped = {name: "weight 0" for name in numbers.columns if told.weight(name) == 0}
    dropped |= {n: "no values" for n in numbers.columns if numbers[n].isna().all()}
    present = [name for name in told.treatments if name not in dropped]
    if present:
        treated = _treatment_stage(present, told).fit_transform(numbers[present])
        dropped |= _same_for_all(treated[present], told)
        kept = [name for name in present if name not in dropped]
        dropped |= _redundant(treated[kept], told)
    used = [name for name in present if name not in dropped]
    if not used:
        return Preparation(None, (), dropped)
    pipeline = _pipeline(used, told)
    with threadpool_limits(limits=1):
        pipeline.fit(numbers[used])
    names = tuple(str(name) for name in pipeline.named_steps["weigh"].get_feature_names_out())
    components = pipeline.named_steps["rotate"].components_ if told.pca_share else None
    dropped |= {
        name: "not all of its features are used" for name in told.indices if name not in names
    }
    return Preparation(pipeline, names, dropped, tuple(used), components)


def prepare(preparation: Preparation, frame: pd.DataFrame) -> Matrix:
    """Return the frame as a dense matrix: rows as in the frame, columns as `preparation.used`.

    Raises ValueError as `numeric_features` does, for example when a feature is absent.
    """
    if preparation.pipeline is None:
        return np.zeros((len(frame), 0))
    numbers = numeric_features(frame, list(preparation.inputs))
    with threadpool_limits(limits=1):
        rows = np.ascontiguousarray(preparation.pipeline.transform(numbers), dtype="float64")
    # A sum of products may differ in the last bit by how many rows are asked for at once.
    return rows if preparation.components is None else rows.round(DISTANCE_DECIMALS)


def _as_parameters(
    told: PreparationParameters | Mapping[str, Treatment] | None,
) -> PreparationParameters:
    if isinstance(told, PreparationParameters):
        return told
    return PreparationParameters() if told is None else PreparationParameters(treatments=dict(told))


def _pipeline(names: list[str], told: PreparationParameters) -> Pipeline:
    """All stages, not yet fitted. Columns are in the order of the treatments."""
    scalers = {"standard": StandardScaler, "min-max": MinMaxScaler, "robust": RobustScaler}
    treat = _treatment_stage(names, told)
    ordered = [name for _, _, branch in treat.transformers for name in branch]
    groups = [[g for g in ordered if g in members] for members in FEATURE_GROUPS.values()]
    alone = [[name] for name in ordered if not any(name in group for group in groups)]
    sources = tuple(tuple(ordered.index(n) for n in group) for group in [*groups, *alone] if group)
    indices = {
        name: (index.features, index.weights)
        for name, index in told.indices.items()
        if set(index.features) <= set(names)
    }
    inside = {feature for features, _ in indices.values() for feature in features}
    columns = [*(name for name in ordered if name not in inside), *indices]
    factors = tuple(float(np.sqrt(told.weight(name))) for name in columns)
    stages = [
        ("treat", treat),
        ("scale", scalers[told.scaling]()),
        ("impute", SourceImputer(sources, told.imputation, seed=told.seed)),
        ("compose", CompositeIndices(indices)),
        ("weigh", Weights(factors)),
    ]
    pipeline = Pipeline(stages).set_output(transform="pandas")
    if told.pca_share:
        pipeline.steps.append(("rotate", PCA(told.pca_share, svd_solver="full")))
    return pipeline


def _treatment_stage(names: list[str], told: PreparationParameters) -> ColumnTransformer:
    """Build the stage that unskews and winsorises; shares are bounded and pass as they are."""
    logarithm = FunctionTransformer(signed_log1p, feature_names_out="one-to-one")
    winsoriser = Winsoriser(told.winsor_quantiles)
    power = PowerTransformer("yeo-johnson", standardize=False)
    stages = {
        "log": make_pipeline(logarithm, winsoriser),
        "yeo-johnson": make_pipeline(Winsoriser(told.winsor_quantiles), power),
        "linear": winsoriser,
        "share": "passthrough",
    }
    branches = [
        (treatment, stage, [name for name in names if told.treatments[name] == treatment])
        for treatment, stage in stages.items()
    ]
    transformer = ColumnTransformer(branches, verbose_feature_names_out=False)
    return transformer.set_output(transform="pandas")


def _same_for_all(treated: pd.DataFrame, told: PreparationParameters) -> dict[str, str]:
    """Features of one value, and those whose variance in 0..1 is not above `min_variance`."""
    different = treated.nunique()
    flat = dict.fromkeys(different.index[different <= 1], "same value for all")
    spans = treated.max() - treated.min()
    variances = (treated / spans.where(spans > 0, 1.0)).var(ddof=0)
    low = variances[(variances <= told.min_variance) & ~variances.index.isin(list(flat))]
    return flat | {str(name): f"variance {value:.2g} in 0..1" for name, value in low.items()}


def _redundant(treated: pd.DataFrame, told: PreparationParameters) -> dict[str, str]:
    """Features that correlate with one named before them; both must be known of some together."""
    seen = treated.iloc[sample_positions(len(treated), CORRELATION_ROWS, told.seed)]
    correlations = seen.corr(min_periods=3).to_numpy()
    found: dict[str, str] = {}
    for j, name in enumerate(treated.columns):
        for i, other in enumerate(treated.columns[:j]):
            if other not in found and abs(correlations[i, j]) > told.max_correlation:
                found[name] = f"correlates with {other} ({correlations[i, j]:.2f})"
                break
    return found


def _as_float(column: pd.Series) -> Matrix:
    try:
        return column.to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(f"feature {column.name} is not numeric ({column.dtype})") from error
