with bought as (
    select
        orders.customer_id,
        lines.product_id,
        lines.category,
        sum(lines.amount) as amount
    from {{ ref('int_order_lines_classified') }} as lines
    inner join {{ ref('int_orders_assembled') }} as orders on lines.order_id = orders.order_id
    where lines.line_kind = 'sale'
        and orders.customer_id is not null
        and orders.excluded_because is null
    group by orders.customer_id, lines.product_id, lines.category
),

categorised as (
    select
        bought.customer_id,
        bought.product_id,
        -- What the line says of its category goes before the catalogue, which is of today.
        coalesce(bought.category, products.category) as category,
        bought.amount
    from bought
    left join {{ ref('stg_shop__products') }} as products on bought.product_id = products.product_id
),

products as (
    select
        customer_id,
        count(distinct product_id) as distinct_products
    from categorised
    group by customer_id
),

categories as (
    select
        customer_id,
        category,
        sum(amount) as amount
    from categorised
    where category is not null
    group by customer_id, category
),

favourites as (
    select
        customer_id,
        count(*) as distinct_categories,
        {{ first_by('category', ['-amount', 'category']) }} as favourite_category
    from categories
    group by customer_id
)

select
    products.customer_id,
    cast(products.distinct_products as bigint) as distinct_products,
    cast(favourites.distinct_categories as bigint) as distinct_categories,
    favourites.favourite_category
from products
left join favourites on products.customer_id = favourites.customer_id
