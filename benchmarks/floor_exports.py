"""What the floor knows of the demo company's exports: files, columns, required values, keys."""

from __future__ import annotations

TEXT, MOMENT, MONEY, NUMBER = "VARCHAR", "TIMESTAMPTZ", "DECIMAL(18,4)", "BIGINT"


def _texts(names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), TEXT)


# Every column of the file in its order; a row with a value of another type is left out.
CSV: dict[str, tuple[str, dict[str, str]]] = {
    "contacts": (
        "crm/contacts*",
        _texts("customer_id email phone first_name last_name")
        | {"birth_date": "DATE"}
        | _texts("gender street city postal_code country handle")
        | {"created_at": MOMENT, "updated_at": MOMENT},
    ),
    "consents": (
        "crm/consents*",
        _texts("customer_id purpose") | {"is_granted": "BOOLEAN", "changed_at": MOMENT},
    ),
    "orders": (
        "shop/orders*",
        _texts("order_id customer_id email")
        | {"ordered_at": MOMENT, "currency": TEXT, "status": TEXT, "discount_code": TEXT}
        | {"total_amount": MONEY, "channel": TEXT, "is_test": "BOOLEAN"},
    ),
    "order_lines": (
        "shop/order_lines*",
        _texts("order_id line_id product_id")
        | dict.fromkeys(("quantity", "unit_price", "discount_amount"), MONEY),
    ),
    "refunds": (
        "shop/refunds*",
        _texts("refund_id order_id") | {"refunded_at": MOMENT, "amount": MONEY, "reason": TEXT},
    ),
    "products": (
        "shop/products*",
        _texts("product_id product_name category brand") | {"list_price": MONEY},
    ),
    "app_events": (
        "app/events*",
        _texts("event_id customer_id event_name")
        | {"occurred_at": MOMENT, "session_id": TEXT, "feature": TEXT}
        | {"duration_seconds": "DOUBLE", "platform": TEXT},
    ),
    "tickets": (
        "support/tickets*",
        _texts("ticket_id customer_id email")
        | {"opened_at": MOMENT, "closed_at": MOMENT}
        | _texts("channel topic status subject")
        | {"satisfaction": "DOUBLE"},
    ),
    "survey_answers": (
        "surveys/responses*",
        _texts("response_id customer_id")
        | {"answered_at": MOMENT, "survey": TEXT, "nps": NUMBER, "comment": TEXT},
    ),
    "campaign_events": (
        "campaigns/events*",
        _texts("campaign_id customer_id channel variant event") | {"occurred_at": MOMENT},
    ),
}
JSON: dict[str, tuple[str, dict[str, str], str]] = {
    "web_events": (
        "web/events*",
        _texts("messageId type anonymousId userId event")
        | {"timestamp": MOMENT, "context": "STRUCT(userAgent VARCHAR)"},
        'messageId as event_id, coalesce(event, "type") as kind, anonymousId as anonymous_id, '
        'userId as customer_id, "timestamp"::timestamp as occurred_at, '
        "context.userAgent as user_agent",
    ),
    "posts": (
        "social/posts*",
        _texts("id author_handle created_at text")
        | dict.fromkeys(("likes", "comments", "shares"), NUMBER),
        "id as post_id, lower(ltrim(author_handle, '@')) as author_handle, "
        "created_at::timestamptz::timestamp as posted_at, text, likes, comments, shares",
    ),
    "follows": (
        "social/follows*",
        _texts("follower_handle followed_handle") | {"followed_at": MOMENT},
        "lower(ltrim(follower_handle, '@')) as follower_handle, "
        "lower(ltrim(followed_handle, '@')) as followed_handle, "
        "followed_at::timestamp as followed_at",
    ),
}
# Rows without these mean nothing.
REQUIRED = {
    "contacts": "customer_id is not null",
    "consents": "customer_id is not null and purpose is not null and is_granted is not null "
    "and changed_at is not null",
    "orders": "order_id is not null and ordered_at is not null",
    "order_lines": "order_id is not null and product_id is not null and quantity is not null "
    "and unit_price >= 0",
    "refunds": "order_id is not null and refunded_at is not null and amount is not null",
    "products": "product_id is not null",
    "app_events": "customer_id is not null and event_name is not null and occurred_at is not null",
    "tickets": "opened_at is not null",
    "survey_answers": "customer_id is not null and answered_at is not null",
    "campaign_events": "campaign_id is not null and customer_id is not null "
    "and event is not null and occurred_at is not null",
    "web_events": "occurred_at is not null",
    "posts": "post_id is not null and author_handle is not null and posted_at is not null",
    "follows": "follower_handle is not null and followed_handle is not null",
}
# Of the rows with one key the newest stays, then the last that was read.
KEYS = {
    "contacts": ("customer_id", "updated_at desc nulls last, "),
    "orders": ("order_id", ""),
    "order_lines": ("order_id, line_id", ""),
    "refunds": ("refund_id", ""),
    "products": ("product_id", ""),
    "app_events": ("event_id", ""),
    "tickets": ("ticket_id", ""),
    "survey_answers": ("response_id", ""),
    "web_events": ("event_id", ""),
    "posts": ("post_id", ""),
    "follows": ("follower_handle, followed_handle", "followed_at desc nulls last, "),
}
DATED = {
    "orders": "ordered_at",
    "refunds": "refunded_at",
    "tickets": "opened_at",
    "survey_answers": "answered_at",
    "campaign_events": "occurred_at",
    "web_events": "occurred_at",
    "app_events": "occurred_at",
    "posts": "posted_at",
}
