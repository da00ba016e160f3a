"""App use: sessions of those who have the app, from opening it to closing or ordering."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tessera.demo import purchases, season
from tessera.demo.columns import Columns, spread_ids, take, within
from tessera.demo.people import People
from tessera.demo.purchases import Purchases
from tessera.demo.season import DAY, Window

NAMES = pa.array(["app_opened", "feature_used", "order_placed", "app_closed"])
OPENED, USED, ORDERED, CLOSED = range(4)
FEATURES = pa.array(
    ["search", "wishlist", "scanner", "offers", "order_tracking", "store_finder", "reviews"]
)
PLATFORMS = pa.array(["ios", "android"])
_PER_VISIT = 0.6  # app sessions per browsing session of the same person


def simulate(
    rng: np.random.Generator, window: Window, people: People, bought: Purchases, first_event: int
) -> Columns:
    """Draw the app events of one chunk, by time; orders of the channel app end a session."""
    start = np.clip(people.joined, 0, window.days).astype(np.float64)
    stop = np.clip(people.left, start, window.days)
    users = people.has_app & people.is_first
    visits = rng.poisson(people.visits * _PER_VISIT * (stop - start)) * users
    who = np.repeat(np.arange(len(people)), visits)
    day = season.draw_days(rng, window, people.pull[who], start[who], stop[who])
    idle_at = window.start + day * DAY + season.draw_clock(rng, len(who))
    orders = np.flatnonzero(bought.orders["channel"] == purchases.APP)
    person = np.concatenate([who, bought.orders["person"][orders]])
    account = np.concatenate([who, bought.orders["account"][orders]])
    at = np.concatenate([idle_at, bought.orders["at"][orders] - 120])
    at = np.maximum(at, people.created_at[account] + 60)
    ordered = np.repeat([False, True], [len(who), len(orders)])
    return _events(rng, window, (person, account, at, ordered), first_event)


def _events(
    rng: np.random.Generator,
    window: Window,
    sessions: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    first_event: int,
) -> Columns:
    person, account, at, ordered = sessions
    used = 1 + rng.poisson(0.7, len(at))
    counts = used + 2 + ordered
    session = np.repeat(np.arange(len(at)), counts)
    position = within(counts)
    name = np.where(position == 0, OPENED, USED)
    name = np.where(position == counts[session] - 1, CLOSED, name)
    name = np.where(ordered[session] & (position == counts[session] - 2), ORDERED, name)
    feature = np.where(name == USED, rng.choice(len(FEATURES), len(name)), -1)
    duration = np.rint(rng.gamma(1.6, 28.0, len(name)) * 10) / 10
    when = np.minimum(at[session] + position * 55, window.stop - 1)
    columns = {
        "at": when,
        "number": first_event + np.arange(len(session), dtype=np.int64),
        "account": account[session].astype(np.int32),
        "name": name.astype(np.int8),
        "session": spread_ids(first_event + session, salt=41),
        "feature": feature.astype(np.int8),
        "seconds": np.where(name == USED, duration, np.nan),
        "platform": (person[session] * 31 // 7 % 2).astype(np.int8),
    }
    return take(columns, np.argsort(when, kind="stable"))
