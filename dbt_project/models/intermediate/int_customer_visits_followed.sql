-- Visits and orders of a customer are laid on one line of time, so one sort finds the order in a
-- visit and the first one after it. Only visits that have had buy_later_days since then: else the
-- newest would look as if nobody came back. What is ordered within session_gap_minutes of a visit's
-- end was ordered in it: shops and trackers tell the time by their own clocks.
{% set ended_before = days_before_as_of(var('buy_later_days')) %}
{% set begun_after = days_before_as_of(var('buy_later_days') + var('journey_days')) %}
{% set in_visit = var('session_gap_minutes') * 60000000 %}

with visits as (
    select session_id, customer_id, started_at, ended_at, product_views, add_to_carts, purchases
    from {{ ref('int_web_sessions_assembled') }}
    where customer_id is not null
        and started_at >= {{ begun_after }}
        and ended_at < {{ ended_before }}
        and {{ allows_analytics('customer_id') }}
),

moments as (
    select session_id, customer_id, ended_at as happened_at, cast(null as timestamp) as ordered_at
    from visits
    union all
    select null as session_id, customer_id, ordered_at as happened_at, ordered_at
    from {{ ref('int_orders_assembled') }}
    where customer_id in (select customer_id from visits)
        and excluded_because is null and has_sale
        and ordered_at >= {{ begun_after }}
),

surrounded as (
    select
        session_id,
        max(ordered_at) over (
            partition by customer_id order by happened_at
            range between unbounded preceding and interval '{{ in_visit }}' microsecond following
        ) as ordered_before_at,
        min(ordered_at) over (
            partition by customer_id order by happened_at
            range between interval '{{ in_visit + 1 }}' microsecond following and unbounded following
        ) as ordered_after_at
    from moments
),

judged as (
    select
        visits.*,
        visits.purchases > 0 or coalesce(surrounded.ordered_before_at >= visits.started_at, false) as has_bought,
        case
            when surrounded.ordered_after_at <= {{ dbt.dateadd('day', var('buy_later_days'), 'visits.ended_at') }}
                then {{ hours_between('visits.ended_at', 'surrounded.ordered_after_at') }}
        end as hours_to_buy
    from visits
    inner join surrounded on visits.session_id = surrounded.session_id
),

looked_at as (
    select
        items.session_id,
        coalesce(items.category, products.category, 'unknown') as category,
        max(case when items.action = 'add_to_cart' then 1 else 0 end) = 1 as has_cart
    from {{ ref('int_web_product_interactions') }} as items
    left join {{ ref('stg_shop__products') }} as products on items.product_id = products.product_id
    where items.action in ('product_view', 'add_to_cart') and items.session_id is not null
    group by items.session_id, coalesce(items.category, products.category, 'unknown')
),

seen as (
    select session_id, 'all' as category, add_to_carts > 0 as has_cart
    from judged
    where product_views > 0 or add_to_carts > 0 or has_bought
    union all
    select session_id, case when category = 'all' then 'category all' else category end as category, has_cart
    from looked_at
)

select
    seen.category,
    judged.session_id,
    judged.customer_id,
    case
        when seen.has_cart and judged.has_bought then 'view > cart > buy'
        when seen.has_cart then 'view > cart > abandon'
        when judged.has_bought then 'view > buy'
        else 'view'
    end as sequence,
    cast(judged.hours_to_buy as double) as hours_to_buy
from seen
inner join judged on seen.session_id = judged.session_id
