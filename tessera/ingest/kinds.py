"""The kinds of export Tessera understands, and the columns of each.

A source in `settings.toml` names its kind and maps the kind's columns to its own. One kind is one
table of the raw floor. Every value stays text there; `type` says what it must be castable to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ColumnType = Literal["text", "timestamp", "date", "decimal", "double", "bigint", "boolean"]

SQL_TYPES: dict[ColumnType, str] = {
    "text": "VARCHAR",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "decimal": "DECIMAL(18,4)",
    "double": "DOUBLE",
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
}

Group = Literal["crm", "clickstream", "social"]


@dataclass(frozen=True)
class Column:
    """One column of a kind."""

    type: ColumnType = "text"
    required: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of export.

    `event_at` is the column that says when a row happened: it sets the newest event of a load, and
    a row dated after the load is refused. `group` names the DAG that loads the kind. A row needs
    one of the columns `one_of`, if there are any.
    """

    group: Group
    columns: dict[str, Column] = field(default_factory=dict)
    event_at: str | None = None
    one_of: tuple[str, ...] = ()

    @property
    def required(self) -> list[str]:
        """Columns without which a row means nothing."""
        return [name for name, column in self.columns.items() if column.required]


def _kind(group: Group, event_at: str | None, spec: str, one_of: tuple[str, ...] = ()) -> Kind:
    """Read a compact column list: `name[:type][*]`, `*` for required."""
    columns = {}
    for item in spec.split():
        name, _, type_ = item.rstrip("*").partition(":")
        columns[name] = Column(type=type_ or "text", required=item.endswith("*"))  # type: ignore[arg-type]
    return Kind(group, columns, event_at, one_of)


KINDS: dict[str, Kind] = {
    "contacts": _kind(
        "crm",
        None,
        "customer_id* email phone first_name last_name birth_date:date gender street city region "
        "postal_code country handle external_id created_at:timestamp updated_at:timestamp",
    ),
    "consents": _kind(
        "crm",
        None,
        "customer_id email purpose* is_granted:boolean* changed_at:timestamp*",
        one_of=("customer_id", "email"),
    ),
    "demographics": _kind(
        "crm",
        None,
        "customer_id email email_hash age_band income_band household_size:bigint education "
        "occupation home_ownership marital_status region updated_at:timestamp",
        one_of=("customer_id", "email", "email_hash"),
    ),
    "orders": _kind(
        "crm",
        "ordered_at",
        "order_id* customer_id email ordered_at:timestamp* updated_at:timestamp currency status "
        "discount_code total_amount:decimal channel is_test:boolean",
    ),
    "order_lines": _kind(
        "crm",
        "ordered_at",
        "order_id* line_id product_id* product_name category quantity:decimal* "
        "unit_price:decimal* discount_amount:decimal currency customer_id ordered_at:timestamp "
        "updated_at:timestamp country is_refund:boolean",
    ),
    "refunds": _kind(
        "crm",
        "refunded_at",
        "refund_id order_id* refunded_at:timestamp* amount:decimal* currency reason",
    ),
    "products": _kind("crm", None, "product_id* product_name category brand list_price:decimal"),
    "tickets": _kind(
        "crm",
        "opened_at",
        "ticket_id* customer_id email opened_at:timestamp* first_response_at:timestamp "
        "closed_at:timestamp updated_at:timestamp channel topic priority status subject body "
        "satisfaction:double",
    ),
    "survey_answers": _kind(
        "crm",
        "answered_at",
        "response_id customer_id email answered_at:timestamp* survey question nps:bigint comment",
        one_of=("customer_id", "email"),
    ),
    "campaign_events": _kind(
        "crm",
        "occurred_at",
        "event_id campaign_id* customer_id email channel variant event* occurred_at:timestamp* "
        "revenue:decimal",
        one_of=("customer_id", "email"),
    ),
    "web_events": _kind(
        "clickstream",
        "occurred_at",
        "event_id event_type event_name anonymous_id customer_id session_id "
        "occurred_at:timestamp* path referrer ip user_agent device_type utm_source utm_medium "
        "utm_campaign product_id category products order_id revenue:decimal currency cart_id "
        "cart_value:decimal checkout_step:bigint",
    ),
    "app_events": _kind(
        "clickstream",
        "occurred_at",
        "event_id customer_id device_id event_name* occurred_at:timestamp* session_id feature "
        "duration_seconds:double platform install_source",
        one_of=("customer_id", "device_id"),
    ),
    "posts": _kind(
        "social",
        "posted_at",
        "post_id* author_id author_handle network posted_at:timestamp* edited_at:timestamp text "
        "language likes:bigint comments:bigint shares:bigint views:bigint in_reply_to mentions "
        "hashtags withheld_in",
        one_of=("author_handle", "author_id"),
    ),
    "profiles": _kind(
        "social",
        None,
        "author_id handle network display_name followers:bigint following:bigint posts:bigint "
        "is_verified:boolean location created_at:timestamp seen_at:timestamp",
        one_of=("handle", "author_id"),
    ),
    "follows": _kind(
        "social", None, "follower_handle* followed_handle* network followed_at:timestamp"
    ),
}
