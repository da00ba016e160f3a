with bought as (
    select
        _load_id,
        _line,
        _item,
        cast(count(*) as bigint) as products
    from {{ ref('int_web_product_interactions') }}
    where action = 'purchase'
    group by _load_id, _line, _item
)

select
    events.event_id,
    events.device_id,
    events.session_id,
    events.customer_id,
    events.tracker_session_id,
    events.occurred_at,
    events.order_id,
    events.revenue,
    events.currency,
    coalesce(bought.products, 0) as products,
    events._load_id,
    events._line,
    events._item
from {{ ref('int_web_commerce_classified') }} as events
left join bought on events._load_id = bought._load_id and events._line = bought._line and events._item = bought._item
where events.action = 'purchase'
