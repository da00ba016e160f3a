from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from tessera.demo import catalogue, people, personas, purchases
from tessera.demo.people import People
from tessera.demo.purchases import Purchases
from tessera.demo.season import DAY, Window
from tessera.demo.streams import Streams


def simulate(customers: int, seed: int, days: int = 730) -> tuple[Window, People, Purchases]:
    window, streams = Window(days), Streams(seed)
    here = people.draw(streams, window, customers)
    products = catalogue.draw(streams.of("catalogue"))
    return window, here, purchases.simulate(streams.of("purchases"), window, here, products)


def true_rfm(customers: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return perfectly computed RFM and persona of everybody with a purchase."""
    window, here, bought = simulate(customers, seed)
    rfm = purchases.rfm(window, bought, bought.orders["person"], customers)
    buyers = rfm["frequency"] > 0
    names = ("recency_days", "frequency", "monetary_cents")
    table = np.column_stack([rfm[name] for name in names]).astype(float)[buyers]
    return table, here.persona[buyers]


@pytest.mark.parametrize(("customers", "seed"), [(5000, 42), (5000, 1), (5000, 2), (50_000, 42)])
@pytest.mark.parametrize("scale", [np.log1p, np.asarray], ids=["log", "plain"])
def test_personas_overlap_in_rfm_but_not_wholly(customers, seed, scale):
    rfm, persona = true_rfm(customers, seed)
    scaled = StandardScaler().fit_transform(scale(np.maximum(rfm, 0)))
    with threadpool_limits(1):  # waiting for busy cores costs more than they give
        found = KMeans(len(personas.PERSONAS), n_init=4, random_state=0).fit_predict(scaled)
    assert 0.35 <= adjusted_rand_score(persona, found) <= 0.75


@settings(max_examples=25, deadline=None)
@given(customers=st.integers(1, 60), days=st.integers(7, 800), seed=st.integers(0, 10**6))
def test_money_and_times_hold_together(customers, days, seed):
    window, here, bought = simulate(customers, seed, days)
    orders, lines, refunds = bought.orders, bought.lines, bought.refunds
    assert (orders["at"] >= window.start).all()
    assert (orders["at"] < window.stop).all()
    assert (orders["at"] >= here.created_at[orders["account"]]).all()
    assert (np.diff(orders["at"]) >= 0).all()
    assert (lines["discount_cents"] <= lines["quantity"] * lines["unit_cents"]).all()
    assert (np.bincount(lines["order"], minlength=len(orders["at"])) >= 1).all()
    assert (refunds["cents"] > 0).all()
    assert (refunds["cents"] <= orders["total_cents"][refunds["order"]]).all()
    assert (refunds["at"] > orders["at"][refunds["order"]]).all()
    assert len(np.unique(refunds["order"])) == len(refunds["order"])


def test_personas_buy_as_they_are_meant_to():
    window, here, bought = simulate(8000, 42)
    name = [persona.name for persona in personas.PERSONAS]
    rfm = purchases.rfm(window, bought, bought.orders["person"], 8000)
    orders, recency = ([
        np.median(rfm[column][(here.persona == k) & (rfm["frequency"] > 0)])
        for k in range(len(name))
    ] for column in ("frequency", "recency_days"))  # fmt: skip
    by_orders = dict(zip(name, orders, strict=True))
    by_recency = dict(zip(name, recency, strict=True))
    assert by_orders["power_user"] > by_orders["loyal_advocate"] > by_orders["occasional_browser"]
    assert by_recency["at_risk"] > 2 * by_recency["discount_shopper"]
    coded = bought.orders["code"] >= 0
    persona = here.persona[bought.orders["person"]]
    shares = [coded[persona == k].mean() for k in range(len(name))]
    assert name[int(np.argmax(shares))] == "discount_shopper"
    returned = np.bincount(bought.refunds["order"], minlength=len(persona)) > 0
    rates = [returned[persona == k].mean() for k in range(len(name))]
    assert name[int(np.argmax(rates))] == "at_risk"


def test_december_is_busier_than_february():
    window, _, bought = simulate(5000, 42)
    month = np.array(window.months)[window.month_of(bought.orders["at"])]
    assert (month == "2024-12").sum() > 1.3 * (month == "2024-02").sum()


def test_rfm_of_a_hand_made_customer():
    window = Window(100)
    at = window.start + np.array([10, 50, 99]) * DAY
    orders = {
        "at": at,
        "status": np.array([purchases.COMPLETED, purchases.REFUNDED, purchases.CANCELLED]),
        "total_cents": np.array([1000, 500, 9999]),
    }
    refunds = {"order": np.array([1]), "cents": np.array([500])}
    owner = np.zeros(3, dtype=np.int64)
    rfm = purchases.rfm(window, Purchases(orders, {}, refunds), owner, 2)
    assert {name: values.tolist() for name, values in rfm.items()} == {
        "recency_days": [50, -1],
        "frequency": [2, 0],
        "gross_cents": [1500, 0],
        "refund_cents": [500, 0],
        "monetary_cents": [1000, 0],
    }
