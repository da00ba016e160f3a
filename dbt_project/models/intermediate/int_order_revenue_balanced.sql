-- Where every euro of the exports went: to customers, to nobody in particular, or left out and why.

with amounts as (
    select
        excluded_because,
        customer_id,
        1 as orders,
        lines,
        gross_amount,
        refund_amount
    from {{ ref('int_orders_assembled') }}
    union all
    select
        excluded_because,
        customer_id,
        0 as orders,
        0 as lines,
        0 as gross_amount,
        amount as refund_amount
    from {{ ref('int_refunds_attributed') }}
)

select
    case
        when excluded_because is not null then 'excluded: ' || excluded_because
        when customer_id is null then 'anonymous'
        else 'customers'
    end as destination,
    cast(sum(orders) as bigint) as orders,
    cast(sum(lines) as bigint) as lines,
    cast(sum(gross_amount) as decimal(38, 4)) as gross_revenue,
    cast(sum(refund_amount) as decimal(38, 4)) as refunds
from amounts
group by 1
