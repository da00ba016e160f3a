with bought as (
    select
        _load_id,
        _line,
        cast(count(*) as bigint) as products
    from {{ ref('int_web_product_interactions') }}
    where action = 'purchase'
    group by _load_id, _line
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
    events._line
from {{ ref('int_web_commerce_classified') }} as events
left join bought on events._load_id = bought._load_id and events._line = bought._line
where events.action = 'purchase'
