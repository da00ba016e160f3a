-- Twenty million events become a few million rows before anything is sorted. Exact, because two
-- events of one device in the same slot of session_gap_minutes are less than that gap apart, so
-- they always share a session.
{% set gap_seconds = var('session_gap_minutes') * 60 %}

with crawlers as (
    select user_agent from {{ ref('stg_web__user_agents') }}
    where {{ is_crawler('user_agent') }}
),

events as (
    select
        coalesce(events.anonymous_id, 'customer:' || events.customer_id) as device_id,
        events.customer_id,
        events.occurred_at,
        crawlers.user_agent is not null as is_crawler,
        {{ event_kind('events.event_type', 'events.event_name') }} as event_kind
    from {{ ref('stg_web__events') }} as events
    left join crawlers on events.user_agent = crawlers.user_agent
    where events.occurred_at < {{ as_of_start() }}
)

select
    device_id,
    customer_id,
    is_crawler,
    cast(occurred_at as date) as event_date,
    cast(floor({{ epoch_seconds('occurred_at') }} / {{ gap_seconds }}) as bigint) as time_slot,
    min(occurred_at) as first_at,
    max(occurred_at) as last_at,
    count(*) as events,
    count(case when event_kind = 'page_view' then 1 end) as page_views,
    count(case when event_kind = 'product_view' then 1 end) as product_views,
    count(case when event_kind = 'add_to_cart' then 1 end) as add_to_carts,
    count(case when event_kind = 'purchase' then 1 end) as purchases
from events
group by 1, 2, 3, 4, 5
