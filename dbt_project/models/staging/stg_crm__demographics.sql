select
    {{ to_customer_key('customer_id') }} as account_id,
    {{ to_email_key('email') }} as email_key,
    {{ pseudonym('email_hash', 'lower(' ~ to_text('email_hash') ~ ')') }} as email_hash_key,
    {{ to_text('age_band') }} as age_band,
    {{ to_text('income_band') }} as income_band,
    {{ to_integer('household_size') }} as household_size,
    {{ to_text('education') }} as education,
    {{ to_text('occupation') }} as occupation,
    {{ to_text('home_ownership') }} as home_ownership,
    {{ to_text('marital_status') }} as marital_status,
    {{ to_text('region') }} as region,
    {{ to_timestamp('updated_at') }} as updated_at,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'demographics') }} as source
