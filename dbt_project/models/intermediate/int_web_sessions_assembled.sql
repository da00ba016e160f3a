-- Whose the sessions are: docs block `device_stitching`.

with known as (
    select
        sessions.*,
        firsts.customer_id as first_customer_id,
        lasts.customer_id as last_customer_id
    from {{ ref('int_web_sessions_judged') }} as sessions
    left join {{ ref('int_accounts_resolved') }} as firsts on sessions.first_account_id = firsts.account_id
    left join {{ ref('int_accounts_resolved') }} as lasts on sessions.last_account_id = lasts.account_id
),

owned_devices as (
    select
        device_id,
        min(first_customer_id) as customer_id
    from known
    where first_customer_id is not null
    group by device_id
    having min(least(first_customer_id, last_customer_id)) = max(greatest(first_customer_id, last_customer_id))
),

-- The customer's nearest sessions on the device, before and after, in which she is known.
surrounded as (
    select
        sessions.session_id,
        owned_devices.customer_id,
        sessions.started_at,
        max(case when sessions.first_customer_id is not null then sessions.started_at end) over (
            partition by sessions.device_id order by sessions.started_at
            rows between unbounded preceding and current row
        ) as known_before_at,
        min(case when sessions.first_customer_id is not null then sessions.started_at end) over (
            partition by sessions.device_id order by sessions.started_at
            rows between current row and unbounded following
        ) as known_after_at
    from known as sessions
    inner join owned_devices on sessions.device_id = owned_devices.device_id
),

stitched as (
    select session_id, customer_id
    from surrounded
    where known_after_at <= {{ dbt.dateadd('day', var('stitch_window_days'), 'started_at') }}
        or started_at <= {{ dbt.dateadd('day', var('stitch_window_days'), 'known_before_at') }}
)

select
    sessions.session_id,
    sessions.device_id,
    case
        when sessions.first_customer_id = sessions.last_customer_id then sessions.first_customer_id
        when sessions.first_customer_id is null then stitched.customer_id
    end as customer_id,
    case
        when sessions.first_customer_id = sessions.last_customer_id then 'login'
        when sessions.first_customer_id is null and stitched.customer_id is not null then 'device'
    end as identified_by,
    sessions.started_at,
    sessions.ended_at,
    sessions.events,
    sessions.page_views,
    sessions.product_views,
    sessions.add_to_carts,
    sessions.purchases,
    {{ decayed_points(event_points('sessions'), 'sessions.started_at') }} as engagement
from known as sessions
left join stitched on sessions.session_id = stitched.session_id
where sessions.excluded_because is null
