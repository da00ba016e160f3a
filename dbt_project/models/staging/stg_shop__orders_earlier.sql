with earlier as (
    {{ earlier_versions(
        source('raw', 'orders'),
        {'order_id': to_id('order_id')},
        to_timestamp('updated_at'),
    ) }}
)

select
    {{ staged_orders() }}
from {{ source('raw', 'orders') }} as source
where {{ is_listed('earlier') }}
