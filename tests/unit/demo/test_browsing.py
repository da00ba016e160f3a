from __future__ import annotations

import json


def test_lines_follow_the_segment_spec(text):
    whole = "SELECT line FROM web_lines WHERE line LIKE '%}'"
    rows = text.sql(f"{whole} AND hash(line) % 40 = 0")
    assert len(rows) > 500
    for (line,) in rows:
        event = json.loads(line)
        assert {"messageId", "type", "anonymousId", "userId", "timestamp", "context"} <= set(event)
        assert event["type"] in ("page", "track", "identify")
        assert ("event" in event) == (event["type"] == "track")
        assert event["context"]["page"]["path"].startswith("/")
        if event["type"] == "page":
            assert event["properties"]["path"] == event["context"]["page"]["path"]
        if event.get("event") == "Order Completed":
            assert event["properties"]["order_id"].startswith("ORD-")


def test_people_are_unknown_before_and_known_after_login(typed):
    logins = "FROM web_events WHERE type = 'identify'"
    assert typed.value(f'SELECT count(*) {logins} AND "userId" IS NULL') == 0
    share = typed.value('SELECT avg(("userId" IS NULL)::INT) FROM web_events')
    assert 0.15 < share < 0.7
    both = typed.value("""
        SELECT count(*) FROM (SELECT "anonymousId" FROM web_events GROUP BY ALL
        HAVING count("userId") BETWEEN 1 AND count(*) - 1)
    """)
    assert both > 100


def test_people_use_several_devices_and_some_share_one(typed):
    pairs = 'SELECT DISTINCT "anonymousId" AS device, "userId" AS person FROM web_events'
    known = f"FROM ({pairs}) WHERE person IS NOT NULL"
    several = typed.value(
        f"SELECT count(*) FROM (SELECT person {known} GROUP BY ALL HAVING count(*) > 1)"
    )
    shared = typed.value(
        f"SELECT count(*) FROM (SELECT device {known} GROUP BY ALL HAVING count(*) > 1)"
    )
    assert several > 200
    assert 0 < shared < 100


def test_carts_of_bought_sessions_hold_the_order(typed):
    """Per order: the products added just before it are those of its lines."""
    wrong = typed.value("""
        WITH bought AS (
            SELECT "anonymousId" AS device, properties.order_id AS order_id, timestamp AS bought_at
            FROM web_events WHERE event = 'Order Completed'
        ),
        added AS (
            SELECT order_id, properties.product_id AS sku FROM bought
            JOIN web_events e ON e."anonymousId" = device AND e.event = 'Product Added'
             AND e.timestamp BETWEEN bought_at - INTERVAL 3 HOUR AND bought_at
        )
        SELECT count(*) FROM order_lines l JOIN bought USING (order_id)
        ANTI JOIN added a ON a.order_id = l.order_id AND a.sku = l.sku WHERE l.sku IS NOT NULL
    """)
    assert wrong == 0


def test_some_carts_are_left(typed):
    carts = typed.value("SELECT count(*) FROM web_events WHERE event = 'Product Added'")
    checkouts = typed.value("SELECT count(*) FROM web_events WHERE event = 'Checkout Started'")
    orders = typed.value("SELECT count(*) FROM web_events WHERE event = 'Order Completed'")
    assert orders < checkouts < carts


def test_message_ids_are_distinct(typed):
    total, distinct = typed.sql('SELECT count(*), count(DISTINCT "messageId") FROM web_events')[0]
    assert total == distinct  # the view has no duplicates
