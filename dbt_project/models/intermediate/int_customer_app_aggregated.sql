-- A device on which one customer was ever known is hers; one with several is nobody's.
with app_events as (
    select events.*, accounts.customer_id
    from {{ ref('stg_app__events') }} as events
    left join {{ ref('int_accounts_resolved') }} as accounts on events.account_id = accounts.account_id
    where events.occurred_at < {{ as_of_start() }}
),

owned_devices as (
    select
        device_id,
        min(customer_id) as customer_id
    from app_events
    where device_id is not null
    group by device_id
    having min(customer_id) = max(customer_id)
),

events as (
    select
        coalesce(events.customer_id, owned_devices.customer_id) as customer_id,
        events.session_id,
        cast(events.occurred_at as date) as event_date,
        events.duration_seconds,
        {{ event_kind('cast(null as ' ~ dbt.type_string() ~ ')', 'events.event_name') }} as event_kind
    from app_events as events
    left join owned_devices on events.device_id = owned_devices.device_id
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
    where customer_id is not null
    group by customer_id, session_id, event_date
)

select
    customer_id,
    -- An export without session ids has no sessions to count.
    nullif(count(distinct session_id), 0) as app_sessions,
    count(distinct event_date) as app_active_days,
    cast(sum(seconds) as double) / 60 as app_minutes,
    cast(sum({{ decayed_points(event_points('days'), 'event_date') }}) as decimal(28, 9)) as engagement
from days
where {{ allows_analytics('customer_id') }}
group by customer_id
