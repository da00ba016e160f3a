{{ config(materialized='table') }}

with superseded as (
    {{ superseded_rows(
        source('raw', 'contacts'),
        {'customer_id': to_id('customer_id')},
        newest_by=[to_timestamp('updated_at')],
    ) }}
)

select
    {{ to_id('customer_id') }} as customer_id,
    {{ to_email('email') }} as email,
    {{ to_text('phone') }} as phone,
    {{ to_text('first_name') }} as first_name,
    {{ to_text('last_name') }} as last_name,
    {{ to_date('birth_date') }} as birth_date,
    {{ to_text('gender') }} as gender,
    {{ to_text('street') }} as street,
    {{ to_text('city') }} as city,
    {{ to_text('postal_code') }} as postal_code,
    {{ to_text('country') }} as country,
    {{ to_handle('handle') }} as handle,
    {{ to_timestamp('created_at') }} as created_at,
    {{ to_timestamp('updated_at') }} as updated_at,
    _source,
    _load_id,
    _line
from {{ source('raw', 'contacts') }} as source
where {{ is_newest('source') }}
