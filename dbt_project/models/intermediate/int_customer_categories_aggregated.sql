-- What each customer bought of each category. Lines without a category have none to lean to.
select
    orders.customer_id,
    coalesce(lines.category, products.category) as category,
    cast(count(distinct orders.order_id) as bigint) as orders,
    -- A discount above the price buys nothing.
    cast(greatest(sum(lines.amount), 0) as decimal(18, 4)) as gross_revenue
from {{ ref('int_order_lines_classified') }} as lines
inner join {{ ref('int_orders_assembled') }} as orders on lines.order_id = orders.order_id
left join {{ ref('stg_shop__products') }} as products on lines.product_id = products.product_id
where lines.line_kind = 'sale'
    and orders.customer_id is not null
    and orders.excluded_because is null
    and coalesce(lines.category, products.category) is not null
group by orders.customer_id, coalesce(lines.category, products.category)
