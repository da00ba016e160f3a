-- What was said about a topic, by the main topic of its text, each time it was said. A ticket whose
-- subject and body are about the same says it once.
select
    topics.topic_id,
    texts.source,
    texts.said_at,
    cast({{ dbt.date_trunc('week', 'texts.said_at') }} as date) as week,
    texts.customer_id,
    texts.author,
    {{ exact_mean('scores.sentiment') }} as sentiment,
    max(case when scores.is_complaint then 1 else 0 end) as is_complaint
from {{ ref('int_texts_collected') }} as texts
inner join {{ source('enriched', 'text_topics') }} as topics
    on texts.text_hash = topics.text_hash and topics.is_main and topics.as_of = {{ as_of_date() }}
left join {{ source('enriched', 'text_scores') }} as scores on texts.text_hash = scores.text_hash
group by
    topics.topic_id, texts.source, texts._load_id, texts._line, texts._item, texts.said_at,
    texts.customer_id, texts.author
