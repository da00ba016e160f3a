select
    as_of,
    rule,
    description,
    condition,
    suggested_action,
    customers,
    customer_share,
    gross_revenue,
    revenue_share,
    previous_as_of,
    joined,
    gone
from {{ source('ml', 'rule_segments') }}
where as_of <= {{ as_of_date() }}
