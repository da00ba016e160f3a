from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.conftest import shared

AT = "2025-03-01T10:00:00.123Z"


def call(type_: str, **members: Any) -> dict[str, Any]:
    return {"type": type_, "messageId": "m1", "timestamp": AT, "anonymousId": "a1", **members}


def lines(*calls: dict[str, Any]) -> str:
    return "".join(json.dumps(each) + "\n" for each in calls)


def test_calls_become_events(land: Any, ask: Any) -> None:
    land(
        "segment",
        {
            "calls.json": lines(
                call("identify", userId="u1"),
                call("track", event="Signed Up", userId="u1"),
                call("page", name="Home", properties={"url": "https://shop.example/a/b?c=d#e"}),
                call("page", properties={"path": "/own"}, context={"page": {"path": "/other"}}),
                call("screen", name="Start"),
                call("group", groupId="g1", userId="u1"),
                call("alias", previousId="a0", userId="u1", anonymousId=None),
            )
        },
    )
    query = """select event_type, event_name, anonymous_id, customer_id, path
        from raw.web_events order by _line"""
    assert ask(query) == [
        ("identify", None, "a1", "u1", None),
        ("track", "Signed Up", "a1", "u1", None),
        ("page", "Home", "a1", None, "/a/b"),
        ("page", None, "a1", None, "/own"),
        ("screen", "Start", "a1", None, None),
        ("group", None, "a1", "u1", None),
        ("alias", None, "a0", "u1", None),
    ]
    assert ask("select distinct event_id, occurred_at from raw.web_events") == [("m1", AT)]


def test_an_identify_call_with_traits_is_a_contact_too(land: Any, ask: Any) -> None:
    address = {"street": "6th St", "city": "San Francisco", "state": "CA", "postalCode": "94103"}
    traits = {"name": " Ada  King Lovelace ", "email": "ada@example.org", "phone": "1",
              "birthday": "1815-12-10T00:00:00.000Z", "address": address, "plan": "premium",
              "createdAt": "2020-01-02T03:04:05Z", "gender": "female"}  # fmt: skip
    land(
        "segment",
        {
            "calls.json": lines(
                call("identify", userId="u1", traits=traits),
                call("identify", userId="u2", traits={"firstName": "Bob", "name": "Robert B"}),
                call("identify", userId="u3", traits={"name": "Cher"}),
                call("identify", traits={"email": "nobody@example.org"}),
                call("identify", userId="u4"),
                call("group", userId="u1", groupId="g", traits={"name": "Initech"}),
            )
        },
    )
    query = """select customer_id, first_name, last_name, email, birth_date, street, region,
        postal_code, created_at, updated_at from raw.contacts order by customer_id"""
    assert ask(query) == [
        ("u1", "Ada  King", "Lovelace", "ada@example.org", "1815-12-10", "6th St", "CA", "94103",
         "2020-01-02T03:04:05Z", AT),
        ("u2", "Bob", None, None, None, None, None, None, None, AT),
        ("u3", "Cher", None, None, None, None, None, None, None, AT),
    ]  # fmt: skip
    kept = ask("select _extra from raw.web_events where customer_id = 'u1' order by _line limit 1")
    assert json.loads(kept[0])["traits"]["plan"] == "premium"


def test_one_product_stands_in_the_properties(land: Any, ask: Any) -> None:
    viewed = {"product_id": "p1", "sku": "G-32", "category": "Games", "price": 18.99,
              "quantity": 1, "currency": "usd", "value": 18.99}  # fmt: skip
    land(
        "segment",
        {
            "calls.json": lines(
                call("track", event="Product Viewed", properties=viewed),
                call("track", event="Product Added", properties={"sku": "G-1", "cart_id": "c1"}),
                call("track", event="Song Played", properties={"category": "Jazz"}),
            )
        },
    )
    query = "select product_id, category, products, cart_id, revenue from raw.web_events"
    first, second, third = ask(query + " order by _line")
    assert first[:2] == ("p1", "Games")
    assert json.loads(first[2]) == [
        {"product_id": "p1", "sku": "G-32", "category": "Games", "price": "18.99",
         "quantity": "1", "currency": "usd"}
    ]  # fmt: skip
    assert second[0] == "G-1" and json.loads(second[2])[0]["product_id"] == "G-1"
    assert second[3] == "c1"
    assert third == (None, "Jazz", None, None, None)


MONEY_AND_STEPS = [
    # event, properties, revenue, cart value, step
    ("Order Completed", {"total": 27.5, "revenue": 25}, "25", None, None),
    ("Order Completed", {"total": "27.50"}, "27.50", None, None),
    ("Order Refunded", {"total": 30}, "30", None, None),
    ("Checkout Started", {"value": 30, "revenue": 25}, None, "30", None),
    ("Checkout Step Viewed", {"step": 2}, None, None, "2"),
    ("Subscription Paid", {"revenue": 9.5}, "9.5", None, None),
    ("Tutorial", {"step": 7, "value": 3}, None, None, None),
]


def test_money_and_steps(land: Any, ask: Any) -> None:
    calls = [call("track", event=event, properties=told) for event, told, *_ in MONEY_AND_STEPS]
    land("segment", {"calls.json": lines(*calls)})
    query = "select revenue, cart_value, checkout_step from raw.web_events order by _line"
    assert ask(query) == [tuple(expected) for _, _, *expected in MONEY_AND_STEPS]


def test_an_array_is_read_like_lines(land: Any, ask: Any) -> None:
    land("segment", {"calls.json": json.dumps([call("page"), call("track", event="x")])})
    assert ask("select event_type from raw.web_events order by _line") == ["page", "track"]


def test_what_is_no_call_goes_to_quarantine(land: Any, ask: Any) -> None:
    calls = lines(
        call("page"), call("delete"), call("page", timestamp=None), call("page", timestamp="soon")
    )
    loaded = land("segment", {"calls.json": calls})
    assert (loaded.rows_loaded, loaded.rows_quarantined) == (1, 3)
    reasons = ask("select reason from quarantine.rows order by line")
    assert reasons[1:] == ["occurred_at is missing", "occurred_at is not a timestamp"]


def test_odd_shapes_break_nothing(land: Any, ask: Any) -> None:
    odd: list[Any] = [None, "text", 1, [], {}, [1, None, {"product_id": None, "sku": "s"}]]
    calls = [call("track", event="x", properties={"products": products}) for products in odd]
    calls += [call("track", event="x", properties=each, context=each, traits=each) for each in odd]
    loaded = land("segment", {"calls.json": lines(*calls)})
    assert loaded.rows_loaded == loaded.rows_read == len(calls)
    query = "select products::json->>'$[2].product_id' from raw.web_events where _line = 6"
    assert ask(query) == ["s"]


def documented(folder: Path) -> list[dict[str, Any]]:
    """The calls that stand as JSON in the specification's pages."""
    calls = []
    for page in sorted(folder.glob("docs_*.md")):
        for block in page.read_text().split("```")[1::2]:
            with suppress(json.JSONDecodeError):
                calls.append(json.loads(block[block.index("\n") :]))
    return [each for each in calls if "type" in each]


def test_the_calls_of_the_specification(land: Any, ask: Any) -> None:
    calls = documented(shared("formats/segment-spec"))
    dated = [each for each in calls if "timestamp" in each]
    loaded = land("segment", {"calls.json": lines(*calls)})
    # The short examples have no time; the long ones of identify are contacts as well.
    undated = ask("select count(*) from quarantine.rows where reason = 'occurred_at is missing'")
    assert undated == [len(calls) - len(dated)]
    assert {each["type"] for each in dated} >= {"identify", "track", "page", "group", "alias"}
    query = "select event_type, event_id, customer_id from raw.web_events order by _line"
    assert ask(query) == [(c["type"], c["messageId"], c.get("userId")) for c in dated]
    query = (
        "select first_name, last_name, city, postal_code from raw.contacts where city is not null"
    )
    assert ask(query) == [("Peter", "Gibbons", "San Francisco", "94103")]
    assert loaded.rows_loaded > len(dated)


def as_json(javascript: str) -> dict[str, Any]:
    """The properties of a documented track call: a JavaScript object of plain values."""
    # Three of the pages' examples lack a comma at the end of a line.
    complete = re.sub(r"'\n(\s*\w+:)", r"',\n\1", javascript)
    quoted = re.sub(r"'([^']*)'", lambda m: json.dumps(m.group(1)), complete)
    named = re.sub(r"([{,]\s*)(\w+):", r'\1"\2":', quoted)
    return dict(json.loads(re.sub(r",(\s*[}\]])", r"\1", named)))


def test_the_shop_events_of_the_specification(land: Any, ask: Any) -> None:
    page = (shared("formats/segment-spec") / "docs_ecommerce_v2.md").read_text()
    found = re.findall(r"analytics\.track\('([^']+)', (\{.*?\n\s*\})\);", page, re.DOTALL)
    calls = [call("track", event=name, properties=as_json(text)) for name, text in found]
    assert len(calls) == 28
    land("segment", {"calls.json": lines(*calls)})
    assert ask("select count(*) from raw.web_events") == [28]
    query = """select event_name, order_id, revenue, currency, cart_id, cart_value, checkout_step,
        len(from_json(products, '["JSON"]')) from raw.web_events
        where event_name in ('Product Viewed', 'Product Added', 'Product Removed', 'Cart Viewed',
            'Checkout Started', 'Checkout Step Viewed', 'Order Completed', 'Order Refunded')
        order by _line"""
    order = "50314b8e9bcf000000000000"
    assert ask(query) == [
        ("Product Viewed", None, None, "usd", None, None, None, 1),
        ("Product Added", None, None, None, "skdjsidjsdkdj29j", None, None, 1),
        ("Product Removed", None, None, None, "ksjdj92dj29dj92d2j", None, None, 1),
        ("Cart Viewed", None, None, None, "d92jd29jd92jd29j92d92jd", None, None, 2),
        ("Checkout Started", order, None, "USD", None, "30", None, 2),
        ("Checkout Step Viewed", None, None, None, None, None, "2", None),
        ("Order Completed", order, "22.5", "USD", None, None, None, 2),
        ("Order Refunded", order, "30", "USD", None, None, None, 2),
    ]
