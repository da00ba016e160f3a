"""Journeys as an absorbing Markov chain: what each step is worth.

After Anderl, Becker, von Wangenheim, Schumann (2016), "Mapping the customer journey: lessons
learned from graph-based online attribution modeling", Int. J. of Research in Marketing 33(3); the
chain is of the first order.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

START, CONVERSION, DROP_OFF = "start", "conversion", "drop_off"
# Beyond this, digits depend on the machine's linear algebra.
DECIMALS = 9


def step_effects(transitions: pd.DataFrame) -> pd.DataFrame:
    """What each step does for conversion, per kind of device.

    `transitions`: device_type, from_step, to_step, transitions (count > 0); every journey begins in
    `start` and ends in `conversion` or `drop_off`.

    Returns one row per device_type and step, ordered by them: conversion_probability, that of a
    chain which stands at the step; removal_effect, the share of conversions that would be lost if
    whoever reaches the step dropped off there (0 to 1), null where nobody converts.

    >>> counted = pd.DataFrame({
    ...     "device_type": "all", "from_step": ["start", "start", "a", "a", "b"],
    ...     "to_step": ["a", "b", "conversion", "drop_off", "conversion"],
    ...     "transitions": [2, 2, 1, 1, 2]})
    >>> step_effects(counted)
      device_type step  conversion_probability  removal_effect
    0         all    a                     0.5        0.333333
    1         all    b                     1.0        0.666667
    """
    found = [
        _effects(counted).assign(device_type=device)
        for device, counted in transitions.groupby("device_type", sort=True)
    ]
    columns = ["device_type", "step", "conversion_probability", "removal_effect"]
    if not found:
        return pd.DataFrame(
            {c: pd.Series(dtype="str" if c in columns[:2] else "float64") for c in columns}
        )
    return pd.concat(found, ignore_index=True)[columns]


def _effects(transitions: pd.DataFrame) -> pd.DataFrame:
    states, chain, converting = _matrices(transitions)
    # Expected visits of each state from each other; every state leads to an end, so it exists.
    visits = np.linalg.inv(np.eye(len(states)) - chain)
    conversion = visits @ converting
    # Ever reaching a step × converting from there = converting through it.
    begin = states.index(START)
    through = visits[begin] / np.diag(visits) * conversion
    effect = through / conversion[begin] if conversion[begin] > 0 else np.full(len(states), np.nan)
    found = pd.DataFrame(
        {
            "step": states,
            "conversion_probability": conversion.clip(0, 1).round(DECIMALS),
            "removal_effect": effect.clip(0, 1).round(DECIMALS),
        }
    )
    return found[found["step"] != START]


def _matrices(transitions: pd.DataFrame) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The states that are no ends; their transition matrix; their chance to convert next."""
    states = sorted(set(transitions["from_step"]))
    counts = transitions.pivot_table(
        index="from_step", columns="to_step", values="transitions", aggfunc="sum", fill_value=0
    ).reindex(index=states, columns=[*states, CONVERSION, DROP_OFF], fill_value=0)
    shares = counts.to_numpy(dtype="float64")
    shares = shares / shares.sum(axis=1, keepdims=True)
    return states, shares[:, : len(states)], shares[:, len(states)]
