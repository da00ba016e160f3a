with texts as (
    select
        *,
        cast({{ dbt.date_trunc('week', 'said_at') }} as date) as week_starts_on,
        coalesce(language, 'unknown') as known_language
    from {{ ref('int_texts_attributed') }}
)

select
    {{ as_of_date() }} as as_of,
    week_starts_on,
    source,
    known_language as language,
    cast(count(*) as bigint) as texts,
    cast(count(distinct customer_id) as bigint) as customers,
    cast(count(sentiment) as bigint) as scored,
    {{ exact_mean('sentiment') }} as mean_sentiment,
    -- From 0.05 on a tone counts as positive or negative, as in tessera/text/engine.py.
    {{ share('sum(case when sentiment <= -0.05 then 1 else 0 end)', 'count(sentiment)') }} as negative_share,
    {{ share('sum(case when sentiment >= 0.05 then 1 else 0 end)', 'count(sentiment)') }} as positive_share,
    cast(sum(is_complaint) as bigint) as complaints,
    cast(sum(is_praise) as bigint) as praises,
    cast(sum(has_purchase_intent) as bigint) as purchase_intents,
    cast(sum(mentions_price) as bigint) as price_mentions,
    cast(sum(threatens_churn) as bigint) as churn_threats
from texts
group by week_starts_on, source, known_language
