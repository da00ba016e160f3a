with superseded as (
    {{ superseded_rows(source('raw', 'consents'), {
        'customer_id': to_id('customer_id'),
        'purpose': 'lower(' ~ to_text('purpose') ~ ')',
        'changed_at': to_timestamp('changed_at'),
    }) }}
)

select
    {{ to_customer_key('customer_id') }} as customer_id,
    lower({{ to_text('purpose') }}) as purpose,
    {{ to_boolean('is_granted') }} as is_granted,
    {{ to_timestamp('changed_at') }} as changed_at,
    _source,
    _load_id,
    _line
from {{ source('raw', 'consents') }} as source
where {{ is_newest('source') }}
