{{ config(materialized='view') }}

with lines as (
    select
        lines.*,
        {%- if var('rates') %}
        coalesce(lines.currency, headers.currency) as paid_in,
        {%- else %}
        lines.currency as paid_in,
        {%- endif %}
        {{ line_value('lines.quantity', 'lines.unit_price') }} as value
    from {{ ref('int_order_lines_known') }} as lines
    {%- if var('rates') %}
    left join {{ ref('int_orders_known') }} as headers on lines.order_id = headers.order_id
    {%- endif %}
)

select
    order_id,
    line_id,
    product_id,
    category,
    account_id,
    ordered_at,
    quantity,
    {{ line_kind('is_refund', 'quantity', 'unit_price') }} as line_kind,
    {{ in_company_currency('value', 'paid_in') }} as list_amount,
    {{ in_company_currency('discount_amount', 'paid_in') }} as discount_amount,
    cast({{ in_company_currency('value - coalesce(discount_amount, 0)', 'paid_in') }} as decimal(18, 4)) as amount
from lines
-- A line without a time of its own has its order's, which int_orders_assembled checks.
where ordered_at is null or ordered_at < {{ as_of_start() }}
