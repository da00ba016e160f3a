with listed as (
    {{ product_items(ref('int_web_commerce_classified')) }}
),

-- Most events of some vendors are about one product and have no list.
single as (
    select * from {{ ref('int_web_commerce_classified') }}
    where product_id is not null and not coalesce({{ is_json_list('products') }}, false)
)

select
    event_id,
    cast(item_number as bigint) as item_number,
    device_id,
    session_id,
    customer_id,
    tracker_session_id,
    occurred_at,
    action,
    order_id,
    {{ to_id('item.product_id') }} as product_id,
    {{ to_text('item.name') }} as product_name,
    {{ to_text('item.category') }} as category,
    {{ to_text('item.brand') }} as brand,
    {{ to_text('item.variant') }} as variant,
    {{ decimal_or_null('item.price') }} as price,
    {{ decimal_or_null('item.quantity') }} as quantity,
    coalesce({{ to_text('item.currency') }}, currency) as currency,
    _load_id,
    _line,
    _item
from listed

union all

select
    event_id,
    cast(1 as bigint) as item_number,
    device_id,
    session_id,
    customer_id,
    tracker_session_id,
    occurred_at,
    action,
    order_id,
    product_id,
    cast(null as {{ dbt.type_string() }}) as product_name,
    category,
    cast(null as {{ dbt.type_string() }}) as brand,
    cast(null as {{ dbt.type_string() }}) as variant,
    cast(null as decimal(18, 4)) as price,
    cast(null as decimal(18, 4)) as quantity,
    currency,
    _load_id,
    _line,
    _item
from single
