with superseded as (
    {{ superseded_rows(
        source('raw', 'tickets'),
        {'ticket_id': to_id('ticket_id')},
        newest_by=as_known(to_timestamp('updated_at')),
    ) }}
)

select
    {{ to_id('ticket_id') }} as ticket_id,
    {{ to_customer_key('customer_id') }} as account_id,
    {{ to_email_key('email') }} as email_key,
    {{ to_timestamp('opened_at') }} as opened_at,
    {{ to_timestamp('closed_at') }} as closed_at,
    {{ to_text('channel') }} as channel,
    {{ to_text('topic') }} as topic,
    {{ to_text('status') }} as status,
    {{ to_text_hash('subject') }} as subject_hash,
    {{ to_text_hash('body') }} as body_hash,
    {{ to_double('satisfaction') }} as satisfaction,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'tickets') }} as source
where {{ is_newest('source') }}
