with superseded as (
    {{ superseded_rows(
        source('raw', 'survey_answers'),
        {'response_id': to_id('response_id')},
        newest_by=[was_known(to_timestamp('answered_at'))],
    ) }}
)

select
    {{ to_id('response_id') }} as response_id,
    {{ to_customer_key('customer_id') }} as account_id,
    {{ to_email_key('email') }} as email_key,
    {{ to_timestamp('answered_at') }} as answered_at,
    {{ to_text('survey') }} as survey,
    {{ to_integer('nps') }} as nps,
    {{ to_text_hash('comment') }} as comment_hash,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'survey_answers') }} as source
where {{ is_newest('source') }}
