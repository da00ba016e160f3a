"""Sankey diagrams: bands from what was to what is, as wide as they are many.

Vega-Lite knows no such mark: the bands are areas between two curves, computed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import altair as alt
import pyarrow as pa

from tessera.charts.shown import Drawn
from tessera.charts.theme import MUTED

STEPS = 16
#: Between two nodes, as a share of all that flows.
GAP = 0.06


@dataclass(frozen=True)
class Flow:
    """`size` of something of a kind, from a name on the left to a name on the right."""

    source: str
    target: str
    kind: str
    size: float


def sankey(flows: Sequence[Flow], colours: Mapping[str, str], heads: tuple[str, str]) -> Drawn:
    """Draw the flows; `colours` by kind, `heads` say what left and right are.

    Nodes stand in the order in which they first come in `flows`. Needs one flow or more.
    """
    left = _nodes(((f.source, f.size) for f in flows), flows)
    right = _nodes(((f.target, f.size) for f in flows), flows)
    kinds = list(dict.fromkeys(f.kind for f in flows))
    scale = alt.Scale(domain=kinds, range=[colours[kind] for kind in kinds])
    bands = (
        alt.Chart(_bands(flows, left, right))
        .mark_area(opacity=0.6)
        .encode(
            alt.X("along:Q", axis=None, scale=alt.Scale(domain=[0, 1], nice=False)),
            alt.Y("low:Q", axis=None),
            alt.Y2("high:Q"),
            alt.Color("kind:N", title=None, scale=scale, legend=alt.Legend(columns=2)),
            alt.Detail("flow:N"),
        )
    )
    sides = [_side(left, 0, "right", heads[0]), _side(right, 1, "left", heads[1])]
    return alt.layer(bands, *sides)


def _nodes(
    parts: Iterable[tuple[str, float]], flows: Sequence[Flow]
) -> dict[str, tuple[float, float]]:
    """Lower and upper end of each node, from the top down."""
    sizes: dict[str, float] = {}
    for name, size in parts:
        sizes[name] = sizes.get(name, 0) + size
    gap = GAP * sum(flow.size for flow in flows)
    ends, top = {}, 0.0
    for name, size in sizes.items():
        ends[name] = (top - size, top)
        top -= size + gap
    return ends


def _bands(
    flows: Sequence[Flow],
    left: Mapping[str, tuple[float, float]],
    right: Mapping[str, tuple[float, float]],
) -> pa.Table:
    """Both edges of each band at some places along it; bands leave a node in order of targets."""
    places = {name: number for number, name in enumerate(right)}
    origins = {name: number for number, name in enumerate(left)}
    starts, ends = _tops(flows, left, right, places, origins)
    rows = []
    for number, flow in enumerate(flows):
        for step in range(STEPS + 1):
            along = step / STEPS
            bend = along * along * (3 - 2 * along)
            high = starts[number] + (ends[number] - starts[number]) * bend
            rows.append((number, flow.kind, along, high - flow.size, high))
    names = ["flow", "kind", "along", "low", "high"]
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def _tops(
    flows: Sequence[Flow],
    left: Mapping[str, tuple[float, float]],
    right: Mapping[str, tuple[float, float]],
    places: Mapping[str, int],
    origins: Mapping[str, int],
) -> tuple[list[float], list[float]]:
    """Where the upper edge of each band begins and ends."""
    starts, ends = [0.0] * len(flows), [0.0] * len(flows)
    tops = {name: top for name, (_, top) in left.items()}
    for number in sorted(range(len(flows)), key=lambda n: places[flows[n].target]):
        starts[number] = tops[flows[number].source]
        tops[flows[number].source] -= flows[number].size
    tops = {name: top for name, (_, top) in right.items()}
    for number in sorted(range(len(flows)), key=lambda n: origins[flows[n].source]):
        ends[number] = tops[flows[number].target]
        tops[flows[number].target] -= flows[number].size
    return starts, ends


def _side(
    nodes: Mapping[str, tuple[float, float]], at: int, align: Literal["left", "right"], head: str
) -> Drawn:
    """The bars of one side with their names, outside of the bands."""
    table = pa.table(
        {
            "name": list(nodes),
            "low": [low for low, _ in nodes.values()],
            "high": [high for _, high in nodes.values()],
            "middle": [(low + high) / 2 for low, high in nodes.values()],
        }
    )
    base = alt.Chart(table).encode(x=alt.datum(at))
    shift = -8 if at == 0 else 8
    bars = base.mark_rule(strokeWidth=6).encode(alt.Y("low:Q"), alt.Y2("high:Q"))
    names = base.mark_text(align=align, dx=shift, limit=150, baseline="middle", fontSize=13).encode(
        alt.Y("middle:Q"), alt.Text("name:N")
    )
    heading = (
        alt.Chart(pa.table({"head": [head]}))
        .mark_text(align=align, dx=shift, dy=-14, color=MUTED, fontSize=12.5)
        .encode(x=alt.datum(at), y=alt.datum(0), text="head:N")
    )
    return alt.layer(bars, names, heading)
