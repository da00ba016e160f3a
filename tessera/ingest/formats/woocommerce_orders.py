"""WooCommerce's orders, as its REST API gives them.

A line says what it came to before and after discounts. The price of one is reckoned from them and
rounded up to a ten-thousandth, so that quantity × price − discount is the line's total exactly.
"""

from __future__ import annotations

import json

from tessera.ingest.expressions import first, in_utc
from tessera.ingest.format import Format, Refusal, Rows

ORDERED_AT = f"coalesce({in_utc(first('date_created_gmt'))}, date_created)"
UPDATED_AT = f"coalesce({in_utc(first('date_modified_gmt'))}, date_modified)"

# Read as JSON first: what is no list must not pass for an order without lines.
LISTS = {
    "line_items": ("id", "name", "product_id", "quantity", "subtotal", "total", "sku", "price"),
    "refunds": ("id", "reason", "total"),
}


def items(name: str) -> str:
    """The members of a list of the order, as structs of text."""
    shape = json.dumps([dict.fromkeys(LISTS[name], "VARCHAR")])
    return f"json_transform({name}, '{shape}')"


def not_a_list(name: str) -> str:
    """Condition: the member is there and is something else than a list."""
    return f"json_type({name}) not in ('ARRAY', 'NULL')"


SUBTOTAL = "try_cast(item.subtotal as decimal(18, 4))"
QUANTITY = "try_cast(item.quantity as decimal(18, 4))"
# In whole ten-thousandths, as a division of decimals is a double.
ONE_UP = f"""(
    (cast({SUBTOTAL} * 10000 as hugeint) * 10000 + cast({QUANTITY} * 10000 as hugeint) - 1)
    // nullif(cast({QUANTITY} * 10000 as hugeint), 0)
)"""
UNIT_PRICE = f"try(cast({ONE_UP} as decimal(18, 0)) * 0.0001)"
DISCOUNT = f"""try(cast(
    cast({QUANTITY} as decimal(28, 4)) * cast({UNIT_PRICE} as decimal(18, 4))
    - try_cast(item.total as decimal(18, 4))
as decimal(18, 4)))"""

FORMAT = Format(
    name="woocommerce_orders",
    title="WooCommerce orders (JSON)",
    description="""\
Orders as WooCommerce's REST API lists them (GET /wp-json/wc/v3/orders): JSON lines, or whole pages
as arrays, as they came. Each becomes an order, each of its line_items an order line, each of its
refunds a refund. Customer 0 is a guest: the order then has only the billing e-mail address.

Lines are worth their `total`: after coupons, without taxes. Fees, shipping and taxes are in the
order's `total_amount` only. Refunds have no date in here: they are dated by the order's last
change, and hold the taxes and shipping that were paid back. An order in the trash counts as
cancelled; one that WooPayments took in test mode is a test order. Of several versions of an order
the last changed one counts.""",
    reads="json",
    structure={
        "id": "VARCHAR",
        "status": "VARCHAR",
        "currency": "VARCHAR",
        "date_created": "VARCHAR",
        "date_created_gmt": "VARCHAR",
        "date_modified": "VARCHAR",
        "date_modified_gmt": "VARCHAR",
        "total": "VARCHAR",
        "customer_id": "VARCHAR",
        "created_via": "VARCHAR",
        "billing": {"email": "VARCHAR", "country": "VARCHAR"},
        "shipping": {"country": "VARCHAR"},
        "meta_data": [{"key": "VARCHAR", "value": "VARCHAR"}],
        "coupon_lines": [{"code": "VARCHAR"}],
        **dict.fromkeys(LISTS, "JSON"),
    },
    required=("id",),
    refuse=tuple(Refusal(not_a_list(name), f"{name} is not a list") for name in LISTS),
    kinds={
        "orders": Rows(
            columns={
                "order_id": "id",
                "customer_id": "nullif(customer_id, '0')",
                "email": "billing.email",
                "ordered_at": ORDERED_AT,
                "updated_at": UPDATED_AT,
                "currency": "currency",
                "status": "case when status = 'trash' then 'cancelled' else status end",
                "discount_code": "nullif(array_to_string([c.code for c in coupon_lines], ','), '')",
                "total_amount": "total",
                "channel": "created_via",
                "is_test": "coalesce(list_contains(meta_data, "
                "{'key': '_wcpay_mode', 'value': 'test'}), false)",
            }
        ),
        "order_lines": Rows(
            each=items("line_items"),
            columns={
                "order_id": "id",
                "line_id": "item.id",
                # A product that was deleted since has the id 0.
                "product_id": "coalesce(nullif(item.product_id, '0'), nullif(item.sku, ''), "
                "item.name)",
                "product_name": "item.name",
                "quantity": "item.quantity",
                "unit_price": f"coalesce({UNIT_PRICE}::varchar, item.price, item.subtotal)",
                "discount_amount": f"coalesce({DISCOUNT}::varchar, nullif(item.total, ''))",
                "currency": "currency",
                "customer_id": "nullif(customer_id, '0')",
                "ordered_at": ORDERED_AT,
                "updated_at": UPDATED_AT,
                "country": "coalesce(nullif(shipping.country, ''), billing.country)",
            },
        ),
        "refunds": Rows(
            each=items("refunds"),
            columns={
                "refund_id": "item.id",
                "order_id": "id",
                "refunded_at": f"coalesce({UPDATED_AT}, {ORDERED_AT})",
                "amount": "ltrim(item.total, '-')",
                "currency": "currency",
                "reason": "nullif(item.reason, '')",
            },
        ),
    },
    example="""\
[sources.woocommerce]
format = "woocommerce_orders"
files = "woocommerce/orders*.json*"
""",
)
