{{ config(
    materialized=incrementally(),
    incremental_strategy='by_load',
    follows='web_events',
    unique_key=['event_id'],
    tell='tell_touched_devices',
    pre_hook='{{ tell_of_rebuild(is_condensed=false) }}',
) }}

with verdicts as (
    {{ verdicts(source('raw', 'web_events'), {'event_id': to_id('event_id')}) }}
)

select
    {{ to_id('event_id') }} as event_id,
    {{ to_text('event_type') }} as event_type,
    {{ to_text('event_name') }} as event_name,
    {{ to_device('anonymous_id') }} as anonymous_id,
    {{ to_customer_key('customer_id') }} as account_id,
    {{ visiting_device('anonymous_id', 'customer_id', 'ip', 'user_agent') }} as device_id,
    {{ to_id('session_id') }} as tracker_session_id,
    {{ to_timestamp('occurred_at') }} as occurred_at,
    {{ to_path('path') }} as path,
    {{ to_id('product_id') }} as product_id,
    {{ to_text('category') }} as category,
    {{ to_text('products') }} as products,
    {{ to_id('cart_id') }} as cart_id,
    {{ to_decimal('cart_value') }} as cart_value,
    {{ to_integer('checkout_step') }} as checkout_step,
    {{ to_id('order_id') }} as order_id,
    {{ to_decimal('revenue') }} as revenue,
    {{ to_text('currency') }} as currency,
    {{ to_text('user_agent') }} as user_agent,
    {{ to_text('device_type') }} as device_type,
    {{ to_text('utm_source') }} as utm_source,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'web_events') }} as source
where {{ stands('source') }}
