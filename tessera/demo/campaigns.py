"""Campaigns: who was sent what, who opened, clicked, bought afterwards or unsubscribed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tessera.demo import contacts
from tessera.demo.columns import Columns, take
from tessera.demo.people import People
from tessera.demo.purchases import Purchases
from tessera.demo.season import DAY, Window

EVENTS = pa.array(["sent", "opened", "clicked", "converted", "unsubscribed"])
SENT, OPENED, CLICKED, CONVERTED, UNSUBSCRIBED = range(5)
CHANNELS = pa.array(["email", "sms"])
VARIANTS = pa.array(["A", "B"])
EVERY = 15  # days between campaigns
_AUDIENCE = 0.25  # of those who may be contacted
_SMS_EVERY = 5  # each fifth campaign goes out as text message
_CONVERSION = 5 * DAY  # an order this soon after a click counts as converted


def simulate(
    rng: np.random.Generator, window: Window, people: People, bought: Purchases, consents: Columns
) -> Columns:
    """Draw the campaign events of one chunk, by time; nobody is contacted without consent."""
    campaign, account, at = _sends(rng, window, people, consents)
    stages = _respond(rng, window, people, bought, (campaign, account, at))
    number, when, event = [], [], []
    for code, (row, seconds) in enumerate(stages):
        number.append(row)
        when.append(seconds)
        event.append(np.full(len(row), code, dtype=np.int8))
    row, seconds = np.concatenate(number), np.concatenate(when)
    columns = {
        "at": seconds,
        "campaign": campaign[row].astype(np.int16),
        "account": account[row].astype(np.int32),
        "channel": (campaign[row] % _SMS_EVERY == _SMS_EVERY - 1).astype(np.int8),
        "variant": ((account[row] * 2654435761 + campaign[row] * 40503) // 64 % 2).astype(np.int8),
        "event": np.concatenate(event),
    }
    columns = _until_unsubscribed(columns, len(people))
    return take(columns, np.lexsort((columns["event"], columns["at"])))


def _sends(
    rng: np.random.Generator, window: Window, people: People, consents: Columns
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    until = [
        contacts.allowed_until(consents, purpose, len(people))
        for purpose in (contacts.EMAIL, contacts.SMS)
    ]
    campaigns, accounts, times = [], [], []
    for number, day in enumerate(range(4, window.days, EVERY)):
        at = window.start + day * DAY + 9 * 3600
        by_sms = number % _SMS_EVERY == _SMS_EVERY - 1
        chosen = rng.random(len(people), dtype=np.float32) < _AUDIENCE
        chosen &= (people.created_at < at - DAY) & (until[int(by_sms)] > at)
        account = np.flatnonzero(chosen)
        accounts.append(account)
        campaigns.append(np.full(len(account), number))
        times.append(at + rng.integers(0, 5400, len(account)))
    if not accounts:
        return (np.empty(0, dtype=np.int64),) * 3
    return np.concatenate(campaigns), np.concatenate(accounts), np.concatenate(times)


def _respond(
    rng: np.random.Generator,
    window: Window,
    people: People,
    bought: Purchases,
    sends: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return, per event code, the sends it happened to and when."""
    _, account, at = sends
    count = len(at)
    opened_at = at + (rng.exponential(9 * 3600, count)).astype(np.int64) + 30
    opened = (rng.random(count) < people.opens[account]) & (opened_at < window.stop)
    clicked_at = opened_at + rng.integers(5, 600, count)
    clicked = opened & (rng.random(count) < people.clicks[account]) & (clicked_at < window.stop)
    next_order = _next_order(bought, account, clicked_at)
    converted = clicked & (next_order - clicked_at < _CONVERSION)
    leaves_at = opened_at + rng.integers(5, 300, count)
    leaves = opened & ~clicked & (rng.random(count) < 0.012) & (leaves_at < window.stop)
    everything = np.ones(count, dtype=np.bool_)
    stages = ((everything, at), (opened, opened_at), (clicked, clicked_at),
              (converted, next_order), (leaves, leaves_at))  # fmt: skip
    return [(np.flatnonzero(happened), when[happened]) for happened, when in stages]


def _next_order(bought: Purchases, account: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return when each account ordered next after a time; far in the future if never."""
    never = np.iinfo(np.int64).max
    known = ~bought.orders["is_guest"]
    # One sorted key for account and time: times are below 2^33 until the year 2242.
    keys = np.sort((bought.orders["account"][known].astype(np.int64) << 33)
                   + bought.orders["at"][known])  # fmt: skip
    if not len(keys):
        return np.full(len(account), never)
    found = np.searchsorted(keys, (account.astype(np.int64) << 33) + after)
    key = keys[found.clip(max=len(keys) - 1)]
    is_hers = (found < len(keys)) & (key >> 33 == account)
    return np.where(is_hers, key & (2**33 - 1), never)


def _until_unsubscribed(events: Columns, accounts: int) -> Columns:
    """Drop what would have happened after somebody unsubscribed (text messages go on)."""
    gone = np.full(accounts, np.iinfo(np.int64).max)
    leaving = events["event"] == UNSUBSCRIBED
    np.minimum.at(gone, events["account"][leaving], events["at"][leaving])
    return take(events, (events["at"] <= gone[events["account"]]) | (events["channel"] == 1))
