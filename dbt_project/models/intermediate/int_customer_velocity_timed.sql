with order_days as (
    select distinct
        customer_id,
        cast(ordered_at as date) as order_date
    from {{ ref('int_orders_assembled') }}
    where customer_id is not null and excluded_because is null and has_sale
),

gaps as (
    select
        customer_id,
        order_date,
        {{ dbt.datediff(
            'lag(order_date) over (partition by customer_id order by order_date)', 'order_date', 'day'
        ) }} as gap_days
    from order_days
),

rhythms as (
    select
        customer_id,
        {{ days_until_as_of('max(order_date)') }} as current_gap_days,
        median(cast(gap_days as double)) as median_gap_days
    from gaps
    group by customer_id
),

first_orders as (
    select
        customer_id,
        min(ordered_at) as first_order_at
    from {{ ref('int_orders_assembled') }}
    where customer_id is not null and excluded_because is null and has_sale
    group by customer_id
),

visits as (
    select
        customer_id,
        min(started_at) as first_visit_at,
        sum(case when started_at >= {{ days_before_as_of(var('trend_window_days')) }} then 1 else 0 end) as latest,
        sum(case when started_at >= {{ days_before_as_of(2 * var('trend_window_days')) }}
            and started_at < {{ days_before_as_of(var('trend_window_days')) }} then 1 else 0 end) as prior
    from {{ ref('int_web_sessions_assembled') }}
    where customer_id is not null and {{ allows_analytics('customer_id') }}
    group by customer_id
)

select
    coalesce(rhythms.customer_id, visits.customer_id) as customer_id,
    -- Who bought before she was first seen on the web did not come to buy by that visit.
    case
        when visits.first_visit_at <= first_orders.first_order_at
            then cast({{ hours_between('visits.first_visit_at', 'first_orders.first_order_at') }} as double) / 24
    end as first_visit_to_buy_days,
    rhythms.median_gap_days as median_purchase_gap_days,
    {{ share(
        'rhythms.current_gap_days',
        'case when rhythms.median_gap_days is not null then greatest(rhythms.median_gap_days, '
            ~ var('lifecycle_min_rhythm_days') ~ ') end'
    ) }} as overdue_ratio,
    {{ share('visits.latest - visits.prior', 'visits.latest + visits.prior') }} as session_trend
from rhythms
inner join first_orders on rhythms.customer_id = first_orders.customer_id
full outer join visits on rhythms.customer_id = visits.customer_id
