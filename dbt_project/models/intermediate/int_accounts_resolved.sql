{{ config(materialized='view') }}

-- Whose an account is: what an export calls a customer id. tessera/identity decides.
select key as account_id, customer_id
from {{ source('enriched', 'identities') }}
where kind = 'account' and as_of = {{ people_as_of_date() }}
