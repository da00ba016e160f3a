"""Browsing: sessions on several devices, before and after login, and their web events.

A session is landing and listing pages, product views (some put into the cart), perhaps a login,
cart, checkout and the completed order. Sessions are drawn first, then unrolled into events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tessera.demo import purchases, season
from tessera.demo.catalogue import CATEGORIES, Catalogue
from tessera.demo.columns import Columns, Ints, concat, rows, spread_ids, take, within
from tessera.demo.people import People
from tessera.demo.purchases import Purchases
from tessera.demo.season import DAY, Window

EVENTS = pa.array(
    ["page", "identify", "Product Viewed", "Product Added", "Checkout Started", "Order Completed"]
)
PAGE, IDENTIFY, VIEWED, ADDED, CHECKOUT, COMPLETED = range(6)
TYPES = pa.array(["page", "identify", "track", "track", "track", "track"])
# Paths: one per category first, then the fixed pages. Product paths come from the sku.
PATHS = pa.array(
    [f"/c/{name.lower().replace(' & ', '-').replace(' ', '-')}" for name in CATEGORIES]
    + ["/", "/search", "/sale", "/account/login", "/cart", "/checkout", "/checkout/thank-you"]
)
HOME, SEARCH, SALE, LOGIN, CART, PAY, THANKS = range(len(CATEGORIES), len(CATEGORIES) + 7)
SOURCES = pa.array(["google", "newsletter", "instagram", "affiliate", "facebook"])

_PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0",
)
_DESKTOP = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
)
_TABLET = (
    "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 13; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/16.6 Mobile/15E148 Safari/604.1",
)
CRAWLERS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "python-requests/2.32.3",
)
_BY_DEVICE = len(_PHONE)  # user agents of a device type stand together
AGENTS = pa.array([*_PHONE, *_DESKTOP, *_TABLET, *CRAWLERS])
DEVICES = pa.array(["mobile", "desktop", "tablet"])
PHONE, LAPTOP, TABLET = range(3)
FIRST_CRAWLER = 3 * _BY_DEVICE

ANONYMOUS, REMEMBERED, LOGS_IN = range(3)


@dataclass(frozen=True)
class Context:
    """What the sessions of a chunk refer to; `first_account` and `first_event` are offsets."""

    window: Window
    people: People
    catalogue: Catalogue
    bought: Purchases
    first_account: int
    first_event: int


def simulate(rng: np.random.Generator, context: Context) -> Columns:
    """Draw the web events of one chunk, by time (`at_ms`, milliseconds since 1970 UTC)."""
    sessions = concat([_buying(rng, context), _browsing(rng, context)])
    sessions |= _device(rng, context, sessions)
    events = _unroll(rng, context, sessions)
    return events


def _buying(rng: np.random.Generator, context: Context) -> Columns:
    """One session per web order, ending with it."""
    orders = context.bought.orders
    order = np.flatnonzero(orders["channel"] == purchases.WEB)
    person = orders["person"][order]
    lines = np.bincount(context.bought.lines["order"], minlength=len(orders["at"]))
    known = rng.random(len(order)) < context.people.remembered[person]
    login = np.where(known, REMEMBERED, LOGS_IN)
    return {
        "person": person,
        "account": orders["account"][order],
        "at": orders["at"][order],
        "order": order.astype(np.int64),
        "login": np.where(orders["is_guest"][order], ANONYMOUS, login).astype(np.int8),
        "pages": (1 + np.minimum(rng.poisson(0.5, len(order)), 5)).astype(np.int16),
        "adds": lines[order].astype(np.int16),
        "views": (rng.geometric(0.6, len(order)) - 1).clip(0, 15).astype(np.int16),
        "checkout": np.ones(len(order), dtype=np.int16),
        "completed": np.ones(len(order), dtype=np.int16),
    }


def _browsing(rng: np.random.Generator, context: Context) -> Columns:
    """Sessions without an order; some fill a cart and leave it, some of these at the checkout."""
    window, people = context.window, context.people
    person, day, before_joining = _visit_days(rng, window, people)
    count = len(person)
    at = window.start + day * DAY + season.draw_clock(rng, count)
    second = people.second_account()[person]
    uses = (second >= 0) & (at > people.created_at[second]) & (rng.random(count) < 0.4)
    dice = rng.random(count)
    share = 0.75 * people.remembered[person]
    login = np.where(dice < share, REMEMBERED, np.where(dice < share + 0.12, LOGS_IN, ANONYMOUS))
    has_account = ~before_joining & (at > people.created_at[person])
    carts = rng.random(count) < people.carts[person]
    adds = np.where(carts, 1 + np.minimum(rng.poisson(0.6, count), 6), 0)
    return {
        "person": person.astype(np.int32),
        "account": np.where(uses, second, person).astype(np.int32),
        "at": at,
        "order": np.full(count, -1, dtype=np.int64),
        "login": np.where(has_account, login, ANONYMOUS).astype(np.int8),
        "pages": (1 + np.minimum(rng.poisson(0.9, count), 8)).astype(np.int16),
        "adds": adds.astype(np.int16),
        "views": (rng.geometric(0.42, count) - 1).clip(0, 25).astype(np.int16),
        "checkout": (carts & (rng.random(count) < 0.35)).astype(np.int16),
        "completed": np.zeros(count, dtype=np.int16),
    }


def _visit_days(
    rng: np.random.Generator, window: Window, people: People
) -> tuple[Ints, Ints, np.ndarray]:
    """Return person, day and whether it was before registering, of each browsing session."""
    days = float(window.days)
    joined = np.clip(people.joined, 0, days - 1).astype(np.float64)
    left = np.clip(people.left, joined, days)
    alive = people.is_first
    active = rng.poisson(people.visits * (left - joined)) * alive
    lingering = rng.poisson(people.visits * people.lingering * (days - left)) * alive
    early = rng.poisson(1.0, len(people)) * (alive & (people.joined > 3))
    spans = ((active, joined, left), (lingering, left, np.full_like(left, days)),
             (early, np.maximum(joined - 14, 0), joined))  # fmt: skip
    person, day = [], []
    for visits, start, stop in spans:
        who = np.repeat(np.arange(len(people)), visits)
        person.append(who)
        day.append(season.draw_days(rng, window, people.pull[who], start[who], stop[who]))
    before = np.repeat([False, True], [int(active.sum() + lingering.sum()), int(early.sum())])
    return np.concatenate(person), np.concatenate(day), before


def _device(rng: np.random.Generator, context: Context, sessions: Columns) -> Columns:
    """Choose the device of each session: phone, laptop (perhaps the family's) or tablet."""
    people, person = context.people, sessions["person"]
    dice = rng.random(len(person), dtype=np.float32)
    on_phone = dice < 0.9 * people.mobile[person]
    kind = np.where(on_phone, PHONE, np.where(dice < 0.93, LAPTOP, TABLET)).astype(np.int8)
    # Neighbours (0 and 1, 2 and 3, …) live together; the lower one owns the shared laptop.
    shared = people.shares_device[person] & (kind == LAPTOP)
    owner = np.where(shared, person - person % 2, person)
    number = (context.first_account + owner.astype(np.int64)) * 3 + kind
    model = (number * 7919 // 3) % _BY_DEVICE
    source = rng.integers(0, 2 * len(SOURCES), len(person), dtype=np.int8)
    return {
        "device": kind,
        "anonymous": spread_ids(number, salt=17),
        "agent": (kind * _BY_DEVICE + model).astype(np.int8),
        "source": np.where(source < len(SOURCES), source, -1).astype(np.int8),
    }


def _unroll(rng: np.random.Generator, context: Context, sessions: Columns) -> Columns:
    """Turn sessions into events: parts of a session follow one another in a fixed order."""
    logs_in = (sessions["login"] == LOGS_IN).astype(np.int16)
    in_cart = (sessions["adds"] > 0).astype(np.int16)
    # Each login is a page and an identify, each cart item a view and an add.
    parts = [sessions["pages"], 2 * logs_in, 2 * sessions["adds"], sessions["views"],
             in_cart, sessions["checkout"], sessions["completed"]]  # fmt: skip
    ends = np.cumsum(np.stack(parts), axis=0, dtype=np.int16)
    counts = ends[-1].astype(np.int64)
    session = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    position = within(counts).astype(np.int16)
    part = np.zeros(len(session), dtype=np.int8)
    for end in ends[:-1]:
        part += position >= end[session]
    offset = position - np.where(part > 0, ends[np.maximum(part - 1, 0), session], 0)
    event = np.choose(part, [PAGE, PAGE, VIEWED, VIEWED, PAGE, CHECKOUT, COMPLETED]).astype(np.int8)
    odd = offset % 2 == 1
    event[(part == 1) & odd] = IDENTIFY
    event[(part == 2) & odd] = ADDED
    at_ms = _times(rng, context.window, sessions, counts, session)
    columns: Columns = {
        "at_ms": at_ms,
        "event": event,
        "number": context.first_event + np.arange(len(session), dtype=np.int64),
        "anonymous": sessions["anonymous"][session],
        "agent": sessions["agent"][session],
        "device": sessions["device"][session],
        "source": np.where(position == 0, sessions["source"][session], np.int8(-1)),
        "account": _user(sessions, session, part, odd),
    }
    columns |= _things(rng, context, sessions, (session, part, offset))
    return take(columns, np.argsort(at_ms, kind="stable"))


def _times(
    rng: np.random.Generator,
    window: Window,
    sessions: Columns,
    counts: np.ndarray,
    session: np.ndarray,
) -> Ints:
    """Space the events of a session by exponential gaps; a bought session ends with its order."""
    gap = (rng.standard_exponential(len(session), dtype=np.float32) * 38_000 + 900).astype(np.int64)
    elapsed = np.cumsum(gap)
    last = np.cumsum(counts) - 1
    before_end = elapsed[last][session] - elapsed
    start_to_end = elapsed[last] - elapsed[last - counts + 1]
    is_buying = sessions["order"] >= 0
    within_second = rng.integers(0, 1000, len(counts))
    end = sessions["at"] * 1000 + within_second + np.where(is_buying, 0, start_to_end)
    return np.clip(end[session] - before_end, window.start * 1000, window.stop * 1000 - 1)


def _user(sessions: Columns, session: np.ndarray, part: np.ndarray, odd: np.ndarray) -> np.ndarray:
    """Return the account known at each event, −1 before the login and in anonymous sessions."""
    login = sessions["login"][session]
    after = (part > 1) | ((part == 1) & odd)
    known = (login == REMEMBERED) | ((login == LOGS_IN) & after)
    return np.where(known, sessions["account"][session], np.int32(-1))


def _things(
    rng: np.random.Generator,
    context: Context,
    sessions: Columns,
    place: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> Columns:
    """What each event is about: path, category, product, order."""
    session, part, offset = place
    person = sessions["person"][session]
    category = purchases.choose_category(rng, context.people, person)
    product = np.full(len(session), -1, dtype=np.int32)
    looks = (part == 2) | (part == 3)
    seen = context.catalogue.pick(rng, category[looks], context.people.taste[person[looks]])
    product[looks] = seen
    added = np.flatnonzero((part == 2) & (offset % 2 == 1))
    product[added] = product[added - 1]  # what is added was just viewed
    _put_order_lines(context, sessions, place, product)
    listing = rng.integers(0, 8, len(session), dtype=np.int8)
    landing = np.where(listing < 4, HOME, np.where(listing == 4, SALE, category))
    inner = np.where(listing < 2, SEARCH, category)
    pages = np.where(offset == 0, landing, inner)
    path = np.choose(part, [pages, LOGIN, -1, -1, CART, PAY, THANKS]).astype(np.int8)
    of_product = context.catalogue.category[product]
    shown = np.where(product >= 0, of_product, np.where(path < HOME, path, -1))
    bought = part == 6
    order = np.where(bought, sessions["order"][session], -1)
    total = context.bought.orders["total_cents"]
    revenue = np.where(bought, total[order], 0) if rows({"total": total}) else order
    return {
        "path": path,
        "category": shown.astype(np.int8),
        "product": product,
        "order": order.astype(np.int32),
        "revenue_cents": revenue.astype(np.int32),
    }


def _put_order_lines(
    context: Context,
    sessions: Columns,
    place: tuple[np.ndarray, np.ndarray, np.ndarray],
    product: np.ndarray,
) -> None:
    """In sessions that end with an order, the cart holds exactly the lines of the order."""
    session, part, offset = place
    lines = context.bought.lines
    per_order = np.bincount(lines["order"], minlength=rows(context.bought.orders))
    first_line = np.cumsum(per_order) - per_order
    order = sessions["order"][session]
    carted = (part == 2) & (order >= 0)
    product[carted] = lines["product"][first_line[order[carted]] + offset[carted] // 2]
