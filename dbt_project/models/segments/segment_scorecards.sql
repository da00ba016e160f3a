select
    scored.as_of,
    scored.segment_id,
    names.segment_name,
    scored.customers,
    scored.customer_share,
    scored.gross_revenue,
    scored.revenue_share,
    scored.silhouette,
    scored.silhouette_customers,
    scored.misfit_share,
    scored.stability,
    scored.standing,
    scored.mean_confidence,
    scored.average_order_value,
    scored.conversion_rate,
    scored.is_retained,
    scored.is_churned
from {{ source('ml', 'segment_scorecards') }} as scored
inner join (
    select distinct segment_id, segment_name from {{ ref('customer_segments') }}
) as names on scored.segment_id = names.segment_id
where scored.as_of = {{ as_of_date() }}
