with superseded as (
    {{ superseded_rows(
        source('raw', 'refunds'),
        {'refund_id': to_id('refund_id')},
        newest_by=[was_known(to_timestamp('refunded_at'))],
    ) }}
)

select
    {{ to_id('refund_id') }} as refund_id,
    {{ to_id('order_id') }} as order_id,
    {{ to_timestamp('refunded_at') }} as refunded_at,
    abs({{ to_decimal('amount') }}) as amount,
    upper({{ to_text('currency') }}) as currency,
    {{ to_text_hash('reason') }} as reason_hash,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'refunds') }} as source
where {{ is_newest('source') }}
