with order_days as (
    select
        customer_id,
        cast(ordered_at as date) as order_date,
        count(*) as orders
    from {{ ref('int_orders_assembled') }}
    where customer_id is not null and excluded_because is null and has_sale
    group by customer_id, cast(ordered_at as date)
),

numbered as (
    select
        customer_id,
        order_date,
        row_number() over (partition by customer_id order by order_date) as day_number,
        sum(orders) over (
            partition by customer_id order by order_date rows between unbounded preceding and current row
        ) as orders_so_far,
        min(order_date) over (partition by customer_id) as first_order_date,
        lag(order_date) over (partition by customer_id order by order_date) as previous_order_date,
        lead(order_date) over (partition by customer_id order by order_date) as next_order_date
    from order_days
)

select
    customer_id,
    order_date,
    cast(day_number as bigint) as day_number,
    cast(orders_so_far as bigint) as orders_so_far,
    {{ dbt.datediff('first_order_date', 'order_date', 'day') }} as days_since_first,
    {{ dbt.datediff('previous_order_date', 'order_date', 'day') }} as gap_days,
    {{ dbt.datediff('order_date', 'coalesce(next_order_date, ' ~ as_of_date() ~ ')', 'day') }} as silence_days
from numbered
