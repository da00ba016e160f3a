"""What orders, order lines, refunds and products must look like at the door."""

from __future__ import annotations

from expectations.checks import CRITICAL, WARNING, Check, matches, measure, portion, rarely
from expectations.exports.shapes import (
    all_present,
    decimal,
    known,
    missing,
    rarely_repeated,
    sound_years,
    unknown_references,
)

STATUSES = (
    "pending", "open", "processing", "on_hold", "confirmed", "authorized", "paid", "partially_paid",
    "shipped", "partially_shipped", "delivered", "fulfilled", "completed", "complete", "closed",
    "refunded", "partially_refunded", "returned", "cancelled", "canceled", "voided", "failed",
)  # fmt: skip
LOST = ("cancelled", "canceled", "voided", "failed")
MOST_UNITS = 10_000
TIMES_THE_MEDIAN = 10_000


def orders() -> list[Check]:
    """Return the checks of `raw.orders`: who bought when, in which currency."""
    total = decimal("total_amount")
    return [
        *all_present(
            {
                "order_id": "Every order has an order number",
                "ordered_at": "Every order has a date",
            }
        ),
        rarely_repeated(["order_id"], "Hardly any order number is given twice in a file of orders"),
        portion(
            f"NOT {missing('customer_id')} OR NOT {missing('email')}",
            "At least 70 % of orders name a customer or an e-mail address",
            at_least=0.70,
        ),
        matches("currency", "^[A-Za-z]{3}$", "Currencies are three-letter codes", severity=WARNING),
        known("status", STATUSES, "Order statuses are ones that we know", 0.98),
        portion(
            f"lower(status) IN {LOST}",
            "At most 30 % of orders were cancelled or failed",
            at_most=0.30,
        ),
        portion(
            "TRY_CAST(is_test AS BOOLEAN)", "At most 10 % of orders are test orders", at_most=0.10
        ),
        rarely(f"{total} < 0", "Order totals are not negative", 0.01),
        measure(
            f"SELECT (max({total}) / nullif(median({total}), 0))::DOUBLE AS observed "
            "FROM {batch}",
            "No order is absurdly large beside the usual one",
            at_most=TIMES_THE_MEDIAN,
        ),
        sound_years("ordered_at", "Orders were placed in believable years"),
    ]


def order_lines() -> list[Check]:
    """Return the checks of `raw.order_lines`: what was bought, how many, for how much."""
    quantity, price = decimal("quantity"), decimal("unit_price")
    discount = decimal("discount_amount")
    return [
        *all_present(
            {
                "order_id": "Every order line belongs to an order",
                "product_id": "Every order line names a product",
                "quantity": "Every order line has a quantity",
                "unit_price": "Every order line has a price",
            }
        ),
        rarely_repeated(
            ["order_id", "line_id"], "Hardly any line number is given twice within an order"
        ),
        rarely(
            f"abs({quantity}) > {MOST_UNITS}",
            "Quantities stay below ten thousand units a line",
            0.001,
        ),
        rarely(f"{quantity} = 0", "Hardly any order line is for nothing", 0.01),
        rarely(f"{price} < 0", "Hardly any order line has a negative price", 0.001),
        portion(f"{price} = 0", "At most 5 % of order lines are free of charge", at_most=0.05),
        portion(
            f"TRY_CAST(is_refund AS BOOLEAN) OR ({quantity} < 0 AND {price} > 0)",
            "At most 20 % of order lines are refunds",
            at_most=0.20,
        ),
        rarely(
            f"{discount} > {quantity} * {price} AND {quantity} > 0",
            "Discounts are not larger than the line they are given on",
            0.01,
        ),
        measure(
            "SELECT count(customer_id)::DOUBLE / count(*) AS observed FROM {batch} "
            "HAVING count(customer_id) > 0 UNION ALL SELECT NULL LIMIT 1",
            "At least half of the order lines that can name a customer do",
            at_least=0.50,
            unit="share",
        ),
        unknown_references(
            "order_id", "raw.orders", "At most 2 % of order lines belong to orders we do not know"
        ),
        unknown_references(
            "product_id",
            "raw.products",
            "At most 5 % of order lines are for products we do not know",
            0.05,
        ),
        sound_years("ordered_at", "Order lines were sold in believable years"),
    ]


def refunds() -> list[Check]:
    """Return the checks of `raw.refunds`: what was paid back."""
    return [
        *all_present(
            {
                "order_id": "Every refund belongs to an order",
                "refunded_at": "Every refund has a date",
                "amount": "Every refund has an amount",
            }
        ),
        rarely(
            f"{decimal('amount')} <= 0",
            "Refunds are positive amounts, so that they lower revenue and do not raise it",
            0.01,
            CRITICAL,
        ),
        rarely_repeated(["refund_id"], "Hardly any refund is given twice in a file of refunds"),
        unknown_references(
            "order_id", "raw.orders", "At most 2 % of refunds are for orders we do not know"
        ),
        sound_years("refunded_at", "Refunds were paid in believable years"),
    ]


def products() -> list[Check]:
    """Return the checks of `raw.products`: what is for sale."""
    return [
        *all_present({"product_id": "Every product has a product number"}),
        rarely_repeated(
            ["product_id"], "Hardly any product number is given twice in a file of products"
        ),
        portion(
            f"NOT {missing('product_name')}", "At least 90 % of products have a name", at_least=0.90
        ),
        portion(
            f"NOT {missing('category')}", "At least 80 % of products have a category", at_least=0.80
        ),
        rarely(f"{decimal('list_price')} < 0", "List prices are not negative", 0.0),
    ]
