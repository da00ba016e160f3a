-- How much more of a category a customer buys than all customers do. Who bought little is drawn
-- towards everybody's share: as if she had also spent what a customer spends on average, as all do.
with totals as (
    select
        *,
        sum(gross_revenue) over (partition by customer_id) as customer_revenue,
        sum(gross_revenue) over (partition by category) as category_revenue,
        sum(gross_revenue) over () as all_revenue
    from {{ ref('int_customer_categories_aggregated') }}
),

typical as (
    select {{ share('sum(gross_revenue)', 'count(distinct customer_id)') }} as mean_customer_revenue
    from {{ ref('int_customer_categories_aggregated') }}
),

shares as (
    select
        totals.*,
        {{ share('totals.gross_revenue', 'totals.customer_revenue') }} as spend_share,
        {{ share('totals.category_revenue', 'totals.all_revenue') }} as population_share,
        typical.mean_customer_revenue
    from totals
    cross join typical
),

leanings as (
    select
        *,
        round({{ share('spend_share', 'population_share') }}, 9) as lift,
        round(
            (cast(gross_revenue as double) + mean_customer_revenue * population_share)
            / nullif((cast(customer_revenue as double) + mean_customer_revenue) * population_share, 0),
            9
        ) as affinity
    from shares
)

select
    {{ as_of_date() }} as as_of,
    customer_id,
    category,
    cast(row_number() over (
        partition by customer_id order by affinity desc nulls last, gross_revenue desc, category
    ) as integer) as affinity_rank,
    orders,
    gross_revenue,
    spend_share,
    population_share,
    lift,
    affinity
from leanings
