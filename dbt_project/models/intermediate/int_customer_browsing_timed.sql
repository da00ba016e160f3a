-- From the first session of the days before an order to the order. Orders and session starts are
-- laid on one line of time per customer, so one sort answers it; a join of all her sessions with
-- all her orders would multiply them.

with buyers as (
    select customer_id, ordered_at as happened_at
    from {{ ref('int_orders_assembled') }}
    where customer_id is not null and excluded_because is null and has_sale
        and {{ allows_analytics('customer_id') }}
),

moments as (
    select customer_id, happened_at, true as is_order from buyers
    union all
    select customer_id, started_at as happened_at, false as is_order
    from {{ ref('int_web_sessions_assembled') }}
    where customer_id in (select customer_id from buyers)
),

timed as (
    select
        customer_id,
        is_order,
        happened_at,
        min(case when not is_order then happened_at end) over (
            partition by customer_id order by happened_at
            range between interval '{{ var('browse_window_days') }}' day preceding and current row
        ) as browsing_began_at
    from moments
)

select
    customer_id,
    count(*) as orders_browsed_for,
    median({{ hours_between('browsing_began_at', 'happened_at') }}) as browse_to_buy_hours
from timed
where is_order and browsing_began_at is not null
group by customer_id
