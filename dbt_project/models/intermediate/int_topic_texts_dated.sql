-- Each text that has a topic, by its main one, each time it was written.
select
    topics.topic_id,
    texts.source,
    texts.said_at,
    cast({{ dbt.date_trunc('week', 'texts.said_at') }} as date) as week,
    texts.customer_id,
    texts.author,
    scores.sentiment,
    case when scores.is_complaint then 1 else 0 end as is_complaint
from {{ ref('int_texts_collected') }} as texts
inner join {{ source('enriched', 'text_topics') }} as topics
    on texts.text_hash = topics.text_hash and topics.is_main and topics.as_of = {{ as_of_date() }}
left join {{ source('enriched', 'text_scores') }} as scores on texts.text_hash = scores.text_hash
