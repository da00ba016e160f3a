{% set days = var('buy_later_days') %}

with events as (
    select * from {{ ref('int_events_begun') }}
),

permitted as (
    select customer_id from {{ ref('int_customers_collected') }}
    where {{ allows_analytics('customer_id') }}
),

-- Nobody has zero posts when no posts were exported: then it is not known.
exports as (
    select count(*) > 0 as has_posts from {{ ref('stg_social__posts') }}
),

orders as (
    select customer_id, ordered_at, gross_amount
    from {{ ref('int_orders_assembled') }}
    where customer_id is not null and excluded_because is null and has_sale
),

posted as (
    select
        events.event,
        posts.customer_id,
        count(*) as posts,
        min(posts.said_at) as first_posted_at
    from {{ ref('int_texts_attributed') }} as posts
    inner join permitted on posts.customer_id = permitted.customer_id
    inner join events on posts.said_at >= events.starts_on and posts.said_at < events.first_day_after
    where posts.source = 'post'
    group by events.event, posts.customer_id
),

bought as (
    select
        events.event,
        orders.customer_id,
        count(*) as orders,
        sum(orders.gross_amount) as gross_revenue
    from orders
    inner join events on orders.ordered_at >= events.starts_on and orders.ordered_at < events.first_day_after
    group by events.event, orders.customer_id
),

bought_after_posting as (
    select distinct posted.event, posted.customer_id
    from posted
    inner join orders
        on posted.customer_id = orders.customer_id
        and orders.ordered_at > posted.first_posted_at
        and orders.ordered_at <= {{ dbt.dateadd('day', days, 'posted.first_posted_at') }}
),

took_part as (
    select event, customer_id from posted
    union
    select event, customer_id from bought
)

select
    took_part.event,
    took_part.customer_id,
    cast(
        case when exports.has_posts and permitted.customer_id is not null then coalesce(posted.posts, 0) end as bigint
    ) as posts,
    cast(coalesce(bought.orders, 0) as bigint) as orders,
    cast(coalesce(bought.gross_revenue, 0) as decimal(18, 4)) as gross_revenue,
    -- Only when everybody has had as long to buy: else who bought at once would count too much.
    case
        when {{ dbt.dateadd('day', days, 'posted.first_posted_at') }} < {{ as_of_start() }}
            then bought_after_posting.customer_id is not null
    end as has_bought_after_posting
from took_part
cross join exports
left join permitted on took_part.customer_id = permitted.customer_id
left join posted on took_part.event = posted.event and took_part.customer_id = posted.customer_id
left join bought on took_part.event = bought.event and took_part.customer_id = bought.customer_id
left join bought_after_posting
    on took_part.event = bought_after_posting.event and took_part.customer_id = bought_after_posting.customer_id
