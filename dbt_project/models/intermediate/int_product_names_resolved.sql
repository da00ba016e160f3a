-- The catalogue's name, else the one that most lines say.
with said as (
    select
        lines.product_id,
        lines.product_name,
        count(*) as said_by_lines
    from {{ ref('stg_shop__order_lines') }} as lines
    inner join {{ ref('int_orders_assembled') }} as orders on lines.order_id = orders.order_id
    where lines.product_id is not null and lines.product_name is not null
        and (lines.ordered_at is null or lines.ordered_at < {{ as_of_start() }})
    group by lines.product_id, lines.product_name
),

names as (
    select
        product_id,
        {{ first_by('product_name', ['-said_by_lines', 'product_name']) }} as product_name
    from said
    group by product_id
)

select
    coalesce(products.product_id, names.product_id) as product_id,
    coalesce(products.product_name, names.product_name) as product_name
from {{ ref('stg_shop__products') }} as products
full outer join names on products.product_id = names.product_id
where coalesce(products.product_name, names.product_name) is not null
