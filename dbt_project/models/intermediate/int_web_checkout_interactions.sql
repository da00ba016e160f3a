select
    event_id,
    device_id,
    session_id,
    customer_id,
    tracker_session_id,
    occurred_at,
    action,
    checkout_step,
    action = 'purchase' as is_completed,
    _load_id,
    _line,
    _item
from {{ ref('int_web_commerce_classified') }}
where action in ('checkout_start', 'checkout_step', 'purchase')
