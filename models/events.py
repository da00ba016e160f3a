"""How much more happened during an event than before it, with an interval.

Quasi-Poisson (Wedderburn 1974): days vary more than Poisson's law allows, so counts are divided by
how much more they do, Pearson's dispersion, before the interval of a ratio of two Poisson rates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

COLUMNS = ["happened", "days", "happened_before", "days_before", "dispersion", "ratio",
           "ratio_low", "ratio_high"]  # fmt: skip


@dataclass(frozen=True)
class EventParameters:
    """How an event is judged.

    Below `least_days_before` nothing is said of what is usual. Of events that change nothing, the
    share `false_alarm_rate` has an interval without 1.
    """

    least_days_before: int = 14
    false_alarm_rate: float = 0.05


def ratios(daily: pd.DataFrame, parameters: EventParameters) -> pd.DataFrame:
    """Each event's days against those before it: event, measure and COLUMNS, by their names.

    `daily`: event, measure, phase ('before' or 'during') and happened, a row a day, none left out
    because nothing happened. Events without a day of their own are left out.
    """
    rows = []
    for (event, measure), days in daily.groupby(["event", "measure"], sort=True):
        during = days.loc[days["phase"] == "during", "happened"].to_numpy(dtype=float)
        before = days.loc[days["phase"] == "before", "happened"].to_numpy(dtype=float)
        if len(during):
            told = (during.sum(), len(during), before.sum(), len(before))
            rows.append((event, measure, *told, *_judge(during, before, parameters)))
    frame = pd.DataFrame(rows, columns=["event", "measure", *COLUMNS])
    whole = dict.fromkeys(["happened", "days", "happened_before", "days_before"], "int64")
    parts = dict.fromkeys(["dispersion", "ratio", "ratio_low", "ratio_high"], "float64")
    return frame.astype({"event": "str", "measure": "str", **whole, **parts})


def join_weeks(weeks: pd.DataFrame, declared: pd.DataFrame) -> pd.DataFrame:
    """Weeks out of line as events: event, starts_on, ends_on, found_in, in order.

    `weeks`: measure, week (its Monday) and score, a row for each measure and week out of line.
    `declared`: starts_on and ends_on of events that are known: a week with a day of one is
    explained. Weeks on end are one event; found_in tells its measures, each high or low by its
    greatest score.
    """
    week = pd.to_datetime(weeks["week"]).to_numpy("datetime64[D]")
    first = pd.to_datetime(declared["starts_on"]).to_numpy("datetime64[D]")
    last = pd.to_datetime(declared["ends_on"]).to_numpy("datetime64[D]")
    overlaps = (week[:, None] + 6 >= first) & (week[:, None] <= last)
    unexplained = weeks.assign(week=week).iloc[np.flatnonzero(~overlaps.any(axis=1))]
    told = unexplained.sort_values(["week", "measure"])
    number = (told["week"].diff().dt.days > 7).cumsum()
    rows = []
    for _, event in told.groupby(number):
        starts, ends = event["week"].iloc[0], event["week"].iloc[-1] + pd.Timedelta(days=6)
        rows.append((f"week of {starts:%Y-%m-%d}", starts, ends, _how(event)))
    frame = pd.DataFrame(rows, columns=["event", "starts_on", "ends_on", "found_in"])
    days = dict.fromkeys(["starts_on", "ends_on"], "datetime64[s]")
    return frame.astype({"event": "str", "found_in": "str", **days})


def _how(event: pd.DataFrame) -> str:
    """orders high, posts low."""
    greatest = event.loc[event.groupby("measure")["score"].apply(lambda s: s.abs().idxmax())]
    pairs = zip(greatest["measure"], greatest["score"], strict=True)
    return ", ".join(f"{measure} {'high' if score > 0 else 'low'}" for measure, score in pairs)


def dispersion(*groups: np.ndarray) -> float:
    """Variance ÷ mean of daily counts around the mean of their group; at least 1, Poisson's.

    Pearson's chi-square over its degrees of freedom; groups in which nothing happened say nothing.
    """
    told = [group for group in groups if group.sum() > 0]
    freedom = sum(len(group) - 1 for group in told)
    if not freedom:
        return 1.0
    pearson = sum(((group - group.mean()) ** 2 / group.mean()).sum() for group in told)
    return max(1.0, float(pearson / freedom))


def _judge(
    during: np.ndarray, before: np.ndarray, parameters: EventParameters
) -> tuple[float | None, ...]:
    """(dispersion, ratio, low, high); to nothing there is no ratio and no upper end."""
    from statsmodels.stats.rates import confint_poisson_2indep

    if len(before) < parameters.least_days_before or during.sum() + before.sum() == 0:
        return None, None, None, None
    scale = dispersion(during, before)
    # Wald's on the log of the ratio, half a count added to each: the score interval of
    # statsmodels collapses to a point when one of the counts is 0.
    low, high = confint_poisson_2indep(
        during.sum() / scale,
        len(during),
        before.sum() / scale,
        len(before),
        method="waldcc",
        compare="ratio",
        alpha=parameters.false_alarm_rate,
    )
    if not before.sum():
        return scale, None, float(low), None
    ratio = float(during.mean() / before.mean())
    # With half a count added, the interval of next to nothing can miss the ratio itself.
    return scale, ratio, min(float(low), ratio), max(float(high), ratio)
