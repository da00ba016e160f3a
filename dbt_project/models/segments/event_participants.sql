{% set told = 'event, customer_id, posts, orders, gross_revenue, has_bought_after_posting' %}
with found as ({{ found_events() }}),

took_part as (
    select 'declared' as kind, {{ told }} from {{ ref('int_event_participants_collected') }}
    union all
    select 'found' as kind, {{ told }} from ({{ participants_of_events('found') }}) as took_part
)

select
    {{ as_of_date() }} as as_of,
    event,
    kind,
    customer_id,
    posts,
    orders,
    gross_revenue,
    has_bought_after_posting
from took_part
