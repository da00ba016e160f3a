-- Money of the exports before the as-of date = money of customers + anonymous + excluded, for sales
-- and for refunds. The left side is added up from staging alone (its orders as they stood then), line
-- by line, without the dbt models that decide where it goes.

with paid as (
    select lines.*, coalesce(lines.currency, headers.currency) as paid_in
    from {{ ref('int_order_lines_known') }} as lines
    left join {{ ref('int_orders_known') }} as headers on lines.order_id = headers.order_id
),

line_money as (
    select
        case when lines.quantity > 0 and lines.unit_price > 0 and not lines.is_refund then amount else 0 end as sale,
        case when lines.is_refund or (lines.quantity < 0 and lines.unit_price > 0) then abs(amount) else 0 end as refund
    from (
        select
            *,
            cast({{ in_company_currency(line_value('quantity', 'unit_price') ~ ' - coalesce(discount_amount, 0)', 'paid_in') }} as decimal(18, 4)) as amount
        from paid
    ) as lines
    left join {{ ref('int_orders_known') }} as headers on lines.order_id = headers.order_id
    where (lines.ordered_at is null or lines.ordered_at < {{ as_of_start() }})
        and (headers.ordered_at is null or headers.ordered_at < {{ as_of_start() }})
),

header_money as (
    select
        case when total_amount > 0 then total_amount else 0 end as sale,
        case when total_amount < 0 then -total_amount else 0 end as refund
    from (
        select order_id, ordered_at, {{ in_company_currency('total_amount', 'currency') }} as total_amount
        from {{ ref('int_orders_known') }}
    ) as headers
    where ordered_at < {{ as_of_start() }}
        and not exists (
            select 1 from {{ ref('int_order_lines_known') }} as lines
            where lines.order_id = headers.order_id
                and (lines.ordered_at is null or lines.ordered_at < {{ as_of_start() }})
        )
),

refund_money as (
    select
        0 as sale,
        {{ in_company_currency('refunds.amount', 'coalesce(refunds.currency, orders.currency)') }} as refund
    from {{ ref('stg_shop__refunds') }} as refunds
    left join {{ ref('int_orders_assembled') }} as orders on refunds.order_id = orders.order_id
    where refunded_at < {{ as_of_start() }}
),

staged as (
    select coalesce(sum(sale), 0) as gross_revenue, coalesce(sum(refund), 0) as refunds
    from (
        select sale, refund from line_money
        union all select sale, refund from header_money
        union all select sale, refund from refund_money
    ) as all_money
),

placed as (
    select coalesce(sum(gross_revenue), 0) as gross_revenue, coalesce(sum(refunds), 0) as refunds
    from {{ ref('int_order_revenue_balanced') }}
)

select
    staged.gross_revenue as staged_gross_revenue,
    placed.gross_revenue as placed_gross_revenue,
    staged.refunds as staged_refunds,
    placed.refunds as placed_refunds
from staged
cross join placed
where staged.gross_revenue <> placed.gross_revenue or staged.refunds <> placed.refunds
