select
    as_of,
    trigger_name,
    description,
    condition,
    customers,
    previous_as_of,
    fired
from {{ source('ml', 'triggers') }}
where as_of <= {{ as_of_date() }}
