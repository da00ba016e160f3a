{% set flags = churn_flags('overdue_ratio', 'purchase_trend', 'session_trend') %}

select
    customer_id,
    as_of,
    lifecycle_stage,
    first_visit_to_buy_days,
    browse_to_buy_hours,
    recency_days as current_gap_days,
    median_purchase_gap_days,
    overdue_ratio,
    purchase_trend,
    session_trend,
    {%- for name, condition in flags.items() %}
    {{ condition }} as {{ name }},
    {%- endfor %}
    churn_indicators
from {{ ref('customer_features') }}
where frequency > 0
