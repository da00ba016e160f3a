from __future__ import annotations

import csv
import io

import pytest

from tests.conftest import shared
from tests.unit.ingest.exports import Inbox

PAYMENT = {
    "id": "ch_1",
    "Created date (UTC)": "2025-11-03 10:14:09",
    "Amount": "1061.86",
    "Amount Refunded": "0.00",
    "Currency": "usd",
    "Captured": "true",
    "Mode": "Live",
    "Status": "Paid",
    "Customer ID": "cus_1",
    "Customer Email": "ada@example.com",
}


def header() -> list[str]:
    text = (shared("formats/stripe-payments-csv") / "unified_payments_header.csv").read_text()
    return text.strip().split(",")


def export(*payments: dict[str, str], columns: list[str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(payments)
    return text.getvalue()


def test_payments_under_the_real_header(inbox: Inbox) -> None:
    refunded = {
        **PAYMENT, "id": "py_2", "Amount Refunded": "61.86", "Currency": "eur",
        "Refunded date (UTC)": "2025-11-09 08:00:00", "Status": "Partially refunded",
        "Customer ID": "", "color (metadata)": "red", "Fee": "31.09",
    }  # fmt: skip
    columns = [*header(), "color (metadata)"]
    inbox.put("payments.csv", export(PAYMENT, refunded, columns=columns))
    inbox.load("stripe_payments", timezone="America/New_York")
    same = {"email": "ada@example.com", "ordered_at": "2025-11-03T10:14:09Z",
            "total_amount": "1061.86", "is_test": "false"}  # fmt: skip
    assert inbox.rows("orders") == [
        {**same, "order_id": "ch_1", "customer_id": "cus_1", "currency": "USD", "status": "paid"},
        {**same, "order_id": "py_2", "currency": "EUR", "status": "partially refunded"},
    ]
    assert inbox.rows("refunds") == [
        {"refund_id": "py_2", "order_id": "py_2", "refunded_at": "2025-11-09T08:00:00Z",
         "amount": "61.86", "currency": "EUR"},
    ]  # fmt: skip
    assert inbox.extra("orders") == [{}, {"Fee": "31.09", "color (metadata)": "red"}]
    assert inbox.quarantined() == []


@pytest.mark.parametrize(
    ("columns", "status", "is_test"),
    [
        ({"Status": "Failed", "Captured": "false"}, "failed", "false"),
        ({"Status": "Blocked", "Captured": "false"}, "failed", "false"),
        ({"Status": "Requires payment method", "Captured": "false"}, "voided", "false"),
        ({"Status": "Uncaptured", "Captured": "False"}, "voided", "false"),
        ({"Status": "Canceled"}, "canceled", "false"),
        ({"Status": "Refunded"}, "refunded", "false"),
        ({"Mode": "Test"}, "paid", "true"),
    ],
)
def test_what_became_of_a_payment(
    inbox: Inbox, columns: dict[str, str], status: str, is_test: str
) -> None:
    payment = {**PAYMENT, **columns}
    inbox.put("payments.csv", export(payment, columns=list(payment)))
    inbox.load("stripe_payments")
    (order,) = inbox.rows("orders")
    assert (order["status"], order["is_test"]) == (status, is_test)


def test_the_older_header(inbox: Inbox) -> None:
    """Times without seconds, columns missing, reordered and in another letter case."""
    inbox.put(
        "payments.csv",
        "ID,Description,Created (UTC),CURRENCY,Amount,Amount Refunded\n"
        "ch_1,Mug,2019-02-03 10:14,eur,20,20.00\n",
    )
    inbox.load("stripe_payments")
    time = "2019-02-03T10:14:00Z"
    assert inbox.rows("orders") == [
        {"order_id": "ch_1", "ordered_at": time, "currency": "EUR", "total_amount": "20"}
    ]
    assert inbox.rows("refunds") == [
        {"refund_id": "ch_1", "order_id": "ch_1", "refunded_at": time, "amount": "20.00",
         "currency": "EUR"},
    ]  # fmt: skip
    assert inbox.extra("orders") == [{"Description": "Mug"}]


@pytest.mark.parametrize(
    ("columns", "reasons"),
    [
        ({"Created date (UTC)": "soon"}, ["ordered_at is not a timestamp"]),
        ({"Created date (UTC)": ""}, ["ordered_at is missing"]),
        ({"Amount": "ten"}, ["total_amount is not a decimal"]),
        ({"Amount Refunded": "ten"}, ["amount is not a decimal"]),
        ({"id": ""}, ["order_id is missing"]),
    ],
)
def test_a_bad_value_is_told(inbox: Inbox, columns: dict[str, str], reasons: list[str]) -> None:
    inbox.put("payments.csv", export({**PAYMENT, **columns}, columns=list(PAYMENT)))
    inbox.load("stripe_payments")
    assert [reason for _, _, reason in inbox.quarantined()] == reasons


def test_another_export_is_refused(inbox: Inbox) -> None:
    inbox.put("payments.csv", "id,Email,Name\ncus_1,ada@example.com,Ada\n")
    inbox.load("stripe_payments")
    assert "Amount, Currency" in inbox.refused()["payments.csv"]
