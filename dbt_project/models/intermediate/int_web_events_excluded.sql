select
    case when is_crawler then 'crawler' else 'nobody' end as excluded_because,
    cast(sum(events) as bigint) as events
from {{ ref('int_web_events_condensed') }}
where is_crawler or device_id is null
group by 1
