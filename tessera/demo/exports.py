"""Exports: how simulated rows look in each file: names, columns, text forms.

Each export has its typed columns as SQL over the simulated ones (table `source`); Parquet holds
them as they are, CSV and JSON lines as text. Codes become words by vocabularies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa

from tessera.demo import (
    app_use,
    browsing,
    campaigns,
    catalogue,
    contacts,
    dirt,
    names,
    phrases,
    provider,
    purchases,
    service,
    social,
)  # fmt: skip
from tessera.demo.columns import Columns

CUSTOMER = "'C' || lpad(account::VARCHAR, 7, '0')"
ORDER = "'ORD-' || lpad(number::VARCHAR, 8, '0')"
_ISO = "%Y-%m-%dT%H:%M:%SZ"
_ISO_MS = "%Y-%m-%dT%H:%M:%S.%gZ"
_PLAIN = "%Y-%m-%d %H:%M:%S"


def _money(cents: str) -> str:
    return f"(({cents})::DECIMAL(14,0) * 0.01::DECIMAL(2,2))::DECIMAL(14,2)"


@dataclass(frozen=True)
class Column:
    """One exported column: its typed SQL and, for times, the form it has in text exports."""

    name: str
    sql: str
    form: str | None = None

    @property
    def text(self) -> str:
        """SQL of the column as text, over the typed columns."""
        return f"strftime({self.name}, '{self.form}')" if self.form else f"{self.name}::VARCHAR"


@dataclass(frozen=True)
class Export:
    """One kind of file. `file` holds `{month}`, unless there is one file for the whole window."""

    file: str
    ending: str  # of text exports: csv, jsonl, jsonl.gz
    columns: tuple[Column, ...]
    words: dict[str, pa.Array] = field(default_factory=dict)
    line: str = ""  # SQL of a JSON line over the columns as text
    nested: str = ""  # SQL of the select list for Parquet, where JSON lines are nested
    key: Callable[[Columns], list[str]] = lambda columns: []


def _keys(pattern: str, *named: str) -> Callable[[Columns], list[str]]:
    def keys(columns: Columns) -> list[str]:
        cells = zip(*(columns[name].tolist() for name in named), strict=True)
        return [pattern.format(*row) for row in cells]

    return keys


def select(export: Export, kind: str, text: bool) -> str:
    """Return the SELECT (over `source`) of what stands in the file."""
    typed = ", ".join(f"{column.sql} AS {column.name}" for column in export.columns)
    cleaned = ", ".join(
        f"{_spoiled(kind, column, text)} AS {column.name}" for column in export.columns
    )
    rows = f"SELECT {cleaned}, dirt FROM (SELECT {typed}, dirt FROM source)"
    if text and export.line:
        line = _spoiled(kind, Column("line", ""), text)
        return f"SELECT {line} AS line FROM (SELECT {export.line} AS line, dirt FROM ({rows}))"
    listed = export.nested if export.nested and not text else "* EXCLUDE (dirt)"
    return f"SELECT {listed} FROM ({rows})"


def _spoiled(kind: str, column: Column, text: bool) -> str:
    """Wrap a column in the CASE that plants its dirt."""
    clean = column.text if text else column.name
    cases = [
        f"WHEN {position} THEN {f'({spoil.value})::VARCHAR' if text else spoil.value}"
        for position, spoil in enumerate(dirt.SPOILS.get(kind, ()), start=1)
        if spoil.column == column.name and (text or not spoil.text_only)
    ]
    return f"CASE dirt {' '.join(cases)} ELSE {clean} END" if cases else clean


def _json(name: str, column: str | None = None, quoted: bool = True) -> str:
    """SQL of `"name":value`, null (so that concat_ws skips it) where the value is missing."""
    column = column or name
    return f"""'"{name}":"' || {column} || '"'""" if quoted else f"""'"{name}":' || {column}"""


def _object(*members: str) -> str:
    return f"'{{' || concat_ws(',', {', '.join(members)}) || '}}'"


_WEB_LINE = _object(
    _json("messageId", "message_id"),
    _json("type"),
    _json("anonymousId", "anonymous_id"),
    """'"userId":' || coalesce('"' || user_id || '"', 'null')""",
    _json("event"),
    _json("timestamp"),
    "'\"properties\":' || " + _object(
        _json("path"), _json("product_id"), _json("category"), _json("order_id"),
        _json("revenue", quoted=False),
        "CASE WHEN revenue IS NOT NULL THEN '\"currency\":\"EUR\"' END",
    ),
    "'\"context\":' || " + _object(
        _json("userAgent", "user_agent"),
        "'\"page\":{\"path\":\"' || page_path || '\"}'",
        "'\"device\":{\"type\":\"' || device || '\"}'",
        "'\"campaign\":{\"source\":\"' || utm_source || '\"}'",
    ),
)  # fmt: skip
_WEB_NESTED = """
    message_id AS "messageId", type, anonymous_id AS "anonymousId", user_id AS "userId", event,
    timestamp,
    {'path': path, 'product_id': product_id, 'category': category, 'order_id': order_id,
     'revenue': revenue} AS properties,
    {'userAgent': user_agent, 'page': {'path': page_path}, 'device': {'type': device},
     'campaign': {'source': utm_source}} AS context
"""
_POST_LINE = _object(
    _json("id"), _json("author_handle"), _json("network"), _json("created_at"),
    "'\"text\":' || coalesce(to_json(text)::VARCHAR, 'null')",
    _json("likes", quoted=False), _json("comments", quoted=False), _json("shares", quoted=False),
    """'"in_reply_to":' || coalesce('"' || in_reply_to || '"', 'null')""",
    """'"mentions":[' || coalesce('"' || mentioned || '"', '') || ']'""",
)  # fmt: skip
_POST_NESTED = """
    id, author_handle, network, created_at, text, likes, comments, shares, in_reply_to,
    CASE WHEN mentioned IS NULL THEN []::VARCHAR[] ELSE [mentioned] END AS mentions
"""
_POST_TEXT = """concat_ws(' ', '@' || mentioned, opening, replace(body, '{}', product) || '.',
    nullif(closing, ''), nullif(emoji, ''), hashtag)"""


def build(products: catalogue.Catalogue, emails: pa.Array, handles: pa.Array) -> dict[str, Export]:
    """Return all exports by kind, given the vocabularies that this company's data bring."""
    categories = pa.array(list(catalogue.CATEGORIES))
    return (
        _crm(emails, handles)
        | _provider(emails)
        | _shop(products, emails, categories)
        | _web(products, categories)
        | _social(products, handles)
        | _service(emails)
    )


def _crm(emails: pa.Array, handles: pa.Array) -> dict[str, Export]:
    contact_columns = (
        Column("contact_id", CUSTOMER),
        Column("email", "email"),
        Column("phone", "CASE WHEN phone >= 0 THEN calling || ' 1999 ' || phone END"),
        Column("first_name", "first_name"),
        Column("last_name", "last_name"),
        Column("birth_date", "CASE WHEN born >= 0 THEN DATE '1935-01-01' + born END"),
        Column("gender", "gender"),
        Column("street", "street || ' ' || house"),
        Column("city", "city"),
        Column("postal_code", "postal_code"),
        Column("country", "country"),
        Column("social_handle", "handle"),
        Column("created_at", "created_at", _PLAIN),
        Column("updated_at", "updated_at", _PLAIN),
    )
    words = {
        "email": emails, "first_name": pa.array(names.FIRST_NAMES),
        "last_name": pa.array(names.LAST_NAMES), "gender": contacts.GENDERS,
        "street": pa.array(names.STREETS), "city": contacts.CITIES, "handle": handles,
        "postal_code": contacts.POSTAL_CODES, "country": contacts.COUNTRIES,
        "calling": contacts.CALLING,
    }  # fmt: skip
    consent_columns = (
        Column("contact_id", CUSTOMER),
        Column("purpose", "purpose"),
        Column("granted", "granted"),
        Column("changed_at", "changed_at", _PLAIN),
    )
    return {
        "contacts": Export("crm/contacts-2025-12-31", "csv", contact_columns, words,
                           key=_keys("C{:07d}", "account")),
        "consents": Export("crm/consents-2025-12-31", "csv", consent_columns,
                           {"purpose": contacts.PURPOSES}),
    }  # fmt: skip


def _provider(emails: pa.Array) -> dict[str, Export]:
    columns = (
        Column("email_sha256", "sha256(lower(email))"),
        Column("age_band", "age"),
        Column("income_band", "income"),
        Column("household_size", "CASE WHEN household_size >= 0 THEN household_size END"),
        Column("education", "education"),
        Column("occupation", "occupation"),
        Column("home", "home"),
    )
    words = {
        "email": emails, "age": provider.AGES, "income": provider.INCOMES,
        "education": provider.EDUCATIONS, "occupation": provider.OCCUPATIONS,
        "home": provider.HOMES,
    }  # fmt: skip
    return {"demographics": Export("provider/demographics", "csv", columns, words)}


def _shop(
    products: catalogue.Catalogue, emails: pa.Array, categories: pa.Array
) -> dict[str, Export]:
    office = (
        "split_part(email, '@', 1) || '@office-' || left(split_part(email, '@', 2), 1) "
        "|| '.example'"
    )
    orders = (
        Column("order_id", ORDER),
        Column("customer_id", f"CASE WHEN NOT is_guest THEN {CUSTOMER} END"),
        Column("email", f"CASE WHEN other_email THEN {office} ELSE email END"),
        Column("created_at", '"at"', _ISO),
        Column("currency", "'EUR'"),
        Column("status", "status"),
        Column("discount_code", "code"),
        Column("total_amount", _money("total_cents")),
        Column("channel", "channel"),
        Column("is_test", "is_test"),
    )
    lines = (
        Column("order_id", ORDER),
        Column("line", "line"),
        Column("sku", "product"),
        Column("quantity", "quantity"),
        Column("unit_price", _money("unit_cents")),
        Column("discount_amount", _money("discount_cents")),
    )
    refunds = (
        Column("refund_id", "'REF-' || lpad(refund::VARCHAR, 7, '0')"),
        Column("order_id", ORDER),
        Column("refunded_at", '"at"', _ISO),
        Column("amount", _money("cents")),
        Column("reason", "reason"),
    )
    product_columns = (
        Column("sku", "product"),
        Column("name", "name"),
        Column("category", "category"),
        Column("brand", "brand"),
        Column("list_price", _money("price_cents")),
    )
    order_words = {"email": emails, "status": purchases.STATUSES, "channel": purchases.CHANNELS,
                   "code": pa.array(purchases.CODES)}  # fmt: skip
    product_words = {"product": products.sku, "name": products.name, "category": categories,
                     "brand": pa.array(catalogue.BRANDS)}  # fmt: skip
    return {
        "orders": Export("shop/orders-{month}", "csv", orders, order_words,
                         key=_keys("ORD-{:08d}", "number")),
        "order_lines": Export("shop/order_lines-{month}", "csv", lines, {"product": products.sku},
                              key=_keys("ORD-{:08d}/{}", "number", "line")),
        "refunds": Export("shop/refunds-{month}", "csv", refunds, {"reason": purchases.REASONS},
                          key=_keys("REF-{:07d}", "refund")),
        "products": Export("shop/products", "csv", product_columns, product_words),
    }  # fmt: skip


def _web(products: catalogue.Catalogue, categories: pa.Array) -> dict[str, Export]:
    web = (
        Column("message_id", "lpad(lower(to_hex(message)), 16, '0')"),
        Column("type", "type"),
        Column("anonymous_id", "lpad(lower(to_hex(anonymous)), 16, '0')"),
        Column("user_id", f"CASE WHEN account >= 0 THEN {CUSTOMER} END"),
        Column("event", "nullif(nullif(event, 'page'), 'identify')"),
        Column("timestamp", "at_ms", _ISO_MS),
        Column("path", "CASE WHEN type = 'page' THEN path END"),
        Column("product_id", "product"),
        Column("category", "category"),
        Column("order_id", f"CASE WHEN number >= 0 THEN {ORDER} END"),
        Column("revenue", f"CASE WHEN number >= 0 THEN {_money('revenue_cents')} END"),
        Column("user_agent", "agent"),
        Column("page_path", "coalesce(path, '/p/' || product)"),
        Column("device", "device"),
        Column("utm_source", "source"),
    )
    words = {"event": browsing.EVENTS, "type": browsing.TYPES, "path": browsing.PATHS,
             "product": products.sku, "category": categories, "agent": browsing.AGENTS,
             "device": browsing.DEVICES, "source": browsing.SOURCES}  # fmt: skip
    app = (
        Column("event_id", "'A' || lpad(number::VARCHAR, 9, '0')"),
        Column("customer_id", CUSTOMER),
        Column("event_name", "name"),
        Column("occurred_at", '"at"', _ISO),
        Column("session_id", "lpad(lower(to_hex(session)), 16, '0')"),
        Column("feature", "feature"),
        Column("duration_seconds", "CASE WHEN NOT isnan(seconds) THEN seconds END"),
        Column("platform", "platform"),
    )
    app_words = {"name": app_use.NAMES, "feature": app_use.FEATURES, "platform": app_use.PLATFORMS}
    return {
        "web_events": Export("web/events-{month}", "jsonl.gz", web, words, _WEB_LINE, _WEB_NESTED,
                             _message_keys),
        "app_events": Export("app/events-{month}", "csv", app, app_words,
                             key=_keys("A{:09d}", "number")),
    }  # fmt: skip


def _message_keys(columns: Columns) -> list[str]:
    return [f"{message:016x}" for message in columns["message"].tolist()]


def _social(products: catalogue.Catalogue, handles: pa.Array) -> dict[str, Export]:
    posts = (
        Column("id", "'p' || lpad(number::VARCHAR, 8, '0')"),
        Column("author_handle", "author"),
        Column("network", "network"),
        Column("created_at", '"at"', _ISO),
        Column("text", _POST_TEXT),
        Column("likes", "likes"),
        Column("comments", "comments"),
        Column("shares", "shares"),
        Column(
            "in_reply_to", "CASE WHEN reply_to >= 0 THEN 'p' || lpad(reply_to::VARCHAR, 8, '0') END"
        ),
        Column("mentioned", "mentioned"),
    )
    words = {"author": handles, "network": social.NETWORKS, "opening": phrases.OPENINGS,
             "body": phrases.BODIES, "closing": phrases.CLOSINGS, "emoji": phrases.EMOJI,
             "hashtag": phrases.HASHTAGS, "mentioned": handles,
             "product": products.name}  # fmt: skip
    follows = (
        Column("follower_handle", "follower"),
        Column("followed_handle", "followed"),
        Column("followed_at", '"at"', _ISO),
    )
    follow_line = _object(_json("follower_handle"), _json("followed_handle"), _json("followed_at"))
    return {
        "posts": Export("social/posts-{month}", "jsonl", posts, words, _POST_LINE, _POST_NESTED,
                        _keys("p{:08d}", "number")),
        "follows": Export("social/follows-2025-12-31", "jsonl", follows,
                          {"follower": handles, "followed": handles}, follow_line),
    }  # fmt: skip


def _service(emails: pa.Array) -> dict[str, Export]:
    tickets = (
        Column("ticket_id", "'T' || lpad(number::VARCHAR, 7, '0')"),
        Column("customer_id", f"CASE WHEN NOT by_email THEN {CUSTOMER} END"),
        Column("email", "email"),
        Column("opened_at", '"at"', _PLAIN),
        Column("closed_at", "CASE WHEN state = 'closed' THEN closed_at END", _PLAIN),
        Column("channel", "CASE WHEN by_email THEN 'email' ELSE channel END"),
        Column("topic", "topic"),
        Column("status", "state"),
        Column("subject", "subject"),
        Column("satisfaction", "CASE WHEN satisfaction >= 0 THEN satisfaction END"),
    )
    ticket_words = {"email": emails, "channel": service.CHANNELS, "topic": phrases.TOPICS,
                    "state": service.STATES, "subject": phrases.SUBJECTS}  # fmt: skip
    answers = (
        Column("response_id", "'S' || lpad(number::VARCHAR, 7, '0')"),
        Column("customer_id", CUSTOMER),
        Column("answered_at", '"at"', _ISO),
        Column("survey", "survey"),
        Column("nps", "CASE WHEN nps >= 0 THEN nps END"),
        Column("comment", "comment"),
    )
    sends = (
        Column("campaign_id", "'CMP-' || lpad(campaign::VARCHAR, 3, '0')"),
        Column("customer_id", CUSTOMER),
        Column("channel", "channel"),
        Column("variant", "variant"),
        Column("event", "event"),
        Column("occurred_at", '"at"', _ISO),
    )
    return {
        "tickets": Export("support/tickets-{month}", "csv", tickets, ticket_words,
                          key=_keys("T{:07d}", "number")),
        "survey_answers": Export("surveys/responses-{month}", "csv", answers,
                                 {"survey": service.SURVEYS, "comment": phrases.COMMENT_TEXTS},
                                 key=_keys("S{:07d}", "number")),
        "campaign_events": Export("campaigns/events-{month}", "csv", sends,
                                  {"channel": campaigns.CHANNELS, "variant": campaigns.VARIANTS,
                                   "event": campaigns.EVENTS},
                                  key=_keys("CMP-{:03d}/C{:07d}/{}",
                                            "campaign", "account", "event")),
    }  # fmt: skip
