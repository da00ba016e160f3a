"""Snowplow's enriched events: tab-separated lines of 131 columns with JSON in some of them."""

from __future__ import annotations

from tessera.ingest.expressions import in_utc
from tessera.ingest.format import Format, Refusal, Rows
from tessera.ingest.web import first_of, members, only_product, products

COLUMNS = members(
    """
    app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id
    name_tracker v_tracker v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid
    domain_sessionidx network_userid geo_country geo_region geo_city geo_zipcode geo_latitude
    geo_longitude geo_region_name ip_isp ip_organization ip_domain ip_netspeed page_url page_title
    page_referrer page_urlscheme page_urlhost page_urlport page_urlpath page_urlquery
    page_urlfragment refr_urlscheme refr_urlhost refr_urlport refr_urlpath refr_urlquery
    refr_urlfragment refr_medium refr_source refr_term mkt_medium mkt_source mkt_term mkt_content
    mkt_campaign contexts se_category se_action se_label se_property se_value unstruct_event
    tr_orderid tr_affiliation tr_total tr_tax tr_shipping tr_city tr_state tr_country ti_orderid
    ti_sku ti_name ti_category ti_price ti_quantity pp_xoffset_min pp_xoffset_max pp_yoffset_min
    pp_yoffset_max useragent br_name br_family br_version br_type br_renderengine br_lang
    br_features_pdf br_features_flash br_features_java br_features_director br_features_quicktime
    br_features_realplayer br_features_windowsmedia br_features_gears br_features_silverlight
    br_cookies br_colordepth br_viewwidth br_viewheight os_name os_family os_manufacturer
    os_timezone dvce_type dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset doc_width
    doc_height tr_currency tr_total_base tr_tax_base tr_shipping_base ti_currency ti_price_base
    base_currency geo_timezone mkt_clickid mkt_network etl_tags dvce_sent_tstamp refr_domain_userid
    refr_dvce_tstamp derived_contexts domain_sessionid derived_tstamp event_vendor event_name
    event_format event_version event_fingerprint true_tstamp
    """
)
SHOP = "com.snowplowanalytics.snowplow.ecommerce"
SESSION = "com.snowplowanalytics.snowplow/client_session"
# Most events say nothing of a shop: their contexts are not parsed.
ENTITIES = f"""case
    when contains(contexts, 'iglu:{SHOP}/') or contains(contexts, 'iglu:{SESSION}/') then
        case when json_valid(contexts) then from_json(
            json_extract(contexts, '$.data'), '[{{"schema": "VARCHAR", "data": "JSON"}}]'
        ) end
end"""


def _all(schema: str) -> str:
    matching = f"list_filter(entities, lambda _e: starts_with(_e.schema, 'iglu:{schema}/'))"
    return f"list_transform({matching}, lambda _e: _e.data)"


def _entity(name: str) -> str:
    return f"({_all(f'{SHOP}/{name}')})[1] as {name}_entity"


PREPARED = f"""
    select
        *,
        {_all(f"{SHOP}/product")} as product_entities,
        {", ".join(_entity(name) for name in ("cart", "transaction", "refund", "checkout_step"))},
        {_entity("user")},
        ({_all(SESSION)})[1] as session_entity,
        case when event_name = 'snowplow_ecommerce_action' and json_valid(unstruct_event) then
            json_extract_string(unstruct_event, '$.data.data.type')
        end as action
    from (select *, {ENTITIES} as entities from {{records}})
"""
# The older way to say what an order holds: one event for the order, one for each of its items.
ITEM = """json_merge_patch('{}', json_object(
    'product_id', ti_sku, 'name', nullif(ti_name, ''), 'category', nullif(ti_category, ''),
    'price', nullif(ti_price, ''), 'quantity', nullif(ti_quantity, ''),
    'currency', nullif(ti_currency, '')
))"""
ITEMS = f"case when event = 'transaction_item' then [{ITEM}] else product_entities end"


def _of(entity: str, member: str) -> str:
    return f"({entity}_entity->>'{member}')"


def _unless_json(column: str) -> Refusal:
    return Refusal(f"{column} <> '' and not json_valid({column})", f"{column} is no JSON")


FORMAT = Format(
    name="snowplow",
    title="Snowplow enriched events (TSV)",
    description="""\
The enriched event as Snowplow's pipelines write it: tab-separated, without a header, 131 columns in
their published order; contexts and the self-describing event are JSON. Lines with another number of
columns, or with broken JSON, go to quarantine. Columns and entities that are not named here stay in
the file alone.

`occurred_at` is `derived_tstamp`, else `collector_tstamp`. Visitor and session are those of the
browser; in an app, those of the `client_session` entity. `customer_id` is `user_id`, else the id of
the e-commerce user entity, unless that says that it is a guest.

Of the e-commerce plug-in, the type of the action is the `event_name` (`add_to_cart`, `transaction`,
…); the entities product, cart, checkout step, transaction and refund fill `products`, `cart_value`,
`checkout_step`, `order_id`, `revenue` and `currency`. The older transaction and item events fill
the same columns. A structured event is named by its action.""",
    reads="csv",
    header=False,
    delimiter="\t",
    columns=tuple(COLUMNS),
    refuse=(_unless_json("contexts"), _unless_json("unstruct_event")),
    prepare=PREPARED,
    kinds={
        "web_events": Rows(
            columns={
                "event_id": "event_id",
                "event_type": "event",
                "event_name": first_of(
                    "action", "case when event = 'struct' then se_action end", "event_name", "event"
                ),
                "anonymous_id": first_of("domain_userid", _of("session", "userId")),
                "customer_id": first_of(
                    "user_id",
                    f"case when not coalesce({_of('user', 'is_guest')} = 'true', false) "
                    f"then {_of('user', 'id')} end",
                ),
                "session_id": first_of("domain_sessionid", _of("session", "sessionId")),
                "occurred_at": in_utc(first_of("derived_tstamp", "collector_tstamp")),
                "path": "page_urlpath",
                "referrer": "page_referrer",
                "ip": "user_ipaddress",
                "user_agent": "useragent",
                "device_type": "lower(dvce_type)",
                "utm_source": "mkt_source",
                "utm_medium": "mkt_medium",
                "utm_campaign": "mkt_campaign",
                "product_id": first_of("ti_sku", only_product("product_entities", "id")),
                "category": first_of("ti_category", only_product("product_entities", "category")),
                "products": products(ITEMS, {"product_id": "id"}),
                "order_id": first_of(
                    _of("transaction", "transaction_id"),
                    _of("refund", "transaction_id"),
                    "tr_orderid",
                    "ti_orderid",
                ),
                "revenue": first_of(
                    _of("transaction", "revenue"), _of("refund", "refund_amount"), "tr_total"
                ),
                "currency": first_of(
                    _of("transaction", "currency"),
                    _of("refund", "currency"),
                    _of("cart", "currency"),
                    "tr_currency",
                    "ti_currency",
                    only_product("product_entities", "currency"),
                ),
                "cart_id": _of("cart", "cart_id"),
                "cart_value": _of("cart", "total_value"),
                "checkout_step": _of("checkout_step", "step"),
            }
        )
    },
    example="""\
[sources.tracker]
format = "snowplow"
files = "snowplow/enriched/**/*"
""",
)
