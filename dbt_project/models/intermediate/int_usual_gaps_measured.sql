-- What was known before a month never changes with later runs: neither do stages of the past.

with months as (
    select distinct {{ month_of('order_date') }} as month
    from {{ ref('int_customer_order_days_spaced') }}
),

second_orders as (
    select
        {{ next_month(month_of('order_date')) }} as known_from,
        gap_days,
        count(*) as customers
    from {{ ref('int_customer_order_days_spaced') }}
    where day_number = 2
    group by {{ next_month(month_of('order_date')) }}, gap_days
),

known as (
    select
        months.month,
        second_orders.gap_days,
        sum(second_orders.customers) as customers
    from months
    inner join second_orders on months.month >= second_orders.known_from
    group by months.month, second_orders.gap_days
),

ranked as (
    select
        month,
        gap_days,
        sum(customers) over (
            partition by month order by gap_days rows between unbounded preceding and current row
        ) as customers_up_to,
        sum(customers) over (partition by month) as customers
    from known
)

select
    month,
    cast(max(customers) as bigint) as customers,
    min(gap_days) as usual_gap_days
from ranked
where 2 * customers_up_to >= customers and customers >= {{ var('lifecycle_min_known_gaps') }}
group by month
