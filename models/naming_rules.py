"""The built-in names: which profile bears which name, and what to do about such customers.

Conditions speak of a segment's median: its percentile among all customers (0..1), its distance from
their mean in standard deviations (z-score), or its value. A condition on a feature that too few
customers of the segment have is not met. Settings add to these rules: docs/how-to/segment-names.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Measure = Literal["percentile", "median", "z_score"]


@dataclass(frozen=True)
class Condition:
    """A bound on one measure of one feature; both limits belong to it."""

    feature: str
    measure: Measure = "percentile"
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class NameRule:
    """A name, the conditions that all must hold for it, and its words.

    lead: who they are, the start of a sentence that goes on with figures.
    suggested_channel: where to reach them first.
    """

    name: str
    conditions: tuple[Condition, ...]
    lead: str
    suggested_action: str
    suggested_channel: str


@dataclass(frozen=True)
class Trait:
    """Words for one feature being low or high, used where no rule fits."""

    feature: str
    low: str
    high: str


def _high(feature: str, percentile: float) -> Condition:
    return Condition(feature, at_least=percentile)


def _low(feature: str, percentile: float) -> Condition:
    return Condition(feature, at_most=percentile)


#: In order of priority: the four classic ones first.
NAME_RULES = (
    NameRule(
        "Loyal Brand Advocates",
        (
            _high("frequency", 0.55),
            _low("recency_days", 0.55),
            _high("mean_sentiment", 0.55),
            Condition("mean_sentiment", "median", at_least=0.2),
        ),
        "Buy often and speak well of the brand",
        "Invite to a referral or ambassador programme; ask for reviews; no discounts needed.",
        "Social media and a personal referral link",
    ),
    NameRule(
        "Discount Shoppers",
        (
            _high("discount_share", 0.65),
            _high("frequency", 0.35),
            _low("recency_days", 0.7),
            Condition("discount_share", "median", at_least=0.05),
        ),
        "Buy when prices are reduced",
        "Send offers with a minimum basket; test smaller discounts before larger ones.",
        "E-mail, timed to offers",
    ),
    NameRule(
        "Occasional Browsers",
        (
            _low("frequency", 0.45),
            _low("monetary", 0.5),
            _high("tenure_days", 0.25),
            Condition("engagement_score", at_least=0.2, at_most=0.6),
            Condition("engagement_score", "median", at_least=1.0),
        ),
        "Still look around now and then and seldom buy",
        "Show best sellers and reminders of what they viewed; keep contact light.",
        "Retargeting and reminders on the site",
    ),
    NameRule(
        "At-Risk Customers",
        (_high("recency_days", 0.55), _high("frequency", 0.5), _high("monetary", 0.45)),
        "Were good customers and have gone quiet",
        "Win back with a personal offer; find out what went wrong through support or a survey.",
        "Personal e-mail, then telephone for the most valuable",
    ),
    NameRule(
        "Power Users",
        (
            _high("frequency", 0.6),
            _high("monetary", 0.65),
            _high("engagement_score", 0.65),
            _low("recency_days", 0.5),
        ),
        "Use shop and app heavily and are among the best customers",
        "Give early access and loyalty rewards; ask them what to build next.",
        "App, and e-mail for what is new",
    ),
    NameRule(
        "New Customers",
        (_low("tenure_days", 0.25), _low("recency_days", 0.6), _low("frequency", 0.5)),
        "Came not long ago and are still finding their way",
        "Send a welcome series that leads to the second order within a month.",
        "E-mail welcome series",
    ),
    NameRule(
        "Champions",
        (_high("frequency", 0.75), _high("monetary", 0.75), _low("recency_days", 0.35)),
        "Buy most often, spend most and bought only lately",
        "Give early access and loyalty rewards; never let a service problem wait.",
        "Personal e-mail or telephone",
    ),
    NameRule(
        "Big Spenders",
        (_high("monetary", 0.7), _high("average_order_value", 0.65), _low("recency_days", 0.6)),
        "Spend far more per order than others",
        "Offer personal service and premium ranges; thank them by name.",
        "Telephone or post, personally",
    ),
    NameRule(
        "Loyal Regulars",
        (_high("frequency", 0.6), _low("recency_days", 0.55), _high("tenure_days", 0.45)),
        "Have come back regularly for a long time",
        "Reward with a loyalty scheme and cross-sell categories they have not tried.",
        "E-mail newsletter and loyalty account",
    ),
    NameRule(
        "Rising Customers",
        (
            _low("tenure_days", 0.45),
            _low("recency_days", 0.35),
            _high("frequency", 0.45),
            _high("purchase_trend", 0.55),
        ),
        "Came in recent months and buy more and more",
        "Show the breadth of the range and offer membership while interest is fresh.",
        "E-mail and app",
    ),
    NameRule(
        "Lapsed Customers",
        (_high("recency_days", 0.7), _low("frequency", 0.55)),
        "Bought a little, long ago",
        "Send one low-cost reactivation campaign, then stop paying to reach them.",
        "E-mail, once",
    ),
    NameRule(
        "Frequent Small Baskets",
        (_high("frequency", 0.6), _low("average_order_value", 0.35)),
        "Come often for small orders",
        "Raise the basket with bundles and a free-delivery threshold.",
        "Basket and checkout pages",
    ),
    NameRule(
        "Occasional Buyers",
        (_low("frequency", 0.45), _low("monetary", 0.5)),
        "Buy seldom and little",
        "Remind them of what they bought before, timed to the season.",
        "E-mail, seldom and by season",
    ),
)

#: In order of weight where two traits are equally strong.
TRAITS = (
    Trait("frequency", "Infrequent", "Frequent"),
    Trait("monetary", "Low-Spend", "High-Spend"),
    Trait("recency_days", "Recent", "Long-Absent"),
    Trait("average_order_value", "Low-Basket", "High-Basket"),
    Trait("discount_share", "Full-Price", "Discount-Led"),
    Trait("engagement_score", "Quiet", "Engaged"),
    Trait("tenure_days", "Newer", "Long-Standing"),
    Trait("cart_abandonment_rate", "Decisive", "Cart-Abandoning"),
    Trait("mean_sentiment", "Critical", "Satisfied"),
    Trait("purchase_trend", "Slowing", "Growing"),
)

FALLBACK_LEAD = "Stand out by no familiar pattern"
FALLBACK_ACTION = "Look at their profile and test one offer on a small group first."
FALLBACK_CHANNEL = "E-mail"

#: Customers who were never clustered, and those in no dense group of a density algorithm.
WITHOUT_PURCHASE_ID = "without-purchase"
NOISE_ID = "noise"
#: Segments that are what they are by definition, not by profile: id → name and words.
RESERVED = {
    WITHOUT_PURCHASE_ID: NameRule(
        "Without Purchase",
        (),
        "Known customers with no purchase on record: not clustered",
        "Make a welcome offer; ask for a first order.",
        "E-mail",
    ),
    NOISE_ID: NameRule(
        "Unlike Others",
        (),
        "Customers in no dense group, each unlike the others",
        "Look at them one by one before anything is sent; an offer to all of them fits few.",
        "Personal contact",
    ),
}

#: How a feature's median is told; {currency} and {value} are filled in.
PHRASES = {
    "recency_days": "last bought {value:,.0f} days ago",
    "frequency": "has placed {value:,.0f} orders",
    "monetary": "has spent {currency} {value:,.0f}",
    "average_order_value": "spends {currency} {value:,.0f} an order",
    "discount_share": "saves {value:.0%} by discounts",
    "engagement_score": "has an engagement score of {value:,.1f}",
    "tenure_days": "has been a customer for {value:,.0f} days",
    "mean_sentiment": "writes in a tone of {value:+.2f} (from -1 to +1)",
}
