select
    as_of,
    measure,
    customers,
    segments,
    kruskal_h,
    p_value,
    epsilon_squared,
    eta_squared,
    effect
from {{ source('ml', 'segment_separations') }}
where as_of = {{ as_of_date() }}
