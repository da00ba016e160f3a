{{ config(
    materialized=incrementally(),
    incremental_strategy='by_load',
    follows='orders',
    unique_key=['order_id'],
) }}

with verdicts as (
    {{ verdicts(
        source('raw', 'orders'),
        {'order_id': to_id('order_id')},
        newest_by=[to_timestamp('updated_at')],
    ) }}
)

select
    {{ staged_orders() }}
from {{ source('raw', 'orders') }} as source
where {{ stands('source') }}
