select
    customer_id,
    as_of,
    is_outlier,
    kind,
    reasons,
    isolation_score,
    neighbour_distance,
    is_isolated,
    is_noise
from {{ source('ml', 'customer_outliers') }}
where as_of = {{ as_of_date() }}
