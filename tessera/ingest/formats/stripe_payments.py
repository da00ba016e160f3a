"""Stripe's payments export: a payment is an order without lines."""

from __future__ import annotations

from tessera.ingest.expressions import first, in_utc
from tessera.ingest.format import Format, Rows

CREATED = first("Created date (UTC)", "Created (UTC)")
REFUNDED = first("Amount Refunded")

FORMAT = Format(
    name="stripe_payments",
    title="Stripe payments (CSV)",
    description="""\
The unified payments export of the Stripe dashboard: Payments, Export, all columns, times in UTC.
Each payment becomes an order with the payment's id; Stripe knows no products, so there are no lines
and the whole amount counts, with the taxes and the shipping in it. Fees are not taken off.

A payment that failed or was blocked has the status `failed`, another that was not captured
`voided`; payments in test mode are test orders. An Amount Refunded becomes one refund a payment,
dated by its Refunded date, else by the payment. Disputes change nothing here. Metadata and all
other columns are kept with the row.""",
    reads="csv",
    columns=(
        "id",
        "Created date (UTC)",
        "Created (UTC)",
        "Amount",
        "Amount Refunded",
        "Currency",
        "Captured",
        "Mode",
        "Refunded date (UTC)",
        "Status",
        "Customer ID",
        "Customer Email",
    ),
    required=("id", "Amount", "Currency"),
    kinds={
        "orders": Rows(
            columns={
                "order_id": '"id"',
                "customer_id": first("Customer ID"),
                "email": first("Customer Email"),
                "ordered_at": in_utc(CREATED),
                "currency": 'upper("Currency")',
                "status": """case
                    when lower("Status") in ('failed', 'blocked') then 'failed'
                    when lower("Captured") = 'false' then 'voided'
                    else lower("Status")
                end""",
                "total_amount": '"Amount"',
                "is_test": "lower(\"Mode\") = 'test'",
            }
        ),
        "refunds": Rows(
            # What is no number goes on to the check that reports it.
            where=f"coalesce(try_cast({REFUNDED} as decimal(18, 4)) <> 0, {REFUNDED} is not null)",
            columns={
                "refund_id": '"id"',
                "order_id": '"id"',
                "refunded_at": in_utc(f"coalesce({first('Refunded date (UTC)')}, {CREATED})"),
                "amount": REFUNDED,
                "currency": 'upper("Currency")',
            },
        ),
    },
    example="""\
[sources.stripe]
format = "stripe_payments"
files = "stripe/unified_payments*.csv"
""",
)
