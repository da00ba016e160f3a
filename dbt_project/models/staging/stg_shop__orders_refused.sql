select distinct
    {{ to_id('row_key') }} as order_id,
    column_name as refused_for
from {{ source('quarantine', 'rows') }}
where kind = 'orders' and row_key is not null
