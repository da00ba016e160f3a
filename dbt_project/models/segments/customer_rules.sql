select
    customer_id,
    as_of,
    rule
from {{ source('ml', 'customer_rules') }}
where as_of = {{ as_of_date() }}
