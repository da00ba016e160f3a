from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from models.maps import draw_maps
from models.preparation import fit_preparation, prepare


def test_maps_are_the_same_each_time(make_customers: Callable[..., pd.DataFrame]) -> None:
    customers = make_customers(120)
    preparation = fit_preparation(customers)
    rows = prepare(preparation, customers)
    first, second = (draw_maps(rows, preparation.used) for _ in range(2))
    assert np.array_equal(first.pca, second.pca) and np.array_equal(first.tsne, second.tsne)
    assert first.explained[0] >= first.explained[1] > 0 and sum(first.explained) <= 1
    assert len(first.axes) == 2 and set(first.axes) <= set(preparation.used)
    along = rows[:, preparation.used.index(first.axes[0])]
    assert np.corrcoef(along, first.pca[:, 0])[0, 1] > 0


def test_two_groups_far_apart_stay_apart_on_both_maps() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(0, 0.1, (60, 4)) + np.repeat([[0.0], [5.0]], 30, axis=0)
    maps = draw_maps(rows)
    for places in (maps.pca, maps.tsne):
        centre = places[:30].mean(axis=0), places[30:].mean(axis=0)
        nearer = np.linalg.norm(places[:, None] - np.array(centre), axis=2).argmin(axis=1)
        assert nearer.tolist() == [0] * 30 + [1] * 30
    assert maps.axes == ()


def test_too_few_customers_have_no_neighbourhoods() -> None:
    few = draw_maps(np.arange(12.0).reshape(6, 2), ("a", "b"))
    assert np.isnan(few.tsne).all() and not np.isnan(few.pca).any()
    for rows in (np.zeros((1, 3)), np.zeros((9, 0)), np.zeros((0, 2))):
        maps = draw_maps(rows)
        assert maps.pca.shape == (len(rows), 2) and np.isnan(maps.pca).all()


def test_customers_who_are_all_equal_lie_on_one_spot() -> None:
    maps = draw_maps(np.ones((40, 3)))
    assert (maps.pca == 0).all() and np.isnan(maps.tsne).all()
    assert maps.explained == (0.0, 0.0)
