"""The hand-off to the ML models: what `features.customer_features` must look like."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from expectations.checks import (
    CRITICAL,
    WARNING,
    Check,
    Suite,
    has_rows,
    measure,
    never,
    one_of,
    portion,
    present,
    rarely,
    unique,
    within,
)
from expectations.segments.shapes import all_of_the_run, same_count, same_money

TABLE = "features.customer_features"
LIFECYCLE_STAGES = (
    "prospect", "onboarding", "active", "slipping", "dormant", "churned", "won_back",
)  # fmt: skip
SOURCES = {
    "web": "web_sessions",
    "app": "app_sessions",
    "social": "posts",
    "support": "tickets",
    "survey": "survey_answers",
    "campaign": "campaign_sends",
}


def suite(as_of: date, customers: int | None = None, gross_revenue: Decimal | None = None) -> Suite:
    """Return the suite of the features floor.

    `customers` and `gross_revenue` (of customers, in the currency of the orders) are what the
    floor before counted; without them the two comparisons are left out.
    """
    checks = [*_grain(as_of), *_conserved(customers, gross_revenue), *_ranges(), *_sense()]
    return Suite(name="segments.customer_features", table=TABLE, checks=tuple(checks))


def _grain(as_of: date) -> list[Check]:
    return [
        has_rows("There is at least one customer"),
        present("customer_id", "Every row of features belongs to a customer"),
        unique("customer_id", "No customer has two rows of features"),
        all_of_the_run(as_of, "All features are as of this run's date"),
    ]


def _conserved(customers: int | None, gross_revenue: Decimal | None) -> list[Check]:
    checks = []
    if customers is not None:
        checks.append(same_count(customers, "No customer of the exports is lost or made up"))
    if gross_revenue is not None:
        checks.append(
            same_money(
                "gross_revenue",
                gross_revenue,
                "Customers' revenue is that of their orders, to the cent",
            )
        )
    return checks


def _ranges() -> list[Check]:
    scores = [
        within(f"{letter}_score", f"The {name} score lies between 1 and 5", 1, 5)
        for letter, name in (("r", "recency"), ("f", "frequency"), ("m", "monetary"))
    ]
    return [
        *scores,
        within("recency_days", "Nobody bought after this run's date", 0),
        within("frequency", "Nobody has fewer than no orders", 0),
        rarely("gross_revenue < 0", "Hardly anybody has negative revenue", 0.01, CRITICAL),
        rarely("refunds < 0", "Hardly anybody has negative refunds", 0.01, CRITICAL),
        within("profile_completeness", "Profiles are known from 0 to 100 %", 0, 1),
        within("refund_share", "Nobody gives back less than nothing", 0),
        within("void_orders", "Nobody has fewer than no void orders", 0),
        within("busiest_hour_orders", "Who bought has an hour in which she did", 1),
        within("discount_share", "Discount shares lie between 0 and 100 %", 0, 1),
        within("add_to_cart_rate", "Add-to-cart rates lie between 0 and 100 %", 0, 1),
        within("cart_abandonment_rate", "Abandonment rates lie between 0 and 100 %", 0, 1),
        within("campaign_open_rate", "Campaign open rates lie between 0 and 100 %", 0, 1),
        within("campaign_click_rate", "Campaign click rates lie between 0 and 100 %", 0, 1),
        within("mean_sentiment", "Sentiment lies between -1 and 1", -1, 1),
        within("purchase_trend", "Purchase trends lie between -1 and 1", -1, 1),
        within("engagement_score", "Nobody's engagement is negative", 0),
        one_of("lifecycle_stage", LIFECYCLE_STAGES, "Lifecycle stages are ones that we know"),
        present("lifecycle_stage", "Every customer has a lifecycle stage"),
    ]


def _sense() -> list[Check]:
    unknown = " OR ".join(
        f"(NOT has_{source} AND {column} IS NOT NULL)" for source, column in SOURCES.items()
    )
    sources = " OR ".join(f"has_{name}" for name in ("contact", "orders", *SOURCES))
    return [
        never(unknown, "Customers without a source have no figures from it, not zeros"),
        never(f"NOT ({sources})", "Every customer comes from at least one source"),
        never(
            "frequency > 0 AND (recency_days IS NULL OR rfm_score IS NULL)",
            "Every customer who bought has recency and RFM scores",
        ),
        portion("frequency > 0", "At least 1 % of customers bought something", at_least=0.01),
        portion(
            "monetary < 0",
            "At most 5 % of customers were refunded more than they paid",
            at_most=0.05,
        ),
        measure(
            "SELECT sum(refunds)::DOUBLE / nullif(sum(gross_revenue), 0) AS observed FROM {batch}",
            "At most 30 % of revenue was refunded",
            at_most=0.30,
            severity=WARNING,
            unit="share",
        ),
        measure(
            "SELECT (max(monetary) / nullif(sum(monetary), 0))::DOUBLE AS observed FROM {batch}",
            "No single customer makes more than half of the revenue",
            at_most=0.50,
            severity=WARNING,
            unit="share",
        ),
        measure(
            "SELECT count(DISTINCT r_score) AS observed FROM {batch} WHERE frequency > 0 "
            "HAVING count(*) >= 100",
            "Recency scores tell customers apart",
            at_least=2,
            severity=WARNING,
            unit="count",
        ),
    ]
