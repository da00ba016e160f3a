"""The mappings of docs/how-to/mappings.md, executed on small exports."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT, shared
from tests.unit.ingest.exports import Inbox

PAGE = (ROOT / "docs" / "how-to" / "mappings.md").read_text(encoding="utf-8")
SOURCES: dict[str, dict[str, Any]] = {
    name: source
    for block in re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    for name, source in tomllib.loads(block)["sources"].items()
}
RECEIPT = {"order_id": "4711", "customer_id": "K7", "ordered_at": "2025-11-03 08:15:00"}
ADA = {"customer_id": "c7", "email": "ada@example.com", "first_name": "Ada",
       "last_name": "Example", "city": "Berlin"}  # fmt: skip
ANSWER = {"answered_at": "2025-11-03 09:15:00"}
SENT = {"campaign_id": "autumn", "channel": "email", "variant": "B"}
EXPECTED: dict[str, list[dict[str, str]]] = {
    "pos": [
        {**RECEIPT, "line_id": "1", "product_id": "CUP", "product_name": "Tasse, groß",
         "category": "Küche", "quantity": "2", "unit_price": "1249.50", "discount_amount": "0.50"},
        {**RECEIPT, "line_id": "2", "product_id": "BAG", "product_name": "Beutel",
         "category": "Mode", "quantity": "0.5", "unit_price": "10.00"},
    ],
    "tickets": [
        {"ticket_id": "35436", "customer_id": "c7", "email": "ada@example.com",
         "opened_at": "2025-11-03T09:15:00Z", "first_response_at": "2025-11-03T10:00:00Z",
         "closed_at": "2025-11-05T09:15:00Z", "updated_at": "2025-11-05T09:15:00Z",
         "channel": "email", "topic": "Delivery", "priority": "high", "status": "solved",
         "subject": "Parcel, broken", "body": "It came\nin pieces", "satisfaction": "5"},
        {"ticket_id": "35437", "email": "bo@example.com", "opened_at": "2025-11-04T09:15:00Z",
         "updated_at": "2025-11-04T09:15:00Z", "channel": "web", "topic": "Returns",
         "status": "open", "subject": "Wrong size"},
    ],
    "chats": [
        {"ticket_id": "ch-1", "customer_id": "c7", "email": "ada@example.com",
         "opened_at": "2025-11-03 09:15:00", "first_response_at": "2025-11-03 09:15:30",
         "closed_at": "2025-11-03 09:25:00", "topic": "Sales", "body": "Is the mug in stock?",
         "satisfaction": "4"},
    ],
    "typeform": [
        {**ANSWER, "response_id": "odw1", "customer_id": "c7", "nps": "9",
         "comment": "Faster delivery, please"},
        {"response_id": "odw2", "email": "bo@example.com", "answered_at": "2025-11-04 09:15:00",
         "nps": "3"},
    ],
    "zigpoll": [
        {"response_id": "z1", "customer_id": "901", "email": "ada@example.com",
         "answered_at": "2025-11-03T09:15:00.000Z", "survey": "After the purchase", "nps": "10",
         "comment": "The colours"},
    ],
    "campaigns": [
        {**SENT, "event_id": "m0", "customer_id": "c7", "event": "assigned",
         "occurred_at": "2025-11-02T09:00:00+01:00"},
        {**SENT, "event_id": "m1", "customer_id": "c7", "event": "sent",
         "occurred_at": "2025-11-03T09:00:00+01:00"},
        {**SENT, "event_id": "m2", "customer_id": "c7", "event": "opened",
         "occurred_at": "2025-11-03T09:10:00+01:00"},
        {**SENT, "event_id": "m3", "customer_id": "c7", "event": "clicked",
         "occurred_at": "2025-11-03T09:11:00+01:00"},
        {**SENT, "event_id": "m4", "email": "ada@example.com", "event": "converted",
         "occurred_at": "2025-11-03T09:20:00+01:00", "revenue": "24.90"},
    ],
    "demographics_by_email": [
        {"email_hash": "9f86d081884c7d65", "age_band": "35-44", "income_band": "50-75k",
         "household_size": "3", "education": "degree", "occupation": "nurse",
         "home_ownership": "own", "marital_status": "married", "region": "BE",
         "updated_at": "2025-10-01"},
    ],
    "demographics_by_customer": [
        {"customer_id": "c7", "age_band": "35-44", "household_size": "3",
         "updated_at": "2025-10-01"},
    ],
    "people": [{**ADA, "birth_date": "1990-12-31"}],
    "people_json": [{**ADA, "updated_at": "2025-11-03T09:15:00Z"}],
    "people_parquet": [{**ADA, "updated_at": "2025-11-03T09:15:00Z"}],
    "firebase": [
        {"customer_id": "c7", "device_id": "d-1", "event_name": "screen_view",
         "occurred_at": "2025-11-03 09:15:00", "platform": "ANDROID", "install_source": "google"},
    ],
    "appsflyer": [
        {"customer_id": "c7", "device_id": "1762-55", "event_name": "af_add_to_cart",
         "occurred_at": "2025-11-03 09:15:00", "platform": "android",
         "install_source": "googleadwords_int"},
        {"device_id": "1762-56", "event_name": "af_login", "occurred_at": "2025-11-03 09:16:00",
         "platform": "ios", "install_source": "organic"},
    ],
    "segment_pages": [
        {"event_id": "ajs-1", "event_type": "page", "anonymous_id": "a-1", "customer_id": "c7",
         "occurred_at": "2025-11-03 09:15:00", "path": "/hats",
         "referrer": "https://www.example.com/", "ip": "192.0.2.1",
         "user_agent": "Mozilla/5.0 (X11; Linux) like Gecko, really", "utm_source": "newsletter",
         "utm_medium": "email", "utm_campaign": "autumn"},
        {"event_id": "ajs-2", "event_type": "page", "anonymous_id": "a-1",
         "occurred_at": "2025-11-03 09:16:00", "path": "/", "ip": "192.0.2.1"},
    ],
}  # fmt: skip
QUARANTINED = {
    "pos": ["unit_price is not a decimal"],
    "typeform": ["customer_id and email are missing"],
    "demographics_by_customer": ["household_size is not a bigint"],
}


def test_every_mapping_of_the_page_is_expected_here() -> None:
    assert list(SOURCES) == list(EXPECTED)


@pytest.mark.parametrize("name", SOURCES)
def test_a_mapping_on_a_small_export(inbox: Inbox, name: str) -> None:
    shutil.copytree(ROOT / "tests" / "samples" / "mappings", inbox.folder, dirs_exist_ok=True)
    people = json.loads((inbox.folder / "crm" / "people.json").read_text())
    pq.write_table(pa.Table.from_pylist(people), inbox.folder / "crm" / "people.parquet")
    inbox.load_as(SOURCES[name])
    assert inbox.refused() == {}
    assert inbox.rows(SOURCES[name]["kind"]) == EXPECTED[name]
    assert [reason for _, _, reason in inbox.quarantined()] == QUARANTINED.get(name, [])


def test_a_demo_company_of_somebody_else(inbox: Inbox) -> None:
    folder = shared("formats/grouparoo-demo-crm")
    inbox.put("users.csv", (folder / "users.csv").read_bytes())
    names = {"customer_id": "id", "email": "email", "first_name": "first_name",
             "last_name": "last_name", "gender": "gender"}  # fmt: skip
    inbox.load_as({"kind": "contacts", "files": "users.csv", "columns": names})
    assert inbox.quarantined() == []
    people = inbox.rows("contacts")
    assert len(people) == len((folder / "users.csv").read_text().splitlines()) - 1
    assert people[0] == {
        "customer_id": "1", "email": "ghyndman0@demo.com", "first_name": "Guthry",
        "last_name": "Hyndman", "gender": "Male",
    }  # fmt: skip
    assert inbox.extra("contacts")[0]["language"] == "Spanish"


def test_a_warehouse_table_of_somebody_elses_pages(inbox: Inbox) -> None:
    sample = shared("formats/segment-spec") / "example_segment_pages.csv"
    inbox.put("pages.csv", sample.read_bytes())
    inbox.load_as({**SOURCES["segment_pages"], "files": "pages.csv"})
    assert inbox.refused() == {}
    (page,) = inbox.rows("web_events")
    assert (page["event_id"], page["path"]) == ("ajs-9527e97fc714abe02a23b3d24cf09a36", "/product")
    assert "event_type" not in page  # that export does not say it
