from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from tests.conftest import shared
from tests.unit.ingest.exports import Inbox, empty_warehouse

SAMPLES = "formats/shopify-orders-csv"
HEADER = [
    "Name", "Email", "Financial Status", "Paid at", "Fulfilled at", "Currency", "Subtotal",
    "Shipping", "Taxes", "Total", "Discount Code", "Discount Amount", "Created at",
    "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem sku", "Lineitem discount",
    "Billing Country", "Shipping Country", "Cancelled at", "Payment Method", "Refunded Amount",
    "Source", "Id",
]  # fmt: skip
ORDER = {
    "Name": "#1",
    "Email": "ada@example.com",
    "Financial Status": "paid",
    "Currency": "EUR",
    "Subtotal": "20.00",
    "Total": "24.99",
    "Created at": "2025-11-03 10:14:00 +0100",
    "Lineitem quantity": "2",
    "Lineitem name": "Mug",
    "Lineitem price": "10.00",
    "Lineitem sku": "MUG",
    "Shipping Country": "DE",
    "Id": "555",
}
LINE = {
    "Name": "#1",
    "Email": "ada@example.com",
    "Lineitem quantity": "1",
    "Lineitem name": "Bag",
    "Lineitem price": "30.00",
    "Lineitem sku": "BAG",
}


def export(*lines: dict[str, str], header: list[str] = HEADER) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def discounts(inbox: Inbox) -> list[Decimal]:
    return [Decimal(row["discount_amount"]) for row in inbox.rows("order_lines")]


def test_the_sample_order_by_order(inbox: Inbox) -> None:
    inbox.put("orders.csv", (shared(SAMPLES) / "orders_export_fixture_37cols.csv").read_bytes())
    inbox.load("shopify_orders")
    assert inbox.quarantined() == []
    fern = {"product_id": "FERN-1", "product_name": "Botanical Fern Print", "unit_price": "16.00"}
    tote = {"product_id": "TOTE-1", "product_name": "Canvas Tote Bag", "unit_price": "20.00"}
    mug = {"product_id": "MUG-1", "product_name": "Speckled Mug", "unit_price": "25.00"}
    none = {"discount_amount": "0.0000", "currency": "USD", "country": "US"}
    first = {"order_id": "#1001", "ordered_at": "2026-09-03T14:14:00Z"}
    assert inbox.rows("order_lines") == [
        {**none, **fern, **first, "line_id": "1", "quantity": "2", "discount_amount": "3.0700"},
        {**none, **tote, **first, "line_id": "2", "quantity": "1", "discount_amount": "1.9300"},
        {**none, **mug, "order_id": "#1002", "ordered_at": "2026-09-10T13:00:00Z",
         "line_id": "1", "quantity": "1", "country": "CA"},
        {**none, **fern, "order_id": "#1003", "ordered_at": "2026-09-12T16:00:00Z",
         "line_id": "1", "quantity": "1"},
        {**none, **fern, "order_id": "#1004", "ordered_at": "2026-08-20T12:00:00Z",
         "line_id": "1", "quantity": "1"},
    ]  # fmt: skip
    usd = {"currency": "USD", "is_test": "false"}
    assert inbox.rows("orders") == [
        {**usd, "order_id": "#1001", "email": "ada@example.com", "discount_code": "FALL5",
         "ordered_at": "2026-09-03T14:14:00Z", "status": "paid", "total_amount": "56.29"},
        {**usd, "order_id": "#1002", "email": "bo@example.com",
         "ordered_at": "2026-09-10T13:00:00Z", "status": "paid", "total_amount": "25.00"},
        {**usd, "order_id": "#1003", "email": "cy@example.com",
         "ordered_at": "2026-09-12T16:00:00Z", "status": "cancelled", "total_amount": "16.00"},
        {**usd, "order_id": "#1004", "email": "ada@example.com",
         "ordered_at": "2026-08-20T12:00:00Z", "status": "partially_refunded",
         "total_amount": "20.00"},
    ]  # fmt: skip
    assert inbox.rows("refunds") == [
        {"refund_id": "#1004", "order_id": "#1004", "refunded_at": "2026-08-20T12:00:00Z",
         "amount": "4.00", "currency": "USD"},
    ]  # fmt: skip
    assert inbox.extra("order_lines")[0]["Id"] == "5550000001"


def test_the_whole_header(inbox: Inbox) -> None:
    header = (shared(SAMPLES) / "orders_export_full_header_79cols.csv").read_text().strip()
    inbox.put("orders.csv", export(ORDER, LINE, header=header.split(",")))
    inbox.load("shopify_orders")
    assert [len(inbox.rows(kind)) for kind in ("orders", "order_lines", "refunds")] == [1, 2, 0]
    assert inbox.extra("order_lines") == [{"Id": "555"}, {}]


@pytest.mark.parametrize(
    ("columns", "order", "line"),
    [
        ({}, "0", "0"),
        # 5.00 off 50.00: two fifths and three fifths
        ({"Subtotal": "45.00", "Discount Amount": "5.00"}, "2.00", "3.00"),
        # What does not divide leaves no cent over.
        ({"Subtotal": "49.99"}, "0.00", "0.01"),
        # Free shipping is a discount too, but not of the lines.
        ({"Subtotal": "50.00", "Discount Amount": "4.90"}, "0", "0"),
        # The line's own discount, and what is left of the order's on what is left of the prices
        ({"Subtotal": "36.00", "Lineitem discount": "5.00", "Discount Amount": "14.00"},
         "8.00", "6.00"),
        # Without a subtotal the order says its discount itself.
        ({"Subtotal": "", "Discount Amount": "5.00"}, "2.00", "3.00"),
        ({"Subtotal": "", "Lineitem discount": "5.00", "Discount Amount": "5.00"}, "5.00", "0"),
        # Everything given away
        ({"Subtotal": "0.00", "Discount Amount": "50.00"}, "20", "30"),
        # More than the lines: nobody pays a surcharge.
        ({"Subtotal": "60.00"}, "0", "0"),
        # Three decimals, as in Kuwait: all of it at the last line
        ({"Subtotal": "49.875"}, "0.05", "0.075"),
    ],
)  # fmt: skip
def test_the_discount_is_shared_out_to_the_cent(
    inbox: Inbox, columns: dict[str, str], order: str, line: str
) -> None:
    inbox.put("orders.csv", export({**ORDER, "Subtotal": "50.00", **columns}, LINE))
    inbox.load("shopify_orders")
    assert discounts(inbox) == [Decimal(order), Decimal(line)]


LINES = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 99_999), st.integers(0, 500)),
    min_size=1, max_size=6,
)  # fmt: skip


def order_of(name: str, lines: list[tuple[int, int, int]], subtotal: int) -> list[dict[str, str]]:
    """The lines of an order; of each its quantity, price and own discount, all in cents."""
    rows: list[dict[str, str]] = [
        {**LINE, "Name": name, "Lineitem quantity": str(quantity),
         "Lineitem price": f"{Decimal(price) / 100}", "Lineitem discount": f"{Decimal(own) / 100}"}
        for quantity, price, own in lines
    ]  # fmt: skip
    return [{**ORDER, **rows[0], "Subtotal": f"{Decimal(subtotal) / 100}"}, *rows[1:]]


@given(orders=st.lists(st.tuples(LINES, st.floats(0, 1)), min_size=1, max_size=12))
@limits(max_examples=4, deadline=None)
def test_lines_come_to_the_subtotal_whatever_the_prices(
    tmp_path_factory: pytest.TempPathFactory,
    orders: list[tuple[list[tuple[int, int, int]], float]],
) -> None:
    """Of each order its lines, and the share of the price that is given away."""
    totals = [sum(quantity * price for quantity, price, _ in lines) for lines, _ in orders]
    subtotals = [t - round(t * off) for t, (_, off) in zip(totals, orders, strict=True)]
    rows = [
        row for n, (lines, _) in enumerate(orders) for row in order_of(f"#{n}", lines, subtotals[n])
    ]
    with empty_warehouse() as connection:
        inbox = Inbox(connection, tmp_path_factory.mktemp("inbox"))
        inbox.put("orders.csv", export(*rows))
        inbox.load("shopify_orders")
        shared_out = iter(discounts(inbox))
    for (lines, _), total, subtotal in zip(orders, totals, subtotals, strict=True):
        given_away = [next(shared_out) for _ in lines]
        assert total - 100 * sum(given_away) == subtotal
        for discount, (quantity, price, _) in zip(given_away, lines, strict=True):
            assert 0 <= discount <= Decimal(quantity * price) / 100


@pytest.mark.parametrize(
    ("columns", "status", "is_test"),
    [
        ({"Financial Status": "PAID"}, "paid", "false"),
        ({"Financial Status": "voided"}, "voided", "false"),
        ({"Financial Status": "expired"}, "voided", "false"),
        ({"Cancelled at": "2025-11-04 09:00:00 +0100"}, "cancelled", "false"),
        ({"Payment Method": "(for testing) Bogus Gateway"}, "paid", "true"),
        ({"Payment Method": "Shopify Payments"}, "paid", "false"),
    ],
)
def test_what_became_of_an_order(
    inbox: Inbox, columns: dict[str, str], status: str, is_test: str
) -> None:
    inbox.put("orders.csv", export({**ORDER, **columns}))
    inbox.load("shopify_orders")
    (order,) = inbox.rows("orders")
    assert (order["status"], order["is_test"]) == (status, is_test)


@pytest.mark.parametrize(
    ("columns", "refunded_at"),
    [
        ({}, "2025-11-03T09:14:00Z"),
        ({"Paid at": "2025-11-03 11:00:00 +0100"}, "2025-11-03T10:00:00Z"),
        ({"Paid at": "2025-11-03 11:00:00 +0100", "Fulfilled at": "2025-11-05 11:00:00 +0100"},
         "2025-11-05T10:00:00Z"),
        ({"Cancelled at": "2025-11-04 11:00:00 +0100", "Paid at": "2025-11-03 11:00:00 +0100"},
         "2025-11-04T10:00:00Z"),
    ],
)  # fmt: skip
def test_a_refund_is_dated_by_the_best_there_is(
    inbox: Inbox, columns: dict[str, str], refunded_at: str
) -> None:
    inbox.put("orders.csv", export({**ORDER, "Refunded Amount": "24.99", **columns}, LINE))
    inbox.load("shopify_orders")
    (refund,) = inbox.rows("refunds")
    assert (refund["amount"], refund["refunded_at"]) == ("24.99", refunded_at)


def test_a_line_without_its_order_is_refused(inbox: Inbox) -> None:
    inbox.put("orders.csv", export({**LINE, "Name": "#0"}, ORDER, LINE, {**LINE, "Name": "#9"}))
    inbox.load("shopify_orders")
    assert [(line, reason[:17]) for _, line, reason in inbox.quarantined()] == [
        (2, "the first line of"), (5, "the first line of"),
    ]  # fmt: skip
    assert [row["line_id"] for row in inbox.rows("order_lines")] == ["1", "2"]


def test_an_order_twice_in_a_file_stays_one_order(inbox: Inbox) -> None:
    lines = [{**ORDER, "Subtotal": "45.00"}, LINE]
    inbox.put("orders.csv", export(*lines, *lines, {**ORDER, "Name": "#2"}, *lines))
    inbox.load("shopify_orders")
    assert [(row["order_id"], row["line_id"]) for row in inbox.rows("order_lines")] == [
        ("#1", "1"), ("#1", "2"), ("#1", "1"), ("#1", "2"), ("#2", "1"), ("#1", "1"), ("#1", "2"),
    ]  # fmt: skip
    assert discounts(inbox)[:4] == [Decimal(2), Decimal(3)] * 2


def test_drift_of_the_header(inbox: Inbox) -> None:
    """Other letter case, another order, new columns, American spelling, columns left out."""
    header = ["note"] + [name.upper() for name in reversed(HEADER) if name != "Lineitem discount"]
    header[header.index("CANCELLED AT")] = "Canceled at"
    order = {name.upper(): value for name, value in ORDER.items()}
    order |= {"Canceled at": "2025-11-04 09:00:00 +0100", "note": "as a gift"}
    inbox.put("orders.csv", export(order, header=header))
    inbox.load("shopify_orders")
    (row,) = inbox.rows("orders")
    assert (row["order_id"], row["status"]) == ("#1", "cancelled")
    assert inbox.extra("order_lines")[0]["note"] == "as a gift"


def test_a_file_that_is_no_orders_export_is_refused(inbox: Inbox) -> None:
    inbox.put("orders.csv", "First Name,Last Name,Email\nAda,Example,ada@example.com\n")
    inbox.load("shopify_orders")
    assert "Created at" in inbox.refused()["orders.csv"]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"Created at": "yesterday"}, "ordered_at is not a timestamp"),
        ({"Lineitem quantity": "many"}, "quantity is not a decimal"),
        ({"Lineitem price": ""}, "unit_price is missing"),
        ({"Total": "a lot"}, "total_amount is not a decimal"),
        ({"Refunded Amount": "some"}, "amount is not a decimal"),
        ({"Name": ""}, "order_id is missing"),
    ],
)
def test_a_bad_value_is_told(inbox: Inbox, columns: dict[str, str], reason: str) -> None:
    inbox.put("orders.csv", export({**ORDER, "Name": "#0"}, {**ORDER, **columns}))
    inbox.load("shopify_orders")
    assert {(line, told) for _, line, told in inbox.quarantined()} == {(3, reason)}


def test_a_bad_line_leaves_the_others_their_own_discounts(inbox: Inbox) -> None:
    lines = [{**ORDER, "Lineitem discount": "1.00"}, {**LINE, "Lineitem price": "thirty"}]
    inbox.put("orders.csv", export(*lines))
    inbox.load("shopify_orders")
    assert discounts(inbox) == [Decimal(1)]
