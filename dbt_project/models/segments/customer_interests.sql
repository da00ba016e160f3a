-- What she buys and what she writes about, told alike: each its share of all of its kind.
with interests as (
    select
        customer_id,
        'category' as kind,
        category as interest_id,
        category as interest,
        orders as times,
        spend_share as share,
        population_share
    from {{ ref('category_affinity') }}
    where spend_share is not null

    union all

    select
        counted.customer_id,
        'topic' as kind,
        counted.topic_id as interest_id,
        topics.label as interest,
        counted.texts as times,
        {{ share('counted.texts', 'sum(counted.texts) over (partition by counted.customer_id)') }} as share,
        {{ share('sum(counted.texts) over (partition by counted.topic_id)', 'sum(counted.texts) over ()') }}
            as population_share
    from {{ ref('int_customer_topics_counted') }} as counted
    inner join {{ source('enriched', 'topics') }} as topics
        on counted.topic_id = topics.topic_id and topics.as_of = {{ as_of_date() }}
)

select
    {{ as_of_date() }} as as_of,
    customer_id,
    kind,
    interest_id,
    interest,
    cast(row_number() over (
        partition by customer_id, kind order by share desc, times desc, interest_id
    ) as integer) as interest_rank,
    times,
    share,
    population_share
from interests
