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
    {{ to_id('order_id') }} as order_id,
    {{ to_customer_key('customer_id') }} as account_id,
    {{ to_email_key('email') }} as email_key,
    {{ to_timestamp('ordered_at') }} as ordered_at,
    upper({{ to_text('currency') }}) as currency,
    lower({{ to_text('status') }}) as status,
    {{ to_text('discount_code') }} as discount_code,
    {{ to_decimal('total_amount') }} as total_amount,
    {{ to_text('channel') }} as channel,
    coalesce({{ to_boolean('is_test') }}, false) as is_test,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'orders') }} as source
where {{ stands('source') }}
