with texts as (
    select
        *,
        said_at >= {{ days_before_as_of(90) }} as is_recent
    from {{ ref('int_texts_attributed') }}
    where customer_id is not null
),

-- Of languages as frequent as each other, the first by its code.
languages as (
    select customer_id, {{ first_by('language', ['-texts', 'language']) }} as main_language
    from (
        select customer_id, language, count(*) as texts
        from texts
        where language is not null
        group by customer_id, language
    ) as counted
    group by customer_id
),

said as (
    select
        customer_id,
        {{ exact_mean("case when source = 'ticket' then sentiment end") }} as mean_ticket_sentiment,
        {{ exact_mean("case when source = 'survey' then sentiment end") }} as mean_survey_sentiment,
        {{ exact_mean('case when is_recent then sentiment end') }} as recent_sentiment,
        {{ exact_mean('case when not is_recent then sentiment end') }} as earlier_sentiment,
        -- Null when signals are known of none of her texts, as in another language.
        case when count(is_complaint) > 0
            then sum(case when is_recent and is_complaint = 1 then 1 else 0 end) end as complaints_last_90_days,
        case when count(is_praise) > 0
            then sum(case when is_recent and is_praise = 1 then 1 else 0 end) end as praises_last_90_days,
        case when count(has_purchase_intent) > 0
            then sum(case when is_recent and has_purchase_intent = 1 then 1 else 0 end) end as purchase_intents_last_90_days,
        case when count(threatens_churn) > 0
            then sum(case when is_recent and threatens_churn = 1 then 1 else 0 end) end as churn_threats_last_90_days
    from texts
    group by customer_id
)

select
    said.customer_id,
    said.mean_ticket_sentiment,
    said.mean_survey_sentiment,
    round(said.recent_sentiment - said.earlier_sentiment, 6) as sentiment_trend,
    cast(said.complaints_last_90_days as bigint) as complaints_last_90_days,
    cast(said.praises_last_90_days as bigint) as praises_last_90_days,
    cast(said.purchase_intents_last_90_days as bigint) as purchase_intents_last_90_days,
    cast(said.churn_threats_last_90_days as bigint) as churn_threats_last_90_days,
    languages.main_language
from said
left join languages on said.customer_id = languages.customer_id
