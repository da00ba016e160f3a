with superseded as (
    {{ superseded_rows(source('raw', 'products'), {'product_id': to_id('product_id')}) }}
)

select
    {{ to_id('product_id') }} as product_id,
    {{ to_text('product_name') }} as product_name,
    {{ to_text('category') }} as category,
    {{ to_text('brand') }} as brand,
    {{ to_decimal('list_price') }} as list_price,
    _source,
    _file,
    _load_id,
    _line,
    _item
from {{ source('raw', 'products') }} as source
where {{ is_newest('source') }}
