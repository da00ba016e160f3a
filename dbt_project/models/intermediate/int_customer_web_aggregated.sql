select
    customer_id,
    count(*) as web_sessions,
    {{ days_until_as_of('max(started_at)') }} as session_recency_days,
    cast(sum(case when started_at >= {{ days_before_as_of(90) }} then 1 else 0 end) as bigint) as sessions_last_90_days,
    cast(sum(page_views) as bigint) as page_views,
    {{ share('sum(page_views)', 'count(*)') }} as pages_per_session,
    {{ share('sum(case when add_to_carts > 0 then 1 else 0 end)', 'count(*)') }} as add_to_cart_rate,
    {{ share(
        'sum(case when add_to_carts > 0 and purchases = 0 then 1 else 0 end)',
        'sum(case when add_to_carts > 0 then 1 else 0 end)'
    ) }} as cart_abandonment_rate,
    cast(sum(engagement) as decimal(28, 9)) as engagement
from {{ ref('int_web_sessions_assembled') }}
where customer_id is not null and {{ allows_analytics('customer_id') }}
group by customer_id
