"""What one ML model makes of one frame of customers: each prepared once, looked at often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from models.clustering import ID_COLUMN, FittedSegments
from models.lineage import NOISE_ID, segment_order
from models.preparation import prepare


@dataclass(frozen=True)
class View:
    """A frame (customer_id and features, ascending by customer) as a fitted ML model sees it.

    ids: cluster -> segment_id. Raises ValueError when a feature of the ML model is missing.
    """

    fitted: FittedSegments
    ids: Mapping[int, str]
    frame: pd.DataFrame

    @property
    def customers(self) -> pd.Index:
        """Who is in the frame."""
        return pd.Index(self.frame[ID_COLUMN])

    @cached_property
    def rows(self) -> np.ndarray:
        """Prepared features, one row per customer."""
        return prepare(self.fitted.preparation, self.frame)

    @cached_property
    def found(self) -> np.ndarray:
        """Distance of each customer to each cluster."""
        return self.fitted.clusterer.distances(self.rows)

    def named(self, ids: Mapping[int, str]) -> View:
        """The same view with ids; nothing is computed again."""
        view = replace(self, ids=ids)
        view.__dict__.update(rows=self.rows, found=self.found)
        return view

    @property
    def nearest_cluster(self) -> pd.Series:
        """customer_id -> cluster."""
        return pd.Series(self.found.argmin(axis=1), index=self.customers)

    @cached_property
    def distances(self) -> pd.DataFrame:
        """Distance of each customer (index) to each segment (column), in the order of birth."""
        order = sorted(self.ids, key=lambda cluster: segment_order(self.ids[cluster]))
        segments = pd.Index([self.ids[cluster] for cluster in order])
        return pd.DataFrame(self.found[:, order], index=self.customers, columns=segments)

    @cached_property
    def nearest(self) -> pd.Series:
        """customer_id -> segment_id of the nearest."""
        found = self.distances
        return pd.Series(
            found.columns.to_numpy()[found.to_numpy().argmin(axis=1)], index=found.index
        )


def real_clusters(fitted: FittedSegments) -> pd.Index:
    """Numbers of the clusters that are segments: all but noise."""
    return pd.RangeIndex(fitted.k - int(fitted.clusterer.has_noise))


def with_noise(ids: Mapping[int, str], fitted: FittedSegments) -> dict[int, str]:
    """Ids of all clusters: those given, and the reserved one of noise."""
    return {**ids, fitted.k - 1: NOISE_ID} if fitted.clusterer.has_noise else dict(ids)


def smallest_share(groups: pd.Series, known: pd.Index | list[str]) -> float:
    """Share of the customers in the smallest of the known groups; 0 when one has nobody."""
    sizes = groups.value_counts().reindex(known, fill_value=0)
    return float(sizes.min()) / max(len(groups), 1) if len(sizes) else 0.0


def least_stability(fitted: FittedSegments) -> float:
    """Bootstrap Jaccard of the segment found again least well; NaN where it was not measured."""
    chosen = fitted.evidence[fitted.evidence["is_chosen"]]
    return float(chosen["least_stability"].iloc[0])


def shift(then: View, now: View) -> pd.Series:
    """How far each customer went, in prepared units of one ML model; of those in both frames."""
    place = then.customers.get_indexer(now.customers)
    there = place >= 0
    gone = now.rows[there] - then.rows[place[there]]
    return pd.Series(np.linalg.norm(gone, axis=1), index=now.customers[there])
