select
    as_of,
    device_type,
    from_step,
    to_step,
    sessions,
    transitions,
    probability
from {{ source('ml', 'journey_transitions') }}
where as_of = {{ as_of_date() }}
