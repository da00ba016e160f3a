from __future__ import annotations

import json
from typing import Any

import pytest

from tessera.ingest.formats.snowplow import FORMAT
from tests.conftest import shared

SHOP = "iglu:com.snowplowanalytics.snowplow.ecommerce"
AT = "2022-12-22 13:25:47.677"


def entity(schema: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"schema": f"{schema}/jsonschema/1-0-0", "data": data}


def contexts(*entities: dict[str, Any]) -> str:
    envelope = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"
    return json.dumps({"schema": envelope, "data": list(entities)})


def action(type_: str, **members: Any) -> dict[str, str]:
    """The columns of an e-commerce action."""
    inner = entity(f"{SHOP}/snowplow_ecommerce_action", {"type": type_, **members})
    event = {"schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
             "data": inner}  # fmt: skip
    return {"event": "unstruct", "event_name": "snowplow_ecommerce_action",
            "unstruct_event": json.dumps(event)}  # fmt: skip


def line(**columns: str) -> str:
    assert set(columns) <= set(FORMAT.columns)
    defaults = {"event": "page_view", "event_name": "page_view", "collector_tstamp": AT,
                "event_id": "e1", "domain_userid": "d1"}  # fmt: skip
    row = {**defaults, **columns}
    return "\t".join(row.get(column, "") for column in FORMAT.columns) + "\n"


def test_a_page_view(land: Any, ask: Any) -> None:
    land("snowplow", {"events.tsv": line(
        derived_tstamp="2022-12-22 13:25:46.458800585", domain_sessionid="s1", user_id="u1",
        page_urlpath="/shop", page_referrer="https://x.example/", user_ipaddress="192.0.2.1",
        useragent='"quoted" agent', dvce_type="Mobile", mkt_source="news", mkt_medium="email",
        mkt_campaign="spring", page_title='a "title',
    )})  # fmt: skip
    query = """select event_id, event_type, event_name, anonymous_id, customer_id, session_id,
        occurred_at::timestamp::varchar, path, referrer, ip, user_agent, device_type, utm_source,
        utm_medium, utm_campaign, products from raw.web_events"""
    assert ask(query) == [
        ("e1", "page_view", "page_view", "d1", "u1", "s1", "2022-12-22 13:25:46.4588", "/shop",
         "https://x.example/", "192.0.2.1", '"quoted" agent', "mobile", "news", "email", "spring",
         None)
    ]  # fmt: skip


def test_times_are_utc_whatever_the_source_says(land: Any, ask: Any) -> None:
    land("snowplow", {"events.tsv": line()}, timezone="Asia/Tokyo")
    assert ask("select occurred_at::timestamp::varchar from raw.web_events") == [AT]


def test_a_cart_action(land: Any, ask: Any) -> None:
    shop = contexts(
        entity(f"{SHOP}/product", {"id": "1", "category": "Hats", "price": 12, "currency": "EUR"}),
        entity(f"{SHOP}/product", {"id": "2", "price": 3.5, "quantity": 2, "size": "L"}),
        entity(f"{SHOP}/cart", {"cart_id": "c1", "total_value": 25.2, "currency": "EUR"}),
        entity(f"{SHOP}/user", {"id": "U1", "is_guest": False}),
    )
    land("snowplow", {"events.tsv": line(**action("add_to_cart"), contexts=shop)})
    query = """select event_name, cart_id, cart_value, currency, product_id, customer_id, products
        from raw.web_events"""
    ((*rest, products),) = ask(query)
    assert rest == ["add_to_cart", "c1", "25.2", "EUR", None, "U1"]
    assert json.loads(products) == [
        {"id": "1", "category": "Hats", "price": 12, "currency": "EUR", "product_id": "1"},
        {"id": "2", "price": 3.5, "quantity": 2, "size": "L", "product_id": "2"},
    ]


def test_a_transaction_a_refund_and_a_checkout_step(land: Any, ask: Any) -> None:
    sold = contexts(
        entity(
            f"{SHOP}/transaction",
            {"transaction_id": "T1", "revenue": 1234567.89, "currency": "EUR"},
        )
    )
    back = contexts(
        entity(f"{SHOP}/refund", {"transaction_id": "T1", "refund_amount": 5, "currency": "EUR"})
    )
    step = contexts(entity(f"{SHOP}/checkout_step", {"step": 3}))
    land("snowplow", {"events.tsv": "".join([
        line(**action("transaction"), contexts=sold), line(**action("refund"), contexts=back),
        line(**action("checkout_step"), contexts=step),
    ])})  # fmt: skip
    query = """select event_name, order_id, revenue, currency, checkout_step
        from raw.web_events order by _line"""
    assert ask(query) == [
        ("transaction", "T1", "1234567.89", "EUR", None),
        ("refund", "T1", "5", "EUR", None),
        ("checkout_step", None, None, None, "3"),
    ]


def test_an_app_tells_visitor_and_session_in_an_entity(land: Any, ask: Any) -> None:
    session = entity("iglu:com.snowplowanalytics.snowplow/client_session",
                     {"userId": "device", "sessionId": "session"})  # fmt: skip
    land("snowplow", {"events.tsv": line(domain_userid="", contexts=contexts(session))})
    assert ask("select anonymous_id, session_id from raw.web_events") == [("device", "session")]


def test_guests_are_no_customers(land: Any, ask: Any) -> None:
    guest = contexts(entity(f"{SHOP}/user", {"id": "guest", "is_guest": True}))
    land("snowplow", {"events.tsv": line(contexts=guest)})
    assert ask("select customer_id from raw.web_events") == [None]


def test_the_older_shop_events(land: Any, ask: Any) -> None:
    order = line(event="transaction", event_name="transaction", tr_orderid="o1", tr_total="30.5",
                 tr_currency="GBP")  # fmt: skip
    item = line(
        event="transaction_item",
        event_name="transaction_item",
        ti_orderid="o1",
        ti_sku="p1",
        ti_name="Hat",
        ti_price="12.50",
        ti_quantity="2",
        ti_currency="GBP",
    )
    struct = line(event="struct", event_name="event", se_category="cart", se_action="add")
    land("snowplow", {"events.tsv": order + item + struct})
    query = """select event_name, order_id, revenue, currency, product_id, products
        from raw.web_events order by _line"""
    told = ask(query)
    assert told[0] == ("transaction", "o1", "30.5", "GBP", None, None)
    assert told[1][:5] == ("transaction_item", "o1", None, "GBP", "p1")
    assert json.loads(told[1][5]) == [
        {"product_id": "p1", "name": "Hat", "price": "12.50", "quantity": "2", "currency": "GBP"}
    ]
    assert told[2] == ("add", None, None, None, None, None)


def test_broken_lines_go_to_quarantine(land: Any, ask: Any) -> None:
    lines = [
        line(),
        "too\tfew\tcolumns\n",
        line().rstrip("\n") + "\tone too many\n",
        line(contexts='{"schema": "cut'),
        line(unstruct_event="no JSON"),
        line(collector_tstamp="yesterday"),
    ]
    loaded = land("snowplow", {"events.tsv": "".join(lines)})
    assert (loaded.rows_loaded, loaded.rows_quarantined) == (1, 5)
    reasons = ask("select reason from quarantine.rows order by line")
    assert reasons[2:] == [
        "contexts is no JSON",
        "unstruct_event is no JSON",
        "occurred_at is not a timestamp",
    ]


def test_odd_contexts_break_nothing(land: Any, ask: Any) -> None:
    odd = [f'"{SHOP}/"', f'["{SHOP}/"]', f'{{"data": "{SHOP}/"}}', f'{{"data": ["{SHOP}/", null]}}',
           f'{{"data": [{{"schema": "{SHOP}/product/jsonschema/1-0-0", "data": 7}}]}}',
           f'{{"data": [{{"schema": "{SHOP}/cart/jsonschema/1-0-0"}}]}}']  # fmt: skip
    lines = "".join(line(contexts=each, **action("add_to_cart")) for each in odd)
    assert land("snowplow", {"events.tsv": lines}).rows_loaded == len(odd)


@pytest.mark.parametrize(
    ("file", "good", "broken"),
    [
        # Counted with awk: lines of 131 columns, and the others that are not empty.
        ("1_events.tsv", 2, 1),
        ("2_events.tsv", 3, 0),
        ("3_events.tsv", 2, 2),
        ("4_events.tsv", 48, 2),
        ("5_input-events-custom-contexts.tsv", 100, 0),
        ("6_input-events-custom-unstruct.tsv", 100, 0),
    ],
)
def test_real_events(land: Any, ask: Any, file: str, good: int, broken: int) -> None:
    sample = (shared("formats/snowplow-enriched-tsv") / file).read_bytes()
    loaded = land("snowplow", {file: sample})
    assert (loaded.rows_loaded, loaded.rows_quarantined) == (good, broken)
    query = """select count(*) from raw.web_events
        where try_cast(occurred_at as timestamp) is null or event_id is null"""
    assert ask(query) == [0]
