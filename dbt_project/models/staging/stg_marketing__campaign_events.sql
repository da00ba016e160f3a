select
    {{ to_id('campaign_id') }} as campaign_id,
    {{ to_customer_key('customer_id') }} as account_id,
    {{ to_email_key('email') }} as email_key,
    {{ to_text('channel') }} as channel,
    {{ to_text('variant') }} as variant,
    lower({{ to_text('event') }}) as event,
    {{ to_timestamp('occurred_at') }} as occurred_at,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'campaign_events') }} as source
