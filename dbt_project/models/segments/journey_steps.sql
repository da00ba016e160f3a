select
    as_of,
    device_type,
    step,
    sessions,
    visits,
    conversion_rate,
    drop_off_rate,
    conversion_probability,
    removal_effect
from {{ source('ml', 'journey_steps') }}
where as_of = {{ as_of_date() }}
