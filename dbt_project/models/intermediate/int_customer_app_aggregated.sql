with events as (
    select
        customer_id,
        session_id,
        cast(occurred_at as date) as event_date,
        duration_seconds,
        {{ event_kind('cast(null as ' ~ dbt.type_string() ~ ')', 'event_name') }} as event_kind
    from {{ ref('stg_app__events') }}
    where occurred_at < {{ as_of_start() }}
),

-- One row per customer, session and day: small enough to count distinct values in.
days as (
    select
        customer_id,
        session_id,
        event_date,
        sum(cast(duration_seconds as decimal(18, 3))) as seconds,
        count(*) as events,
        count(case when event_kind = 'product_view' then 1 end) as product_views,
        count(case when event_kind = 'add_to_cart' then 1 end) as add_to_carts,
        count(case when event_kind = 'purchase' then 1 end) as purchases
    from events
    group by customer_id, session_id, event_date
)

select
    customer_id,
    -- An export without session ids has no sessions to count.
    nullif(count(distinct session_id), 0) as app_sessions,
    count(distinct event_date) as app_active_days,
    cast(sum(seconds) as double) / 60 as app_minutes,
    cast(sum({{ decayed_points(event_points(), 'event_date') }}) as decimal(28, 9)) as engagement
from days
where {{ allows_analytics('customer_id') }}
group by customer_id
