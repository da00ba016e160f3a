"""Trend, season, anomalies and change points of a weekly series.

Season and trend by STL (Cleveland et al. 1990, in statsmodels) where two years are there, else a
trend by robust LOWESS (Cleveland 1979) and no season: within one year nobody can tell the
one from the other. Anomalies and change points are judged on square roots, which evens out that
busy weeks vary more (Bartlett 1936; Anscombe 1948), so counts and amounts that vary more than
Poisson's law allows are judged by how much they do vary.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

COLUMNS = ["observed", "trend", "seasonal", "residual", "score", "is_anomaly", "direction"]


@dataclass(frozen=True)
class TrendParameters:
    """How a series of weeks is taken apart.

    Two calendar years less the unfinished weeks at their ends hold `two_years` whole weeks. Below
    `least_weeks` nothing is said. `false_alarm_rate`: of series in which nothing happens, the share
    with an anomaly in any of their weeks (Bonferroni). The trend's `direction` is its change over
    `direction_weeks` against `direction_share` of its level. `penalty` × ln(weeks) × variance is
    what a change point must explain (PELT, Killick et al. 2012).
    """

    season_weeks: int = 52
    two_years: int = 102
    least_weeks: int = 12
    false_alarm_rate: float = 0.05
    direction_weeks: int = 13
    direction_share: float = 0.05
    lowess_share: float = 0.4
    penalty: float = 4.0
    least_segment: int = 4


def decompose(observed: np.ndarray, parameters: TrendParameters) -> pd.DataFrame:
    """Take a weekly series (no gaps, zeros where nothing happened) apart: COLUMNS, a row a week.

    observed = trend + seasonal + residual, where seasonal counts as 0 when it is null. `score` is
    the residual in robust standard deviations; null where more than half the weeks do not vary.
    Too short a series is null throughout.
    """
    told = pd.DataFrame({"observed": np.asarray(observed, dtype=float)})
    told[["trend", "seasonal", "residual", "score"]] = np.nan
    told["is_anomaly"], told["direction"] = False, None
    if len(told) < parameters.least_weeks:
        return told[COLUMNS]
    trend, seasonal = _trend_and_season(told["observed"].to_numpy(), parameters)
    expected = trend + (0.0 if seasonal is None else seasonal)
    told["trend"], told["residual"] = trend, told["observed"] - expected
    if seasonal is not None:
        told["seasonal"] = seasonal
    told["score"] = _scores(_root(told["observed"].to_numpy()), _root(expected))
    told["is_anomaly"] = _anomalies(told, parameters)
    told["direction"] = _directions(trend, parameters)
    return told[COLUMNS]


def change_points(told: pd.DataFrame, parameters: TrendParameters) -> pd.DataFrame:
    """Weeks at which the level changes: (position, level_before, level_after), in order.

    `told` is what decompose gave. By PELT on the square roots of the series without its season; the
    levels are means of the observed weeks up to the change before and from it to the next.
    """
    from ruptures import Pelt

    observed = told["observed"].to_numpy()
    none = pd.DataFrame({"position": [], "level_before": [], "level_after": []})
    if len(observed) < max(parameters.least_weeks, 2 * parameters.least_segment):
        return none
    roots = _root(observed - told["seasonal"].fillna(0).to_numpy())
    # Of differences, so that the changes looked for do not count as noise.
    scale = _robust_deviation(np.diff(roots)) / np.sqrt(2)
    if not scale > 1e-9 * float(roots.max()):
        return none
    search = Pelt(model="l2", min_size=parameters.least_segment, jump=1).fit(roots / scale)
    ends = search.predict(pen=parameters.penalty * np.log(len(roots)))
    bounds = [0, *ends]
    levels = [observed[a:b].mean() for a, b in pairwise(bounds)]
    return pd.DataFrame(
        {"position": bounds[1:-1], "level_before": levels[:-1], "level_after": levels[1:]}
    )


def _trend_and_season(
    observed: np.ndarray, parameters: TrendParameters
) -> tuple[np.ndarray, np.ndarray | None]:
    from statsmodels.nonparametric.smoothers_lowess import lowess
    from statsmodels.tsa.seasonal import STL

    if len(observed) >= parameters.two_years:
        period = parameters.season_weeks
        # A mean per week of the year (degree 0): a line through two years would be the years.
        # Not robust: of two or three weeks, robust weights follow one and call the others wrong.
        fitted = STL(observed, period=period, seasonal_deg=0, robust=False).fit()
        return np.asarray(fitted.trend), np.asarray(fitted.seasonal)
    if np.ptp(observed) == 0:
        return observed.copy(), None
    weeks = np.arange(len(observed), dtype=float)
    share = parameters.lowess_share
    return np.asarray(lowess(observed, weeks, frac=share, it=3, return_sorted=False)), None


def _root(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(values, 0))


def _robust_deviation(values: np.ndarray) -> float:
    """The median absolute deviation, scaled to a normal law's standard deviation."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def _scores(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    residuals = observed - expected
    scale = _robust_deviation(residuals)
    if not scale > 1e-9 * float(observed.max()):
        return np.full(len(residuals), np.nan)
    return (residuals - np.median(residuals)) / scale


def threshold(weeks: int, parameters: TrendParameters) -> float:
    """The score beyond which a week is an anomaly, by Student's law.

    The deviation is itself an estimate: a median absolute deviation is worth 37 % of the weeks
    (Rousseeuw & Croux 1993), and about half of that are left when the trend was fitted to the same
    weeks, by simulation (tests/unit/models/test_trends.py holds the rate to what is stated).
    """
    from scipy.stats import t

    return float(t.isf(parameters.false_alarm_rate / (2 * weeks), df=max(0.18 * weeks, 3)))


def _anomalies(told: pd.DataFrame, parameters: TrendParameters) -> np.ndarray:
    """Weeks beyond the threshold.

    With two years, a spike in one shows as a dip in the other's same week: of weeks a season apart
    that are flagged with opposite signs, the one further from the trend is kept.
    """
    score = told["score"].fillna(0).to_numpy()
    flagged = np.abs(score) > threshold(len(told), parameters)
    if told["seasonal"].isna().all():
        return flagged
    distance = np.where(flagged, np.abs(told["observed"] - told["trend"]), -1.0)
    phase = np.arange(len(told)) % parameters.season_weeks
    furthest = pd.Series(distance).groupby(phase).transform("max").to_numpy()
    leader = pd.Series(np.where(distance == furthest, np.sign(score), 0)).groupby(phase)
    return flagged & (np.sign(score) == np.sign(leader.transform("sum").to_numpy()))


def _directions(trend: np.ndarray, parameters: TrendParameters) -> np.ndarray:
    """rising, falling or steady, against the trend some weeks before; None for the first ones."""
    before = np.full(len(trend), np.nan)
    lag = parameters.direction_weeks
    before[lag:] = trend[:-lag]
    change = (trend - before) / np.where(np.abs(before) > 0, np.abs(before), np.nan)
    change = np.where((before == 0) & (trend > 0), np.inf, change)
    share = parameters.direction_share
    named = np.where(change > share, "rising", np.where(change < -share, "falling", "steady"))
    told: np.ndarray = named.astype(object)
    told[np.isnan(before)] = None
    return told
