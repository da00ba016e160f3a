select
    as_of,
    dimension,
    member,
    measure,
    week,
    observed,
    trend,
    seasonal,
    residual,
    score,
    is_anomaly,
    direction
from {{ source('ml', 'trends') }}
where as_of = {{ as_of_date() }}
