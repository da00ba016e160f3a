select
    as_of,
    funnel,
    dimension,
    value,
    step_number,
    step,
    users,
    conversion_from_previous,
    conversion_from_first,
    median_hours_from_previous
from {{ source('ml', 'funnels') }}
where as_of = {{ as_of_date() }}
