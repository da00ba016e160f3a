"""Contact points: the CRM's rows about each account, and the consents given and withdrawn."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from tessera.demo import names
from tessera.demo.columns import Columns, concat, take
from tessera.demo.people import People
from tessera.demo.season import DAY, Window

PURPOSES = pa.array(["analytics", "personalisation", "email", "sms"])
ANALYTICS, PERSONALISATION, EMAIL, SMS = range(4)
GENDERS = pa.array(["f", "m", "x"])
CITIES, POSTAL_CODES, COUNTRIES = (pa.array([p[i] for p in names.PLACES]) for i in range(3))
CALLING = pa.array([names.CALLING_CODES[p[2]] for p in names.PLACES])
# Of a second account against its owner's first one.
_PERSONAL = ("born", "gender", "phone")
_HOME = ("street", "house")
_MOVES, _NEW_PHONES, _SLIPS = 0.15, 0.15, 0.04
_FEMALE_NAMES = 50  # the first so many of names.FIRST_NAMES


def simulate(rng: np.random.Generator, window: Window, people: People, first: int) -> Columns:
    """Draw the CRM row of each account of one chunk (`account` counts over all chunks)."""
    count = len(people)
    born = date(1935, 1, 1).toordinal() + np.rint(
        np.clip(rng.normal(46, 14, count), 1, 72) * 365.25
    )
    age = window.stop - np.maximum(people.created_at, window.start - 400 * DAY)
    updated = window.stop - 1 - (age * rng.beta(1.2, 1.2, count)).astype(np.int64)
    gender = np.where(people.first_name < _FEMALE_NAMES, 0, 1)
    gender = np.where(rng.random(count) < 0.01, 2, gender)
    account = first + np.arange(count, dtype=np.int32)
    drawn = {
        "account": account,
        "first_name": people.first_name,
        "last_name": people.last_name,
        "has_phone": rng.random(count) >= 0.28,
        "phone": rng.integers(10**6, 10**7, count),
        "has_born": rng.random(count) >= 0.18,
        "born": (born - date(1935, 1, 1).toordinal()).astype(np.int32),
        "has_gender": rng.random(count) >= 0.2,
        "gender": gender.astype(np.int8),
        "street": rng.integers(0, len(names.STREETS), count).astype(np.int8),
        "house": rng.integers(1, 140, count).astype(np.int16),
        "place": people.place,
        "handle": np.where(people.has_handle, account, -1).astype(np.int32),
        "created_at": people.created_at,
        "updated_at": np.maximum(updated, people.created_at),
    }
    return _with_gaps(drawn | _of_one_person(rng, people, drawn))


def _of_one_person(rng: np.random.Generator, people: People, drawn: Columns) -> Columns:
    """Give second accounts their owner's details: some moved, some retyped with a slip."""
    second = np.flatnonzero(~people.is_first)
    owner = people.person[second]
    count = len(second)
    told = {name: drawn[name].copy() for name in (*_PERSONAL, *_HOME)}
    has_moved, has_new_phone = rng.random(count) < _MOVES, rng.random(count) < _NEW_PHONES
    for name in _PERSONAL:
        told[name][second] = drawn[name][owner]
    for name in _HOME:
        told[name][second] = np.where(has_moved, drawn[name][second], drawn[name][owner])
    told["phone"][second] = np.where(has_new_phone, drawn["phone"][second], told["phone"][second])
    for name, digits in (("phone", 6), ("born", 2), ("house", 1)):
        slips = rng.random(count) < _SLIPS
        off = 10 ** rng.integers(0, digits, count).astype(told[name].dtype)
        told[name][second] += np.where(slips, off, 0).astype(told[name].dtype)
    return told


def _with_gaps(drawn: Columns) -> Columns:
    """Leave empty what the account's owner did not tell; the columns has_… go."""
    gaps = ("phone", "born", "gender")
    told = {name: np.where(drawn.pop(f"has_{name}"), drawn[name], -1) for name in gaps}
    return drawn | {name: told[name].astype(drawn[name].dtype) for name in gaps}


def simulate_consents(rng: np.random.Generator, window: Window, people: People) -> Columns:
    """Draw consents: one row per account and purpose at registration, some withdrawn later."""
    purposes = len(PURPOSES)
    account = np.repeat(np.arange(len(people), dtype=np.int32), purposes)
    purpose = np.tile(np.arange(purposes, dtype=np.int8), len(people))
    ease = np.array([1.05, 0.9, 1.0, 0.5])[purpose]
    granted = rng.random(len(account)) < people.consent[account] * ease
    given = {
        "account": account,
        "purpose": purpose,
        "granted": granted,
        "changed_at": people.created_at[account],
    }
    withdraws = granted & (rng.random(len(account)) < 0.05)
    since = np.maximum(people.created_at[account], window.start)
    later = since + ((window.stop - 1 - since) * rng.random(len(account))).astype(np.int64)
    withdrawn = take(given | {"granted": np.zeros_like(granted), "changed_at": later}, withdraws)
    return concat([given, withdrawn])


def allowed_until(consents: Columns, purpose: int, accounts: int) -> np.ndarray:
    """Return until which second each account may be contacted; −1 if it never could."""
    until = np.full(accounts, -1, dtype=np.int64)
    about = consents["purpose"] == purpose
    given = about & consents["granted"]
    until[consents["account"][given]] = np.iinfo(np.int64).max
    withdrawn = about & ~consents["granted"]
    account = consents["account"][withdrawn]
    until[account] = np.minimum(until[account], consents["changed_at"][withdrawn])
    return until


def withdrawals(unsubscribed: Columns) -> Columns:
    """Turn unsubscribing from a campaign into the withdrawal of the consent to e-mail."""
    count = len(unsubscribed["account"])
    return {
        "account": unsubscribed["account"],
        "purpose": np.full(count, EMAIL, dtype=np.int8),
        "granted": np.zeros(count, dtype=np.bool_),
        "changed_at": unsubscribed["at"],
    }
