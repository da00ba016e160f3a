select
    consents.customer_id,
    {{ as_of_date() }} as as_of,
    consents.purpose,
    consents.is_granted,
    consents.changed_at
from {{ ref('int_consents_decided') }} as consents
inner join {{ ref('int_customers_collected') }} as customers on consents.customer_id = customers.customer_id
