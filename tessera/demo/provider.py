"""A data provider: what it says of the people behind some e-mail addresses, by their hashes.

Who has expensive taste earns more, on average; the rest is unrelated to how people buy.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from tessera.demo.columns import Columns, take
from tessera.demo.people import People

AGES = pa.array(["18-29", "30-39", "40-49", "50-59", "60+"])
INCOMES = pa.array(["under 25k", "25k-50k", "50k-75k", "over 75k"])
EDUCATIONS = pa.array(["school", "apprenticeship", "college", "university"])
OCCUPATIONS = pa.array(["employee", "self-employed", "civil servant", "student", "retired"])
HOMES = pa.array(["rent", "own"])
_KNOWN = 0.6  # of the accounts
_GAPS = 0.12  # of what it says of those
_RETIRED, _STUDENT = 4, 3


def simulate(rng: np.random.Generator, people: People, crm: Columns) -> Columns:
    """Draw one row per known account; −1 where the provider knows the person, but not this."""
    count = len(people)
    drawn_age = rng.normal(46, 14, count)
    born = date(1935, 1, 1).toordinal() + crm["born"]
    told_age = (date(2025, 12, 31).toordinal() - born) / 365.25
    age = np.clip(np.where(crm["born"] >= 0, told_age, drawn_age), 18, 90)
    band = np.digitize(age, [30, 40, 50, 60])
    taste = (people.taste - people.taste.mean()) / max(people.taste.std(), 1e-9)
    income = np.digitize(0.8 * taste + rng.normal(0, 1, count), [-0.9, 0.2, 1.2])
    occupation = rng.integers(0, 3, count)
    occupation = np.where(age < 25, _STUDENT, np.where(age > 66, _RETIRED, occupation))
    size = 1 + rng.poisson(np.where((age > 28) & (age < 55), 1.6, 0.7))
    told = {
        "age": band,
        "income": income,
        "education": rng.choice(len(EDUCATIONS), count, p=[0.2, 0.35, 0.2, 0.25]),
        "occupation": occupation,
        "home": (rng.random(count) < 0.25 + 0.08 * band + 0.06 * income).astype(np.int8),
        "household_size": np.minimum(size, 7),
    }
    for name, values in told.items():
        told[name] = np.where(rng.random(count) < _GAPS, -1, values).astype(np.int8)
    known = np.sort(rng.permutation(count)[: round(_KNOWN * count)])
    return take({"email": crm["account"], **told}, known)
