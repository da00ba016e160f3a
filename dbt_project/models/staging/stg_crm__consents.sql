with superseded as (
    {{ superseded_rows(
        source('raw', 'consents'),
        {
            'customer_id': to_customer('customer_id'),
            'purpose': 'lower(' ~ to_text('purpose') ~ ')',
            'changed_at': to_timestamp('changed_at'),
        },
        newest_by=['case when ' ~ to_boolean('is_granted') ~ ' then 0 else 1 end'],
    ) }}
)

select
    {{ to_customer_key('customer_id') }} as account_id,
    {{ to_email_key('email') }} as email_key,
    lower({{ to_text('purpose') }}) as purpose,
    {{ to_boolean('is_granted') }} as is_granted,
    {{ to_timestamp('changed_at') }} as changed_at,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'consents') }} as source
where {{ is_newest('source') }}
