select
    customer_id,
    as_of,
    trigger_name,
    previous_as_of
from {{ source('ml', 'trigger_events') }}
where as_of <= {{ as_of_date() }}
