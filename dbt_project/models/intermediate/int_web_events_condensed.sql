-- Twenty million events become a few million rows before anything is sorted. Exact, because two
-- events of one device in the same slot of session_gap_minutes are less than that gap apart, so
-- they always share a session. Of all dates: what a run does not want to know is left out later,
-- by event_date.
{{ config(
    materialized=incrementally(),
    incremental_strategy='by_touch',
    replaces='touched_slots',
    pre_hook='{{ tell_of_rebuild(is_condensed=true) }}',
    post_hook='{{ tick_touched_devices_off() }}',
) }}
{% set gap_seconds = var('session_gap_minutes') * 60 %}

{# Read twice, so it is written out twice: as a CTE it would be kept, all the events of it. #}
{% set events %}
    select
        events.device_id,
        events.account_id,
        events.occurred_at,
        cast(floor({{ epoch_seconds('events.occurred_at') }} / {{ gap_seconds }}) as bigint) as time_slot,
        crawlers.user_agent is not null as is_crawler,
        {{ event_kind('events.event_type', 'events.event_name') }} as event_kind
    from {{ ref('stg_web__events') }} as events
    left join crawlers on events.user_agent = crawlers.user_agent
    {%- if follows_log() %}
    where events.occurred_at >= {{ first_touched_at() }}
        and {{ is_touched('events', 'cast(events.occurred_at as date)') }}
    {%- endif %}
{% endset %}

with crawlers as (
    select user_agent from {{ ref('stg_web__user_agents') }}
    where {{ is_crawler('user_agent') }}
),

slots as (
    select
        device_id,
        account_id,
        is_crawler,
        cast(occurred_at as date) as event_date,
        time_slot,
        min(occurred_at) as first_at,
        max(occurred_at) as last_at,
        count(*) as events,
        count(case when event_kind = 'page_view' then 1 end) as page_views,
        count(case when event_kind = 'product_view' then 1 end) as product_views,
        count(case when event_kind = 'add_to_cart' then 1 end) as add_to_carts,
        count(case when event_kind = 'purchase' then 1 end) as purchases
    from ({{ events }}) as events
    group by 1, 2, 3, 4, 5
),

-- Minutes are counted only where a minute can be too full: the rest is the greater part.
full_slots as (
    select device_id, event_date, time_slot
    from slots
    where device_id is not null and not is_crawler
    group by device_id, event_date, time_slot
    having sum(events) > {{ var('max_events_per_minute') }}
),

rapid_slots as (
    select distinct device_id, event_date, time_slot
    from (
        select full_slots.device_id, full_slots.event_date, full_slots.time_slot
        from ({{ events }}) as events
        inner join full_slots
            on events.device_id = full_slots.device_id
            and cast(events.occurred_at as date) = full_slots.event_date
            and events.time_slot = full_slots.time_slot
        where not events.is_crawler
        group by
            full_slots.device_id,
            full_slots.event_date,
            full_slots.time_slot,
            {{ dbt.date_trunc('minute', 'events.occurred_at') }}
        having count(*) > {{ var('max_events_per_minute') }}
    ) as rapid_minutes
)

select
    slots.*,
    rapid_slots.device_id is not null as is_rapid
from slots
left join rapid_slots
    on slots.device_id = rapid_slots.device_id
    and slots.event_date = rapid_slots.event_date
    and slots.time_slot = rapid_slots.time_slot
