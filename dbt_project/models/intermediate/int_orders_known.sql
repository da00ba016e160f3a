{{ config(materialized='view') }}

-- Order headers as they stood before the as-of date.
select * from {{ ref('stg_shop__orders') }} as orders
where not exists (
    select 1 from {{ ref('stg_shop__orders_earlier') }} as earlier
    where orders.order_id = earlier.order_id
)
union all
select * from {{ ref('stg_shop__orders_earlier') }}
