select
    customer_id,
    {{ as_of_date() }} as as_of,
    changed_on,
    left_on,
    from_stage,
    to_stage,
    cause
from {{ ref('int_customer_lifecycle_changed') }}
