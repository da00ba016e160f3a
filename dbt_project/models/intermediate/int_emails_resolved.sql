{{ config(materialized='view') }}

-- An e-mail address that two contacts share identifies nobody.
select
    email_key,
    min(customer_id) as customer_id
from {{ ref('stg_crm__contacts') }}
where email_key is not null
    and (created_at is null or created_at < {{ as_of_start() }})
group by email_key
having count(*) = 1
