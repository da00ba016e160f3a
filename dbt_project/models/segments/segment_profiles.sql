with members as (
    select
        segments.as_of,
        segments.segment_id,
        segments.segment_name,
        segments.model_id,
        features.gross_revenue,
        features.recency_days,
        features.frequency,
        features.monetary,
        features.engagement_score,
        features.mean_sentiment,
        features.discount_share,
        case when features.lifecycle_stage in ('slipping', 'dormant') then 1 else 0 end as is_at_risk
    from {{ ref('customer_segments') }} as segments
    inner join {{ ref('customer_features') }} as features
        on segments.customer_id = features.customer_id and segments.as_of = features.as_of
),

totals as (
    select
        count(*) as customers,
        sum(gross_revenue) as gross_revenue
    from members
),

profiles as (
    select
        as_of,
        segment_id,
        segment_name,
        model_id,
        count(*) as customers,
        coalesce(sum(gross_revenue), 0) as gross_revenue,
        median(cast(recency_days as double)) as median_recency_days,
        median(cast(frequency as double)) as median_frequency,
        median(cast(monetary as double)) as median_monetary,
        {{ exact_mean('engagement_score') }} as mean_engagement_score,
        {{ exact_mean('mean_sentiment') }} as mean_sentiment,
        {{ exact_mean('discount_share') }} as mean_discount_share,
        {{ share('sum(is_at_risk)', 'count(*)') }} as at_risk_share
    from members
    group by as_of, segment_id, segment_name, model_id
)

select
    profiles.as_of,
    profiles.segment_id,
    profiles.segment_name,
    profiles.model_id,
    case
        when rules.set_apart <> '' then names.description || ' ' || rules.set_apart
        else names.description
    end as description,
    names.suggested_action,
    names.suggested_channel,
    rules.sql_rule,
    rules.rule_precision,
    rules.rule_recall,
    rules.rule_fidelity,
    cast(profiles.customers as bigint) as customers,
    {{ share('profiles.customers', 'totals.customers') }} as customer_share,
    cast(profiles.gross_revenue as decimal(18, 4)) as gross_revenue,
    {{ share('profiles.gross_revenue', 'totals.gross_revenue') }} as revenue_share,
    profiles.median_recency_days,
    profiles.median_frequency,
    profiles.median_monetary,
    profiles.mean_engagement_score,
    profiles.mean_sentiment,
    profiles.mean_discount_share,
    profiles.at_risk_share
from profiles
cross join totals
left join {{ source('ml', 'segment_names') }} as names
    on profiles.model_id = names.model_id
    and profiles.as_of = names.as_of
    and profiles.segment_id = names.segment_id
left join {{ source('ml', 'segment_rules') }} as rules
    on profiles.as_of = rules.as_of
    and profiles.segment_id = rules.segment_id
