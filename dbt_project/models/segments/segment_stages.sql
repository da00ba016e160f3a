select
    as_of,
    segment_id,
    segment_name,
    lifecycle_stage,
    cast(count(*) as bigint) as customers,
    sum(monetary) as net_revenue
from {{ ref('customer_segments') }}
group by as_of, segment_id, segment_name, lifecycle_stage
