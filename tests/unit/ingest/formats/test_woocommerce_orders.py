from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from tests.conftest import shared
from tests.unit.ingest.exports import Inbox, empty_warehouse

ITEM = {"id": 1, "name": "Mug", "product_id": 9, "quantity": 2, "subtotal": "20.00",
        "total": "18.00", "sku": "MUG", "price": 9}  # fmt: skip
ORDER: dict[str, Any] = {
    "id": 5, "status": "completed", "currency": "EUR", "date_created": "2025-11-03T11:00:00",
    "date_created_gmt": "2025-11-03T10:00:00", "date_modified": "2025-11-04T11:00:00",
    "date_modified_gmt": "2025-11-04T10:00:00", "total": "23.00", "customer_id": 7,
    "created_via": "checkout", "billing": {"email": "ada@example.com", "country": "DE"},
    "shipping": {"country": "AT"}, "line_items": [ITEM], "coupon_lines": [], "refunds": [],
}  # fmt: skip


def pages(name: str) -> list[str]:
    """The JSON responses in a page of WooCommerce's documentation."""
    text = (shared("formats/woocommerce-rest") / name).read_text(encoding="utf-8")
    return re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL)


def test_the_responses_of_the_documentation(inbox: Inbox) -> None:
    """One order or a list of them; the answer to a batch request is no order."""
    written = dict.fromkeys(pages("_orders.md"))
    for number, text in enumerate(written):
        inbox.put(f"orders-{number}.json", text)
    inbox.load("woocommerce_orders")
    answers = [json.loads(text) for text in written]
    lists = [answer if isinstance(answer, list) else [answer] for answer in answers]
    orders = [order for told in lists for order in told if "id" in order]
    assert len(orders) == len(inbox.rows("orders")) > 3
    assert len(inbox.rows("order_lines")) == sum(len(order["line_items"]) for order in orders)
    assert len(inbox.rows("refunds")) == sum(len(order["refunds"]) for order in orders)
    reasons = [reason for _, _, reason in inbox.quarantined()]
    assert reasons == ["order_id is missing"] * sum("create" in answer for answer in answers)


def test_the_documented_list_field_by_field(inbox: Inbox) -> None:
    (listed,) = [text for text in pages("_orders.md") if text.startswith("[")]
    inbox.put("orders.json", listed)
    inbox.load("woocommerce_orders")
    guest = {"order_id": "727", "currency": "USD", "ordered_at": "2017-03-22T19:28:02Z",
             "updated_at": "2017-03-22T19:28:08Z"}  # fmt: skip
    joao = {"order_id": "723", "currency": "USD", "ordered_at": "2017-03-21T19:16:00Z",
            "updated_at": "2017-03-21T19:54:51Z", "customer_id": "26"}  # fmt: skip
    assert inbox.rows("orders") == [
        {**guest, "email": "john.doe@example.com", "status": "processing",
         "total_amount": "29.35", "channel": "rest-api", "is_test": "false"},
        {**joao, "email": "joao.silva@example.com", "status": "completed",
         "total_amount": "39.00", "channel": "checkout", "is_test": "false"},
    ]  # fmt: skip
    whole = {"discount_amount": "0.0000"}
    assert inbox.rows("order_lines") == [
        {**guest, **whole, "line_id": "315", "product_id": "93", "product_name": "Woo Single #1",
         "quantity": "2", "unit_price": "3.0000", "country": "US"},
        {**guest, **whole, "line_id": "316", "product_id": "22",
         "product_name": "Ship Your Idea &ndash; Color: Black, Size: M Test",
         "quantity": "1", "unit_price": "12.0000", "country": "US"},
        {**joao, **whole, "line_id": "311", "product_id": "87", "product_name": "Woo Album #2",
         "quantity": "1", "unit_price": "9.0000", "country": "BR"},
        {**joao, **whole, "line_id": "313", "product_id": "34", "product_name": "Woo Ninja",
         "quantity": "1", "unit_price": "20.0000", "country": "BR"},
    ]  # fmt: skip
    refunded = {"order_id": "723", "refunded_at": "2017-03-21T19:54:51Z", "currency": "USD"}
    assert inbox.rows("refunds") == [
        {**refunded, "refund_id": "726", "amount": "10.00"},
        {**refunded, "refund_id": "724", "amount": "9.00"},
    ]
    assert inbox.extra("orders")[0]["payment_method"] == "bacs"
    assert inbox.quarantined() == []


@pytest.mark.parametrize(
    ("members", "columns"),
    [
        ({"customer_id": 0}, {"customer_id": None}),
        ({"status": "failed"}, {"status": "failed"}),
        ({"status": "trash"}, {"status": "cancelled"}),
        ({"coupon_lines": [{"code": "SPRING"}, {"code": "TEN"}]}, {"discount_code": "SPRING,TEN"}),
        ({"meta_data": [{"id": 1, "key": "_wcpay_mode", "value": "test"}]}, {"is_test": "true"}),
        ({"meta_data": [{"id": 1, "key": "_wcpay_mode", "value": "prod"}]}, {"is_test": "false"}),
        ({"meta_data": [{"id": 1, "key": "seen", "value": {"by": ["x"]}}]}, {"is_test": "false"}),
        ({"date_created_gmt": None}, {"ordered_at": "2025-11-03 10:00:00"}),
        ({"date_created_gmt": ""}, {"ordered_at": "2025-11-03 10:00:00"}),
    ],
)
def test_what_an_order_says(
    inbox: Inbox, members: dict[str, Any], columns: dict[str, str | None]
) -> None:
    inbox.put("orders.jsonl", json.dumps({**ORDER, **members}) + "\n")
    inbox.load("woocommerce_orders", timezone="Europe/Berlin")
    (order,) = inbox.rows("orders")
    assert {name: order.get(name) for name in columns} == columns


def test_a_refund_is_positive_and_has_its_reason(inbox: Inbox) -> None:
    refunds = [{"id": 8, "reason": "broken", "total": "-4.50"}, {"id": 9, "total": "-1"}]
    inbox.put("orders.jsonl", json.dumps({**ORDER, "refunds": refunds}))
    inbox.load("woocommerce_orders")
    same = {"order_id": "5", "refunded_at": "2025-11-04T10:00:00Z", "currency": "EUR"}
    assert inbox.rows("refunds") == [
        {**same, "refund_id": "8", "amount": "4.50", "reason": "broken"},
        {**same, "refund_id": "9", "amount": "1"},
    ]


@pytest.mark.parametrize(
    ("members", "product"),
    [({}, "9"), ({"product_id": 0}, "MUG"), ({"product_id": 0, "sku": ""}, "Mug")],
)
def test_the_product_of_a_line(inbox: Inbox, members: dict[str, Any], product: str) -> None:
    inbox.put("orders.jsonl", json.dumps({**ORDER, "line_items": [{**ITEM, **members}]}))
    inbox.load("woocommerce_orders")
    assert inbox.rows("order_lines")[0]["product_id"] == product


VALUES = st.tuples(
    st.integers(1, 1000), st.decimals(0, 100_000, places=2), st.decimals(0, 1, places=3)
)


@given(values=st.lists(VALUES, min_size=1, max_size=40))
@limits(max_examples=4, deadline=None)
def test_lines_are_worth_their_totals(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[int, Decimal, Decimal]]
) -> None:
    """Of each line the quantity, the subtotal, and the share of it that is paid."""
    totals = [(subtotal * paid).quantize(Decimal("0.01")) for _, subtotal, paid in values]
    items = [
        {**ITEM, "id": n, "quantity": quantity, "subtotal": str(subtotal), "total": str(total)}
        for n, ((quantity, subtotal, _), total) in enumerate(zip(values, totals, strict=True))
    ]
    with empty_warehouse() as connection:
        inbox = Inbox(connection, tmp_path_factory.mktemp("inbox"))
        inbox.put("orders.jsonl", json.dumps({**ORDER, "line_items": items}))
        inbox.load("woocommerce_orders")
        lines = inbox.rows("order_lines")
    for line, total, (quantity, subtotal, _) in zip(lines, totals, values, strict=True):
        price, discount = Decimal(line["unit_price"]), Decimal(line["discount_amount"])
        assert quantity * price - discount == total
        assert 0 <= price - subtotal / quantity < Decimal("0.0001")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"id": None}, "order_id is missing"),
        ({"date_created_gmt": "soon"}, "ordered_at is not a timestamp"),
        ({"total": "free"}, "total_amount is not a decimal"),
        ({"line_items": [{**ITEM, "quantity": "two"}]}, "quantity is not a decimal"),
        ({"line_items": [{**ITEM, "subtotal": "free", "price": None}]},
         "unit_price is not a decimal"),
        ({"line_items": [{**ITEM, "total": "free"}]}, "discount_amount is not a decimal"),
        ({"line_items": ["mug"]}, "product_id is missing"),
        ({"refunds": [{"id": 1, "total": "some"}]}, "amount is not a decimal"),
        # PHP writes a list with gaps as an object.
        ({"line_items": {"1": ITEM}}, "line_items is not a list"),
        ({"refunds": {"1": {"id": 1}}}, "refunds is not a list"),
    ],
)  # fmt: skip
def test_a_bad_value_is_told(inbox: Inbox, members: dict[str, Any], reason: str) -> None:
    inbox.put("orders.jsonl", json.dumps(ORDER) + "\n" + json.dumps({**ORDER, **members}))
    inbox.load("woocommerce_orders")
    assert {(line, told) for _, line, told in inbox.quarantined()} == {(2, reason)}


def test_members_that_are_missing_or_new(inbox: Inbox) -> None:
    few = {"id": 6, "date_created_gmt": "2025-11-03T10:00:00", "loyalty": {"points": 3}}
    inbox.put("orders.jsonl", json.dumps(few) + "\n" + json.dumps({**ORDER, "line_items": None}))
    inbox.load("woocommerce_orders")
    assert [row["order_id"] for row in inbox.rows("orders")] == ["6", "5"]
    assert inbox.extra("orders")[0]["loyalty"] == {"points": 3}
    assert inbox.rows("order_lines") == inbox.quarantined() == []
