"""What the settings say of clustering, as `models/` takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tessera.ingest.source import did_you_mean
from tessera.settings_segmentation import Segmentation

if TYPE_CHECKING:
    from models.preparation import PreparationParameters
    from models.search_parameters import SearchParameters


def search_parameters(told: Segmentation) -> SearchParameters:
    """Of the search: algorithms, k, and the rule that picks."""
    from models.search_parameters import SearchParameters

    return SearchParameters(
        algorithms=tuple(told.algorithms),
        k_range=(told.k_min, told.k_max),
        min_share=told.min_share,
        min_stability=told.min_stability,
        resamples=told.resamples,
        mini_batch_above=told.mini_batch_above,
        tolerance=told.tolerance,
        revenue_tolerance=told.revenue_tolerance,
        seed=told.seed,
    )


def preparation_parameters(told: Segmentation) -> PreparationParameters:
    """Of the preparation: the features that are used, and how.

    Raises ValueError naming a feature that customers cannot be clustered by.
    """
    from models.preparation import (
        KNOWN_TREATMENTS,
        Index,
        PreparationParameters,
    )

    how = told.preparation
    for name in [*told.features, *how.treatments]:
        if name not in KNOWN_TREATMENTS:
            raise ValueError(
                f"[segmentation] names {name!r}, by which customers cannot be clustered"
                f"{did_you_mean(name, KNOWN_TREATMENTS)}"
            )
    return PreparationParameters(
        treatments={
            name: how.treatments.get(name, KNOWN_TREATMENTS[name]) for name in told.features
        },
        winsor_quantiles=how.winsor,
        scaling=how.scaling,
        imputation=how.imputation,
        max_correlation=how.max_correlation,
        min_variance=how.min_variance,
        weights=how.weights,
        indices={
            name: Index(tuple(i.features), None if i.weights is None else tuple(i.weights))
            for name, i in how.indices.items()
        },
        pca_share=how.pca_share,
        seed=told.seed,
    )
