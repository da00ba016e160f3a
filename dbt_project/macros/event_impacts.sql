{# What happened during events and around them; docs/how-to/cohorts-baskets-trends.md. #}

{# SELECT of orders and posts on each day of `events` (event, starts_on, first_day_after) and on the
   days before and after it. A day of another event, or of `further_days`, shows nothing of what is
   usual: it is left out before and after. Nothing is known of days before the first order or post. #}
{% macro days_of_events(events, further_days=none) %}
{% set days = var('event_days') %}
with events as (
    select * from {{ events }}
),

known as (
    select measure, min(day) as first_day from {{ ref('int_days_counted') }} group by measure
),

phases as (
    select
        event,
        'before' as phase,
        cast({{ dbt.dateadd('day', -days, 'starts_on') }} as date) as first_day,
        cast({{ dbt.dateadd('day', -1, 'starts_on') }} as date) as last_day
    from events
    union all
    select
        event,
        'during' as phase,
        starts_on as first_day,
        cast({{ dbt.dateadd('day', -1, 'first_day_after') }} as date) as last_day
    from events
    union all
    select
        event,
        'after' as phase,
        first_day_after as first_day,
        least(
            cast({{ dbt.dateadd('day', days - 1, 'first_day_after') }} as date),
            cast({{ dbt.dateadd('day', -1, as_of_date()) }} as date)
        ) as last_day
    from events
    where first_day_after < {{ as_of_date() }}
),

phase_days as (
    select event, phase, {{ each_day('first_day', 'last_day') }} as day
    from phases
),

event_days as (
    select day from phase_days where phase = 'during'
    {%- if further_days %}
    union
    select day from ({{ further_days }}) as further_days
    {%- else %}
    group by day
    {%- endif %}
)

select
    phase_days.event,
    known.measure,
    phase_days.phase,
    phase_days.day,
    cast(coalesce(daily.happened, 0) as bigint) as happened,
    cast(coalesce(daily.gross_revenue, 0) as decimal(18, 4)) as gross_revenue,
    cast(coalesce(daily.scored, 0) as bigint) as scored,
    cast(coalesce(daily.sentiment, 0) as decimal(28, 6)) as sentiment
from phase_days
inner join known on phase_days.day >= known.first_day
left join {{ ref('int_days_counted') }} as daily on phase_days.day = daily.day and known.measure = daily.measure
left join event_days on phase_days.day = event_days.day
where phase_days.phase = 'during' or event_days.day is null
{% endmacro %}

{# SELECT of who posted or bought during `events`, and who bought after posting. #}
{% macro participants_of_events(events) %}
{% set days = var('buy_later_days') %}

with events as (
    select * from {{ events }}
),

permitted as (
    select customer_id from {{ ref('int_customers_collected') }}
    where {{ allows_analytics('customer_id') }}
),

-- Nobody has zero posts when there are none on record: then it is not known.
exports as (
    select count(*) > 0 as has_posts from {{ ref('int_days_counted') }} where measure = 'posts'
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
{% endmacro %}

{# SELECT of the weeks out of line that no event of the settings explains, as events. #}
{% macro found_events() %}
select
    event,
    starts_on,
    ends_on,
    true as is_complete,
    cast({{ dbt.dateadd('day', 1, 'ends_on') }} as date) as first_day_after,
    found_in
from {{ source('ml', 'found_events') }}
where as_of = {{ as_of_date() }}
{% endmacro %}
