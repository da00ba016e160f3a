-- What the customers of each month of first purchase did in each month since. A refund is taken off
-- the month of the order that it gives back, so that what was told of a month is told anew when its
-- goods come back; a credit note that names no order counts in its own month.

with orders as (
    select
        order_id,
        customer_id,
        {{ month_of('ordered_at') }} as month,
        has_sale,
        gross_amount,
        refund_amount
    from {{ ref('int_orders_assembled') }}
    where customer_id is not null and excluded_because is null
),

cohorts as (
    select customer_id, min(month) as cohort_month
    from orders
    where has_sale
    group by customer_id
),

sizes as (
    select cohort_month, count(*) as customers
    from cohorts
    group by cohort_month
),

later_refunds as (
    select order_id, sum(amount) as amount
    from {{ ref('int_refunds_attributed') }}
    where is_order_known
    group by order_id
),

placed as (
    select
        cohorts.cohort_month,
        -- A credit note from before her first purchase on record belongs to its beginning.
        greatest(orders.month, cohorts.cohort_month) as month,
        orders.customer_id,
        orders.has_sale,
        orders.gross_amount,
        orders.refund_amount + coalesce(later_refunds.amount, 0) as refund_amount
    from orders
    inner join cohorts on orders.customer_id = cohorts.customer_id
    left join later_refunds on orders.order_id = later_refunds.order_id
),

done as (
    select
        cohort_month,
        month,
        count(distinct case when has_sale then customer_id end) as active_customers,
        sum(case when has_sale then 1 else 0 end) as orders,
        sum(gross_amount) as gross_revenue,
        sum(refund_amount) as refunds
    from placed
    group by cohort_month, month
),

-- All months from the first purchase on, those without any order among them.
months as (
    select {{ each_month('min(cohort_month)', month_of(days_before_as_of(1))) }} as month
    from sizes
),

grid as (
    select sizes.cohort_month, sizes.customers, months.month
    from sizes
    inner join months on sizes.cohort_month <= months.month
)

select
    grid.cohort_month,
    grid.month,
    cast({{ dbt.datediff('grid.cohort_month', 'grid.month', 'month') }} as integer) as months_since,
    {{ next_month('grid.month') }} <= {{ as_of_date() }} as is_complete,
    cast(grid.customers as bigint) as customers,
    cast(coalesce(done.active_customers, 0) as bigint) as active_customers,
    cast(coalesce(done.orders, 0) as bigint) as orders,
    cast(coalesce(done.gross_revenue, 0) as decimal(18, 4)) as gross_revenue,
    cast(coalesce(done.refunds, 0) as decimal(18, 4)) as refunds
from grid
left join done on grid.cohort_month = done.cohort_month and grid.month = done.month
