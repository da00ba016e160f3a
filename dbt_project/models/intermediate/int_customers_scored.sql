with buyers as (
    select * from {{ ref('int_customer_orders_aggregated') }}
    where frequency > 0
),

stages as (
    select
        customer_id,
        to_stage as lifecycle_stage,
        changed_on as lifecycle_since
    from {{ ref('int_customer_lifecycle_changed') }}
    where left_on is null
)

select
    buyers.customer_id,
    {{ score_1_to_5('buyers.recency_days', better='low') }} as r_score,
    {{ score_1_to_5('buyers.frequency') }} as f_score,
    {{ score_1_to_5('buyers.monetary') }} as m_score,
    stages.lifecycle_stage,
    stages.lifecycle_since
from buyers
left join stages on buyers.customer_id = stages.customer_id
