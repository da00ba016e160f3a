"""Personas: who customers are underneath. Each parameter is the centre of a person's own draw."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from tessera.demo.columns import Floats


@dataclass(frozen=True)
class Persona:
    """One kind of customer; people scatter around these values, so that kinds overlap."""

    name: str
    share: float  # of all people
    joined: tuple[float, float]  # days before the end of the window between which they came
    lapsed: tuple[float, float]  # days before the end between which they left; (0, 0): no date
    lifetime: float  # mean days until they drop out (exponential)
    orders: float  # per 30 days while active (gamma mean)
    steadiness: float  # gamma shape of the order rate: higher means people alike
    first_order: float  # probability of buying when joining
    basket: float  # mean lines per order
    taste: float  # 0 cheap … 1 expensive
    discount: float  # affinity to discounts, 0 … 1 (beta mean)
    returns: float  # probability that an order is returned
    visits: float  # browsing sessions per 30 days, purchases apart
    lingering: float  # share of the browsing that goes on after dropping out
    carts: float  # probability that a browsing session fills a cart and leaves it
    app: float  # probability of using the app
    social: float  # probability of having a linked social handle
    posts: float  # per 30 days, for those with a handle
    tone: float  # mood of what they write, −1 … 1
    popularity: float  # followers, relative
    tickets: float  # per 30 days
    nps: float  # mean of what they answer, 0 … 10
    answers: float  # probability of answering a survey
    opens: float  # probability of opening a campaign
    clicks: float  # probability of clicking once opened
    consent: float  # probability of granting each optional purpose


# fmt: off
PERSONAS = (
    Persona(
        name="loyal_advocate", share=0.16,
        joined=(400, 1500), lapsed=(0, 0), lifetime=6500,
        orders=0.82, steadiness=14, first_order=0.95, basket=2.6,
        taste=0.6, discount=0.18, returns=0.03,
        visits=0.5, lingering=0.2, carts=0.1, app=0.45,
        social=0.62, posts=0.8, tone=0.62, popularity=3.0,
        tickets=0.02, nps=9.0, answers=0.16,
        opens=0.55, clicks=0.3, consent=0.9,
    ),
    Persona(
        name="discount_shopper", share=0.16,
        joined=(350, 1300), lapsed=(0, 0), lifetime=5500,
        orders=0.63, steadiness=7, first_order=0.9, basket=1.9,
        taste=0.28, discount=0.8, returns=0.07,
        visits=0.45, lingering=0.3, carts=0.24, app=0.3,
        social=0.3, posts=0.3, tone=0.08, popularity=0.8,
        tickets=0.025, nps=6.8, answers=0.06,
        opens=0.5, clicks=0.42, consent=0.8,
    ),
    Persona(
        name="occasional_browser", share=0.21,
        joined=(380, 820), lapsed=(0, 0), lifetime=350,
        orders=0.033, steadiness=3, first_order=0.8, basket=1.3,
        taste=0.43, discount=0.35, returns=0.05,
        visits=0.7, lingering=0.6, carts=0.12, app=0.15,
        social=0.22, posts=0.2, tone=0.05, popularity=0.6,
        tickets=0.006, nps=6.9, answers=0.03,
        opens=0.22, clicks=0.12, consent=0.6,
    ),
    Persona(
        name="at_risk", share=0.18,
        joined=(500, 1500), lapsed=(120, 280), lifetime=7500,
        orders=0.52, steadiness=11, first_order=0.92, basket=1.9,
        taste=0.44, discount=0.35, returns=0.11,
        visits=0.35, lingering=0.15, carts=0.16, app=0.25,
        social=0.32, posts=0.4, tone=-0.48, popularity=1.0,
        tickets=0.06, nps=4.2, answers=0.08,
        opens=0.14, clicks=0.08, consent=0.65,
    ),
    Persona(
        name="new_customer", share=0.2,
        joined=(3, 100), lapsed=(0, 0), lifetime=3000,
        orders=0.42, steadiness=6, first_order=0.97, basket=1.5,
        taste=0.44, discount=0.4, returns=0.05,
        visits=1.5, lingering=0.5, carts=0.18, app=0.35,
        social=0.38, posts=0.55, tone=0.3, popularity=0.7,
        tickets=0.05, nps=7.6, answers=0.1,
        opens=0.48, clicks=0.26, consent=0.78,
    ),
    Persona(
        name="power_user", share=0.09,
        joined=(450, 1500), lapsed=(0, 0), lifetime=8500,
        orders=1.5, steadiness=14, first_order=0.97, basket=2.3,
        taste=0.53, discount=0.3, returns=0.05,
        visits=1.0, lingering=0.2, carts=0.09, app=0.85,
        social=0.48, posts=0.6, tone=0.28, popularity=2.0,
        tickets=0.06, nps=8.0, answers=0.14,
        opens=0.6, clicks=0.36, consent=0.88,
    ),
)
# fmt: on


def values(name: str) -> Floats:
    """Return one parameter of all personas, in their order (pairs give two columns)."""
    if name not in {field.name for field in fields(Persona)}:
        raise ValueError(f"a persona has no parameter '{name}'")
    return np.array([getattr(persona, name) for persona in PERSONAS], dtype=np.float64)
