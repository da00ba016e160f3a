"""Purchases: orders, their lines and refunds, drawn from each person's buying process.

A Pareto/NBD-like process: Poisson orders at a gamma-distributed personal rate until an exponential
dropout (Schmittlein, Morrison & Colombo 1987; Fader, Hardie & Lee 2005), warped by season and,
for those who wait for them, by sales. Money is whole cents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tessera.demo import season
from tessera.demo.catalogue import CATEGORIES, Catalogue
from tessera.demo.columns import Columns, Ints, Mask, take, within
from tessera.demo.people import People
from tessera.demo.season import DAY, SALES, Window

CHANNELS = pa.array(["web", "app", "store"])
WEB, APP, STORE = 0, 1, 2
STATUSES = pa.array(["completed", "refunded", "cancelled", "failed", "processing"])
COMPLETED, REFUNDED, CANCELLED, FAILED, PROCESSING = range(5)
REASONS = pa.array(
    [
        "does not fit", "damaged on arrival", "wrong item", "changed my mind", "late delivery",
        "other",
    ]
)  # fmt: skip
# Discount codes: the sales, a welcome code, personal coupons, and what testers type.
CODES = [code for code, *_ in SALES] + ["WELCOME10", "COUPON15", "TESTTEST"]
WELCOME, COUPON, TEST_CODE = len(SALES), len(SALES) + 1, len(SALES) + 2
_RATES = np.array([rate for *_, rate in SALES] + [0.10, 0.15, 0.0])
_MOST_LINES = 12


@dataclass(frozen=True)
class Purchases:
    """One chunk's orders (by time), their lines (by order) and refunds; `order` is a position."""

    orders: Columns
    lines: Columns
    refunds: Columns


def simulate(
    rng: np.random.Generator, window: Window, people: People, catalogue: Catalogue
) -> Purchases:
    """Draw all purchases of the people of one chunk inside the window."""
    orders = _orders(rng, window, people)
    lines = _lines(rng, people, catalogue, orders)
    amount = lines["quantity"].astype(np.int64) * lines["unit_cents"] - lines["discount_cents"]
    count = len(orders["at"])
    orders["total_cents"] = np.bincount(lines["order"], amount, count).astype(np.int64)
    refunds = _refunds(rng, window, people, orders, lines, amount)
    full = refunds["order"][refunds["is_full"]]
    orders["status"][full] = REFUNDED
    return Purchases(orders, lines, refunds)


def counts_as_sale(orders: Columns) -> Mask:
    """True for orders that count: neither cancelled nor failed."""
    return ~np.isin(orders["status"], (CANCELLED, FAILED))


def _orders(rng: np.random.Generator, window: Window, people: People) -> Columns:
    person, day = _when(rng, window, people)
    at = window.start + day * DAY + season.draw_clock(rng, len(day))
    at = np.maximum(at, np.maximum(people.created_at[person] + 600, window.start + 4 * 3600))
    at = np.minimum(at, window.stop - 60)
    order = np.lexsort((person, at))
    person, at = person[order], at[order]
    app = people.has_app[person] & (rng.random(len(at)) < 0.45)
    channel = np.where(app, APP, np.where(rng.random(len(at)) < 0.12, STORE, WEB))
    account, is_guest = _account(rng, people, person, at, channel)
    return {
        "person": person.astype(np.int32),
        "account": account.astype(np.int32),
        "is_guest": is_guest,
        "other_email": is_guest & (rng.random(len(at)) < 0.4),
        "at": at,
        "channel": channel.astype(np.int8),
        "status": _status(rng, window, at),
        "code": _codes(rng, window, people, person, at).astype(np.int8),
    }


def _when(rng: np.random.Generator, window: Window, people: People) -> tuple[Ints, Ints]:
    """Return buyer and day of each order, buyers in order."""
    start = np.maximum(people.joined, 0).astype(np.float64)
    stop = np.maximum(np.minimum(people.left, window.days), start).astype(np.float64)
    spans = season.demand_at(window, people.pull, stop) - season.demand_at(
        window, people.pull, start
    )
    buyers = people.is_first
    later = rng.poisson(people.rate * spans) * buyers
    first = (people.buys_first & (people.joined >= 0) & buyers).astype(np.int64)
    repeated = np.repeat(np.arange(len(people)), later)
    days = season.draw_days(rng, window, people.pull[repeated], start[repeated], stop[repeated])
    openers = np.flatnonzero(first)
    return (
        np.concatenate([openers, repeated]),
        np.concatenate([np.floor(people.joined[openers]).astype(np.int64), days]),
    )


def _account(
    rng: np.random.Generator,
    people: People,
    person: np.ndarray,
    at: np.ndarray,
    channel: np.ndarray,
) -> tuple[np.ndarray, Mask]:
    """Which of her accounts somebody uses, and whether she checks out as a guest."""
    second = people.second_account()[person]
    uses = (second >= 0) & (at > people.created_at[second]) & (rng.random(len(at)) < 0.5)
    guest = (channel == WEB) & (rng.random(len(at)) < 0.03)
    return np.where(uses, second, person), guest


def _status(rng: np.random.Generator, window: Window, at: np.ndarray) -> np.ndarray:
    status = rng.choice([COMPLETED, CANCELLED, FAILED], len(at), p=[0.968, 0.022, 0.010]).astype(
        np.int8
    )
    fresh = (at > window.stop - 2 * DAY) & (status == COMPLETED)
    status[fresh] = PROCESSING
    return status


def _codes(
    rng: np.random.Generator, window: Window, people: People, person: np.ndarray, at: np.ndarray
) -> np.ndarray:
    """Return the discount code of each order, −1 for none: sales first, then coupons."""
    day = (at - window.start) // DAY
    sale = window.sale_of_day[day]
    keen = people.discount[person]
    fresh = (at - people.created_at[person] < DAY) & (rng.random(len(at)) < 0.5)
    code = np.where(rng.random(len(at)) < 0.55 * keen, COUPON, -1)
    code = np.where(fresh, WELCOME, code)
    return np.where((sale >= 0) & (rng.random(len(at)) < 0.35 + 0.6 * keen), sale, code)


def _lines(
    rng: np.random.Generator, people: People, catalogue: Catalogue, orders: Columns
) -> Columns:
    person = orders["person"]
    per_order = 1 + np.minimum(rng.poisson(people.basket[person] - 1), _MOST_LINES - 1)
    order = np.repeat(np.arange(len(person), dtype=np.int32), per_order)
    buyer = person[order]
    category = choose_category(rng, people, buyer)
    product = catalogue.pick(rng, category, people.taste[buyer])
    quantity = 1 + np.minimum(rng.geometric(0.84, len(order)) - 1, 5)
    unit = catalogue.price_cents[product]
    code = orders["code"][order]
    rate = np.where(code >= 0, _RATES[code], 0.0)
    discount = np.rint(quantity * unit * rate).astype(np.int32)
    return {
        "order": order,
        "line": (within(per_order) + 1).astype(np.int16),
        "product": product,
        "quantity": quantity.astype(np.int16),
        "unit_cents": unit,
        "discount_cents": discount,
    }


def choose_category(rng: np.random.Generator, people: People, person: np.ndarray) -> np.ndarray:
    """Choose a category per row: mostly one of the person's two favourites."""
    dice = rng.random(len(person), dtype=np.float32)
    anything = rng.integers(0, len(CATEGORIES), len(person), dtype=np.int8)
    liked = np.where(dice < 0.45, people.favourite[person], people.second_favourite[person])
    return np.where(dice < 0.65, liked, anything)


def _refunds(
    rng: np.random.Generator,
    window: Window,
    people: People,
    orders: Columns,
    lines: Columns,
    amount: np.ndarray,
) -> Columns:
    """Draw refunds of sales: the whole order, or one of its lines."""
    count = len(orders["at"])
    returned = counts_as_sale(orders) & (orders["status"] != PROCESSING)
    returned &= rng.random(count) < people.returns[orders["person"]]
    at = orders["at"] + DAY + (rng.gamma(2.0, 5.0 * DAY, count)).astype(np.int64)
    order = np.flatnonzero(returned & (at < window.stop))
    per_order = np.bincount(lines["order"], minlength=count)
    first_line = np.cumsum(per_order) - per_order
    chosen = first_line[order] + (rng.random(len(order)) * per_order[order]).astype(np.int64)
    full = (rng.random(len(order)) < 0.45) | (per_order[order] == 1)
    cents = np.where(full, orders["total_cents"][order], amount[chosen])
    by_time = np.argsort(at[order], kind="stable")
    columns = {
        "order": order.astype(np.int32),
        "at": at[order],
        "cents": cents,
        "reason": rng.choice(len(REASONS), len(order), p=[0.3, 0.16, 0.1, 0.26, 0.12, 0.06]),
        "is_full": full,
    }
    return take(columns, by_time)


def rfm(
    window: Window, bought: Purchases, owner: np.ndarray, count: int, kept: Mask | None = None
) -> Columns:
    """Compute the true RFM of `count` owners, `owner` naming the owner of each order.

    Orders cancelled or failed do not count; `kept` may leave out more (guest checkouts). Recency is
    in days from the last sale's date to the as-of date, −1 without a sale; money in cents.
    """
    orders = bought.orders
    sale = counts_as_sale(orders) & (kept if kept is not None else True)
    last = np.full(count, -1, dtype=np.int64)
    np.maximum.at(last, owner[sale], (orders["at"][sale] - window.start) // DAY)
    kept_refund = sale[bought.refunds["order"]]
    refund_owner = owner[bought.refunds["order"][kept_refund]]
    gross = np.bincount(owner[sale], orders["total_cents"][sale], count).astype(np.int64)
    refunds = np.bincount(refund_owner, bought.refunds["cents"][kept_refund], count)
    return {
        "recency_days": np.where(last >= 0, window.days - last, -1),
        "frequency": np.bincount(owner[sale], minlength=count),
        "gross_cents": gross,
        "refund_cents": refunds.astype(np.int64),
        "monetary_cents": gross - refunds.astype(np.int64),
    }
