{{ config(
    materialized=incrementally(),
    incremental_strategy='by_load',
    follows='order_lines',
    unique_key=['order_id', 'line_id'],
) }}

with verdicts as (
    {{ verdicts(
        source('raw', 'order_lines'),
        {'order_id': to_id('order_id'), 'line_id': to_id('line_id')},
        newest_by=[to_timestamp('updated_at')],
    ) }}
)

select
    {{ staged_order_lines() }}
from {{ source('raw', 'order_lines') }} as source
where {{ stands('source') }}
