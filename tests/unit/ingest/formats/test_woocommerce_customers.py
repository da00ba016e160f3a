from __future__ import annotations

import json
import re

from tests.conftest import shared
from tests.unit.ingest.exports import Inbox


def pages() -> list[str]:
    """The JSON responses in the page of WooCommerce's documentation."""
    file = shared("formats/woocommerce-rest") / "_customers.md"
    return re.findall(r"```json\n(.*?)```", file.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_documented_list_field_by_field(inbox: Inbox) -> None:
    inbox.put("customers.json", next(text for text in pages() if text.startswith("[")))
    inbox.load("woocommerce_customers")
    assert inbox.rows("contacts") == [
        {"customer_id": "26", "email": "joao.silva@example.com", "phone": "(55) 5555-5555",
         "first_name": "João", "last_name": "Silva", "street": "Av. Brasil, 432",
         "city": "Rio de Janeiro", "region": "RJ", "postal_code": "12345-000", "country": "BR",
         "created_at": "2017-03-21T19:11:14Z", "updated_at": "2017-03-21T19:11:16Z"},
        {"customer_id": "25", "email": "john.doe@example.com", "phone": "(555) 555-5555",
         "first_name": "John", "last_name": "Doe", "street": "969 Market",
         "city": "San Francisco", "region": "CA", "postal_code": "94103", "country": "US",
         "created_at": "2017-03-21T19:09:28Z", "updated_at": "2017-03-21T19:09:30Z"},
    ]  # fmt: skip
    assert inbox.extra("contacts")[0]["username"] == "joao.silva"


def test_every_documented_response(inbox: Inbox) -> None:
    """Customers, alone or in lists; the answers about batches and downloads are none."""
    written = dict.fromkeys(pages())
    for number, text in enumerate(written):
        inbox.put(f"customers-{number}.json", text)
    inbox.load("woocommerce_customers")
    answers = [json.loads(text) for text in written]
    records = [r for told in answers for r in (told if isinstance(told, list) else [told])]
    customers = [str(record["id"]) for record in records if "id" in record]
    assert [row["customer_id"] for row in inbox.rows("contacts")] == customers
    reasons = [reason for _, _, reason in inbox.quarantined()]
    assert len(reasons) == len(records) - len(customers) > 0


def test_few_members_empty_texts_and_local_times(inbox: Inbox) -> None:
    records = [
        {"id": 1, "email": "", "first_name": "", "date_created": "2025-07-01T12:00:00",
         "billing": {"email": "a@example.com", "first_name": "Ada", "address_1": "1 Lane",
                     "address_2": "Rear house", "phone": ""}},
        {"id": 2, "billing": None, "vip": True},
        {"email": "b@example.com"},
        {"id": 4, "date_created_gmt": "long ago"},
    ]  # fmt: skip
    inbox.put("customers.jsonl", "\n".join(json.dumps(record) for record in records))
    inbox.load("woocommerce_customers", timezone="Europe/Berlin")
    assert inbox.rows("contacts") == [
        {"customer_id": "1", "email": "a@example.com", "first_name": "Ada",
         "street": "1 Lane, Rear house", "created_at": "2025-07-01 10:00:00"},
        {"customer_id": "2"},
    ]  # fmt: skip
    assert inbox.extra("contacts")[1]["vip"] is True
    assert [(line, reason) for _, line, reason in inbox.quarantined()] == [
        (3, "customer_id is missing"), (4, "created_at is not a timestamp"),
    ]  # fmt: skip
