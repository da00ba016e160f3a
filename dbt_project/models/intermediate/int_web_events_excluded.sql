select
    excluded_because,
    cast(sum(events) as bigint) as events
from (
    select
        case when is_crawler then 'crawler' else 'nobody' end as excluded_because,
        events
    from {{ ref('int_web_events_condensed') }}
    where (is_crawler or device_id is null) and event_date < {{ as_of_date() }}
    union all
    select excluded_because, events
    from {{ ref('int_web_sessions_judged') }}
    where excluded_because is not null
) as excluded
group by excluded_because
