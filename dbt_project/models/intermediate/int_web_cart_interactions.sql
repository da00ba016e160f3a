with added as (
    select
        _load_id,
        _line,
        _item,
        sum(cast(price * coalesce(quantity, 1) as decimal(28, 4))) as value_added
    from {{ ref('int_web_product_interactions') }}
    where action = 'add_to_cart'
    group by _load_id, _line, _item
)

select
    events.event_id,
    events.device_id,
    events.session_id,
    events.customer_id,
    events.tracker_session_id,
    events.occurred_at,
    events.action,
    events.cart_id,
    events.cart_value,
    events.currency,
    -- A cart that is worth just what was put into it was empty before.
    events.cart_value = added.value_added as is_created,
    case
        when events.action in ('add_to_cart', 'remove_from_cart') then events.cart_value = 0
    end as is_emptied,
    events.action = 'purchase' as is_bought,
    events._load_id,
    events._line,
    events._item
from {{ ref('int_web_commerce_classified') }} as events
left join added on events._load_id = added._load_id and events._line = added._line and events._item = added._item
where events.action in ('add_to_cart', 'remove_from_cart', 'cart_view', 'purchase')
