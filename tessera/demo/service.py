"""Support tickets and survey answers: what people say to the company itself."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tessera.demo import phrases, season
from tessera.demo.columns import Columns, take
from tessera.demo.people import People
from tessera.demo.purchases import Purchases
from tessera.demo.season import DAY, Window

CHANNELS = pa.array(["email", "chat", "phone"])
STATES = pa.array(["closed", "open"])
SURVEYS = pa.array(["post_purchase", "relationship"])
_REFUND_SUBJECTS = (1, 2, 7)  # in phrases.SUBJECTS


def simulate_tickets(
    rng: np.random.Generator, window: Window, people: People, bought: Purchases, first: int
) -> Columns:
    """Draw the tickets of one chunk, by time: some after returns, the others out of the blue."""
    start = np.clip(people.joined, 0, window.days).astype(np.float64)
    stop = np.clip(people.left, start, window.days)
    plain = np.repeat(
        np.arange(len(people)), rng.poisson(people.tickets * (stop - start)) * people.is_first
    )
    level = np.zeros(len(plain), dtype=np.int8)
    day = season.draw_days(rng, window, level, start[plain], stop[plain])
    about = rng.random(len(bought.refunds["order"])) < 0.35
    order = bought.refunds["order"][about]
    at = np.concatenate(
        [
            window.start + day * DAY + season.draw_clock(rng, len(day)),
            np.maximum(bought.refunds["at"][about] - DAY, bought.orders["at"][order] + 3600),
        ]
    )
    account = np.concatenate([plain, bought.orders["account"][order]])
    after_return = np.repeat([False, True], [len(plain), len(order)])
    subject = np.where(
        after_return,
        rng.choice(_REFUND_SUBJECTS, len(at)),
        rng.integers(0, len(phrases.SUBJECTS), len(at)),
    )
    columns = {"at": at, "account": account.astype(np.int32), "subject": subject.astype(np.int8)}
    columns = take(columns, np.argsort(at, kind="stable"))
    return columns | _handling(rng, window, people, columns, first)


def _handling(
    rng: np.random.Generator, window: Window, people: People, tickets: Columns, first: int
) -> Columns:
    """How each ticket went: channel, closing time, satisfaction 1 … 5 (−1: not answered)."""
    count = len(tickets["at"])
    hours = np.exp(rng.normal(2.6, 1.1, count))
    closed = tickets["at"] + (hours * 3600).astype(np.int64)
    is_open = (closed >= window.stop) | (rng.random(count) < 0.01)
    mean = 0.9 + people.nps[tickets["account"]] * 0.4 - 0.12 * np.log1p(hours)
    score = np.clip(np.rint(mean + rng.normal(0, 0.7, count)), 1, 5)
    answered = ~is_open & (rng.random(count) < 0.55)
    return {
        "number": first + np.arange(count, dtype=np.int64),
        "closed_at": np.where(is_open, -1, closed),
        "channel": rng.choice(3, count, p=[0.5, 0.32, 0.18]).astype(np.int8),
        "topic": np.array(phrases.TOPIC_OF_SUBJECT, dtype=np.int8)[tickets["subject"]],
        "state": is_open.astype(np.int8),
        "satisfaction": np.where(answered, score, -1).astype(np.int8),
        "by_email": rng.random(count) < 0.08,  # written without logging in: no customer_id
    }


def simulate_answers(
    rng: np.random.Generator, window: Window, people: People, bought: Purchases, first: int
) -> Columns:
    """Draw the survey answers of one chunk, by time: NPS 0 … 10 (−1: left out) and comments."""
    orders = bought.orders
    asked = rng.random(len(orders["at"])) < 0.3 * people.answers[orders["person"]]
    after = orders["at"] + (DAY * (2 + rng.exponential(3, len(asked)))).astype(np.int64)
    asked &= ~orders["is_guest"]
    yearly = np.flatnonzero(rng.random(len(people)) < people.answers)
    room = window.stop - 1 - np.maximum(people.created_at[yearly], window.start)
    when = window.stop - 1 - (room * rng.random(len(yearly))).astype(np.int64)
    at = np.concatenate([after[asked], when])
    account = np.concatenate([orders["account"][asked], yearly])
    survey = np.repeat([0, 1], [int(asked.sum()), len(yearly)])
    columns = {"at": at, "account": account.astype(np.int32), "survey": survey.astype(np.int8)}
    columns = take(columns, at < window.stop)
    columns = take(columns, np.argsort(columns["at"], kind="stable"))
    return columns | _opinion(rng, people, columns["account"], first)


def _opinion(rng: np.random.Generator, people: People, account: np.ndarray, first: int) -> Columns:
    count = len(account)
    nps = np.clip(np.rint(people.nps[account] + rng.normal(0, 1.2, count)), 0, 10)
    mood = np.where(nps >= 8, phrases.POSITIVE, np.where(nps <= 5, phrases.NEGATIVE, 1))
    size = phrases.PER_MOOD["comment"]
    comment = mood * size + rng.integers(0, size, count)
    return {
        "number": first + np.arange(count, dtype=np.int64),
        "nps": np.where(rng.random(count) < 0.03, -1, nps).astype(np.int8),
        "comment": np.where(rng.random(count) < 0.5, comment, -1).astype(np.int8),
    }
