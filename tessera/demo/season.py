"""The calendar: the window of the exports, its months, weekly and yearly season, sales campaigns.

Times are whole seconds since 1970 UTC (int64) unless a name says otherwise; `day` counts from
the first day of the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from tessera.demo.columns import Floats, Ints

END = date(2025, 12, 31)
DAY = 86_400

# code, first (month, day), last (month, day), discount: the shop's yearly sales.
SALES = (
    ("WINTER", (1, 8), (1, 21), 0.25),
    ("SPRING", (3, 15), (3, 24), 0.15),
    ("GARDEN", (5, 8), (5, 14), 0.10),
    ("SUMMER", (7, 1), (7, 21), 0.20),
    ("BACK2WORK", (9, 5), (9, 14), 0.10),
    ("BLACKWEEK", (11, 21), (11, 30), 0.30),
    ("ADVENT", (12, 8), (12, 14), 0.15),
)
# How much more people buy during a sale, by how strongly discounts pull them (level 0 to 3).
PULLS = np.array([0.0, 1.5, 4.0, 9.0])

_WEEK = np.array([1.0, 0.93, 0.92, 0.97, 1.02, 1.08, 1.15])
_YEAR = np.array([0.92, 0.88, 0.95, 0.97, 1.0, 0.97, 0.9, 0.9, 1.0, 1.05, 1.2, 1.4])
_HOURS = np.array(
    [4, 2, 1, 1, 1, 2, 5, 9, 12, 14, 16, 17, 18, 16, 14, 15, 16, 18, 22, 26, 28, 24, 16, 9]
)


@dataclass(frozen=True)
class Window:
    """The days the exports cover: `days` days, the last one being `end`."""

    days: int
    end: date = END

    @property
    def first(self) -> date:
        """The first day."""
        return self.end - timedelta(days=self.days - 1)

    @property
    def start(self) -> int:
        """The first second."""
        return _seconds(self.first)

    @property
    def stop(self) -> int:
        """The second after the last (midnight of the as-of date)."""
        return self.start + self.days * DAY

    @cached_property
    def months(self) -> list[str]:
        """The months touched, as YYYY-MM, in order."""
        days = [self.first + timedelta(days=d) for d in range(self.days)]
        return sorted({f"{d:%Y-%m}" for d in days})

    @cached_property
    def month_starts(self) -> Ints:
        """The first second of each month; the first is the start of the window."""
        starts = [_seconds(date.fromisoformat(f"{m}-01")) for m in self.months]
        return np.maximum(np.array(starts, dtype=np.int64), self.start)

    def month_of(self, seconds: np.ndarray) -> np.ndarray:
        """Return the position in `months` of each time."""
        found = np.searchsorted(self.month_starts, seconds, side="right") - 1
        return found.clip(0).astype(np.int16)

    @cached_property
    def sale_of_day(self) -> np.ndarray:
        """The position in `SALES` running on each day, −1 for none."""
        found = np.full(self.days, -1, dtype=np.int8)
        for day in range(self.days):
            when = self.first + timedelta(days=day)
            for position, (_, opens, closes, _) in enumerate(SALES):
                if opens <= (when.month, when.day) <= closes:
                    found[day] = position
        return found

    @cached_property
    def demand(self) -> Floats:
        """Cumulated demand, one row per pull of discounts, `days` + 1 columns; mean 1 a day."""
        dates = [self.first + timedelta(days=d) for d in range(self.days)]
        base = np.array([_WEEK[d.weekday()] * _YEAR[d.month - 1] for d in dates])
        rates = np.array([rate for *_, rate in SALES] + [0.0])[self.sale_of_day]
        daily = base * (1 + PULLS[:, None] * rates)
        daily /= daily.mean(axis=1, keepdims=True)
        return np.hstack([np.zeros((len(PULLS), 1)), np.cumsum(daily, axis=1)])


def _seconds(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY


def demand_at(window: Window, level: np.ndarray, day: np.ndarray) -> Floats:
    """Return the demand cumulated from the window's start to `day` (a float), by pull level."""
    day = np.clip(day, 0, window.days)
    whole = np.minimum(day.astype(np.int64), window.days - 1)
    before, after = window.demand[level, whole], window.demand[level, whole + 1]
    return before + (after - before) * (day - whole)


def draw_days(
    rng: np.random.Generator, window: Window, level: np.ndarray, start: np.ndarray, stop: np.ndarray
) -> Ints:
    """Draw one day in [start, stop] for each row, busy days being likelier (inverse transform)."""
    low, high = demand_at(window, level, start), demand_at(window, level, stop)
    wanted = low + (high - low) * rng.random(len(low))
    # One search in all the levels' curves, laid end to end, each lifted above the one before.
    lift = window.days + 1.0
    curves = (window.demand[:, :-1] + np.arange(len(PULLS))[:, None] * lift).ravel()
    found = np.searchsorted(curves, wanted + level * lift, side="right") - 1
    return np.clip(found - level.astype(np.int64) * window.days, 0, window.days - 1)


def draw_clock(rng: np.random.Generator, count: int) -> Ints:
    """Draw seconds of the day: evenings are busy, nights are not."""
    table = np.repeat(np.arange(24), _HOURS)
    hours = table[rng.integers(0, len(table), count)]
    return hours * 3600 + rng.integers(0, 3600, count)
