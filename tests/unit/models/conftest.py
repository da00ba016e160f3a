from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest


def _customers(count: int, seed: int = 0) -> pd.DataFrame:
    """Three kinds of customers who overlap: regulars, bargain hunters, people who went away."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, count)

    def pick(*centres: float) -> np.ndarray:
        return np.array(centres)[kind]

    sentiment = np.tanh(rng.normal(pick(0.7, 0.1, -0.4), 0.4))
    return pd.DataFrame(
        {
            "customer_id": [f"C{i:06d}" for i in rng.permutation(count)],
            "recency_days": rng.gamma(2, pick(8, 30, 140)).astype(int) + 1,
            "frequency": rng.poisson(pick(14, 6, 3)) + 1,
            "monetary": np.exp(rng.normal(pick(7.2, 5.2, 4.8), 0.5)).round(2),
            "average_order_value": np.exp(rng.normal(pick(4.5, 3.4, 3.7), 0.4)),
            "tenure_days": rng.integers(200, 700, count),
            "discount_share": rng.beta(pick(1, 8, 2), pick(9, 3, 6)),
            "engagement_score": rng.gamma(2, pick(12, 6, 1)),
            "cart_abandonment_rate": rng.beta(2, pick(6, 2, 3)),
            "mean_sentiment": np.where(rng.random(count) < 0.4, np.nan, sentiment),
        }
    )


@pytest.fixture(scope="session")
def make_customers() -> Callable[..., pd.DataFrame]:
    return _customers
