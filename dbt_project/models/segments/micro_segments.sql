select
    as_of,
    micro_segment_id,
    segment_id,
    dimension,
    value,
    label,
    customers,
    share_of_segment,
    lift,
    gross_revenue,
    stability,
    is_stable
from {{ source('ml', 'micro_segments') }}
where as_of = {{ as_of_date() }}
