with words as (
    select
        topic_id,
        {% for rank in range(1, 11) -%}
        max(case when rank = {{ rank }} then word end) as word_{{ rank }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ source('enriched', 'topic_words') }}
    where as_of = {{ as_of_date() }} and rank <= 10
    group by topic_id
),

texts as (
    select
        topic_id,
        count(*) as texts,
        count(distinct author) as authors,
        {{ exact_mean('sentiment') }} as mean_sentiment,
        {{ share('sum(is_complaint)', 'count(*)') }} as complaint_share
    from {{ ref('int_topic_texts_dated') }}
    group by topic_id
),

totals as (
    select sum(texts) as texts from texts
)

select
    topics.as_of,
    topics.topic_id,
    topics.label,
    word_1
    {%- for rank in range(2, 11) %} || coalesce(', ' || word_{{ rank }}, ''){% endfor %} as top_words,
    topics.first_seen,
    topics.is_new,
    cast(coalesce(texts.texts, 0) as bigint) as texts,
    {{ share('coalesce(texts.texts, 0)', 'totals.texts') }} as text_share,
    cast(coalesce(texts.authors, 0) as bigint) as authors,
    texts.mean_sentiment,
    texts.complaint_share
from {{ source('enriched', 'topics') }} as topics
inner join words on topics.topic_id = words.topic_id
left join texts on topics.topic_id = texts.topic_id
cross join totals
where topics.as_of = {{ as_of_date() }}
