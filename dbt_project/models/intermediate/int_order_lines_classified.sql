{{ config(materialized='view') }}

select
    order_id,
    line_id,
    product_id,
    category,
    customer_id,
    ordered_at,
    quantity,
    {{ line_kind('is_refund', 'quantity', 'unit_price') }} as line_kind,
    {{ line_value('quantity', 'unit_price') }} as list_amount,
    discount_amount,
    cast({{ line_value('quantity', 'unit_price') }} - coalesce(discount_amount, 0) as decimal(18, 4)) as amount
from {{ ref('stg_shop__order_lines') }}
-- A line without a time of its own has its order's, which int_orders_assembled checks.
where ordered_at is null or ordered_at < {{ as_of_start() }}
