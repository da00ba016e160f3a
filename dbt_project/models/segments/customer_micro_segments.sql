select
    members.customer_id,
    members.as_of,
    members.micro_segment_id,
    members.segment_id,
    members.dimension,
    members.value
from {{ source('ml', 'customer_micro_segments') }} as members
inner join {{ source('ml', 'micro_segments') }} as micro_segments
    on members.as_of = micro_segments.as_of and members.micro_segment_id = micro_segments.micro_segment_id
where members.as_of = {{ as_of_date() }} and micro_segments.is_stable
