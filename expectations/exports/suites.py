"""The data-in gate: one suite per kind of export, checked on the raw floor.

Rows that lack a required value or do not cast never reach `raw` (they are in quarantine), so
the critical checks here guard the loader itself, and the warnings tell what is odd in what the
company delivered.
"""

from __future__ import annotations

from collections.abc import Callable

from expectations.checks import Check, Suite
from expectations.exports import behaviour, crm, shop, voice

CHECKS: dict[str, Callable[[], list[Check]]] = {
    "contacts": crm.contacts,
    "consents": crm.consents,
    "demographics": crm.demographics,
    "orders": shop.orders,
    "order_lines": shop.order_lines,
    "refunds": shop.refunds,
    "products": shop.products,
    "web_events": behaviour.web_events,
    "app_events": behaviour.app_events,
    "posts": voice.posts,
    "profiles": voice.profiles,
    "follows": voice.follows,
    "tickets": voice.tickets,
    "survey_answers": voice.survey_answers,
    "campaign_events": voice.campaign_events,
}
KINDS = tuple(CHECKS)


def suite(kind: str) -> Suite:
    """Return the data-in suite of one kind of export, for the table `raw.<kind>`.

    Raises:
        KeyError: the kind is none of `KINDS`.

    >>> suite("refunds").table, suite("refunds").checks[0].title
    ('raw.refunds', 'Every refund belongs to an order')
    """
    return Suite(name=f"exports.{kind}", table=f"raw.{kind}", checks=tuple(CHECKS[kind]()))
