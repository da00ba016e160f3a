select
    assignments.customer_id,
    assignments.as_of,
    assignments.segment_id,
    assignments.segment_name,
    assignments.model_id,
    assignments.distance,
    assignments.confidence,
    assignments.second_segment_id,
    names.segment_name as second_segment_name,
    assignments.is_held,
    reasons.reason_1,
    reasons.reason_2,
    reasons.reason_3,
    features.r_score,
    features.f_score,
    features.m_score,
    features.rfm_score,
    features.lifecycle_stage,
    features.recency_days,
    features.frequency,
    features.monetary
from {{ source('ml', 'assignments') }} as assignments
inner join {{ ref('customer_features') }} as features
    on assignments.customer_id = features.customer_id and assignments.as_of = features.as_of
left join {{ source('ml', 'segment_names') }} as names
    on assignments.model_id = names.model_id
    and assignments.as_of = names.as_of
    and assignments.second_segment_id = names.segment_id
left join {{ source('ml', 'customer_reasons') }} as reasons
    on assignments.customer_id = reasons.customer_id and assignments.as_of = reasons.as_of
where assignments.as_of = {{ as_of_date() }}
