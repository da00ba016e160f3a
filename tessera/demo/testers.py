"""Test orders: what the shop's own staff order to try the checkout."""

from __future__ import annotations

import numpy as np

from tessera.demo import purchases
from tessera.demo.catalogue import Catalogue
from tessera.demo.columns import Columns
from tessera.demo.season import DAY, Window

SHARE = 0.003  # of the orders


def simulate(
    rng: np.random.Generator, window: Window, catalogue: Catalogue, orders: Columns, accounts: int
) -> tuple[Columns, Columns]:
    """Draw test orders with one line each, as columns like those of `purchases.Purchases`.

    They carry real customers' ids: testers borrow accounts, so that only `is_test` tells.
    """
    count = round(len(orders["at"]) * SHARE)
    hour = rng.integers(8 * 3600, 18 * 3600, count)
    at = np.sort(window.start + rng.integers(0, window.days, count) * DAY + hour)
    account = rng.integers(0, accounts, count).astype(np.int32)
    product = rng.integers(0, len(catalogue.category), count).astype(np.int32)
    unit = catalogue.price_cents[product]
    quantity = rng.choice([1, 1, 1, 10, 99], count).astype(np.int16)
    tests: Columns = {
        "person": account,
        "account": account,
        "is_guest": np.zeros(count, dtype=np.bool_),
        "other_email": np.zeros(count, dtype=np.bool_),
        "at": at,
        "channel": np.full(count, purchases.WEB, dtype=np.int8),
        "status": np.full(count, purchases.COMPLETED, dtype=np.int8),
        "code": np.full(count, purchases.TEST_CODE, dtype=np.int8),
        "total_cents": quantity.astype(np.int64) * unit,
    }
    lines: Columns = {
        "order": np.arange(count, dtype=np.int32),
        "line": np.ones(count, dtype=np.int16),
        "product": product,
        "quantity": quantity,
        "unit_cents": unit,
        "discount_cents": np.zeros(count, dtype=np.int32),
    }
    return tests, lines
