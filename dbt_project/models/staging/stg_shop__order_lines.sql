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
    {{ to_id('order_id') }} as order_id,
    {{ to_id('line_id') }} as line_id,
    {{ to_id('product_id') }} as product_id,
    {{ to_text('product_name') }} as product_name,
    {{ to_text('category') }} as category,
    {{ to_decimal('quantity') }} as quantity,
    {{ to_decimal('unit_price') }} as unit_price,
    {{ to_decimal('discount_amount') }} as discount_amount,
    upper({{ to_text('currency') }}) as currency,
    {{ to_customer_key('customer_id') }} as account_id,
    {{ to_timestamp('ordered_at') }} as ordered_at,
    {{ to_text('country') }} as country,
    coalesce({{ to_boolean('is_refund') }}, false) as is_refund,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'order_lines') }} as source
where {{ stands('source') }}
