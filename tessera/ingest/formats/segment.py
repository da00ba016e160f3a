"""Segment's calls as it archives them: identify, track, page, screen, group and alias."""

from __future__ import annotations

from tessera.ingest.format import Format, Rows
from tessera.ingest.web import first_of, members, only_product, path_of, products

PRODUCT = members("product_id sku name category brand variant price quantity coupon position")
STRUCTURE = {
    **members(
        "type event name messageId anonymousId userId previousId timestamp originalTimestamp "
        "sentAt receivedAt"
    ),
    "context": {
        **members("ip userAgent"),
        "page": members("path referrer url"),
        "campaign": members("source medium name"),
        "device": members("type"),
    },
    "properties": {
        **PRODUCT,
        **members("path url referrer cart_id order_id step revenue total value currency"),
        "products": "JSON",
    },
    "traits": {
        **members("name firstName lastName email phone birthday gender createdAt"),
        "address": members("street city state postalCode country"),
    },
}
CALLS = "('identify', 'track', 'page', 'screen', 'group', 'alias')"
# A sum of money is an order's, or what a cart is worth, or something that the shop alone knows.
ORDERED = """lower(event) in (
    'order completed', 'order updated', 'order refunded', 'order cancelled',
    'completed order', 'updated order', 'refunded order', 'cancelled order'
)"""
CART = """lower(event) in (
    'cart viewed', 'cart shared', 'checkout started', 'viewed cart', 'started checkout'
)"""
# One product stands in the properties themselves.
ITEMS = f"""case
    when json_type(properties.products) = 'ARRAY' then properties.products::json[]
    when json_type(properties.products) = 'OBJECT' then [properties.products]
    when type = 'track' and coalesce(properties.product_id, properties.sku) is not null
        then [json_merge_patch('{{}}', json_object(
            {", ".join(f"'{name}', properties.{name}" for name in PRODUCT)},
            'currency', properties.currency
        ))]
end"""
TIME = first_of('"timestamp"', '"originalTimestamp"', '"sentAt"', '"receivedAt"')
# Where only the whole name is known, its last word is the last name.
FIRST_NAME = r"""coalesce(traits."firstName", case when traits."lastName" is null
    then regexp_replace(trim(traits.name), '\s+\S+$', '') end)"""
LAST_NAME = r"""coalesce(traits."lastName", case when traits."firstName" is null
    then nullif(regexp_extract(trim(traits.name), '\s(\S+)$', 1), '') end)"""
# `2020-01-31T00:00:00.000Z` is a birthday too.
BIRTHDAY = r"""case
    when regexp_matches(traits.birthday, '^\d{4}-\d\d-\d\d[T ]') then left(traits.birthday, 10)
    else traits.birthday
end"""

FORMAT = Format(
    name="segment",
    title="Segment calls (JSON)",
    description="""\
Calls as Segment's specification describes them and its storage destinations archive them: JSON
lines or arrays of identify, track, page, screen, group and alias calls. Another type of call goes
to quarantine.

Each call becomes a web event whose `event_type` is the type of the call and whose `event_name` is
the track event or the name of the page or screen. An alias call says that the earlier id
(`anonymous_id`) is the later one (`customer_id`). Products of the e-commerce events stay as they
are written; without a `product_id` the `sku` takes its place. `revenue` is the revenue of an order,
else its total or value; the value of a cart that is looked at or checked out is `cart_value`.

An identify call with a `userId` and traits also becomes a contact, as of the time of the call.""",
    reads="json",
    structure=STRUCTURE,
    prepare=f"select * replace (lower(trim(type)) as type), {ITEMS} as items from {{records}}",
    kinds={
        "web_events": Rows(
            where=f"type in {CALLS}",
            columns={
                "event_id": '"messageId"',
                "event_type": "type",
                "event_name": "case type when 'track' then event "
                "when 'page' then name when 'screen' then name end",
                "anonymous_id": "case when type = 'alias' then "
                '"previousId" else "anonymousId" end',
                "customer_id": '"userId"',
                "occurred_at": TIME,
                # The address is looked at where nothing else is there: that costs.
                "path": f"coalesce({first_of('properties.path', 'context.page.path')}, "
                f"{path_of('coalesce(properties.url, context.page.url)')})",
                "referrer": first_of("properties.referrer", "context.page.referrer"),
                "ip": "context.ip",
                "user_agent": 'context."userAgent"',
                "device_type": "context.device.type",
                "utm_source": "context.campaign.source",
                "utm_medium": "context.campaign.medium",
                "utm_campaign": "context.campaign.name",
                "product_id": "coalesce("
                f"{only_product('items', 'product_id')}, {only_product('items', 'sku')})",
                "category": "case when type = 'track' then coalesce("
                f"properties.category, {only_product('items', 'category')}) end",
                "products": products("items", {"product_id": "sku"}),
                "order_id": "properties.order_id",
                "revenue": f"""case
                    when {ORDERED} then coalesce(
                        properties.revenue, properties.total, properties.value
                    )
                    when not coalesce({CART}, false) then properties.revenue
                end""",
                "currency": "properties.currency",
                "cart_id": "properties.cart_id",
                "cart_value": f"""case when {CART} then coalesce(
                    properties.value, properties.total, properties.revenue
                ) end""",
                "checkout_step": "case when lower(event) like 'checkout%' then properties.step end",
            },
        ),
        "contacts": Rows(
            where="type = 'identify' and nullif(\"userId\", '') is not null and traits is not null",
            columns={
                "customer_id": '"userId"',
                "email": "traits.email",
                "phone": "traits.phone",
                "first_name": FIRST_NAME,
                "last_name": LAST_NAME,
                "birth_date": BIRTHDAY,
                "gender": "traits.gender",
                "street": "traits.address.street",
                "city": "traits.address.city",
                "region": "traits.address.state",
                "postal_code": 'traits.address."postalCode"',
                "country": "traits.address.country",
                "created_at": 'traits."createdAt"',
                "updated_at": TIME,
            },
        ),
    },
    example="""\
[sources.segment]
format = "segment"
files = "segment/**/*.json*"
""",
)
