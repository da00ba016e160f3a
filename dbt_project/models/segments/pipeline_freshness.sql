{{ config(materialized='view') }}

select
    {{ as_of_date() }} as as_of,
    source,
    kind,
    count(*) as files,
    cast(sum(rows_loaded) as bigint) as rows_loaded,
    max(loaded_at) as last_loaded_at,
    max(newest_event_at) as newest_event_at,
    cast({{ dbt.datediff('cast(max(newest_event_at) as date)', as_of_date(), 'day') }} as integer) as days_behind
from {{ source('ops', 'loads') }}
where status = 'loaded'
group by source, kind
