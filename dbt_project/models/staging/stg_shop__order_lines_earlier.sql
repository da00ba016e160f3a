with earlier as (
    {{ earlier_versions(
        source('raw', 'order_lines'),
        {'order_id': to_id('order_id'), 'line_id': to_id('line_id')},
        to_timestamp('updated_at'),
    ) }}
)

select
    {{ staged_order_lines() }}
from {{ source('raw', 'order_lines') }} as source
where {{ is_listed('earlier') }}
