-- The session rule, and whose session it is: docs blocks `web_session` and `device_stitching`.

with marked as (
    select
        device_id,
        customer_id,
        event_date,
        first_at,
        last_at,
        events,
        page_views,
        product_views,
        add_to_carts,
        purchases,
        case
            when first_at < {{ dbt.dateadd('minute', var('session_gap_minutes'), 'max(last_at) over (
                partition by device_id order by first_at
                rows between unbounded preceding and 1 preceding
            )') }} then 0
            else 1
        end as starts_session
    from {{ ref('int_web_events_condensed') }}
    where not is_crawler and device_id is not null
),

numbered as (
    select
        *,
        sum(starts_session) over (
            partition by device_id order by first_at rows unbounded preceding
        ) as session_number
    from marked
),

sessions as (
    select
        device_id,
        session_number,
        min(customer_id) as first_customer_id,
        max(customer_id) as last_customer_id,
        min(first_at) as started_at,
        max(last_at) as ended_at,
        sum(events) as events,
        sum(page_views) as page_views,
        sum(product_views) as product_views,
        sum(add_to_carts) as add_to_carts,
        sum(purchases) as purchases,
        sum({{ decayed_points(event_points(), 'event_date') }}) as engagement
    from numbered
    group by device_id, session_number
),

owned_devices as (
    select
        device_id,
        min(customer_id) as customer_id
    from {{ ref('int_web_events_condensed') }}
    where not is_crawler and device_id is not null and customer_id is not null
    group by device_id
    having min(customer_id) = max(customer_id)
),

owned as (
    select
        sessions.*,
        case
            when first_customer_id = last_customer_id then 'login'
            when owned_devices.customer_id is not null then 'device'
        end as identified_by,
        owned_devices.customer_id as device_customer_id
    from sessions
    left join owned_devices on sessions.device_id = owned_devices.device_id
)

select
    -- A device cannot begin two sessions at one instant, so its id and that instant name the session.
    md5(device_id || '|' || cast(started_at as {{ dbt.type_string() }})) as session_id,
    device_id,
    case identified_by when 'login' then first_customer_id when 'device' then device_customer_id end as customer_id,
    identified_by,
    started_at,
    ended_at,
    cast(events as bigint) as events,
    cast(page_views as integer) as page_views,
    cast(product_views as integer) as product_views,
    cast(add_to_carts as integer) as add_to_carts,
    cast(purchases as integer) as purchases,
    cast(engagement as decimal(28, 9)) as engagement
from owned
