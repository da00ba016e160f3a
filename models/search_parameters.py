"""What steers the search for segments."""

from __future__ import annotations

from dataclasses import dataclass

#: The algorithms that there are, in words for people.
ALGORITHMS = {
    "kmeans": "k-means",
    "gaussian_mixture": "a Gaussian mixture",
    "ward": "Ward's hierarchy",
    "dbscan": "DBSCAN",
    "hdbscan": "HDBSCAN",
}


@dataclass(frozen=True)
class SearchParameters:
    """What steers the search. Everything here is part of the fit's fingerprint.

    algorithms: those that are tried; the evidence picks. One of `ALGORITHMS`.
    k_range: least and greatest number of clusters, both included; DBSCAN and HDBSCAN find theirs.
    min_share: a candidate whose smallest cluster holds less than this share is not eligible.
    min_stability: nor is one of whose segments one is found again with a lower mean Jaccard. Hennig
        (2007): below 0.5 a cluster dissolves, from 0.6 on there is a pattern, from 0.75 on a valid
        cluster.
    tolerance, revenue_tolerance: of the eligible whose silhouette is within `tolerance` of the best
        (0: simply the best), the one with the fewest segments is taken whose share of explained
        spend is at most the part `revenue_tolerance` below the greatest. Two or three segments
        separate best and say least; more than it takes to tell who spends what, nobody can act on.
    resamples: of the bootstrap that measures stability; 0 leaves it out.
    resample_starts: of k-means in each resample, at most `n_init`; ten say nearly the same.
    n_init: starts of k-means on the search sample; the best start is refined on all customers.
    search_rows, silhouette_rows, stability_rows, density_rows, mixture_rows: above this many
        customers a seeded sample is used for the search, the silhouettes, the stability, the
        density algorithms, and the last fit of a mixture.
    mini_batch_above: above this many customers the last fit of k-means is by mini-batches.
    micro_clusters: what Ward's hierarchy is built on where there are more different customers.
    """

    algorithms: tuple[str, ...] = ("kmeans",)
    k_range: tuple[int, int] = (2, 10)
    min_share: float = 0.01
    min_stability: float = 0.6
    tolerance: float = 0.0
    revenue_tolerance: float = 0.1
    resamples: int = 20
    resample_starts: int = 5
    seed: int = 42
    n_init: int = 10
    search_rows: int = 20_000
    silhouette_rows: int = 10_000
    stability_rows: int = 10_000
    density_rows: int = 3_000
    mixture_rows: int = 200_000
    mini_batch_above: int = 2_000_000
    micro_clusters: int = 300

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        unknown = [name for name in self.algorithms if name not in ALGORITHMS]
        if unknown or not self.algorithms or len(set(self.algorithms)) < len(self.algorithms):
            raise ValueError(
                f"algorithms must be different ones of {', '.join(ALGORITHMS)}, "
                f"not {list(self.algorithms)}"
            )
        if not 2 <= self.k_range[0] <= self.k_range[1]:
            raise ValueError(f"k_range must rise from 2 or more, not {self.k_range}")
        for name in ("min_share", "min_stability"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be within 0 and 1, not {getattr(self, name)}")
        for name in ("tolerance", "revenue_tolerance", "resamples"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, not {getattr(self, name)}")
