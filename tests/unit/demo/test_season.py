from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.demo import season
from tessera.demo.season import Window


def test_default_window_starts_on_the_second_of_january():
    window = Window(730)
    assert window.first.isoformat() == "2024-01-02"
    assert (window.months[0], window.months[-1], len(window.months)) == ("2024-01", "2025-12", 24)
    assert window.month_of(np.array([window.start, window.stop - 1])).tolist() == [0, 23]


@given(days=st.integers(7, 900), level=st.integers(0, 3), seed=st.integers(0, 1000), data=st.data())
def test_days_are_drawn_inside_their_span(days, level, seed, data):
    window = Window(days)
    start = data.draw(st.floats(0, days - 1))
    stop = data.draw(st.floats(start, days))
    levels = np.full(50, level, dtype=np.int8)
    drawn = season.draw_days(
        np.random.default_rng(seed), window, levels, np.full(50, start), np.full(50, stop)
    )
    assert (drawn >= np.floor(start)).all()
    assert (drawn <= min(np.ceil(stop), days - 1)).all()


def test_pulled_people_come_during_sales():
    window = Window(730)
    rng = np.random.default_rng(0)
    on_sale = []
    for level in (0, 3):
        levels = np.full(20_000, level, dtype=np.int8)
        edges = np.zeros(20_000), np.full(20_000, 730.0)
        day = season.draw_days(rng, window, levels, *edges)
        on_sale.append((window.sale_of_day[day] >= 0).mean())
    assert on_sale[1] > 1.5 * on_sale[0]


def test_demand_is_one_a_day_on_average():
    window = Window(365)
    assert window.demand[:, -1] == pytest.approx(365)
