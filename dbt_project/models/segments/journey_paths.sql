select
    as_of,
    kind,
    path,
    steps,
    sessions,
    support,
    conversion_rate
from {{ source('ml', 'journey_paths') }}
where as_of = {{ as_of_date() }}
