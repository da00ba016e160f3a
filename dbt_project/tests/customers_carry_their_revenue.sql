-- What customer_features says in all is what the balance gives to customers.
with features as (
    select
        coalesce(sum(gross_revenue), 0) as gross_revenue,
        coalesce(sum(refunds), 0) as refunds,
        coalesce(sum(monetary), 0) as monetary
    from {{ ref('customer_features') }}
),

balance as (
    select coalesce(sum(gross_revenue), 0) as gross_revenue, coalesce(sum(refunds), 0) as refunds
    from {{ ref('int_order_revenue_balanced') }}
    where destination = 'customers'
)

select features.*
from features
cross join balance
where features.gross_revenue <> balance.gross_revenue
    or features.refunds <> balance.refunds
    or features.monetary <> features.gross_revenue - features.refunds
