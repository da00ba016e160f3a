select
    {{ as_of_date() }} as as_of,
    event,
    customer_id,
    posts,
    orders,
    gross_revenue,
    has_bought_after_posting
from {{ ref('int_event_participants_collected') }}
