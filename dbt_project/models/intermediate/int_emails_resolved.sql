{{ config(materialized='view') }}

-- An e-mail address that several people share identifies nobody, and is not here.
select key as email_key, customer_id
from {{ source('enriched', 'identities') }}
where kind = 'email' and as_of = {{ people_as_of_date() }}
