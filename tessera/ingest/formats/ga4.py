"""Google Analytics 4's export to BigQuery, taken out of it as JSON lines or Parquet."""

from __future__ import annotations

from tessera.ingest.format import Format, Rows
from tessera.ingest.web import known, members, only_product, path_of, products

STRUCTURE = {
    **members(
        "event_timestamp event_name event_bundle_sequence_id batch_page_id batch_ordering_id "
        "batch_event_index user_id user_pseudo_id"
    ),
    "event_params": [
        {"key": "VARCHAR", "value": members("string_value int_value float_value double_value")}
    ],
    "device": members("category"),
    "traffic_source": members("source medium name"),
    "collected_traffic_source": members("manual_source manual_medium manual_campaign_name"),
    "ecommerce": members("transaction_id purchase_revenue refund_value"),
    "items": ["JSON"],
}
IDENTITY = members(
    "user_pseudo_id event_timestamp event_name event_bundle_sequence_id batch_page_id "
    "batch_ordering_id batch_event_index"
)
# Events of one bundle may have one time and one name, and differ in their parameters alone.
EVENT_ID = f"""md5(concat_ws(chr(31), {", ".join(f"coalesce({name}, '')" for name in IDENTITY)},
    array_to_string(list_sort(_pairs), chr(31)), items::varchar))"""
PRODUCT = {
    "product_id": "item_id",
    "name": "item_name",
    "brand": "item_brand",
    "variant": "item_variant",
    "category": "item_category",
    "position": "item_list_index",
}
MOMENT = "try(make_timestamp(try_cast(event_timestamp as bigint)))"


# The parameters that are read, each a column: its value, of whichever type.
PARAMETERS = members(
    "ga_session_id page_location page_referrer firebase_screen source medium campaign currency "
    "transaction_id value checkout_step"
)
VALUE = """coalesce(_p.value.string_value, _p.value.int_value, _p.value.double_value,
    _p.value.float_value)"""
PREPARED = f"""
    select *, {", ".join(f"_values[list_position(_keys, '{p}')] as param_{p}" for p in PARAMETERS)}
    from (
        select
            *,
            list_transform(event_params, lambda _p: _p.key) as _keys,
            list_transform(event_params, lambda _p: {VALUE}) as _values,
            list_transform(event_params, lambda _p: concat(_p.key, '=', {VALUE})) as _pairs
        from {{records}}
    )
"""


def _campaign(collected: str, parameter: str, first: str) -> str:
    """Of the event itself; else, as older exports have no other, of the user's first visit."""
    choices = (
        f"collected_traffic_source.{collected}",
        f"param_{parameter}",
        f"traffic_source.{first}",
    )
    return f"coalesce({', '.join(known(choice) for choice in choices)})"


FORMAT = Format(
    name="ga4",
    title="Google Analytics 4, BigQuery export (JSON, Parquet)",
    description="""\
The tables `events_YYYYMMDD` that Google Analytics 4 fills in BigQuery, exported as JSON lines or as
Parquet. Values are taken out of the nested `event_params`; parameters without a column of ours stay
in the file alone.

The export has no event ids. Ours is a hash of the user's pseudonym, the time, the name, the bundle
and batch numbers, the parameters (in the order of their keys) and the items: an event that is
exported twice has one id, two events of one bundle that differ in one parameter have two.
`session_id` is `user_pseudo_id` and `ga_session_id` together, as the latter is unique for one user
only. Campaign columns are those of the event; where it has none, those of the user's first visit.

`event_type` is `page` for `page_view`, `screen` for `screen_view`, else `track`. `revenue` is the
revenue of a purchase or the value of a refund; `cart_value` the `value` of `view_cart` and
`begin_checkout`.""",
    reads="json",
    structure=STRUCTURE,
    prepare=PREPARED,
    required=("event_timestamp", "event_name"),
    kinds={
        "web_events": Rows(
            where="event_name is not null",
            columns={
                "event_id": EVENT_ID,
                "event_type": "case event_name when 'page_view' then 'page' "
                "when 'screen_view' then 'screen' else 'track' end",
                "event_name": "event_name",
                "anonymous_id": "user_pseudo_id",
                "customer_id": "user_id",
                "session_id": "coalesce(user_pseudo_id || '.', '') || param_ga_session_id",
                "occurred_at": f"coalesce({MOMENT}::varchar || 'Z', event_timestamp)",
                "path": f"coalesce({path_of('param_page_location')}, param_firebase_screen)",
                "referrer": "param_page_referrer",
                "device_type": "device.category",
                "utm_source": _campaign("manual_source", "source", "source"),
                "utm_medium": _campaign("manual_medium", "medium", "medium"),
                "utm_campaign": _campaign("manual_campaign_name", "campaign", "name"),
                "product_id": only_product("items", "item_id"),
                "category": only_product("items", "item_category"),
                "products": products("items", PRODUCT),
                "order_id": f"coalesce({known('ecommerce.transaction_id')}, "
                f"{known('param_transaction_id')})",
                "revenue": "case event_name when 'purchase' then ecommerce.purchase_revenue "
                "when 'refund' then ecommerce.refund_value end",
                "currency": "param_currency",
                "cart_value": "case when event_name in ('view_cart', 'begin_checkout') then "
                "param_value end",
                "checkout_step": "param_checkout_step",
            },
        )
    },
    example="""\
[sources.analytics]
format = "ga4"
files = "ga4/events_*"
""",
)
