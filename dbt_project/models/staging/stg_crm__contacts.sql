with superseded as (
    {{ superseded_rows(
        source('raw', 'contacts'),
        {'customer_id': to_customer('customer_id')},
        newest_by=as_known(to_timestamp('updated_at')),
    ) }}
)

select
    {{ to_customer_key('customer_id') }} as account_id,
    {{ to_email_key('email') }} as email_key,
    {{ to_handle_key('handle') }} as handle_key,
    cast(extract(year from {{ to_date('birth_date') }}) as integer) as birth_year,
    {{ to_text('gender') }} as gender,
    {{ to_text('city') }} as city,
    {{ to_text('region') }} as region,
    {{ to_text('country') }} as country,
    {{ to_timestamp('created_at') }} as created_at,
    {{ to_timestamp('updated_at') }} as updated_at,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'contacts') }} as source
where {{ is_newest('source') }}
