with members as (
    select community_id, gross_revenue, mean_sentiment, favourite_category
    from {{ ref('customer_features') }}
    where as_of = {{ as_of_date() }} and community_id is not null
),

customers as (
    select
        community_id,
        count(*) as customers,
        coalesce(sum(gross_revenue), 0) as gross_revenue,
        {{ exact_mean('mean_sentiment') }} as mean_sentiment,
        count(favourite_category) as buyers
    from members
    group by community_id
),

categories as (
    select
        community_id,
        favourite_category,
        count(*) as buyers,
        row_number() over (
            partition by community_id order by count(*) desc, favourite_category
        ) as place
    from members
    where favourite_category is not null
    group by community_id, favourite_category
)

select
    communities.as_of,
    communities.community_id,
    communities.first_seen,
    communities.is_new,
    communities.members,
    cast(coalesce(customers.customers, 0) as bigint) as customers,
    communities.ties,
    communities.density,
    communities.outward_share,
    communities.modularity,
    cast(coalesce(customers.gross_revenue, 0) as decimal(18, 4)) as gross_revenue,
    customers.mean_sentiment,
    categories.favourite_category as top_category,
    {{ share('categories.buyers', 'customers.buyers') }} as top_category_share
from {{ source('enriched', 'communities') }} as communities
left join customers on communities.community_id = customers.community_id
left join categories on communities.community_id = categories.community_id and categories.place = 1
where communities.as_of = {{ as_of_date() }}
