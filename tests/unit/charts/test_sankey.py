from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.charts import sankey as drawn
from tessera.charts.sankey import Flow, sankey
from tessera.charts.theme import BLUE, ORANGE, as_svg

NAMES = st.sampled_from(["Loyals", "Lapsed", "New <Ones>"])
FLOWS = st.lists(
    st.builds(Flow, NAMES, NAMES, st.sampled_from(["behaviour", "boundary"]), st.integers(1, 900)),
    min_size=1,
    max_size=9,
)


def bands(flows: list[Flow]) -> tuple[pa.Table, dict[str, tuple[float, float]], dict]:
    left = drawn._nodes(((f.source, f.size) for f in flows), flows)
    right = drawn._nodes(((f.target, f.size) for f in flows), flows)
    return drawn._bands(flows, left, right), left, right


@given(FLOWS)
@settings(max_examples=50, deadline=None)
def test_bands_are_as_wide_as_they_are_many_and_fill_their_nodes(flows: list[Flow]) -> None:
    table, left, right = bands(flows)
    rows = table.to_pylist()
    for row in rows:
        assert row["high"] - row["low"] == pytest.approx(flows[row["flow"]].size)
    for along, nodes, side in ((0.0, left, "source"), (1.0, right, "target")):
        for name, (low, high) in nodes.items():
            here = [
                r for r in rows
                if r["along"] == along and getattr(flows[r["flow"]], side) == name
            ]  # fmt: skip
            edges = sorted((r["low"], r["high"]) for r in here)
            assert edges[0][0] == pytest.approx(low) and edges[-1][1] == pytest.approx(high)
            for below, above in pairwise(edges):
                assert below[1] == pytest.approx(above[0]), "no gap, no overlap"


def test_nodes_do_not_touch() -> None:
    _, left, _ = bands([Flow("a", "x", "k", 5), Flow("b", "x", "k", 5)])
    assert left["a"][0] > left["b"][1]


def test_it_draws() -> None:
    flows = [Flow("Loyals", "Lapsed", "behaviour", 3), Flow("Loyals", "New", "boundary", 1)]
    svg = as_svg(sankey(flows, {"behaviour": BLUE, "boundary": ORANGE}, ("from", "to")))
    assert "Loyals" in svg and "Lapsed" in svg and BLUE in svg and ORANGE in svg
