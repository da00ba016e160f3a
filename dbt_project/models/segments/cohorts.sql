with added_up as (
    select
        *,
        sum(gross_revenue - refunds) over (
            partition by cohort_month order by month rows between unbounded preceding and current row
        ) as cumulative_net_revenue
    from {{ ref('int_cohort_months_aggregated') }}
)

select
    {{ as_of_date() }} as as_of,
    cohort_month,
    months_since,
    month,
    is_complete,
    customers,
    active_customers,
    {{ share('active_customers', 'customers') }} as retention,
    orders,
    gross_revenue,
    refunds,
    cast(gross_revenue - refunds as decimal(18, 4)) as net_revenue,
    cast(cumulative_net_revenue as decimal(18, 4)) as cumulative_net_revenue,
    {{ share('cumulative_net_revenue', 'customers') }} as cumulative_net_revenue_per_customer
from added_up
