with orders as (
    select * from {{ ref('int_orders_assembled') }}
    where customer_id is not null and excluded_because is null
),

bought as (
    select
        customer_id,
        min(case when has_sale then ordered_at end) as first_order_at,
        max(case when has_sale then ordered_at end) as last_order_at,
        sum(case when has_sale then 1 else 0 end) as frequency,
        sum(case when has_sale and units is not null then 1 else 0 end) as orders_with_units,
        count(distinct case when has_sale then cast(ordered_at as date) end) as order_days,
        sum(gross_amount) as gross_revenue,
        sum(refund_amount) as refunds,
        sum(list_amount) as list_amount,
        sum(discount_amount) as discount_amount,
        sum(units) as units,
        sum(case when has_sale then {{ decayed('1', 'ordered_at', var('purchase_half_life_days')) }} end) as decayed_frequency,
        sum({{ decayed('gross_amount - refund_amount', 'ordered_at', var('purchase_half_life_days')) }}) as decayed_revenue,
        sum(case when ordered_at >= {{ days_before_as_of(var('trend_window_days')) }}
            then gross_amount else 0 end) as revenue_last_90_days,
        sum(case when ordered_at >= {{ days_before_as_of(2 * var('trend_window_days')) }}
            and ordered_at < {{ days_before_as_of(var('trend_window_days')) }}
            then gross_amount else 0 end) as revenue_prior_90_days
    from orders
    group by customer_id
),

-- The first day of buying is left out: what is repeated is what comes after it.
repeated as (
    select
        orders.customer_id,
        sum(orders.gross_amount) as gross_revenue
    from orders
    inner join bought on orders.customer_id = bought.customer_id
    where orders.has_sale and cast(orders.ordered_at as date) > cast(bought.first_order_at as date)
    group by orders.customer_id
),

refunded as (
    select
        customer_id,
        sum(amount) as refunds,
        sum({{ decayed('amount', 'refunded_at', var('purchase_half_life_days')) }}) as decayed_refunds
    from {{ ref('int_refunds_attributed') }}
    where customer_id is not null and excluded_because is null
    group by customer_id
),

voided as (
    select
        customer_id,
        count(*) as void_orders
    from {{ ref('int_orders_assembled') }}
    where customer_id is not null and excluded_because = 'void'
    group by customer_id
),

hours as (
    select
        customer_id,
        max(orders) as busiest_hour_orders
    from (
        select customer_id, count(*) as orders
        from orders
        where has_sale
        group by customer_id, {{ dbt.date_trunc('hour', 'ordered_at') }}
    ) as per_hour
    group by customer_id
),

totals as (
    select
        bought.*,
        bought.refunds + coalesce(refunded.refunds, 0) as all_refunds,
        bought.decayed_revenue - coalesce(refunded.decayed_refunds, 0) as decayed_monetary,
        repeated.gross_revenue as repeat_revenue,
        coalesce(voided.void_orders, 0) as void_orders,
        hours.busiest_hour_orders
    from bought
    left join repeated on bought.customer_id = repeated.customer_id
    left join refunded on bought.customer_id = refunded.customer_id
    left join voided on bought.customer_id = voided.customer_id
    left join hours on bought.customer_id = hours.customer_id
)

select
    customer_id,
    first_order_at,
    last_order_at,
    {{ days_until_as_of('first_order_at') }} as days_since_first_order,
    {{ days_until_as_of('last_order_at') }} as recency_days,
    cast(frequency as bigint) as frequency,
    cast(gross_revenue as decimal(18, 4)) as gross_revenue,
    cast(all_refunds as decimal(18, 4)) as refunds,
    cast(gross_revenue - all_refunds as decimal(18, 4)) as monetary,
    {{ share('all_refunds', 'gross_revenue') }} as refund_share,
    cast(coalesce(decayed_frequency, 0) as double) as decayed_frequency,
    round(cast(decayed_monetary as double), 6) as decayed_monetary,
    cast(void_orders as bigint) as void_orders,
    cast(busiest_hour_orders as bigint) as busiest_hour_orders,
    {{ share('gross_revenue', 'frequency') }} as average_order_value,
    {{ share('units', 'orders_with_units') }} as basket_size,
    -- greatest() skips nulls, and an unknown discount is not none.
    case when discount_amount is not null and list_amount > 0
        then least(greatest({{ share('discount_amount', 'list_amount') }}, 0.0), 1.0)
    end as discount_share,
    {{ share(
        dbt.datediff('cast(first_order_at as date)', 'cast(last_order_at as date)', 'day'),
        'order_days - 1'
    ) }} as inter_purchase_days,
    cast(case when order_days > 0 then order_days - 1 end as bigint) as repeat_purchase_days,
    {{ share('repeat_revenue', 'order_days - 1') }} as repeat_day_revenue,
    cast(revenue_last_90_days as decimal(18, 4)) as revenue_last_90_days,
    cast(revenue_prior_90_days as decimal(18, 4)) as revenue_prior_90_days,
    {{ share(
        'revenue_last_90_days - revenue_prior_90_days',
        'revenue_last_90_days + revenue_prior_90_days'
    ) }} as purchase_trend
from totals
