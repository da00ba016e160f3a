-- A refund belongs to whoever placed its order; nobody knows the customer of an unknown order.
select
    refunds.refund_id,
    refunds.order_id,
    refunds.refunded_at,
    {{ in_company_currency('refunds.amount', 'coalesce(refunds.currency, orders.currency)') }} as amount,
    orders.order_id is not null as is_order_known,
    orders.customer_id,
    orders.excluded_because
from {{ ref('stg_shop__refunds') }} as refunds
left join {{ ref('int_orders_assembled') }} as orders on refunds.order_id = orders.order_id
where refunds.refunded_at < {{ as_of_start() }}
