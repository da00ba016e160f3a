-- Orders and posts of each day on which there were any.
with happened as (
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
)

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
