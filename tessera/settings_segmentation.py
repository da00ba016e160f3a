"""The settings of clustering and of guessing: `[segmentation]` and `[imputation]`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

IndexName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Algorithm = Literal["kmeans", "gaussian_mixture", "ward", "dbscan", "hdbscan"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Index(_Section):
    """A composite index in the place of its features; without weights by principal component."""

    features: list[str] = Field(min_length=2)
    weights: list[float] | None = None


class Preparation(_Section):
    """What happens to features before customers are clustered: docs/how-to/clustering.md.

    `treatments` says how a feature is treated where that is not the default of `models/`;
    `weights` what a group of features, a feature or an index counts; `indices` which composite
    indices stand in the place of features; `pca_share` how much of the variance principal
    components keep (none: no PCA).
    """

    treatments: dict[str, Literal["log", "yeo-johnson", "linear", "share"]] = {}
    winsor: tuple[float, float] = (0.01, 0.99)
    scaling: Literal["standard", "min-max", "robust"] = "standard"
    imputation: Literal["median", "knn", "iterative"] = "median"
    max_correlation: float = Field(default=0.95, gt=0, le=1)
    min_variance: float = Field(default=0.0, ge=0, lt=0.25)
    weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = {}
    indices: dict[IndexName, Index] = {}
    pca_share: float | None = Field(default=None, gt=0, lt=1)


class Segmentation(_Section):
    """How customers are clustered: docs/how-to/clustering.md.

    Of the algorithms that are named, and of every k, those are eligible whose smallest segment has
    `min_share` of the customers and whose least stable one is found again in `resamples` bootstrap
    resamples with a mean Jaccard of `min_stability`. Of those whose silhouette is within
    `tolerance` of the best, the one with the fewest segments is taken that explains nearly as much
    of spend as any of them, `revenue_tolerance` of it less: two or three segments separate best and
    say least.
    Outliers (`ml.customer_outliers`) are kept out of the fit with `exclude_outliers`; each
    is then in the segment nearest to her. Above `mini_batch_above` customers the last fit of
    k-means is by mini-batches.
    """

    features: list[str] = Field(
        default=[
            "recency_days", "frequency", "monetary", "decayed_monetary", "overdue_ratio",
            "tenure_days", "discount_share", "engagement_score", "mean_sentiment",
        ],
        min_length=1,
    )  # fmt: skip
    preparation: Preparation = Preparation()
    algorithms: list[Algorithm] = Field(default=["kmeans"], min_length=1)
    k_min: int = Field(default=2, ge=2)
    k_max: int = Field(default=10, ge=2)
    min_share: float = Field(default=0.01, ge=0, lt=0.5)
    min_stability: float = Field(default=0.6, ge=0, lt=1)
    resamples: int = Field(default=20, ge=0)
    tolerance: float = Field(default=0.1, ge=0, le=1)
    revenue_tolerance: float = Field(default=0.1, ge=0, le=1)
    mini_batch_above: int = Field(default=2_000_000, ge=1)
    seed: int = 42
    exclude_outliers: bool = True

    @model_validator(mode="after")
    def _range_is_a_range(self) -> Segmentation:
        if self.k_max < self.k_min:
            raise ValueError(f"k_max ({self.k_max}) is below k_min ({self.k_min})")
        return self


class Imputation(_Section):
    """How what is not known of a customer is guessed: `models/imputation.py`.

    Learnt from at most `donors` customers, so that a million take no longer than they must.
    """

    strategy: Literal["median", "knn", "iterative"] = "median"
    neighbours: int = Field(default=5, ge=1)
    donors: int = Field(default=10_000, ge=1)
