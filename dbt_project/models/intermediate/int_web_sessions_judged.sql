{{ config(materialized='view') }}

-- The sessions of before the as-of date: those that had ended, and those that midnight cuts, as far
-- as they had gone. Which count is decided here: docs block `web_session`.

with ended as (
    select * from {{ ref('int_web_sessions_delimited') }}
    where ended_at < {{ as_of_start() }}
),

cut as (
    select
        sessions.session_id,
        sessions.device_id,
        min(slots.account_id) as first_account_id,
        max(slots.account_id) as last_account_id,
        sessions.started_at,
        max(slots.last_at) as ended_at,
        cast(sum(slots.events) as bigint) as events,
        cast(sum(slots.page_views) as bigint) as page_views,
        cast(sum(slots.product_views) as bigint) as product_views,
        cast(sum(slots.add_to_carts) as bigint) as add_to_carts,
        cast(sum(slots.purchases) as bigint) as purchases
    from {{ ref('int_web_sessions_delimited') }} as sessions
    inner join {{ ref('int_web_events_condensed') }} as slots
        on sessions.device_id = slots.device_id and sessions.started_at <= slots.first_at
    where sessions.started_at < {{ as_of_start() }}
        and sessions.ended_at >= {{ as_of_start() }}
        and slots.event_date < {{ as_of_date() }}
        and not slots.is_crawler
    group by sessions.session_id, sessions.device_id, sessions.started_at
),

rapid_devices as (
    select distinct device_id
    from {{ ref('int_web_events_condensed') }}
    where is_rapid and event_date < {{ as_of_date() }}
)

select
    sessions.*,
    case
        when rapid_devices.device_id is not null then 'rapid'
        when {{ hours_between('sessions.started_at', 'sessions.ended_at') }} > {{ var('session_max_hours') }} then 'too long'
        when sessions.events > {{ var('session_max_events') }} then 'too many events'
    end as excluded_because
from (
    select * from ended
    union all
    select * from cut
) as sessions
left join rapid_devices on sessions.device_id = rapid_devices.device_id
