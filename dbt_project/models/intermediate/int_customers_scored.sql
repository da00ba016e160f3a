with buyers as (
    select * from {{ ref('int_customer_orders_aggregated') }}
    where frequency > 0
),

population as (
    select median(inter_purchase_days) as median_rhythm_days from buyers
)

select
    buyers.customer_id,
    {{ score_1_to_5('buyers.recency_days', better='low') }} as r_score,
    {{ score_1_to_5('buyers.frequency') }} as f_score,
    {{ score_1_to_5('buyers.monetary') }} as m_score,
    {{ lifecycle_stage(
        frequency='buyers.frequency',
        days_since_first='buyers.days_since_first_order',
        recency_days='buyers.recency_days',
        inter_purchase_days='buyers.inter_purchase_days',
        median_rhythm_days='population.median_rhythm_days'
    ) }} as lifecycle_stage
from buyers
cross join population
