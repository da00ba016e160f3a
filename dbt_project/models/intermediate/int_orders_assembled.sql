-- An order is its header, its lines, or both: shops export one, the other, or the two.

with lines as (
    select
        order_id,
        min(account_id) as account_id,
        min(ordered_at) as ordered_at,
        count(*) as lines,
        sum(case when line_kind = 'sale' then 1 else 0 end) as sale_lines,
        sum(case when line_kind = 'sale' then amount else 0 end) as gross_amount,
        sum(case when line_kind = 'refund' then abs(amount) else 0 end) as refund_amount,
        sum(case when line_kind = 'adjustment' then amount else 0 end) as adjustment_amount,
        sum(case when line_kind = 'sale' then list_amount end) as list_amount,
        sum(case when line_kind = 'sale' then discount_amount end) as discount_amount,
        sum(case when line_kind = 'sale' then quantity end) as units
    from {{ ref('int_order_lines_classified') }}
    group by order_id
),

headers as (
    select
        order_id,
        account_id,
        email_key,
        ordered_at,
        status,
        is_test,
        currency,
        {{ in_company_currency('total_amount', 'currency') }} as total_amount
    from {{ ref('int_orders_known') }}
),

-- Headers in a currency that has no rate: their lines must not count as the company's own money.
unpriced as (
    select distinct order_id
    from {{ ref('stg_shop__orders_refused') }}
    where refused_for = 'currency'
),

joined as (
    select
        coalesce(headers.order_id, lines.order_id) as order_id,
        coalesce(headers.account_id, lines.account_id) as account_id,
        headers.email_key,
        coalesce(headers.ordered_at, lines.ordered_at) as ordered_at,
        headers.status,
        headers.currency,
        coalesce(headers.is_test, false) as is_test,
        headers.order_id is not null as has_header,
        headers.order_id is null and unpriced.order_id is not null as is_unpriced,
        coalesce(lines.lines, 0) as lines,
        -- Without lines the header's total is the order: a sale, or a refund if negative.
        coalesce(lines.sale_lines, case when headers.total_amount > 0 then 1 else 0 end) as sale_lines,
        coalesce(lines.gross_amount, greatest(headers.total_amount, 0), 0) as gross_amount,
        coalesce(lines.refund_amount, -least(headers.total_amount, 0), 0) as refund_amount,
        coalesce(lines.adjustment_amount, 0) as adjustment_amount,
        lines.list_amount,
        lines.discount_amount,
        lines.units
    from headers
    full outer join lines on headers.order_id = lines.order_id
    left join unpriced on lines.order_id = unpriced.order_id
)

select
    joined.order_id,
    coalesce(accounts.customer_id, emails.customer_id) as customer_id,
    joined.ordered_at,
    {{ order_exclusion('joined.is_test', 'joined.status', 'joined.ordered_at', 'joined.is_unpriced') }} as excluded_because,
    joined.currency,
    joined.has_header,
    cast(joined.lines as bigint) as lines,
    joined.sale_lines > 0 as has_sale,
    cast(joined.gross_amount as decimal(18, 4)) as gross_amount,
    cast(joined.refund_amount as decimal(18, 4)) as refund_amount,
    cast(joined.adjustment_amount as decimal(18, 4)) as adjustment_amount,
    cast(joined.list_amount as decimal(18, 4)) as list_amount,
    cast(joined.discount_amount as decimal(18, 4)) as discount_amount,
    cast(joined.units as decimal(18, 4)) as units
from joined
left join {{ ref('int_accounts_resolved') }} as accounts on joined.account_id = accounts.account_id
left join {{ ref('int_emails_resolved') }} as emails on joined.email_key = emails.email_key
where joined.ordered_at is null or joined.ordered_at < {{ as_of_start() }}
