select
    features.as_of,
    features.segment_id,
    names.segment_name,
    features.feature,
    features.feature_rank,
    features.effect_size,
    features.magnitude,
    features.segment_median,
    features.others_median,
    features.known_share
from {{ source('ml', 'segment_features') }} as features
inner join {{ source('ml', 'segment_names') }} as names
    on features.as_of = names.as_of and features.segment_id = names.segment_id
where features.as_of = {{ as_of_date() }}
