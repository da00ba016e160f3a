"""Shopify's orders export: a line of the file is a line of an order, the order stands on its first.

The discount of an order is shared out over its lines, so that they come to the order's Subtotal.
"""

from __future__ import annotations

from tessera.ingest.expressions import first, to_utc
from tessera.ingest.format import Format, Refusal, Rows

CANCELLED = first("Cancelled at", "Canceled at")
CREATED = first("Created at")
REFUNDED = first("Refunded Amount")

# Windows and sums over few columns: the records are wide.
READ = f"""
    select
        _file,
        _record,
        "Name" as name,
        {CREATED} as created,
        {first("Currency")} as currency,
        {first("Shipping Country", "Billing Country")} as country,
        try_cast("Subtotal" as decimal(18, 4)) as subtotal,
        try_cast("Discount Amount" as decimal(18, 4)) as order_discount,
        try_cast(
            try_cast("Lineitem quantity" as decimal(28, 4))
            * try_cast("Lineitem price" as decimal(18, 4))
        as decimal(18, 4)) as list_value,
        coalesce(try_cast({first("Lineitem discount")} as decimal(18, 4)), 0) as own_discount
    from {{records}}
"""
# The lines of an order stand together. An order begins where the name changes, or where its own
# columns are filled again after lines without them: the same order a second time.
LINES = f"""
    select
        *,
        sum(begins) over in_file as nth_order,
        sum(list_value) over in_file as list_so_far,
        sum(list_value - own_discount) over in_file as net_so_far
    from (
        select *, cast(
            name is distinct from lag(name) over in_file
            or created is not null and lag(created) over in_file is null
        as integer) as begins
        from ({READ})
        window in_file as (partition by _file order by _record)
    )
    window in_file as (partition by _file order by _record)
"""
# The discount is null when a line is no number, or negative: then nothing can be shared out.
# Lines keep discounts of their own, if the order's discount covers all of them.
ORDERS = """
    select
        _file,
        nth_order,
        min(_record) as first_record,
        max(created) as order_created_at,
        max(currency) as order_currency,
        max(country) as order_country,
        sum(list_value) as list_total,
        min(list_so_far - list_value) as list_before,
        min(net_so_far - list_value + own_discount) as net_before,
        sum(own_discount) as own_discounts,
        case
            when count(list_value) = count(*) and min(list_value) >= 0
                then coalesce(list_total - max(subtotal), max(order_discount))
        end as discount,
        own_discounts <= discount and bool_and(own_discount between 0 and list_value) as keeps_own
    from lines
    group by _file, nth_order
"""
SHARES = """
    select
        lines._file,
        lines._record,
        lines._record - first_record + 1 as position,
        order_created_at,
        order_currency,
        order_country,
        case when keeps_own then own_discount else 0 end as kept,
        case when discount is not null
            then greatest(discount - case when keeps_own then own_discounts else 0 end, 0)
        end as rest,
        case when keeps_own then list_total - own_discounts else list_total end as whole,
        case when keeps_own then net_so_far - net_before else list_so_far - list_before end as upto,
        upto - list_value + kept as before
    from lines join orders using (_file, nth_order)
"""


def _part_of_rest(value: str) -> str:
    """What of `rest` falls to the first lines of an order, worth `value` of its `whole`.

    Whole cents, and all of it at the last line; null when the numbers are beyond all reason.
    """
    rest, part, whole = (f"cast({v} * 10000 as hugeint)" for v in ("rest", value, "whole"))
    cents = f"cast({rest} * {part} // ({whole} * 100) as decimal(18, 0))"
    return f"case when {value} >= whole then rest else try({cents} * 0.01) end"


PREPARE = f"""
    with lines as ({LINES}), orders as ({ORDERS}), shares as ({SHARES})
    select
        records.*,
        position,
        order_created_at,
        order_currency,
        order_country,
        cast(
            kept + {_part_of_rest("upto")} - {_part_of_rest("before")}
        as decimal(18, 4)) as shared_discount
    from {{records}} as records join shares using (_file, _record)
"""

DISCOUNT = f"coalesce(shared_discount::varchar, {first('Lineitem discount')})"

FORMAT = Format(
    name="shopify_orders",
    title="Shopify orders (CSV)",
    description="""\
The orders export of the Shopify admin: Orders, Export, plain CSV. An order takes one line of the
file for each of its products; the order itself stands on the first one.

Each line becomes an order line with its place in the order as `line_id`, the SKU (without one, the
name) as product, and its share of the discount: its own, and of the rest what its price is of the
order, in whole cents, so that the lines come to the order's Subtotal. Shipping and taxes are in
`total_amount` only; a shop whose prices include taxes has them in its lines.

Each first line also becomes an order. One that was cancelled has the status `cancelled`, one whose
authorisation expired `voided`, else it is the financial status. Orders paid by the bogus gateway
are test orders. The export has no customer id; the e-mail address tells who it was.

A Refunded Amount becomes one refund an order, with the shipping and taxes that were paid back. The
export does not say when: it is dated by the cancellation, else by the fulfilment, the payment or
the order, whichever is there first. Lines whose order begins in another file are refused.""",
    reads="csv",
    columns=(
        "Name",
        "Email",
        "Financial Status",
        "Paid at",
        "Fulfilled at",
        "Currency",
        "Subtotal",
        "Total",
        "Discount Code",
        "Discount Amount",
        "Created at",
        "Lineitem quantity",
        "Lineitem name",
        "Lineitem price",
        "Lineitem sku",
        "Lineitem discount",
        "Billing Country",
        "Shipping Country",
        "Cancelled at",
        "Canceled at",
        "Payment Method",
        "Refunded Amount",
        "Source",
    ),
    required=("Name", "Created at", "Lineitem quantity", "Lineitem price"),
    prepare=PREPARE,
    refuse=(
        Refusal(
            "order_created_at is null and nullif(trim(\"Name\"), '') is not null",
            "the first line of the order, which has its Created at, does not stand before this one",
        ),
    ),
    kinds={
        # First, as every line of the file gives one: what is not mapped is kept with it.
        "order_lines": Rows(
            columns={
                "order_id": '"Name"',
                "line_id": "position",
                "product_id": first("Lineitem sku", "Lineitem name"),
                "product_name": '"Lineitem name"',
                "quantity": '"Lineitem quantity"',
                "unit_price": '"Lineitem price"',
                "discount_amount": DISCOUNT,
                "currency": "order_currency",
                "ordered_at": to_utc("order_created_at"),
                "country": "order_country",
            },
        ),
        "orders": Rows(
            where="position = 1",
            columns={
                "order_id": '"Name"',
                "email": '"Email"',
                "ordered_at": to_utc(CREATED),
                "currency": '"Currency"',
                "status": f"""case
                    when {CANCELLED} is not null then 'cancelled'
                    when lower("Financial Status") = 'expired' then 'voided'
                    else lower("Financial Status")
                end""",
                "discount_code": '"Discount Code"',
                "total_amount": '"Total"',
                "channel": '"Source"',
                "is_test": "coalesce(contains(lower(\"Payment Method\"), 'bogus'), false)",
            },
        ),
        "refunds": Rows(
            # What is no number goes on to the check that reports it.
            where=f"position = 1 and coalesce(try_cast({REFUNDED} as decimal(18, 4)) <> 0, "
            f"{REFUNDED} is not null)",
            columns={
                "refund_id": '"Name"',
                "order_id": '"Name"',
                "refunded_at": to_utc(
                    "coalesce("
                    + ", ".join((CANCELLED, first("Fulfilled at"), first("Paid at"), CREATED))
                    + ")"
                ),
                "amount": REFUNDED,
                "currency": '"Currency"',
            },
        ),
    },
    example="""\
[sources.shopify]
format = "shopify_orders"
files = "shopify/orders_export*.csv"
""",
)
