{{ config(
    materialized=incrementally(),
    incremental_strategy='by_load',
    follows='app_events',
    unique_key=['event_id'],
) }}

with verdicts as (
    {{ verdicts(source('raw', 'app_events'), {'event_id': to_id('event_id')}) }}
)

select
    {{ to_id('event_id') }} as event_id,
    {{ to_customer_key('customer_id') }} as account_id,
    {{ to_device('device_id') }} as device_id,
    {{ to_text('event_name') }} as event_name,
    {{ to_timestamp('occurred_at') }} as occurred_at,
    {{ to_id('session_id') }} as session_id,
    {{ to_text('feature') }} as feature,
    {{ to_double('duration_seconds') }} as duration_seconds,
    {{ to_text('platform') }} as platform,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'app_events') }} as source
where {{ stands('source') }}
