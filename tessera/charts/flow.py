"""A flow between two sides as ribbons, after Sankey (1898): their width is what flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pyarrow as pa

from tessera.charts.shown import Drawn

STEPS = 24  # points along a ribbon
GAP = 0.03  # between two names, as a part of all that flows


@dataclass(frozen=True)
class Link:
    """So much flows from a name on the left to a name on the right; `kind` gives the colour."""

    source: str
    target: str
    kind: str
    value: float


def draw_flow(links: Sequence[Link], kinds: alt.Color, height: int = 320) -> Drawn:
    """Ribbons from left to right, the largest name on top, with names and figures beside them."""
    left, right = _stack(links, "source"), _stack(links, "target")
    ribbons = alt.Chart(_ribbons(links, left, right)).mark_area(opacity=0.75)
    across = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.75, 1.75]))
    up = alt.Y("low:Q", axis=None, scale=alt.Scale(reverse=True))
    names = [
        alt.Chart(_names(links, left, "source", -0.03)).mark_text(align="right", fontSize=12),
        alt.Chart(_names(links, right, "target", 1.03)).mark_text(align="left", fontSize=12),
    ]
    told = [chart.encode(x="x:Q", y="y:Q", text="name:N") for chart in names]
    flows = ribbons.encode(across, up, alt.Y2("high:Q"), kinds, detail="link:N")
    layers: Drawn = alt.layer(flows, *told)
    return layers.properties(height=height)


def _totals(links: Sequence[Link], side: str) -> dict[str, float]:
    """What flows through each name of a side, the largest first."""
    totals: dict[str, float] = {}
    for link in links:
        name = getattr(link, side)
        totals[name] = totals.get(name, 0.0) + link.value
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def _stack(links: Sequence[Link], side: str) -> dict[str, float]:
    """Where each name of a side begins, from the top."""
    totals = _totals(links, side)
    gap, at, starts = GAP * sum(totals.values()), 0.0, {}
    for name, total in totals.items():
        starts[name] = at
        at += total + gap
    return starts


def _ribbons(links: Sequence[Link], left: dict[str, float], right: dict[str, float]) -> pa.Table:
    leaves, enters = dict(left), dict(right)
    rows: list[dict[str, Any]] = []
    ordered = sorted(links, key=lambda x: (left[x.source], right[x.target], x.kind))
    for number, link in enumerate(ordered):
        begin, end = leaves[link.source], enters[link.target]
        leaves[link.source] += link.value
        enters[link.target] += link.value
        for step in range(STEPS + 1):
            x = step / STEPS
            low = begin + (end - begin) * x * x * (3 - 2 * x)
            rows.append(
                {"link": str(number), "kind": link.kind, "x": x, "low": low,
                 "high": low + link.value}
            )  # fmt: skip
    return pa.Table.from_pylist(rows)


def _names(links: Sequence[Link], starts: dict[str, float], side: str, x: float) -> pa.Table:
    totals = _totals(links, side)
    return pa.Table.from_pylist(
        [
            {"name": f"{name} · {totals[name]:,.0f}", "x": x, "y": start + totals[name] / 2}
            for name, start in starts.items()
        ]
    )
