-- No assignment of this as-of date is lost in the join with its features.
select assignments.customer_id, assignments.as_of
from {{ source('ml', 'assignments') }} as assignments
left join {{ ref('customer_segments') }} as segments
    on assignments.customer_id = segments.customer_id and assignments.as_of = segments.as_of
where assignments.as_of = {{ as_of_date() }} and segments.customer_id is null
