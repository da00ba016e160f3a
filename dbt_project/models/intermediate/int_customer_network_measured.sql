-- Her place among those who follow, mention and answer one another.
select
    customer_id,
    community_id,
    influence,
    coreness,
    audience,
    is_bridge
from {{ source('enriched', 'network_nodes') }}
where as_of = {{ as_of_date() }}
    and customer_id is not null
    and {{ allows_analytics('customer_id') }}
