-- Orders and posts on each day of an event, and on the days before and after it. A day of another
-- event shows nothing of what is usual: it is left out before and after. Nothing is known of days
-- before the first order or post.
{% set days = var('event_days') %}

with events as (
    select * from {{ ref('int_events_begun') }}
),

happened as (
    select
        'orders' as measure,
        cast(ordered_at as date) as day,
        gross_amount as gross_revenue,
        cast(null as double) as sentiment
    from {{ ref('int_orders_assembled') }}
    where excluded_because is null and has_sale
    union all
    select
        'posts' as measure,
        cast(said_at as date) as day,
        null as gross_revenue,
        sentiment
    from {{ ref('int_texts_attributed') }}
    where source = 'post'
),

daily as (
    select
        measure,
        day,
        count(*) as happened,
        sum(gross_revenue) as gross_revenue,
        count(sentiment) as scored,
        sum(cast(sentiment as decimal(28, 6))) as sentiment
    from happened
    where day is not null
    group by measure, day
),

known as (
    select measure, min(day) as first_day from daily group by measure
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
    select distinct day from phase_days where phase = 'during'
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
left join daily on phase_days.day = daily.day and known.measure = daily.measure
left join event_days on phase_days.day = event_days.day
where phase_days.phase = 'during' or event_days.day is null
