"""People: each with a hidden persona, personal parameters scattered around it, and accounts."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tessera.demo import names, personas
from tessera.demo.catalogue import CATEGORIES
from tessera.demo.columns import Mask
from tessera.demo.season import DAY, PULLS, Window
from tessera.demo.streams import Streams

SECOND_ACCOUNTS = 0.02  # of the accounts belong to somebody who already has one
_CONCENTRATION = 7.0  # of the beta draws around a persona's shares
_SCATTER = 0.5  # sigma of the lognormal draws around a persona's rates


@dataclass(frozen=True)
class People:
    """One entry per account (customer_id). `days` count from the window's start, rates are daily.

    `person` is the account that its owner opened first: itself for nearly all.
    """

    persona: np.ndarray
    person: np.ndarray
    joined: np.ndarray  # day; negative: before the window
    left: np.ndarray  # day on which buying stops; may lie after the window
    created_at: np.ndarray  # second of registration
    rate: np.ndarray  # orders a day while active
    buys_first: np.ndarray
    basket: np.ndarray
    taste: np.ndarray
    discount: np.ndarray
    pull: np.ndarray  # level in season.PULLS
    returns: np.ndarray
    favourite: np.ndarray  # category; also the interest that makes communities
    second_favourite: np.ndarray
    visits: np.ndarray  # browsing sessions a day
    lingering: np.ndarray
    carts: np.ndarray
    remembered: np.ndarray  # share of the sessions that are logged in from the start
    mobile: np.ndarray  # share of the sessions on the phone
    shares_device: np.ndarray
    has_app: np.ndarray
    has_handle: np.ndarray
    posts: np.ndarray  # a day
    tone: np.ndarray
    popularity: np.ndarray
    tickets: np.ndarray  # a day
    nps: np.ndarray
    answers: np.ndarray
    opens: np.ndarray
    clicks: np.ndarray
    consent: np.ndarray
    first_name: np.ndarray
    last_name: np.ndarray
    place: np.ndarray
    mail_domain: np.ndarray
    handle_style: np.ndarray

    def __len__(self) -> int:
        return len(self.persona)

    @property
    def is_first(self) -> Mask:
        """True for the account that its owner opened first."""
        return self.person == np.arange(len(self))

    def slice(self, start: int, stop: int) -> People:
        """Return the accounts start … stop − 1; `person` then counts from `start`."""
        cut = {field.name: getattr(self, field.name)[start:stop] for field in fields(self)}
        return People(**(cut | {"person": cut["person"] - start}))

    def second_account(self) -> np.ndarray:
        """Return, per account, the second account of its owner, −1 for none."""
        second = np.full(len(self), -1, dtype=np.int32)
        others = np.flatnonzero(~self.is_first)
        second[self.person[others]] = others
        return second


def draw(streams: Streams, window: Window, count: int) -> People:
    """Draw `count` accounts of one chunk."""
    rng = streams.of("people")
    persona = rng.choice(len(personas.PERSONAS), count, p=personas.values("share")).astype(np.int8)
    energy = rng.normal(0, 1, count)  # who buys more also browses and writes more
    columns = (
        {"persona": persona, "person": np.arange(count, dtype=np.int32)}
        | _lifetimes(rng, window, persona)
        | _buying(rng, persona, energy)
        | _habits(rng, persona, energy)
        | _identity(rng, count)
    )
    return _with_second_accounts(rng, window, People(**columns))


def concat(parts: list[People]) -> People:
    """Join the chunks into one population; `person` then counts over all of them."""
    offsets = np.cumsum([0] + [len(part) for part in parts])
    joined = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(People)
    }
    shift = np.repeat(offsets[:-1], [len(part) for part in parts])
    return People(**(joined | {"person": (joined["person"] + shift).astype(np.int32)}))


def _lifetimes(rng: np.random.Generator, window: Window, persona: np.ndarray) -> dict:
    """Registration and dropout: exponential lifetimes as in Schmittlein, Morrison & Colombo 1987.

    Those who lapse carry a date instead. Short windows compress newness and lapses with them.
    """
    count = len(persona)
    scale = min(1.0, window.days / 730)
    low, high = personas.values("joined")[persona].T
    joined = window.days - (low + (high - low) * rng.random(count)) * scale
    low, high = personas.values("lapsed")[persona].T
    lapse = window.days - (low + (high - low) * rng.beta(1.3, 1.3, count)) * scale
    left = np.maximum(joined, 0) + rng.exponential(personas.values("lifetime")[persona])
    left = np.where(high > 0, np.minimum(left, np.maximum(lapse, joined + 1)), left)
    seconds = window.start + np.floor(joined).astype(np.int64) * DAY
    return {
        "joined": joined.astype(np.float32),
        "left": left.astype(np.float32),
        "created_at": seconds + rng.integers(6 * 3600, 22 * 3600, count),
    }


def _buying(rng: np.random.Generator, persona: np.ndarray, energy: np.ndarray) -> dict:
    count = len(persona)
    shape = personas.values("steadiness")[persona]
    rate = personas.values("orders")[persona] / 30 * rng.gamma(shape) / shape
    taste = np.clip(personas.values("taste")[persona] + rng.normal(0, 0.13, count), 0.02, 0.98)
    discount = _share(rng, personas.values("discount")[persona])
    favourite = rng.integers(0, len(CATEGORIES), count)
    return {
        "rate": (rate * np.exp(0.12 * energy)).astype(np.float32),
        "buys_first": rng.random(count) < personas.values("first_order")[persona],
        "basket": np.maximum(
            1.0, personas.values("basket")[persona] * np.exp(rng.normal(0, 0.2, count))
        ).astype(np.float32),
        "taste": taste.astype(np.float32),
        "discount": discount.astype(np.float32),
        "pull": np.minimum(discount * len(PULLS), len(PULLS) - 1).astype(np.int8),
        "returns": _share(rng, personas.values("returns")[persona]).astype(np.float32),
        "favourite": favourite.astype(np.int8),
        "second_favourite": rng.integers(0, len(CATEGORIES), count).astype(np.int8),
    }


def _habits(rng: np.random.Generator, persona: np.ndarray, energy: np.ndarray) -> dict:
    count = len(persona)

    def rate(name: str) -> np.ndarray:
        scatter = np.exp(0.25 * energy + rng.normal(0, _SCATTER, count) - _SCATTER**2 / 2)
        return (personas.values(name)[persona] / 30 * scatter).astype(np.float32)

    def share(name: str) -> np.ndarray:
        return _share(rng, personas.values(name)[persona]).astype(np.float32)

    fame = personas.values("popularity")[persona] * (rng.pareto(1.6, count) + 0.3)
    return {
        "visits": rate("visits"),
        "lingering": share("lingering"),
        "carts": share("carts"),
        "remembered": rng.beta(3, 3, count).astype(np.float32),
        "mobile": rng.beta(2, 2, count).astype(np.float32),
        "shares_device": rng.random(count) < 0.06,
        "has_app": rng.random(count) < personas.values("app")[persona],
        "has_handle": rng.random(count) < personas.values("social")[persona],
        "posts": rate("posts"),
        "tone": (personas.values("tone")[persona] + rng.normal(0, 0.3, count)).astype(np.float32),
        "popularity": fame.astype(np.float32),
        "tickets": rate("tickets"),
        "nps": (personas.values("nps")[persona] + rng.normal(0, 1.0, count)).astype(np.float32),
        "answers": share("answers"),
        "opens": share("opens"),
        "clicks": share("clicks"),
        "consent": share("consent"),
    }


def _identity(rng: np.random.Generator, count: int) -> dict:
    weights = np.array([weight for *_, weight in names.PLACES], dtype=np.float64)
    return {
        "first_name": rng.integers(0, len(names.FIRST_NAMES), count).astype(np.int16),
        "last_name": rng.integers(0, len(names.LAST_NAMES), count).astype(np.int16),
        "place": rng.choice(len(weights), count, p=weights / weights.sum()).astype(np.int8),
        "mail_domain": rng.integers(0, len(names.MAIL_DOMAINS), count).astype(np.int8),
        "handle_style": rng.integers(0, 3, count).astype(np.int8),
    }


def _share(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    return rng.beta(mean * _CONCENTRATION, (1 - mean) * _CONCENTRATION)


def _with_second_accounts(rng: np.random.Generator, window: Window, people: People) -> People:
    """Turn a few accounts into later accounts of somebody else, under another e-mail."""
    count = int(len(people) * SECOND_ACCOUNTS)
    chosen = rng.permutation(len(people))[: 2 * count]
    owners, seconds = chosen[:count], chosen[count:]
    for field in fields(people):  # same person, same nature
        values = getattr(people, field.name)
        values[seconds] = values[owners]
    people.mail_domain[seconds] = (people.mail_domain[owners] + 1) % len(names.MAIL_DOMAINS)
    people.has_handle[seconds] = False
    start = np.maximum(people.created_at[owners] + 20 * DAY, window.start)
    room = np.maximum(window.stop - DAY - start, 1)
    opened = start + (room * rng.random(count)).astype(np.int64)
    people.created_at[seconds] = np.minimum(opened, window.stop - DAY)
    return people


def emails(people: People) -> pa.Array:
    """Return one e-mail per account, all distinct (name, a number where taken, domain)."""
    taken = _times_seen_before(people.first_name, people.last_name, people.mail_domain)
    first = _spelled(people.first_name, names.FIRST_NAMES)
    last = _spelled(people.last_name, names.LAST_NAMES)
    domain = pc.take(pa.array(names.MAIL_DOMAINS), pa.array(people.mail_domain))
    local = pc.binary_join_element_wise(first, last, ".")
    return pc.binary_join_element_wise(
        pc.binary_join_element_wise(local, _number(taken), ""), domain, "@"
    )


def handles(people: People) -> pa.Array:
    """Return one social handle per account, all distinct (also where she does not have one)."""
    taken = _times_seen_before(people.first_name, people.last_name, people.handle_style)
    first = _spelled(people.first_name, names.FIRST_NAMES)
    last = _spelled(people.last_name, names.LAST_NAMES)
    between = pc.take(pa.array(["_", ".", ""]), pa.array(people.handle_style))
    return pc.binary_join_element_wise(first, between, last, _number(taken), "")


def _spelled(codes: np.ndarray, vocabulary: tuple[str, ...]) -> pa.Array:
    return pc.take(pa.array([names.ascii_form(word) for word in vocabulary]), pa.array(codes))


def _number(taken: np.ndarray) -> pa.Array:
    """Return '' for the first who wants a name, then '2', '3', …."""
    return pc.if_else(pa.array(taken > 0), pc.cast(pa.array(taken + 1), pa.string()), "")


def _times_seen_before(*keys: np.ndarray) -> np.ndarray:
    combined = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        combined = combined * 1000 + key
    order = np.argsort(combined, kind="stable")
    ordered = combined[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    counts = np.diff(np.r_[starts, len(ordered)])
    seen = np.empty(len(combined), dtype=np.int64)
    seen[order] = np.arange(len(ordered)) - np.repeat(starts, counts)
    return seen
