{{ config(materialized='view') }}

-- A handle that two contacts share identifies nobody.
select
    handle_key,
    min(customer_id) as customer_id
from {{ ref('stg_crm__contacts') }}
where handle_key is not null
    and (created_at is null or created_at < {{ as_of_start() }})
group by handle_key
having count(*) = 1
