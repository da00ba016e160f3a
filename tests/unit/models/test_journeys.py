from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.journeys import step_effects

NAMES = list("abcde")


def counted(edges: dict[tuple[str, str], int], device: str = "all") -> pd.DataFrame:
    rows = [(device, *edge, count) for edge, count in edges.items() if count]
    return pd.DataFrame(rows, columns=["device_type", "from_step", "to_step", "transitions"])


def edges_of(paths: list[tuple[list[str], bool]]) -> dict[tuple[str, str], int]:
    edges: dict[tuple[str, str], int] = {}
    for steps, converts in paths:
        states = ["start", *steps, "conversion" if converts else "drop_off"]
        for edge in pairwise(states):
            edges[edge] = edges.get(edge, 0) + 1
    return edges


def converting(edges: dict[tuple[str, str], int], begin: str, without: str = "") -> float:
    """Chance to convert from `begin`, by walking on until hardly anybody is left."""
    total: dict[str, int] = {}
    for (source, _), count in edges.items():
        total[source] = total.get(source, 0) + count
    standing, converted = {begin: 1.0}, 0.0
    for _ in range(5_000):
        after: dict[str, float] = {}
        for (source, target), count in edges.items():
            moved = standing.get(source, 0.0) * count / total[source]
            if target == "conversion":
                converted += moved
            elif target not in ("drop_off", without):
                after[target] = after.get(target, 0.0) + moved
        standing = after
        if sum(standing.values()) < 1e-12:
            break
    return converted


PATHS = st.lists(
    st.tuples(st.lists(st.sampled_from(NAMES), min_size=0, max_size=6), st.booleans()),
    min_size=1,
    max_size=12,
)


@settings(max_examples=30, deadline=None)
@given(paths=PATHS)
def test_effects_are_those_of_walking_the_chain(paths: list[tuple[list[str], bool]]) -> None:
    edges = edges_of(paths)
    whole = converting(edges, "start")
    found = step_effects(counted(edges)).set_index("step")
    assert set(found.index) == {step for steps, _ in paths for step in steps}
    for step, row in found.iterrows():
        assert row["conversion_probability"] == pytest.approx(converting(edges, step), abs=1e-8)
        if whole == 0:
            assert np.isnan(row["removal_effect"])
        else:
            lost = 1 - converting(edges, "start", without=step) / whole
            assert row["removal_effect"] == pytest.approx(lost, abs=1e-7)


def test_the_example_of_the_literature() -> None:
    """Three journeys by hand: a step on all ways to conversion is worth all of them."""
    edges = edges_of([(["a", "b", "c"], True), (["a"], False), (["b", "c"], False)])
    found = step_effects(counted(edges)).set_index("step")
    assert found.loc["c", "removal_effect"] == found.loc["b", "removal_effect"] == 1.0
    assert found.loc["a", "removal_effect"] == pytest.approx(0.5)
    assert found.loc["c", "conversion_probability"] == 0.5


def test_devices_are_chains_of_their_own() -> None:
    one, two = edges_of([(["a"], True)]), edges_of([(["a"], False)])
    found = step_effects(pd.concat([counted(one, "mobile"), counted(two, "desktop")]))
    assert found["device_type"].tolist() == ["desktop", "mobile"]
    assert found["conversion_probability"].tolist() == [0.0, 1.0]
    assert np.isnan(found["removal_effect"][0]) and found["removal_effect"][1] == 1.0


def test_no_visits_and_a_visit_of_nothing_but_a_conversion() -> None:
    assert step_effects(counted({})).empty
    assert list(step_effects(counted({})).columns) == [
        "device_type", "step", "conversion_probability", "removal_effect",
    ]  # fmt: skip
    assert step_effects(counted({("start", "conversion"): 3})).empty


def test_a_thousand_visits_round_in_circles() -> None:
    edges = {("start", "a"): 1, ("a", "b"): 10**9, ("b", "a"): 10**9, ("a", "drop_off"): 1,
             ("b", "conversion"): 1}  # fmt: skip
    found = step_effects(counted(edges)).set_index("step")
    assert found["conversion_probability"].between(0, 1).all()
    assert found.loc["b", "removal_effect"] == 1.0
