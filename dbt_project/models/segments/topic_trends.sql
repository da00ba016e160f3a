-- A topic of a week against the four weeks before: two shares compared by a z test.
with counted as (
    select
        topic_id,
        week,
        count(*) as texts,
        sum(is_complaint) as complaints,
        {{ exact_mean('sentiment') }} as mean_sentiment
    from {{ ref('int_topic_texts_dated') }}
    group by topic_id, week
),

weeks as (
    select week, sum(texts) as all_texts
    from counted
    group by week
),

topics as (
    select topic_id, label
    from {{ source('enriched', 'topics') }}
    where as_of = {{ as_of_date() }}
),

-- Weeks in which nobody wrote about it count as well.
filled as (
    select
        topics.topic_id,
        topics.label,
        weeks.week,
        weeks.all_texts,
        coalesce(counted.texts, 0) as texts,
        counted.mean_sentiment,
        {{ share('counted.complaints', 'counted.texts') }} as complaint_share
    from topics
    cross join weeks
    left join counted on topics.topic_id = counted.topic_id and weeks.week = counted.week
),

before as (
    select
        now.topic_id,
        now.week,
        sum(earlier.texts) as texts,
        sum(earlier.all_texts) as all_texts
    from filled as now
    inner join filled as earlier
        on now.topic_id = earlier.topic_id
        and earlier.week < now.week
        and {{ dbt.datediff('earlier.week', 'now.week', 'day') }} <= 28
    group by now.topic_id, now.week
),

compared as (
    select
        filled.topic_id,
        filled.label,
        filled.week,
        filled.texts,
        filled.mean_sentiment,
        filled.complaint_share,
        {{ share('filled.texts', 'filled.all_texts') }} as text_share,
        {{ share('before.texts', 'before.all_texts') }} as text_share_before,
        {{ share('filled.texts + before.texts', 'filled.all_texts + before.all_texts') }} as pooled,
        1.0 / filled.all_texts + 1.0 / before.all_texts as spread
    from filled
    left join before on filled.topic_id = before.topic_id and filled.week = before.week
),

tested as (
    select
        *,
        (text_share - text_share_before) / nullif(sqrt(pooled * (1 - pooled) * spread), 0) as growth_z
    from compared
)

select
    {{ as_of_date() }} as as_of,
    topic_id,
    label,
    week,
    cast(texts as bigint) as texts,
    text_share,
    text_share_before,
    text_share - text_share_before as growth,
    growth_z,
    coalesce(texts >= {{ var('emerging_min_texts') }} and growth_z >= {{ var('emerging_z') }}, false) as is_emerging,
    mean_sentiment,
    complaint_share,
    coalesce(
        texts >= {{ var('emerging_min_texts') }} and complaint_share >= {{ var('concern_complaint_share') }}, false
    ) as is_concern
from tested
