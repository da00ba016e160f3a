"""What steers the search for segments."""

from __future__ import annotations

from dataclasses import dataclass

from models.preparation import DEFAULT_WINSOR_QUANTILES


@dataclass(frozen=True)
class SearchParameters:
    """What steers the search. Everything here is part of the fit's fingerprint.

    k_range: least and greatest number of clusters, both included.
    min_share: a k whose smallest cluster holds less than this share of customers is not eligible.
    tolerance: among eligible k, take the greatest whose silhouette is within this of the best
        (0: simply the best). Segments that are too fine can be merged, too coarse ones not split.
    n_init: starts of k-means on the search sample; the best start is refined on all customers.
    search_rows, silhouette_rows: above this many customers a seeded sample is used.
    """

    k_range: tuple[int, int] = (2, 10)
    min_share: float = 0.01
    tolerance: float = 0.0
    seed: int = 42
    n_init: int = 10
    search_rows: int = 20_000
    silhouette_rows: int = 10_000
    winsor_quantiles: tuple[float, float] = DEFAULT_WINSOR_QUANTILES

    def __post_init__(self) -> None:
        """Refuse ranges that mean nothing."""
        if not 2 <= self.k_range[0] <= self.k_range[1]:
            raise ValueError(f"k_range must rise from 2 or more, not {self.k_range}")
        if not 0 <= self.min_share < 1:
            raise ValueError(f"min_share must be within 0 and 1, not {self.min_share}")
        if self.tolerance < 0:
            raise ValueError(f"tolerance must not be negative, not {self.tolerance}")
