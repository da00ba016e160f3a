"""Random streams: one independent, seeded generator per topic and chunk of customers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_TOPICS = (
    "people", "catalogue", "purchases", "browsing", "bots", "app", "posts", "follows", "contacts",
    "support", "surveys", "campaigns", "dirt", "files", "provider",
)  # fmt: skip


@dataclass(frozen=True)
class Streams:
    """Seeded random generators by topic: drawing more in one topic moves nothing in another.

    The children are those of `numpy.random.SeedSequence(seed).spawn`, addressed by spawn key.
    """

    seed: int
    chunk: int = 0

    def of(self, topic: str) -> np.random.Generator:
        """Return a fresh generator at the start of the topic's stream."""
        key = (self.chunk, _TOPICS.index(topic))
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))
