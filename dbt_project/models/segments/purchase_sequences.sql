select
    as_of,
    category,
    sequence,
    sequences,
    customers,
    bought_later,
    bought_later_share,
    median_hours_to_buy
from {{ source('ml', 'purchase_sequences') }}
where as_of = {{ as_of_date() }}
