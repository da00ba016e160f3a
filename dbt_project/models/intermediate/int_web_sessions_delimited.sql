-- Sessions as the events of all dates give them, whatever the as-of date: docs block `web_session`.
{{ config(
    materialized=incrementally(),
    incremental_strategy='by_touch',
    replaces='touched_sessions',
    post_hook='{{ strike_touched_devices_out() }}',
) }}

with slots as (
    select slots.*
    from {{ ref('int_web_events_condensed') }} as slots
    {%- if follows_log() %}
    inner join ({{ devices_to_rebuild(this) }}) as touched
        on slots.device_id = touched.device_id and slots.first_at >= touched.rebuilt_from
    {%- endif %}
    where not slots.is_crawler and slots.device_id is not null
),

marked as (
    select
        *,
        case
            when first_at < {{ dbt.dateadd('minute', var('session_gap_minutes'), 'max(last_at) over (
                partition by device_id order by first_at
                rows between unbounded preceding and 1 preceding
            )') }} then 0
            else 1
        end as starts_session
    from slots
),

numbered as (
    select
        *,
        sum(starts_session) over (
            partition by device_id order by first_at rows unbounded preceding
        ) as session_number
    from marked
)

select
    -- A device cannot begin two sessions at one instant, so its id and that instant name the session.
    md5(device_id || '|' || cast(min(first_at) as {{ dbt.type_string() }})) as session_id,
    device_id,
    min(account_id) as first_account_id,
    max(account_id) as last_account_id,
    min(first_at) as started_at,
    max(last_at) as ended_at,
    cast(sum(events) as bigint) as events,
    cast(sum(page_views) as bigint) as page_views,
    cast(sum(product_views) as bigint) as product_views,
    cast(sum(add_to_carts) as bigint) as add_to_carts,
    cast(sum(purchases) as bigint) as purchases
from numbered
group by device_id, session_number
