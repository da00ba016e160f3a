{{ config(materialized='view') }}

-- A handle that several people share identifies nobody, and is not here.
select key as handle_key, customer_id
from {{ source('enriched', 'identities') }}
where kind = 'handle' and as_of = {{ people_as_of_date() }}
