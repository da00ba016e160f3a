with ranked as (
    select
        customer_id,
        topic_id,
        texts,
        sum(texts) over (partition by customer_id) as all_texts,
        row_number() over (partition by customer_id order by texts desc, topic_id) as place
    from {{ ref('int_customer_topics_counted') }}
)

select
    ranked.customer_id,
    ranked.topic_id as main_topic_id,
    topics.label as main_topic,
    {{ share('ranked.texts', 'ranked.all_texts') }} as main_topic_share
from ranked
inner join {{ source('enriched', 'topics') }} as topics
    on ranked.topic_id = topics.topic_id and topics.as_of = {{ as_of_date() }}
where ranked.place = 1
