"""Bots in the web events: crawlers that say so, and scripts that only their rate betrays."""

from __future__ import annotations

import numpy as np

from tessera.demo.browsing import CRAWLERS, FIRST_CRAWLER, HOME, LAPTOP, PAGE, VIEWED
from tessera.demo.catalogue import Catalogue
from tessera.demo.columns import Columns, spread_ids, take
from tessera.demo.season import DAY, Window

SHARE = 0.008  # of the web events
_PER_VISIT = 60  # events of one visit, on average


def simulate(
    rng: np.random.Generator, window: Window, catalogue: Catalogue, events: int, first_event: int
) -> tuple[Columns, Columns]:
    """Draw about SHARE × `events` bot events; return them and one row per visit (the truth).

    Half of the visits carry a crawler's user agent at a few requests a second; the others look
    like a browser but open dozens of pages within seconds.
    """
    visits = int(events * SHARE / _PER_VISIT)
    per_visit = 1 + rng.poisson(_PER_VISIT - 1, visits)
    is_crawler = rng.random(visits) < 0.5
    agent = np.where(is_crawler, FIRST_CRAWLER + rng.integers(0, len(CRAWLERS), visits), 3)
    anonymous = spread_ids(first_event + np.arange(visits), salt=977)
    start = (window.start + rng.integers(0, window.days * DAY - 3600, visits)) * 1000
    visit = np.repeat(np.arange(visits), per_visit)
    pace = np.where(is_crawler, 700, 90)[visit]
    ends = np.cumsum(per_visit)
    elapsed = np.cumsum((rng.standard_exponential(len(visit)) * pace).astype(np.int64))
    since = elapsed - np.r_[0, elapsed[ends[:-1] - 1]][visit] if visits else elapsed
    product = rng.integers(0, len(catalogue.category), len(visit)).astype(np.int32)
    is_page = rng.random(len(visit)) < 0.4
    path = rng.integers(0, HOME + 1, len(visit)).astype(np.int8)
    none = np.full(len(visit), -1, dtype=np.int32)
    events_of_bots = {
        "at_ms": start[visit] + since,
        "event": np.where(is_page, PAGE, VIEWED).astype(np.int8),
        "number": first_event + np.arange(len(visit), dtype=np.int64),
        "anonymous": anonymous[visit],
        "agent": agent[visit].astype(np.int8),
        "device": np.full(len(visit), LAPTOP, dtype=np.int8),
        "source": none.astype(np.int8),
        "account": none,
        "path": np.where(is_page, path, -1).astype(np.int8),
        "category": np.where(
            is_page, np.where(path < HOME, path, -1), catalogue.category[product]
        ).astype(np.int8),
        "product": np.where(is_page, -1, product).astype(np.int32),
        "order": none,
        "revenue_cents": np.zeros(len(visit), dtype=np.int32),
    }
    by_time = np.argsort(events_of_bots["at_ms"], kind="stable")
    truth = {"anonymous": anonymous, "is_crawler": is_crawler, "events": per_visit}
    return take(events_of_bots, by_time), truth
